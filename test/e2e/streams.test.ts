/** Streams and proxies on real containers: large ones, many at once, ends on every side, and what kubectl does with them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { E2eCluster, ensureImages, forwarded, kubectls, within } from '../helpers/e2e.ts';

const image = 'barge/hello:1';
const largeBytes = 100 * 2 ** 20;

const pod = (name: string, containers: readonly object[], more: object = {}): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { containers, terminationGracePeriodSeconds: 1, ...more } });
const talk = 'i=0; while [ $i -lt 5 ]; do echo line $i; echo oops >&2; i=$((i+1)); done; sleep 3600';

let cluster: E2eCluster;
/** The oldest and the newest kubectl that are here: they speak different protocols. */
let programs: readonly (readonly [number, string])[];

test.before(async () => {
  await ensureImages();
  const all = [...await kubectls()].sort(([a], [b]) => a - b);
  programs = [all[0]!, ...(all.length > 1 ? [all.at(-1)!] : [])];
  cluster = await E2eCluster.start();
  const manifest = { apiVersion: 'v1', kind: 'List', items: [
    pod('web', [{ name: 'main', image, ports: [{ containerPort: 8080 }] }, { name: 'side', image, command: ['sleep', '3600'] }]),
    pod('talker', [{ name: 'a', image, command: ['sh', '-c', talk] }, { name: 'b', image, command: ['sh', '-c', 'echo from b; sleep 3600'] }]),
    pod('again', [{ name: 'main', image, command: ['sh', '-c', 'echo run; exit 1'] }]),
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } },
  ] };
  await cluster.with(programs[0]![1], ['apply', '-f', '-'], { input: JSON.stringify(manifest) });
  for (const name of ['web', 'talker']) await cluster.barge('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s');
});
test.after.always(() => cluster?.remove());

