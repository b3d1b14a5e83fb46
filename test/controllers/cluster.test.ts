// Plans of the smaller controllers: namespaces, garbage, nodes, taints, address ranges, ended pods.
import test from 'ava';
import * as fc from 'fast-check';
import { OwnerGraph, type Item } from '../../controllers/garbage-collector/graph.ts';
import { planDependent, planOwner, type GarbageStep, type OwnerState } from '../../controllers/garbage-collector/plan.ts';
import { kindsToDelete, namespaceConditions } from '../../controllers/namespace/plan.ts';
import { freeSubnet, parseRange, rangeText, readRange, type Ipv4Range } from '../../controllers/node-ipam/plan.ts';
import { ttlSeconds } from '../../controllers/node-ttl/plan.ts';
import { planNode } from '../../controllers/node-lifecycle/plan.ts';
import { countZones, defaultRates, EvictionTurns, isEveryZoneGone, rateOf, stateOf } from '../../controllers/node-lifecycle/zones.ts';
import { isOutOfService, surplusPods } from '../../controllers/pod-garbage/plan.ts';
import { leavesAtMs } from '../../controllers/taint-eviction/plan.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { tolerates } from '../../schemas/tolerations.ts';
import type { Taint, Toleration } from '../../schemas/types/affinity.ts';
import type { ObjectMeta } from '../../schemas/types/object-meta.ts';
import { at, pod, startMs } from '../helpers/workloads.ts';

const node = (conditions: Readonly<Record<string, string>>, spec: Node['spec'] = {}, metadata: Partial<ObjectMeta> = {}): Node => ({
  apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'uid-n1', creationTimestamp: at(0), ...metadata }, spec,
  status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status, lastTransitionTime: at(0) })) },
});
const times = { graceMs: 40_000, startupGraceMs: 60_000, evicts: 'yes' } as const;
const planAt = (one: Node, seconds: number, aliveAt: number | undefined) =>
  planNode({ node: one, aliveAtMs: aliveAt === undefined ? undefined : startMs + aliveAt * 1000, nowMs: startMs + seconds * 1000, ...times });
const short = (taints: readonly Taint[] | undefined) => taints?.map(({ key, effect, timeAdded }) => `${key.replace('node.kubernetes.io/', '')}:${effect}${timeAdded === undefined ? '' : ` ${timeAdded}`}`);

test('a node that renews its lease is left as it is, until its grace ends', (t) => {
  t.deepEqual(planAt(node({ Ready: 'True' }), 30, 0), { conditions: undefined, taints: undefined, isReady: true, isLost: false, waitsForTurn: false, afterMs: 10_000 });
});

