/**
 * Pods that wait for a node. A pod is active (to be tried next: highest priority first, then the one that came first),
 * parked (refused, and asleep until something happens that can help it) or backing off (woken too soon after its last
 * refusal; 1 s after the first, doubling to 10 s). Every parked pod is tried again after five minutes all the same, should
 * a filter not know all that wakes it.
 */
import type { Clock } from '../base/clock.ts';
import type { Wake } from './framework.ts';
import { PodHeap } from './pod-heap.ts';
import type { PodInfo } from './pod-info.ts';

const firstBackoffMs = 1_000;
const longestBackoffMs = 10_000;
const longestParkMs = 300_000;

export interface QueuedPod {
  readonly info: PodInfo;
  /** Tries that failed. */
  readonly attempts: number;
  /** Order of arrival; it stays with the pod through all its tries. */
  readonly order: number;
}

interface Parked {
  readonly pod: QueuedPod;
  readonly wokenBy: ReadonlySet<Wake>;
  readonly notBeforeMs: number;
  readonly cancel: () => void;
}

export class PodQueue {
  readonly #clock: Clock;
  readonly #onActive: () => void;
  readonly #active = new PodHeap();
  readonly #backingOff = new Map<string, { readonly pod: QueuedPod; readonly cancel: () => void }>();
  readonly #parked = new Map<string, Parked>();
  /** Given out by next and not settled yet. */
  readonly #tried = new Map<string, QueuedPod>();
  #order = 0;

  /** `onActive` is told whenever a pod becomes active. */
  constructor(clock: Clock, onActive: () => void) {
    this.#clock = clock;
    this.#onActive = onActive;
  }

  get sizes(): { readonly active: number; readonly backingOff: number; readonly parked: number } {
    return { active: this.#active.size, backingOff: this.#backingOff.size, parked: this.#parked.size };
  }

  /** The pod as it waits, in whichever state. */
  get(uid: string): PodInfo | undefined {
    return (this.#active.get(uid) ?? this.#backingOff.get(uid)?.pod ?? this.#parked.get(uid)?.pod ?? this.#tried.get(uid))?.info;
  }

  /**
   * Puts a pod in, or in place of its older self. One that is parked becomes active, as its change may be what it needs
   * (see `replace` for changes that cannot help).
   */
  put(info: PodInfo): void {
    const known = this.#take(info.uid);
    this.#activate({ info, attempts: known?.attempts ?? 0, order: known?.order ?? this.#order++ });
  }

  /** Puts a newer state of a pod in the place of the one that is known, and leaves it where it waits. */
  replace(info: PodInfo): void {
    const { uid } = info;
    const newer = (pod: QueuedPod): QueuedPod => ({ ...pod, info });
    const parked = this.#parked.get(uid);
    const backingOff = this.#backingOff.get(uid);
    const tried = this.#tried.get(uid);
    if (parked !== undefined) this.#parked.set(uid, { ...parked, pod: newer(parked.pod) });
    else if (backingOff !== undefined) this.#backOff(newer(backingOff.pod), backingOff.cancel);
    else if (tried !== undefined) this.#tried.set(uid, newer(tried));
    else this.#active.replace(info);
  }

  remove(uid: string): void {
    this.#take(uid);
  }

  /** The next pod to try. It stays known until it is settled by `parked`, `failed` or `remove`. */
  next(): QueuedPod | undefined {
    const pod = this.#active.pop();
    if (pod !== undefined) this.#tried.set(pod.info.uid, pod);
    return pod;
  }

  /** The pod was refused by all nodes: it sleeps until one of the events. */
  park(uid: string, wokenBy: ReadonlySet<Wake>): void {
    const tried = this.#tried.get(uid);
    if (tried === undefined) return;
    this.#tried.delete(uid);
    const pod = { ...tried, attempts: tried.attempts + 1 };
    const cancel = this.#clock.after(longestParkMs, () => {
      const waiting = this.#parked.get(uid);
      if (waiting === undefined) return;
      this.#parked.delete(uid);
      this.#activate(waiting.pod);
    });
    this.#parked.set(uid, { pod, wokenBy, notBeforeMs: this.#clock.now() + backoffAfter(pod.attempts), cancel });
  }

  /** The pod could not be tried or bound, for a reason that passes: it comes again after its backoff. */
  fail(uid: string): void {
    const tried = this.#tried.get(uid);
    if (tried === undefined) return;
    this.#tried.delete(uid);
    const pod = { ...tried, attempts: tried.attempts + 1 };
    this.#backOffFor(pod, backoffAfter(pod.attempts));
  }

  /**
   * Wakes the parked pods that one of the events at a node can help and that fit there now. `refusedBy` tests: undefined
   * when the pod fits, else what could change the reason for which it does not. A pod that is refused for a reason it did
   * not have before is woken too, so that users are told what holds it now; that is seldom, as there are few reasons. Pods
   * for which room was made (`atOnce`) do not back off.
   */
  wake(events: readonly Wake[], refusedBy: (pod: PodInfo) => readonly Wake[] | undefined, atOnce: (pod: PodInfo) => boolean = () => false): void {
    for (const [uid, parked] of this.#parked) {
      if (!events.some((event) => parked.wokenBy.has(event))) continue;
      if (refusedBy(parked.pod.info)?.every((event) => parked.wokenBy.has(event)) === true) continue;
      this.#unpark(uid, parked, atOnce(parked.pod.info) ? 0 : parked.notBeforeMs - this.#clock.now());
    }
  }

  /** Wakes one pod if it is parked: it is tried again after its backoff. */
  wakeOne(uid: string): void {
    const parked = this.#parked.get(uid);
    if (parked !== undefined) this.#unpark(uid, parked, parked.notBeforeMs - this.#clock.now());
  }

  /** Forgets everything, and its timers. */
  clear(): void {
    for (const { cancel } of [...this.#parked.values(), ...this.#backingOff.values()]) cancel();
    this.#parked.clear();
    this.#backingOff.clear();
    this.#tried.clear();
    this.#active.clear();
  }

  #unpark(uid: string, { pod, cancel }: Parked, waitMs: number): void {
    this.#parked.delete(uid);
    cancel();
    if (waitMs <= 0) this.#activate(pod);
    else this.#backOffFor(pod, waitMs);
  }

  #activate(pod: QueuedPod): void {
    this.#active.push(pod);
    this.#onActive();
  }

  #backOffFor(pod: QueuedPod, waitMs: number): void {
    const { uid } = pod.info;
    this.#backOff(pod, this.#clock.after(waitMs, () => {
      const waiting = this.#backingOff.get(uid);
      if (waiting === undefined) return;
      this.#backingOff.delete(uid);
      this.#activate(waiting.pod);
    }));
  }

  #backOff(pod: QueuedPod, cancel: () => void): void {
    this.#backingOff.set(pod.info.uid, { pod, cancel });
  }

  #take(uid: string): QueuedPod | undefined {
    const parked = this.#parked.get(uid);
    const backingOff = this.#backingOff.get(uid);
    const tried = this.#tried.get(uid);
    parked?.cancel();
    backingOff?.cancel();
    this.#parked.delete(uid);
    this.#backingOff.delete(uid);
    this.#tried.delete(uid);
    return this.#active.remove(uid) ?? parked?.pod ?? backingOff?.pod ?? tried;
  }
}

const backoffAfter = (attempts: number): number => Math.min(firstBackoffMs * 2 ** Math.min(attempts - 1, 10), longestBackoffMs);
