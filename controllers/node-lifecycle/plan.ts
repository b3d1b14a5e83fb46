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
}

export interface NodeLifecyclePlan {
  /** Conditions to write, or undefined when they are right. */
  readonly conditions: readonly NodeCondition[] | undefined;
  /** Taints to write, or undefined when they are right. */
  readonly taints: readonly Taint[] | undefined;
  readonly isReady: boolean;
  readonly isLost: boolean;
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
  const taints = taintsOf(node, conditions, nowMs);
  return {
    conditions: conditions === old ? undefined : conditions, taints,
    isReady: ready === 'True', isLost, afterMs: isLost ? undefined : lostAtMs - nowMs,
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

/** The node's taints as they should be, or undefined when they are. What is there keeps the time at which it came. */
const taintsOf = (node: Node, conditions: readonly NodeCondition[], nowMs: number): readonly Taint[] | undefined => {
  const wanted: { readonly key: string; readonly effect: 'NoSchedule' | 'NoExecute' }[] = [];
  const ready = conditionOf(conditions, 'Ready')?.status;
  if (ready !== 'True') {
    const key = ready === 'Unknown' ? unreachableTaint : notReadyTaint;
    wanted.push({ key, effect: 'NoSchedule' });
    // A node that has said nothing yet is only kept from getting pods.
    if (ready !== undefined) wanted.push({ key, effect: 'NoExecute' });
  }
  for (const [type, key] of Object.entries(conditionTaints)) if (conditionOf(conditions, type)?.status === 'True') wanted.push({ key, effect: 'NoSchedule' });
  if (node.spec?.unschedulable === true) wanted.push({ key: unschedulableTaint, effect: 'NoSchedule' });
  const old = node.spec?.taints ?? [];
  const kept = old.filter((taint) => !ownTaints.has(taint.key) || wanted.some((one) => isSame(one, taint)));
  const added = wanted.filter((one) => !old.some((taint) => isSame(one, taint))).map((one): Taint => ({ ...one, timeAdded: rfc3339(nowMs) }));
  return kept.length === old.length && added.length === 0 ? undefined : [...kept, ...added];
};
