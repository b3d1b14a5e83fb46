/**
 * Which pods to move so that nodes are used more evenly: for after a node has joined. A pod is moved by its eviction, and
 * where its replacement will come is what the decision would say now; so a move counts only where the scheduler, too, would
 * take another node, and where that makes source and target measurably more alike. Every such move lowers the sum of the
 * squared loads, so that moves come to an end.
 */
import { conditionOf } from '../schemas/conditions.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { isMirror } from '../schemas/static-pods.ts';
import type { Budgets } from './budgets.ts';
import type { Cluster } from './cluster.ts';
import type { Profile } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import { PodInfo } from './pod-info.ts';
import { Decider } from './schedule.ts';
import { serviceOf } from './swarm/service.ts';

/** A pod to evict, and the node where its replacement is expected. */
export interface Move {
  readonly pod: PodInfo;
  readonly from: string;
  readonly to: string;
}

export interface RebalancePlan {
  readonly moves: readonly Move[];
  /** Why pods stay that could not be moved: how many for each reason. */
  readonly immovable: ReadonlyMap<string, number>;
}

export interface RebalanceOptions {
  readonly cluster: Cluster;
  readonly profile: Profile;
  readonly budgets: Budgets;
  readonly maxMoves: number;
  /** Pods that have no node, whose workloads are not whole. */
  readonly waiting?: readonly PodInfo[];
  /** Pods of these services stay, because an eviction was refused; `serviceOf` names them. */
  readonly spared?: ReadonlySet<string>;
}

/** Source and target must differ, after the move, by so much less: in percent of a node's requests, and in pods. */
export const leastGain = { percent: 1, pods: 1 } as const;

/** Decisions that one step may try: the pods of the fullest nodes come first, and one of a shape stands for all on its node. */
const mostTries = 1_000;

const share = (used: number, whole: number): number => (whole > 0 ? used * 100 / whole : 0);

/** What is requested of a node: the mean of the percent of its CPU and of its memory. */
export const loadPercent = ({ used, allocatable }: NodeInfo): number => (share(used.cpuMilli, allocatable.cpuMilli) + share(used.memoryBytes, allocatable.memoryBytes)) / 2;

const weightPercent = ({ requests }: PodInfo, { allocatable }: NodeInfo): number =>
  (share(requests.cpuMilli, allocatable.cpuMilli) + share(requests.memoryBytes, allocatable.memoryBytes)) / 2;

/** Ready, and not on its way out. */
export const isServing = ({ status, metadata }: Pod): boolean => metadata.deletionTimestamp === undefined && conditionOf(status?.conditions, 'Ready')?.status === 'True';

