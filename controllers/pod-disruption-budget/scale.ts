import type { ReconcileContext } from '../../client/controller.ts';
import { isReason, qualified } from '../../schemas/errors.ts';
import type { AnyKind } from '../../schemas/kind.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { controllerOf } from '../../schemas/owners.ts';
import type { Registry } from '../../schemas/registry.ts';
import type { Scale } from '../../schemas/types/bodies.ts';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';

/** Kinds whose number of pods is read off their informers; others are asked for their `scale`. */
export const scaledKinds: readonly AnyKind[] = [ReplicaSet, Deployment, StatefulSet, ReplicationController];

interface Scaled {
  readonly uid: string;
  readonly replicas: number;
}

type Found = Scaled | { readonly unknown: string };

/**
 * How many pods the controllers of these pods want altogether, each controller counted once; or why that cannot be said.
 * Pods without a controller are left out, and given back.
 */
export const scaleOf = async (pods: readonly Pod[], registry: Registry, context: ReconcileContext): Promise<{ readonly scale: number | { readonly unknown: string }; readonly alone: readonly Pod[] }> => {
  const owners = new Map<string, { readonly owner: OwnerReference; readonly pod: Pod }>();
  const alone: Pod[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) alone.push(pod);
    else if (!owners.has(owner.uid)) owners.set(owner.uid, { owner, pod });
  }
  const scales = new Map<string, number>();
  for (const { owner, pod } of owners.values()) {
    const found = await scaledBy(owner, pod, registry, context);
    if ('unknown' in found) return { scale: found, alone };
    scales.set(found.uid, found.replicas);
  }
  return { scale: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), alone };
};

const scaledBy = async (owner: OwnerReference, pod: Pod, registry: Registry, context: ReconcileContext): Promise<Found> => {
  const { namespace, name: podName } = pod.metadata;
  const kind = registry.kind(owner.apiVersion, owner.kind);
  const lost: Found = { unknown: `found no controllers for pod ${JSON.stringify(podName)}` };
  if (kind === undefined) return { unknown: `no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}` };
  const known = scaledKinds.find((one) => one.group === kind.group && one.kind === kind.kind);
  if (known === undefined) return askedFor(kind, owner, { namespace, lost, context });
  const object = context.informer(known).get({ namespace, name: owner.name }) as ReplicaSet | Deployment | StatefulSet | ReplicationController | undefined;
  if (object === undefined || object.metadata.uid !== owner.uid) return lost;
  // A Deployment's pods are those of its ReplicaSets, and only it knows how many there are to be.
  const above = known === ReplicaSet ? controllerOf(object) : undefined;
  const deployment = above?.kind === 'Deployment' ? context.informer(Deployment).get({ namespace, name: above.name }) : undefined;
  const counts = deployment !== undefined && deployment.metadata.uid === above?.uid ? deployment : object;
  return { uid: counts.metadata.uid ?? '', replicas: counts.spec?.replicas ?? 1 };
};

const askedFor = async (kind: AnyKind, owner: OwnerReference, { namespace, lost, context }: { readonly namespace: string | undefined; readonly lost: Found; readonly context: ReconcileContext }): Promise<Found> => {
  const { group, version, plural } = kind;
  if (kind.subresources.scale === undefined) return { unknown: `${qualified(plural, group)} does not implement the scale subresource` };
  try {
    const { body } = await context.transport.send({ verb: 'get', group, version, resource: plural, subresource: 'scale', namespace, name: owner.name });
    const { metadata, spec } = body as Scale;
    return metadata.uid === owner.uid ? { uid: owner.uid, replicas: spec.replicas ?? 0 } : lost;
  } catch (error) {
    if (isReason(error, 'NotFound')) return lost;
    throw error;
  }
};