test('a node whose lease is old: its conditions are unknown, it is tainted', (t) => {
  const plan = planAt(node({ Ready: 'True', MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False', Own: 'True' }), 40, 0);
  t.true(plan.isLost);
  t.deepEqual(plan.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason ?? ''}`), [
    'Ready Unknown NodeStatusUnknown', 'MemoryPressure Unknown NodeStatusUnknown', 'DiskPressure Unknown NodeStatusUnknown', 'PIDPressure Unknown NodeStatusUnknown', 'Own True ',
  ]);
  t.is(plan.conditions?.[0]?.lastTransitionTime, at(40));
  t.is(plan.conditions?.[0]?.message, 'Kubelet stopped posting node status.');
  t.deepEqual(short(plan.taints), [`unreachable:NoSchedule ${at(40)}`, `unreachable:NoExecute ${at(40)}`]);
  const after = { ...node({}, { taints: plan.taints! }), status: { conditions: plan.conditions! } };
  t.like(planAt(after, 50, 0), { conditions: undefined, taints: undefined });
});

for (const [evicts, old, expected, waits] of [
  ['yes', [], ['NoSchedule', 'NoExecute'], false], ['no more', [], ['NoSchedule'], true], ['not at all', [], ['NoSchedule'], true],
  ['no more', ['not-ready'], ['NoSchedule', 'NoExecute'], false], ['no more', ['unreachable'], ['NoSchedule', 'NoExecute'], false], ['not at all', ['unreachable'], ['NoSchedule'], true],
] as const) {
  test(`a lost node whose pods may leave: ${evicts}, tainted before: ${old.join('') || 'no'}`, (t) => {
    const before = old.map((word): Taint => ({ key: `node.kubernetes.io/${word}`, effect: 'NoExecute', timeAdded: at(1) }));
    const one = node({ Ready: 'True' }, { taints: before });
    const plan = planNode({ node: one, aliveAtMs: startMs, nowMs: startMs + 50_000, ...times, evicts });
    const after = plan.taints ?? before;
    t.deepEqual(after.map(({ key, effect }) => `${key} ${effect}`).sort(), expected.map((effect) => `node.kubernetes.io/unreachable ${effect}`).sort());
    t.is(plan.waitsForTurn, waits);
  });
}

for (const [what, ready, notReady, state, rate] of [
  ['all well', 9, 0, 'normal', 0.1], ['one lost', 2, 1, 'normal', 0.1], ['two of three lost: too few to be many', 1, 2, 'normal', 0.1],
  ['many of a small zone', 2, 3, 'partial disruption', 0], ['many of a large zone', 20, 31, 'partial disruption', 0.01], ['not quite many', 46, 54, 'normal', 0.1],
  ['all of a zone', 0, 3, 'full disruption', 0.1],
] as const) {
  test(`a zone: ${what}`, (t) => {
    t.is(stateOf({ ready, notReady }, defaultRates), state);
    t.is(rateOf({ ready, notReady }, defaultRates), rate);
  });
}

test('nodes of a zone take turns, at the rate of the moment; zones do not wait for each other', (t) => {
  const turns = new EvictionTurns(defaultRates);
  const well = { ready: 9, notReady: 2 };
  t.is(turns.take('a', well, startMs), 0);
  t.is(turns.take('a', well, startMs + 1_000), 5_000, 'asks again while the rate may change');
  t.is(turns.take('b', well, startMs + 1_000), 0);
  t.is(turns.take('a', well, startMs + 8_000), 2_000);
  t.is(turns.take('a', well, startMs + 10_000), 0);
  t.is(turns.take('a', { ready: 1, notReady: 4 }, startMs + 99_000), 5_000);
  t.is(turns.take('a', well, startMs + 99_000), 0);
  turns.giveBack('a');
  t.is(turns.take('a', well, startMs + 99_000), 0);
  const zone = (labels: Readonly<Record<string, string>>, is: string) => node({ Ready: is }, {}, { labels });
  const zones = countZones([zone({}, 'True'), zone({ 'topology.kubernetes.io/zone': 'x' }, 'Unknown'), zone({ 'topology.kubernetes.io/zone': 'x' }, 'False')]);
  t.deepEqual([...zones.values()], [{ ready: 1, notReady: 0 }, { ready: 0, notReady: 2 }]);
  t.false(isEveryZoneGone(zones));
  t.true(isEveryZoneGone(countZones([node({ Ready: 'Unknown' }), node({ Ready: 'False' })])));
  t.false(isEveryZoneGone(countZones([node({ Ready: 'Unknown' })])), 'a cluster of one node has no choice');
});

for (const [nodes, before, expected] of [[1, 0, 0], [100, 0, 0], [101, 0, 15], [95, 15, 15], [89, 15, 0], [5_000, 0, 300], [9_500, 300, 300], [10_001, 300, 600], [3, 600, 0]] as const) {
  test(`nodes of a cluster of ${nodes} may trust their copies for ${expected} s, after ${before} s`, (t) => t.is(ttlSeconds(nodes, before), expected));
}

test('a node that never spoke has a minute', (t) => {
  t.like(planAt(node({}), 59, undefined), { conditions: undefined, afterMs: 1000 });
  t.is(planAt(node({}), 60, undefined).conditions?.[0]?.reason, 'NodeStatusNeverUpdated');
  t.deepEqual(short(planAt(node({}), 1, undefined).taints), [`not-ready:NoSchedule ${at(1)}`]);
});

for (const [what, conditions, spec, expected] of [
  ['not ready', { Ready: 'False' }, {}, [`not-ready:NoSchedule ${at(5)}`, `not-ready:NoExecute ${at(5)}`]],
  ['short of memory, disk and processes', { Ready: 'True', MemoryPressure: 'True', DiskPressure: 'True', PIDPressure: 'True', NetworkUnavailable: 'True' }, {}, [
    `memory-pressure:NoSchedule ${at(5)}`, `disk-pressure:NoSchedule ${at(5)}`, `pid-pressure:NoSchedule ${at(5)}`, `network-unavailable:NoSchedule ${at(5)}`]],
  ['cordoned', { Ready: 'True' }, { unschedulable: true }, [`unschedulable:NoSchedule ${at(5)}`]],
  ['back: its own taints go, others stay', { Ready: 'True' }, { taints: [{ key: 'mine', effect: 'NoExecute' }, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] }, ['mine:NoExecute']],
  ['from unreachable to not ready', { Ready: 'False' }, { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: at(1) }, { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: at(2) }] },
    [`not-ready:NoExecute ${at(2)}`, `not-ready:NoSchedule ${at(5)}`]],
] as const satisfies readonly (readonly [string, Readonly<Record<string, string>>, Node['spec'], readonly string[]])[]) {
  test(`taints of a node that is ${what}`, (t) => t.deepEqual(short(planAt(node(conditions, spec), 5, 0).taints), [...expected]));
}

const taint = (key: string, timeAdded?: number, value?: string): Taint => ({ key, effect: 'NoExecute', ...(timeAdded === undefined ? {} : { timeAdded: at(timeAdded) }), ...(value === undefined ? {} : { value }) });

for (const [toleration, one, expected] of [
  [{ operator: 'Exists' }, taint('a'), true], [{ key: 'a', operator: 'Exists' }, taint('a', 0, 'v'), true], [{ key: 'a' }, taint('a'), true],
  [{ key: 'a', value: 'v' }, taint('a', 0, 'v'), true], [{ key: 'a', operator: 'Equal', value: 'w' }, taint('a', 0, 'v'), false], [{ key: 'b', operator: 'Exists' }, taint('a'), false],
  [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }, taint('a'), false], [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }, taint('a'), true], [{ value: 'v' }, taint('a', 0, 'v'), false],
] as const satisfies readonly (readonly [Toleration, Taint, boolean])[]) {
  test(`${JSON.stringify(toleration)} tolerates ${JSON.stringify(one)}: ${expected}`, (t) => t.is(tolerates(toleration, one), expected));
}

for (const [what, tolerations, taints, expected] of [
  ['at once without a toleration', [], [taint('a', 10)], -startMs / 1000],
  ['never with a toleration that has no end', [{ operator: 'Exists' }], [taint('a', 10)], undefined],
  ['after its seconds', [{ key: 'a', operator: 'Exists', tolerationSeconds: 300 }], [taint('a', 10)], 310],
  ['after the shortest of several', [{ key: 'a', operator: 'Exists', tolerationSeconds: 300 }, { operator: 'Exists', tolerationSeconds: 20 }], [taint('a', 10)], 30],
  ['negative is at once', [{ key: 'a', operator: 'Exists', tolerationSeconds: -5 }], [taint('a', 10)], 10],
  ['after the first of several taints', [{ operator: 'Exists', tolerationSeconds: 100 }], [taint('a', 50), taint('b', 10)], 110],
  ['from when it was seen, when the taint does not say', [{ operator: 'Exists', tolerationSeconds: 100 }], [taint('a')], 105],
] as const satisfies readonly (readonly [string, readonly Toleration[], readonly Taint[], number | undefined])[]) {
  test(`a pod leaves ${what}`, (t) => {
    t.is(leavesAtMs(pod('p', { spec: { tolerations } }), taints, startMs + 5000), expected === undefined ? undefined : startMs + expected * 1000);
  });
}

test('a pod that came after the taint has its whole time', (t) => {
  const late = pod('p', { metadata: { creationTimestamp: at(1000) }, spec: { tolerations: [{ operator: 'Exists', tolerationSeconds: 100 }] } });
  t.is(leavesAtMs(late, [taint('a', 10)], startMs), startMs + 1_100_000);
});

test('address ranges are read, and refused with what would be right', (t) => {
  t.is(rangeText(parseRange('10.244.3.9/16')), '10.244.0.0/16');
  t.is(rangeText(parseRange('255.255.255.255/32')), '255.255.255.255/32');
  for (const text of ['', '10.0.0.0', '10.0.0/8', '10.0.0.0/33', '10.0.0.0/', 'fd00::/64', '10.0.0.0/8/8', '10.0.0.0/0x8']) {
    t.is(readRange(text), undefined, text);
    t.throws(() => parseRange(text), { message: /is not an IPv4 range such as/ });
  }
});

test('every node gets a range of its own until there is none, and one that is given back is used again', (t) => {
  const cluster = parseRange('10.244.0.0/22');
  const taken: Ipv4Range[] = [];
  for (const expected of ['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24', '10.244.3.0/24']) {
    const range = freeSubnet(cluster, 24, taken)!;
    t.is(rangeText(range), expected);
    taken.push(range);
  }
  t.is(freeSubnet(cluster, 24, taken), undefined);
  t.is(rangeText(freeSubnet(cluster, 24, taken.toSpliced(2, 1))!), '10.244.2.0/24');
});

test('a free range overlaps none that is taken, of whatever size', (t) => {
  const ranges = fc.array(fc.record({ first: fc.nat(1023), bits: fc.integer({ min: 22, max: 32 }) }), { maxLength: 8 });
  fc.assert(fc.property(ranges, (given) => {
    const cluster = parseRange('10.0.0.0/22');
    const taken = given.map(({ first, bits }) => parseRange(`10.0.${first >> 8}.${first & 255}/${bits}`));
    const free = freeSubnet(cluster, 24, taken);
    const overlaps = (a: Ipv4Range, b: Ipv4Range): boolean => a.first < b.first + 2 ** (32 - b.bits) && b.first < a.first + 2 ** (32 - a.bits);
    if (free !== undefined) t.false(taken.some((one) => overlaps(one, free)));
    else for (const third of [0, 1, 2, 3]) t.true(taken.some((one) => overlaps(one, parseRange(`10.0.${third}.0/24`))));
  }), { numRuns: 200 });
});

for (const [what, taints, conditions, expected] of [
  ['said to be off, and silent', [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }], { Ready: 'Unknown' }, true],
  ['said to be off, that never spoke', [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoSchedule' }], {}, true],
  ['said to be off, that is ready', [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }], { Ready: 'True' }, false],
  ['only silent', [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }], { Ready: 'Unknown' }, false],
] as const) {
  test(`out of service is a node ${what}: ${expected}`, (t) => t.is(isOutOfService(node(conditions, { taints })), expected));
}

test('ended pods beyond the bound: evicted ones, then the oldest', (t) => {
  const pods = [pod('new', { metadata: { creationTimestamp: at(9) } }), pod('old'), pod('evicted', { metadata: { creationTimestamp: at(9) }, status: { reason: 'Evicted' } })];
  t.deepEqual(surplusPods(pods, 3), []);
  t.deepEqual(surplusPods(pods, 1).map(({ metadata }) => metadata.name), ['evicted', 'old']);
});

const thing = (name: string, metadata: Partial<ObjectMeta> = {}): ApiObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'x', uid: name, ...metadata } });

test('a namespace: pods first, then the rest, nothing twice', (t) => {
  const content = (pods: readonly ApiObject[], maps: readonly ApiObject[]) => [{ kind: ConfigMap, objects: maps }, { kind: Pod, objects: pods }, { kind: Secret, objects: [] }];
  const going = thing('a', { deletionTimestamp: at(1) });
  t.deepEqual(kindsToDelete(content([thing('p')], [thing('m')])), [Pod]);
  t.deepEqual(kindsToDelete(content([going], [thing('m')])), []);
  t.deepEqual(kindsToDelete(content([], [thing('m'), going])), [ConfigMap]);
  t.deepEqual(kindsToDelete(content([], [])), []);
});

test('a namespace says what it waits for', (t) => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } };
  const left = [{ kind: ConfigMap, objects: [thing('a', { finalizers: ['example.com/keep'] }), thing('b', { finalizers: ['example.com/keep'] })] }, { kind: Pod, objects: [thing('p')] }];
  const said = (conditions: ReturnType<typeof namespaceConditions>) => conditions.map(({ type, status, reason, message }) => [type, status, reason, message]);
  t.deepEqual(said(namespaceConditions(namespace, left, [{ kind: Secret, message: 'no' }], startMs)), [
    ['NamespaceDeletionDiscoveryFailure', 'False', 'ResourcesDiscovered', 'All resources successfully discovered'],
    ['NamespaceDeletionGroupVersionParsingFailure', 'False', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    ['NamespaceDeletionContentFailure', 'True', 'ContentDeletionFailed', 'Failed to delete all resource types, 1 remaining: secrets: no'],
    ['NamespaceContentRemaining', 'True', 'SomeResourcesRemain', 'Some resources are remaining: configmaps has 2 resource instances, pods has 1 resource instances'],
    ['NamespaceFinalizersRemaining', 'True', 'SomeFinalizersRemain', 'Some content in the namespace has finalizers remaining: example.com/keep in 2 resource instances'],
  ]);
  t.deepEqual(said(namespaceConditions(namespace, [], [], startMs)).map(([, status]) => status), ['False', 'False', 'False', 'False', 'False']);
});

// Garbage: items are config maps, named by their UID.

interface Words { readonly owners?: readonly string[]; readonly going?: boolean; readonly finalizers?: readonly string[]; readonly blocking?: boolean }
const item = (uid: string, { owners = [], going = false, finalizers = [], blocking = true }: Words = {}): Item => ({
  kind: ConfigMap, object: thing(uid, {
    ownerReferences: owners.map((owner) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid: owner, blockOwnerDeletion: blocking })),
    finalizers, ...(going ? { deletionTimestamp: at(1) } : {}),
  }),
});
const toldSteps = (steps: readonly GarbageStep[]): readonly string[] => steps.map((step) => {
  const uid = step.item.object.metadata.uid;
  if (step.do === 'delete') return `delete ${uid} ${step.propagationPolicy}`;
  if (step.do === 'disown') return `disown ${uid} of ${step.uids.join(',')}`;
  return `${step.do} ${uid}`;
});
const waiting: Words = { going: true, finalizers: ['foregroundDeletion'] };

for (const [what, one, dependents, states, expected] of [
  ['stays with its owner', item('a', { owners: ['o'] }), [], { o: 'there' }, []],
  ['goes with its only owner', item('a', { owners: ['o'] }), [], { o: 'gone' }, ['delete a Background']],
  ['goes with the last of its owners', item('a', { owners: ['o', 'p'] }), [], { o: 'gone', p: 'gone' }, ['delete a Background']],
  ['loses the owner that is gone and stays with the other', item('a', { owners: ['o', 'p'] }), [], { o: 'gone', p: 'there' }, ['disown a of o']],
  ['loses an owner that only waits for it', item('a', { owners: ['o', 'p'] }), [], { o: 'waiting', p: 'there' }, ['disown a of o']],
  ['goes before an owner that waits', item('a', { owners: ['o'] }), [], { o: 'waiting' }, ['delete a Background']],
  ['and after its own dependents', item('a', { owners: ['o'] }), [item('b', { owners: ['a'] })], { o: 'waiting' }, ['delete a Foreground']],
  ['without waiting in a circle', item('a', { owners: ['o'] }), [item('o', { owners: ['a'], ...waiting })], { o: 'waiting' }, ['unblock a', 'delete a Foreground']],
  ['by the policy that its finalizers say', item('a', { owners: ['o'], finalizers: ['orphan'] }), [], { o: 'gone' }, ['delete a Orphan']],
  ['is on its way already', item('a', { owners: ['o'], going: true }), [], { o: 'gone' }, []],
] as const satisfies readonly (readonly [string, Item, readonly Item[], Readonly<Record<string, OwnerState>>, readonly string[]])[]) {
  test(`a dependent ${what}`, (t) => {
    t.deepEqual(toldSteps(planDependent(one, dependents, ({ uid }) => (states as Readonly<Record<string, OwnerState>>)[uid]!)), [...expected]);
  });
}

for (const [what, one, dependents, expected] of [
  ['that nobody keeps', item('o', { going: true }), [item('a', { owners: ['o'] })], []],
  ['in the foreground waits for those that block it', item('o', waiting), [item('a', { owners: ['o'] }), item('b', { owners: ['o'], going: true })], ['look a']],
  ['in the foreground does not wait for others', item('o', waiting), [item('a', { owners: ['o'], blocking: false })], ['look a', 'finish o']],
  ['in the foreground goes when it is alone', item('o', waiting), [], ['finish o']],
  ['with orphan lets its dependents go', item('o', { going: true, finalizers: ['orphan'] }), [item('a', { owners: ['o'] }), item('b', { owners: ['o'] })], ['disown a of o', 'disown b of o', 'finish o']],
] as const satisfies readonly (readonly [string, Item, readonly Item[], readonly string[]])[]) {
  test(`an owner that is deleted ${what}`, (t) => t.deepEqual(toldSteps(planOwner(one, dependents)), [...expected]));
}

test('the graph says who depends on whom, whatever comes and goes', (t) => {
  const change = fc.record({ uid: fc.nat(5), owners: fc.uniqueArray(fc.nat(5), { maxLength: 3 }), gone: fc.boolean() });
  fc.assert(fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
    const graph = new OwnerGraph();
    const truth = new Map<string, readonly string[]>();
    for (const { uid, owners, gone } of changes) {
      const name = String(uid);
      if (gone) {
        graph.delete(name);
        truth.delete(name);
      } else {
        graph.set(item(name, { owners: owners.map(String) }));
        truth.set(name, owners.map(String));
      }
    }
    t.is(graph.size, truth.size);
    for (const owner of ['0', '1', '2', '3', '4', '5']) {
      t.deepEqual(graph.dependents(owner).map(({ object }) => object.metadata.uid).sort(), [...truth].filter(([, owners]) => owners.includes(owner)).map(([uid]) => uid).sort());
    }
  }), { numRuns: 200 });
});
