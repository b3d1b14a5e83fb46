// Namespaces, garbage and nodes, against a real API server in this process.
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import type { ControllersOptions } from '../../controllers/component.ts';
import type { PropagationPolicy, Transport } from '../../schemas/api.ts';
import { createBuiltinAuthorizer } from '../../apiserver/authorization/builtin-grants.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { ServiceAccount } from '../../schemas/kinds/core/service-account.ts';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';
import { testApi } from '../helpers/api.ts';
import { controllersUser, rest, startControllers, until } from '../helpers/control-plane.ts';
import { SimulatedNodes, type SimulatedNodesOptions } from '../helpers/simulated-node.ts';
import { template } from '../helpers/workloads.ts';

const cluster = async (t: ExecutionContext, options: Partial<ControllersOptions> & { readonly nodes?: Partial<SimulatedNodesOptions> } = {}) => {
  const { nodes: simulated, ...rest } = options;
  const api = await testApi({ authorizer: createBuiltinAuthorizer() });
  const over = new AbortController();
  const nodes = simulated === undefined ? undefined : new SimulatedNodes({ transport: api.transport, clock: api.clock, names: ['n1', 'n2', 'n3'], ...simulated });
  const running = nodes?.run(over.signal);
  const controllers = await startControllers(api, rest);
  t.teardown(async () => {
    await controllers.stop();
    over.abort();
    await running;
    await api.close();
  });
  return { ...api, nodes, maps: api.client.of(ConfigMap), pods: async () => (await api.client.of(Pod).list()).items };
};

const deploy = (replicas: number, spec: Partial<Deployment['spec']['template']['spec']> = {}) => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: { ...template('v1'), spec: { ...template('v1').spec, ...spec } } },
});

test('a new namespace has its ServiceAccount and the CA, and gets them back', async (t) => {
  const { client, clock, maps } = await cluster(t);
  await client.of(Namespace).create({ metadata: { name: 'shop' } });
  const ca = { namespace: 'shop', name: 'kube-root-ca.crt' };
  const both = () => until(clock, async () => {
    assert.notEqual(await client.of(ServiceAccount).find({ namespace: 'shop', name: 'default' }), undefined);
    assert.deepEqual((await maps.find(ca))?.data, { 'ca.crt': 'the CA' });
  });
  await both();
  await client.of(ServiceAccount).delete({ namespace: 'shop', name: 'default' });
  await maps.modify(ca, (draft) => void (draft.data = { 'ca.crt': 'forged', more: 'x' }));
  await both();
  await maps.delete(ca);
  await both();
  t.pass();
});

test('a namespace goes with all that is in it, pods first, and nothing of it is left', async (t) => {
  const { client, clock, maps, pods, transport } = await cluster(t, { nodes: { stopMs: 3_000 } });
  await client.of(Namespace).create({ metadata: { name: 'shop' } });
  const base = deploy(2);
  await client.of(Deployment).create({ ...base, metadata: { ...base.metadata, namespace: 'shop' } });
  await maps.create({ metadata: { name: 'settings', namespace: 'shop' } });
  await until(clock, async () => assert.equal((await pods()).filter(({ status }) => status?.phase === 'Running').length, 2));
  await client.of(Namespace).delete({ name: 'shop' });
  const conditions = async () => (await client.of(Namespace).get({ name: 'shop' })).status?.conditions;
  await until(clock, async () => {
    const said = (await conditions())?.find(({ type }) => type === 'NamespaceContentRemaining');
    assert.equal(said?.status, 'True');
    assert.match(said.message ?? '', /pods has 2 resource instances/);
  });
  t.not(await maps.find({ namespace: 'shop', name: 'settings' }), undefined, 'what the pods use stays while they stop');
  await until(clock, async () => assert.equal(await client.of(Namespace).find({ name: 'shop' }), undefined));
  for (const resource of ['pods', 'configmaps', 'serviceaccounts', 'events', 'endpoints']) {
    const { body } = await transport.send({ verb: 'list', group: '', version: 'v1', resource, namespace: 'shop' });
    t.deepEqual('items' in body ? body.items : undefined, [], resource);
  }
});

