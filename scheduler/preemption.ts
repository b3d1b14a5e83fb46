/**
 * Whom to end so that a pod finds room: decided as Kubernetes does, changing nothing. On each node where the end of pods
 * could help, all pods of lower priority are taken away in mind and as many as possible are given back, the most important
 * first, those whose end would break a budget before all others. Of the nodes, the one whose victims hurt least is taken.
 *
 * Cost: the filters run once for each pod of lower priority on a node, for a tenth of the nodes (a hundred at least). Where
 * they look at the node alone, what was found is remembered for pods of the same shape until the node changes.
 */
import type { Budgets } from './budgets.ts';
import type { Cluster } from './cluster.ts';
import type { Reason } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

export interface Candidate {
  readonly node: NodeInfo;
  /** The most important first; those whose end breaks a budget before all others. */
  readonly victims: readonly PodInfo[];
  /** How many of the victims' ends break a budget. */
  readonly broken: number;
}

/** The pods to end, or how many nodes cannot be helped for each reason. */
export type Preemption = { readonly candidate: Candidate } | { readonly reasons: ReadonlyMap<string, number> };

export interface PreemptionView {
  readonly cluster: Cluster;
  readonly budgets: Budgets;
  /** Why the node does not take the pod as the cluster stands, and whether the end of pods there could change it. */
  readonly refusedAt: (node: NodeInfo) => { readonly reason: Reason; readonly lasting: boolean } | undefined;
  /** What was found on nodes before, where it does not depend on other nodes. */
  readonly memory: VictimMemory | undefined;
  /** Where among the nodes to begin. */
  readonly start: number;
}

/** What was found on nodes for pods of one shape. It holds as long as nothing about a node and its pods, or a budget, changes. */
export class VictimMemory {
  readonly #found = new WeakMap<NodeInfo, { readonly version: number; readonly budgets: number; readonly found: Candidate | Reason }>();

  get(node: NodeInfo, budgets: Budgets): Candidate | Reason | undefined {
    const known = this.#found.get(node);
    return known?.version === node.version && known.budgets === budgets.version ? known.found : undefined;
  }

  set(node: NodeInfo, budgets: Budgets, found: Candidate | Reason): void {
    this.#found.set(node, { version: node.version, budgets: budgets.version, found });
  }
}

/** Reason of the condition DisruptionTarget of pods that end because another needs their room. */
export const preemptionReason = 'PreemptionByScheduler';
export const notHelpful = 'Preemption is not helpful for scheduling';
export const noVictims = 'No preemption victims found for incoming pod';

const leastCandidates = 100;
const sharePercent = 10;

/** When a pod began; of two it is the one that runs longer that stays. One that has not begun is the newest. */
const startedMs = ({ pod }: PodInfo): number => {
  const started = pod.status?.startTime;
  return started === undefined ? Infinity : Date.parse(started);
};

/** The more important pod first: by priority, then the one that runs longer; of equals by name, so that the order is one. */
const byImportance = (a: PodInfo, b: PodInfo): number => {
  if (a.priority !== b.priority) return b.priority - a.priority;
  const [startedA, startedB] = [startedMs(a), startedMs(b)];
  if (startedA !== startedB) return startedA - startedB;
  return a.key < b.key ? -1 : 1;
};

/** The fewest pods of a node whose end makes room for the pod, or why even the end of all of them would not. */
export const victimsOn = (node: NodeInfo, pod: PodInfo, { cluster, budgets, refusedAt }: Omit<PreemptionView, 'memory' | 'start'>): Candidate | Reason => {
  const lower = [...node.pods.values()].filter(({ priority }) => priority < pod.priority).sort(byImportance);
  if (lower.length === 0) return noVictims;
  return cluster.imagine(({ place, unplace }) => {
    for (const { uid } of lower) unplace(uid);
    const refusal = refusedAt(node);
    if (refusal !== undefined) return refusal.reason;
    const victims: PodInfo[] = [];
    const giveBack = (one: PodInfo): void => {
      place(one, node.name);
      if (refusedAt(node) === undefined) return;
      unplace(one.uid);
      victims.push(one);
    };
    const breaking = budgets.broken(lower);
    for (const one of lower) if (breaking.has(one)) giveBack(one);
    const broken = victims.length;
    for (const one of lower) if (!breaking.has(one)) giveBack(one);
    return { node, victims, broken };
  });
};

/** What is compared of candidates, in this order, the lowest first. */
const costs: readonly ((candidate: Candidate) => number)[] = [
  ({ broken }) => broken,
  ({ victims }) => Math.max(...victims.map(({ priority }) => priority)),
  // Counted from the lowest priority that there is, so that more victims are never the cheaper.
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
  ({ victims }) => victims.length,
  ({ victims }) => {
    const highest = Math.max(...victims.map(({ priority }) => priority));
    return -Math.min(...victims.filter(({ priority }) => priority === highest).map(startedMs));
  },
];

/** The candidate whose victims hurt least; the first among equals. */
export const leastCost = (candidates: readonly Candidate[]): Candidate | undefined => {
  let left = candidates;
  for (const cost of costs) {
    if (left.length <= 1) break;
    const all = left.map(cost);
    const least = Math.min(...all);
    left = left.filter((_, at) => all[at] === least);
  }
  return left[0];
};

/** The victims that make room for a pod that was refused everywhere. */
export const preempt = (pod: PodInfo, view: PreemptionView): Preemption => {
  const { cluster: { nodes }, budgets, refusedAt, memory, start } = view;
  const reasons = new Map<string, number>();
  const count = (reason: Reason): void => {
    for (const one of typeof reason === 'string' ? [reason] : reason) reasons.set(one, (reasons.get(one) ?? 0) + 1);
  };
  const worth = nodes.filter((node) => {
    const refusal = refusedAt(node);
    if (refusal?.lasting !== true) return refusal !== undefined;
    count(notHelpful);
    return false;
  });
  const enough = Math.max(leastCandidates, Math.floor(worth.length * sharePercent / 100));
  const candidates: Candidate[] = [];
  let keepsBudgets = false;
  for (let looked = 0; looked < worth.length && !(candidates.length >= enough && keepsBudgets); looked++) {
    const node = worth[(start + looked) % worth.length] as NodeInfo;
    const found = memory?.get(node, budgets) ?? victimsOn(node, pod, view);
    memory?.set(node, budgets, found);
    if (typeof found === 'string' || !('node' in found)) count(found);
    // What needs no victims now is for the next try, not for an end of anybody.
    else if (found.victims.length > 0) {
      candidates.push(found);
      keepsBudgets ||= found.broken === 0;
    }
  }
  const candidate = leastCost(candidates);
  return candidate === undefined ? { reasons } : { candidate };
};
