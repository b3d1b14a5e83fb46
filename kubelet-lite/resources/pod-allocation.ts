import { deepEqual } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { hasEnded, type PendingResize } from '../pod-view.ts';
import { allocatedAmounts, recordedAllocation, wantedAllocation, whyPending, withAllocation, type Allocation } from './allocation.ts';
import type { NodeAllocations } from './node-allocations.ts';

export interface PodAllocationOptions {
  readonly node: NodeAllocations;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Room may have come free for what the pod waits for. */
  readonly roomChanged: () => void;
}

/** What one pod has been given of the node, and what it waits for. */
export class PodAllocation {
  readonly #options: PodAllocationOptions;
  readonly #uid: string;
  #allocation: Allocation;
  #pending: PendingResize | undefined;

  constructor(pod: Pod, options: PodAllocationOptions) {
    this.#options = options;
    this.#uid = pod.metadata.uid ?? '';
    this.#allocation = recordedAllocation(pod);
    if (!hasEnded(pod)) options.node.give(pod, this.#allocation);
  }

  /** Why the pod has not got what it asks for. */
  get pending(): PendingResize | undefined {
    return this.#pending;
  }

  /** The pod as the node runs it: with what it has been given. */
  applied(pod: Pod): Pod {
    return withAllocation(pod, this.#allocation);
  }

  /** Gives the pod what it asks for now, where there is room; nothing to one that has ended. True when it was given something else than before. */
  decide(pod: Pod): boolean {
    if (hasEnded(pod)) {
      this.release();
      return false;
    }
    const { node, allocatable, roomChanged } = this.#options;
    const wanted = wantedAllocation(pod);
    const same = deepEqual([...wanted], [...this.#allocation]);
    this.#pending = same ? undefined
      : whyPending(allocatedAmounts(pod, wanted), { allocatable, others: node.othersThan(this.#uid), has: allocatedAmounts(pod, this.#allocation) });
    if (this.#pending?.reason === 'Deferred') node.wait(this.#uid, roomChanged);
    else node.stopWaiting(this.#uid);
    if (same || this.#pending !== undefined) return false;
    this.#allocation = wanted;
    node.give(pod, wanted);
    return true;
  }

  /** The pod takes nothing of the node any more. */
  release(): void {
    this.#pending = undefined;
    this.#options.node.release(this.#uid);
  }
}
