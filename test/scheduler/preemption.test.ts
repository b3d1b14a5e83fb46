// Whom preemption ends: tables for the order of choice, and properties against a choice by brute force.
import test from 'ava';
import * as fc from 'fast-check';
import { Budgets } from '../../scheduler/budgets.ts';
import { Cluster } from '../../scheduler/cluster.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { leastCost, type Candidate } from '../../scheduler/preemption.ts';
import { profileOf } from '../../scheduler/profile.ts';
import { Decider, type Room } from '../../scheduler/schedule.ts';
import type { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { seededRandom } from '../helpers/api.ts';
import { node, nodeInfo, pod, withPorts, type NodeWords, type Requests } from './objects.ts';

interface Words {
  readonly cpu?: string;
  readonly priority?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Seconds after the start of time. */
  readonly started?: number;
  readonly spec?: Partial<PodSpec>;
  readonly requests?: Requests;
}

const made = (name: string, { cpu = '1', priority = 0, labels = {}, started, spec = {}, requests = { cpu } }: Words = {}): PodInfo => {
  const one = pod(name, requests, { ...spec, priority });
  return new PodInfo({ ...one, metadata: { ...one.metadata, labels }, ...(started === undefined ? {} : { status: { startTime: new Date(started * 1_000).toISOString() } }) });
};

const budget = (name: string, labels: Readonly<Record<string, string>>, disruptionsAllowed: number, disruptedPods = {}): PodDisruptionBudget => ({
  apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name, namespace: 'default' },
  spec: { selector: { matchLabels: labels } }, status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptedPods },
});

interface Scene {
  readonly nodes: Readonly<Record<string, readonly PodInfo[]>>;
  readonly words?: Readonly<Record<string, NodeWords>>;
  readonly budgets?: readonly PodDisruptionBudget[];
}

const room = (pod: PodInfo, { nodes, words = {}, budgets: list = [] }: Scene): { readonly room: Room; readonly cluster: Cluster } => {
  const cluster = new Cluster();
  const budgets = new Budgets();
  for (const one of list) budgets.set(one);
  for (const [name, pods] of Object.entries(nodes)) {
    cluster.setNode(node(name, { allocatable: { cpu: '4' }, ...words[name] }));
    for (const one of pods) cluster.place(one, name);
  }
  const decider = new Decider(profileOf('spread'), cluster, () => 0);
  const decision = decider.decide(pod);
  if (!('refusal' in decision)) throw new Error('it should have been refused');
  return { room: decider.preempt(pod, budgets, decision), cluster };
};

/** The node and the victims, or the message. */
const chosen = (pod: PodInfo, scene: Scene): string => {
  const found = room(pod, scene).room;
  if ('message' in found) return found.message;
  return `${found.candidate.node.name}: ${found.candidate.victims.map(({ uid }) => uid.replace('uid-', '')).join(' ')}`;
};

const high = (words: Words = {}): PodInfo => made('high', { priority: 100, cpu: '2', ...words });
const web = { app: 'web' };

