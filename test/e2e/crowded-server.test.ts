/** Clients that find no room are told when to come back, and do: kubectl and client-go within it, and the Python client. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { defaultInFlight } from '../../apiserver/http/in-flight.ts';
import { kubectls, run, type Result } from '../helpers/e2e.ts';
import { eventually } from '../helpers/eventually.ts';
import { httpsApi, type HttpsApi } from '../helpers/https-api.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
/** Room for one write and one watch of each user; who comes second is refused at once. */
const inFlight = { ...defaultInFlight, mutatingPerUser: 1, longRunningPerUser: 1, waitingPerUser: 0 };

const python = `
import sys
from kubernetes import client, config, watch
config.load_kube_config(config_file=sys.argv[1])
core = client.CoreV1Api()
if sys.argv[2] == 'replace':
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name='there'), data={'by': 'python'})
    print(core.replace_namespaced_config_map('there', 'default', body).data['by'])
else:
    for event in watch.Watch().stream(core.list_namespaced_config_map, 'default', timeout_seconds=30):
        print(event['type'], event['object'].metadata.name)
        break
`;

interface Place {
  /** How many requests were refused since the server began. */
  refusals(): Promise<number>;
  give(): void;
}

/** Takes the only place of a user for writes (by a body that does not end) or for watches. */
const taken = async (api: HttpsApi, what: 'mutating' | 'longRunning'): Promise<Place> => {
  const sample = async (name: string): Promise<number> => Number(new RegExp(`^${name}.*request_kind="${what}".* (\\d+)$`, 'm').exec((await api.call('/metrics')).text)?.[1] ?? 0);
  const refusals = (): Promise<number> => sample('apiserver_dropped_requests_total');
  if (what === 'longRunning') {
    const watch = await api.open(`${configMaps}?watch=true`, { as: 'bob' });
    return { refusals, give: () => watch.destroy() };
  }
  const socket = await api.raw('bob');
  socket.on('error', () => undefined);
  socket.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`);
  await eventually(async () => { if (await sample('apiserver_current_inflight_requests') === 0) throw new Error('nobody writes'); }, 60_000);
  return { refusals, give: () => socket.destroy() };
};

/** Runs a client while its place is taken, and gives the place once the client was refused. */
const refusedOnce = async (t: ExecutionContext, api: HttpsApi, what: 'mutating' | 'longRunning', client: () => Promise<Result>): Promise<Result> => {
  const place = await taken(api, what);
  const before = await place.refusals();
  const result = client();
  await eventually(async () => { if (await place.refusals() === before) throw new Error('nobody was refused'); }, 60_000);
  place.give();
  const ended = await result;
  t.is(ended.code, 0, `${ended.stdout}${ended.stderr}`);
  return ended;
};

test('clients come back when they were told to, and then get what they wanted', async (t) => {
  const api = await httpsApi({ authorizer: { authorize: () => undefined }, limits: { inFlight } });
  t.teardown(() => api.close());
  const folder = await tempDir();
  t.teardown(folder.remove);
  const kubeconfig = join(folder.path, 'bob.kubeconfig');
  const { ca, bob } = api.certificates;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  await writeFile(kubeconfig, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'bob', contexts: [{ name: 'bob', context: { cluster: 'test', user: 'bob' } }],
    clusters: [{ name: 'test', cluster: { server: `https://127.0.0.1:${api.port}`, 'certificate-authority-data': base64(ca.cert) } }],
    users: [{ name: 'bob', user: { 'client-certificate-data': base64(bob.cert), 'client-key-data': base64(bob.key) } }],
  }));
  t.is((await api.call(configMaps, { body: { metadata: { name: 'there' } } })).code, 201);

  for (const [minor, program] of await kubectls()) {
    const kubectl = (...args: readonly string[]): Promise<Result> => run(program, ['--kubeconfig', kubeconfig, ...args], { env: { HOME: folder.path } });
    t.regex((await refusedOnce(t, api, 'mutating', () => kubectl('create', 'configmap', `by-${minor}`))).stdout, /created/, `kubectl 1.${minor}`);
    t.is((await api.call(`${configMaps}/by-${minor}`)).code, 200);
  }
  const said = async (what: 'mutating' | 'longRunning', word: string): Promise<string> => (await refusedOnce(t, api, what, () => run('/usr/bin/python3', ['-c', python, kubeconfig, word]))).stdout;
  if ((await run('/usr/bin/python3', ['-c', 'import kubernetes'])).code !== 0) {
    if (process.env['CI'] === undefined) t.log('left out: python3-kubernetes is missing');
    else t.fail('python3-kubernetes is missing: apt-get install python3-kubernetes');
    return;
  }
  t.is(await said('mutating', 'replace'), 'python\n');
  t.regex(await said('longRunning', 'watch'), /^ADDED /);
});
