/** Claims, volumes and classes as they would be stored, from a few words. */
import type { PersistentVolumeClaim, PersistentVolumeClaimStatus } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import type { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import type { ObjectMeta } from '../../schemas/types/object-meta.ts';
import { claimProtection, volumeProtection } from '../../schemas/volumes/volume-words.ts';

type Meta = Partial<ObjectMeta>;

export interface ClaimWords {
  readonly size?: string;
  readonly spec?: Partial<PersistentVolumeClaim['spec']>;
  readonly meta?: Meta;
  readonly status?: PersistentVolumeClaimStatus;
}

/** A claim of 1 Gi of the class `slow`, protected and pending. */
export const claim = (name: string, { size = '1Gi', spec, meta, status = { phase: 'Pending' } }: ClaimWords = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'default', uid: `uid-${name}`, finalizers: [claimProtection], ...meta },
  spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', storageClassName: 'slow', resources: { requests: { storage: size } }, ...spec },
  status,
});

export interface VolumeWords {
  readonly size?: string;
  readonly phase?: string;
  readonly spec?: Partial<PersistentVolume['spec']>;
  readonly meta?: Meta;
}

/** A volume of 1 Gi of the class `slow`, protected and free. */
export const volume = (name: string, { size = '1Gi', phase = 'Available', spec, meta }: VolumeWords = {}): PersistentVolume => ({
  apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name, uid: `uid-${name}`, finalizers: [volumeProtection], ...meta },
  spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', storageClassName: 'slow', capacity: { storage: size }, persistentVolumeReclaimPolicy: 'Retain', hostPath: { path: '/srv', type: '' }, ...spec },
  status: { phase },
});

/** Words of a volume that can be reached from one node only. */
export const onNode = (...names: readonly string[]): Pick<PersistentVolume['spec'], 'nodeAffinity'> => ({
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] }] } },
});

/** The reference by which a volume names a claim. */
export const refTo = ({ metadata: { namespace, name, uid } }: PersistentVolumeClaim): NonNullable<PersistentVolume['spec']['claimRef']> =>
  ({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid });

/** A class with an outside provisioner, whose volumes are made at once. */
export const storageClass = (name: string, words: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'example.com/disks', reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate', ...words,
  metadata: { name, ...words.metadata },
});
