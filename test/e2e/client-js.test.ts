/** The official JavaScript client, as a program would use it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ADD, ApiException, AppsV1Api, CoreV1Api, DELETE, ERROR, Exec, KubeConfig, KubernetesObjectApi, Log, makeInformer, PatchStrategy,
  PortForward, setHeaderOptions, UPDATE, Watch, type V1ConfigMap, type V1Deployment, type V1Status,
} from '@kubernetes/client-node';
import test from 'ava';
import { E2eCluster, ensureImages, within } from '../helpers/e2e.ts';

const namespace = 'default';

const configOf = (cluster: E2eCluster): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  return config;
};

const deployment = (name: string, replicas: number): V1Deployment => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace, labels: { app: name } },
  spec: {
    replicas, selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image: 'barge/hello:1', ports: [{ containerPort: 8080 }] }] } },
  },
});

const configMap = (name: string, data: Record<string, string>, labels: Record<string, string> = {}): V1ConfigMap =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, data });

/** The Status of a call that must fail. */
const failure = async (call: Promise<unknown>): Promise<V1Status> => {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ApiException, String(error));
    const body: unknown = error.body;
    const status = (typeof body === 'string' ? JSON.parse(body) : body) as V1Status;
    assert.equal(status.kind, 'Status');
    assert.equal(status.code, error.code);
    return status;
  }
  throw new Error('the call did not fail');
};

/** Collects what a stream is given. */
const collector = (): { readonly stream: Writable; readonly said: () => string } => {
  let said = '';
  return { stream: new Writable({ write: (part: Buffer, _, done) => { said += part.toString(); done(); } }), said: () => said };
};

