import test from 'ava';
import * as fc from 'fast-check';
import { deletionCostAnnotation, inDeletionOrder } from '../../controllers/replica-set/deletion-order.ts';
import { slowStart } from '../../controllers/pod-control.ts';
import { planReplicaSet, replicaSetStatus } from '../../controllers/replica-set/plan.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { at, pod, replicaSet, startMs, type PodWords } from '../helpers/workloads.ts';

const hour = 3600;
const nowMs = startMs + hour * 1000;
const restarts = (restartCount: number) => ({ containerStatuses: [{ name: 'c', image: 'i', imageID: 'i', ready: true, restartCount }] });
const cost = (value: string) => ({ annotations: { [deletionCostAnnotation]: value } });

for (const [what, first, second] of [
  ['not bound to a node', { node: undefined, phase: 'Pending' }, { node: 'n1', phase: 'Pending' }],
  ['pending before unknown', { node: 'n1', phase: 'Pending' }, { node: 'n1', phase: 'Unknown' }],
  ['unknown before running', { node: 'n1', phase: 'Unknown' }, { node: 'n1' }],
  ['not ready', { node: 'n1' }, { node: 'n1', readySince: 10 }],
  ['of lower cost', { node: 'n1', readySince: 10, metadata: cost('-5') }, { node: 'n1', readySince: 10 }],
  ['a cost that is no number counts as 0', { node: 'n1', readySince: 10, metadata: cost('1e9') }, { node: 'n1', readySince: 10, metadata: cost('1') }],
  ['doubled up', { node: 'n2', readySince: 10 }, { node: 'n1', readySince: 10 }],
  ['ready for less time', { node: 'n1', readySince: hour - 5 }, { node: 'n1', readySince: 10 }],
  ['restarted more often', { node: 'n1', readySince: 10, status: restarts(3) }, { node: 'n1', readySince: 10, status: restarts(1) }],
  ['made later', { node: 'n1', readySince: 10, metadata: { creationTimestamp: at(hour - 5) } }, { node: 'n1', readySince: 10, metadata: { creationTimestamp: at(1) } }],
  ['readiness weighs more than cost', { node: 'n1', metadata: cost('100') }, { node: 'n1', readySince: 10, metadata: cost('-100') }],
] as const satisfies readonly (readonly [string, PodWords, PodWords])[]) {
  test(`deletion order: ${what}`, (t) => {
    const neighbour = pod('neighbour', { node: 'n2' });
    const go = pod('go', first);
    const stay = pod('stay', second);
    for (const given of [[go, stay], [stay, go]]) t.deepEqual(inDeletionOrder(given, [...given, neighbour], nowMs).map(({ metadata }) => metadata.name), ['go', 'stay']);
  });
}

test('deletion order: ready for about as long, the order is fixed and not by age', (t) => {
  const one = pod('b', { node: 'n1', readySince: 100 });
  const other = pod('a', { node: 'n1', readySince: 200 });
  t.deepEqual(inDeletionOrder([one, other], [], nowMs), [other, one]);
  t.deepEqual(inDeletionOrder([other, one], [], nowMs), [other, one]);
});

test('deletion order is a total order', (t) => {
  const words = fc.record({ node: fc.constantFrom(undefined, 'n1', 'n2'), phase: fc.constantFrom('Pending', 'Running'), readySince: fc.option(fc.nat(hour), { nil: undefined }), created: fc.nat(hour) });
  fc.assert(fc.property(fc.array(words, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (all, chance) => {
    const pods = all.map(({ created, readySince, ...one }, index) => pod(`p${index}`, { ...one, ...(readySince === undefined ? {} : { readySince }), metadata: { creationTimestamp: at(created) } }));
    const shuffled = pods.map((one) => ({ one, key: chance.next().value as number })).sort((a, b) => a.key - b.key).map(({ one }) => one);
    t.deepEqual(inDeletionOrder(shuffled, pods, nowMs), inDeletionOrder(pods, pods, nowMs));
  }), { numRuns: 100 });
});

test('slow start: 1, 2, 4, ... and never more than asked', (t) => {
  t.deepEqual(slowStart(0), []);
  t.deepEqual(slowStart(1), [1]);
  t.deepEqual(slowStart(10), [1, 2, 4, 3]);
});

const owned = (name: string, words: PodWords = {}, owner = 'uid-rs'): Pod =>
  pod(name, { ...words, metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: owner, controller: true }], ...words.metadata } });

