/** Images of a registry that asks who wants them: Debian's docker-registry on loopback, with users and passwords. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { docker, E2eCluster, ensureImages, kubectlOf, must, run, within } from '../../helpers/e2e.ts';

const user = 'puller';
const password = 'pull-it';
/** bcrypt of the password, which the registry takes alone: `htpasswd -nbB puller pull-it`. */
const htpasswd = 'puller:$2y$04$MtrCQ8VwmnBA431NM9t93.j.GZ9HsfnqlI11IWp1Q9CgWTwa.Fd16';

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** The registry's address, once it answers, and a folder with the settings of a client that may use it. */
const registry = async (t: ExecutionContext): Promise<{ readonly address: string; readonly config: string }> => {
  const dir = await mkdtemp(join(tmpdir(), 'barge-registry-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const address = `127.0.0.1:${await freePort()}`;
  await writeFile(join(dir, 'htpasswd'), `${htpasswd}\n`);
  await writeFile(join(dir, 'config.yml'), `
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: ${dir}/images}}
http: {addr: ${address}}
auth: {htpasswd: {realm: test, path: ${dir}/htpasswd}}
`);
  const child = spawn('docker-registry', ['serve', join(dir, 'config.yml')], { stdio: 'ignore' });
  t.teardown(() => { child.kill('SIGKILL'); });
  await within(60, async () => assert.equal((await fetch(`http://${address}/v2/`)).status, 401));
  const config = join(dir, 'client');
  await mkdir(config);
  await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [address]: { auth: Buffer.from(`${user}:${password}`).toString('base64') } } }));
  for (const name of ['one', 'two', 'three']) {
    // An image of its own: one that is on the node under another name is not the agent's to remove.
    await must('docker', ['build', '--quiet', '--tag', `${address}/team/${name}:1`, '-'], { input: `FROM barge/hello:1\nLABEL team=${name}-${process.pid}\n` });
    await docker('--config', config, 'push', '--quiet', `${address}/team/${name}:1`);
    await docker('rmi', `${address}/team/${name}:1`);
  }
  t.teardown(async () => {
    for (const name of ['one', 'two', 'three']) await run('docker', ['rmi', '-f', `${address}/team/${name}:1`]);
  });
  return { address, config };
};

const pod = (name: string, image: string, extra: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec: {terminationGracePeriodSeconds: 1, containers: [{name: main, image: "${image}"}], ${extra}}
`;

test('pull secrets of pods and service accounts; without one the pod waits, says why, and starts when it is there; images go when the disk is full', async (t) => {
  await ensureImages();
  const { address, config } = await registry(t);
  // Its disk counts as full: what nothing uses goes with the next look, which is at the start.
  let cluster = await E2eCluster.start({ args: ['--image-gc-high-threshold', '1', '--image-gc-low-threshold', '0', '--minimum-image-ttl-duration', '0s'] });
  t.teardown(() => cluster.remove());
  const kubectl = await kubectlOf(20);
  const k = (...args: readonly string[]): Promise<string> => cluster.with(kubectl, args);
  const apply = (manifest: string): Promise<string> => cluster.with(kubectl, ['apply', '-f', '-'], { input: manifest });
  const credentials = ['--docker-server', address, '--docker-username', user];
  const waits = (name: string): Promise<string> => k('get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].state.waiting.reason} {.status.containerStatuses[0].state.waiting.message}');

  await k('create', 'secret', 'docker-registry', 'wrong', ...credentials, '--docker-password', 'guessed');
  await apply(pod('early', `${address}/team/one:1`, 'imagePullSecrets: [{name: later}]') + `---${pod('refused', `${address}/team/three:1`, 'imagePullSecrets: [{name: wrong}]')}`);
  for (const name of ['early', 'refused']) await within(120, async () => assert.match(await waits(name), /^ImagePullBackOff Back-off pulling image .*(no basic auth credentials|unauthorized)/));
  const events = await k('get', 'events', '-o', 'jsonpath={range .items[*]}{.involvedObject.name} {.reason}{"\\n"}{end}');
  for (const line of ['early FailedToRetrieveImagePullSecret', 'early Failed', 'early BackOff', 'refused BackOff']) t.regex(events, new RegExp(`^${line}$`, 'm'));

  await k('create', 'secret', 'docker-registry', 'later', ...credentials, '--docker-password', password);
  await k('wait', '--for=condition=Ready', 'pod/early', '--timeout=180s');

  // The old form, by way of the service account.
  const old = Buffer.from(JSON.stringify({ [address]: { username: user, password } })).toString('base64');
  await apply(`
apiVersion: v1
kind: Secret
metadata: {name: legacy}
type: kubernetes.io/dockercfg
data: {.dockercfg: ${old}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: shipper}
imagePullSecrets: [{name: legacy}]
`);
  await apply(pod('shipped', `${address}/team/two:1`, 'serviceAccountName: shipper'));
  await k('wait', '--for=condition=Ready', 'pod/shipped', '--timeout=180s');
  t.is(await k('get', 'pod', 'refused', '-o', 'jsonpath={.status.phase}'), 'Pending');

  // The image of a pod that is gone goes, also when the agent was away meanwhile; those of others stay.
  await docker('--config', config, 'pull', '--quiet', `${address}/team/three:1`);
  await k('delete', 'pod', 'shipped', 'refused', '--timeout=120s');
  await cluster.end();
  cluster = await cluster.again();
  const here = (): Promise<string> => docker('images', '--format', '{{.Repository}}:{{.Tag}}');
  await within(120, async () => assert.doesNotMatch(await here(), /team\/two:1/));
  for (const image of [`${address}/team/one:1`, `${address}/team/three:1`, 'barge/hello:1', 'barge/pause:1']) t.regex(await here(), new RegExp(`^${image}$`, 'm'));
  await within(60, async () => assert.match(await k('get', 'events', '--field-selector', 'involvedObject.kind=Node', '-o', 'jsonpath={.items[*].reason}'), /FreeDiskSpaceFailed/));
});
