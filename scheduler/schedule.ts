/**
 * The decision: which node takes a pod, or why none does. Pure but for chance, which is passed in and breaks ties.
 *
 * Cost: filters are asked until enough nodes fit; only those are scored. Enough is all of them up to 100 nodes, and falls
 * from half to a twentieth as the cluster grows, which loses little and makes the work for a pod nearly independent of the
 * cluster's size. Every search starts where the last one stopped, so that all nodes get their turn.
 */
import { conditionOf } from '../schemas/conditions.ts';
import { Budgets } from './budgets.ts';
import type { Cluster } from './cluster.ts';
import { explain, type Refusal } from './explain.ts';
import type { Check, Filter, Narrowed, Normalise, Profile, Reason, Scorer, Wake } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { notHelpful, noVictims, preempt, preemptionReason, VictimMemory, victimsOn, type Candidate, type PreemptionView } from './preemption.ts';
import { misreadStrategy, strategyOf } from './strategies.ts';

/** A node, why none fits, or what is wrong with what the pod asks for. */
export type Decision = { readonly node: NodeInfo } | { readonly refusal: Refusal } | { readonly misread: string };

/** What depends on a pod's shape alone. */
interface Prepared {
  readonly misread: string | undefined;
  /** Filters that may rule out all nodes at once. */
  readonly precluding: readonly Filter[];
  readonly checks: readonly PreparedCheck[];
  readonly sieves: readonly ((nodes: readonly NodeInfo[]) => readonly NodeInfo[])[];
  readonly scores: readonly Score[];
  /** Whether another pod, placed or gone, can help. */
  readonly helped: readonly ((other: PodInfo) => boolean)[];
  readonly narrowed: Narrowed | undefined;
  readonly victims: VictimMemory;
  /** The last refusal, the generation of the cluster for which it holds, and why preemption is of no help then. */
  refused: { readonly refusal: Refusal; readonly generation: number; helpless?: string } | undefined;
}

interface PreparedCheck {
  readonly filter: Filter;
  readonly check: Check;
  /** Whether the end of pods on a node can turn the refusal at all. */
  readonly isHelpedByRoom: boolean;
}

interface NodeRefusal {
  readonly by: PreparedCheck;
  readonly reason: Reason;
}

/** Whom to end for a pod, or in words why nobody; `waits` where it is because those that were told to go have not gone yet. */
export type Room = { readonly candidate: Candidate } | { readonly message: string; readonly waits: boolean };

interface Score {
  readonly score: (node: NodeInfo) => number;
  readonly weight: number;
  readonly normalise: Normalise | undefined;
}

const unreadable: Omit<Prepared, 'misread'> = { precluding: [], checks: [], sieves: [], scores: [], helped: [], narrowed: undefined, victims: new VictimMemory(), refused: undefined };

const noBudgets = new Budgets();

/** Shapes that are kept: more than the templates of any cluster that this serves. */
const keptShapes = 2_000;
const alwaysEnough = 100;

/** How many nodes that fit are scored, of so many. */
export const enoughOf = (nodes: number): number => {
  if (nodes <= alwaysEnough) return nodes;
  const percent = Math.max(5, 50 - nodes / 125);
  return Math.max(alwaysEnough, Math.floor(nodes * percent / 100));
};

export class Decider {
  readonly #profile: Profile;
  readonly #cluster: Cluster;
  readonly #random: () => number;
  readonly #prepared = new Map<string, Prepared>();
  readonly #dependent: readonly Scorer[];
  #start = 0;
  #limitsSlots = false;

  constructor(profile: Profile, cluster: Cluster, random: () => number) {
    this.#profile = profile;
    this.#cluster = cluster;
    this.#random = random;
    this.#dependent = profile.strategy.scorers.flatMap(({ scorer }) => (scorer.dependsOn === undefined ? [] : [scorer]));
  }

