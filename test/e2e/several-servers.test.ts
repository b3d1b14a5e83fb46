/** Two `barge up` on one etcd are one cluster: each shows at once what the other did, nothing is given twice, and one goes on when the other is killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Service } from '../../schemas/kinds/core/service.ts';
import { bargeBin, E2eCluster, kubectls, run, within } from '../helpers/e2e.ts';
import { etcdTest, startTestEtcd } from '../helpers/etcd.ts';
import { kubeconfigClient } from '../helpers/kubeconfig-client.ts';

/** Starts a server in a folder; what it leaves goes with the test. */
const serverIn = async (t: ExecutionContext, dataDir: string, args: readonly string[]): Promise<E2eCluster> => {
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const server = await E2eCluster.start({ dataDir, args });
  t.teardown(() => server.end());
  return server;
};

etcdTest('two servers on one etcd are one cluster, and one of them is enough', async (t) => {
  const etcd = await startTestEtcd();
  t.teardown(() => etcd.close());
  const [kubectl] = [...(await kubectls()).values()].slice(-1);
  assert(kubectl !== undefined, 'no kubectl: name one in BARGE_TEST_KUBECTLS');
  const store = ['--etcd-servers', etcd.endpoints.join(','), '--etcd-prefix', '/e2e'];
  const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'barge-e2e-'));

  const [here, there, foreign] = await Promise.all([folder(), folder(), folder()]) as [string, string, string];
  t.teardown(() => rm(foreign, { recursive: true, force: true }));
  const a = await serverIn(t, here, ['--no-agent', '--node-name', 'a', ...store]);
  const refused = await run(bargeBin, ['up', '--no-agent', '--data-dir', foreign, '--listen', '127.0.0.1:0', ...store]);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /join them \('barge token create --role server'/);

  await mkdir(join(there, 'pki'), { recursive: true, mode: 0o700 });
  for (const file of ['ca.crt', 'ca.key', 'service-account.key']) await copyFile(join(here, 'pki', file), join(there, 'pki', file));
  const b = await serverIn(t, there, ['--runtime', 'simulated', '--node-name', 'b', ...store]);

  // Another authority for both; all that follows stands on it.
  t.regex(await b.with(bargeBin, ['ca', 'rotate']), /^All servers and nodes have certificates of the new authority/m);
  t.regex(await a.with(bargeBin, ['ca', 'finish']), /is not trusted any more/);

  // What one did the other shows at once, to whoever lists and to whoever watches.
  const watching = spawn(kubectl, ['get', 'configmaps', '--watch', '--output-watch-events', '-o', 'name'], { env: { ...process.env, ...b.env }, stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => watching.kill());
  let watched = '';
  watching.stdout.setEncoding('utf8').on('data', (text: string) => { watched += text; });
  for (let n = 0; n < 5; n++) {
    const [one, other] = n % 2 === 0 ? [a, b] : [b, a];
    await one.with(kubectl, ['create', 'configmap', `c${n}`]);
    t.is(await other.with(kubectl, ['get', 'configmap', `c${n}`, '-o', 'name']), `configmap/c${n}\n`);
  }
  await within(60, () => { for (let n = 0; n < 5; n++) assert.match(watched, new RegExp(`configmap/c${n}\\b`)); });

  // Nothing is given twice.
  const services = (await Promise.all([a, b].map(({ kubeconfig }) => kubeconfigClient(t, kubeconfig)))).map((client) => client.of(Service));
  const create = (n: number, name: string) => services[n % 2]!.create({ metadata: { namespace: 'default', name }, spec: { type: 'NodePort', ports: [{ port: 80 }] } });
  const made = await Promise.all(Array.from({ length: 30 }, (_, n) => create(n, `s${n}`)));
  t.is(new Set(made.map(({ spec }) => spec.clusterIP)).size, 30);
  t.is(new Set(made.map(({ spec }) => spec.ports![0]!.nodePort)).size, 30);
  for (let n = 0; n < 5; n++) t.is((await Promise.allSettled([0, 1].map((server) => create(server, `one${n}`)))).filter(({ status }) => status === 'fulfilled').length, 1);

  // Whoever leads is killed; kubectl goes on at the other, and so do controllers and scheduler there.
  await a.with(kubectl, ['create', 'deployment', 'web', '--image=web:1', '--replicas=2']);
  await a.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=120s']);
  const leader = (): Promise<string> => b.with(kubectl, ['get', 'lease', '-n', 'kube-system', 'barge-controllers', '-o', 'jsonpath={.spec.holderIdentity}']);
  t.regex(await leader(), /^a_/, 'who was first leads');
  await a.end('SIGKILL');
  await b.with(kubectl, ['create', 'configmap', 'after']);
  await within(60, () => assert.match(watched, /configmap\/after\b/));
  await b.with(kubectl, ['scale', 'deployment', 'web', '--replicas=4']);
  await b.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=180s']);
  t.regex(await leader(), /^b_/);
  await within(60, async () => assert.equal(await b.with(kubectl, ['get', 'lease', '-n', 'kube-system', '-l', 'apiserver.kubernetes.io/identity', '-o', 'name']), 'lease.coordination.k8s.io/apiserver-b\n'));

  const back = await a.again();
  t.teardown(() => back.end());
  t.is(await back.with(kubectl, ['get', 'pods', '-o', 'name']), await b.with(kubectl, ['get', 'pods', '-o', 'name']));
  // etcd goes, and comes back: nobody ends, and all goes on.
  await etcd.kill(0);
  await etcd.start(0);
  await within(60, () => b.with(kubectl, ['create', 'configmap', 'again']));
  await within(60, () => back.with(kubectl, ['get', 'configmap', 'again']));
  await within(60, () => assert.match(watched, /configmap\/again\b/));
  // One that ends in good order leaves the work to the other without a wait.
  await within(60, async () => assert.match(await leader(), /^b_/));
  await b.end();
  await within(60, async () => assert.match(await back.with(kubectl, ['get', 'lease', '-n', 'kube-system', 'barge-controllers', '-o', 'jsonpath={.spec.holderIdentity}']), /^a_/));
});
