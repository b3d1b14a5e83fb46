/**
 * Why a pod is where it is, or nowhere, worked out in full: every filter is asked about every node, where the decision stops
 * at the first refusal and at enough nodes; and all nodes that fit are ranked. For people: it costs more than a decision.
 */
import type { Cluster } from './cluster.ts';
import { explain } from './explain.ts';
import type { Profile, Reason } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { remedies } from './remedies.ts';
import { Decider } from './schedule.ts';
import { strategyOf } from './strategies.ts';

/** A filter that refuses some nodes. */
export interface FilterVerdict {
  readonly filter: string;
  readonly nodeCount: number;
  /** The reasons in the words of the PodScheduled condition, each with its nodes. A node counts for each of its reasons. */
  readonly reasons: readonly { readonly reason: string; readonly nodes: readonly string[] }[];
  /** What would have to change, one way out a sentence. */
  readonly remedies: readonly string[];
}

/** A node that fits, with what each scorer gives for it, weighed. */
export interface RankedNode {
  readonly node: string;
  readonly total: number;
  readonly scores: Readonly<Record<string, number>>;
  /** The sieve that passed the node over for others that the pod would rather have; such nodes come last. */
  readonly passedOver?: string;
}

export interface SchedulingExplanation {
  readonly strategy: string;
  readonly nodeCount: number;
  /** What the PodScheduled condition would say; undefined where a node fits. */
  readonly message?: string;
  /** In the order in which they are asked. */
  readonly filters: readonly FilterVerdict[];
  /** Nodes that one filter alone keeps from fitting. */
  readonly nearest: readonly { readonly node: string; readonly filter: string }[];
  /** The nodes that fit, best first. */
  readonly ranking: readonly RankedNode[];
}

interface Refusals {
  readonly filter: string;
  readonly byNode: ReadonlyMap<NodeInfo, Reason>;
}

const reasonsOf = ({ byNode }: Refusals): FilterVerdict['reasons'] => {
  const nodes = new Map<string, string[]>();
  for (const [{ name }, reason] of byNode) for (const one of typeof reason === 'string' ? [reason] : reason) nodes.set(one, [...(nodes.get(one) ?? []), name]);
  return [...nodes].map(([reason, names]) => ({ reason, nodes: names.sort() })).sort((a, b) => b.nodes.length - a.nodes.length);
};

/** Explains a pod on the cluster as it stands, which must not count the pod itself. Changes nothing. */
export const explainScheduling = (pod: PodInfo, cluster: Cluster, profile: Profile): SchedulingExplanation => {
  const strategy = strategyOf(pod) ?? profile.strategy;
  const { nodes } = cluster;
  const all: readonly Refusals[] = profile.filters.flatMap((filter) => {
    const check = filter.prepare(pod, cluster);
    const byNode = new Map<NodeInfo, Reason>();
    const precluded = filter.preclude?.(pod, cluster);
    if (check !== undefined) for (const node of nodes) {
      const reason = precluded ?? check(node);
      if (reason !== undefined) byNode.set(node, reason);
    }
    return byNode.size === 0 ? [] : [{ filter: filter.name, byNode }];
  });
  const decision = new Decider(profile, cluster, () => 0).decide(pod);
  const message = 'misread' in decision ? decision.misread : 'refusal' in decision ? explain(decision.refusal) : undefined;
  const fitting = 'misread' in decision ? [] : nodes.filter((node) => all.every(({ byNode }) => !byNode.has(node)));
  return {
    strategy: strategy.name, nodeCount: nodes.length, ...(message === undefined ? {} : { message }),
    filters: all.map((one) => ({ filter: one.filter, nodeCount: one.byNode.size, reasons: reasonsOf(one), remedies: remedies.get(one.filter)?.(pod, [...one.byNode.keys()], cluster) ?? [] })),
    nearest: nodes.flatMap((node) => {
      const [only, ...more] = all.filter(({ byNode }) => byNode.has(node));
      return only === undefined || more.length > 0 ? [] : [{ node: node.name, filter: only.filter }];
    }),
    ranking: ranked(fitting, { pod, cluster, profile: { ...profile, strategy } }),
  };
};

const ranked = (fitting: readonly NodeInfo[], { pod, cluster, profile }: { readonly pod: PodInfo; readonly cluster: Cluster; readonly profile: Profile }): readonly RankedNode[] => {
  const passedOver = new Map<NodeInfo, string>();
  let left = fitting;
  for (const sieve of profile.sieves) {
    const kept = sieve.prepare(pod, cluster)?.(left) ?? left;
    const rest = new Set(kept);
    for (const node of left) if (!rest.has(node)) passedOver.set(node, sieve.name);
    left = kept;
  }
  // Scores are brought to a scale among those that are weighed against each other.
  const weighed = [left, fitting.filter((node) => passedOver.has(node))].flatMap((group) => scored(group, { pod, cluster, profile }));
  return weighed.map(({ node, scores, total }) => {
    const by = passedOver.get(node);
    return { node: node.name, total, scores, ...(by === undefined ? {} : { passedOver: by }) };
  });
};

const scored = (nodes: readonly NodeInfo[], { pod, cluster, profile }: { readonly pod: PodInfo; readonly cluster: Cluster; readonly profile: Profile }) => {
  const scores = nodes.map(() => ({}) as Record<string, number>);
  for (const { scorer, weight } of profile.strategy.scorers) {
    const score = scorer.prepare(pod, cluster);
    if (score === undefined) continue;
    const ones = Float64Array.from(nodes, (node) => score(node));
    scorer.normalise?.(ones);
    for (const [index, one] of ones.entries()) scores[index]![scorer.name] = one * weight;
  }
  return nodes.map((node, index) => ({ node, scores: scores[index]!, total: Object.values(scores[index]!).reduce((sum, one) => sum + one, 0) }))
    .sort((a, b) => b.total - a.total);
};
