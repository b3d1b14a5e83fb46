import test from 'ava';
import * as fc from 'fast-check';
import { Budgets } from '../../scheduler/budgets.ts';
import { Cluster } from '../../scheduler/cluster.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { profileOf } from '../../scheduler/profile.ts';
import { evenness, loadPercent, planRebalance, type RebalanceOptions } from '../../scheduler/rebalance.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { node, pod, type Requests } from './objects.ts';

interface Words {
  readonly requests?: Requests;
  readonly owner?: string;
  readonly ownerKind?: string;
  readonly ready?: boolean;
  readonly spec?: Partial<PodSpec>;
  readonly annotations?: Record<string, string>;
}

const running = (name: string, nodeName: string, { requests = {}, owner = 'web', ownerKind = 'ReplicaSet', ready = true, spec = {}, annotations = {} }: Words = {}): PodInfo => {
  const made = pod(name, requests, { nodeName, ...spec });
  return new PodInfo({
    ...made,
    metadata: { ...made.metadata, labels: { app: owner }, annotations, ...(owner === '' ? {} : { ownerReferences: [{ apiVersion: 'apps/v1', kind: ownerKind, name: owner, uid: owner, controller: true }] }) },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  } as Pod);
};

const clusterOf = (names: readonly string[], placed: readonly PodInfo[]): Cluster => {
  const cluster = new Cluster();
  for (const name of names) cluster.setNode(node(name));
  for (const one of placed) cluster.place(one, one.pod.spec.nodeName!);
  return cluster;
};

const plan = (cluster: Cluster, more: Partial<RebalanceOptions> = {}) => planRebalance({ cluster, profile: profileOf('spread'), budgets: new Budgets(), maxMoves: 100, ...more });

const many = (count: number, nodeName: string, words: Words = {}): readonly PodInfo[] => Array.from({ length: count }, (_, index) => running(`${nodeName}-${words.owner ?? 'web'}-${index}`, nodeName, words));

test('pods move to a node that joined until counts are even, and no further', (t) => {
  const cluster = clusterOf(['a', 'b', 'c'], [...many(6, 'a'), ...many(6, 'b')]);
  const { moves } = plan(cluster);
  t.is(moves.length, 4);
  t.deepEqual(moves.map(({ from, to }) => `${from} ${to}`).sort(), ['a c', 'a c', 'b c', 'b c']);
  t.deepEqual(evenness(cluster), { percent: [0, 0], pods: [0, 6] }, 'the plan changes nothing');
  t.is(plan(cluster, { maxMoves: 1 }).moves.length, 1);
  t.deepEqual(plan(clusterOf(['a', 'b'], [...many(3, 'a'), ...many(2, 'b')])).moves, []);
});

test('requests go before counts, and of moves that do as much the smallest pod goes', (t) => {
  const cluster = clusterOf(['a', 'b'], [running('large', 'a', { requests: { cpu: '2', memory: '4Gi' }, owner: 'large' }), running('small', 'a', { requests: { cpu: '500m', memory: '1Gi' }, owner: 'small' })]);
  const [first, ...more] = plan(cluster).moves;
  t.like(first, { from: 'a', to: 'b' });
  t.is(first!.pod.pod.metadata.name, 'small', 'to move the large one would do as much');
  t.is(more.length, 0);
  t.deepEqual(plan(clusterOf(['a', 'b'], [running('one', 'a', { requests: { cpu: '3', memory: '6Gi' } })])).moves, [], 'one pod alone is no more even elsewhere');
});

