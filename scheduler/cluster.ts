import type { Node } from '../schemas/kinds/core/node.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { DefaultSelectors } from './default-selectors.ts';
import { HeldTerms, type HeldTerm } from './held-terms.ts';
import { NodeInfo } from './node-info.ts';
import { Nominations } from './nominations.ts';
import type { PodInfo } from './pod-info.ts';
import { podTermsOf, type PodTerms } from './pod-terms.ts';
import { Priorities } from './priorities.ts';
import { TopologyCounts, type CountedPods, type TopologyCount } from './topology-count.ts';
import { Volumes } from './volumes.ts';

/**
 * Cluster is what the scheduler believes: all nodes, and all pods that are on one or are assumed to be soon, because a
 * binding is under way. It is changed by one event at a time and never rebuilt.
 */
export class Cluster {
  readonly #infos = new Map<string, NodeInfo>();
  readonly #placed = new Map<string, { readonly info: NodeInfo; readonly pod: PodInfo }>();
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  readonly #counts = new TopologyCounts();
  readonly #terms = new WeakMap<PodInfo, PodTerms>();
  readonly #held = new HeldTerms((pod) => this.termsOf(pod));
  #images: Map<string, number> | undefined;
  readonly #slotted = new Set<string>();
  #nodes: NodeInfo[] = [];
  readonly #priorities = new Priorities();
  /** What selects pods, kept up by the caller where a profile asks for it (`followsSelectors`). */
  readonly selectors = new DefaultSelectors();
  /** Claims and volumes, and who uses them. */
  readonly volumes = new Volumes(() => this.#changed());
  readonly #nominations = new Nominations((nodeName) => {
    this.#infos.get(nodeName)?.touch();
    this.#changed();
  });
  #generation = 0;
  #changes = 0;

  /** Nodes that exist, in the order in which they came. */
  get nodes(): readonly NodeInfo[] {
    return this.#nodes;
  }

  /** Another number for every state: what was found at a generation holds as long as it stands. */
  get generation(): number {
    return this.#generation;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.#infos.get(name);
    return info?.node === undefined ? undefined : info;
  }

  /** Whether there is a node that takes only so many containers. */
  get limitsSlots(): boolean {
    return this.#slotted.size > 0;
  }

  /** Adds or changes a node. Throws RangeError when its amounts are no quantities. */
  setNode(node: Node): NodeInfo {
    const info = this.#info(node.metadata.name ?? '');
    const isNew = info.node === undefined;
    this.#countImages(info, -1);
    try {
      info.setNode(node);
    } finally {
      this.#countImages(info, 1);
    }
    if (isNew) this.#nodes = [...this.#nodes, info];
    this.#recount(info);
    return info;
  }

  /** Its pods stay with their name until they are gone themselves, and count again should the node come back. */
  removeNode(name: string): void {
    const info = this.#infos.get(name);
    if (info === undefined) return;
    this.#countImages(info, -1);
    info.setNode(undefined);
    this.#nodes = this.#nodes.filter((other) => other !== info);
    if (info.podCount === 0) this.#infos.delete(name);
    this.#recount(info);
  }

  /** Counts a pod to a node, and no longer to another. */
  place(pod: PodInfo, nodeName: string): void {
    this.unplace(pod.uid);
    const info = this.#info(nodeName);
    this.#held.add(pod, this.#nodes);
    info.add(pod);
    this.#placed.set(pod.uid, { info, pod });
    this.#counts.podChanged(nodeName, pod, 1);
    this.#held.podChanged(nodeName, pod, 1);
    this.#priorities.add(pod.priority);
    if (pod.claimKeys.length > 0) this.volumes.use(pod, 1);
    this.#changed();
  }

  /** No longer counts a pod; returns the node on which it was. */
  unplace(uid: string): NodeInfo | undefined {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return undefined;
    this.#placed.delete(uid);
    placed.info.remove(uid);
    this.#counts.podChanged(placed.info.name, placed.pod, -1);
    this.#held.podChanged(placed.info.name, placed.pod, -1);
    this.#held.remove(placed.pod);
    this.#priorities.remove(placed.pod.priority);
    if (placed.pod.claimKeys.length > 0) this.volumes.use(placed.pod, -1);
    if (placed.info.node === undefined && placed.info.podCount === 0) this.#infos.delete(placed.info.name);
    this.#changed();
    return placed.info;
  }

  /** A newer state of a placed pod of which only the status is another. */
  renew(uid: string, pod: Pod): void {
    const placed = this.#placed.get(uid);
    placed?.pod.renew(pod);
    placed?.info.touch();
  }

  /** Where a pod is counted, and as what. */
  placed(uid: string): { readonly nodeName: string; readonly pod: PodInfo } | undefined {
    const placed = this.#placed.get(uid);
    return placed === undefined ? undefined : { nodeName: placed.info.name, pod: placed.pod };
  }

  /** The lowest priority of placed pods; Infinity where there are none. */
  get leastPriority(): number {
    return this.#priorities.least;
  }

  /** Pods for which room is being made, by node. Their room is not given to pods of lower or equal priority. */
  get nominations(): Nominations {
    return this.#nominations;
  }

  /**
   * Does work on a cluster in which pods are elsewhere, and puts all back as it was, also when the work throws. It may be
   * nested. Nothing else may happen meanwhile, so the work must not wait for anything.
   */
  imagine<T>(work: (imagined: Pick<Cluster, 'place' | 'unplace'>) => T): T {
    const generation = this.#generation;
    const undo: (() => void)[] = [];
    const versions = new Map<NodeInfo, number>();
    const keep = (info: NodeInfo | undefined): void => {
      if (info !== undefined && !versions.has(info)) versions.set(info, info.version);
    };
    this.#held.keepEmpty();
    try {
      return work({
        place: (pod, nodeName) => {
          keep(this.#placed.get(pod.uid)?.info);
          keep(this.#infos.get(nodeName));
          undo.push(this.#putBack(pod.uid));
          this.place(pod, nodeName);
        },
        unplace: (uid) => {
          keep(this.#placed.get(uid)?.info);
          undo.push(this.#putBack(uid));
          return this.unplace(uid);
        },
      });
    } finally {
      for (const back of undo.reverse()) back();
      this.#held.dropEmpty();
      // What was found before holds again; numbers that were used meanwhile are never used for another state.
      this.#generation = generation;
      for (const [info, version] of versions) info.isAgain(version);
    }
  }

  #putBack(uid: string): () => void {
    const placed = this.placed(uid);
    return placed === undefined ? () => void this.unplace(uid) : () => this.place(placed.pod, placed.nodeName);
  }

  #changed(): void {
    this.#generation = ++this.#changes;
  }

  /** Labels of a namespace, which terms of affinity may choose by; undefined: it is gone. */
  setNamespace(name: string, labels: Readonly<Record<string, string>> | undefined): void {
    if (labels === undefined) this.#namespaces.delete(name);
    else this.#namespaces.set(name, labels);
    for (const info of this.#nodes) this.#recount(info);
  }

  /** The terms of affinity of a pod. */
  termsOf(pod: PodInfo): PodTerms {
    let terms = this.#terms.get(pod);
    if (terms === undefined) this.#terms.set(pod, terms = podTermsOf(pod.pod, (name) => this.#namespaces.get(name)));
    return terms;
  }

  /** A count of placed pods by place, kept up from now on for as long as it is held. Equal texts share one. */
  count(text: string, what: () => CountedPods): TopologyCount {
    return this.#counts.get(text, what, this.#nodes);
  }

  /** Terms of placed pods that mean others, and a number that rises when such a term comes or goes. */
  get held(): { readonly generation: number; all(): Iterable<HeldTerm> } {
    return this.#held;
  }

  /** How many nodes have each image. From the first time that somebody asks it is kept up; before, images are not looked at. */
  get nodesWithImage(): ReadonlyMap<string, number> {
    if (this.#images === undefined) {
      this.#images = new Map();
      for (const info of this.#nodes) this.#countImages(info, 1);
    }
    return this.#images;
  }

  /** Whether somebody asks for images: only then need they be told. */
  get watchesImages(): boolean {
    return this.#images !== undefined;
  }

  #countImages(info: NodeInfo, by: 1 | -1): void {
    if (this.#images !== undefined) for (const image of info.imageBytes.keys()) this.#images.set(image, (this.#images.get(image) ?? 0) + by);
  }

  #recount(info: NodeInfo): void {
    if (info.slots === Infinity) this.#slotted.delete(info.name);
    else this.#slotted.add(info.name);
    this.#counts.setNode(info);
    this.#held.setNode(info);
    this.#changed();
  }

  #info(name: string): NodeInfo {
    let info = this.#infos.get(name);
    if (info === undefined) this.#infos.set(name, info = new NodeInfo(name));
    return info;
  }
}
