import { isReason } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Namespace } from '../../schemas/kinds/core/namespace.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { podClaims } from '../../schemas/volumes/pod-claims.ts';
import { Cluster } from '../../scheduler/cluster.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { CommandError } from '../command.ts';
import type { Session } from '../session.ts';

/** The cluster as the scheduler would see it, made of what the user may read. */
export interface ClusterView {
  readonly cluster: Cluster;
  /** Pods that were read, also ended ones and those without a node. */
  readonly pods: readonly Pod[];
  /** What could not be read, and what that means for the answer; a sentence each. */
  readonly notRead: readonly string[];
}

export interface ClusterViewOptions {
  /** Pods of this namespace are read where those of all may not be. */
  readonly namespace: string;
  /** A pod that is looked at: it is not counted to its node, and the room that others were promised before it is. */
  readonly about?: Pod | undefined;
  readonly signal: AbortSignal;
}

export const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Tells the cluster of claims, volumes and classes, as far as the user may read them. */
const readVolumes = async (session: Session, { namespace, signal }: ClusterViewOptions, { volumes }: Cluster, notRead: string[]): Promise<void> => {
  const listed = async <T extends ApiObject>(group: string, resource: string, within?: string): Promise<readonly T[]> => {
    try {
      return (await session.api.list({ group, version: 'v1', resource, ...(within === undefined ? {} : { namespace: within }) }, {}, signal)).items as readonly T[];
    } catch (error) {
      if (!isReason(error, 'Forbidden')) throw error;
      notRead.push(`${resource} could not be read: what is said of volumes may be wrong`);
      return [];
    }
  };
  const [claims, all, classes] = await Promise.all([
    listed<PersistentVolumeClaim>('', 'persistentvolumeclaims', namespace), listed<PersistentVolume>('', 'persistentvolumes'), listed<StorageClass>('storage.k8s.io', 'storageclasses'),
  ]);
  for (const storageClass of classes) volumes.setClass(storageClass);
  for (const volume of all) volumes.setVolume(volume);
  for (const claim of claims) volumes.setClaim(claim);
};

/** Reads nodes, pods and namespaces with the user's own rights. Throws CommandError where nodes may not be read: nothing can be said then. */
export const readCluster = async (session: Session, { namespace, about, signal }: ClusterViewOptions): Promise<ClusterView> => {
  const notRead: string[] = [];
  const core = (resource: string) => ({ group: '', version: 'v1', resource });
  const listed = async <T extends ApiObject>(resource: string): Promise<readonly T[] | undefined> => {
    try {
      return (await session.api.list(core(resource), {}, signal)).items as readonly T[];
    } catch (error) {
      if (isReason(error, 'Forbidden')) return undefined;
      throw error;
    }
  };
  const [nodes, allPods, namespaces] = await Promise.all([listed<Node>('nodes'), listed<Pod>('pods'), listed<Namespace>('namespaces')]);
  if (nodes === undefined) throw new CommandError('you may not list nodes, and without them nothing can be said: ask for a ClusterRole that may list nodes, pods and namespaces');
  let pods = allPods;
  if (pods === undefined) {
    pods = (await session.api.list({ ...core('pods'), namespace }, {}, signal)).items as readonly Pod[];
    notRead.push(`pods of other namespaces than ${namespace} could not be read: what they take of the nodes, and affinity to them, is not counted`);
  }
  if (namespaces === undefined) notRead.push('namespaces could not be read: affinity that chooses namespaces by labels finds none');
  const cluster = new Cluster();
  // Who asks about no pod moves none that has claims.
  if (about !== undefined && podClaims(about).length > 0) await readVolumes(session, { namespace, about, signal }, cluster, notRead);
  for (const { metadata } of namespaces ?? []) cluster.setNamespace(metadata.name ?? '', metadata.labels ?? {});
  // A node that has not told what it has is passed over, as the scheduler does.
  for (const node of nodes) if (node.status?.allocatable !== undefined || node.status?.capacity !== undefined) cluster.setNode(node);
  for (const pod of pods) {
    if (hasEnded(pod) || pod.metadata.uid === about?.metadata.uid) continue;
    const nominated = (pod.spec.priority ?? 0) >= (about?.spec.priority ?? 0) && pod.metadata.deletionTimestamp === undefined ? pod.status?.nominatedNodeName ?? '' : '';
    const nodeName = (pod.spec.nodeName ?? '') === '' ? nominated : pod.spec.nodeName!;
    if (nodeName !== '') cluster.place(new PodInfo(pod), nodeName);
  }
  return { cluster, pods, notRead };
};
