import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { accessModesText } from '../../columns/volume-cells.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, list, mapOf, object, oneOf, quantity, string, time, type Static } from '../../schema.ts';
import {
  AzureFilePersistentVolumeSource, CephFSPersistentVolumeSource, CinderPersistentVolumeSource, CSIPersistentVolumeSource, FlexPersistentVolumeSource,
  GlusterfsPersistentVolumeSource, ISCSIPersistentVolumeSource, LocalVolumeSource, RBDPersistentVolumeSource, ScaleIOPersistentVolumeSource,
  StorageOSPersistentVolumeSource, VolumeNodeAffinity,
} from '../../types/persistent-volume-source.ts';
import { ObjectReference } from '../../types/references.ts';
import {
  AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, FCVolumeSource, FlockerVolumeSource, GCEPersistentDiskVolumeSource, NFSVolumeSource,
  PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource, VsphereVirtualDiskVolumeSource,
} from '../../types/volume-remote.ts';
import { HostPathVolumeSource } from '../../types/volume.ts';
import { validatePersistentVolume } from '../../validation/persistent-volume.ts';
import { storageClassOf } from '../../volumes/storage-class-of.ts';
import { warnNodeTerm, warnVolumeAnnotations } from '../../warnings/deprecated.ts';
import { warnFractions } from '../../warnings/pod.ts';

export const PersistentVolumeSpec = object('core.v1.PersistentVolumeSpec', 'What a volume is; exactly one source.', {
  accessModes: list(string('Access mode.'), 'How the volume can be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod.', { listType: 'atomic' }),
  awsElasticBlockStore: as(AWSElasticBlockStoreVolumeSource, 'A disk of AWS.'),
  azureDisk: as(AzureDiskVolumeSource, 'A disk of Azure.'),
  azureFile: as(AzureFilePersistentVolumeSource, 'A file share of Azure.'),
  capacity: mapOf(quantity('Amount.'), 'Size of the volume, under the name storage.'),
  cephfs: as(CephFSPersistentVolumeSource, 'A Ceph file system.'),
  cinder: as(CinderPersistentVolumeSource, 'A volume of OpenStack Cinder.'),
  claimRef: as(ObjectReference, 'The claim to which the volume belongs.', { 'x-kubernetes-map-type': 'granular' }),
  csi: as(CSIPersistentVolumeSource, 'A volume of a CSI driver.'),
  fc: as(FCVolumeSource, 'A fibre channel volume.'),
  flexVolume: as(FlexPersistentVolumeSource, 'A volume of an exec-based plugin.'),
  flocker: as(FlockerVolumeSource, 'A dataset of Flocker.'),
  gcePersistentDisk: as(GCEPersistentDiskVolumeSource, 'A disk of Google Compute Engine.'),
  glusterfs: as(GlusterfsPersistentVolumeSource, 'A Gluster volume.'),
  hostPath: as(HostPathVolumeSource, 'A file or folder of a node, for clusters of one node.'),
  iscsi: as(ISCSIPersistentVolumeSource, 'An iSCSI volume.'),
  local: as(LocalVolumeSource, 'A folder, file or disk of one node.'),
  mountOptions: list(string('Option.'), 'Options of the mount, such as ro.', { listType: 'atomic' }),
  nfs: as(NFSVolumeSource, 'A share of an NFS server.'),
  nodeAffinity: as(VolumeNodeAffinity, 'From which nodes the volume can be reached.'),
  persistentVolumeReclaimPolicy: oneOf(['Delete', 'Recycle', 'Retain'], 'What becomes of the volume when its claim is gone.', { default: 'Retain' }),
  photonPersistentDisk: as(PhotonPersistentDiskVolumeSource, 'A disk of Photon Controller.'),
  portworxVolume: as(PortworxVolumeSource, 'A volume of Portworx.'),
  quobyte: as(QuobyteVolumeSource, 'A volume of Quobyte.'),
  rbd: as(RBDPersistentVolumeSource, 'A Rados block device.'),
  scaleIO: as(ScaleIOPersistentVolumeSource, 'A volume of ScaleIO.'),
  storageClassName: string('Class of storage to which the volume belongs; empty means none.'),
  storageos: as(StorageOSPersistentVolumeSource, 'A volume of StorageOS.'),
  volumeAttributesClassName: string('Class of attributes that the volume has.'),
  volumeMode: oneOf(['Block', 'Filesystem'], 'Whether the volume holds files or is a raw device.', { default: 'Filesystem' }),
  vsphereVolume: as(VsphereVirtualDiskVolumeSource, 'A disk of vSphere.'),
});
export type PersistentVolumeSpec = Static<typeof PersistentVolumeSpec>;

export const PersistentVolumeStatus = object('core.v1.PersistentVolumeStatus', 'How a volume is.', {
  lastPhaseTransitionTime: time('When the phase last changed.'),
  message: string('Explanation for people.'),
  phase: string('Pending, Available, Bound, Released or Failed.'),
  reason: string('Explanation of a failure for programs, in one word.'),
});
export type PersistentVolumeStatus = Static<typeof PersistentVolumeStatus>;

const schema = topLevel('core.v1.PersistentVolume', 'A piece of storage of the cluster, which lives longer than the pods that use it.', {
  spec: as(PersistentVolumeSpec, 'What the volume is.', { 'x-barge-default-object': true }),
  status: as(PersistentVolumeStatus, 'How it is.'),
}, ['spec']);

export const PersistentVolume = defineKind(schema, {
  group: '', version: 'v1', kind: 'PersistentVolume', plural: 'persistentvolumes', scope: 'Cluster',
  generationCounts: [],
  shortNames: ['pv'],
  columns: [
    nameColumn,
    column('Capacity', 'Size of the volume.', ({ spec }) => spec.capacity?.['storage'] ?? ''),
    column('Access Modes', 'How the volume can be mounted, in short.', ({ spec }) => accessModesText(spec.accessModes)),
    column('Reclaim Policy', 'What becomes of the volume when its claim is gone.', ({ spec }) => spec.persistentVolumeReclaimPolicy ?? ''),
    column('Status', 'What the volume is doing.', ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? status?.phase ?? '' : 'Terminating')),
    column('Claim', 'The claim to which the volume belongs.', ({ spec: { claimRef } }) => (claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`)),
    column('StorageClass', 'Class of storage of the volume.', storageClassOf),
    column('VolumeAttributesClass', 'Class of attributes of the volume.', ({ spec }) => spec.volumeAttributesClassName ?? '<unset>'),
    column('Reason', 'Why the volume is in its state, in one word.', ({ status }) => status?.reason ?? ''),
    ageColumn,
    column('VolumeMode', 'Whether the volume holds files or is a raw device.', ({ spec }) => spec.volumeMode ?? '<unset>', { shown: 'wide' }),
  ],
  subresources: { status: true },
  initialStatus: () => ({ phase: 'Pending' }),
  validate: validatePersistentVolume,
  warn: ({ metadata, spec }, old) => (spec === old?.spec ? [] : [
    ...warnVolumeAnnotations(metadata.annotations),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? ['spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'] : []),
    ...warnFractions(spec.capacity, 'spec.capacity'),
    ...(spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, index) => warnNodeTerm(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`)),
  ]),
});
export type PersistentVolume = BodyOf<typeof PersistentVolume>;
