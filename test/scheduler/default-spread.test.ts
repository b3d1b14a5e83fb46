import assert from 'node:assert/strict';
import test from 'ava';
import { Cluster } from '../../scheduler/cluster.ts';
import { DefaultSelectors } from '../../scheduler/default-selectors.ts';
import type { Profile } from '../../scheduler/framework.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { followsSelectors, profileOf } from '../../scheduler/profile.ts';
import { readProfiles } from '../../scheduler/read-profiles.ts';
import { Decider } from '../../scheduler/schedule.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import type { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { eventually } from '../helpers/eventually.ts';
import { node, pod } from './objects.ts';
import { start } from './start-scheduler.ts';

type Labels = Readonly<Record<string, string>>;

const service = (name: string, selector: Labels | undefined, namespace = 'default'): Service =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: selector === undefined ? {} : { selector } });

const owned = (apiVersion: string, kind: string, name: string, selector: unknown): ReplicaSet =>
  ({ apiVersion, kind, metadata: { name, namespace: 'default', uid: name }, spec: { selector } }) as unknown as ReplicaSet;

interface PodWords {
  readonly labels?: Labels;
  readonly owner?: readonly [apiVersion: string, kind: string, name: string];
  readonly spec?: Partial<PodSpec>;
}

const labelled = (name: string, { labels = {}, owner, spec = {} }: PodWords = {}): PodInfo => {
  const one = pod(name, {}, spec);
  const ownerReferences = owner === undefined ? [] : [{ apiVersion: owner[0], kind: owner[1], name: owner[2], uid: owner[2], controller: true }];
  return new PodInfo({ ...one, metadata: { ...one.metadata, labels, ownerReferences } });
};

const web = { app: 'web' };
const replicaSet = owned('apps/v1', 'ReplicaSet', 'web-1', { matchLabels: web, matchExpressions: [{ key: 'canary', operator: 'DoesNotExist' }] });
const statefulSet = owned('apps/v1', 'StatefulSet', 'db', { matchLabels: { app: 'db' } });
const controller = owned('v1', 'ReplicationController', 'old', web) as unknown as ReplicationController;

for (const [what, services, words, expected] of [
  ['nothing selects it', [service('db', { app: 'db' })], { labels: web }, undefined],
  ['a service', [service('web', web)], { labels: web }, 'app in (web)'],
  ['all services that mean it', [service('web', web), service('front', { tier: 'front' }), service('db', { app: 'db' })], { labels: { ...web, tier: 'front' } }, 'app in (web),tier in (front)'],
  ['a service of another namespace', [service('web', web, 'other')], { labels: web }, undefined],
  ['services without a selector, or with an empty one', [service('by-hand', undefined), service('empty', {})], { labels: web }, undefined],
  ['its ReplicaSet', [], { labels: web, owner: ['apps/v1', 'ReplicaSet', 'web-1'] }, 'app in (web),!canary'],
  ['its ReplicaSet beside a service', [service('front', { tier: 'front' })], { labels: { ...web, tier: 'front' }, owner: ['apps/v1', 'ReplicaSet', 'web-1'] }, 'app in (web),!canary,tier in (front)'],
  ['its StatefulSet', [], { labels: { app: 'db' }, owner: ['apps/v1', 'StatefulSet', 'db'] }, 'app in (db)'],
  ['its ReplicationController', [], { labels: web, owner: ['v1', 'ReplicationController', 'old'] }, 'app in (web)'],
  ['an owner that is gone', [], { labels: web, owner: ['apps/v1', 'ReplicaSet', 'web-0'] }, undefined],
  ['an owner of another kind and the same name', [], { labels: web, owner: ['apps/v1', 'DaemonSet', 'web-1'] }, undefined],
] as const) {
  test(`selects a pod: ${what}`, (t) => {
    const selectors = new DefaultSelectors();
    for (const one of services) selectors.setService(one);
    for (const one of [replicaSet, statefulSet, controller]) selectors.setWorkload(one);
    const found = selectors.of(labelled('p', words));
    t.is(found && String(labelMatcher(found)), expected);
  });
}

test('what selects a pod is followed as it comes, changes and goes', (t) => {
  const selectors = new DefaultSelectors();
  const one = labelled('p', { labels: web, owner: ['apps/v1', 'ReplicaSet', 'web-1'] });
  const text = () => {
    const found = selectors.of(one);
    return found && String(labelMatcher(found));
  };
  t.is(text(), undefined);
  selectors.setService(service('web', web));
  t.is(text(), 'app in (web)');
  selectors.setWorkload(replicaSet);
  t.is(text(), 'app in (web),app in (web),!canary', 'the service and the ReplicaSet');
  const before = selectors.of(one);
  selectors.setWorkload({ ...replicaSet, status: { replicas: 3 } });
  selectors.setService({ ...service('web', web), spec: { selector: web, type: 'NodePort' } });
  t.is(selectors.of(one), before, 'what says nothing new costs nothing');
  selectors.setService(service('web', { app: 'db' }));
  selectors.removeWorkload(replicaSet);
  t.is(text(), undefined);
  selectors.setService(service('web', web));
  selectors.removeService(service('web', web));
  t.is(text(), undefined);
});

const profileWith = (more: object): Profile => readProfiles({ profiles: [{ schedulerName: 'x', scorers: [{ name: 'topologySpread', ...more }] }] }).get('x')!;
const system = profileWith({});

