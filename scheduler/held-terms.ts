/**
 * Terms that placed pods hold against others: their anti-affinity keeps new pods away, their wishes draw or push them. Pods
 * of one template hold equal terms, so there are few, each with a count of its holders by place.
 */
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { PodTerm, PodTerms } from './pod-terms.ts';
import { TopologyCount } from './topology-count.ts';

export interface HeldTerm {
  readonly term: PodTerm;
  /** 0 for required anti-affinity; else what a holder adds to the score of its place for a pod that is meant. */
  readonly weight: number;
  readonly holders: TopologyCount;
}

const noEntries: ReadonlyMap<string, { readonly term: PodTerm; readonly weight: number }> = new Map();

/** What a required affinity of a placed pod adds to the places of pods that it means, as in Kubernetes. */
const requiredWeight = 1;

export class HeldTerms {
  readonly #held = new Map<string, HeldTerm & { pods: number }>();
  readonly #termsOf: (pod: PodInfo) => PodTerms;
  readonly #empty = new Set<string>();
  #generation = 0;
  #keeping = 0;

  constructor(termsOf: (pod: PodInfo) => PodTerms) {
    this.#termsOf = termsOf;
  }

  /** Rises when a term comes or goes. */
  get generation(): number {
    return this.#generation;
  }

  all(): Iterable<HeldTerm> {
    return this.#held.values();
  }

  /** A pod is about to be placed: from now on it holds its terms. */
  add(pod: PodInfo, nodes: Iterable<NodeInfo>): void {
    for (const [text, { term, weight }] of this.#entries(pod)) {
      let held = this.#held.get(text);
      if (held === undefined) {
        const holders = new TopologyCount({ topologyKey: term.topologyKey, matches: (other) => this.#entries(other).has(text) }, nodes);
        this.#held.set(text, held = { term, weight, holders, pods: 0 });
        this.#generation++;
      }
      held.pods++;
    }
  }

  /** A pod is gone, and counted no longer. */
  remove(pod: PodInfo): void {
    for (const text of this.#entries(pod).keys()) {
      const held = this.#held.get(text);
      if (held === undefined || --held.pods > 0) continue;
      if (this.#keeping > 0) this.#empty.add(text);
      else this.#delete(text);
    }
  }

  /** From now on terms without holders stay: pods that are taken away for a moment come back to their counts. */
  keepEmpty(): void {
    this.#keeping++;
  }

  /** Undoes one `keepEmpty`. */
  dropEmpty(): void {
    if (--this.#keeping > 0 || this.#empty.size === 0) return;
    for (const text of this.#empty) if (this.#held.get(text)?.pods === 0) this.#delete(text);
    this.#empty.clear();
  }

  #delete(text: string): void {
    this.#held.delete(text);
    this.#generation++;
  }

  podChanged(nodeName: string, pod: PodInfo, by: 1 | -1): void {
    for (const text of this.#entries(pod).keys()) this.#held.get(text)?.holders.podChanged(nodeName, pod, by);
  }

  setNode(node: NodeInfo): void {
    for (const { holders } of this.#held.values()) holders.setNode(node);
  }

  readonly #known = new WeakMap<PodTerms, ReadonlyMap<string, { readonly term: PodTerm; readonly weight: number }>>();

  /** The terms of a pod by a text that says all about them. */
  #entries(pod: PodInfo): ReadonlyMap<string, { readonly term: PodTerm; readonly weight: number }> {
    if (pod.pod.spec?.affinity === undefined) return noEntries;
    const terms = this.#termsOf(pod);
    let entries = this.#known.get(terms);
    if (entries === undefined) {
      const all = [
        ...terms.antiAffinity.map((term) => ({ term, weight: 0 })),
        ...terms.affinity.map((term) => ({ term, weight: requiredWeight })),
        ...terms.preferred,
      ];
      this.#known.set(terms, entries = new Map(all.map((one) => [`${one.weight}/${one.term.text}`, one])));
    }
    return entries;
  }
}
