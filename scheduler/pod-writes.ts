import { rfc3339, type Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { keyOf } from '../client/key.ts';
import { conditionOf, withCondition } from '../schemas/conditions.ts';
import { ApiError, isReason } from '../schemas/errors.ts';
import type { Draft } from '../schemas/frozen.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import type { PodCondition } from '../schemas/types/pod-status.ts';
import { preemptionReason } from './preemption.ts';

/** How a binding went. `unknown`: no answer came, it may have been done. */
export type Bound =
  | { readonly outcome: 'bound' | 'gone' }
  | { readonly outcome: 'refused'; readonly error: Error }
  | { readonly outcome: 'unknown'; readonly error: unknown };

/** Asks the API server to put a pod on a node. Never rejects. */
export const bindPod = async (client: Client, pod: Pod, nodeName: string): Promise<Bound> => {
  const { name, namespace, uid } = pod.metadata;
  try {
    await client.of(Pod).createSub(keyOf(pod), 'binding', {
      apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
    });
    return { outcome: 'bound' };
  } catch (error) {
    if (isReason(error, 'NotFound')) return { outcome: 'gone' };
    const answered = error instanceof ApiError && !isReason(error, 'ServiceUnavailable', 'Timeout', 'InternalError');
    return answered ? { outcome: 'refused', error } : { outcome: 'unknown', error };
  }
};

/** Why a pod has no node, as its PodScheduled condition says it. */
export interface Unscheduled {
  /** `InvalidRequest`: the pod asks the scheduler for something that there is not, and is not looked at until it is changed. */
  readonly reason: 'Unschedulable' | 'SchedulingGated' | 'InvalidRequest';
  readonly message: string;
  /** The node on which room is being made for the pod; empty where on none. */
  readonly nominatedNodeName: string;
}

/** True when the pod's status says so already. */
export const saysUnscheduled = ({ status }: Pod, { reason, message, nominatedNodeName }: Unscheduled): boolean => {
  const condition = conditionOf(status?.conditions, 'PodScheduled');
  return (status?.nominatedNodeName ?? '') === nominatedNodeName && condition?.status === 'False' && condition.reason === reason && condition.message === message;
};

/** Writes the condition, unless the pod has got a node meanwhile. A pod that is gone is not an error. */
export const writeUnscheduled = async ({ client, clock }: { readonly client: Client; readonly clock: Clock }, pod: Pod, { reason, message, nominatedNodeName }: Unscheduled): Promise<void> => {
  try {
    await client.of(Pod).modifyStatus(keyOf(pod), (draft) => {
      if (draft.metadata.uid !== pod.metadata.uid || (draft.spec.nodeName ?? '') !== '') return;
      const condition: PodCondition = { type: 'PodScheduled', status: 'False', reason, message };
      draft.status = { ...draft.status, conditions: [...withCondition<PodCondition>(draft.status?.conditions, condition, rfc3339(clock.now()))] as Draft<PodCondition>[] };
      if (nominatedNodeName === '') delete draft.status.nominatedNodeName;
      else draft.status.nominatedNodeName = nominatedNodeName;
    }, { hint: pod });
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
};

/**
 * Ends a pod that is in the way of another: a condition says why, then it is deleted with its own grace. Resolves to false
 * where it was gone already; rejects when it cannot be told to go.
 */
export const endVictim = async ({ client, clock }: { readonly client: Client; readonly clock: Clock }, victim: Pod, schedulerName: string): Promise<boolean> => {
  const { uid } = victim.metadata;
  const condition: PodCondition = { type: 'DisruptionTarget', status: 'True', reason: preemptionReason, message: `${schedulerName}: preempting to accommodate a higher priority pod` };
  try {
    await client.of(Pod).modifyStatus(keyOf(victim), (draft) => {
      if (draft.metadata.uid !== uid) return;
      draft.status = { ...draft.status, conditions: [...withCondition<PodCondition>(draft.status?.conditions, condition, rfc3339(clock.now()))] as Draft<PodCondition>[] };
    }, { hint: victim });
    await client.of(Pod).delete(keyOf(victim), { preconditions: { uid } });
    return true;
  } catch (error) {
    // Another pod of its name is there: this one is gone.
    if (isReason(error, 'NotFound', 'Conflict')) return false;
    throw error;
  }
};
