import { boolean, int32, list, mapOf, object, string, type Static } from '../schema.ts';
import { LocalObjectReference } from '../types/references.ts';

export const AWSElasticBlockStoreVolumeSource = object('core.v1.AWSElasticBlockStoreVolumeSource', '', {
  fsType: string(''),
  partition: int32(''),
  readOnly: boolean(''),
  volumeID: string(''),
}, ['volumeID']);
export type AWSElasticBlockStoreVolumeSource = Static<typeof AWSElasticBlockStoreVolumeSource>;

export const AzureDiskVolumeSource = object('core.v1.AzureDiskVolumeSource', '', {
  cachingMode: string(''),
  diskName: string(''),
  diskURI: string(''),
  fsType: string(''),
  kind: string(''),
  readOnly: boolean(''),
}, ['diskName', 'diskURI']);
export type AzureDiskVolumeSource = Static<typeof AzureDiskVolumeSource>;

export const AzureFileVolumeSource = object('core.v1.AzureFileVolumeSource', '', {
  readOnly: boolean(''),
  secretName: string(''),
  shareName: string(''),
}, ['secretName', 'shareName']);
export type AzureFileVolumeSource = Static<typeof AzureFileVolumeSource>;

export const CephFSVolumeSource = object('core.v1.CephFSVolumeSource', '', {
  monitors: list(string(''), '', { listType: 'atomic' }),
  path: string(''),
  readOnly: boolean(''),
  secretFile: string(''),
  secretRef: LocalObjectReference,
  user: string(''),
}, ['monitors']);
export type CephFSVolumeSource = Static<typeof CephFSVolumeSource>;

export const CinderVolumeSource = object('core.v1.CinderVolumeSource', '', {
  fsType: string(''),
  readOnly: boolean(''),
  secretRef: LocalObjectReference,
  volumeID: string(''),
}, ['volumeID']);
export type CinderVolumeSource = Static<typeof CinderVolumeSource>;

export const FCVolumeSource = object('core.v1.FCVolumeSource', '', {
  fsType: string(''),
  lun: int32(''),
  readOnly: boolean(''),
  targetWWNs: list(string(''), '', { listType: 'atomic' }),
  wwids: list(string(''), '', { listType: 'atomic' }),
});
export type FCVolumeSource = Static<typeof FCVolumeSource>;

export const FlexVolumeSource = object('core.v1.FlexVolumeSource', '', {
  driver: string(''),
  fsType: string(''),
  options: mapOf(string(''), ''),
  readOnly: boolean(''),
  secretRef: LocalObjectReference,
}, ['driver']);
export type FlexVolumeSource = Static<typeof FlexVolumeSource>;

export const FlockerVolumeSource = object('core.v1.FlockerVolumeSource', '', {
  datasetName: string(''),
  datasetUUID: string(''),
});
export type FlockerVolumeSource = Static<typeof FlockerVolumeSource>;

export const GCEPersistentDiskVolumeSource = object('core.v1.GCEPersistentDiskVolumeSource', '', {
  fsType: string(''),
  partition: int32(''),
  pdName: string(''),
  readOnly: boolean(''),
}, ['pdName']);
export type GCEPersistentDiskVolumeSource = Static<typeof GCEPersistentDiskVolumeSource>;

export const GitRepoVolumeSource = object('core.v1.GitRepoVolumeSource', '', {
  directory: string(''),
  repository: string(''),
  revision: string(''),
}, ['repository']);
export type GitRepoVolumeSource = Static<typeof GitRepoVolumeSource>;

export const GlusterfsVolumeSource = object('core.v1.GlusterfsVolumeSource', '', {
  endpoints: string(''),
  path: string(''),
  readOnly: boolean(''),
}, ['endpoints', 'path']);
export type GlusterfsVolumeSource = Static<typeof GlusterfsVolumeSource>;

