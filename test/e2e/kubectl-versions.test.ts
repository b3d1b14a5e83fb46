/** Every kubectl from 1.27 to 1.33 and the plain one: what differs between them is how they talk, so each says a little of everything. */
import assert from 'node:assert/strict';
import { access, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join, dirname } from 'node:path';
import test from 'ava';
import { docker, E2eCluster, ensureImages, forwarded, kubectls, run, within } from '../helpers/e2e.ts';

/** Those whose protocols differ, and which CI has: SPDY and OpenAPI v2; OpenAPI v3; protobuf bodies and WebSocket. */
const required = new Set([20, 29, 32]);
/** Port forwarding by SPDY (to 1.30) and by SPDY within WebSocket (from 1.31). */
const forwarding = new Set([20, 29, 30, 31, 33]);

/** The named ones, and those that lie beside them or beside the one on the PATH as kubectl.1.NN. */
const installed = async (): Promise<ReadonlyMap<number, string>> => {
  const found = new Map(await kubectls());
  const onPath = (await run('sh', ['-c', 'readlink -f "$(command -v kubectl)"'])).stdout.trim();
  for (const folder of new Set([...found.values(), onPath].filter((file) => file.includes('/')).map(dirname))) {
    for (let minor = 27; minor <= 33; minor++) {
      const file = join(folder, `kubectl.1.${minor}`);
      if (!found.has(minor) && await access(file).then(() => true, () => false)) found.set(minor, file);
    }
  }
  return found;
};

const deployment = (name: string): string => JSON.stringify({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name },
  spec: { replicas: 0, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image: 'barge/hello:1', ports: [{ containerPort: 8080 }] }] } } },
});

const page = (port: number): Promise<string> => new Promise((resolve, reject) => {
  get({ host: '127.0.0.1', port, path: '/cgi-bin/index.cgi', agent: false, signal: AbortSignal.timeout(5_000) }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (part: string) => { body += part; }).on('end', () => resolve(body)).on('error', reject);
  }).on('error', reject);
});

test('each kubectl reads, writes, runs commands and forwards ports', async (t) => {
  const programs = await installed();
  for (const minor of [20, 27, 28, 29, 30, 31, 32, 33].filter((one) => !programs.has(one))) {
    if (process.env['CI'] !== undefined && required.has(minor)) t.fail(`no kubectl 1.${minor}: name it in BARGE_TEST_KUBECTLS`);
    else t.log(`left out: no kubectl 1.${minor}`);
  }
  await ensureImages();
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  await cluster.barge('run', 'tools', '--image=barge/hello:1', '--port=8080', '--env=GREETING=Hello');
  await cluster.barge('wait', '--for=condition=Ready', 'pod/tools', '--timeout=60s');
  const local = join(cluster.dataDir, 'local.txt');
  await writeFile(local, 'a file to copy\n');

  for (const [minor, program] of [...programs].sort(([a], [b]) => a - b)) {
    const name = `v${minor}`;
    const say = async (args: readonly string[], expected: RegExp, input?: string): Promise<void> => {
      t.regex(await cluster.with(program, args, input === undefined ? {} : { input }), expected, `kubectl 1.${minor}: ${args.join(' ')}`);
    };
    const started = Date.now();
    await say(['apply', '-f', '-'], /deployment\.apps\/v\d+ created/, deployment(name));
    await say(['apply', '-f', '-'], /deployment\.apps\/v\d+ unchanged/, deployment(name));
    await say(['get', 'deployment', name], /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nv\d+ +0\/0 /);
    await say(['patch', 'deployment', name, '-p', '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"b"}]}]}}}}'], /patched/);
    await say(['get', 'deployment', name, '-o', 'jsonpath={.spec.template.spec.containers[*].env[0].value} {.spec.template.spec.containers[0].ports[0].containerPort}'], /^b 8080$/);
    // A generator: protobuf from 1.32 on.
    await say(['create', 'configmap', name, '--from-literal=from=generator'], /configmap\/v\d+ created/);
    await say(['get', 'configmap', name, '-o', 'jsonpath={.data.from}'], /^generator$/);
    await say(['create', 'service', 'clusterip', name, '--tcp=80:8080'], /service\/v\d+ created/);
    await say(['get', 'service', name, '-o', 'jsonpath={.spec.ports[0].targetPort} {.spec.selector.app}'], new RegExp(`^8080 ${name}$`));
    await say(['exec', 'tools', '--', 'sh', '-c', 'echo "$GREETING from exec"'], /^Hello from exec\n$/);
    await say(['exec', '-i', 'tools', '--', 'cat'], /^through standard input\n$/, 'through standard input\n');
    t.is((await cluster.try(program, ['exec', 'tools', '--', 'sh', '-c', 'exit 7'])).code, 7, `kubectl 1.${minor}: exit code of exec`);
    if (forwarding.has(minor)) {
      await forwarded(cluster, { program, target: 'pod/tools', port: 8080 }, async (port) => {
        t.deepEqual(await Promise.all([page(port), page(port)]), ['Hello from tools\n', 'Hello from tools\n'], `kubectl 1.${minor}: port-forward`);
      });
      await cluster.with(program, ['cp', local, `tools:/tmp/${name}`]);
      await cluster.with(program, ['cp', `tools:/tmp/${name}`, join(cluster.dataDir, name)]);
      t.is(await readFile(join(cluster.dataDir, name), 'utf8'), 'a file to copy\n', `kubectl 1.${minor}: cp`);
    }
    await say(['delete', `deployment/${name}`, `service/${name}`, `configmap/${name}`, '--timeout=60s'], /deployment\.apps "v\d+" deleted[\s\S]*configmap "v\d+" deleted/);
    t.log(`kubectl 1.${minor}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  await within(60, async () => assert.equal((await cluster.barge('get', 'deployments', '-o', 'name')).trim(), ''));
  t.true((await docker('ps', '--filter', 'label=barge.dev/pod-name=tools', '-q')).length > 0);
});