test('objects are listed, written, patched and deleted, and errors are Statuses', async (t) => {
  const cluster = await E2eCluster.start({ args: ['--runtime', 'simulated'] });
  t.teardown(() => cluster.remove());
  const config = configOf(cluster);
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);

  const made = await core.createNamespacedConfigMap({ namespace, body: configMap('a', { one: '1' }, { set: 'js' }) });
  t.true(made.metadata?.creationTimestamp instanceof Date);
  t.is(Math.abs(Date.now() - made.metadata!.creationTimestamp!.getTime()) < 60_000, true);
  t.deepEqual((await core.readNamespacedConfigMap({ namespace, name: 'a' })).data, { one: '1' });
  const replaced = await core.replaceNamespacedConfigMap({ namespace, name: 'a', body: { ...made, data: { two: '2' } } });
  t.deepEqual(replaced.data, { two: '2' });
  const conflict = await failure(core.replaceNamespacedConfigMap({ namespace, name: 'a', body: made }));
  t.is(conflict.code, 409);
  t.is(conflict.reason, 'Conflict');
  t.is((await failure(core.createNamespacedConfigMap({ namespace, body: configMap('a', {}) }))).reason, 'AlreadyExists');
  t.is((await failure(core.readNamespacedConfigMap({ namespace, name: 'nobody' }))).message, 'configmaps "nobody" not found');
  const invalid = await failure(apps.createNamespacedDeployment({ namespace, body: deployment('Bad_Name', -1) }));
  t.is(invalid.reason, 'Invalid');
  t.true(invalid.details!.causes!.some((cause) => cause.field === 'spec.replicas'), JSON.stringify(invalid));

  const patched = async (strategy: PatchStrategy, body: object): Promise<V1Deployment> =>
    apps.patchNamespacedDeployment({ namespace, name: 'web', body }, setHeaderOptions('Content-Type', strategy));
  await apps.createNamespacedDeployment({ namespace, body: deployment('web', 1) });
  t.is((await patched(PatchStrategy.JsonPatch, [{ op: 'replace', path: '/spec/replicas', value: 2 }])).spec!.replicas, 2);
  t.is((await patched(PatchStrategy.MergePatch, { metadata: { labels: { tier: 'front' } } })).metadata!.labels!['tier'], 'front');
  const containers = (await patched(PatchStrategy.StrategicMergePatch, { spec: { template: { spec: { containers: [{ name: 'side', image: 'barge/hello:1' }] } } } })).spec!.template.spec!.containers;
  t.deepEqual(containers.map(({ name }) => name).sort(), ['side', 'web']);
  const scale = await apps.patchNamespacedDeploymentScale({ namespace, name: 'web', body: { spec: { replicas: 3 } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
  t.is(scale.spec!.replicas, 3);
  await within(60, async () => assert.equal((await apps.readNamespacedDeployment({ namespace, name: 'web' })).status?.availableReplicas, 3));

  const apply = (fieldManager: string, data: Record<string, string>): Promise<V1ConfigMap> => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data };
    return core.patchNamespacedConfigMap({ namespace, name: 'applied', fieldManager, body }, setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply));
  };
  t.deepEqual((await apply('js', { a: '1', b: '2' })).data, { a: '1', b: '2' });
  const taken = await failure(apply('other', { a: 'mine' }));
  t.is(taken.reason, 'Conflict');
  t.deepEqual(taken.details!.causes!.map(({ reason, field }) => [reason, field]), [['FieldManagerConflict', '.data.a']]);
  t.deepEqual((await apply('js', { a: '1' })).data, { a: '1' });

  await core.createNamespacedConfigMap({ namespace, body: configMap('b', {}, { set: 'js' }) });
  await core.createNamespacedConfigMap({ namespace, body: configMap('c', {}) });
  const page = await core.listNamespacedConfigMap({ namespace, labelSelector: 'set=js', limit: 1 });
  t.deepEqual(page.items.map((item) => item.metadata!.name), ['a']);
  const rest = await core.listNamespacedConfigMap({ namespace, labelSelector: 'set=js', limit: 1, _continue: page.metadata!._continue! });
  t.deepEqual(rest.items.map((item) => item.metadata!.name), ['b']);
  t.is(rest.metadata!._continue, undefined);

  t.deepEqual((await core.listNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name=c' })).items.length, 1);
  t.is((await core.deleteNamespacedConfigMap({ namespace, name: 'c', dryRun: 'All', gracePeriodSeconds: 0 })).status, 'Success');
  t.is((await core.readNamespacedConfigMap({ namespace, name: 'c' })).metadata!.name, 'c');
  const stale = await failure(core.deleteNamespacedConfigMap({ namespace, name: 'c', body: { preconditions: { uid: 'another' } } }));
  t.is(stale.reason, 'Conflict');
  await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'set=js' });
  const names = (await core.listNamespacedConfigMap({ namespace })).items.map((item) => item.metadata!.name!);
  t.true(names.includes('c') && !names.includes('a') && !names.includes('b'), names.join());

  // The options of a delete are in the query: the ReplicaSet stays when its Deployment goes as an orphan's owner.
  await apps.deleteNamespacedDeployment({ namespace, name: 'web', propagationPolicy: 'Orphan' });
  await within(60, async () => assert.equal((await failure(apps.readNamespacedDeployment({ namespace, name: 'web' }))).code, 404));
  const left = (await apps.listNamespacedReplicaSet({ namespace, labelSelector: 'app=web' })).items;
  t.true(left.length > 0 && left.every((one) => (one.metadata!.ownerReferences ?? []).length === 0));
  await Promise.all(left.map((one) => apps.deleteNamespacedReplicaSet({ namespace, name: one.metadata!.name!, propagationPolicy: 'Foreground', gracePeriodSeconds: 0 })));
  await within(60, async () => assert.equal((await core.listNamespacedPod({ namespace, labelSelector: 'app=web' })).items.length, 0));
});

test('the object API finds the resource of any kind', async (t) => {
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const objects = KubernetesObjectApi.makeApiClient(configOf(cluster));
  const header = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'generic', namespace } };
  await objects.create(deployment('generic', 1));
  t.is((await objects.read<V1Deployment>(header)).spec!.replicas, 1);
  t.is((await objects.patch<V1Deployment>({ ...header, spec: { replicas: 2 } } as V1Deployment)).spec!.replicas, 2);
  t.is((await objects.patch<V1Deployment>({ ...header, spec: { replicas: 4 } } as V1Deployment, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)).spec!.replicas, 4);
  await within(60, async () => {
    const current = await objects.read<V1Deployment>(header);
    assert.equal((await objects.replace<V1Deployment>({ ...current, spec: { ...current.spec!, replicas: 5 } })).spec!.replicas, 5);
  });
  t.is((await objects.list('apps/v1', 'Deployment', namespace)).items.length, 1);
  t.is((await objects.list('v1', 'Namespace')).items.some((item) => item.metadata?.name === 'kube-system'), true);
  await objects.delete(header, undefined, undefined, 0, undefined, 'Background');
  t.is((await failure(objects.read(header))).reason, 'NotFound');
});

