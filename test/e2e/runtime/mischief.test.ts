/** What users do to pods behind barge's back, and what they leave open, on a real engine with a real client. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { containers, docker, E2eCluster, ensureImages, kubectlOf, within } from '../../helpers/e2e.ts';

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: words}
data: {word: one}
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: barge/hello:1
    command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 1 & wait; done']
    volumeMounts: [{name: words, mountPath: /word, subPath: word}]
  volumes: [{name: words, configMap: {name: words}}]
---
apiVersion: v1
kind: Pod
metadata: {name: deaf}
spec:
  terminationGracePeriodSeconds: 600
  containers: [{name: main, image: barge/hello:1, stdin: true, command: [sh, -c, 'trap "" TERM; while :; do sleep 1; done']}]
`;

const containersOf = (pod: string, type: 'container' | 'sandbox'): Promise<readonly string[]> =>
  containers('--filter', `name=^barge_[^_]*_${pod}_`, '--filter', `label=barge.dev/type=${type}`);

test('updated sub paths, ephemeral containers, sessions left open, and sandboxes that somebody removed', async (t) => {
  const kubectl = await kubectlOf(32);
  await ensureImages();
  let cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const k = (...args: readonly string[]): Promise<string> => cluster.with(kubectl, args);
  await cluster.with(kubectl, ['apply', '-f', '-'], { input: manifest });
  await k('wait', '--for=condition=Ready', 'pod/reader', 'pod/deaf', '--timeout=60s');

  // The file that the sub path was bound to is gone after an update; the next run gets the new one.
  await k('patch', 'configmap', 'words', '--type=merge', '-p', '{"data":{"word":"two"}}');
  await delay(1_000);
  await docker('kill', ...await containersOf('reader', 'container'));
  await within(60, async () => assert.equal(await k('exec', 'reader', '--', 'cat', '/word'), 'two'));

  await k('debug', 'reader', '--image=barge/hello:1', '--target=main', '-c', 'look', '--', 'sh', '-c', 'ps; exit 3');
  await within(60, async () => assert.equal(await k('get', 'pod', 'reader', '-o', 'jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}'), '3'));
  t.regex(await k('logs', 'reader', '-c', 'look'), / 1 .* sh -c trap/);

  // A session whose client is gone, and an engine that takes its time to stop a container, hold nothing up.
  const attached = spawn(kubectl, ['attach', '-i', 'deaf'], { env: { ...process.env, ...cluster.env }, stdio: ['pipe', 'ignore', 'ignore'] });
  attached.stdin.end('a line\n');
  await delay(1_000);
  attached.kill('SIGKILL');
  await k('delete', 'pod', 'deaf', '--wait=false');
  await delay(500);
  t.true(await cluster.end() < 5);

  // What runs without its sandbox is found when barge comes back, and goes.
  const [orphan] = await containersOf('reader', 'container');
  await docker('rm', '-f', ...await containersOf('reader', 'sandbox'));
  cluster = await cluster.again();
  await within(60, async () => {
    const now = await containersOf('reader', 'container');
    assert.equal(now.length, 1);
    assert.notEqual(now[0], orphan);
  });
  await k('delete', 'pod', 'deaf', '--grace-period=1', '--timeout=60s');
  assert.deepEqual(await containersOf('deaf', 'container'), []);
});
