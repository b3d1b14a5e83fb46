/** The contracts of what decides where a pod goes: filters say where it cannot, scorers where it would be better. */
import type { Cluster } from './cluster.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** Why a pod cannot be on a node, in the words that are counted for the user; several where several things lack. */
export type Reason = string | readonly string[];

/** The reason why not, or undefined: fits. Must not change anything. */
export type Check = (node: NodeInfo) => Reason | undefined;

/** What may make a refused pod fit. */
export type Wake = 'nodeAdded' | 'nodeGone' | 'nodeAllocatable' | 'nodeLabels' | 'nodeTaints' | 'nodeUnschedulable' | 'nodeFacts' | 'nodeImages' | 'podGone' | 'podPlaced' | 'volumes';

/** A few nodes that alone can take a pod, and why the others cannot. */
export interface Narrowed {
  readonly names: readonly string[];
  readonly reason: string;
}

export interface Filter {
  readonly name: string;
  /** What is wrong with what the pod asks of this filter; such a pod is not placed until it is changed. */
  misread?(pod: PodInfo): string | undefined;
  /**
   * Does what depends on the pod alone; undefined when this filter has nothing to say about it. Pods of one shape share
   * the check: what depends on other pods is to be read from the cluster when the check runs.
   */
  prepare(pod: PodInfo, cluster: Cluster): Check | undefined;
  /** Why no node at all will do as the cluster stands, in words for the user; such a pod is not looked at node by node. */
  preclude?(pod: PodInfo, cluster: Cluster): string | undefined;
  /** The only nodes that can pass, where the pod names them: the others are not even looked at. */
  narrow?(pod: PodInfo): Narrowed | undefined;
  /**
   * For filters that look at other pods: whether it can help the pod that this other one was placed, or is gone, on
   * whichever node. Undefined when the filter has nothing to say about the pod.
   */
  helpedBy?(pod: PodInfo, cluster: Cluster): ((other: PodInfo) => boolean) | undefined;
  /**
   * Whether this refusal stays whoever leaves the node; asked of filters that `podGone` wakes, so that preemption does not
   * try in vain. Absent: it may go.
   */
  isLasting?(pod: PodInfo, node: NodeInfo, reason: Reason): boolean;
  /** Whether what the filter says of a node depends on that node and its own pods alone, so that it can be remembered; absent: it does not. */
  isLocal?(pod: PodInfo, cluster: Cluster): boolean;
  /** Events that can turn this filter's refusal; `nodeAdded` always can. */
  readonly wokenBy: readonly Wake[];
}

/**
 * What goes before all scores: of the nodes that fit only some are weighed, where a pod would rather be on one of them. As
 * scores they would be outweighed; as filters they would leave the pod without a node.
 */
export interface Sieve {
  readonly name: string;
  /** As for filters; the function gives those of the nodes that are left, at least one. */
  prepare(pod: PodInfo, cluster: Cluster): ((nodes: readonly NodeInfo[]) => readonly NodeInfo[]) | undefined;
}

/** Brings the numbers of all nodes that fit to 0 (worst) to 100, in place. */
export type Normalise = (scores: Float64Array) => void;

export interface Scorer {
  readonly name: string;
  /** For numbers that mean something only beside each other; absent where they are 0 to 100 already. */
  readonly normalise?: Normalise;
  /** As for filters; the function gives 0 (worst) to 100 for a node that passed all filters, or any number for `normalise`. */
  prepare(pod: PodInfo, cluster: Cluster): ((node: NodeInfo) => number) | undefined;
  /** What `prepare` reads beside the pod's shape, as a text; absent: nothing. Pods share what was prepared where it is the same. */
  dependsOn?(pod: PodInfo, cluster: Cluster): string;
}

export interface Strategy {
  readonly name: string;
  readonly scorers: readonly { readonly scorer: Scorer; readonly weight: number }[];
}

/** How pods are placed: filters and sieves in the order in which they are asked, and a strategy for pods that ask for no other. */
export interface Profile {
  readonly filters: readonly Filter[];
  readonly sieves: readonly Sieve[];
  readonly strategy: Strategy;
}
