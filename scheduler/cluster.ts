import type { Node } from '../schemas/kinds/core/node.ts';
import { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/**
 * Cluster is what the scheduler believes: all nodes, and all pods that are on one or are assumed to be soon, because a
 * binding is under way. It is changed by one event at a time and never rebuilt.
 */
export class Cluster {
  readonly #infos = new Map<string, NodeInfo>();
  readonly #placed = new Map<string, { readonly info: NodeInfo; readonly pod: PodInfo }>();
  #nodes: NodeInfo[] = [];
  #generation = 0;

  /** Nodes that exist, in the order in which they came. */
  get nodes(): readonly NodeInfo[] {
    return this.#nodes;
  }

  /** Rises with every change: what was found at a generation holds as long as it stands. */
  get generation(): number {
    return this.#generation;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.#infos.get(name);
    return info?.node === undefined ? undefined : info;
  }

  /** Adds or changes a node. Throws RangeError when its amounts are no quantities. */
  setNode(node: Node): NodeInfo {
    const info = this.#info(node.metadata.name ?? '');
    const isNew = info.node === undefined;
    info.setNode(node);
    if (isNew) this.#nodes = [...this.#nodes, info];
    this.#generation++;
    return info;
  }

  /** Its pods stay with their name until they are gone themselves, and count again should the node come back. */
  removeNode(name: string): void {
    const info = this.#infos.get(name);
    if (info === undefined) return;
    info.setNode(undefined);
    this.#nodes = this.#nodes.filter((other) => other !== info);
    if (info.podCount === 0) this.#infos.delete(name);
    this.#generation++;
  }

  /** Counts a pod to a node, and no longer to another. */
  place(pod: PodInfo, nodeName: string): void {
    const old = this.#placed.get(pod.uid);
    if (old !== undefined && old.info.name !== nodeName) this.unplace(pod.uid);
    const info = this.#info(nodeName);
    info.add(pod);
    this.#placed.set(pod.uid, { info, pod });
    this.#generation++;
  }

  /** No longer counts a pod; returns the node on which it was. */
  unplace(uid: string): NodeInfo | undefined {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return undefined;
    this.#placed.delete(uid);
    placed.info.remove(uid);
    if (placed.info.node === undefined && placed.info.podCount === 0) this.#infos.delete(placed.info.name);
    this.#generation++;
    return placed.info;
  }

  /** Where a pod is counted, and as what. */
  placed(uid: string): { readonly nodeName: string; readonly pod: PodInfo } | undefined {
    const placed = this.#placed.get(uid);
    return placed === undefined ? undefined : { nodeName: placed.info.name, pod: placed.pod };
  }

  #info(name: string): NodeInfo {
    let info = this.#infos.get(name);
    if (info === undefined) this.#infos.set(name, info = new NodeInfo(name));
    return info;
  }
}
