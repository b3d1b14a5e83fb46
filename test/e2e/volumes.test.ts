/** Volumes as users have them: a database that keeps its data, folders that go with their claims, and what kubectl shows. */
import assert from 'node:assert/strict';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { E2eCluster, ensureEngine, ensureImages, kubectlOf, must, root, within } from '../helpers/e2e.ts';

const start = async (t: { teardown(fn: () => Promise<void>): void }) => {
  await ensureImages('barge/hello:2');
  const kubectl = await kubectlOf(32);
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const k = (...args: readonly string[]): Promise<string> => cluster.with(kubectl, args);
  return {
    cluster, kubectl, k, apply: (manifest: string) => cluster.with(kubectl, ['apply', '-f', '-'], { input: manifest }),
    path: async (claim: string): Promise<string> => {
      const volume = await k('get', 'pvc', claim, '-o', 'jsonpath={.spec.volumeName}');
      return k('get', 'pv', volume, '-o', 'jsonpath={.spec.local.path}');
    },
  };
};

const isThere = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

test('a StatefulSet of redis servers keeps its data through an update and the loss of a pod; deleted, its folders go', async (t) => {
  await ensureEngine();
  await must(join(root, 'examples/redis-image/build'), []);
  const { k, path } = await start(t);
  await k('apply', '-f', join(root, 'examples/volumes/redis.yaml'));
  await k('rollout', 'status', 'statefulset/redis', '--timeout=180s');
  const redis = async (pod: string, ...args: readonly string[]): Promise<string> => (await k('exec', pod, '--', 'redis-cli', ...args)).trim();
  for (const pod of ['redis-0', 'redis-1']) t.is(await redis(pod, 'SET', 'who', pod), 'OK');
  t.regex(await k('get', 'pvc'), /^NAME +STATUS +VOLUME +CAPACITY +ACCESS MODES +STORAGECLASS .*\ndata-redis-0 +Bound +pvc-\S+ +1Gi +RWO +local-path .*\ndata-redis-1 +Bound /);
  const [first, second] = [await path('data-redis-0'), await path('data-redis-1')];
  t.true((await readdir(first)).length > 0);

  // A rolling update: other pods, the same volumes.
  const before = await k('get', 'pods', '-l', 'app=redis', '-o', 'jsonpath={.items[*].metadata.uid}');
  await k('set', 'env', 'statefulset/redis', 'ROUND=2');
  await k('rollout', 'status', 'statefulset/redis', '--timeout=180s');
  const after = await k('get', 'pods', '-l', 'app=redis', '-o', 'jsonpath={.items[*].metadata.uid}');
  for (const uid of before.split(' ')) t.false(after.includes(uid));
  for (const pod of ['redis-0', 'redis-1']) t.is(await redis(pod, 'GET', 'who'), pod);

  // The loss of a pod, without a word of warning.
  await k('delete', 'pod', 'redis-0', '--grace-period=0', '--force');
  await k('wait', '--for=condition=Ready', 'pod/redis-0', '--timeout=60s').catch(() => undefined);
  await within(60, async () => assert.equal(await redis('redis-0', 'GET', 'who'), 'redis-0'));
  t.is(await path('data-redis-0'), first);

  // A smaller set, then none: claims, volumes and folders go as the policy says.
  await k('scale', 'statefulset/redis', '--replicas=1');
  await within(60, async () => assert.equal(await isThere(second), false));
  t.true(await isThere(first));
  await k('delete', 'statefulset', 'redis', '--timeout=60s');
  await within(60, async () => {
    assert.equal(await isThere(first), false);
    assert.equal((await k('get', 'pv,pvc', '--no-headers', '--ignore-not-found')).trim(), '');
  });
});

