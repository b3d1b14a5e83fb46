/**
 * Volumes of the class `local-path`: a folder on the node that the scheduler chose. The controller makes the object; the
 * folder is made by the node's agent when it is first mounted, and taken away by it when the object goes.
 */
import type { NewObject } from '../../client/client.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import type { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { compareQuantities } from '../../schemas/quantity.ts';
import { isAllowedAt } from '../../schemas/volumes/allowed-topology.ts';
import { bindCompleted, hostnameLabel, localPathDir, localPathFinalizer, localPathNode, localPathProvisioner, provisionedBy, selectedNode, storageProvisioner, volumeProtection } from '../../schemas/volumes/volume-words.ts';

export interface ProvisionState {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass | undefined;
  /** The node that the scheduler chose, where there is one of its name. */
  readonly node: Node | undefined;
}

export type Provision =
  | { readonly do: 'nothing' }
  | { readonly do: 'create'; readonly volume: NewObject<PersistentVolume> }
  /** No volume for this claim; `elsewhere`: another node may do, and the scheduler is to choose again. */
  | { readonly do: 'refuse'; readonly why: string; readonly elsewhere: boolean };

/** Longest name of a file on Linux, in bytes. */
const longestName = 255;

const nothing: Provision = { do: 'nothing' };
const refuse = (why: string): Provision => ({ do: 'refuse', why, elsewhere: false });

export const volumeName = ({ metadata }: PersistentVolumeClaim): string => `pvc-${metadata.uid}`;

/** The name of a volume's folder: its own for machines, and then its claim's for people. */
export const folderName = (claim: PersistentVolumeClaim): string =>
  `${volumeName(claim)}_${claim.metadata.namespace}_${claim.metadata.name}`.slice(0, longestName);

/** What a folder of a node cannot do. */
const whyNot = ({ spec }: PersistentVolumeClaim, storageClass: StorageClass): string | undefined => {
  if ((spec.accessModes ?? []).some((mode) => mode !== 'ReadWriteOnce' && mode !== 'ReadWriteOncePod')) return 'only the access modes ReadWriteOnce and ReadWriteOncePod are supported';
  if (spec.volumeMode === 'Block') return 'only volumeMode Filesystem is supported';
  if (spec.selector !== undefined) return 'claim.spec.selector is not supported';
  if (spec.dataSource !== undefined || spec.dataSourceRef !== undefined) return 'a data source is not supported';
  if (storageClass.volumeBindingMode !== 'WaitForFirstConsumer') return `the volume lies on the node of the first pod: storage class ${storageClass.metadata.name} needs volumeBindingMode WaitForFirstConsumer`;
  const [parameter] = Object.keys(storageClass.parameters ?? {});
  if (parameter !== undefined) return `storage class ${storageClass.metadata.name} has parameter ${parameter}, but no parameter is supported`;
  const options = storageClass.mountOptions ?? [];
  return options.length === 0 ? undefined : `mount options are not supported by the provisioner but StorageClass ${storageClass.metadata.name} has mount options [${options.join(' ')}]`;
};

const isAsked = ({ metadata: { annotations = {} } }: PersistentVolumeClaim): boolean => storageProvisioner.some((name) => annotations[name] === localPathProvisioner);

/** The volume that a claim is to get from this provisioner. */
export const planProvision = ({ claim, storageClass, node }: ProvisionState): Provision => {
  const { metadata, spec } = claim;
  const chosen = metadata.annotations?.[selectedNode];
  if (metadata.deletionTimestamp !== undefined || (spec.volumeName ?? '') !== '' || metadata.annotations?.[bindCompleted] !== undefined) return nothing;
  if (!isAsked(claim) || storageClass?.provisioner !== localPathProvisioner) return nothing;
  const why = whyNot(claim, storageClass);
  if (why !== undefined) return refuse(why);
  if (chosen === undefined) return nothing;
  if (node === undefined) return { do: 'refuse', why: `node "${chosen}" not found`, elsewhere: true };
  const dir = node.metadata.annotations?.[localPathDir] ?? '';
  if (dir === '') return { do: 'refuse', why: `node "${chosen}" does not say where it keeps volumes`, elsewhere: true };
  const labels = node.metadata.labels ?? {};
  if (!isAllowedAt(storageClass, labels)) return { do: 'refuse', why: `node "${chosen}" is none of the allowed topologies of storage class ${storageClass.metadata.name}`, elsewhere: true };
  return { do: 'create', volume: volumeFor(claim, { storageClass, nodeName: chosen, hostname: labels[hostnameLabel] ?? chosen, dir }) };
};

