import test from 'ava';
import { Cluster } from '../../scheduler/cluster.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { ProfileError, readProfiles } from '../../scheduler/read-profiles.ts';
import { Decider } from '../../scheduler/schedule.ts';
import { node, pod, podInfo } from './objects.ts';

test('a profile has a strategy, or scorers with weights', (t) => {
  const profiles = readProfiles({ profiles: [
    { schedulerName: 'default-scheduler', strategy: 'binpack' },
    { schedulerName: 'packer', scorers: [{ name: 'mostAllocated', weight: 3, resources: { cpu: 2, 'example.com/gpu': 5 } }, { name: 'nodeAffinity' }] },
    { schedulerName: 'line', scorers: [{ name: 'requestedToCapacityRatio', shape: [{ utilization: 0, score: 10 }, { utilization: 100, score: 0 }] }] },
  ] });
  t.deepEqual([...profiles.keys()], ['default-scheduler', 'packer', 'line']);
  t.deepEqual(profiles.get('packer')?.strategy.scorers.map(({ scorer, weight }) => [scorer.name, weight]), [['mostAllocated', 3], ['nodeAffinity', 1]]);
  t.is(profiles.get('default-scheduler')?.strategy.name, 'binpack');
});

test('each profile ranks nodes its own way, and a pod may ask for a strategy by name', (t) => {
  const profiles = readProfiles({ profiles: [{ schedulerName: 'least', scorers: [{ name: 'leastAllocated' }] }, { schedulerName: 'most', scorers: [{ name: 'mostAllocated' }] }] });
  const cluster = new Cluster();
  for (const name of ['empty', 'half']) cluster.setNode(node(name));
  cluster.place(podInfo('x', { cpu: '2', memory: '4Gi' }), 'half');
  const chosen = (name: string, annotations: Readonly<Record<string, string>> = {}) => {
    const one = pod('p', { cpu: '1', memory: '1Gi' });
    const decision = new Decider(profiles.get(name)!, cluster, () => 0).decide(new PodInfo({ ...one, metadata: { ...one.metadata, annotations } }));
    return 'node' in decision ? decision.node.name : 'misread' in decision ? decision.misread : 'refused';
  };
  t.deepEqual(['least', 'most'].map((name) => chosen(name)), ['empty', 'half']);
  t.deepEqual(['spread', 'binpack'].map((strategy) => chosen('least', { 'scheduler.barge.dev/strategy': strategy })), ['empty', 'half']);
  t.is(chosen('least', { 'scheduler.barge.dev/strategy': 'best' }), 'metadata.annotations[scheduler.barge.dev/strategy]: Unsupported value: "best": supported values: "spread", "binpack", "random"');
});

const scorers = (...list: readonly unknown[]) => ({ profiles: [{ schedulerName: 'x', scorers: list }] });

for (const [document, message] of [
  [undefined, "the scheduler's config: must be a map of: profiles"],
  [{}, 'profiles: must be a list of 1 to 32 profiles, each with a schedulerName and a strategy or scorers'],
  [{ profile: [] }, 'the scheduler\'s config: unknown field "profile"; there are: profiles'],
  [{ profiles: Array.from({ length: 33 }, (_, n) => ({ schedulerName: `s${n}`, strategy: 'spread' })) }, 'profiles: must be a list of 1 to 32 profiles, each with a schedulerName and a strategy or scorers'],
  [{ profiles: [{ strategy: 'spread' }] }, 'profiles[0].schedulerName: must be a name of small letters, digits, "-" and ".", such as default-scheduler'],
  [{ profiles: [{ schedulerName: 'x', strategy: 'spread' }, { schedulerName: 'x', strategy: 'spread' }] }, 'profiles[1].schedulerName: "x" is there twice'],
  [{ profiles: [{ schedulerName: 'x', strategy: 'best' }] }, 'profiles[0].strategy: "best" is not one of spread, binpack, random'],
  [{ profiles: [{ schedulerName: 'x' }] }, 'profiles[0]: needs either a strategy or scorers'],
  [{ profiles: [{ schedulerName: 'x', strategy: 'spread', scorers: [] }] }, 'profiles[0]: needs either a strategy or scorers'],
  [scorers(), 'profiles[0].scorers: must be a list of scorers: leastAllocated, mostAllocated, requestedToCapacityRatio, balancedAllocation, nodeAffinity, taintToleration, interPodAffinity, topologySpread, imageLocality'],
  [scorers({ name: 'constructor' }), 'profiles[0].scorers[0].name: "constructor" is not one of leastAllocated, mostAllocated, requestedToCapacityRatio, balancedAllocation, nodeAffinity, taintToleration, interPodAffinity, topologySpread, imageLocality'],
  [scorers({ name: 'nodeAffinity' }, { name: 'nodeAffinity' }), 'profiles[0].scorers[1].name: "nodeAffinity" is there twice'],
  [scorers({ name: 'nodeAffinity', weight: 0 }), 'profiles[0].scorers[0].weight: must be a whole number from 1 to 100'],
  [scorers({ name: 'nodeAffinity', resources: { cpu: 1 } }), 'profiles[0].scorers[0].resources: nodeAffinity takes none'],
  [scorers({ name: 'leastAllocated', resources: {} }), 'profiles[0].scorers[0].resources: must be a map from resources to weights, such as {cpu: 1, memory: 1}'],
  [scorers({ name: 'requestedToCapacityRatio' }), 'profiles[0].scorers[0].shape: is needed: the points of the line from utilization (0 to 100) to score (0 to 10)'],
  [scorers({ name: 'requestedToCapacityRatio', shape: [{ utilization: 5, score: 1 }, { utilization: 5, score: 2 }] }), 'profiles[0].scorers[0].shape[1].utilization: must be above the one before'],
  [scorers({ name: 'requestedToCapacityRatio', shape: [{ utilization: 5, score: 11 }] }), 'profiles[0].scorers[0].shape[0].score: must be a whole number from 0 to 10'],
  [scorers({ name: 'nodeAffinity', defaultConstraints: [] }), 'profiles[0].scorers[0].defaultConstraints: nodeAffinity takes none'],
  [scorers({ name: 'topologySpread', defaultConstraints: 'System' }), 'profiles[0].scorers[0].defaultConstraints: must be a list of constraints, such as [{maxSkew: 3, topologyKey: kubernetes.io/hostname}]'],
  [scorers({ name: 'topologySpread', defaultConstraints: [{ maxSkew: 0, topologyKey: 'zone' }] }), 'profiles[0].scorers[0].defaultConstraints[0].maxSkew: must be a whole number from 1 to 2147483647'],
  [scorers({ name: 'topologySpread', defaultConstraints: [{ maxSkew: 1 }] }), 'profiles[0].scorers[0].defaultConstraints[0].topologyKey: must be the key of a node label, such as topology.kubernetes.io/zone'],
  [scorers({ name: 'topologySpread', defaultConstraints: [{ maxSkew: 1, topologyKey: 'zone' }, { maxSkew: 2, topologyKey: 'zone' }] }), 'profiles[0].scorers[0].defaultConstraints[1].topologyKey: "zone" is there twice'],
  [scorers({ name: 'topologySpread', defaultConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] }), 'profiles[0].scorers[0].defaultConstraints[0].whenUnsatisfiable: must be ScheduleAnyway: defaults rank nodes and refuse none'],
] as const) {
  test(`refused: ${message} (${JSON.stringify(document)?.slice(0, 80)})`, (t) => {
    t.throws(() => readProfiles(document), { instanceOf: ProfileError, message });
  });
}