test('a namespace waits for a finalizer and says for which', async (t) => {
  const { client, clock, maps } = await cluster(t);
  await client.of(Namespace).create({ metadata: { name: 'shop' } });
  await maps.create({ metadata: { name: 'held', namespace: 'shop', finalizers: ['example.com/hold'] } });
  await client.of(Namespace).delete({ name: 'shop' });
  await until(clock, async () => {
    const { status } = await client.of(Namespace).get({ name: 'shop' });
    assert.equal(status?.phase, 'Terminating');
    assert.match(status?.conditions?.find(({ type }) => type === 'NamespaceFinalizersRemaining')?.message ?? '', /example\.com\/hold in 1 resource instances/);
  });
  await maps.modify({ namespace: 'shop', name: 'held' }, (draft) => void (draft.metadata.finalizers = []));
  const beforeMs = clock.now();
  await until(clock, async () => assert.equal(await client.of(Namespace).find({ name: 'shop' }), undefined));
  t.is(clock.now(), beforeMs, 'by the event, not by asking again and again');
});

interface Owner { readonly metadata: { readonly name?: string | undefined; readonly uid?: string | undefined } }
const owning = (owner: Owner, more: Partial<OwnerReference> = {}): OwnerReference => ({ apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name!, uid: owner.metadata.uid!, blockOwnerDeletion: true, ...more });

/** a <- b <- c: each owns the next. */
const chain = async (maps: Awaited<ReturnType<typeof cluster>>['maps'], held = false) => {
  const a = await maps.create({ metadata: { name: 'a', namespace: 'default' } });
  const b = await maps.create({ metadata: { name: 'b', namespace: 'default', ownerReferences: [owning(a)] } });
  const c = await maps.create({ metadata: { name: 'c', namespace: 'default', ownerReferences: [owning(b)], ...(held ? { finalizers: ['example.com/hold'] } : {}) } });
  return [a, b, c] as const;
};

for (const [policy, left] of [['Background', []], ['Foreground', []], ['Orphan', ['b', 'c']]] as const satisfies readonly (readonly [PropagationPolicy, readonly string[]])[]) {
  test(`garbage: deleting with ${policy} leaves ${left.join(' and ') || 'nothing'}`, async (t) => {
    const { clock, maps } = await cluster(t);
    await chain(maps);
    await rest();
    await maps.delete({ namespace: 'default', name: 'a' }, { propagationPolicy: policy });
    const names = async () => (await maps.list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name).filter((name) => name!.length === 1);
    await until(clock, async () => assert.deepEqual(await names(), left));
    await rest();
    t.deepEqual(await names(), [...left]);
    if (policy === 'Orphan') t.is((await maps.get({ namespace: 'default', name: 'b' })).metadata.ownerReferences, undefined);
  });
}

test('garbage: in the foreground an owner stays until the last of its dependents is gone', async (t) => {
  const { clock, maps } = await cluster(t);
  await chain(maps, true);
  await rest();
  await maps.delete({ namespace: 'default', name: 'a' }, { propagationPolicy: 'Foreground' });
  await until(clock, async () => assert.notEqual((await maps.get({ namespace: 'default', name: 'c' })).metadata.deletionTimestamp, undefined));
  await clock.advance(30_000);
  for (const name of ['a', 'b']) t.deepEqual((await maps.get({ namespace: 'default', name })).metadata.finalizers, ['foregroundDeletion']);
  await maps.modify({ namespace: 'default', name: 'c' }, (draft) => void (draft.metadata.finalizers = []));
  await until(clock, async () => assert.equal(await maps.find({ namespace: 'default', name: 'a' }), undefined));
});

test('garbage: with several owners an object stays until the last is gone', async (t) => {
  const { clock, maps } = await cluster(t);
  const [one, two] = [await maps.create({ metadata: { name: 'one', namespace: 'default' } }), await maps.create({ metadata: { name: 'two', namespace: 'default' } })];
  const key = { namespace: 'default', name: 'shared' };
  await maps.create({ metadata: { ...key, ownerReferences: [owning(one), owning(two)] } });
  await maps.delete({ namespace: 'default', name: 'one' }, { propagationPolicy: 'Background' });
  await until(clock, async () => assert.deepEqual((await maps.get(key)).metadata.ownerReferences?.map(({ name }) => name), ['two']));
  await maps.delete({ namespace: 'default', name: 'two' }, { propagationPolicy: 'Background' });
  await until(clock, async () => assert.equal(await maps.find(key), undefined));
  t.pass();
});

