/**
 * Pods that are of interest, counted by the value that their nodes have for a label: by zone, by host. Affinity between
 * pods and topology spread ask such counts for every node that they look at, so they are kept up with each pod that is
 * placed or gone instead of being added up for each decision. The least count is kept too, for spread compares with it.
 */
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

interface Counting {
  readonly matches: (pod: PodInfo) => boolean;
  /** Whether a node and the pods on it count; all do where absent. */
  readonly eligible?: ((node: NodeInfo) => boolean) | undefined;
}

/** What divides nodes into domains: a label, or anything else that they have. Nodes without it belong to none. */
export type CountedPods = Counting & ({ readonly topologyKey: string } | { readonly domainOf: (node: NodeInfo) => string | undefined });

interface Counted {
  /** The domain to which it was counted; undefined: to none. */
  readonly value: string | undefined;
  pods: number;
}

export class TopologyCount {
  readonly #what: Counting;
  readonly #domainOf: (node: NodeInfo) => string | undefined;
  readonly #nodes = new Map<string, Counted>();
  /** Pods and nodes of each domain. A domain is there as long as it has a node. */
  readonly #domains = new Map<string, { pods: number; nodes: number }>();
  /** How many domains have so many pods. */
  readonly #sizes = new Map<number, number>();
  #least = 0;
  #total = 0;

  constructor(what: CountedPods, nodes: Iterable<NodeInfo>) {
    this.#what = what;
    this.#domainOf = 'domainOf' in what ? what.domainOf : ({ labels }) => labels[what.topologyKey];
    for (const node of nodes) this.setNode(node);
  }

  /** Pods of the node's domain; undefined where it belongs to none. */
  at(node: NodeInfo): number | undefined {
    const value = this.#domainOf(node);
    return value === undefined ? undefined : this.#domains.get(value)?.pods ?? 0;
  }

  /** Of the domain with the fewest pods; 0 where there is none. */
  get least(): number {
    return this.#domains.size === 0 ? 0 : this.#least;
  }

  get domains(): number {
    return this.#domains.size;
  }

  /** Of all domains together. */
  get total(): number {
    return this.#total;
  }

  matches(pod: PodInfo): boolean {
    return this.#what.matches(pod);
  }

  /** A node is new, changed or gone: it and its pods are counted anew. */
  setNode(node: NodeInfo): void {
    this.#forget(node.name);
    if (node.node === undefined) return;
    const value = this.#what.eligible?.(node) === false ? undefined : this.#domainOf(node);
    let pods = 0;
    for (const pod of node.pods.values()) if (this.#what.matches(pod)) pods++;
    this.#nodes.set(node.name, { value, pods });
    if (value === undefined) return;
    const domain = this.#domains.get(value);
    this.#resize(value, { pods: (domain?.pods ?? 0) + pods, nodes: (domain?.nodes ?? 0) + 1 });
  }

  /** A pod came to a node (1) or left it (-1). */
  podChanged(nodeName: string, pod: PodInfo, by: 1 | -1): void {
    const node = this.#nodes.get(nodeName);
    if (node === undefined || !this.#what.matches(pod)) return;
    node.pods += by;
    if (node.value === undefined) return;
    const domain = this.#domains.get(node.value)!;
    this.#resize(node.value, { ...domain, pods: domain.pods + by });
  }

  #forget(nodeName: string): void {
    const node = this.#nodes.get(nodeName);
    if (node === undefined) return;
    this.#nodes.delete(nodeName);
    if (node.value === undefined) return;
    const domain = this.#domains.get(node.value)!;
    this.#resize(node.value, { pods: domain.pods - node.pods, nodes: domain.nodes - 1 });
  }

  #resize(value: string, to: { pods: number; nodes: number }): void {
    const old = this.#domains.get(value);
    if (old !== undefined) {
      this.#total -= old.pods;
      const left = this.#sizes.get(old.pods)! - 1;
      if (left === 0) this.#sizes.delete(old.pods);
      else this.#sizes.set(old.pods, left);
    }
    if (to.nodes === 0) this.#domains.delete(value);
    else {
      this.#domains.set(value, to);
      this.#total += to.pods;
      this.#sizes.set(to.pods, (this.#sizes.get(to.pods) ?? 0) + 1);
      if (to.pods < this.#least) this.#least = to.pods;
    }
    // The least domain grew or went: the next size is mostly one more.
    if (!this.#sizes.has(this.#least)) this.#least = this.#sizes.size === 0 ? 0 : Math.min(...this.#sizes.keys());
  }
}

/**
 * All counts that somebody asks for, each once. A count lives as long as somebody holds it: the checks of a pod's shape do,
 * until the shape is forgotten.
 */
export class TopologyCounts {
  readonly #counts = new Map<string, WeakRef<TopologyCount>>();

  /** The count of this text, which says all about what is counted; made on all nodes when it is new. */
  get(text: string, what: () => CountedPods, nodes: Iterable<NodeInfo>): TopologyCount {
    const known = this.#counts.get(text)?.deref();
    if (known !== undefined) return known;
    const count = new TopologyCount(what(), nodes);
    this.#counts.set(text, new WeakRef(count));
    return count;
  }

  setNode(node: NodeInfo): void {
    for (const count of this.#all()) count.setNode(node);
  }

  podChanged(nodeName: string, pod: PodInfo, by: 1 | -1): void {
    if (this.#counts.size > 0) for (const count of this.#all()) count.podChanged(nodeName, pod, by);
  }

  *#all(): Iterable<TopologyCount> {
    for (const [text, reference] of this.#counts) {
      const count = reference.deref();
      if (count === undefined) this.#counts.delete(text);
      else yield count;
    }
  }
}
