/**
 * Pods with names, in order. A plan looks at the numbers from the lowest up, then at the surplus from the highest down,
 * then at old revisions from the highest down, and stops where the next step must wait for a pod. With OrderedReady that is
 * nearly everywhere; with Parallel only an update waits.
 *
 * One difference to Kubernetes: there a pod of a broken revision that never becomes ready blocks its own replacement, and
 * somebody has to delete it by hand; here a pod that is not ready and not of the revision that it should have is replaced,
 * for nothing is lost by it.
 */
import type { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { amountOf } from '../amount-of.ts';
import { availableInMs, isReady, isTerminal, isTerminating } from '../pod-state.ts';
import { refusedStayMs } from '../refused-pods.ts';
import { revisionHashLabel } from '../revisions.ts';
import { firstOrdinal, ordinalOf } from './identity.ts';

export interface StatefulSetState {
  readonly set: StatefulSet;
  /** The set's own pods. */
  readonly pods: readonly Pod[];
  /** UIDs of pods whose deletion was asked for, though the pods may not show it yet. */
  readonly leaving: ReadonlySet<string>;
  /** Names of the revisions from which an update comes and to which it goes. */
  readonly current: string;
  readonly update: string;
  readonly nowMs: number;
}

export type StatefulSetStep =
  | { readonly do: 'create'; readonly ordinal: number; readonly revision: string }
  | { readonly do: 'delete'; readonly pod: Pod; readonly why: 'ended' | 'surplus' | 'old' };

export interface StatefulSetPlan {
  readonly steps: readonly StatefulSetStep[];
  /** When to look again because a ready pod becomes available, or one that was refused may go, without an event. */
  readonly afterMs: number | undefined;
}

export const isOrdered = ({ spec }: StatefulSet): boolean => spec.podManagementPolicy !== 'Parallel';

export const revisionOfPod = (pod: Pod): string => pod.metadata.labels?.[revisionHashLabel] ?? '';

const wantedReplicas = ({ spec }: StatefulSet): number => spec.replicas ?? 1;

/** Whether a number is one of those that the set wants. */
export const isWanted = (set: StatefulSet, ordinal: number): boolean => ordinal >= firstOrdinal(set) && ordinal < firstOrdinal(set) + wantedReplicas(set);

/** Numbers below it keep the current revision. OnDelete makes every new pod of the update revision. */
const firstUpdated = (set: StatefulSet): number => firstOrdinal(set) + (set.spec.updateStrategy?.type === 'OnDelete' ? 0 : set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);

/** The pods by number. Two pods cannot have one name, so one number has one pod. */
export const byOrdinal = (set: StatefulSet, pods: readonly Pod[]): ReadonlyMap<number, Pod> =>
  new Map(pods.flatMap((pod) => {
    const ordinal = ordinalOf(set, pod);
    return ordinal === undefined ? [] : [[ordinal, pod] as const];
  }));

export const planStatefulSet = (state: StatefulSetState): StatefulSetPlan => {
  const { set, pods, leaving, current, update, nowMs } = state;
  if (set.metadata.deletionTimestamp !== undefined) return { steps: [], afterMs: undefined };
  const waitMs = (pod: Pod): number | undefined => availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs);
  const view: View = {
    set, there: byOrdinal(set, pods), ordered: isOrdered(set), update,
    wantedRevision: (ordinal) => (ordinal < firstUpdated(set) ? current : update),
    isGoing: (pod) => isTerminating(pod) || leaving.has(pod.metadata.uid ?? ''),
    isAvailable: (pod) => isReady(pod) && waitMs(pod) === 0,
    stays: (pod) => refusedStayMs(pod, nowMs) > 0,
  };
  const steps: StatefulSetStep[] = [];
  const rests = keepUp(view, steps) && scaleDown(view, steps);
  if (rests && steps.length === 0 && set.spec.updateStrategy?.type !== 'OnDelete') rollOn(view, steps);
  const waits = pods.flatMap((pod) => [waitMs(pod) ?? 0, refusedStayMs(pod, nowMs)]).filter((ms) => ms > 0);
  return { steps, afterMs: waits.length === 0 ? undefined : Math.min(...waits) };
};

interface View {
  readonly set: StatefulSet;
  readonly there: ReadonlyMap<number, Pod>;
  readonly ordered: boolean;
  readonly update: string;
  readonly wantedRevision: (ordinal: number) => string;
  readonly isGoing: (pod: Pod) => boolean;
  readonly isAvailable: (pod: Pod) => boolean;
  /** Its node refused it a moment ago: the next one would fare no better. */
  readonly stays: (pod: Pod) => boolean;
}

/** Makes what is missing, from the lowest number up. False: what comes next must wait. */
const keepUp = (view: View, steps: StatefulSetStep[]): boolean => {
  const { set, there, ordered, wantedRevision, isGoing, isAvailable, stays } = view;
  for (let ordinal = firstOrdinal(set); ordinal < firstOrdinal(set) + wantedReplicas(set); ordinal++) {
    const pod = there.get(ordinal);
    if (pod === undefined) steps.push({ do: 'create', ordinal, revision: wantedRevision(ordinal) });
    else if (isGoing(pod)) { if (ordered) return false; }
    else if (stays(pod)) { if (ordered) return false; }
    else if (isTerminal(pod)) steps.push({ do: 'delete', pod, why: 'ended' });
    else if (!isAvailable(pod)) {
      if (set.spec.updateStrategy?.type !== 'OnDelete' && !isReady(pod) && revisionOfPod(pod) !== wantedRevision(ordinal)) steps.push({ do: 'delete', pod, why: 'old' });
      if (ordered) return false;
    }
    if (ordered && steps.length > 0) return false;
  }
  return true;
};

/**
 * Takes away what is beyond the wanted numbers, from the highest down. In order, a pod that is not ready waits for those of
 * lower numbers that are not either: only the lowest of them may go. False: what comes next must wait.
 */
const scaleDown = ({ set, there, ordered, isGoing }: View, steps: StatefulSetStep[]): boolean => {
  const surplus = [...there].filter(([ordinal]) => !isWanted(set, ordinal)).sort(([a], [b]) => b - a).map(([, pod]) => pod);
  const isUnhealthy = (pod: Pod): boolean => !isReady(pod) && !isTerminal(pod) && !isGoing(pod);
  const lowest = surplus.findLast(isUnhealthy);
  for (const pod of surplus) {
    if (ordered && pod !== lowest && isUnhealthy(pod)) return false;
    if (isGoing(pod)) {
      if (ordered) return false;
      continue;
    }
    steps.push({ do: 'delete', pod, why: 'surplus' });
    if (ordered) return false;
  }
  return true;
};

/** Replaces pods of old revisions, from the highest number down, as many at a time as may be missing. */
const rollOn = ({ set, there, update, isGoing, isAvailable }: View, steps: StatefulSetStep[]): void => {
  const most = Math.max(1, amountOf(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wantedReplicas(set), Math.ceil));
  const wanted = [...there].filter(([ordinal]) => isWanted(set, ordinal)).sort(([a], [b]) => b - a);
  let missing = wanted.filter(([, pod]) => isGoing(pod) || !isAvailable(pod)).length;
  for (const [ordinal, pod] of wanted) {
    if (ordinal < firstUpdated(set)) return;
    if (revisionOfPod(pod) === update || isGoing(pod)) continue;
    if (isAvailable(pod) && missing >= most) return;
    if (isAvailable(pod)) missing++;
    steps.push({ do: 'delete', pod, why: 'old' });
  }
};