test('a watch streams changes at once, and an informer lives through a restart of the server', async (t) => {
  const first = await E2eCluster.start({ args: ['--no-agent'] });
  let cluster = first;
  t.teardown(() => cluster.remove());
  const listen = /https:\/\/(\S+)/.exec(first.readyLine)![1]!;
  const config = configOf(first);
  const core = config.makeApiClient(CoreV1Api);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;

  const phases: string[] = [];
  const ended = Promise.withResolvers<unknown>();
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  const watch = await new Watch(config).watch(path, { resourceVersion: metadata!.resourceVersion!, labelSelector: 'seen=yes' },
    (phase, object: V1ConfigMap) => void phases.push(`${phase} ${object.metadata!.name}`), ended.resolve);
  await core.createNamespacedConfigMap({ namespace, body: configMap('w', {}, { seen: 'yes' }) });
  await core.replaceNamespacedConfigMap({ namespace, name: 'w', body: configMap('w', { a: 'b' }, { seen: 'yes' }) });
  await core.replaceNamespacedConfigMap({ namespace, name: 'w', body: configMap('w', { a: 'b' }, { seen: 'no' }) });
  await within(60, () => assert.deepEqual(phases, ['ADDED w', 'MODIFIED w', 'DELETED w']), 20);
  watch.abort();
  await ended.promise;

  let lists = 0;
  const list = (): ReturnType<typeof core.listNamespacedConfigMap> => {
    lists++;
    return core.listNamespacedConfigMap({ namespace, labelSelector: 'set=informed' });
  };
  const informer = makeInformer<V1ConfigMap>(config, path, list, 'set=informed');
  const told = new Map<string, number[]>();
  const errors: unknown[] = [];
  let stopped = false;
  for (const verb of [ADD, UPDATE] as const) {
    informer.on(verb, (object: V1ConfigMap) => {
      const name = object.metadata!.name!;
      told.set(name, [...(told.get(name) ?? []), Number(object.metadata!.resourceVersion)]);
    });
  }
  const deleted: string[] = [];
  informer.on(DELETE, (object: V1ConfigMap) => void deleted.push(object.metadata!.name!));
  // The client leaves starting again to its user.
  informer.on(ERROR, (error: unknown) => {
    errors.push(error);
    setTimeout(() => { if (!stopped) void informer.start(); }, 200);
  });
  await informer.start();
  t.teardown(() => { stopped = true; return informer.stop(); });
  const informed = (name: string, data: Record<string, string>): V1ConfigMap => configMap(name, data, { set: 'informed' });
  const agrees = async (): Promise<void> => {
    const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: 'set=informed' });
    const versions = (all: readonly V1ConfigMap[]): readonly string[] => all.map((one) => `${one.metadata!.name} ${one.metadata!.resourceVersion}`).sort();
    assert.deepEqual(versions(informer.list()), versions(items));
  };
  for (let at = 0; at < 20; at++) await core.createNamespacedConfigMap({ namespace, body: informed(`i${at}`, {}) });
  await within(60, agrees, 50);

  const restart = async (signal: NodeJS.Signals): Promise<void> => {
    await cluster.end(signal);
    cluster = await E2eCluster.start({ dataDir: first.dataDir, args: ['--no-agent', '--listen', listen] });
  };

  // Writes go on until the server ends and again once it is back; the informer comes back when it likes.
  const writing = (async () => {
    for (let at = 0; at < 200; at++) {
      const name = `i${at % 20}`;
      await core.replaceNamespacedConfigMap({ namespace, name, body: informed(name, { at: String(at) }) }).catch(() => delay(10));
    }
  })();
  await delay(30);
  await restart('SIGTERM');
  await writing;
  await core.deleteNamespacedConfigMap({ namespace, name: 'i0' });
  await within(60, agrees, 50);
  t.true(errors.length > 0, 'the informer never noticed that the server was away');

  // What was written between the informer's last word and the server's end is beyond the next server's history: 410, and a new list.
  stopped = true;
  await informer.stop();
  const listsBefore = lists;
  await core.deleteNamespacedConfigMap({ namespace, name: 'i1' });
  await core.replaceNamespacedConfigMap({ namespace, name: 'i2', body: informed('i2', { missed: 'yes' }) });
  await restart('SIGKILL');
  stopped = false;
  await informer.start();
  await within(60, agrees, 50);
  t.true(lists > listsBefore, 'the informer was not told to list again');
  await core.replaceNamespacedConfigMap({ namespace, name: 'i3', body: informed('i3', { live: 'again' }) });
  await within(60, () => assert.equal(informer.get('i3', namespace)?.data?.['live'], 'again'), 20);

  // No object went back in time, and none of its states was told twice.
  for (const [name, versions] of told) {
    t.deepEqual(versions, [...new Set(versions)].sort((a, b) => a - b), name);
  }
  t.deepEqual(deleted, ['i0', 'i1']);
});