for (const [what, words, reason] of [
  ['without a controller', { owner: '' }, 'has no controller that would replace it'],
  ['of a DaemonSet', { ownerKind: 'DaemonSet' }, 'belongs to its node (of a DaemonSet)'],
  ['of a Job', { ownerKind: 'Job' }, 'does work that would be lost (of a Job)'],
  ['that mirrors a file', { annotations: { 'kubernetes.io/config.mirror': 'x' } }, 'belongs to its node (a mirror pod)'],
  ['with an emptyDir', { spec: { volumes: [{ name: 'v', emptyDir: {} }] } }, 'holds data in a volume (emptyDir, hostPath or a claim)'],
  ['with a claim', { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] } }, 'holds data in a volume (emptyDir, hostPath or a claim)'],
  ['that are not ready', { ready: false }, 'is of a workload of which not all pods are Ready'],
] as const) {
  test(`pods ${what} stay`, (t) => {
    const { moves, immovable } = plan(clusterOf(['a', 'b'], many(4, 'a', words as Words)));
    t.deepEqual(moves, []);
    t.deepEqual([...immovable], [[reason, 4]]);
  });
}

test('budgets, and workloads whose eviction was refused, are kept', (t) => {
  const cluster = clusterOf(['a', 'b'], many(4, 'a'));
  const budgets = new Budgets();
  const budget = (disruptionsAllowed: number): PodDisruptionBudget => ({
    apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'web', namespace: 'default' }, spec: { selector: { matchLabels: { app: 'web' } } },
    status: { currentHealthy: 4, desiredHealthy: 4, disruptionsAllowed, expectedPods: 4 },
  });
  budgets.set(budget(0));
  t.deepEqual([...plan(cluster, { budgets }).immovable], [['would break a PodDisruptionBudget', 4]]);
  budgets.set(budget(1));
  t.is(plan(cluster, { budgets }).moves.length, 2);
  t.deepEqual([...plan(cluster, { spared: new Set(['ReplicaSet/default/web']) }).immovable], [['was refused eviction', 4]]);
});

test('a workload of which a pod waits for a node is not whole', (t) => {
  const cluster = clusterOf(['a', 'b'], many(4, 'a'));
  const { moves, immovable } = plan(cluster, { waiting: [running('waits', '')] });
  t.deepEqual([moves.length, [...immovable]], [0, [['is of a workload of which not all pods are Ready', 4]]]);
});

test('where the scheduler would not take another node, nothing moves', (t) => {
  const selector = { nodeSelector: { 'kubernetes.io/hostname': 'a' } };
  t.deepEqual(plan(clusterOf(['a', 'b'], many(4, 'a', { spec: selector }))).moves, []);
  t.deepEqual(plan(clusterOf(['a', 'b'], many(4, 'a', { requests: { cpu: '100m', memory: '100Mi' } })), { profile: profileOf('binpack') }).moves, []);
  const cluster = clusterOf(['a', 'b'], many(4, 'a'));
  cluster.setNode(node('b', { unschedulable: true }));
  t.deepEqual(plan(cluster).moves, []);
});

test('plans end, never make it less even, and leave nothing to do', (t) => {
  const one = fc.record({ at: fc.integer({ min: 0, max: 3 }), owner: fc.constantFrom('x', 'y', 'z'), cpu: fc.constantFrom(undefined, '100m', '500m', '1') });
  const squares = (cluster: Cluster): readonly [number, number] => [
    cluster.nodes.reduce((sum, info) => sum + loadPercent(info) ** 2, 0), cluster.nodes.reduce((sum, { podCount }) => sum + podCount ** 2, 0),
  ];
  fc.assert(fc.property(fc.array(one, { maxLength: 14 }), (all) => {
    const names = ['n0', 'n1', 'n2', 'n3'];
    const cluster = clusterOf(names, all.map(({ at, owner, cpu }, index) => running(`p${index}`, names[at]!, { owner, requests: cpu === undefined ? {} : { cpu, memory: '256Mi' } })));
    const before = squares(cluster);
    const { moves } = plan(cluster, { maxMoves: 1_000 });
    if (moves.length >= 1_000) return false;
    for (const { pod: moved, to } of moves) cluster.place(moved, to);
    const after = squares(cluster);
    return after[0] <= before[0] + 1e-6 && (moves.length === 0 || after[0] < before[0] - 1e-6 || after[1] < before[1]) && plan(cluster, { maxMoves: 1 }).moves.length === 0;
  }), { seed: 11, numRuns: 150 });
  t.pass();
});
