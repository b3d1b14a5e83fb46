import test from 'ava';
import * as fc from 'fast-check';
import { Cluster } from '../../scheduler/cluster.ts';
import { explain } from '../../scheduler/explain.ts';
import type { Filter } from '../../scheduler/framework.ts';
import type { PodInfo } from '../../scheduler/pod-info.ts';
import { filters, profileOf } from '../../scheduler/profile.ts';
import { strategies, type StrategyName } from '../../scheduler/strategies.ts';
import { Decider, enoughOf } from '../../scheduler/schedule.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import { seededRandom } from '../helpers/api.ts';
import { node, podInfo, withPorts } from './objects.ts';

const clusterOf = (nodes: readonly Node[], placed: readonly (readonly [PodInfo, string])[] = []): Cluster => {
  const cluster = new Cluster();
  for (const one of nodes) cluster.setNode(one);
  for (const [info, name] of placed) cluster.place(info, name);
  return cluster;
};

const chosen = (strategy: StrategyName, cluster: Cluster, pod: PodInfo, seed = 1): string => {
  const decision = new Decider(profileOf(strategy), cluster, seededRandom(seed)).decide(pod);
  return 'node' in decision ? decision.node.name : 'misread' in decision ? decision.misread : explain(decision.refusal);
};

test('spread takes the emptiest node by share, then the one with the fewest containers', (t) => {
  const small = node('small', { allocatable: { cpu: '2', memory: '4Gi' } });
  const large = node('large', { allocatable: { cpu: '16', memory: '64Gi' } });
  const wants = { cpu: '1', memory: '1Gi' };
  t.is(chosen('spread', clusterOf([small, large]), podInfo('p', wants)), 'large');
  t.is(chosen('binpack', clusterOf([small, large]), podInfo('p', wants)), 'small');
  const six = Array.from({ length: 6 }, (_, n) => [podInfo(`p${n}`), n < 4 ? 'large' : 'small'] as const);
  t.is(chosen('spread', clusterOf([small, large], six), podInfo('p')), 'small', 'without requests the number of containers decides');
  t.is(chosen('binpack', clusterOf([small, large], six), podInfo('p')), 'large');
  t.is(chosen('spread', clusterOf([small, large], six), podInfo('p', wants)), 'large', 'the share goes before the number');
});

test('what a pod prefers goes before the strategy, and taints that ask for it are avoided', (t) => {
  const busy = [podInfo('x', { cpu: '3', memory: '6Gi' }), 'ssd'] as const;
  const prefers = (weight: number, key: string) => ({ affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, preference: { matchExpressions: [{ key, operator: 'Exists' as const }] } }] } } });
  const nodes = [node('ssd', { labels: { ssd: '' } }), node('plain'), node('meh', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] })];
  t.is(chosen('spread', clusterOf(nodes, [busy]), podInfo('p', { cpu: '1' }, prefers(1, 'ssd'))), 'ssd');
  t.is(chosen('spread', clusterOf(nodes, [busy]), podInfo('p', { cpu: '1' })), 'plain');
  const tolerant = podInfo('p', { cpu: '2' }, { tolerations: [{ operator: 'Exists' }] });
  t.is(chosen('spread', clusterOf([nodes[0]!, nodes[2]!], [busy]), tolerant), 'meh');
});

test('random reaches every node', (t) => {
  const cluster = clusterOf([node('a'), node('b'), node('c')]);
  const decider = new Decider(profileOf('random'), cluster, seededRandom(7));
  const found = new Set(Array.from({ length: 60 }, (_, n) => decider.decide(podInfo(`p${n}`))).map((decision) => ('node' in decision ? decision.node.name : '')));
  t.deepEqual([...found].sort(), ['a', 'b', 'c']);
});

test('a refusal counts its reasons in the words that users know', (t) => {
  const tainted = (name: string) => node(name, { taints: [{ key: 'key', value: 'value', effect: 'NoSchedule' }] });
  const full = [podInfo('x', { cpu: '4', memory: '8Gi' }), 'a'] as const;
  t.is(chosen('spread', clusterOf([node('a'), tainted('b'), tainted('c')], [full]), podInfo('p', { cpu: '1' })), '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {key: value}.');
  t.is(chosen('spread', clusterOf([node('a')], [full]), podInfo('p', { cpu: '1', memory: '1Gi' })), '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.');
  t.is(chosen('spread', clusterOf([]), podInfo('p')), 'no nodes available to schedule pods');
  const only = (name: string) => podInfo('p', {}, { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] } } } });
  t.is(chosen('spread', clusterOf([node('a'), tainted('b'), node('c')]), only('c')), 'c');
  t.is(chosen('spread', clusterOf([node('a'), tainted('b'), node('c')]), only('b')), "0/3 nodes are available: 1 node(s) had untolerated taint {key: value}, 2 node(s) didn't match Pod's node affinity/selector.");
  t.is(chosen('spread', clusterOf([node('a'), node('c')]), only('z')), "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.");
});

