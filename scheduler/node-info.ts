import type { Node } from '../schemas/kinds/core/node.ts';
import { wholeUnits } from '../schemas/quantity.ts';
import { amountsOf, minus, noAmounts, plus, type Amounts } from './amounts.ts';
import { HostPorts } from './host-ports.ts';
import type { PodInfo } from './pod-info.ts';
import { slotsOf } from './swarm/node-match.ts';

/**
 * NodeInfo is a node with what its pods take of it, kept up by addition and subtraction. It may stand for a node that is
 * not known (yet) but has pods; such a one takes no more.
 */
export class NodeInfo {
  readonly name: string;
  readonly ports = new HostPorts();
  readonly #pods = new Map<string, PodInfo>();
  #node: Node | undefined;
  #allocatable: Amounts = noAmounts;
  #allowedPods = 0;
  #used: Amounts = noAmounts;
  #assumed = { cpuMilli: 0, memoryBytes: 0 };
  #containers = 0;
  #version = 0;
  #changes = 0;
  #slots = Infinity;
  #imageBytes: ReadonlyMap<string, number> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get node(): Node | undefined { return this.#node; }
  get allocatable(): Amounts { return this.#allocatable; }
  get allowedPods(): number { return this.#allowedPods; }
  get used(): Amounts { return this.#used; }
  /** What scorers count beside `used` for containers that ask for no CPU or memory. */
  get assumed(): { readonly cpuMilli: number; readonly memoryBytes: number } { return this.#assumed; }
  /** Containers of all its pods. */
  get containers(): number { return this.#containers; }
  /** Most containers that it takes, where its label says a number; else no limit. */
  get slots(): number { return this.#slots; }
  get podCount(): number { return this.#pods.size; }
  /** Another number for every state of the node, its pods, and what is nominated to it. */
  get version(): number { return this.#version; }
  get pods(): ReadonlyMap<string, PodInfo> { return this.#pods; }
  get labels(): Readonly<Record<string, string>> { return this.#node?.metadata.labels ?? noLabels; }

  /** Sizes of the images that the node says it has, by each of their names. */
  get imageBytes(): ReadonlyMap<string, number> {
    return this.#imageBytes ??= new Map((this.#node?.status?.images ?? []).flatMap(({ names = [], sizeBytes = 0 }) => names.map((name) => [name, sizeBytes])));
  }

  /** Throws RangeError when an allocatable amount is no quantity; nothing has changed then. */
  setNode(node: Node | undefined): void {
    const list = node?.status?.allocatable ?? node?.status?.capacity;
    const allocatable = amountsOf(list);
    this.#allowedPods = wholeUnits(list?.['pods']);
    this.#allocatable = allocatable;
    this.#node = node;
    this.#slots = node === undefined ? Infinity : slotsOf(node);
    this.#imageBytes = undefined;
    this.touch();
  }

  add(pod: PodInfo): void {
    this.remove(pod.uid);
    this.#pods.set(pod.uid, pod);
    this.#used = plus(this.#used, pod.requests);
    this.#assumed.cpuMilli += pod.assumed.cpuMilli;
    this.#assumed.memoryBytes += pod.assumed.memoryBytes;
    this.#containers += pod.containers;
    this.ports.add(pod.ports);
    this.touch();
  }

  remove(uid: string): boolean {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return false;
    this.#pods.delete(uid);
    this.#used = minus(this.#used, pod.requests);
    this.#assumed.cpuMilli -= pod.assumed.cpuMilli;
    this.#assumed.memoryBytes -= pod.assumed.memoryBytes;
    this.#containers -= pod.containers;
    this.ports.remove(pod.ports);
    this.touch();
    return true;
  }

  /** Something about the node or its pods has changed. */
  touch(): void {
    this.#version = ++this.#changes;
  }

  /** All is again as it was at that version. */
  isAgain(version: number): void {
    this.#version = version;
  }
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({});
