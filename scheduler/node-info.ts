import type { Node } from '../schemas/kinds/core/node.ts';
import { wholeUnits } from '../schemas/quantity.ts';
import type { Taint } from '../schemas/types/affinity.ts';
import { amountsOf, noAmounts, Tally, type Amounts } from './amounts.ts';
import { HostPorts } from '../schemas/host-ports.ts';
import type { PodInfo } from './pod-info.ts';
import { slotsOf } from './swarm/node-match.ts';

/**
 * NodeInfo is a node with what its pods take of it, kept up by addition and subtraction. It may stand for a node that is
 * not known (yet) but has pods; such a one takes no more.
 */
export class NodeInfo {
  readonly name: string;
  // What each decision reads of hundreds of nodes stands together and changes in place: memory far away is what costs then.
  #isCordoned = false;
  #hardTaints: readonly Taint[] = noTaints;
  #softTaints: readonly Taint[] = noTaints;
  #allowedPods = 0;
  #podCount = 0;
  #containers = 0;
  #allocatable: Amounts = noAmounts;
  readonly #used = new Tally();
  readonly #assumed = { cpuMilli: 0, memoryBytes: 0 };
  readonly ports = new HostPorts();
  readonly #pods = new Map<string, PodInfo>();
  #node: Node | undefined;
  #version = 0;
  #changes = 0;
  #slots = Infinity;
  #imageBytes: ReadonlyMap<string, number> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get node(): Node | undefined { return this.#node; }
  /** Whether its spec says that it takes no more pods. */
  get isCordoned(): boolean { return this.#isCordoned; }
  /** Taints that keep pods away (NoSchedule and NoExecute). */
  get hardTaints(): readonly Taint[] { return this.#hardTaints; }
  /** Taints that make the node a worse one (PreferNoSchedule). */
  get softTaints(): readonly Taint[] { return this.#softTaints; }
  get allocatable(): Amounts { return this.#allocatable; }
  get allowedPods(): number { return this.#allowedPods; }
  /** What its pods ask for, as it stands: the amounts change with them. */
  get used(): Amounts { return this.#used; }
  /** What scorers count beside `used` for containers that ask for no CPU or memory. */
  get assumed(): { readonly cpuMilli: number; readonly memoryBytes: number } { return this.#assumed; }
  /** Containers of all its pods. */
  get containers(): number { return this.#containers; }
  /** Most containers that it takes, where its label says a number; else no limit. */
  get slots(): number { return this.#slots; }
  get podCount(): number { return this.#podCount; }
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
    const { unschedulable, taints = noTaints } = node?.spec ?? {};
    this.#isCordoned = unschedulable === true;
    this.#hardTaints = taints.length === 0 ? noTaints : taints.filter(({ effect }) => effect !== 'PreferNoSchedule');
    this.#softTaints = taints.length === 0 ? noTaints : taints.filter(({ effect }) => effect === 'PreferNoSchedule');
    this.#slots = node === undefined ? Infinity : slotsOf(node);
    this.#imageBytes = undefined;
    this.touch();
  }

  add(pod: PodInfo): void {
    this.remove(pod.uid);
    this.#pods.set(pod.uid, pod);
    this.#podCount = this.#pods.size;
    this.#used.count(pod.requests, 1);
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
    this.#podCount = this.#pods.size;
    this.#used.count(pod.requests, -1);
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

const noTaints: readonly Taint[] = Object.freeze([]);
const noLabels: Readonly<Record<string, string>> = Object.freeze({});