/** The nodes that pods get, one after the other; chance always takes the last of equals. */
const placements = (profile: Profile, cluster: Cluster, pods: readonly PodInfo[]): string => {
  const decider = new Decider(profile, cluster, () => 0);
  return pods.map((one) => {
    const decision = decider.decide(one);
    assert.ok('node' in decision);
    cluster.place(one, decision.node.name);
    return decision.node.name;
  }).join(' ');
};

const clusterOf = (...nodes: readonly (readonly [name: string, zone?: string])[]): Cluster => {
  const cluster = new Cluster();
  for (const [name, zone] of nodes) cluster.setNode(node(name, zone === undefined ? {} : { labels: { 'topology.kubernetes.io/zone': zone } }));
  cluster.selectors.setService(service('web', web));
  return cluster;
};
const webs = (count: number, words: PodWords = {}): readonly PodInfo[] => Array.from({ length: count }, (_, n) => labelled(`p${n}`, { labels: web, ...words }));
const zoned = [['a', 'east'], ['b', 'east'], ['c', 'east'], ['d', 'west']] as const;

test('pods of a service go to different hosts, and to different zones where there are some', (t) => {
  t.is(placements(system, clusterOf(['a'], ['b'], ['c']), webs(4)), 'c b a c');
  t.is(placements(system, clusterOf(...zoned), webs(3)), 'd c b', 'the zone of the first is passed over');
  const uneven = clusterOf(...zoned);
  for (const one of Array.from({ length: 3 }, (_, n) => labelled(`x${n}`, { labels: web }))) uneven.place(one, ['a', 'b', 'c'][Number(one.key.at(-1))]!);
  t.is(placements(system, uneven, webs(2)), 'd d', 'its zone is emptier than the others by more than its host is fuller');
});

test('a node without a zone counts by its host alone', (t) => {
  const cluster = clusterOf(['a', 'east'], ['b', 'west'], ['c']);
  // It lacks the share of the zone, and so seems the emptiest for longer: by Kubernetes' formula.
  t.is(placements(system, cluster, webs(5)), 'c c c b a');
});

test('constraints that are listed need all their keys, and an empty list turns defaults off', (t) => {
  const both = profileWith({ defaultConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname' }, { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' }] });
  t.is(placements(both, clusterOf(['a', 'east'], ['b', 'west'], ['c']), webs(4)), 'b a b a', 'c has no zone');
  t.is(placements(profileWith({ defaultConstraints: [] }), clusterOf(['a'], ['b'], ['c']), webs(3)), 'c c c');
});

test('defaults are for pods that something selects and that say nothing of their own', (t) => {
  const nodes = [['a'], ['b'], ['c']] as const;
  t.is(placements(system, clusterOf(...nodes), webs(3, { labels: { app: 'db' } })), 'c c c', 'no service means them');
  const own = { topologySpreadConstraints: [{ maxSkew: 5, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' as const, labelSelector: { matchLabels: web } }] };
  t.is(placements(system, clusterOf(...nodes), webs(3, { spec: own })), 'c c c', 'its own constraint is kept, and is no preference');
  const annotated = (strategy: string) => webs(3).map((one) => new PodInfo({ ...one.pod, metadata: { ...one.pod.metadata, annotations: { 'scheduler.barge.dev/strategy': strategy } } }));
  t.is(placements(system, clusterOf(...nodes), annotated('binpack')), 'c c c', 'a pod that asks for a strategy of Swarm gets that');
});

test("Swarm's strategies rank by themselves", (t) => {
  for (const name of ['spread', 'binpack', 'random'] as const) t.false(followsSelectors(profileOf(name)));
  t.true(followsSelectors(system));
  t.is(placements(profileOf('binpack'), clusterOf(['a'], ['b'], ['c']), webs(3)), 'c c c');
});

test('a service that comes between two pods of one template counts for the second', (t) => {
  const cluster = clusterOf(['a'], ['b'], ['c']);
  cluster.selectors.removeService(service('web', web));
  const [first, ...others] = webs(3);
  const decider = new Decider(system, cluster, () => 0);
  const chosen = (one: PodInfo) => {
    const decision = decider.decide(one);
    assert.ok('node' in decision);
    cluster.place(one, decision.node.name);
    return decision.node.name;
  };
  t.is(chosen(first!), 'c');
  cluster.selectors.setService(service('web', web));
  t.deepEqual(others.map(chosen), ['b', 'a']);
});

test('a scheduler with such a profile knows the services and workloads of the cluster', async (t) => {
  const { addNode, addPod, bound, client, pods, at, stop } = await start(undefined, { profiles: new Map([['default-scheduler', system]]) });
  for (const name of ['a', 'b', 'c']) await addNode(name);
  const add = async (name: string): Promise<string> => {
    await pods.create({ metadata: { name, namespace: 'default', labels: web }, spec: pod(name).spec });
    await bound(name);
    return (await pods.get(at(name))).spec.nodeName ?? '';
  };
  await addPod('first');
  await bound('first');
  await client.of(Service).create({ metadata: { name: 'web', namespace: 'default' }, spec: { selector: web, ports: [{ port: 80 }] } });
  // Nothing tells when the scheduler has heard of the service, but pods that go apart show it.
  let n = 0;
  await eventually(async () => {
    const [one, other] = [await add(`p${n++}`), await add(`p${n++}`)];
    assert.notEqual(one, other);
  });
  t.pass();
  await stop();
});