for (const [what, pod, scene, expected] of [
  ['only as many as needed, the least important', high(), { nodes: { a: [made('x', { priority: 3 }), made('y', { priority: 1 }), made('z', { priority: 2 }), made('u', { priority: 3 })] } }, 'a: z y'],
  ['of equals the ones that began last', high({ cpu: '1' }), { nodes: { a: [made('old', { started: 1 }), made('new', { started: 9 }), made('mid', { started: 5 }), made('none', { cpu: '1' })] } }, 'a: none'],
  ['a large one where small ones do not help', high({ cpu: '3' }), { nodes: { a: [made('large', { cpu: '3', priority: 9 }), made('small', { cpu: '1', priority: 1 })] } }, 'a: large'],
  ['none of equal or higher priority', high(), { nodes: { a: [made('x', { cpu: '4', priority: 100 })], b: [made('y', { cpu: '4', priority: 101 })] } }, '0/2 nodes are available: 2 No preemption victims found for incoming pod.'],
  ['not where the end of all is not enough', high(), { nodes: { a: [made('x', { cpu: '3', priority: 100 }), made('y', { cpu: '1' })] } }, '0/1 nodes are available: 1 Insufficient cpu.'],
  ['not where it does not help', high(), {
    nodes: { a: [made('x', { cpu: '4' })], b: [made('y', { cpu: '1' })], c: [made('z', { cpu: '2' })] },
    words: { a: { taints: [{ key: 'k', effect: 'NoSchedule' }] }, b: { allocatable: { cpu: '1' } }, c: { unschedulable: true } },
  }, '0/3 nodes are available: 3 Preemption is not helpful for scheduling.'],
  ['the fewest budgets broken first', high({ cpu: '4' }), { nodes: { a: [made('x', { cpu: '4', priority: 1, labels: web })], b: [made('y', { cpu: '4', priority: 50 })] }, budgets: [budget('web', web, 0)] }, 'b: y'],
  ['then the lowest of the highest priorities', high({ cpu: '4' }), { nodes: { a: [made('x', { cpu: '4', priority: 9 })], b: [made('y', { priority: 8 }), made('z', { cpu: '3', priority: 8 })] } }, 'b: y z'],
  ['then the smallest sum', high({ cpu: '4' }), { nodes: { a: [made('x', { cpu: '2', priority: 9 }), made('y', { cpu: '2', priority: 8 })], b: [made('z', { cpu: '2', priority: 9 }), made('u', { cpu: '2', priority: 1 })] } }, 'b: z u'],
  ['then the fewest, also of negative priority', high({ cpu: '4' }), { nodes: { a: [made('x', { cpu: '2', priority: -5 }), made('y', { cpu: '2', priority: -5 })], b: [made('z', { cpu: '4', priority: -5 })] } }, 'b: z'],
  ['then the latest start', high({ cpu: '4' }), { nodes: { a: [made('x', { cpu: '4', started: 10 })], b: [made('y', { cpu: '4', started: 20 })], c: [made('z', { cpu: '4', started: 15 })] } }, 'b: y'],
  ['within a budget, those it allows', high({ cpu: '1' }), { nodes: { a: [made('x', { cpu: '2', priority: 1, labels: web }), made('y', { cpu: '2', priority: 1, labels: web, started: 1 })] }, budgets: [budget('web', web, 1)] }, 'a: y'],
  ['a pod whose end is granted already breaks no budget', high({ cpu: '4' }), { nodes: { a: [made('x', { cpu: '4', labels: web })], b: [made('y', { cpu: '4', priority: 1 })] }, budgets: [budget('web', web, 0, { x: '2026-01-01T00:00:00Z' })] }, 'a: x'],
  ['an outer budget holds against the inner', high({ cpu: '2' }), { nodes: { a: [made('x', { cpu: '2', priority: 1, labels: web }), made('y', { cpu: '2', priority: 9 })] }, budgets: [budget('web', web, 0)] }, 'a: y'],
  ['host ports', high({ spec: withPorts({ hostPort: 80 }), requests: {} }), { nodes: { a: [made('x', { cpu: '4', spec: withPorts({ hostPort: 80 }), requests: {} }), made('y', { cpu: '4' })] } }, 'a: x'],
  ['pods that do not want it near', high({ labels: web }), { nodes: { a: [made('x', { cpu: '1', spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: web } }] } } } }), made('y')] } }, 'a: x'],
  ['pods that it does not want near', high({ spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: web } }] } } } }), { nodes: { a: [made('x'), made('y', { labels: web })] } }, 'a: y'],
  ['nobody where a pod that it must be near is below it, as in Kubernetes', high({ spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: web } }] } } } }), { nodes: { a: [made('x', { cpu: '2', labels: web, priority: 1 }), made('y', { cpu: '2', priority: 9 })], b: [made('z', { cpu: '4' })] } }, "0/2 nodes are available: 2 node(s) didn't match pod affinity rules."],
  ['a skew', high({ labels: web, cpu: '1', spec: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: web } }] } }), {
    nodes: { a: [made('x', { labels: web }), made('other', { cpu: '2', priority: 1 })], b: [made('full', { cpu: '4', priority: 200 })] },
  }, 'a: x'],
] as const) {
  test(`preempts ${what}`, (t) => {
    t.is(chosen(pod, scene), expected);
  });
}