const plan = (candidates: readonly Pod[], set: ReplicaSet = replicaSet('rs', { replicas: 3 }), leaving: readonly string[] = []) => {
  const { adopt, release, create, remove } = planReplicaSet({ replicaSet: set, candidates, related: candidates, leaving: new Set(leaving), nowMs });
  const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name);
  return { adopt: names(adopt), release: names(release), create, remove: names(remove) };
};
const nothing = { adopt: [], release: [], create: 0, remove: [] };

for (const [what, candidates, expected] of [
  ['pods that are missing are made', [owned('a')], { create: 2 }],
  ['enough is enough', [owned('a'), owned('b'), owned('c')], {}],
  ['an orphan that fits is adopted and counts', [owned('a'), owned('b'), pod('c')], { adopt: ['c'] }],
  ['an orphan that does not fit stays', [owned('a'), owned('b'), owned('c'), pod('d', { labels: { app: 'x' } })], {}],
  ['a pod that no longer fits is released and replaced', [owned('a'), owned('b'), owned('c', { labels: { app: 'x' } })], { release: ['c'], create: 1 }],
  ['the pod of another owner is left alone', [owned('a'), owned('b'), owned('c'), owned('d', {}, 'other')], {}],
  ['failed and succeeded pods are replaced', [owned('a'), owned('b', { phase: 'Failed' }), owned('c', { phase: 'Succeeded' })], { create: 2 }],
  ['a pod on its way out is replaced at once', [owned('a'), owned('b'), owned('c', { metadata: { deletionTimestamp: at(1) } })], { create: 1 }],
  ['too many: those go that serve least', [owned('a', { node: 'n', readySince: 1 }), owned('b', { node: 'n' }), owned('c', { node: 'n', readySince: 1 }), owned('d'), owned('e', { node: 'n', readySince: 1 })], { remove: ['d', 'b'] }],
] as const satisfies readonly (readonly [string, readonly Pod[], object])[]) {
  test(`plan: ${what}`, (t) => t.deepEqual(plan(candidates), { ...nothing, ...expected } as never));
}

test('plan: pods that nodes refused are made anew after 1 s, doubling to 5 minutes', (t) => {
  const refused = (count: number, agoMs: number): readonly Pod[] => Array.from({ length: count }, (_, index) =>
    owned(`r${index}`, { phase: 'Failed', status: { reason: 'UnsupportedPod' }, metadata: { creationTimestamp: at(hour - agoMs / 1000) } }));
  const next = (candidates: readonly Pod[]) => planReplicaSet({ replicaSet: replicaSet('rs', { replicas: 3 }), candidates, related: [], leaving: new Set(), nowMs });
  for (const [count, waitMs] of [[1, 1_000], [3, 1_000], [4, 2_000], [9, 4_000], [300, 300_000]] as const) {
    t.like(next(refused(count, 0)), { create: 0, afterMs: waitMs }, `${count} refused`);
    t.like(next(refused(count, waitMs)), { create: 3, afterMs: undefined }, `${count} refused, and waited for`);
  }
  t.is(next([owned('ran', { phase: 'Failed', status: { reason: 'Evicted', containerStatuses: [{ name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0 }] }, metadata: { creationTimestamp: at(hour) } })]).create, 3, 'a pod that ran was not refused');
});

test('plan: a ReplicaSet that is being deleted does nothing', (t) => {
  t.deepEqual(plan([pod('a')], replicaSet('rs', {}, { metadata: { deletionTimestamp: at(1) } })), nothing);
});