export const ISCSIVolumeSource = object('core.v1.ISCSIVolumeSource', '', {
  chapAuthDiscovery: boolean(''),
  chapAuthSession: boolean(''),
  fsType: string(''),
  initiatorName: string(''),
  iqn: string(''),
  iscsiInterface: string(''),
  lun: int32(''),
  portals: list(string(''), '', { listType: 'atomic' }),
  readOnly: boolean(''),
  secretRef: LocalObjectReference,
  targetPortal: string(''),
}, ['iqn', 'lun', 'targetPortal']);
export type ISCSIVolumeSource = Static<typeof ISCSIVolumeSource>;

export const PhotonPersistentDiskVolumeSource = object('core.v1.PhotonPersistentDiskVolumeSource', '', {
  fsType: string(''),
  pdID: string(''),
}, ['pdID']);
export type PhotonPersistentDiskVolumeSource = Static<typeof PhotonPersistentDiskVolumeSource>;

export const PortworxVolumeSource = object('core.v1.PortworxVolumeSource', '', {
  fsType: string(''),
  readOnly: boolean(''),
  volumeID: string(''),
}, ['volumeID']);
export type PortworxVolumeSource = Static<typeof PortworxVolumeSource>;

export const QuobyteVolumeSource = object('core.v1.QuobyteVolumeSource', '', {
  group: string(''),
  readOnly: boolean(''),
  registry: string(''),
  tenant: string(''),
  user: string(''),
  volume: string(''),
}, ['registry', 'volume']);
export type QuobyteVolumeSource = Static<typeof QuobyteVolumeSource>;

export const RBDVolumeSource = object('core.v1.RBDVolumeSource', '', {
  fsType: string(''),
  image: string(''),
  keyring: string(''),
  monitors: list(string(''), '', { listType: 'atomic' }),
  pool: string(''),
  readOnly: boolean(''),
  secretRef: LocalObjectReference,
  user: string(''),
}, ['image', 'monitors']);
export type RBDVolumeSource = Static<typeof RBDVolumeSource>;

export const ScaleIOVolumeSource = object('core.v1.ScaleIOVolumeSource', '', {
  fsType: string(''),
  gateway: string(''),
  protectionDomain: string(''),
  readOnly: boolean(''),
  secretRef: LocalObjectReference,
  sslEnabled: boolean(''),
  storageMode: string(''),
  storagePool: string(''),
  system: string(''),
  volumeName: string(''),
}, ['gateway', 'secretRef', 'system']);
export type ScaleIOVolumeSource = Static<typeof ScaleIOVolumeSource>;

export const StorageOSVolumeSource = object('core.v1.StorageOSVolumeSource', '', {
  fsType: string(''),
  readOnly: boolean(''),
  secretRef: LocalObjectReference,
  volumeName: string(''),
  volumeNamespace: string(''),
});
export type StorageOSVolumeSource = Static<typeof StorageOSVolumeSource>;

export const VsphereVirtualDiskVolumeSource = object('core.v1.VsphereVirtualDiskVolumeSource', '', {
  fsType: string(''),
  storagePolicyID: string(''),
  storagePolicyName: string(''),
  volumePath: string(''),
}, ['volumePath']);
export type VsphereVirtualDiskVolumeSource = Static<typeof VsphereVirtualDiskVolumeSource>;

export const CSIVolumeSource = object('core.v1.CSIVolumeSource', '', {
  driver: string(''),
  fsType: string(''),
  nodePublishSecretRef: LocalObjectReference,
  readOnly: boolean(''),
  volumeAttributes: mapOf(string(''), ''),
}, ['driver']);
export type CSIVolumeSource = Static<typeof CSIVolumeSource>;

export const NFSVolumeSource = object('core.v1.NFSVolumeSource', '', {
  path: string(''),
  readOnly: boolean(''),
  server: string(''),
}, ['path', 'server']);
export type NFSVolumeSource = Static<typeof NFSVolumeSource>;