test('a pod that never preempts, and one whose victims have not gone yet, end nobody', (t) => {
  t.is(chosen(high({ spec: { preemptionPolicy: 'Never' } }), { nodes: { a: [made('x', { cpu: '4' })] } }), 'not eligible due to preemptionPolicy=Never.');
  const { cluster } = room(high(), { nodes: { a: [made('x', { cpu: '4' })], b: [made('y', { cpu: '4' })] } });
  const decider = new Decider(profileOf('spread'), cluster, () => 0);
  const attempt = (pod: PodInfo): Room => decider.preempt(pod, new Budgets(), decider.decide(pod) as { readonly refusal: never });
  const waiting = high();
  cluster.nominations.set({ pod: waiting, nodeName: 'a', victims: new Set(['uid-x']) });
  t.deepEqual(attempt(waiting), { message: 'not eligible due to a terminating pod on the nominated node.', waits: true });
  const other = attempt(made('other', { priority: 100, cpu: '3' }));
  t.is('candidate' in other && other.candidate.node.name, 'b', 'and the room that is made there is not for others of its priority');
  const higher = attempt(made('higher', { priority: 101, cpu: '3' }));
  t.is('candidate' in higher && higher.candidate.node.name, 'a', 'but for those of a higher one');
  cluster.setNode(node('a', { allocatable: { cpu: '1' } }));
  t.true('candidate' in attempt(waiting), 'there is no point in waiting for a node that can never take it');
});

test('the room of a nominated pod is kept from its equals and lower ones, and is there for the pod itself and higher ones', (t) => {
  const cluster = new Cluster();
  cluster.setNode(node('a', { allocatable: { cpu: '4' } }));
  const decider = new Decider(profileOf('spread'), cluster, () => 0);
  const nominated = made('n', { cpu: '3', priority: 5 });
  cluster.nominations.set({ pod: nominated, nodeName: 'a', victims: new Set() });
  const fits = (one: PodInfo): boolean => 'node' in decider.decide(one);
  // One after the other in one state of the cluster, pods of one shape among them: no answer may be taken for another's.
  t.deepEqual([made('low', { cpu: '2' }), made('same', { cpu: '3', priority: 5 }), nominated, made('small', { cpu: '1', priority: 5 }), made('higher', { cpu: '2', priority: 6 })].map(fits), [false, false, true, true, true]);
  cluster.nominations.delete('uid-n');
  t.true(fits(made('low', { cpu: '2' })));
  t.is(cluster.node('a')?.podCount, 0);
});

test('what is imagined leaves no trace, also when it fails', (t) => {
  const { cluster } = room(high(), { nodes: { a: [made('x', { cpu: '4' })] } });
  const { generation } = cluster;
  t.throws(() => cluster.imagine(({ place, unplace }) => {
    unplace('uid-x');
    place(made('y'), 'a');
    place(made('x'), 'a');
    cluster.imagine((inner) => inner.unplace('uid-y'));
    t.is(cluster.node('a')?.podCount, 2);
    t.not(cluster.generation, generation);
    throw new Error('enough');
  }), { message: 'enough' });
  t.deepEqual([...cluster.node('a')!.pods.keys()], ['uid-x']);
  t.is(cluster.node('a')?.used.cpuMilli, 4_000);
  t.is(cluster.generation, generation);
  cluster.place(made('z'), 'a');
  t.not(cluster.generation, generation);
});

const seed = Number(process.env['BARGE_SEED'] ?? 20_261_128);