test('plan: a pod whose deletion is on its way is not deleted instead of another', (t) => {
  const pods = [owned('a'), owned('b'), owned('c'), owned('d')];
  t.deepEqual(plan(pods, undefined, ['uid-d']), nothing);
});

test('carrying a plan out and planning again gives an empty plan, and never more pods than asked', (t) => {
  const words = fc.record({ owner: fc.constantFrom('uid-rs', 'other', undefined), fits: fc.boolean(), phase: fc.constantFrom('Pending', 'Running', 'Failed'), going: fc.boolean() });
  fc.assert(fc.property(fc.array(words, { maxLength: 12 }), fc.nat(6), (all, replicas) => {
    const set = replicaSet('rs', { replicas });
    const pods = all.map(({ owner, fits, phase, going }, index) => {
      const more: PodWords = { phase, labels: { app: fits ? 'web' : 'x' }, metadata: going ? { deletionTimestamp: at(1) } : {} };
      return owner === undefined ? pod(`p${index}`, more) : owned(`p${index}`, more, owner);
    });
    const first = planReplicaSet({ replicaSet: set, candidates: pods, related: [], leaving: new Set(), nowMs });
    const after = [
      ...pods.filter((one) => !first.remove.includes(one) && !first.adopt.includes(one) && !first.release.includes(one)),
      ...first.adopt.filter((one) => !first.remove.includes(one)).map((one) => owned(one.metadata.name!, { phase: one.status!.phase! })),
      ...Array.from({ length: first.create }, (_, index) => owned(`new${index}`)),
    ];
    t.deepEqual(plan(after, set), nothing);
    const { status } = replicaSetStatus(set, after.filter((one) => one.metadata.ownerReferences?.[0]?.uid === 'uid-rs' && one.metadata.labels?.['app'] === 'web'), undefined, nowMs);
    t.is(status.replicas, replicas);
  }), { numRuns: 200 });
});

test('status counts, and says when a pod will be available', (t) => {
  const set = replicaSet('rs', { minReadySeconds: 10, template: { metadata: { labels: { app: 'web', more: 'x' } }, spec: { containers: [] } } }, { metadata: { generation: 7 } });
  const pods = [
    owned('a', { readySince: 3595, labels: { app: 'web', more: 'x' } }), owned('b', { readySince: 10 }), owned('c'),
    owned('d', { readySince: 1, metadata: { deletionTimestamp: at(2) } }), owned('e', { phase: 'Failed' }),
  ];
  t.deepEqual(replicaSetStatus(set, pods, undefined, nowMs), {
    status: { replicas: 3, fullyLabeledReplicas: 1, readyReplicas: 2, availableReplicas: 1, terminatingReplicas: 1, observedGeneration: 7 },
    afterMs: 5000,
  });
});

test('status tells of pods that could not be made, and stops when they can', (t) => {
  const failed = replicaSetStatus(replicaSet('rs'), [], { reason: 'FailedCreate', message: 'no' }, nowMs).status;
  t.deepEqual(failed.conditions, [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'no', lastTransitionTime: at(hour) }]);
  t.is(replicaSetStatus(replicaSet('rs', {}, { status: failed }), [], undefined, nowMs).status.conditions, undefined);
  const refused = (name: string, used: number) => ({ reason: 'FailedCreate' as const, message: `pods "rs-${name}" is forbidden: exceeded quota: "q", used: pods=${used}` });
  const before = replicaSetStatus(replicaSet('rs'), [], refused('aaaaa', 2), nowMs).status;
  const after = (failure: ReturnType<typeof refused>) => replicaSetStatus(replicaSet('rs', {}, { status: before }), [], failure, nowMs + 5_000).status;
  t.deepEqual(after(refused('bbbbb', 2)), before, 'a try under another name says nothing new');
  t.is(after(refused('bbbbb', 3)).conditions?.[0]?.message, refused('bbbbb', 3).message);
});
