import type { PodInfo } from './pod-info.ts';
import type { QueuedPod } from './pod-queue.ts';

const before = (a: QueuedPod, b: QueuedPod): boolean =>
  (a.info.priority === b.info.priority ? a.order < b.order : a.info.priority > b.info.priority);

/** Pods by priority (highest first), then by order; each at most once. Logarithmic, a removal too. */
export class PodHeap {
  readonly #heap: QueuedPod[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#heap.length;
  }

  get(uid: string): QueuedPod | undefined {
    const place = this.#places.get(uid);
    return place === undefined ? undefined : this.#heap[place];
  }

  push(pod: QueuedPod): void {
    this.remove(pod.info.uid);
    this.#heap.push(pod);
    this.#up(this.#heap.length - 1, pod);
  }

  pop(): QueuedPod | undefined {
    const first = this.#heap[0];
    return first === undefined ? undefined : this.remove(first.info.uid);
  }

  remove(uid: string): QueuedPod | undefined {
    const place = this.#places.get(uid);
    if (place === undefined) return undefined;
    const removed = this.#heap[place];
    const last = this.#heap.pop();
    this.#places.delete(uid);
    if (last !== undefined && last !== removed) {
      this.#down(place, last);
      this.#up(this.#places.get(last.info.uid) ?? place, last);
    }
    return removed;
  }

  /** A newer state of a pod that is in here; its priority may be another. */
  replace(info: PodInfo): void {
    const old = this.remove(info.uid);
    if (old !== undefined) this.push({ ...old, info });
  }

  clear(): void {
    this.#heap.length = 0;
    this.#places.clear();
  }

  #set(place: number, pod: QueuedPod): void {
    this.#heap[place] = pod;
    this.#places.set(pod.info.uid, place);
  }

  #up(from: number, pod: QueuedPod): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above] as QueuedPod;
      if (!before(pod, parent)) break;
      this.#set(place, parent);
      place = above;
    }
    this.#set(place, pod);
  }

  #down(from: number, pod: QueuedPod): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#heap.length) break;
      const right = child + 1;
      if (right < this.#heap.length && before(this.#heap[right] as QueuedPod, this.#heap[child] as QueuedPod)) child = right;
      if (!before(this.#heap[child] as QueuedPod, pod)) break;
      this.#set(place, this.#heap[child] as QueuedPod);
      place = child;
    }
    this.#set(place, pod);
  }
}
