import { rfc3339 } from '../../base/clock.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { withCondition, type AnyCondition } from '../../schemas/conditions.ts';
import { isReason } from '../../schemas/errors.ts';
import { draftOf } from '../../schemas/frozen.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { unlessGone } from '../ensure.ts';
import { isTerminal, isTerminating } from '../pod-state.ts';
import { garbageIndex, isOutOfService, surplusPods, terminated } from './plan.ts';

export interface PodGarbageOptions {
  /** Ended pods that are kept; 12,500 in Kubernetes. */
  readonly terminatedPodBound: number;
  /** How long a node must have been gone before its pods are given up; 40 s in Kubernetes. */
  readonly nodeGoneMs: number;
}

/** The key under which ended pods of the whole cluster are looked at; no node is called so. */
const clusterKey = { name: '~ended-pods' };

/** Removes pods that nobody else would: those bound to nodes that are gone, those that are to leave a node out of service, and ended ones beyond a bound. */
export const podGarbageController = ({ terminatedPodBound, nodeGoneMs }: PodGarbageOptions): Controller<Node> => {
  const goneSinceMs = new Map<string, number>();
  return {
    name: 'pod-garbage-collector',
    reconciles: Node,
    watches: [{
      kind: Pod, indexes: { garbage: garbageIndex },
      map: (pod: Pod, context) => [
        ...(pod.spec.nodeName && isStuck(pod, context.informer(Node).get({ name: pod.spec.nodeName })) ? [{ name: pod.spec.nodeName }] : []),
        ...(isTerminal(pod) ? [clusterKey] : []),
      ],
    }],
    reconcile: async (node, { name }, context) => {
      if (name === clusterKey.name) return removeEnded(terminatedPodBound, context);
      const pods = context.informer(Pod).by('garbage', `node/${name}`);
      if (node !== undefined || pods.length === 0) {
        goneSinceMs.delete(name);
        return removeStuck(node, pods.filter(isTerminating), context);
      }
      const nowMs = context.clock.now();
      const sinceMs = goneSinceMs.get(name) ?? nowMs;
      goneSinceMs.set(name, sinceMs);
      if (sinceMs + nodeGoneMs > nowMs) return { afterMs: sinceMs + nodeGoneMs - nowMs };
      // The copy may be behind: a node that was made anew must not lose its pods.
      if (await context.client.of(Node).find({ name }) !== undefined) return { afterMs: nodeGoneMs };
      for (const pod of pods) await giveUp(pod, context, { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' });
      return undefined;
    },
  };
};

const isStuck = (pod: Pod, node: Node | undefined): boolean => node === undefined || (isTerminating(pod) && isOutOfService(node));

/** Pods that were asked to leave a node which is out of service. Those that were not stay: who evicts them is the taint. */
const removeStuck = async (node: Node | undefined, leaving: readonly Pod[], context: ReconcileContext): Promise<undefined> => {
  if (node === undefined || leaving.length === 0 || !isOutOfService(node)) return;
  // The copy may be behind: a node that is back in service stops its pods itself.
  const now = await context.client.of(Node).find(keyOf(node));
  if (now === undefined || !isOutOfService(now)) return;
  for (const pod of leaving) await giveUp(pod, context);
};

/** Nobody is left who could stop the pod, so it is removed at once; before that its status tells its owner so, and why where nobody has said it yet. */
const giveUp = async (pod: Pod, context: ReconcileContext, why?: AnyCondition): Promise<void> => {
  const key = keyOf(pod);
  const preconditions = { uid: pod.metadata.uid };
  if (!isTerminal(pod)) {
    await unlessGone(context.client.of(Pod).modifyStatus(key, (draft) => {
      if (draft.metadata.uid !== pod.metadata.uid) return;
      draft.status = { ...draft.status, phase: 'Failed', ...(why === undefined ? {} : { conditions: draftOf(withCondition(draft.status?.conditions, why, rfc3339(context.clock.now()))) }) };
    }, { hint: pod }));
  }
  await unlessOther(context.client.of(Pod).delete(key, { gracePeriodSeconds: 0, preconditions }));
};

const removeEnded = async (bound: number, context: ReconcileContext): Promise<undefined> => {
  const surplus = surplusPods(context.informer(Pod).by('garbage', terminated), bound);
  await Promise.all(surplus.map((pod) => unlessOther(context.client.of(Pod).delete(keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } }))));
  return undefined;
};

/** A pod of this name that is another one by now is none of our business. */
const unlessOther = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!isReason(error, 'NotFound', 'Conflict')) throw error;
  }
};