test('pods of one shape share the preparation, and a refusal holds until the cluster changes', (t) => {
  let prepared = 0;
  let checked = 0;
  const counting: Filter = { name: 'Counting', wokenBy: [], prepare: () => {
    prepared++;
    return () => {
      checked++;
      return 'no';
    };
  } };
  const cluster = clusterOf([node('a'), node('b')]);
  const decider = new Decider({ sieves: [], filters: [counting], strategy: strategies.spread }, cluster, Math.random);
  for (let n = 0; n < 10; n++) decider.decide(podInfo(`p${n}`, { cpu: '1' }));
  t.deepEqual([prepared, checked], [1, 2]);
  cluster.setNode(node('c'));
  decider.decide(podInfo('p', { cpu: '1' }));
  decider.decide(podInfo('q', { cpu: '2' }));
  t.deepEqual([prepared, checked], [2, 8]);
});

test('in a large cluster only enough nodes are looked at, and all get their turn', (t) => {
  t.deepEqual([1, 100, 101, 250, 1_000, 5_000, 20_000].map(enoughOf), [1, 100, 100, 120, 420, 500, 1_000]);
  const nodes = Array.from({ length: 1_000 }, (_, n) => node(`n${n}`));
  const looked = new Set<string>();
  const watching: Filter = { name: 'Watching', wokenBy: [], prepare: () => ({ name }) => {
    looked.add(name);
    return undefined;
  } };
  const decider = new Decider({ sieves: [], filters: [watching], strategy: strategies.spread }, clusterOf(nodes), seededRandom(1));
  decider.decide(podInfo('p'));
  t.is(looked.size, 420);
  decider.decide(podInfo('p'));
  decider.decide(podInfo('p'));
  t.is(looked.size, 1_000);
});

const podArbitrary = fc.record({
  cpuMilli: fc.integer({ min: 0, max: 2_500 }), memoryMi: fc.integer({ min: 0, max: 5_000 }),
  hostPort: fc.option(fc.constantFrom(80, 81), { nil: undefined }), hostIP: fc.constantFrom('', '10.0.0.1', '10.0.0.2'),
  zone: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
});

test('property: no node is ever overcommitted, no host port given twice, and one seed gives one result', (t) => {
  fc.assert(fc.property(
    fc.array(fc.record({ cpu: fc.integer({ min: 1, max: 4 }), zone: fc.constantFrom('a', 'b'), pods: fc.integer({ min: 0, max: 6 }) }), { maxLength: 6 }),
    fc.array(podArbitrary, { maxLength: 40 }), fc.constantFrom('spread' as const, 'binpack' as const, 'random' as const), fc.integer(),
    (nodeWords, podWords, strategy, seed) => {
      const run = (): readonly string[] => {
        const nodes = nodeWords.map(({ cpu, zone, pods }, n) => node(`n${n}`, { labels: { zone }, allocatable: { cpu: `${cpu}`, memory: '4Gi', pods: `${pods}` } }));
        const cluster = clusterOf(nodes);
        const decider = new Decider(profileOf(strategy), cluster, seededRandom(seed));
        const where = podWords.map((words, n) => {
          const spec = { ...(words.hostPort === undefined ? {} : withPorts({ hostPort: words.hostPort, hostIP: words.hostIP })), ...(words.zone === undefined ? {} : { nodeSelector: { zone: words.zone } }) };
          const resources = { requests: { cpu: `${words.cpuMilli}m`, memory: `${words.memoryMi}Mi` } };
          const info = podInfo(`p${n}`, resources.requests, 'containers' in spec ? { ...spec, containers: spec.containers!.map((container) => ({ ...container, resources })) } : spec);
          // Every third pod goes away again, so that sums are taken back too.
          if (n % 3 === 2) cluster.unplace(`uid-p${n - 2}`);
          const decision = decider.decide(info);
          if (!('node' in decision)) return 'refusal' in decision ? explain(decision.refusal) : decision.misread;
          cluster.place(info, decision.node.name);
          return decision.node.name;
        });
        for (const info of cluster.nodes) {
          const pods = [...info.pods.values()];
          const sum = (pick: (pod: PodInfo) => number) => pods.reduce((total, pod) => total + pick(pod), 0);
          if (sum((pod) => pod.requests.cpuMilli) > info.allocatable.cpuMilli) throw new Error(`${info.name} is over its CPUs`);
          if (sum((pod) => pod.requests.memoryBytes) > info.allocatable.memoryBytes) throw new Error(`${info.name} is over its memory`);
          if (pods.length > info.allowedPods) throw new Error(`${info.name} has too many pods`);
          for (const [index, pod] of pods.entries()) for (const other of pods.slice(index + 1)) for (const a of pod.ports) for (const b of other.ports) {
            if (a.port === b.port && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')) throw new Error(`${info.name} gives port ${a.port} twice`);
          }
        }
        return where;
      };
      t.deepEqual(run(), run());
    },
  ), { numRuns: 150 });
});

test('every filter says by which events it is woken', (t) => {
  for (const filter of filters) t.true(filter.wokenBy.includes('nodeAdded'), filter.name);
});
