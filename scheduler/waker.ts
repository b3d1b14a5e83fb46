import { deepEqual } from '../schemas/frozen.ts';
import type { Node } from '../schemas/kinds/core/node.ts';
import { swarmAnnotations } from '../schemas/swarm/placement.ts';
import type { Cluster } from './cluster.ts';
import type { Wake } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { PodQueue } from './pod-queue.ts';
import type { Decider } from './schedule.ts';

/** Waker tells the queue what happened in the cluster, and wakes those of the parked pods that it can help. */
export class Waker {
  readonly #cluster: Cluster;
  readonly #queue: PodQueue;
  readonly #deciderFor: (pod: PodInfo) => Pick<Decider, 'stillRefusedBy' | 'isHelpedBy'>;

  constructor(cluster: Cluster, queue: PodQueue, deciderFor: (pod: PodInfo) => Pick<Decider, 'stillRefusedBy' | 'isHelpedBy'>) {
    this.#cluster = cluster;
    this.#queue = queue;
    this.#deciderFor = deciderFor;
  }

  /** Wakes the pods that these events at this node can help: those that would fit it now, or could make room there. */
  wakeFor(node: NodeInfo, events: readonly Wake[]): void {
    const { nominations } = this.#cluster;
    // Pods of one shape get one answer, those that wait for room elsewhere another one: they make no more room.
    const known = { free: new Map<string, readonly Wake[] | undefined>(), waiting: new Map<string, readonly Wake[] | undefined>() };
    this.#queue.wake(events, (pod) => {
      const { shape, uid } = pod;
      const nomination = nominations.of(uid);
      // What is refused here to others for the sake of this pod is not refused to it.
      if (nomination?.nodeName === node.name) return this.#deciderFor(pod).stillRefusedBy(pod, node);
      const answers = nomination === undefined ? known.free : known.waiting;
      if (!answers.has(shape)) answers.set(shape, this.#deciderFor(pod).stillRefusedBy(pod, node));
      return answers.get(shape);
    }, ({ uid }) => nominations.of(uid)?.nodeName === node.name);
  }

  /** Wakes the pods that look at other pods and for which this one makes a difference, wherever it is. */
  wakeBeside(event: Wake, other: PodInfo): void {
    // An empty list of reasons: it stays as it is.
    this.#queue.wake([event], (pod) => (this.#deciderFor(pod).isHelpedBy(pod, other) ? undefined : []));
  }

  /** No longer counts a pod, and wakes those that it was in the way of. */
  takeAway(uid: string): void {
    const placed = this.#cluster.placed(uid);
    const node = this.#cluster.unplace(uid);
    if (node?.node !== undefined) this.wakeFor(node, ['podGone']);
    if (placed !== undefined) this.wakeBeside('podGone', placed.pod);
  }

  /** Room for a pod is not made any more and is there for others, unless the pod itself is on the node `takenAt`. */
  denominate(uid: string, takenAt?: string): void {
    const nomination = this.#cluster.nominations.delete(uid);
    if (nomination === undefined || nomination.nodeName === takenAt) return;
    const node = this.#cluster.node(nomination.nodeName);
    if (node !== undefined) this.wakeFor(node, ['podGone']);
    this.wakeBeside('podGone', nomination.pod);
  }

  /** A pod has lost the room that was made for it, and looks for other. */
  loseNomination(uid: string): void {
    this.denominate(uid);
    this.#queue.wakeOne(uid);
  }
}

/** Whether all is equal that only Swarm's constraints ask for. */
const sameFacts = (old: Node, node: Node): boolean => deepEqual(old.status?.nodeInfo, node.status?.nodeInfo) && deepEqual(old.status?.addresses, node.status?.addresses)
  && deepEqual(swarmAnnotations(old.metadata.annotations), swarmAnnotations(node.metadata.annotations));

/** What a change of a node may do for a refused pod; empty when nothing has changed that scheduling looks at. */
export const wakes = (old: Node | undefined, node: Node): readonly Wake[] => {
  if (old === undefined) return ['nodeAdded'];
  const found: Wake[] = [];
  if (!deepEqual(old.status?.allocatable, node.status?.allocatable) || !deepEqual(old.status?.capacity, node.status?.capacity)) found.push('nodeAllocatable');
  if (!deepEqual(old.metadata.labels, node.metadata.labels)) found.push('nodeLabels');
  if (!sameFacts(old, node)) found.push('nodeFacts');
  if (!deepEqual(old.spec?.taints, node.spec?.taints)) found.push('nodeTaints');
  if ((old.spec?.unschedulable ?? false) !== (node.spec?.unschedulable ?? false)) found.push('nodeUnschedulable');
  return found;
};
