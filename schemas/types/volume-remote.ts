import { as, boolean, int32, list, mapOf, object, oneOf, string, type Static } from '../schema.ts';
import { LocalObjectReference } from '../types/references.ts';

export const AWSElasticBlockStoreVolumeSource = object('core.v1.AWSElasticBlockStoreVolumeSource', 'A disk of AWS.', {
  fsType: string('File system of the volume.'),
  partition: int32('Partition to mount; 0 or absent means the whole disk.', { minimum: 0, maximum: 255 }),
  readOnly: boolean('True to mount it read-only.'),
  volumeID: string('Identity of the disk.', { minLength: 1 }),
}, ['volumeID']);
export type AWSElasticBlockStoreVolumeSource = Static<typeof AWSElasticBlockStoreVolumeSource>;

export const AzureDiskVolumeSource = object('core.v1.AzureDiskVolumeSource', 'A disk of Azure.', {
  cachingMode: oneOf(['None', 'ReadOnly', 'ReadWrite'], 'How the host caches it.', { default: 'ReadWrite' }),
  diskName: string('Name of the disk.', { minLength: 1 }),
  diskURI: string('URI of the disk.', { minLength: 1 }),
  fsType: string('File system of the volume.', { default: 'ext4' }),
  kind: oneOf(['Shared', 'Dedicated', 'Managed'], 'Whether the disk is shared, dedicated or managed.', { default: 'Shared' }),
  readOnly: boolean('True to mount it read-only.', { default: false }),
}, ['diskName', 'diskURI']);
export type AzureDiskVolumeSource = Static<typeof AzureDiskVolumeSource>;

export const AzureFileVolumeSource = object('core.v1.AzureFileVolumeSource', 'A file share of Azure.', {
  readOnly: boolean('True to mount it read-only.'),
  secretName: string("Secret with the account's name and key.", { minLength: 1 }),
  shareName: string('Name of the share.', { minLength: 1 }),
}, ['secretName', 'shareName']);
export type AzureFileVolumeSource = Static<typeof AzureFileVolumeSource>;

export const CephFSVolumeSource = object('core.v1.CephFSVolumeSource', 'A Ceph file system.', {
  monitors: list(string('Address.'), 'Addresses of the monitors.', { listType: 'atomic', minItems: 1 }),
  path: string('Path in the file system that is mounted.'),
  readOnly: boolean('True to mount it read-only.'),
  secretFile: string('File on the node with the key.'),
  secretRef: as(LocalObjectReference, 'Secret with the key.'),
  user: string('User at the monitors.'),
}, ['monitors']);
export type CephFSVolumeSource = Static<typeof CephFSVolumeSource>;

export const CinderVolumeSource = object('core.v1.CinderVolumeSource', 'A volume of OpenStack Cinder.', {
  fsType: string('File system of the volume.'),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(LocalObjectReference, 'Secret with the credentials.'),
  volumeID: string('Identity of the volume.', { minLength: 1 }),
}, ['volumeID']);
export type CinderVolumeSource = Static<typeof CinderVolumeSource>;

export const FCVolumeSource = object('core.v1.FCVolumeSource', 'A fibre channel volume.', {
  fsType: string('File system of the volume.'),
  lun: int32('Unit number at the target.', { minimum: 0, maximum: 255 }),
  readOnly: boolean('True to mount it read-only.'),
  targetWWNs: list(string('World wide name.'), 'World wide names of the targets.', { listType: 'atomic' }),
  wwids: list(string('Identifier.'), 'World wide identifiers of the volume.', { listType: 'atomic' }),
});
export type FCVolumeSource = Static<typeof FCVolumeSource>;

export const FlexVolumeSource = object('core.v1.FlexVolumeSource', 'A volume of an exec-based plugin.', {
  driver: string('Name of the driver.', { minLength: 1 }),
  fsType: string('File system of the volume.'),
  options: mapOf(string('Value.'), 'Further options for the driver.'),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(LocalObjectReference, 'Secret that is passed to the driver.'),
}, ['driver']);
export type FlexVolumeSource = Static<typeof FlexVolumeSource>;

export const FlockerVolumeSource = object('core.v1.FlockerVolumeSource', 'A dataset of Flocker.', {
  datasetName: string('Name of the dataset; old form.'),
  datasetUUID: string('Identity of the dataset.'),
});
export type FlockerVolumeSource = Static<typeof FlockerVolumeSource>;

export const GCEPersistentDiskVolumeSource = object('core.v1.GCEPersistentDiskVolumeSource', 'A disk of Google Compute Engine.', {
  fsType: string('File system of the volume.'),
  partition: int32('Partition to mount; 0 or absent means the whole disk.', { minimum: 0, maximum: 255 }),
  pdName: string('Name of the disk.', { minLength: 1 }),
  readOnly: boolean('True to mount it read-only.'),
}, ['pdName']);
export type GCEPersistentDiskVolumeSource = Static<typeof GCEPersistentDiskVolumeSource>;

export const GitRepoVolumeSource = object('core.v1.GitRepoVolumeSource', 'A clone of a Git repository; not supported any more.', {
  directory: string("Folder for the clone; may not contain '..'."),
  repository: string('URL of the repository.', { minLength: 1 }),
  revision: string('Commit to check out.'),
}, ['repository']);
export type GitRepoVolumeSource = Static<typeof GitRepoVolumeSource>;

export const GlusterfsVolumeSource = object('core.v1.GlusterfsVolumeSource', 'A Gluster volume.', {
  endpoints: string('Name of the Endpoints object of the servers.', { minLength: 1 }),
  path: string('Name of the volume.', { minLength: 1 }),
  readOnly: boolean('True to mount it read-only.'),
}, ['endpoints', 'path']);
export type GlusterfsVolumeSource = Static<typeof GlusterfsVolumeSource>;