test('garbage: circles do not hang, an owner of another name space or UID owns nothing, an unknown kind keeps', async (t) => {
  const { client, clock, maps } = await cluster(t);
  const [a] = await chain(maps);
  const c = await maps.get({ namespace: 'default', name: 'c' });
  await maps.modify({ namespace: 'default', name: 'a' }, (draft) => void (draft.metadata.ownerReferences = [owning(c)]));
  await client.of(Secret).create({ metadata: { name: 'stray', namespace: 'default', ownerReferences: [owning(a, { uid: 'long-gone' })] } });
  await client.of(Secret).create({ metadata: { name: 'elsewhere', namespace: 'kube-system', ownerReferences: [owning(a)] } });
  await client.of(Secret).create({ metadata: { name: 'unknown', namespace: 'default', ownerReferences: [{ apiVersion: 'example.com/v1', kind: 'Robot', name: 'r', uid: 'r' }] } });
  await until(clock, async () => assert.deepEqual((await client.of(Secret).list()).items.map(({ metadata }) => metadata.name), ['unknown']));
  await rest();
  await maps.delete({ namespace: 'default', name: 'a' }, { propagationPolicy: 'Foreground' });
  await until(clock, async () => assert.deepEqual((await maps.list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name).filter((name) => name!.length === 1), []));
  t.pass();
});

