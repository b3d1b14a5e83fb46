import { deepEqual } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { noAmounts, plus, type ResourceAmounts } from '../../schemas/resource-amounts.ts';
import { hasEnded } from '../pod-view.ts';
import { allocatedAmounts, recordedAllocation, type Allocation } from './allocation.ts';

/** What each pod of the node has been given. Whoever waits for room hears of every change. */
export class NodeAllocations {
  readonly #byUid = new Map<string, ResourceAmounts>();
  readonly #waiting = new Map<string, () => void>();

  /** Pods that were on the node before, so that whoever decides first knows of all. */
  adopt(pods: readonly Pod[]): void {
    for (const pod of pods) if (!hasEnded(pod)) this.give(pod, recordedAllocation(pod));
  }

  give(pod: Pod, allocation: Allocation): void {
    const { uid = '' } = pod.metadata;
    const amounts = allocatedAmounts(pod, allocation);
    if (deepEqual([...this.#byUid.get(uid) ?? []], [...amounts])) return;
    this.#byUid.set(uid, amounts);
    this.#tell(uid);
  }

  /** The pod has ended, or is gone. */
  release(uid: string): void {
    this.#waiting.delete(uid);
    if (this.#byUid.delete(uid)) this.#tell(uid);
  }

  /** What these pods have. */
  of(pods: readonly Pod[]): ResourceAmounts {
    return pods.reduce((sum, { metadata: { uid = '' } }) => plus(sum, this.#byUid.get(uid) ?? noAmounts), noAmounts);
  }

  /** What all pods but one have. */
  othersThan(uid: string): ResourceAmounts {
    return [...this.#byUid].reduce((sum, [other, amounts]) => (other === uid ? sum : plus(sum, amounts)), noAmounts);
  }

  /** Calls when others were given more or less, until `stopWaiting` or `release`. */
  wait(uid: string, changed: () => void): void {
    this.#waiting.set(uid, changed);
  }

  stopWaiting(uid: string): void {
    this.#waiting.delete(uid);
  }

  #tell(changedUid: string): void {
    for (const [uid, changed] of this.#waiting) if (uid !== changedUid) changed();
  }
}