test('exec, logs and port forwarding reach a container', async (t) => {
  await ensureImages();
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const config = configOf(cluster);
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedPod({ namespace, body: {
    metadata: { name: 'tools' },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'barge/hello:1', command: ['sh', '-c', 'echo begin; (sleep 3; echo later) & exec /bin/serve'], readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 } }] },
  } });
  await within(60, async () => {
    const pod = await core.readNamespacedPod({ namespace, name: 'tools' });
    assert.equal(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  });

  const exec = async (command: readonly string[], input?: string): Promise<{ readonly status: V1Status; readonly stdout: string; readonly stderr: string }> => {
    const out = collector();
    const problems = collector();
    const stdin = input === undefined ? null : new PassThrough();
    const done = Promise.withResolvers<V1Status>();
    await new Exec(config).exec(namespace, 'tools', 'main', [...command], out.stream, problems.stream, stdin, false, done.resolve);
    stdin?.end(input);
    return { status: await done.promise, stdout: out.said(), stderr: problems.said() };
  };
  const spoken = await exec(['sh', '-c', 'echo out; echo problem >&2; exit 7']);
  t.is(spoken.stdout, 'out\n');
  t.is(spoken.stderr, 'problem\n');
  t.is(spoken.status.reason, 'NonZeroExitCode');
  t.deepEqual(spoken.status.details!.causes!.map(({ reason, message }) => [reason, message]), [['ExitCode', '7']]);
  const echoed = await exec(['sh', '-c', 'read line; echo "got $line"'], 'through standard input\n');
  t.is(echoed.stdout, 'got through standard input\n');
  t.is(echoed.status.status, 'Success');
  t.is((await exec(['/no/such/program'])).status.status, 'Failure');

  t.is(await core.readNamespacedPodLog({ namespace, name: 'tools', tailLines: 1, limitBytes: 5 }).then((log) => log.slice(0, 1)), 'b');
  const followed = collector();
  const logEnded = once(followed.stream, 'finish');
  await new Log(config).log(namespace, 'tools', 'main', followed.stream, { follow: true, timestamps: false });
  await within(60, () => assert.match(followed.said(), /^begin\nlater\n/));
  await t.throwsAsync(new Log(config).log(namespace, 'tools', 'nobody', collector().stream), { instanceOf: ApiException });

  const output = new PassThrough();
  const input = new PassThrough();
  const socket = await new PortForward(config).portForward(namespace, 'tools', [8080], output, null, input);
  input.write('GET /cgi-bin/index.cgi HTTP/1.0\r\n\r\n');
  const answered = await Promise.race([once(output, 'data').then(([part]) => String(part)), delay(10_000, 'no answer')]);
  t.regex(answered, /^HTTP\/1\.[01] 200 OK/);
  (socket as { close(): void }).close();
  await core.deleteNamespacedPod({ namespace, name: 'tools', gracePeriodSeconds: 0 });
  t.not(await Promise.race([logEnded, delay(10_000, 'the log goes on after its container')]), 'the log goes on after its container');
});
