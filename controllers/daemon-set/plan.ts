/**
 * One pod on every node that it fits. A plan looks at each node by itself, then lets the rolling update take as many nodes
 * as its bounds allow: with maxUnavailable old pods go first and the next look makes the new ones; with maxSurge the new
 * pod comes first and the old one goes when the new one is available. An old pod that is not available serves nobody and
 * is replaced whatever the bounds say.
 */
import type { DaemonSet, DaemonSetStatus } from '../../schemas/kinds/apps/daemon-set.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import { amountOf } from '../amount-of.ts';
import { nonZero } from '../non-zero.ts';
import { claim } from '../ownership.ts';
import { availableInMs, isReady, isTerminal, isTerminating } from '../pod-state.ts';
import { revisionHashLabel } from '../revisions.ts';
import { nodeFitOf, nodeNameOf, type NodeFit } from './node-fit.ts';

export interface DaemonSetState {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  /** Pods that the DaemonSet owns and pods of its namespace that nobody owns. */
  readonly candidates: readonly Pod[];
  /** UIDs of pods whose deletion was asked for, though the candidates may not show it yet. */
  readonly leaving: ReadonlySet<string>;
  /** Hash of the present template's revision. */
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonSetPlan {
  readonly adopt: readonly Pod[];
  readonly release: readonly Pod[];
  /** Names of nodes that get a pod. */
  readonly create: readonly string[];
  /** Pods that go because they are too many, misplaced or old. */
  readonly remove: readonly Pod[];
  /** Pods that have ended by themselves, and go so that others can come. */
  readonly ended: readonly Pod[];
  readonly status: DaemonSetStatus;
  /** When to look again because a ready pod becomes available without an event. */
  readonly afterMs: number | undefined;
}

/** At most this many pods are made or deleted in one go, so that one DaemonSet does not hold up the others. */
const burst = 250;

/** The pods of one node. */
interface Place {
  readonly name: string;
  readonly fit: NodeFit;
  /** Neither ended nor going, oldest first. */
  readonly live: readonly Pod[];
  readonly going: readonly Pod[];
  readonly ended: readonly Pod[];
}

const byAge = (a: Pod, b: Pod): number =>
  (timeMs(a.metadata.creationTimestamp) ?? 0) - (timeMs(b.metadata.creationTimestamp) ?? 0) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);

const placesOf = ({ daemonSet, nodes, leaving }: DaemonSetState, pods: readonly Pod[]): readonly Place[] => {
  const fitOf = nodeFitOf(daemonSet);
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    const name = nodeNameOf(pod) ?? '';
    const there = byNode.get(name);
    if (there === undefined) byNode.set(name, [pod]);
    else there.push(pod);
  }
  const place = (name: string, fit: NodeFit, there: readonly Pod[]): Place => {
    const isGoing = (pod: Pod): boolean => isTerminating(pod) || leaving.has(pod.metadata.uid ?? '');
    return {
      name, fit, going: there.filter(isGoing),
      live: there.filter((pod) => !isGoing(pod) && !isTerminal(pod)).sort(byAge), ended: there.filter((pod) => !isGoing(pod) && isTerminal(pod)),
    };
  };
  const known = nodes.map((node) => {
    const name = node.metadata.name ?? '';
    const there = byNode.get(name) ?? [];
    byNode.delete(name);
    return place(name, fitOf(node), there);
  });
  // What is left is for nodes that are not there: bound pods are the garbage controller's, others can never run.
  return [...known, ...[...byNode].map(([name, there]) => place(name, { run: false, stay: false }, there.filter(({ spec }) => !spec.nodeName)))];
};

export const planDaemonSet = (state: DaemonSetState): DaemonSetPlan => {
  const { daemonSet, candidates, hash, nowMs } = state;
  const { keep, adopt, release } = claim(daemonSet, labelMatcher(daemonSet.spec.selector), candidates);
  const places = placesOf(state, [...keep, ...adopt]);
  const minReadySeconds = daemonSet.spec.minReadySeconds ?? 0;
  const waitMs = (pod: Pod): number | undefined => availableInMs(pod, minReadySeconds, nowMs);
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[revisionHashLabel] === hash;
  const view: View = { isNew, isAvailable: (pod) => waitMs(pod) === 0, ...boundsOf(daemonSet, places.filter(({ fit }) => fit.run).length) };

  const create: string[] = [];
  const remove: Pod[] = [];
  const ended: Pod[] = [];
  if (daemonSet.metadata.deletionTimestamp === undefined) {
    for (const place of places) planPlace(place, view, { create, remove, ended });
    if (daemonSet.spec.updateStrategy?.type !== 'OnDelete') planUpdate(places.filter(({ fit }) => fit.run), view, { create, remove, ended });
  }
  const waits = places.flatMap(({ live }) => live.map(waitMs)).filter((ms) => ms !== undefined && ms > 0) as readonly number[];
  return {
    adopt, release, create: create.slice(0, burst), remove: remove.slice(0, burst), ended: ended.slice(0, burst),
    status: statusOf(daemonSet, places, view), afterMs: waits.length === 0 ? undefined : Math.min(...waits),
  };
};

