import type { PodInfo } from './pod-info.ts';

export interface Nomination {
  readonly pod: PodInfo;
  readonly nodeName: string;
  /** Pods that were told to go; empty where an earlier scheduler told them. */
  readonly victims: ReadonlySet<string>;
}

const none: ReadonlyMap<string, Nomination> = new Map();

/** Pods that wait for the end of others on a node, so that nobody of no higher priority takes the room that was made for them. */
export class Nominations {
  readonly #byPod = new Map<string, Nomination>();
  readonly #byNode = new Map<string, Map<string, Nomination>>();
  readonly #changed: (nodeName: string) => void;

  /** `changed` is told of the node whenever a nomination to it comes or goes. */
  constructor(changed: (nodeName: string) => void) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#byPod.size;
  }

  of(uid: string): Nomination | undefined {
    return this.#byPod.get(uid);
  }

  on(nodeName: string): ReadonlyMap<string, Nomination> {
    return this.#byNode.get(nodeName) ?? none;
  }

  /** Nominates a pod, in place of what it was nominated to before. */
  set(nomination: Nomination): void {
    const { pod: { uid }, nodeName } = nomination;
    this.delete(uid);
    this.#byPod.set(uid, nomination);
    let there = this.#byNode.get(nodeName);
    if (there === undefined) this.#byNode.set(nodeName, there = new Map());
    there.set(uid, nomination);
    this.#changed(nodeName);
  }

  /** Takes a nomination back and returns it. */
  delete(uid: string): Nomination | undefined {
    const nomination = this.#byPod.get(uid);
    if (nomination === undefined) return undefined;
    this.#byPod.delete(uid);
    const there = this.#byNode.get(nomination.nodeName);
    there?.delete(uid);
    if (there?.size === 0) this.#byNode.delete(nomination.nodeName);
    this.#changed(nomination.nodeName);
    return nomination;
  }
}
