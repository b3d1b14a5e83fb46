// Affinity between pods and topology spread: filters, scores and the counts behind them.
import test from 'ava';
import * as fc from 'fast-check';
import { Cluster } from '../../scheduler/cluster.ts';
import { explain } from '../../scheduler/explain.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { profileOf } from '../../scheduler/profile.ts';
import { Decider } from '../../scheduler/schedule.ts';
import { TopologyCount } from '../../scheduler/topology-count.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { node, pod } from './objects.ts';

type Labels = Readonly<Record<string, string>>;

const zone = 'zone';
const host = 'kubernetes.io/hostname';

const labelled = (name: string, labels: Labels, spec: Partial<PodSpec> = {}, namespace = 'default'): PodInfo => {
  const made = pod(name, {}, spec);
  return new PodInfo({ ...made, metadata: { ...made.metadata, namespace, labels } });
};

/** Four nodes in two zones: a1, a2, b1, b2. */
const cluster = (placed: Readonly<Record<string, readonly PodInfo[]>> = {}): Cluster => {
  const all = new Cluster();
  for (const name of ['a1', 'a2', 'b1', 'b2']) all.setNode(node(name, { labels: { [zone]: name[0]! } }));
  for (const [name, pods] of Object.entries(placed)) for (const one of pods) all.place(one, name);
  return all;
};

const fits = (all: Cluster, one: PodInfo): readonly string[] | string => {
  const decider = new Decider(profileOf('random'), all, () => 0);
  const decision = decider.decide(one);
  return 'refusal' in decision ? explain(decision.refusal) : all.nodes.filter((info) => decider.refusedBy(one, info) === undefined).map(({ name }) => name);
};

const term = (labels: Labels, topologyKey = zone, more: object = {}) => ({ labelSelector: { matchLabels: labels }, topologyKey, ...more });
const near = (...terms: readonly ReturnType<typeof term>[]): Partial<PodSpec> => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } });
const away = (...terms: readonly ReturnType<typeof term>[]): Partial<PodSpec> => ({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } });
const spread = (maxSkew: number, topologyKey = zone, more: object = {}): Partial<PodSpec> =>
  ({ topologySpreadConstraints: [{ maxSkew, topologyKey, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } }, ...more }] });
const web = (name: string, spec: Partial<PodSpec> = {}, namespace?: string): PodInfo => labelled(name, { app: 'web' }, spec, namespace);
const db = (name: string, spec: Partial<PodSpec> = {}, namespace?: string): PodInfo => labelled(name, { app: 'db' }, spec, namespace);

for (const [what, placed, one, expected] of [
  ['near a pod, by zone', { a1: [db('d')] }, web('w', near(term({ app: 'db' }))), ['a1', 'a2']],
  ['near a pod, by host', { a1: [db('d')] }, web('w', near(term({ app: 'db' }, host))), ['a1']],
  ['near a pod that is not there', {}, web('w', near(term({ app: 'db' }))), "0/4 nodes are available: 4 node(s) didn't match pod affinity rules."],
  ['the first of a group that means itself', {}, web('w', near(term({ app: 'web' }))), ['a1', 'a2', 'b1', 'b2']],
  ['the second of the group', { b1: [web('x')] }, web('w', near(term({ app: 'web' }))), ['b1', 'b2']],
  ['near pods of another namespace are not meant', { a1: [db('d', {}, 'other')] }, web('w', near(term({ app: 'db' }))), "0/4 nodes are available: 4 node(s) didn't match pod affinity rules."],
  ['near pods of a named namespace', { a1: [db('d', {}, 'other')] }, web('w', near(term({ app: 'db' }, zone, { namespaces: ['other'] }))), ['a1', 'a2']],
  ['near pods of all namespaces', { b2: [db('d', {}, 'other')] }, web('w', near(term({ app: 'db' }, host, { namespaceSelector: {} }))), ['b2']],
  ['a pod must be meant by all terms', { a1: [db('d')], b1: [labelled('e', { app: 'db', tier: 'x' })] }, web('w', near(term({ app: 'db' }), term({ tier: 'x' }))), ['b1', 'b2']],
  ['away from a pod, by zone', { a1: [db('d')] }, web('w', away(term({ app: 'db' }))), ['b1', 'b2']],
  ['away from its own kind, by host', { a1: [web('x')], b1: [web('y')] }, web('w', away(term({ app: 'web' }, host))), ['a2', 'b2']],
  ['away from all zones', { a1: [web('x')], b1: [web('y')] }, web('w', away(term({ app: 'web' }))), "0/4 nodes are available: 4 node(s) didn't match pod anti-affinity rules."],
  ['what placed pods do not want near', { a1: [db('d', away(term({ app: 'web' })))] }, web('w'), ['b1', 'b2']],
  ['what placed pods do not want, everywhere', { a1: [db('d', away(term({ app: 'web' })))], b1: [db('e', away(term({ app: 'web' })))] }, web('w'), "0/4 nodes are available: 4 node(s) didn't satisfy existing pods anti-affinity rules."],
  ['a label of the pod itself in the term', { a1: [labelled('d', { app: 'web', v: '1' })], b1: [labelled('e', { app: 'web', v: '2' })] },
    labelled('w', { app: 'web', v: '2' }, away({ ...term({ app: 'web' }), matchLabelKeys: ['v'] } as never)), ['a1', 'a2']],
  ['spread over zones', { a1: [web('x')] }, web('w', spread(1)), ['b1', 'b2']],
  ['spread with more skew', { a1: [web('x')] }, web('w', spread(2)), ['a1', 'a2', 'b1', 'b2']],
  ['spread over hosts', { a1: [web('x')], a2: [web('y')], b1: [web('z')] }, web('w', spread(1, host)), ['b2']],
  ['spread does not count other namespaces', { a1: [web('x', {}, 'other')] }, web('w', spread(1)), ['a1', 'a2', 'b1', 'b2']],
  ['spread over a key that no node has', {}, web('w', spread(1, 'rack')), "0/4 nodes are available: 4 node(s) didn't match pod topology spread constraints (missing required label)."],
  ['spread over more zones than there are', { a1: [web('x')], b1: [web('y')] }, web('w', spread(1, zone, { minDomains: 3 })), "0/4 nodes are available: 4 node(s) didn't match pod topology spread constraints."],
  ['spread leaves out what affinity excludes', { a1: [web('x')] }, web('w', { ...spread(1), nodeSelector: { [zone]: 'a' } }), ['a1', 'a2']],
  ['spread counts it when asked to', { a1: [web('x')] }, web('w', { ...spread(1, zone, { nodeAffinityPolicy: 'Ignore' }), nodeSelector: { [zone]: 'a' } }),
    "0/4 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't match pod topology spread constraints."],
] as const satisfies readonly (readonly [string, Readonly<Record<string, readonly PodInfo[]>>, PodInfo, readonly string[] | string])[]) {
  test(`neighbours: ${what}`, (t) => t.deepEqual(fits(cluster(placed), one), expected as never));
}

