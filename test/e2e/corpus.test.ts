/** Real manifests, unmodified, with the oldest and a new kubectl. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { bargeBin, containers, corpus, E2eCluster, kubectlOf, within } from '../helpers/e2e.ts';
import { ensureStandIns, imagesIn } from '../helpers/stand-in.ts';

interface Listed { readonly items: readonly { readonly kind: string; readonly metadata: { readonly name: string }; readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } }[] }

const unavailable = async (cluster: E2eCluster, kubectl: string, namespace: string): Promise<readonly string[]> => {
  const list = JSON.parse(await cluster.with(kubectl, ['-n', namespace, 'get', 'deployments', '-o', 'json'])) as Listed;
  return list.items.filter((item) => !item.status?.conditions?.some((condition) => condition.type === 'Available' && condition.status === 'True')).map((item) => item.metadata.name);
};

/** GET by a plain TCP client inside a pod. */
const fetchFrom = (cluster: E2eCluster, kubectl: string, namespace: string, pod: string, host: string, path: string): Promise<string> =>
  cluster.with(kubectl, ['-n', namespace, 'exec', pod, '--', 'sh', '-c', `printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${host} 80`]);

const get = async (url: string): Promise<string> => (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text();

test('sock-shop: 29 objects, 14 Deployments, by name and by node port', async (t) => {
  const file = await corpus('sock-shop/kubernetes.yaml');
  if (file === undefined) {
    t.log('left out: the manifests are not beside this checkout');
    t.pass();
    return;
  }
  const [old, recent] = [await kubectlOf(20), await kubectlOf(32)];
  await ensureStandIns(await imagesIn([file]));
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const before = await containers('--all');

  const first = await cluster.with(old, ['apply', '-f', file]);
  const lines = first.trim().split('\n');
  t.is(lines.length, 29, first);
  t.true(lines.every((line) => line.endsWith(' created')), first);

  // The three slow probes wait 180 s by design.
  await within(260, async () => assert.deepEqual(await unavailable(cluster, old, 'sock-shop'), []), 2_000);
  const deployments = JSON.parse(await cluster.with(recent, ['-n', 'sock-shop', 'get', 'deploy', '-o', 'json'])) as Listed;
  t.is(deployments.items.length, 14);

  t.regex(await get('http://127.0.0.1:30001/'), /^front-end-/);
  const pod = (await cluster.with(recent, ['-n', 'sock-shop', 'get', 'pods', '-l', 'name=front-end', '-o', 'name'])).trim();
  for (const service of ['catalogue', 'carts', 'user']) {
    const answer = await within(60, async () => {
      const text = await fetchFrom(cluster, recent, 'sock-shop', pod, service, '/health');
      assert.match(text, /200 OK/);
      return text;
    });
    t.regex(answer, /ok\s*$/, service);
  }

  const again = await cluster.with(recent, ['apply', '-f', file]);
  t.is(again.trim().split('\n').filter((line) => line.endsWith(' unchanged')).length, 29, again);

  await cluster.with(recent, ['delete', 'namespace', 'sock-shop', '--timeout=120s']);
  const left = await cluster.with(recent, ['get', 'deploy,rs,pods,services,endpoints,endpointslices,configmaps,secrets,serviceaccounts,events', '-n', 'sock-shop', '-o', 'name']);
  t.is(left.trim(), '');
  await within(60, async () => assert.deepEqual(await containers('--all'), before), 500);

  const second = await cluster.with(recent, ['apply', '-f', file]);
  t.is(second.trim().split('\n').filter((line) => line.endsWith(' created')).length, 29, second);
  await cluster.with(old, ['delete', '-f', file, '--timeout=120s']);
  t.is((await cluster.try(recent, ['get', 'namespace', 'sock-shop'])).code, 1);
});

test('voting-app: likewise, with barge itself too', async (t) => {
  const file = await corpus('voting-app/kubernetes/vote-deployment.yaml');
  if (file === undefined) {
    t.log('left out: the manifests are not beside this checkout');
    t.pass();
    return;
  }
  const folder = dirname(file);
  const [old, recent] = [await kubectlOf(20), await kubectlOf(32)];
  await ensureStandIns(await imagesIn((await readdir(folder)).map((name) => join(folder, name))));
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());

  for (const kubectl of [old, recent, bargeBin]) {
    const applied = await cluster.with(kubectl, ['apply', '-f', folder]);
    t.is(applied.trim().split('\n').filter((line) => line.endsWith(' created')).length, 9, applied);
    await within(60, async () => assert.deepEqual(await unavailable(cluster, kubectl, 'default'), []), 500);
    t.regex(await within(60, () => get('http://127.0.0.1:31000/')), /^vote-/);
    t.regex(await within(60, () => get('http://127.0.0.1:31001/')), /^result-/);
    const vote = (await cluster.with(recent, ['get', 'pods', '-l', 'app=vote', '-o', 'name'])).trim();
    const redis = await cluster.with(recent, ['exec', vote, '--', 'sh', '-c', "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 redis 6379"]);
    t.regex(redis, /redis-/);
    await cluster.with(kubectl, ['delete', '-f', folder, '--timeout=120s']);
    await within(60, async () => assert.equal((await cluster.with(recent, ['get', 'pods', '-o', 'name'])).trim(), ''));
  }
});
