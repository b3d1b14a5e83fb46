import { rfc3339 } from '../../base/clock.ts';
import { backoffMs } from '../../client/backoff.ts';
import type { Key } from '../../client/client.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { ControllerRevision } from '../../schemas/kinds/apps/controller-revision.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { controllerOf, isControlledBy } from '../../schemas/owners.ts';
import { dependencyKinds, gate, waitMs } from '../dependencies/gate.ts';
import { withWaiting } from '../dependencies/plan.ts';
import { unlessGone } from '../ensure.ts';
import { byController } from '../ownership.ts';
import { behindMs, PodControl, type PodOwner } from '../pod-control.ts';
import { dropSurplus, hashOf, revisionHashLabel, settleRevisions } from '../revisions.ts';
import { daemonPod, nodeNameOf } from './node-fit.ts';
import { planDaemonSet } from './plan.ts';

/** Daemons that end again and again are made anew after 1 s, doubling to 15 minutes, as in Kubernetes. */
const endedDelays = { firstMs: 1_000, longestMs: 900_000, jitter: 0 } as const;

/** How often the pod of one DaemonSet ended on one node, and until when the next waits. */
interface Endings { readonly count: number; readonly untilMs: number }

/** What of a node decides about daemons; a heartbeat changes none of it. */
const relevant = ({ metadata, spec }: Node): string => JSON.stringify([metadata.name, metadata.labels, spec?.taints]);

export const daemonSetController = (): Controller<DaemonSet> => {
  const control = new PodControl();
  /** By UID, generation and node: a new template starts anew. */
  const endings = new Map<string, Endings>();

  /** Takes away pods that have ended, unless their node waits; says when the first may go that waits. */
  const removeEnded = async (owner: PodOwner, ended: readonly Pod[], context: ReconcileContext): Promise<number | undefined> => {
    const nowMs = context.clock.now();
    const { uid, generation } = owner.object.metadata;
    let nextMs: number | undefined;
    const due: Pod[] = [];
    for (const pod of ended) {
      const node = nodeNameOf(pod) ?? '';
      const id = `${uid}/${generation}/${node}`;
      const { count, untilMs } = endings.get(id) ?? { count: 0, untilMs: 0 };
      if (untilMs > nowMs) {
        nextMs = Math.min(nextMs ?? untilMs, untilMs);
        continue;
      }
      // A pod that ran for long has forgiven the earlier ones.
      const before = nowMs - untilMs > 2 * endedDelays.longestMs ? 0 : count;
      endings.set(id, { count: before + 1, untilMs: nowMs + backoffMs(before + 1, { ...endedDelays, random: context.random }) });
      due.push(pod);
      const failed = pod.status?.phase === 'Failed';
      context.events.event(owner.object, failed ? 'Warning' : 'Normal', failed ? 'FailedDaemonPod' : 'SucceededDaemonPod',
        `Found ${failed ? 'failed' : 'succeeded'} daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${node}, will try to ${failed ? 'kill' : 'delete'} it`);
    }
    const failure = await control.remove(owner, due, context);
    if (failure !== undefined) throw failure.error;
    return nextMs === undefined ? undefined : nextMs - nowMs;
  };

  const forgetGone = (context: ReconcileContext): void => {
    const all = context.informer(DaemonSet).list();
    control.forgetGone(all);
    const alive = new Set(all.map(({ metadata }) => `${metadata.uid}/${metadata.generation}`));
    for (const id of endings.keys()) if (!alive.has(id.split('/', 2).join('/'))) endings.delete(id);
  };

  const reconcile = async (daemonSet: DaemonSet, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
    const owner = { object: daemonSet, kind: DaemonSet, selector: labelMatcher(daemonSet.spec.selector) };
    const seen = await control.look(owner, context);
    if (seen === undefined) return { afterMs: behindMs };
    const { update, all } = await settleRevisions(daemonSet, DaemonSet, context);
    const hash = hashOf(update);
    const plan = planDaemonSet({ daemonSet, nodes: context.informer(Node).list(), ...seen, hash, nowMs: context.clock.now() });
    await control.adopt(owner, plan.adopt, context);
    await control.release(owner, plan.release, context);
    const removing = await control.remove(owner, plan.remove, context);
    const hasPods = seen.candidates.some((pod) => isControlledBy(pod, daemonSet)) || plan.adopt.length > 0;
    const waiting = hasPods || plan.create.length === 0 ? undefined : gate('DaemonSet', daemonSet, context);
    const making = await control.create(owner, (waiting === undefined ? plan.create : []).map((node) => daemonPod(daemonSet, node, hash)), context);
    const endedMs = await removeEnded(owner, plan.ended, context);
    const { conditions: before, ...numbers } = plan.status;
    const conditions = withWaiting(before, waiting, rfc3339(context.clock.now()));
    const status = conditions === undefined ? numbers : { ...numbers, conditions };
    if (!deepEqual(status, daemonSet.status)) {
      await unlessGone(context.client.of(DaemonSet).modifyStatus(keyOf(daemonSet), (draft) => {
        if (draft.metadata.uid === daemonSet.metadata.uid) draft.status = draftOf(status);
      }, { hint: daemonSet }));
    }
    const hashes = new Set(seen.candidates.map(({ metadata }) => metadata.labels?.[revisionHashLabel]));
    await dropSurplus(daemonSet, all, new Set([update.metadata.name, ...all.filter((one) => hashes.has(hashOf(one))).map(({ metadata }) => metadata.name)]), context);
    const failure = removing ?? making;
    if (failure !== undefined) throw failure.error;
    const afterMs = Math.min(plan.afterMs ?? Infinity, endedMs ?? Infinity, waiting === undefined ? Infinity : waitMs);
    return afterMs === Infinity ? undefined : { afterMs };
  };

  /** What each node was when its daemons were last woken for it. */
  const nodes = new Map<string, string>();
  const everyDaemonSet = (node: Node, context: ReconcileContext): readonly Key[] => {
    const { name = '' } = node.metadata;
    const now = context.informer(Node).get({ name });
    const text = now === undefined ? '' : relevant(now);
    if (nodes.get(name) === text) return [];
    if (now === undefined) nodes.delete(name);
    else nodes.set(name, text);
    return context.informer(DaemonSet).list().map(keyOf);
  };

  return {
    name: 'daemonset-controller',
    reconciles: DaemonSet,
    owns: [Pod, ControllerRevision],
    reads: dependencyKinds,
    watches: [
      { kind: Node, map: everyDaemonSet },
      { kind: ControllerRevision, indexes: { controller: byController }, map: () => [] },
      {
        kind: Pod, indexes: { controller: byController },
        map: (pod: Pod, context) => (controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined
          ? context.informer(DaemonSet).list(pod.metadata.namespace).filter(({ spec }) => labelMatcher(spec.selector).matches(pod.metadata.labels)).map(keyOf) : []),
      },
    ],
    reconcile: async (daemonSet, _key, context) => {
      if (daemonSet === undefined) return forgetGone(context);
      return daemonSet.metadata.deletionTimestamp === undefined ? reconcile(daemonSet, context) : undefined;
    },
  };
};