const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
/** Resident memory of the cluster's process. */
const residentBytes = async (): Promise<number> => Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${cluster.pid}/status`, 'utf8'))![1]) * 1024;

test('commands: exit codes, half-closed input, sizes of terminals, large streams', async (t) => {
  for (const [minor, kubectl] of programs) {
    for (const env of minor < 30 ? [{}] : [{}, { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' }]) {
      const exec = (args: readonly string[], input?: string) => cluster.try(kubectl, ['exec', ...args], { env, ...(input === undefined ? {} : { input }) });
      const what = `kubectl 1.${minor} ${JSON.stringify(env)}`;
      t.like(await exec(['web', '-c', 'main', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']), { code: 7, stdout: 'out\n' }, what);
      t.like(await exec(['-i', 'web', '-c', 'main', '--', 'cat'], 'all of it'), { code: 0, stdout: 'all of it' }, what);
      t.like(await exec(['-i', 'web', '-c', 'main', '--', 'wc', '-c'], 'x'.repeat(10 * 2 ** 20)), { code: 0, stdout: `${10 * 2 ** 20}\n` }, what);
      t.true((await exec(['web', '-c', 'main', '--', 'sh', '-c', 'head -c 10000000 /dev/zero | tr "\\0" x'])).stdout === 'x'.repeat(10_000_000), what);
      t.regex((await exec(['web', '-c', 'nothing', '--', 'true'])).stderr, /container nothing is not valid for pod web/, what);
      t.not((await exec(['web', '-c', 'main', '--', '/does/not/exist'])).code, 0, what);
      const line = `stty rows 33 cols 111; ${kubectl} exec -it web -c main -- sh -c 'sleep 1; stty size'`;
      t.regex((await cluster.try('script', ['-qec', line, '/dev/null'], { env })).stdout, /33 111/, what);
    }
  }
});

test('100 MB go through cp and port-forward, both ways, with every byte and without being held', async (t) => {
  const large = randomBytes(largeBytes);
  const file = join(cluster.dataDir, 'large');
  await writeFile(file, large);
  const before = await residentBytes();
  let most = before;
  const watching = setInterval(() => void residentBytes().then((bytes) => { most = Math.max(most, bytes); }), 100);
  try {
    for (const [minor, kubectl] of programs) {
      await cluster.with(kubectl, ['cp', file, 'web:/tmp/large', '-c', 'main'], { timeoutMs: 300_000 });
      await cluster.with(kubectl, ['cp', 'web:/tmp/large', `${file}.back`, '-c', 'main'], { timeoutMs: 300_000 });
      t.is(sum(await readFile(`${file}.back`)), sum(large), `kubectl 1.${minor}`);
      const received = cluster.with(kubectl, ['exec', 'web', '-c', 'main', '--', 'sh', '-c', 'nc -l -p 9999 < /tmp/large | sha256sum'], { timeoutMs: 300_000 });
      const port = 9999;
      await within(60, async () => assert.match(await cluster.with(kubectl, ['exec', 'web', '-c', 'main', '--', 'netstat', '-lnt']), /:9999 /));
      const back = await forwarded(cluster, { program: kubectl, target: 'pod/web', port }, async (local) => {
        const socket = connect({ host: '127.0.0.1', port: local, allowHalfOpen: true });
        socket.end(large);
        const hash = createHash('sha256');
        for await (const chunk of socket as AsyncIterable<Buffer>) hash.update(chunk);
        return hash.digest('hex');
      });
      t.is(back, sum(large), `kubectl 1.${minor}`);
      t.true((await received).startsWith(sum(large)), `kubectl 1.${minor}`);
    }
  } finally {
    clearInterval(watching);
  }
  t.log(`memory of the cluster: ${Math.round(before / 2 ** 20)} MiB before, ${Math.round(most / 2 ** 20)} MiB at most`);
  t.true(most - before < 150 * 2 ** 20);
});

const page = (port: number, path: string): Promise<string> => new Promise((resolve, reject) => {
  request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (part: string) => { body += part; }).on('end', () => resolve(body)).on('error', reject);
  }).on('error', reject).end();
});

test('many streams at once, by one client and by many', async (t) => {
  const [, kubectl] = programs.at(-1)!;
  const answers = await forwarded(cluster, { program: kubectl, target: 'service/web', port: 80 }, (port) => Promise.all(Array.from({ length: 30 }, () => page(port, '/cgi-bin/index.cgi'))));
  t.deepEqual([...new Set(answers)], ['Hello from web\n']);
  const echoes = await Promise.all(Array.from({ length: 10 }, (_, index) => cluster.with(kubectl, ['exec', '-i', 'web', '-c', 'main', '--', 'cat'], { input: `stream ${index}` })));
  t.deepEqual(echoes, Array.from({ length: 10 }, (_, index) => `stream ${index}`));
});

test('logs with all options', async (t) => {
  for (const [minor, kubectl] of programs) {
    const logs = (...args: readonly string[]): Promise<string> => cluster.with(kubectl, ['logs', ...args]);
    const lines = async (...args: readonly string[]): Promise<readonly string[]> => (await logs(...args)).split('\n').filter((line) => line !== '');
    const what = `kubectl 1.${minor}`;
    t.is((await lines('talker', '-c', 'a')).length, 10, what);
    t.is((await lines('talker', '-c', 'a', '--tail=1')).length, 1, what);
    t.is((await logs('talker', '-c', 'a', '--limit-bytes=3')).length, 3, what);
    t.regex((await lines('talker', '-c', 'b', '--timestamps'))[0]!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z from b$/, what);
    t.deepEqual(await lines('talker', '-c', 'b', '--since-time=2100-01-01T00:00:00Z'), [], what);
    t.deepEqual(await lines('talker', '-c', 'b', '--since=1h'), ['from b'], what);
    t.deepEqual(await lines('talker', '-c', 'b', '--insecure-skip-tls-verify-backend'), ['from b'], what);
    const everything = await lines('-l', 'app=talker', '--all-containers', '--prefix', '--tail=-1');
    t.is(everything.filter((line) => line.startsWith('[pod/talker/a] ')).length, 10, what);
    t.true(everything.includes('[pod/talker/b] from b'), what);
    t.regex((await cluster.try(kubectl, ['logs', 'talker', '-c', 'b', '--previous'])).stderr, /previous terminated container "b" in pod "talker" not found/, what);
    await within(60, async () => assert.equal(await logs('again', '--previous'), 'run\n'));
    t.is(await cluster.with(kubectl, ['run', `short${minor}`, `--image=${image}`, '--restart=Never', '--', 'sh', '-c', 'echo first; sleep 2; echo last']), `pod/short${minor} created\n`);
    await within(60, async () => t.is(await logs(`short${minor}`, '-f'), 'first\nlast\n', what));
  }
});

test('run, attach and debug', async (t) => {
  for (const [minor, kubectl] of programs) {
    const what = `kubectl 1.${minor}`;
    const ran = await cluster.try(kubectl, ['run', `once${minor}`, '--rm', '-i', '--restart=Never', `--image=${image}`, '--', 'sh', '-c', 'cat; exit 3'], { input: 'typed\n' });
    t.is(ran.code, 3, `${what}: ${ran.stderr}`);
    t.true(ran.stdout.includes('typed\n'), what);
    t.is(await cluster.with(kubectl, ['get', 'pod', `once${minor}`, '--ignore-not-found']), '', what);
    const debugging = ['debug', 'web', `--image=${image}`, '--target=main', `--container=look${minor}`, '--', 'sh', '-c', 'echo looked; ps | grep -c httpd'];
    // Before 1.22 it sends the kind EphemeralContainers, which Kubernetes has not known since.
    if (minor < 22) t.regex((await cluster.try(kubectl, debugging)).stderr, /EphemeralContainers in version "v1" cannot be handled as a Pod/);
    else {
      await cluster.with(kubectl, debugging);
      await within(60, async () => assert.match(await cluster.with(kubectl, ['logs', 'web', '-c', `look${minor}`]), /^looked\n[2-9]/));
    }
    await cluster.with(kubectl, ['debug', 'web', `--copy-to=copy${minor}`, '--container=main', `--image=${image}`, '--', 'sh', '-c', 'echo a copy; sleep 60']);
    await within(60, async () => assert.equal(await cluster.with(kubectl, ['logs', `copy${minor}`, '-c', 'main']), 'a copy\n'));
    const node = (await cluster.with(kubectl, ['get', 'nodes', '-o', 'name'])).trim();
    const made = await cluster.with(kubectl, ['debug', node, `--image=${image}`, '--', 'sh', '-c', 'ls /host/proc/1/comm']);
    const name = /pod (\S+) with|^Creating debugging pod (\S+)/m.exec(made)!.slice(1).find((one) => one !== undefined)!;
    await within(60, async () => assert.equal(await cluster.with(kubectl, ['logs', name]), '/host/proc/1/comm\n'));
    await cluster.with(kubectl, ['delete', 'pod', name, `copy${minor}`, '--now']);
  }
});

test('a container that dies ends its streams, a client that goes leaves none behind', async (t) => {
  for (const [minor, kubectl] of programs) {
    const name = `dies${minor}`;
    await cluster.with(kubectl, ['apply', '-f', '-'], { input: JSON.stringify(pod(name, [{ name: 'main', image, command: ['sleep', '3600'] }])) });
    await cluster.barge('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s');
    const running = spawn(kubectl, ['exec', '-i', name, '--', 'sh', '-c', 'echo begun; cat'], { env: { ...process.env, ...cluster.env }, stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = once(running, 'close') as Promise<[number]>;
    for await (const line of createInterface({ input: running.stdout })) {
      t.is(line, 'begun');
      break;
    }
    await cluster.with(kubectl, ['delete', 'pod', name, '--now']);
    const [code] = await ended;
    t.not(code, 0, `kubectl 1.${minor}`);
    const gone = spawn(kubectl, ['exec', '-i', 'web', '-c', 'main', '--', 'sh', '-c', `echo begun; cat > /tmp/typed${minor}; echo ended >> /tmp/typed${minor}`], { env: { ...process.env, ...cluster.env }, stdio: ['pipe', 'pipe', 'ignore'] });
    for await (const line of createInterface({ input: gone.stdout })) {
      t.is(line, 'begun');
      break;
    }
    gone.kill('SIGKILL');
    await within(60, async () => assert.equal(await cluster.with(kubectl, ['exec', 'web', '-c', 'main', '--', 'cat', `/tmp/typed${minor}`]), 'ended\n'));
  }
});

test('services, pods and the node are reached through the API server', async (t) => {
  for (const [minor, kubectl] of programs) {
    const what = `kubectl 1.${minor}`;
    const raw = (path: string) => cluster.try(kubectl, ['get', '--raw', path]);
    for (const at of ['services/web:80', 'services/http:web:', 'pods/web', 'pods/web:8080']) t.is((await raw(`/api/v1/namespaces/default/${at}/proxy/cgi-bin/index.cgi`)).stdout, 'Hello from web\n', `${what} ${at}`);
    const node = (await cluster.with(kubectl, ['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
    t.is((await raw(`/api/v1/nodes/${node}/proxy/healthz`)).stdout, 'ok', what);
    t.regex((await raw(`/api/v1/nodes/${node}/proxy/metrics`)).stdout, /^kubelet_running_containers\{/m, what);
    t.true((JSON.parse((await raw(`/api/v1/nodes/${node}/proxy/pods`)).stdout) as { items: readonly { metadata: { name: string } }[] }).items.some(({ metadata }) => metadata.name === 'web'), what);
    t.regex((await raw(`/api/v1/nodes/${node}/proxy/exec/default/web/main?command=id`)).stderr, /Forbidden/, what);
    t.regex((await raw('/api/v1/namespaces/default/services/web:81/proxy/')).stderr, /no service port 81 found for service "web"/, what);
    t.regex((await raw('/api/v1/namespaces/default/pods/web:1/proxy/')).stderr, /error trying to reach service: connect ECONNREFUSED/, what);
    const proxy = spawn(kubectl, ['proxy', '--port=0'], { env: { ...process.env, ...cluster.env }, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = await once(createInterface({ input: proxy.stdout }), 'line') as [string];
      const port = Number(/:(\d+)$/.exec(line)![1]);
      t.is(await page(port, '/api/v1/namespaces/default/services/web/proxy/cgi-bin/index.cgi'), 'Hello from web\n', what);
      t.regex(await page(port, '/api/v1/namespaces'), /"kind": ?"NamespaceList"/, what);
    } finally {
      proxy.kill('SIGTERM');
    }
    t.regex(await cluster.with(kubectl, ['cluster-info', 'dump']), /==== START logs for container main of pod default\/web ====/, what);
  }
});