/** Why a pod must stay where it is, or undefined. */
const whyStays = ({ pod }: PodInfo): string | undefined => {
  const { metadata, spec } = pod;
  const owner = (metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
  if (isMirror(pod)) return 'belongs to its node (a mirror pod)';
  if (owner === undefined) return 'has no controller that would replace it';
  if (owner.kind === 'DaemonSet') return 'belongs to its node (of a DaemonSet)';
  if (owner.kind === 'Job') return 'does work that would be lost (of a Job)';
  if (metadata.deletionTimestamp !== undefined) return 'is on its way out';
  const holdsData = (spec.volumes ?? []).some(({ emptyDir, hostPath, persistentVolumeClaim, ephemeral }) => emptyDir !== undefined || hostPath !== undefined || persistentVolumeClaim !== undefined || ephemeral !== undefined);
  if (holdsData) return 'holds data in a volume (emptyDir, hostPath or a claim)';
  return undefined;
};

/** The moves, the best first as each is planned on what the ones before leave. Changes nothing. */
export const planRebalance = (options: RebalanceOptions): RebalancePlan => {
  const { cluster, budgets, maxMoves, waiting = [], spared = new Set() } = options;
  const immovable = new Map<string, number>();
  const movable: PodInfo[] = [];
  const placed = cluster.nodes.flatMap(({ pods }) => [...pods.values()]);
  const unready = new Set([...waiting, ...placed.filter(({ pod }) => !isServing(pod))].map(serviceOf));
  for (const info of placed) {
    const why = whyStays(info) ?? (unready.has(serviceOf(info)) ? 'is of a workload of which not all pods are Ready' : undefined)
      ?? (budgets.broken([info]).size > 0 ? 'would break a PodDisruptionBudget' : undefined) ?? (spared.has(serviceOf(info)) ? 'was refused eviction' : undefined);
    if (why === undefined) movable.push(info);
    else immovable.set(why, (immovable.get(why) ?? 0) + 1);
  }
  const moves: Move[] = [];
  cluster.imagine(({ place }) => {
    const decider = new Decider(options.profile, cluster, () => 0);
    while (moves.length < maxMoves) {
      const move = bestMove(movable, cluster, decider);
      if (move === undefined) break;
      moves.push(move);
      place(move.pod, move.to);
    }
  });
  return { moves, immovable };
};

/** As the pod's replacement will be: the same, without a node. */
const replacementOf = ({ pod }: PodInfo): PodInfo => new PodInfo({ ...pod, spec: { ...pod.spec, nodeName: undefined }, status: undefined } as Pod);

interface Candidate {
  readonly info: PodInfo;
  readonly source: NodeInfo;
}

interface Gain {
  /** Half of what the sum of the squared loads falls by. */
  readonly percent: number;
  readonly weight: number;
  /** How many pods more the source still has than the target. */
  readonly pods: number;
}

/** More even requests first; of equals the pod that takes less with it, then counts of pods. */
const isGreater = (a: Gain, b: Gain): boolean => {
  if (Math.abs(a.percent - b.percent) > 1e-9) return a.percent > b.percent;
  return a.weight === b.weight ? a.pods > b.pods : a.weight < b.weight;
};

/** The move that makes its two nodes most alike; undefined where none does. */
const bestMove = (movable: readonly PodInfo[], cluster: Cluster, decider: Decider): Move | undefined => {
  const candidates = new Map<string, Candidate>();
  for (const info of movable) {
    const source = cluster.node(cluster.placed(info.uid)?.nodeName ?? '');
    if (source === undefined) continue;
    const key = `${source.name} ${info.shape}`;
    if (!candidates.has(key)) candidates.set(key, { info, source });
  }
  const ordered = [...candidates.values()].sort((a, b) => loadPercent(b.source) - loadPercent(a.source) || b.source.podCount - a.source.podCount);
  let best: { readonly move: Move; readonly gain: Gain } | undefined;
  for (const { info, source } of ordered.slice(0, mostTries)) {
    const replacement = replacementOf(info);
    // The scheduler decides once the pod is gone from its node.
    const target = cluster.imagine(({ unplace }) => {
      unplace(info.uid);
      const decision = decider.decide(replacement);
      return 'node' in decision ? decision.node : undefined;
    });
    if (target === undefined || target === source) continue;
    const weight = weightPercent(info, source);
    const percent = weight === 0 ? 0 : weight * (loadPercent(source) - loadPercent(target) - weightPercent(info, target));
    const pods = source.podCount - target.podCount - 1;
    const isBetter = weight === 0 ? pods >= leastGain.pods : loadPercent(source) - loadPercent(target) - weightPercent(info, target) >= leastGain.percent;
    const gain = { percent, weight, pods };
    if (isBetter && (best === undefined || isGreater(gain, best.gain))) best = { move: { pod: info, from: source.name, to: target.name }, gain };
  }
  return best?.move;
};

/** How evenly nodes are used: the least and the greatest load of those that take pods. */
export const evenness = (cluster: Cluster): { readonly percent: readonly [number, number]; readonly pods: readonly [number, number] } => {
  const nodes = cluster.nodes.filter(({ node }) => node?.spec?.unschedulable !== true);
  const range = (values: readonly number[]): readonly [number, number] => (values.length === 0 ? [0, 0] : [Math.min(...values), Math.max(...values)]);
  return { percent: range(nodes.map(loadPercent)), pods: range(nodes.map(({ podCount }) => podCount)) };
};