test('a claim: pending until a pod comes, kept while it is used, bigger on request, gone with its folder', async (t) => {
  const { k, cluster, kubectl, path } = await start(t);
  t.regex(await k('get', 'sc'), /\nlocal-path \(default\) +barge\.dev\/local-path +Delete +WaitForFirstConsumer +true /);
  const [claim, pod] = (await readFile(join(root, 'examples/volumes/claim.yaml'), 'utf8')).split('---\n');
  await cluster.with(kubectl, ['apply', '-f', '-'], { input: claim! });
  await within(60, async () => assert.match(await k('describe', 'pvc', 'notes'), /Status: +Pending\n[^]*WaitForFirstConsumer[^]*waiting for first consumer to be created before binding/));
  await cluster.with(kubectl, ['apply', '-f', '-'], { input: pod! });
  await k('wait', '--for=condition=Ready', 'pod/writer', '--timeout=60s');
  const folder = await path('notes');
  t.true(folder.startsWith(join(cluster.dataDir, '/')), folder);
  t.regex(await readFile(join(folder, 'log'), 'utf8'), /\d{4}\n$/);
  t.regex(await k('describe', 'pvc', 'notes'), /Used By: +writer\n[^]*ProvisioningSucceeded/);

  await k('patch', 'pvc', 'notes', '-p', '{"spec":{"resources":{"requests":{"storage":"200Mi"}}}}');
  await k('wait', '--for=jsonpath={.status.capacity.storage}=200Mi', 'pvc/notes', '--timeout=60s');
  const smaller = await cluster.try(kubectl, ['patch', 'pvc', 'notes', '-p', '{"spec":{"resources":{"requests":{"storage":"50Mi"}}}}']);
  t.not(smaller.code, 0);
  t.regex(smaller.stderr, /field can not be less than status\.capacity/);

  await k('delete', 'pvc', 'notes', '--wait=false');
  await within(60, async () => assert.match(await k('get', 'pvc', 'notes'), /\nnotes +Terminating /));
  t.true(await isThere(folder), 'its pod runs on');
  await k('delete', 'pod', 'writer', '--timeout=60s');
  await k('wait', '--for=delete', 'pvc/notes', '--timeout=60s');
  await within(60, async () => {
    assert.equal(await isThere(folder), false);
    assert.equal((await k('get', 'pv', '--no-headers', '--ignore-not-found')).trim(), '');
  });
});

test('a volume by hand is bound, shared by sub paths, read only where it is asked for, and kept', async (t) => {
  const { k, apply, cluster } = await start(t);
  const shared = join(cluster.dataDir, 'shared');
  await apply(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: shared}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteMany], storageClassName: manual, persistentVolumeReclaimPolicy: Retain, hostPath: {path: ${shared}, type: DirectoryOrCreate}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: shared}
spec: {accessModes: [ReadWriteMany], storageClassName: manual, resources: {requests: {storage: 500Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: job}
spec:
  restartPolicy: Never
  containers:
  - name: c
    image: barge/hello:1
    command: [sh, -c, 'echo one > /a/f && ! touch /b/x 2> /dev/null && cat /b/a/f && df /scratch > /dev/null && echo two > /scratch/f']
    volumeMounts: [{name: v, mountPath: /a, subPath: a}, {name: v, mountPath: /b, readOnly: true}, {name: scratch, mountPath: /scratch}]
  volumes:
  - {name: v, persistentVolumeClaim: {claimName: shared}}
  - name: scratch
    ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}}}
`);
  await k('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/job', '--timeout=60s');
  t.is(await k('logs', 'job'), 'one\n');
  t.is(await readFile(join(shared, 'a/f'), 'utf8'), 'one\n');
  t.regex(await k('get', 'pv', 'shared'), /\nshared +1Gi +RWX +Retain +Bound +default\/shared +manual /);
  t.regex(await k('get', 'pvc', 'job-scratch'), /\njob-scratch +Bound +pvc-/);
  await k('delete', 'pod', 'job', '--timeout=60s');
  await k('wait', '--for=delete', 'pvc/job-scratch', '--timeout=60s');
  await k('delete', 'pvc', 'shared', '--timeout=60s');
  await within(60, async () => assert.match(await k('get', 'pv', 'shared'), /\nshared +1Gi +RWX +Retain +Released +default\/shared +manual /));
  t.is(await readFile(join(shared, 'a/f'), 'utf8'), 'one\n');
});
