/** What is to be done so that the API shows the static pods of a node, each as a mirror pod. Pure. */
import { controllerOf, ownerReference } from '../../schemas/owners.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { configHash, configMirror } from '../../schemas/static-pods.ts';
import type { PodStatus } from '../../schemas/types/pod-status.ts';

export type MirrorStep =
  | { readonly do: 'create'; readonly pod: Pod }
  | { readonly do: 'delete'; readonly mirror: Pod }
  | { readonly do: 'tell'; readonly pod: Pod; readonly mirror: Pod };

export interface MirrorView {
  /** As the agent runs them. */
  readonly statics: readonly Pod[];
  /** The pods with the mirror's annotation that the API has on this node, whoever made them. */
  readonly mirrors: readonly Pod[];
  /** The node's object; without it there is nobody to own a mirror. */
  readonly node: Node | undefined;
}

const nameOf = ({ metadata: { namespace = '', name = '' } }: Pod): string => `${namespace}/${name}`;

/** True for the picture of just this pod, made for the node as it is now. */
const isOf = (mirror: Pod, pod: Pod, node: Node | undefined): boolean => mirror.metadata.annotations?.[configMirror] === pod.metadata.annotations?.[configHash]
  && mirror.metadata.deletionTimestamp === undefined && (node === undefined || controllerOf(mirror)?.uid === node.metadata.uid);

export const planMirrors = ({ statics, mirrors, node }: MirrorView): readonly MirrorStep[] => {
  const byName = new Map(statics.map((pod) => [nameOf(pod), pod]));
  const shown = new Set<string>();
  const steps: MirrorStep[] = [];
  for (const mirror of mirrors) {
    const name = nameOf(mirror);
    const pod = byName.get(name);
    if (pod === undefined || !isOf(mirror, pod, node)) {
      steps.push({ do: 'delete', mirror });
      if (pod === undefined) continue;
    } else if (!deepEqual(mirrorStatus(pod, mirror), mirror.status)) steps.push({ do: 'tell', pod, mirror });
    shown.add(name);
  }
  // One that leaves is not shown anew, and one whose mirror goes is when it has gone.
  if (node !== undefined) for (const [name, pod] of byName) if (!shown.has(name) && pod.metadata.deletionTimestamp === undefined) steps.push({ do: 'create', pod });
  return steps;
};

/** The object to create for a static pod. */
export const mirrorOf = ({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec }: Pod, node: Node): Pod => ({
  apiVersion, kind,
  metadata: { name, namespace, ...(labels === undefined ? {} : { labels }), annotations: { ...annotations, [configMirror]: annotations?.[configHash] ?? '' }, ownerReferences: [{ ...ownerReference(node, Node), controller: true }] },
  spec,
});

/** The pod's status, with the conditions that others wrote of the mirror. */
export const mirrorStatus = ({ status = {} }: Pod, { status: before = {} }: Pod): PodStatus => {
  const conditions = status.conditions ?? [];
  const others = (before.conditions ?? []).filter(({ type }) => !conditions.some((one) => one.type === type));
  return { ...status, qosClass: before.qosClass ?? status.qosClass, ...(conditions.length + others.length === 0 ? {} : { conditions: [...conditions, ...others] }) };
};
