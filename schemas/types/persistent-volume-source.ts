/** Sources that only persistent volumes have, or that say more there than in a pod: secrets may be in other namespaces. */
import { as, boolean, int32, list, mapOf, object, string, type Static } from '../schema.ts';
import { NodeSelector } from './affinity.ts';
import { ObjectReference } from './references.ts';

export const SecretReference = object('core.v1.SecretReference', 'Names a secret in any namespace.', {
  name: string('Name of the secret.'),
  namespace: string('Namespace of the secret.'),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type SecretReference = Static<typeof SecretReference>;

export const AzureFilePersistentVolumeSource = object('core.v1.AzureFilePersistentVolumeSource', 'A file share of Azure.', {
  readOnly: boolean('True to mount it read-only.'),
  secretName: string("Secret with the account's name and key.", { minLength: 1 }),
  secretNamespace: string("Namespace of the secret; the claim's where absent."),
  shareName: string('Name of the share.', { minLength: 1 }),
}, ['secretName', 'shareName']);
export type AzureFilePersistentVolumeSource = Static<typeof AzureFilePersistentVolumeSource>;

export const CephFSPersistentVolumeSource = object('core.v1.CephFSPersistentVolumeSource', 'A Ceph file system.', {
  monitors: list(string('Address.'), 'Addresses of the monitors.', { listType: 'atomic', minItems: 1 }),
  path: string('Path in the file system that is mounted.'),
  readOnly: boolean('True to mount it read-only.'),
  secretFile: string('File on the node with the key.'),
  secretRef: as(SecretReference, 'Secret with the key.'),
  user: string('User at the monitors.'),
}, ['monitors']);
export type CephFSPersistentVolumeSource = Static<typeof CephFSPersistentVolumeSource>;

export const CinderPersistentVolumeSource = object('core.v1.CinderPersistentVolumeSource', 'A volume of OpenStack Cinder.', {
  fsType: string('File system of the volume.'),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(SecretReference, 'Secret with the credentials.'),
  volumeID: string('Identity of the volume.', { minLength: 1 }),
}, ['volumeID']);
export type CinderPersistentVolumeSource = Static<typeof CinderPersistentVolumeSource>;

export const CSIPersistentVolumeSource = object('core.v1.CSIPersistentVolumeSource', 'A volume of a CSI driver.', {
  controllerExpandSecretRef: as(SecretReference, 'Secret for making the volume larger.'),
  controllerPublishSecretRef: as(SecretReference, 'Secret for attaching and detaching the volume.'),
  driver: string('Name of the driver.'),
  fsType: string('File system of the volume.'),
  nodeExpandSecretRef: as(SecretReference, 'Secret for making the volume larger on a node.'),
  nodePublishSecretRef: as(SecretReference, 'Secret for mounting the volume into a pod.'),
  nodeStageSecretRef: as(SecretReference, 'Secret for mounting the volume on a node.'),
  readOnly: boolean('True to mount it read-only.'),
  volumeAttributes: mapOf(string('Value.'), 'Facts about the volume for the driver.'),
  volumeHandle: string("The driver's name of the volume; unique and never changed."),
}, ['driver', 'volumeHandle']);
export type CSIPersistentVolumeSource = Static<typeof CSIPersistentVolumeSource>;

export const FlexPersistentVolumeSource = object('core.v1.FlexPersistentVolumeSource', 'A volume of an exec-based plugin.', {
  driver: string('Name of the driver.', { minLength: 1 }),
  fsType: string('File system of the volume.'),
  options: mapOf(string('Value.'), 'Further options for the driver.'),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(SecretReference, 'Secret that is passed to the driver.'),
}, ['driver']);
export type FlexPersistentVolumeSource = Static<typeof FlexPersistentVolumeSource>;

export const GlusterfsPersistentVolumeSource = object('core.v1.GlusterfsPersistentVolumeSource', 'A Gluster volume.', {
  endpoints: string('Name of the Endpoints object of the servers.', { minLength: 1 }),
  endpointsNamespace: string("Namespace of the Endpoints object; the claim's where absent."),
  path: string('Name of the volume.', { minLength: 1 }),
  readOnly: boolean('True to mount it read-only.'),
}, ['endpoints', 'path']);
export type GlusterfsPersistentVolumeSource = Static<typeof GlusterfsPersistentVolumeSource>;

export const ISCSIPersistentVolumeSource = object('core.v1.ISCSIPersistentVolumeSource', 'An iSCSI volume.', {
  chapAuthDiscovery: boolean('True to use CHAP for discovery.'),
  chapAuthSession: boolean('True to use CHAP for the session.'),
  fsType: string('File system of the volume.'),
  initiatorName: string('Name of the initiator.'),
  iqn: string('Name of the target.', { minLength: 1 }),
  iscsiInterface: string('Interface to use.', { default: 'default' }),
  lun: int32('Unit number at the target.', { minimum: 0, maximum: 255 }),
  portals: list(string('Address.'), 'Further portals of the target.', { listType: 'atomic' }),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(SecretReference, 'Secret for CHAP.'),
  targetPortal: string('Portal of the target, with its port.', { minLength: 1 }),
}, ['iqn', 'lun', 'targetPortal']);
export type ISCSIPersistentVolumeSource = Static<typeof ISCSIPersistentVolumeSource>;

export const LocalVolumeSource = object('core.v1.LocalVolumeSource', 'A folder, file or disk of one node, which nodeAffinity names.', {
  fsType: string('File system of a disk; guessed where absent.'),
  path: string('Full path on the node.'),
}, ['path']);
export type LocalVolumeSource = Static<typeof LocalVolumeSource>;

export const RBDPersistentVolumeSource = object('core.v1.RBDPersistentVolumeSource', 'A Rados block device.', {
  fsType: string('File system of the volume.'),
  image: string('Name of the image.', { minLength: 1 }),
  keyring: string('File on the node with the key.', { default: '/etc/ceph/keyring' }),
  monitors: list(string('Address.'), 'Addresses of the monitors.', { listType: 'atomic', minItems: 1 }),
  pool: string('Pool of the image.', { default: 'rbd' }),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(SecretReference, 'Secret with the key.'),
  user: string('User at the monitors.', { default: 'admin' }),
}, ['image', 'monitors']);
export type RBDPersistentVolumeSource = Static<typeof RBDPersistentVolumeSource>;

export const ScaleIOPersistentVolumeSource = object('core.v1.ScaleIOPersistentVolumeSource', 'A volume of ScaleIO.', {
  fsType: string('File system of the volume.', { default: 'xfs' }),
  gateway: string('Address of the gateway.', { minLength: 1 }),
  protectionDomain: string('Protection domain of the storage.'),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(SecretReference, 'Secret with the credentials.'),
  sslEnabled: boolean('True to speak TLS with the gateway.'),
  storageMode: string('How storage is allotted: thick or thin.', { default: 'ThinProvisioned' }),
  storagePool: string('Pool of the storage.'),
  system: string('Name of the storage system.', { minLength: 1 }),
  volumeName: string('Name of the volume.'),
}, ['gateway', 'secretRef', 'system']);
export type ScaleIOPersistentVolumeSource = Static<typeof ScaleIOPersistentVolumeSource>;

export const StorageOSPersistentVolumeSource = object('core.v1.StorageOSPersistentVolumeSource', 'A volume of StorageOS.', {
  fsType: string('File system of the volume.'),
  readOnly: boolean('True to mount it read-only.'),
  secretRef: as(ObjectReference, 'Secret with the credentials.'),
  volumeName: string('Name of the volume.'),
  volumeNamespace: string('Namespace of the volume in StorageOS.'),
});
export type StorageOSPersistentVolumeSource = Static<typeof StorageOSPersistentVolumeSource>;

export const VolumeNodeAffinity = object('core.v1.VolumeNodeAffinity', 'From which nodes a volume can be reached.', {
  required: as(NodeSelector, 'The nodes; no others can use the volume.'),
});
export type VolumeNodeAffinity = Static<typeof VolumeNodeAffinity>;
