/** The official JavaScript client, less trodden paths: bookmarks, leases, any kind with any patch, attaching and copying. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import {
  ApiException, Attach, CoordinationV1Api, CoreV1Api, Cp, KubeConfig, KubernetesObjectApi, loadAllYaml, PatchStrategy, V1MicroTime, Watch,
  type KubernetesObject, type V1ConfigMap, type V1Service,
} from '@kubernetes/client-node';
import test from 'ava';
import { E2eCluster, ensureImages, within } from '../helpers/e2e.ts';

const namespace = 'default';

const configOf = (cluster: E2eCluster): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  return config;
};

const reasonOf = async (call: Promise<unknown>): Promise<unknown> => {
  const error = await call.then(() => undefined, (caught: unknown) => caught);
  assert.ok(error instanceof ApiException, 'the call did not fail');
  const body: unknown = error.body;
  return (typeof body === 'string' ? JSON.parse(body) as { readonly reason: string } : body as { readonly reason: string }).reason;
};

test('bookmarks, leases, and every patch of any kind', async (t) => {
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const config = configOf(cluster);
  const core = config.makeApiClient(CoreV1Api);

  // A watch of one name, while others are written: shortly before its end a bookmark says that it has seen them all.
  const before = await core.listNamespacedConfigMap({ namespace });
  const told: (readonly [phase: string, name: string | undefined, version: number])[] = [];
  const ended = Promise.withResolvers<unknown>();
  await new Watch(config).watch(`/api/v1/namespaces/${namespace}/configmaps`, {
    allowWatchBookmarks: true, resourceVersion: before.metadata!.resourceVersion!, fieldSelector: 'metadata.name=watched', timeoutSeconds: 5,
  }, (phase, object: V1ConfigMap) => void told.push([phase, object.metadata?.name, Number(object.metadata?.resourceVersion)]), ended.resolve);
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'watched' } } });
  const other = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'other' } } });
  t.falsy(await ended.promise);
  t.deepEqual(told.map(([phase, name]) => [phase, name]), [['ADDED', 'watched'], ['BOOKMARK', undefined]]);
  t.true(told[1]![2] >= Number(other.metadata!.resourceVersion));

  // What a leader election does: whoever replaces the version that it read holds the lease; the other learns that it lost.
  const leases = config.makeApiClient(CoordinationV1Api);
  const renewTime = new V1MicroTime('2024-01-02T03:04:05.678Z');
  await leases.createNamespacedLease({ namespace, body: { metadata: { name: 'leader' }, spec: { leaseDurationSeconds: 15 } } });
  const free = await leases.readNamespacedLease({ namespace, name: 'leader' });
  const takes = (holderIdentity: string): Promise<string> =>
    leases.replaceNamespacedLease({ namespace, name: 'leader', body: { ...free, spec: { ...free.spec, holderIdentity, renewTime } } }).then(() => holderIdentity, () => 'lost');
  const outcome = await Promise.all(['a', 'b', 'c'].map(takes));
  t.is(outcome.filter((one) => one === 'lost').length, 2);
  const held = await leases.readNamespacedLease({ namespace, name: 'leader' });
  t.is(held.spec!.holderIdentity, outcome.find((one) => one !== 'lost'));
  t.is(new Date(String(held.spec!.renewTime)).getTime(), renewTime.getTime());

  // Whatever a manifest says, by the API of any kind.
  const objects = KubernetesObjectApi.makeApiClient(config);
  const manifest = loadAllYaml('apiVersion: v1\nkind: Namespace\nmetadata: {name: made}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: made}\nspec: {selector: {app: web}, ports: [{name: http, port: 80}]}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\nrules: [{apiGroups: [""], resources: [pods], verbs: [get]}]\n') as KubernetesObject[];
  for (const one of manifest) await objects.create(one);
  const header = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'made' } };
  const patched = (body: object, strategy: PatchStrategy, fieldManager?: string): Promise<V1Service> =>
    objects.patch<V1Service>({ ...header, ...body } as V1Service, undefined, undefined, fieldManager, undefined, strategy);
  const ports = (service: V1Service): readonly (string | undefined)[] => service.spec!.ports!.map(({ name }) => name).toSorted();
  t.deepEqual(ports(await patched({ spec: { ports: [{ name: 'more', port: 81 }] } }, PatchStrategy.StrategicMergePatch)), ['http', 'more'], 'strategic: by key');
  t.deepEqual(ports(await patched({ spec: { ports: [{ name: 'only', port: 82 }] } }, PatchStrategy.MergePatch)), ['only'], 'merge: as a whole');
  const applied = await patched({ metadata: { ...header.metadata, labels: { by: 'applier' } } }, PatchStrategy.ServerSideApply, 'applier');
  t.deepEqual([applied.metadata!.labels, applied.spec!.selector], [{ by: 'applier' }, { app: 'web' }], 'apply: beside what others wrote');
  // A selector belongs to one manager as a whole.
  t.is(await reasonOf(patched({ spec: { selector: { tier: 'front' } } }, PatchStrategy.ServerSideApply, 'applier')), 'Conflict');
  t.is((await objects.list('rbac.authorization.k8s.io/v1', 'ClusterRole')).items.filter(({ metadata }) => metadata?.name === 'reader').length, 1);
  for (const one of manifest.toReversed()) await objects.delete(one);
  await within(60, async () => assert.equal(await reasonOf(objects.read({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'made' } })), 'NotFound'));
});

test('attach gives and takes, and folders are copied both ways', async (t) => {
  await ensureImages();
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const config = configOf(cluster);
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedPod({ namespace, body: { metadata: { name: 'echo' }, spec: { terminationGracePeriodSeconds: 0, containers: [
    { name: 'main', image: 'barge/hello:1', stdin: true, command: ['sh', '-c', 'while read x; do echo "got $x"; done'] },
  ] } } });
  await within(60, async () => assert.equal((await core.readNamespacedPod({ namespace, name: 'echo' })).status?.phase, 'Running'));
  let said = '';
  const out = new Writable({ write: (part: Buffer, _, done) => { said += part.toString(); done(); } });
  const input = new PassThrough();
  const socket = await new Attach(config).attach(namespace, 'echo', 'main', out, null, input, false);
  input.write('one\n');
  await within(60, () => assert.equal(said, 'got one\n'), 20);
  input.write('two\n');
  await within(60, () => assert.equal(said, 'got one\ngot two\n'), 20);
  socket.close();

  const [from, to] = [join(cluster.dataDir, 'from'), join(cluster.dataDir, 'to')];
  await mkdir(join(from, 'deep'), { recursive: true });
  await writeFile(join(from, 'deep/file'), 'copied\n');
  const copy = new Cp(config);
  await copy.cpToPod(namespace, 'echo', 'main', from, '/tmp');
  await within(60, async () => {
    await copy.cpFromPod(namespace, 'echo', 'main', 'deep', to, '/tmp');
    await within(60, async () => assert.equal(await readFile(join(to, 'deep/file'), 'utf8'), 'copied\n'), 50);
  });
  t.pass();
});
