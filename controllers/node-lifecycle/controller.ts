import { rfc3339 } from '../../base/clock.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { conditionOf, isConditionTrue, withCondition } from '../../schemas/conditions.ts';
import { ApiError } from '../../schemas/errors.ts';
import { draftOf } from '../../schemas/frozen.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { unlessGone } from '../ensure.ts';
import { podsByNode } from '../pods-by-node.ts';
import { isTerminal } from '../pod-state.ts';
import { planNode } from './plan.ts';
import { countZones, EvictionTurns, isEveryZoneGone, zoneOf, type EvictionRates } from './zones.ts';

export interface NodeLifecycleOptions {
  /** 15 s by default, three renewals of a lease; 40 s in Kubernetes, four of its. */
  readonly graceMs: number;
  /** 60 s in Kubernetes. */
  readonly startupGraceMs: number;
  readonly rates: EvictionRates;
}

/** Another look at a node that is not ready, for the state of its zone may have changed. */
const notReadyMs = 5_000;

const leaseNamespace = 'kube-node-lease';

/** The last sign of life of a node, and when this process saw it. */
interface Sign {
  readonly uid: string;
  readonly text: string;
  readonly atMs: number;
}

/**
 * Signs of life are timed by when they are seen, not by the time written in them: nodes' clocks may be wrong, and after
 * an outage of the API server every lease is old though every node is well.
 */
export const nodeLifecycleController = ({ graceMs, startupGraceMs, rates }: NodeLifecycleOptions): Controller<Node> => {
  const signs = new Map<string, Sign>();
  /** When pods of nodes that are not ready were marked, by the node's name and the pod's uid. */
  const marks = new Map<string, Map<string, number>>();
  const turns = new EvictionTurns(rates);
  let counted = { revision: -1, zones: countZones([]) };

  /** The zones as the copy of the nodes shows them, counted once for each state of it. */
  const zonesOf = (context: ReconcileContext): typeof counted.zones => {
    const nodes = context.informer(Node);
    if (counted.revision !== nodes.revision) counted = { revision: nodes.revision, zones: countZones(nodes.list()) };
    return counted.zones;
  };

  const aliveAtMs = (node: Node, nowMs: number, context: ReconcileContext): number | undefined => {
    const name = node.metadata.name ?? '';
    const renewTime = context.informer(Lease).get({ namespace: leaseNamespace, name })?.spec?.renewTime;
    const heartbeat = conditionOf(node.status?.conditions, 'Ready')?.lastHeartbeatTime;
    const uid = node.metadata.uid ?? '';
    if (renewTime === undefined && heartbeat === undefined) return undefined;
    const text = `${renewTime ?? ''} ${heartbeat ?? ''}`;
    const old = signs.get(name);
    if (old?.uid === uid && old.text === text) return old.atMs;
    signs.set(name, { uid, text, atMs: nowMs });
    return nowMs;
  };

  return {
    name: 'node-lifecycle-controller',
    reconciles: Node,
    watches: [
      { kind: Lease, map: ({ metadata }: Lease) => (metadata.namespace === leaseNamespace && metadata.name !== undefined ? [{ name: metadata.name }] : []) },
      // A pod that its node reported as ready just before the node was lost.
      { kind: Pod, indexes: { node: podsByNode }, map: (pod: Pod, context) => (isOnLostNode(pod, context) ? [{ name: pod.spec.nodeName ?? '' }] : []) },
    ],
    reconcile: async (node, { name }, context) => {
      if (node === undefined) {
        signs.delete(name);
        marks.delete(name);
        return undefined;
      }
      const nowMs = context.clock.now();
      const seen = { node, aliveAtMs: aliveAtMs(node, nowMs, context), nowMs, graceMs, startupGraceMs };
      const plan = planNode({ ...seen, evicts: isEveryZoneGone(zonesOf(context)) ? 'not at all' : 'no more' });
      let current = node;
      if (plan.conditions !== undefined) {
        const wasReady = isConditionTrue(node.status?.conditions, 'Ready');
        current = await context.client.of(Node).modifyStatus({ name }, (draft) => {
          sameAs(node, draft);
          draft.status = { ...draft.status, conditions: draftOf(plan.conditions!) };
        }, { hint: node });
        if (wasReady) context.events.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
      }
      const zone = zoneOf(node);
      const waitMs = plan.waitsForTurn && !isEveryZoneGone(zonesOf(context)) ? turns.take(zone, zonesOf(context).get(zone) ?? { ready: 0, notReady: 1 }, nowMs) : undefined;
      const taints = waitMs === 0 ? planNode({ ...seen, evicts: 'yes' }).taints : plan.taints;
      if (taints !== undefined) {
        try {
          await context.client.of(Node).modify({ name }, (draft) => {
            sameAs(current, draft);
            const { taints: _, ...spec } = draft.spec ?? {};
            draft.spec = taints.length === 0 ? spec : { ...spec, taints: draftOf(taints) };
          }, { hint: current });
        } catch (error) {
          if (waitMs === 0) turns.giveBack(zone);
          throw error;
        }
      }
      if (plan.isReady) marks.delete(name);
      else marks.set(name, await markPods(name, marks.get(name), context));
      const afterMs = Math.min(plan.afterMs ?? Infinity, plan.isReady ? Infinity : notReadyMs, waitMs === undefined || waitMs === 0 ? Infinity : waitMs);
      return afterMs === Infinity ? undefined : { afterMs };
    },
  };
};

/** The plan holds for the node that was seen, no newer one: a sign of life may have come since. */
const sameAs = (seen: Node, draft: { readonly metadata: { readonly resourceVersion?: string | undefined } }): void => {
  if (draft.metadata.resourceVersion !== seen.metadata.resourceVersion) throw new ApiError('Conflict', `node ${seen.metadata.name} was changed since the plan was made`);
};

const isOnLostNode = (pod: Pod, context: ReconcileContext): boolean => {
  const name = pod.spec.nodeName;
  if (!name || !isConditionTrue(pod.status?.conditions, 'Ready')) return false;
  return conditionOf(context.informer(Node).get({ name })?.status?.conditions, 'Ready')?.status === 'Unknown';
};

/**
 * Services leave out pods of a node that does not answer; the node's agent sets this right when it is back. An agent of which
 * only the leases fail sets it right at once: it is answered with the next look at its node, or the two would write without end.
 * Resolves with when each pod was marked last.
 */
const markPods = async (nodeName: string, before: ReadonlyMap<string, number> | undefined, context: ReconcileContext): Promise<Map<string, number>> => {
  const marked = new Map<string, number>();
  for (const pod of context.informer(Pod).by('node', nodeName)) {
    const { uid = '' } = pod.metadata;
    const nowMs = context.clock.now();
    const lastMs = before?.get(uid) ?? -Infinity;
    const isDue = !isTerminal(pod) && isConditionTrue(pod.status?.conditions, 'Ready') && nowMs - lastMs >= notReadyMs;
    if (!isDue) {
      if (lastMs !== -Infinity) marked.set(uid, lastMs);
      continue;
    }
    await unlessGone(context.client.of(Pod).modifyStatus(keyOf(pod), (draft) => {
      const ready = conditionOf(draft.status?.conditions, 'Ready');
      if (draft.metadata.uid !== uid || ready?.status !== 'True') return;
      draft.status!.conditions = draftOf(withCondition(draft.status!.conditions, { ...ready, status: 'False' }, rfc3339(nowMs)));
    }, { hint: pod }));
    marked.set(uid, nowMs);
    context.events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
  }
  return marked;
};
