import { rfc3339 } from '../../base/clock.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { conditionOf, withCondition } from '../../schemas/conditions.ts';
import { isReason } from '../../schemas/errors.ts';
import { draftOf } from '../../schemas/frozen.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { unlessGone } from '../ensure.ts';
import { unreachableTaint } from '../node-lifecycle/plan.ts';
import { podsByNode } from '../pods-by-node.ts';
import { isTerminal, isTerminating } from '../pod-state.ts';
import { leavesAtMs, noExecute } from './plan.ts';

/** Another look while evictions are held back. */
const heldBackMs = 10_000;

/**
 * Deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer. Their owners make new ones elsewhere.
 * A change of a node's taints looks at all its pods; a change of one pod at that pod alone, under a key with its namespace.
 */
export const taintEvictionController = (): Controller<Node> => {
  /** When this process first saw a node's NoExecute taints, for taints that do not say when they came. */
  const sinceMs = new Map<string, number>();

  /** Evicts those pods of a tainted node whose time is over; says when the next one's is. */
  const evictDue = async ({ metadata: { name = '' }, spec }: Node, pods: readonly Pod[], context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
    const taints = noExecute(spec?.taints);
    const nowMs = context.clock.now();
    const since = sinceMs.get(name) ?? nowMs;
    sinceMs.set(name, since);
    let nextMs = Infinity;
    for (const pod of pods) {
      if (isTerminating(pod) || isTerminal(pod)) continue;
      const atMs = leavesAtMs(pod, taints, since);
      if (atMs === undefined) continue;
      if (atMs > nowMs) nextMs = Math.min(nextMs, atMs);
      else if (taints.some(({ key }) => key === unreachableTaint) && isEveryNodeLost(context)) nextMs = Math.min(nextMs, nowMs + heldBackMs);
      else await evict(pod, context);
    }
    return nextMs === Infinity ? undefined : { afterMs: nextMs - nowMs };
  };

  return {
    name: 'taint-eviction-controller',
    reconciles: Node,
    watches: [{
      kind: Pod, indexes: { node: podsByNode },
      map: (pod: Pod, context) => {
        const name = pod.spec.nodeName;
        return name && !isTerminating(pod) && noExecute(context.informer(Node).get({ name })?.spec?.taints).length > 0 ? [keyOf(pod)] : [];
      },
    }],
    reconcile: async (found, key, context) => {
      const pod = key.namespace === undefined ? undefined : context.informer(Pod).get(key);
      if (key.namespace !== undefined && pod === undefined) return undefined;
      const node = key.namespace === undefined ? found : context.informer(Node).get({ name: pod?.spec.nodeName ?? '' });
      if (noExecute(node?.spec?.taints).length === 0) {
        sinceMs.delete(node?.metadata.name ?? key.name);
        return undefined;
      }
      return evictDue(node!, pod === undefined ? context.informer(Pod).by('node', key.name) : [pod], context);
    },
  };
};

/**
 * When no node of several answers, the fault is more likely on this side, and there is nowhere to move pods to:
 * evictions wait until one answers again. A cluster of one node has no such choice.
 */
const isEveryNodeLost = (context: ReconcileContext): boolean => {
  const nodes = context.informer(Node).list();
  return nodes.length > 1 && nodes.every(({ status }) => conditionOf(status?.conditions, 'Ready')?.status === 'Unknown');
};

const evict = async (pod: Pod, context: ReconcileContext): Promise<void> => {
  const key = keyOf(pod);
  await unlessGone(context.client.of(Pod).modifyStatus(key, (draft) => {
    if (draft.metadata.uid !== pod.metadata.uid) return;
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' };
    draft.status = { ...draft.status, conditions: draftOf(withCondition(draft.status?.conditions, condition, rfc3339(context.clock.now()))) };
  }, { hint: pod }));
  try {
    await context.client.of(Pod).delete(key, { preconditions: { uid: pod.metadata.uid } });
    context.events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key.namespace}/${key.name}`);
  } catch (error) {
    if (!isReason(error, 'NotFound', 'Conflict')) throw error;
  }
};