test('a pod that is gone no longer counts, and one whose labels change counts anew', (t) => {
  const all = cluster({ a1: [db('d')] });
  const one = web('w', near(term({ app: 'db' })));
  const decider = new Decider(profileOf('random'), all, () => 0);
  const nodes = () => all.nodes.filter((info) => decider.refusedBy(one, info) === undefined).map(({ name }) => name);
  t.deepEqual(nodes(), ['a1', 'a2']);
  all.place(web('d'), 'a1');
  t.deepEqual(nodes(), []);
  all.place(db('e'), 'b1');
  t.deepEqual(nodes(), ['b1', 'b2']);
  all.unplace('uid-e');
  t.deepEqual(nodes(), []);
});

test('terms choose namespaces by their labels, also when those change', (t) => {
  const all = cluster({ a1: [db('d', {}, 'other')] });
  const one = web('w', near(term({ app: 'db' }, zone, { namespaceSelector: { matchLabels: { team: 'x' } } })));
  const decider = new Decider(profileOf('random'), all, () => 0);
  const nodes = () => all.nodes.filter((info) => decider.refusedBy(one, info) === undefined).map(({ name }) => name);
  t.deepEqual(nodes(), []);
  all.setNamespace('other', { team: 'x' });
  t.deepEqual(nodes(), ['a1', 'a2']);
  all.setNamespace('other', undefined);
  t.deepEqual(nodes(), []);
});

for (const [what, placed, one, expected] of [
  ['wishes draw', { b2: [db('d')] }, web('w', { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: term({ app: 'db' }, host) }] } } }), 'b2'],
  ['wishes push away', { a1: [db('a')], a2: [db('b')], b1: [db('c')] }, web('w', { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: term({ app: 'db' }, host) }] } } }), 'b2'],
  ['wishes of placed pods count', { b1: [db('d', { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: term({ app: 'web' }, host) }] } } })] }, web('w'), 'b1'],
  ['spread as well as can be', { a1: [web('x')], a2: [web('y')], b2: [web('z')] }, web('w', spread(1, host, { whenUnsatisfiable: 'ScheduleAnyway' })), 'b1'],
] as const satisfies readonly (readonly [string, Readonly<Record<string, readonly PodInfo[]>>, PodInfo, string])[]) {
  test(`neighbours: ${what}`, (t) => {
    const decision = new Decider(profileOf('spread'), cluster(placed), () => 0).decide(one);
    t.is('node' in decision ? decision.node.name : 'misread' in decision ? decision.misread : explain(decision.refusal), expected);
  });
}

test('counts that are kept up are those that a new count finds', (t) => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('place' as const), pod: fc.nat(9), app: fc.constantFrom('web', 'db'), node: fc.nat(4) }),
    fc.record({ do: fc.constant('unplace' as const), pod: fc.nat(9) }),
    fc.record({ do: fc.constant('label' as const), node: fc.nat(4), zone: fc.constantFrom('a', 'b', 'c', undefined) }),
    fc.record({ do: fc.constant('remove' as const), node: fc.nat(4) }),
  );
  const what = { topologyKey: zone, matches: (one: PodInfo) => one.pod.metadata.labels?.['app'] === 'web' };
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const all = new Cluster();
    const kept = all.count('web by zone', () => what);
    for (const one of steps) {
      if (one.do === 'place') all.place(labelled(`p${one.pod}`, { app: one.app }), `n${one.node}`);
      else if (one.do === 'unplace') all.unplace(`uid-p${one.pod}`);
      else if (one.do === 'label') all.setNode(node(`n${one.node}`, { labels: one.zone === undefined ? {} : { [zone]: one.zone } }));
      else all.removeNode(`n${one.node}`);
    }
    const fresh = new TopologyCount(what, all.nodes);
    const seen = (count: TopologyCount) => [count.total, count.domains, count.least, ...all.nodes.map((info) => count.at(info))];
    t.deepEqual(seen(kept), seen(fresh));
  }), { numRuns: 300 });
});