/** What a node's pods may be: several to a node, few priorities, so that there is something to choose. */
const podWords = fc.record({ cpuMilli: fc.constantFrom(500, 1_000, 2_000), priority: fc.integer({ min: 0, max: 4 }), app: fc.constantFrom('a', 'b', 'none'), started: fc.integer({ min: 0, max: 3 }), port: fc.constantFrom(0, 0, 0, 80) });
const sceneWords = fc.record({
  nodes: fc.array(fc.array(podWords, { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
  allowed: fc.record({ a: fc.integer({ min: 0, max: 2 }), b: fc.integer({ min: 0, max: 2 }) }),
  wants: fc.record({ cpuMilli: fc.constantFrom(1_000, 2_000, 3_000, 4_000), priority: fc.integer({ min: 1, max: 5 }), port: fc.constantFrom(0, 80) }),
});

/** Every choice of victims of a node, and of those that make room the one that gives back the most important first. */
const bruteForce = (pods: readonly PodInfo[], wants: PodInfo, capacity: number, breaking: ReadonlySet<PodInfo>): readonly PodInfo[] | undefined => {
  const importance = (a: PodInfo, b: PodInfo): number => b.priority - a.priority || Date.parse(a.pod.status!.startTime!) - Date.parse(b.pod.status!.startTime!);
  const lower = pods.filter(({ priority }) => priority < wants.priority).sort(importance);
  const order = [...lower.filter((one) => breaking.has(one)), ...lower.filter((one) => !breaking.has(one))];
  let best: { readonly kept: string; readonly victims: readonly PodInfo[] } | undefined;
  for (let choice = 0; choice < 2 ** order.length; choice++) {
    const victims = order.filter((_, at) => (choice & (1 << at)) !== 0);
    const left = pods.filter((one) => !victims.includes(one));
    if (left.reduce((sum, one) => sum + one.requests.cpuMilli, 0) + wants.requests.cpuMilli > capacity) continue;
    if (wants.ports.length > 0 && left.some((one) => one.ports.length > 0)) continue;
    const kept = order.map((one) => (victims.includes(one) ? '0' : '1')).join('');
    if (best === undefined || kept > best.kept) best = { kept, victims };
  }
  return best?.victims;
};

test(`property: the choice is that of brute force, and no victim is of equal or higher priority (BARGE_SEED=${seed})`, (t) => {
  let preempted = 0;
  fc.assert(fc.property(sceneWords, ({ nodes, allowed, wants }) => {
    const ported = (port: number): Partial<PodSpec> => (port === 0 ? {} : withPorts({ hostPort: port }));
    const build = (name: string, words: { readonly cpuMilli: number; readonly priority: number; readonly port: number; readonly app?: string; readonly started?: number }): PodInfo => {
      const requests = { cpu: `${words.cpuMilli}m` };
      const spec = ported(words.port);
      return made(name, { priority: words.priority, requests, labels: { app: words.app ?? 'none' }, started: words.started ?? 0, spec: spec.containers === undefined ? {} : { containers: spec.containers.map((one) => ({ ...one, resources: { requests } })) } });
    };
    const capacity = 4_000;
    // No more on a node than there is room for, and one host port at most.
    const placed = nodes.map((list, n) => {
      let [sum, port] = [0, false];
      return list.flatMap((words, m) => {
        if (sum + words.cpuMilli > capacity) return [];
        sum += words.cpuMilli;
        const one = build(`p${n}-${m}`, { ...words, port: port ? 0 : words.port });
        port ||= words.port !== 0;
        return [one];
      });
    });
    const cluster = new Cluster();
    for (const [n, pods] of placed.entries()) {
      cluster.setNode(node(`n${n}`, { allocatable: { cpu: `${capacity}m` } }));
      for (const one of pods) cluster.place(one, `n${n}`);
    }
    const budgets = new Budgets();
    for (const app of ['a', 'b'] as const) budgets.set(budget(app, { app }, allowed[app]));
    const wanted = build('wanted', wants);
    const decider = new Decider(profileOf('spread'), cluster, () => 0);
    const decision = decider.decide(wanted);
    if (!('refusal' in decision)) return;
    const before = cluster.nodes.map((info) => [info.name, { ...info.used }, [...info.pods.keys()].sort()]);
    const found = decider.preempt(wanted, budgets, decision);
    t.deepEqual(cluster.nodes.map((info) => [info.name, { ...info.used }, [...info.pods.keys()].sort()]), before);
    const candidates = placed.flatMap((pods, n): Candidate[] => {
      const lower = pods.filter(({ priority }) => priority < wanted.priority);
      const breaking = budgets.broken([...lower].sort((a, b) => b.priority - a.priority || Date.parse(a.pod.status!.startTime!) - Date.parse(b.pod.status!.startTime!)));
      const victims = bruteForce(pods, wanted, capacity, breaking);
      return victims === undefined ? [] : [{ node: nodeInfo(`n${n}`), victims, broken: victims.filter((one) => breaking.has(one)).length }];
    });
    if ('message' in found) {
      t.is(candidates.length, 0);
      return;
    }
    preempted++;
    const best = leastCost(candidates)!;
    t.deepEqual([found.candidate.node.name, found.candidate.victims, found.candidate.broken], [best.node.name, best.victims, best.broken]);
    for (const { priority } of found.candidate.victims) if (priority >= wanted.priority) throw new Error('a victim is not below the pod');
    if (candidates.some(({ broken }) => broken === 0) && found.candidate.broken > 0) throw new Error('a budget is broken for nothing');
  }), { numRuns: 400, seed });
  t.true(preempted > 50, `only ${preempted} runs came to a preemption`);
});

test(`property: pods of all priorities come and preempt, and no node is ever overcommitted, no host port given twice (BARGE_SEED=${seed})`, (t) => {
  fc.assert(fc.property(fc.array(podWords, { minLength: 5, maxLength: 40 }), fc.integer(), (words, chance) => {
    const cluster = new Cluster();
    for (const name of ['a', 'b', 'c']) cluster.setNode(node(name, { allocatable: { cpu: '4' } }));
    const decider = new Decider(profileOf('spread'), cluster, seededRandom(chance));
    const budgets = new Budgets();
    for (const [n, { cpuMilli, priority, port }] of words.entries()) {
      const requests = { cpu: `${cpuMilli}m` };
      const one = made(`p${n}`, { priority, requests, spec: port === 0 ? {} : { containers: withPorts({ hostPort: port }).containers!.map((container) => ({ ...container, resources: { requests } })) } });
      let decision = decider.decide(one);
      if ('refusal' in decision) {
        const found = decider.preempt(one, budgets, decision);
        // What is remembered of nodes must be what somebody who remembers nothing finds.
        const anew = new Decider(profileOf('spread'), cluster, seededRandom(chance));
        const fresh = anew.preempt(one, budgets, anew.decide(one) as { readonly refusal: never });
        if ('message' in found || 'message' in fresh) {
          t.deepEqual(found, fresh);
          continue;
        }
        t.deepEqual([found.candidate.victims.length, found.candidate.broken], [fresh.candidate.victims.length, fresh.candidate.broken]);
        const { node: there, victims } = found.candidate;
        cluster.nominations.set({ pod: one, nodeName: there.name, victims: new Set(victims.map(({ uid }) => uid)) });
        for (const { uid, priority: theirs } of victims) {
          if (theirs >= priority) throw new Error('a victim is not below the pod');
          cluster.unplace(uid);
        }
        decision = decider.decide(one);
        if (!('node' in decision) || decision.node !== there) throw new Error('the room that was made is not enough');
        cluster.nominations.delete(one.uid);
      }
      if (!('node' in decision)) throw new Error('it is refused still');
      cluster.place(one, decision.node.name);
      for (const info of cluster.nodes) {
        if (info.used.cpuMilli > 4_000) throw new Error(`${info.name} is overcommitted`);
        if ([...info.pods.values()].filter(({ ports }) => ports.length > 0).length > 1) throw new Error(`${info.name} gives a port twice`);
      }
    }
  }), { numRuns: 150, seed });
  t.pass();
});