test('garbage: an object of a namespace can be owned by one of the cluster', async (t) => {
  const { client, clock, maps } = await cluster(t);
  const node = await client.of(Node).create({ metadata: { name: 'n9' } });
  const key = { namespace: 'default', name: 'of-node' };
  await maps.create({ metadata: { ...key, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n9', uid: node.metadata.uid! }] } });
  await clock.advance(1_000);
  t.not(await maps.find(key), undefined);
  await client.of(Node).delete({ name: 'n9' });
  await until(clock, async () => assert.equal(await maps.find(key), undefined));
});

test('a node that falls silent: NotReady, tainted, its pods not ready and then replaced elsewhere; back again, all is taken back', async (t) => {
  const { client, clock, nodes, pods } = await cluster(t, { nodes: {}, nodeMonitorGraceMs: 40_000 });
  await client.of(Deployment).create(deploy(3, { tolerations: [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }] }));
  const spread = async () => (await pods()).filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')).map(({ spec }) => spec.nodeName).sort();
  await until(clock, async () => assert.deepEqual(await spread(), ['n1', 'n2', 'n3']));
  nodes!.kill('n2');
  const n2 = () => client.of(Node).get({ name: 'n2' });
  const ready = async () => (await n2()).status?.conditions?.find(({ type }) => type === 'Ready');
  await clock.advance(25_000);
  t.is((await ready())?.status, 'True', 'a little silence is no loss');
  await until(clock, async () => assert.partialDeepStrictEqual(await ready(), { status: 'Unknown', reason: 'NodeStatusUnknown' }), 30_000);
  const lostMs = clock.now();
  await until(clock, async () => {
    assert.deepEqual((await n2()).spec?.taints?.map(({ key, effect }) => [key, effect]), [['node.kubernetes.io/unreachable', 'NoSchedule'], ['node.kubernetes.io/unreachable', 'NoExecute']]);
    assert.deepEqual(await spread(), ['n1', 'n3'], 'its pod counts as not ready');
  });
  await clock.advance(50_000);
  t.true((await pods()).every(({ metadata }) => metadata.deletionTimestamp === undefined), 'its pods have their time');
  await until(clock, async () => assert.equal((await spread()).length, 3), 30_000);
  t.true(clock.now() - lostMs >= 58_000);
  const gone = (await pods()).find(({ metadata }) => metadata.deletionTimestamp !== undefined);
  t.is(gone?.spec.nodeName, 'n2');
  t.is(gone?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason, 'DeletionByTaintManager');
  await nodes!.revive('n2');
  await until(clock, async () => {
    assert.deepEqual((await n2()).spec?.taints ?? [], []);
    assert.equal((await pods()).length, 3);
  });
});

test('a node whose silence is only its leases contradicts what is said of its pods, and is answered now and then, not each time', async (t) => {
  const { client, clock, nodes, pods } = await cluster(t, { nodes: {} });
  await client.of(Deployment).create(deploy(3, { tolerations: [{ operator: 'Exists' }] }));
  const readiness = async () => (await pods()).filter(({ spec }) => spec.nodeName === 'n2').map(({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status);
  await until(clock, async () => assert.deepEqual(await readiness(), ['True']));
  nodes!.kill('n2');
  let contradicted = 0;
  const over = new AbortController();
  const speaking = (async () => {
    for await (const events of client.of(Pod).watch({ namespace: 'default' }, over.signal)) {
      for (const { type, object } of events) {
        if (type === 'BOOKMARK') continue;
        const { metadata, spec, status } = object;
        if (type !== 'MODIFIED' || spec.nodeName !== 'n2' || status?.conditions?.find((one) => one.type === 'Ready')?.status !== 'False') continue;
        contradicted++;
        await client.of(Pod).modifyStatus({ namespace: 'default', name: metadata.name! }, (draft) => {
          for (const one of draft.status?.conditions ?? []) if (one.type === 'Ready') one.status = 'True';
        });
      }
    }
  })();
  t.teardown(async () => {
    over.abort();
    await speaking;
  });
  await until(clock, () => assert.ok(contradicted > 0), 30_000);
  // The clock stands: one who answers at once would do so for ever.
  await rest(40);
  t.is(contradicted, 1);
  await until(clock, () => assert.equal(contradicted, 2), 6_000);
});

test('pods of a lost node run elsewhere within 25 s of its last word, by default', async (t) => {
  const { client, clock, nodes, pods } = await cluster(t, { nodes: {} });
  await client.of(Deployment).create(deploy(3));
  const running = async () => (await pods()).filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')).map(({ spec }) => spec.nodeName).sort();
  await until(clock, async () => assert.deepEqual(await running(), ['n1', 'n2', 'n3']));
  await clock.advance(7_000);
  nodes!.kill('n2');
  const lostMs = clock.now();
  await until(clock, async () => {
    assert.equal((await running()).length, 3);
    assert.equal((await running()).includes('n2'), false);
  }, 30_000);
  const tookMs = clock.now() - lostMs;
  t.true(tookMs <= 25_000 && tookMs >= 15_000, `${tookMs} ms`);
  t.is((await client.of(Node).get({ name: 'n1' })).metadata.annotations?.['node.alpha.kubernetes.io/ttl'], '0');
});

test('lost nodes of a zone are given up one in 10 s; none while most of a small zone is lost, and another zone does not wait', async (t) => {
  const names = ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2'];
  const labels = Object.fromEntries(names.map((name) => [name, { 'topology.kubernetes.io/zone': name[0]! }]));
  const { client, clock, nodes } = await cluster(t, { nodes: { names, labels } });
  const left = async () => (await client.of(Node).list()).items.filter(({ spec }) => spec?.taints?.some(({ effect }) => effect === 'NoExecute')).map(({ metadata }) => metadata.name).sort().join(' ');
  await clock.advance(11_000);
  for (const name of ['a1', 'a2', 'b1']) nodes!.kill(name);
  await until(clock, async () => assert.equal((await left()).split(' ').length, 2), 20_000);
  t.regex(await left(), /^a[12] b1$/);
  await until(clock, async () => assert.equal(await left(), 'a1 a2 b1'), 11_000);
  for (const name of ['a3', 'a4']) nodes!.kill(name);
  await clock.advance(60_000);
  t.regex(await left(), /^a1 a2( a3| a4)? b1$/, 'four of five are many: at most the first of them was given up before that was known');
  await nodes!.revive('a1');
  await nodes!.revive('a2');
  await until(clock, async () => assert.equal(await left(), 'a3 a4 b1'), 40_000);
});

test('when every node falls silent nothing is evicted', async (t) => {
  const { client, clock, nodes, pods } = await cluster(t, { nodes: {} });
  await client.of(Deployment).create(deploy(3, { tolerations: [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] }));
  await until(clock, async () => assert.equal((await pods()).filter(({ status }) => status?.phase === 'Running').length, 3));
  for (const name of ['n1', 'n2', 'n3']) nodes!.kill(name);
  await clock.advance(120_000);
  await until(clock, async () => {
    for (const node of (await client.of(Node).list()).items) assert.deepEqual(node.spec?.taints?.map(({ effect }) => effect), ['NoSchedule']);
  });
  t.deepEqual((await pods()).map(({ metadata }) => metadata.deletionTimestamp), [undefined, undefined, undefined]);
  await nodes!.revive('n1');
  await until(clock, async () => assert.equal((await pods()).filter(({ metadata }) => metadata.deletionTimestamp !== undefined).length, 2), 60_000);
});

test('pods of a node whose object is gone are removed after a while, and replaced', async (t) => {
  const { client, clock, nodes, pods } = await cluster(t, { nodes: {} });
  await client.of(Deployment).create(deploy(3));
  await until(clock, async () => assert.equal((await pods()).filter(({ status }) => status?.phase === 'Running').length, 3));
  nodes!.kill('n3');
  await client.of(Node).delete({ name: 'n3' });
  await clock.advance(30_000);
  t.true((await pods()).some(({ spec }) => spec.nodeName === 'n3'));
  await until(clock, async () => {
    const now = await pods();
    assert.equal(now.length, 3);
    assert.equal(now.some(({ spec }) => spec.nodeName === 'n3'), false);
  }, 30_000);
});

test('pods that are to leave a node out of service are removed at once, and their claims with them', async (t) => {
  const { client, clock, nodes, pods } = await cluster(t, { nodes: {} });
  const claims = client.of(PersistentVolumeClaim);
  const claim = { namespace: 'default', name: 'data' };
  await claims.create({ metadata: claim, spec: { accessModes: ['ReadWriteOncePod'], resources: { requests: { storage: '1Gi' } } } });
  await client.of(Deployment).create(deploy(3, { tolerations: [{ operator: 'Exists', key: 'node.kubernetes.io/unreachable' }], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }));
  await until(clock, async () => assert.equal((await pods()).filter(({ status }) => status?.phase === 'Running').length, 3));
  await claims.delete(claim);
  nodes!.kill('n2');
  const stuck = (await pods()).find(({ spec }) => spec.nodeName === 'n2');
  const taints = [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' as const }];
  await client.of(Node).modify({ name: 'n2' }, (draft) => void (draft.spec = { ...draft.spec, taints }));
  const left = async () => (await pods()).find(({ metadata }) => metadata.uid === stuck!.metadata.uid);
  await until(clock, async () => assert.ok((await left())?.metadata.deletionTimestamp));
  await clock.advance(5_000);
  t.truthy(await left(), 'a node that says it is ready stops its pods itself');
  await until(clock, async () => assert.equal(await left(), undefined), 30_000);
  await until(clock, async () => assert.equal((await pods()).filter(({ spec, status }) => spec.nodeName !== 'n2' && status?.phase === 'Running').length, 3));
  t.truthy(await claims.find(claim), 'pods that run use it');
  await client.of(Deployment).delete({ namespace: 'default', name: 'web' });
  await until(clock, async () => assert.equal(await claims.find(claim), undefined));
});

test('ended pods beyond the bound are removed', async (t) => {
  const { client, clock, pods } = await cluster(t, { terminatedPodBound: 2, nodes: { outcome: () => 'failed' } });
  for (const name of ['a', 'b', 'c', 'd']) {
    await client.of(Pod).create({ metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'v1' }] } });
    await clock.advance(2_000);
  }
  await until(clock, async () => assert.deepEqual((await pods()).map(({ metadata }) => metadata.name), ['c', 'd']));
  t.pass();
});

test('nodes get address ranges, never one twice; a cordoned node says so by a taint', async (t) => {
  const { client, clock } = await cluster(t, { clusterCidr: '10.244.0.0/22' });
  const nodes = client.of(Node);
  const ranges = async () => (await nodes.list()).items.map(({ spec }) => spec?.podCIDR);
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => nodes.create({ metadata: { name } })));
  await until(clock, async () => assert.equal((await ranges()).filter((range) => range !== undefined).length, 4));
  t.is(new Set(await ranges()).size, 5, 'four ranges and one node without');
  const first = (await nodes.list()).items.find(({ spec }) => spec?.podCIDR !== undefined);
  t.deepEqual(first!.spec?.podCIDRs, [first!.spec!.podCIDR!]);
  const beforeMs = clock.now();
  await nodes.delete({ name: first!.metadata.name! });
  await until(clock, async () => assert.equal(new Set(await ranges()).size, 4));
  t.false((await ranges()).includes(undefined));
  t.is(clock.now(), beforeMs, 'the range that came free was given at once');
  const [other] = (await nodes.list()).items;
  await nodes.modify({ name: other!.metadata.name! }, (draft) => void (draft.spec = { ...draft.spec, unschedulable: true }));
  await until(clock, async () => assert.ok((await nodes.get({ name: other!.metadata.name! })).spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/unschedulable')));
});

test('a cluster range that is none is refused at once', async (t) => {
  const api = await testApi();
  await t.throwsAsync(startControllers(api, { clusterCidr: 'nonsense' }), { message: /"nonsense" is not an IPv4 range/ });
  await api.close();
});

test('a cluster at rest asks the server for nothing', async (t) => {
  const api = await testApi();
  const { client, clock } = api;
  const over = new AbortController();
  const running = new SimulatedNodes({ transport: api.transport, clock, names: ['n1', 'n2'] }).run(over.signal);
  const asked: string[] = [];
  const own = api.core.as(controllersUser);
  const transport: Transport = {
    send: (request, signal) => {
      asked.push(`${request.verb} ${request.resource}`);
      return own.send(request, signal);
    },
    watch: (request, signal) => own.watch(request, signal),
  };
  const controllers = await startControllers(api, { transport });
  await client.of(Deployment).create(deploy(3));
  await until(clock, async () => assert.equal((await client.of(Pod).list()).items.filter(({ status }) => status?.phase === 'Running').length, 3));
  await clock.advance(1_000);
  t.true(asked.length > 10);
  asked.length = 0;
  await clock.advance(240_000);
  t.deepEqual(asked, []);
  await controllers.stop();
  over.abort();
  await running;
  await api.close();
});
