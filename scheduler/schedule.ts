/**
 * The decision: which node takes a pod, or why none does. Pure but for chance, which is passed in and breaks ties.
 *
 * Cost: filters are asked until enough nodes fit; only those are scored. Enough is all of them up to 100 nodes, and falls
 * from half to a twentieth as the cluster grows, which loses little and makes the work for a pod nearly independent of the
 * cluster's size. Every search starts where the last one stopped, so that all nodes get their turn.
 */
import type { Cluster } from './cluster.ts';
import type { Refusal } from './explain.ts';
import type { Check, Filter, Narrowed, Normalise, Profile, Reason, Wake } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { misreadStrategy, strategyOf } from './strategies.ts';

/** A node, why none fits, or what is wrong with what the pod asks for. */
export type Decision = { readonly node: NodeInfo } | { readonly refusal: Refusal } | { readonly misread: string };

/** What depends on a pod's shape alone. */
interface Prepared {
  readonly misread: string | undefined;
  readonly checks: readonly { readonly filter: Filter; readonly check: Check }[];
  readonly sieves: readonly ((nodes: readonly NodeInfo[]) => readonly NodeInfo[])[];
  readonly scores: readonly Score[];
  /** Whether another pod, placed or gone, can help. */
  readonly helped: readonly ((other: PodInfo) => boolean)[];
  readonly narrowed: Narrowed | undefined;
  /** The last refusal, and the generation of the cluster for which it holds. */
  refused: { readonly refusal: Refusal; readonly generation: number } | undefined;
}

interface Score {
  readonly score: (node: NodeInfo) => number;
  readonly weight: number;
  readonly normalise: Normalise | undefined;
}

const unreadable: Omit<Prepared, 'misread'> = { checks: [], sieves: [], scores: [], helped: [], narrowed: undefined, refused: undefined };

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
  #start = 0;

  constructor(profile: Profile, cluster: Cluster, random: () => number) {
    this.#profile = profile;
    this.#cluster = cluster;
    this.#random = random;
  }

  /** The node for a pod as the cluster stands. Changes nothing: the caller places the pod. */
  decide(pod: PodInfo): Decision {
    const prepared = this.#prepare(pod);
    if (prepared.misread !== undefined) return { misread: prepared.misread };
    const { generation } = this.#cluster;
    if (prepared.refused?.generation === generation) return { refusal: prepared.refused.refusal };
    const reasons = new Map<string, number>();
    const wokenBy = new Set<Wake>(['nodeAdded']);
    const fitting = this.#fitting(prepared, reasons, wokenBy);
    if (fitting.length > 0) return { node: this.#best(prepared, fitting) };
    const refusal = { nodeCount: this.#cluster.nodes.length, reasons, wokenBy };
    prepared.refused = { refusal, generation };
    return { refusal };
  }

  /** Undefined when the node would take the pod now, else what could change the reason for which it does not. */
  refusedBy(pod: PodInfo, node: NodeInfo): readonly Wake[] | undefined {
    return this.#prepare(pod).checks.find(({ check }) => check(node) !== undefined)?.filter.wokenBy;
  }

  /** Whether it can help a refused pod that another one was placed, or is gone. */
  isHelpedBy(pod: PodInfo, other: PodInfo): boolean {
    return this.#prepare(pod).helped.some((helps) => helps(other));
  }

  #prepare(pod: PodInfo): Prepared {
    const known = this.#prepared.get(pod.shape);
    if (known !== undefined) return known;
    const { filters, sieves, strategy } = this.#profile;
    const misread = misreadStrategy(pod) ?? filters.map((filter) => filter.misread?.(pod)).find((problem) => problem !== undefined);
    const prepared: Prepared = misread !== undefined ? { ...unreadable, misread } : {
      misread,
      checks: filters.flatMap((filter) => {
        const check = filter.prepare(pod, this.#cluster);
        return check === undefined ? [] : [{ filter, check }];
      }),
      sieves: sieves.flatMap((sieve) => sieve.prepare(pod, this.#cluster) ?? []),
      scores: (strategyOf(pod) ?? strategy).scorers.flatMap(({ scorer, weight }) => {
        const score = scorer.prepare(pod, this.#cluster);
        return score === undefined ? [] : [{ score, weight, normalise: scorer.normalise }];
      }),
      helped: filters.flatMap((filter) => filter.helpedBy?.(pod, this.#cluster) ?? []),
      narrowed: filters.map((filter) => filter.narrow?.(pod)).find((narrowed) => narrowed !== undefined),
      refused: undefined,
    };
    if (this.#prepared.size >= keptShapes) for (const oldest of this.#prepared.keys()) {
      this.#prepared.delete(oldest);
      break;
    }
    this.#prepared.set(pod.shape, prepared);
    return prepared;
  }

  #fitting({ checks, sieves, narrowed }: Prepared, reasons: Map<string, number>, wokenBy: Set<Wake>): readonly NodeInfo[] {
    const fitting: NodeInfo[] = [];
    const all = this.#cluster.nodes;
    let nodes = all;
    if (narrowed !== undefined) {
      nodes = [...new Set(narrowed.names)].flatMap((name) => this.#cluster.node(name) ?? []);
      if (all.length > nodes.length) reasons.set(narrowed.reason, all.length - nodes.length);
    }
    // A sieve knows what is best only when it sees all.
    const enough = sieves.length > 0 ? nodes.length : enoughOf(nodes.length);
    const start = nodes === all && nodes.length > 0 ? this.#start % nodes.length : 0;
    let looked = 0;
    for (; looked < nodes.length && fitting.length < enough; looked++) {
      const node = nodes[(start + looked) % nodes.length] as NodeInfo;
      let refused = false;
      for (const { filter, check } of checks) {
        const reason = check(node);
        if (reason === undefined) continue;
        count(reasons, reason);
        for (const wake of filter.wokenBy) wokenBy.add(wake);
        refused = true;
        break;
      }
      if (!refused) fitting.push(node);
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
    for (const [at, total] of totals.entries()) {
      if (total < most) continue;
      // Each of n equals is kept with a chance of 1/n, so that all of them have the same.
      equals = total > most ? 1 : equals + 1;
      if (equals === 1 || this.#random() * equals < 1) best = fitting[at] as NodeInfo;
      most = total;
    }
    return best;
  }
}

const count = (reasons: Map<string, number>, reason: Reason): void => {
  for (const one of typeof reason === 'string' ? [reason] : reason) reasons.set(one, (reasons.get(one) ?? 0) + 1);
};