  /** The node for a pod as the cluster stands. Changes nothing: the caller places the pod. */
  decide(pod: PodInfo): Decision {
    const prepared = this.#prepare(pod);
    if (prepared.misread !== undefined) return { misread: prepared.misread };
    const precluded = this.#precluded(pod, prepared);
    if (precluded !== undefined) {
      const nodeCount = this.#cluster.nodes.length;
      return { refusal: { nodeCount, reasons: new Map(), precluded: precluded.why, lasting: nodeCount, wokenBy: new Set(precluded.by.wokenBy) } };
    }
    const { generation, nominations } = this.#cluster;
    const nomination = nominations.of(pod.uid);
    // The room that a nominated pod waits for is kept from others of its shape, so what was found for them says nothing.
    if (nomination === undefined && prepared.refused?.generation === generation) return { refusal: prepared.refused.refusal };
    const madeFor = nomination === undefined ? undefined : this.#cluster.node(nomination.nodeName);
    if (madeFor !== undefined && this.#refusal(pod, prepared, madeFor) === undefined) return { node: madeFor };
    const found = { reasons: new Map<string, number>(), wokenBy: new Set<Wake>(['nodeAdded']), lasting: 0 };
    const fitting = this.#fitting(pod, prepared, found);
    if (fitting.length > 0) return { node: this.#best(prepared, fitting) };
    const refusal = { nodeCount: this.#cluster.nodes.length, ...found };
    prepared.refused = { refusal, generation };
    return { refusal };
  }

  /** Undefined when the node would take the pod now, else what could change the reason for which it does not. */
  refusedBy(pod: PodInfo, node: NodeInfo): readonly Wake[] | undefined {
    const prepared = this.#prepare(pod);
    return (this.#precluded(pod, prepared)?.by ?? this.#refusal(pod, prepared, node)?.by.filter)?.wokenBy;
  }

  /** As `refusedBy`, and undefined too where room can be made: a pod that waits for none yet is worth a try then. */
  stillRefusedBy(pod: PodInfo, node: NodeInfo): readonly Wake[] | undefined {
    const refusedBy = this.refusedBy(pod, node);
    return refusedBy !== undefined && this.#canMakeRoom(pod, node) ? undefined : refusedBy;
  }

  #canMakeRoom(pod: PodInfo, node: NodeInfo): boolean {
    const cluster = this.#cluster;
    if (cluster.leastPriority >= pod.priority || pod.pod.spec.preemptionPolicy === 'Never' || cluster.nominations.of(pod.uid) !== undefined) return false;
    const prepared = this.#prepare(pod);
    const refusedAt = this.#viewOf(pod, prepared);
    if (this.#precluded(pod, prepared) !== undefined || refusedAt(node)?.lasting !== false) return false;
    // Budgets change whom to end, not whether it makes room.
    const found = victimsOn(node, pod, { cluster, budgets: noBudgets, refusedAt });
    return typeof found !== 'string' && 'node' in found;
  }

  #viewOf(pod: PodInfo, prepared: Prepared): PreemptionView['refusedAt'] {
    return (node) => {
      const refused = this.#refusal(pod, prepared, node);
      return refused && { reason: refused.reason, lasting: isLasting(refused, pod, node) };
    };
  }

  #precluded(pod: PodInfo, { precluding }: Prepared): { readonly by: Filter; readonly why: string } | undefined {
    for (const by of precluding) {
      const why = by.preclude?.(pod, this.#cluster);
      if (why !== undefined) return { by, why };
    }
    return undefined;
  }

  /** Whom to end so that a pod that was refused just now finds room. Changes nothing. */
  preempt(pod: PodInfo, budgets: Budgets, { refusal }: { readonly refusal: Refusal }): Room {
    if (pod.pod.spec.preemptionPolicy === 'Never') return { message: 'not eligible due to preemptionPolicy=Never.', waits: false };
    const { generation, nodes } = this.#cluster;
    if (refusal.precluded !== undefined) return { message: explain({ nodeCount: nodes.length, reasons: new Map([[notHelpful, nodes.length]]) }), waits: false };
    const prepared = this.#prepare(pod);
    if (this.#waitsForVictims(pod, prepared)) return { message: 'not eligible due to a terminating pod on the nominated node.', waits: true };
    const known = prepared.refused?.generation === generation ? prepared.refused : undefined;
    if (known?.helpless !== undefined) return { message: known.helpless, waits: false };
    const found = this.#cluster.leastPriority >= pod.priority
      ? { reasons: new Map([[notHelpful, refusal.lasting], [noVictims, nodes.length - refusal.lasting]].filter(([, count]) => count !== 0) as [string, number][]) }
      : preempt(pod, {
        cluster: this.#cluster, budgets, memory: this.#memoryFor(pod, prepared), start: Math.floor(this.#random() * nodes.length),
        refusedAt: this.#viewOf(pod, prepared),
      });
    if ('candidate' in found) return found;
    const message = explain({ nodeCount: nodes.length, reasons: found.reasons });
    if (known !== undefined) known.helpless = message;
    return { message, waits: false };
  }

  /** What was found for pods of this shape; a pod for which room is made already sees another cluster than the others. */
  #memoryFor(pod: PodInfo, { checks, victims }: Prepared): VictimMemory | undefined {
    const isLocal = this.#cluster.nominations.of(pod.uid) === undefined && checks.every(({ filter }) => filter.isLocal?.(pod, this.#cluster) === true);
    return isLocal ? victims : undefined;
  }

  /** Whether pods that were told to go for this one are still there, and the node is still worth waiting for. */
  #waitsForVictims(pod: PodInfo, prepared: Prepared): boolean {
    const nomination = this.#cluster.nominations.of(pod.uid);
    const node = nomination && this.#cluster.node(nomination.nodeName);
    if (nomination === undefined || node === undefined) return false;
    const refused = this.#refusal(pod, prepared, node);
    if (refused !== undefined && isLasting(refused, pod, node)) return false;
    return [...node.pods.values()].some((other) => nomination.victims.has(other.uid) || (other.priority < pod.priority && isPreempted(other)));
  }

  /** The first check that refuses the node, with the room of pods that are nominated to it taken; undefined: it takes the pod. */
  #refusal(pod: PodInfo, prepared: Prepared, node: NodeInfo): NodeRefusal | undefined {
    const refused = firstRefusal(prepared, node);
    const { nominations } = this.#cluster;
    if (refused !== undefined || nominations.size === 0) return refused;
    const others = [...nominations.on(node.name).values()].filter((other) => other.pod.uid !== pod.uid && other.pod.priority >= pod.priority);
    if (others.length === 0) return undefined;
    return this.#cluster.imagine(({ place }) => {
      for (const other of others) place(other.pod, node.name);
      return firstRefusal(prepared, node);
    });
  }

  /** Whether it can help a refused pod that another one was placed, or is gone. */
  isHelpedBy(pod: PodInfo, other: PodInfo): boolean {
    return this.#prepare(pod).helped.some((helps) => helps(other));
  }

  #prepare(pod: PodInfo): Prepared {
    const { limitsSlots } = this.#cluster;
    if (limitsSlots !== this.#limitsSlots) {
      this.#prepared.clear();
      this.#limitsSlots = limitsSlots;
    }
    const key = this.#dependent.reduce((text, scorer) => `${text} ${scorer.dependsOn?.(pod, this.#cluster)}`, pod.shape);
    const known = this.#prepared.get(key);
    if (known !== undefined) return known;
    const { filters, sieves, strategy } = this.#profile;
    const misread = misreadStrategy(pod) ?? filters.map((filter) => filter.misread?.(pod)).find((problem) => problem !== undefined);
    const prepared: Prepared = misread !== undefined ? { ...unreadable, misread } : {
      misread,
      precluding: filters.filter((filter) => filter.preclude !== undefined && filter.prepare(pod, this.#cluster) !== undefined),
      checks: filters.flatMap((filter) => {
        const check = filter.prepare(pod, this.#cluster);
        return check === undefined ? [] : [{ filter, check, isHelpedByRoom: filter.wokenBy.includes('podGone') }];
      }),
      sieves: sieves.flatMap((sieve) => sieve.prepare(pod, this.#cluster) ?? []),
      scores: (strategyOf(pod) ?? strategy).scorers.flatMap(({ scorer, weight }) => {
        const score = scorer.prepare(pod, this.#cluster);
        return score === undefined ? [] : [{ score, weight, normalise: scorer.normalise }];
      }),
      helped: filters.flatMap((filter) => filter.helpedBy?.(pod, this.#cluster) ?? []),
      narrowed: filters.map((filter) => filter.narrow?.(pod)).find((narrowed) => narrowed !== undefined),
      victims: new VictimMemory(),
      refused: undefined,
    };
    if (this.#prepared.size >= keptShapes) for (const oldest of this.#prepared.keys()) {
      this.#prepared.delete(oldest);
      break;
    }
    this.#prepared.set(key, prepared);
    return prepared;
  }

  #fitting(pod: PodInfo, prepared: Prepared, found: { readonly reasons: Map<string, number>; readonly wokenBy: Set<Wake>; lasting: number }): readonly NodeInfo[] {
    const { narrowed, sieves } = prepared;
    const { reasons, wokenBy } = found;
    const fitting: NodeInfo[] = [];
    const all = this.#cluster.nodes;
    let nodes = all;
    if (narrowed !== undefined) {
      nodes = [...new Set(narrowed.names)].flatMap((name) => this.#cluster.node(name) ?? []);
      found.lasting = all.length - nodes.length;
      if (found.lasting > 0) reasons.set(narrowed.reason, found.lasting);
    }
    // A sieve knows what is best only when it sees all.
    const enough = sieves.length > 0 ? nodes.length : enoughOf(nodes.length);
    const start = nodes === all && nodes.length > 0 ? this.#start % nodes.length : 0;
    let looked = 0;
    for (; looked < nodes.length && fitting.length < enough; looked++) {
      const node = nodes[(start + looked) % nodes.length] as NodeInfo;
      const refused = this.#refusal(pod, prepared, node);
      if (refused === undefined) {
        fitting.push(node);
        continue;
      }
      count(reasons, refused.reason);
      for (const wake of refused.by.filter.wokenBy) wokenBy.add(wake);
      if (isLasting(refused, pod, node)) found.lasting++;
    }
    if (nodes === all && nodes.length > 0) this.#start = (start + looked) % nodes.length;
    return fitting;
  }

  #best({ sieves, scores }: Prepared, all: readonly NodeInfo[]): NodeInfo {
    let fitting = all;
    for (const sieve of sieves) fitting = sieve(fitting);
    let best = fitting[0] as NodeInfo;
    if (fitting.length === 1) return best;
    const totals = new Float64Array(fitting.length);
    const ones = new Float64Array(fitting.length);
    for (const { score, weight, normalise } of scores) {
      for (let at = 0; at < ones.length; at++) ones[at] = score(fitting[at] as NodeInfo);
      normalise?.(ones);
      for (let at = 0; at < ones.length; at++) totals[at]! += weight * ones[at]!;
    }
    let most = -Infinity;
    let equals = 0;
    for (let at = 0; at < totals.length; at++) {
      const total = totals[at]!;
      if (total < most) continue;
      // Each of n equals is kept with a chance of 1/n, so that all of them have the same.
      equals = total > most ? 1 : equals + 1;
      if (equals === 1 || this.#random() * equals < 1) best = fitting[at] as NodeInfo;
      most = total;
    }
    return best;
  }
}

const firstRefusal = ({ checks }: Prepared, node: NodeInfo): NodeRefusal | undefined => {
  for (const by of checks) {
    const reason = by.check(node);
    if (reason !== undefined) return { by, reason };
  }
  return undefined;
};

const isLasting = ({ by, reason }: NodeRefusal, pod: PodInfo, node: NodeInfo): boolean => !by.isHelpedByRoom || by.filter.isLasting?.(pod, node, reason) === true;

/** Whether a pod ends because another needs its room. */
const isPreempted = ({ pod }: PodInfo): boolean =>
  pod.metadata.deletionTimestamp !== undefined && conditionOf(pod.status?.conditions, 'DisruptionTarget')?.reason === preemptionReason;

const count = (reasons: Map<string, number>, reason: Reason): void => {
  for (const one of typeof reason === 'string' ? [reason] : reason) reasons.set(one, (reasons.get(one) ?? 0) + 1);
};
