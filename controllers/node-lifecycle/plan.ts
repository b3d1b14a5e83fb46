/**
 * What the cluster believes of a node. A node that no longer renews its lease cannot say so itself: its conditions become
 * Unknown, taints keep new pods away and let those that are there be replaced, and its pods count as not ready.
 */
import { rfc3339 } from '../../base/clock.ts';
import { conditionOf, withCondition } from '../../schemas/conditions.ts';
import type { Node, NodeCondition } from '../../schemas/kinds/core/node.ts';
import type { Taint } from '../../schemas/types/affinity.ts';
import { timeMs } from '../../schemas/timestamps.ts';

export const notReadyTaint = 'node.kubernetes.io/not-ready';
export const unreachableTaint = 'node.kubernetes.io/unreachable';

/** Conditions that keep new pods away, and by which taint. */
const conditionTaints: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
};
const unschedulableTaint = 'node.kubernetes.io/unschedulable';

/** Taints that are made here; all others are their makers' business. */
const ownTaints: ReadonlySet<string> = new Set([notReadyTaint, unreachableTaint, unschedulableTaint, ...Object.values(conditionTaints)]);

/** Conditions of which only the node's agent can know. */
const agentConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

export interface NodeLifecycleState {
  readonly node: Node;
  /** When a sign of life was last seen, by this process's clock; undefined when there never was one. */
  readonly aliveAtMs: number | undefined;
  readonly nowMs: number;
  /** A node without a sign of life for so long is lost. */
  readonly graceMs: number;
  /** The same for a node that has not yet given any. */
  readonly startupGraceMs: number;
  /** Whether the node's pods may be made to leave: yes; only if they are already; or not even then. */
  readonly evicts: 'yes' | 'no more' | 'not at all';
}

export interface NodeLifecyclePlan {
  /** Conditions to write, or undefined when they are right. */
  readonly conditions: readonly NodeCondition[] | undefined;
  /** Taints to write, or undefined when they are right. */
  readonly taints: readonly Taint[] | undefined;
  readonly isReady: boolean;
  readonly isLost: boolean;
  /** The node's pods should leave and may not yet. */
  readonly waitsForTurn: boolean;
  /** When the grace of now ends. */
  readonly afterMs: number | undefined;
}

export const planNode = (state: NodeLifecycleState): NodeLifecyclePlan => {
  const { node, aliveAtMs, nowMs } = state;
  const lostAtMs = aliveAtMs === undefined ? (timeMs(node.metadata.creationTimestamp) ?? nowMs) + state.startupGraceMs : aliveAtMs + state.graceMs;
  const isLost = nowMs >= lostAtMs;
  const old = node.status?.conditions ?? [];
  const conditions = isLost ? unknownConditions(old, nowMs) : old;
  const ready = conditionOf(conditions, 'Ready')?.status;
  const { taints, waitsForTurn } = taintsOf(state, conditions);
  return {
    conditions: conditions === old ? undefined : conditions, taints,
    isReady: ready === 'True', isLost, waitsForTurn, afterMs: isLost ? undefined : lostAtMs - nowMs,
  };
};

const unknownConditions = (old: readonly NodeCondition[], nowMs: number): readonly NodeCondition[] => {
  let conditions = old;
  for (const type of agentConditions) {
    const condition = conditionOf(conditions, type);
    if (condition?.status === 'Unknown') continue;
    const said = condition === undefined
      ? { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' }
      : { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
    conditions = withCondition(conditions, { ...condition, type, status: 'Unknown', ...said }, rfc3339(nowMs));
  }
  return conditions;
};

const isSame = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;

const evictionTaints: ReadonlySet<string> = new Set([notReadyTaint, unreachableTaint]);

/** The node's taints as they should be, or undefined when they are. What is there keeps the time at which it came. */
const taintsOf = ({ node, nowMs, evicts }: NodeLifecycleState, conditions: readonly NodeCondition[]): { readonly taints: readonly Taint[] | undefined; readonly waitsForTurn: boolean } => {
  const old = node.spec?.taints ?? [];
  const wanted: { readonly key: string; readonly effect: 'NoSchedule' | 'NoExecute' }[] = [];
  const ready = conditionOf(conditions, 'Ready')?.status;
  let waitsForTurn = false;
  if (ready !== 'True') {
    const key = ready === 'Unknown' ? unreachableTaint : notReadyTaint;
    wanted.push({ key, effect: 'NoSchedule' });
    // A node that has said nothing yet is only kept from getting pods. One that is left already may change the reason.
    const isLeft = old.some((taint) => taint.effect === 'NoExecute' && evictionTaints.has(taint.key));
    if (ready !== undefined && (evicts === 'yes' || (evicts === 'no more' && isLeft))) wanted.push({ key, effect: 'NoExecute' });
    else waitsForTurn = ready !== undefined;
  }
  for (const [type, key] of Object.entries(conditionTaints)) if (conditionOf(conditions, type)?.status === 'True') wanted.push({ key, effect: 'NoSchedule' });
  if (node.spec?.unschedulable === true) wanted.push({ key: unschedulableTaint, effect: 'NoSchedule' });
  const kept = old.filter((taint) => !ownTaints.has(taint.key) || wanted.some((one) => isSame(one, taint)));
  const added = wanted.filter((one) => !old.some((taint) => isSame(one, taint))).map((one): Taint => ({ ...one, timeAdded: rfc3339(nowMs) }));
  return { taints: kept.length === old.length && added.length === 0 ? undefined : [...kept, ...added], waitsForTurn };
};