export const ISCSIVolumeSource = object('core.v1.ISCSIVolumeSource', 'An iSCSI volume.', {
  chapAuthDiscovery: boolean('True to use CHAP for discovery.'),
  chapAuthSession: boolean('True to use CHAP for the session.'),
  fsType: string('File system of the volume.'),
  initiatorName: string('Name of the initiator.'),
  iqn: string('Name of the target.', { minLength: 1 }),
  iscsiInterface: string('Interface to use.', { default: 'default' }),
  lun: int32('Unit number at the target.', { minimum: 0, maximum: 255 }),
  portals: list(string('Address.'), 'Further portals of the target.', { listType: 'atomic' }),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(LocalObjectReference, 'Secret for CHAP.'),
  targetPortal: string('Portal of the target, with its port.', { minLength: 1 }),
}, ['iqn', 'lun', 'targetPortal']);
export type ISCSIVolumeSource = Static<typeof ISCSIVolumeSource>;

export const PhotonPersistentDiskVolumeSource = object('core.v1.PhotonPersistentDiskVolumeSource', 'A disk of Photon Controller.', {
  fsType: string('File system of the volume.'),
  pdID: string('Identity of the disk.', { minLength: 1 }),
}, ['pdID']);
export type PhotonPersistentDiskVolumeSource = Static<typeof PhotonPersistentDiskVolumeSource>;

export const PortworxVolumeSource = object('core.v1.PortworxVolumeSource', 'A volume of Portworx.', {
  fsType: string('File system of the volume.'),
  readOnly: boolean('True to mount it read-only.'),
  volumeID: string('Identity of the volume.', { minLength: 1 }),
}, ['volumeID']);
export type PortworxVolumeSource = Static<typeof PortworxVolumeSource>;

export const QuobyteVolumeSource = object('core.v1.QuobyteVolumeSource', 'A volume of Quobyte.', {
  group: string('Group that owns the mount.'),
  readOnly: boolean('True to mount it read-only.'),
  registry: string('Addresses of the registries, joined by commas.', { minLength: 1 }),
  tenant: string('Tenant that owns the volume.'),
  user: string('User that owns the mount.'),
  volume: string('Name of the volume.', { minLength: 1 }),
}, ['registry', 'volume']);
export type QuobyteVolumeSource = Static<typeof QuobyteVolumeSource>;

export const RBDVolumeSource = object('core.v1.RBDVolumeSource', 'A Rados block device.', {
  fsType: string('File system of the volume.'),
  image: string('Name of the image.', { minLength: 1 }),
  keyring: string('File on the node with the key.', { default: '/etc/ceph/keyring' }),
  monitors: list(string('Address.'), 'Addresses of the monitors.', { listType: 'atomic', minItems: 1 }),
  pool: string('Pool of the image.', { default: 'rbd' }),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(LocalObjectReference, 'Secret with the key.'),
  user: string('User at the monitors.', { default: 'admin' }),
}, ['image', 'monitors']);
export type RBDVolumeSource = Static<typeof RBDVolumeSource>;

export const ScaleIOVolumeSource = object('core.v1.ScaleIOVolumeSource', 'A volume of ScaleIO.', {
  fsType: string('File system of the volume.', { default: 'xfs' }),
  gateway: string('Address of the gateway.', { minLength: 1 }),
  protectionDomain: string('Protection domain of the storage.'),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(LocalObjectReference, 'Secret with the credentials.'),
  sslEnabled: boolean('True to speak TLS with the gateway.'),
  storageMode: string('How storage is allotted: thick or thin.', { default: 'ThinProvisioned' }),
  storagePool: string('Pool of the storage.'),
  system: string('Name of the storage system.', { minLength: 1 }),
  volumeName: string('Name of the volume.'),
}, ['gateway', 'secretRef', 'system']);
export type ScaleIOVolumeSource = Static<typeof ScaleIOVolumeSource>;

export const StorageOSVolumeSource = object('core.v1.StorageOSVolumeSource', 'A volume of StorageOS.', {
  fsType: string('File system of the volume.'),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(LocalObjectReference, 'Secret with the credentials.'),
  volumeName: string('Name of the volume.'),
  volumeNamespace: string('Namespace of the volume in StorageOS.'),
});
export type StorageOSVolumeSource = Static<typeof StorageOSVolumeSource>;

export const VsphereVirtualDiskVolumeSource = object('core.v1.VsphereVirtualDiskVolumeSource', 'A disk of vSphere.', {
  fsType: string('File system of the volume.'),
  storagePolicyID: string('Identity of the storage policy.'),
  storagePolicyName: string('Name of the storage policy.'),
  volumePath: string('Path of the disk.', { minLength: 1 }),
}, ['volumePath']);
export type VsphereVirtualDiskVolumeSource = Static<typeof VsphereVirtualDiskVolumeSource>;

export const CSIVolumeSource = object('core.v1.CSIVolumeSource', 'A volume that a CSI driver makes with the pod.', {
  driver: string('Name of the driver.'),
  fsType: string('File system of the volume.'),
  nodePublishSecretRef: as(LocalObjectReference, 'Secret that is passed to the driver.'),
  readOnly: boolean('True to mount it read-only.'),
  volumeAttributes: mapOf(string('Value.'), 'Settings for the driver.'),
}, ['driver']);
export type CSIVolumeSource = Static<typeof CSIVolumeSource>;

export const NFSVolumeSource = object('core.v1.NFSVolumeSource', 'A share of an NFS server.', {
  path: string('Path that the server exports.'),
  readOnly: boolean('True to mount it read-only.'),
  server: string('Host name or address of the server.'),
}, ['path', 'server']);
export type NFSVolumeSource = Static<typeof NFSVolumeSource>;