interface View {
  readonly isNew: (pod: Pod) => boolean;
  readonly isAvailable: (pod: Pod) => boolean;
  /** On how many nodes a new pod may run beside the old one. */
  readonly surge: number;
  /** On how many nodes the pod may be missing. */
  readonly unavailable: number;
}

interface Steps {
  readonly create: string[];
  readonly remove: Pod[];
  readonly ended: Pod[];
}

/** Percentages are of the nodes that should run the pod, rounded up. When both bounds are 0, one node may be without. */
const boundsOf = ({ spec }: DaemonSet, desired: number): Pick<View, 'surge' | 'unavailable'> => {
  const { maxSurge = 0, maxUnavailable = 1 } = spec.updateStrategy?.rollingUpdate ?? {};
  const surge = amountOf(maxSurge, desired, Math.ceil);
  const unavailable = amountOf(maxUnavailable, desired, Math.ceil);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
};

/** What a node needs whatever the update does: its first pod, and no more pods than it should have. */
const planPlace = ({ name, fit, live, going, ended }: Place, { isNew, surge }: View, steps: Steps): void => {
  if (!fit.run && !fit.stay) {
    steps.remove.push(...live, ...ended);
    return;
  }
  steps.ended.push(...ended);
  // Of each template the oldest pod stays; two templates side by side are an update with surge.
  const oldest = surge > 0 ? [live.find(isNew), live.find((pod) => !isNew(pod))] : [live[0]];
  steps.remove.push(...live.filter((pod) => !oldest.includes(pod)));
  // One that is on its way out still has the node's ports and files, but for an update that lets two run at once.
  const hasGone = surge > 0 ? going.every((pod) => !isNew(pod)) : going.length === 0;
  if (fit.run && live.length === 0 && ended.length === 0 && hasGone) steps.create.push(name);
};

const planUpdate = (places: readonly Place[], view: View, steps: Steps): void => {
  const { isNew, isAvailable, surge, unavailable } = view;
  const pairs = places.map(({ name, live }) => ({ name, fresh: live.find(isNew), old: live.find((pod) => !isNew(pod)) }));
  if (surge === 0) {
    let missing = pairs.filter(({ fresh, old }) => ![fresh, old].some((pod) => pod !== undefined && isAvailable(pod))).length;
    for (const { fresh, old } of pairs) {
      if (old === undefined || fresh !== undefined) continue;
      if (isAvailable(old) && ++missing > unavailable) continue;
      steps.remove.push(old);
    }
    return;
  }
  let beside = pairs.filter(({ fresh, old }) => fresh !== undefined && old !== undefined && !isAvailable(fresh) && isAvailable(old)).length;
  for (const { name, fresh, old } of pairs) {
    if (old === undefined) continue;
    if (fresh !== undefined) {
      if (isAvailable(fresh) || !isAvailable(old)) steps.remove.push(old);
    } else if (!isAvailable(old) || ++beside <= surge) steps.create.push(name);
  }
};

const statusOf = (daemonSet: DaemonSet, places: readonly Place[], { isNew, isAvailable }: View): DaemonSetStatus => {
  const wanted = places.filter(({ fit }) => fit.run);
  // A pod that is on its way out runs until it is gone.
  const first = wanted.map(({ live, going }) => live.find(isNew) ?? live[0] ?? going[0]);
  const count = (test: (pod: Pod) => boolean): number => first.filter((pod) => pod !== undefined && test(pod)).length;
  // With surge the old pod serves while the new one is not available.
  const available = wanted.filter(({ live }) => live.some(isAvailable)).length;
  return {
    currentNumberScheduled: count(() => true),
    numberMisscheduled: places.filter(({ fit, live, going }) => !fit.run && live.length + going.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: wanted.filter(({ live }) => live.some(isReady)).length,
    ...(daemonSet.metadata.generation === undefined ? {} : { observedGeneration: daemonSet.metadata.generation }),
    ...nonZero({ updatedNumberScheduled: count(isNew), numberAvailable: available, numberUnavailable: wanted.length - available }),
    ...(daemonSet.status?.collisionCount === undefined ? {} : { collisionCount: daemonSet.status.collisionCount }),
    ...(daemonSet.status?.conditions === undefined ? {} : { conditions: daemonSet.status.conditions }),
  };
};