interface Place { readonly storageClass: StorageClass; readonly nodeName: string; readonly hostname: string; readonly dir: string }

const volumeFor = (claim: PersistentVolumeClaim, { storageClass, nodeName, hostname, dir }: Place): NewObject<PersistentVolume> => {
  const { metadata, spec } = claim;
  const policy = storageClass.reclaimPolicy === 'Retain' ? 'Retain' : 'Delete';
  return {
    metadata: {
      name: volumeName(claim), annotations: { [provisionedBy]: localPathProvisioner, [localPathNode]: nodeName },
      finalizers: [volumeProtection, ...(policy === 'Delete' ? [localPathFinalizer] : [])],
    },
    spec: {
      capacity: { storage: spec.resources?.requests?.['storage'] ?? '0' },
      accessModes: spec.accessModes ?? [],
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, resourceVersion: metadata.resourceVersion },
      persistentVolumeReclaimPolicy: policy,
      storageClassName: storageClass.metadata.name,
      volumeMode: 'Filesystem',
      local: { path: `${dir}/${folderName(claim)}` },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostnameLabel, operator: 'In', values: [hostname] }] }] } },
    },
  };
};

const isOurs = ({ metadata }: PersistentVolume): boolean => metadata.annotations?.[provisionedBy] === localPathProvisioner;

export type Growth =
  | { readonly do: 'grow-volume' | 'show-size'; readonly size: string }
  | undefined;

/**
 * The next step to a size that a bound claim asks for; undefined: it has it. A folder has no bound of its own, so all there
 * is to do is to say so: first in the volume, then in the claim.
 */
export const planGrowth = ({ spec, status }: PersistentVolumeClaim, volume: PersistentVolume): Growth => {
  const wants = spec.resources?.requests?.['storage'];
  const has = status?.capacity?.['storage'];
  if (!isOurs(volume) || status?.phase !== 'Bound' || wants === undefined || has === undefined) return undefined;
  const size = volume.spec.capacity?.['storage'] ?? '0';
  if (compareQuantities(wants, size) > 0) return { do: 'grow-volume', size: wants };
  return compareQuantities(size, has) > 0 && compareQuantities(wants, has) > 0 ? { do: 'show-size', size } : undefined;
};

/** Whether the finalizer by which an agent hears that it must take the folder away is to come or go, as the policy says. */
export const planFinalizer = (volume: PersistentVolume): 'add' | 'remove' | undefined => {
  const { metadata, spec } = volume;
  if (!isOurs(volume)) return undefined;
  const has = metadata.finalizers?.includes(localPathFinalizer) === true;
  if (spec.persistentVolumeReclaimPolicy !== 'Delete') return has ? 'remove' : undefined;
  return has || metadata.deletionTimestamp !== undefined ? undefined : 'add';
};

/** The node whose agent a volume waits for before it goes: its folder is there. Undefined: it waits for nobody. */
export const awaitedNode = ({ metadata }: PersistentVolume): string | undefined => {
  const { annotations = {}, finalizers = [], deletionTimestamp } = metadata;
  const waits = annotations[provisionedBy] === localPathProvisioner && deletionTimestamp !== undefined && finalizers.includes(localPathFinalizer) && !finalizers.includes(volumeProtection);
  return waits ? annotations[localPathNode] : undefined;
};
