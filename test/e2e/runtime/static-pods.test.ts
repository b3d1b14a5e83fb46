/** Pods of a folder of the node, on a real engine and with kubectl. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { containers, E2eCluster, ensureImages, kubectls, within } from '../../helpers/e2e.ts';

const manifest = (command: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: own, labels: {app: own}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "barge/hello:1", command: [sh, -c, "${command}"]}]
`;

test('a pod of a file runs, is shown and can be spoken to; it outlives its mirror, a drain and the agent, and goes with its file', async (t) => {
  await ensureImages();
  const folder = await mkdtemp(join(tmpdir(), 'barge-static-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const manifests = join(folder, 'manifests');
  await mkdir(manifests);
  await writeFile(join(manifests, 'own.yaml'), manifest('echo hello from a file; exec sleep 3600'));
  await writeFile(join(manifests, 'bad.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {containers: [{name: main, image: x, envFrom: [{secretRef: {name: s}}]}]}\n');
  let cluster = await E2eCluster.start({ args: ['--pod-manifest-path', manifests, '--node-name', 'n1'] });
  t.teardown(() => cluster.remove());
  for (const [minor, kubectl] of await kubectls()) {
    const k = (...args: readonly string[]): Promise<string> => cluster.with(kubectl, args);
    await k('wait', '--for=condition=Ready', 'pod/own-n1', '--timeout=120s');
    await within(60, async () => assert.equal(await k('logs', 'own-n1'), 'hello from a file\n', `kubectl 1.${minor}`));
    t.is(await k('exec', 'own-n1', '--', 'sh', '-c', 'echo $HOSTNAME'), 'own-n1\n', `kubectl 1.${minor}`);
  }
  const kubectl = [...(await kubectls()).values()].at(-1)!;
  const k = (...args: readonly string[]): Promise<string> => cluster.with(kubectl, args);
  const uid = (): Promise<string> => k('get', 'pod', 'own-n1', '-o', 'jsonpath={.metadata.uid}');
  const engine = (): Promise<readonly string[]> => containers('--filter', 'name=barge_main_own-n1_');
  const ids = await engine();
  t.is(ids.length, 1);
  await within(60, async () => assert.match(await k('get', 'events', '-o', 'jsonpath={.items[*].message}'), /bad\.yaml: spec\.containers\[0\]\.envFrom\[0\]\.secretRef: static pods may not reference secrets/));
  await within(60, async () => assert.match(await k('describe', 'pod', 'own-n1'), /Started container main/));
  await within(60, async () => assert.match(await cluster.barge('describe', 'pod', 'own-n1'), /Started container main/));

  const first = await uid();
  await k('delete', 'pod', 'own-n1', '--wait=false');
  await within(60, async () => assert.notEqual(await uid(), first));
  await k('wait', '--for=condition=Ready', 'pod/own-n1', '--timeout=120s');
  await k('drain', 'n1', '--timeout=60s');
  t.deepEqual(await engine(), ids, 'the container is the same');

  await cluster.end();
  t.deepEqual(await engine(), ids);
  cluster = await cluster.again();
  await k('wait', '--for=condition=Ready', 'pod/own-n1', '--timeout=120s');
  t.deepEqual(await engine(), ids, 'adopted');
  t.is(await k('get', 'pod', 'own-n1', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'), '0');

  await writeFile(join(manifests, 'own.yaml'), manifest('echo hello again; exec sleep 3600'));
  await within(120, async () => assert.equal(await k('logs', 'own-n1'), 'hello again\n'));
  await within(60, async () => assert.equal((await engine()).length, 1));
  t.notDeepEqual(await engine(), ids);
  await rm(join(manifests, 'own.yaml'));
  await within(120, async () => assert.deepEqual(await engine(), []));
  await within(60, async () => assert.equal(await k('get', 'pods', '-o', 'name'), ''));
});
