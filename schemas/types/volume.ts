import { as, boolean, int32, int64, list, mapOf, object, oneOf, quantity, string, type Static } from '../schema.ts';
import { LabelSelector } from '../types/label-selector.ts';
import { PersistentVolumeClaimTemplate } from '../types/persistent-volume-claim-spec.ts';
import { KeyToPath, ObjectFieldSelector, ResourceFieldSelector } from '../types/references.ts';
import { AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, AzureFileVolumeSource, CSIVolumeSource, CephFSVolumeSource, CinderVolumeSource, FCVolumeSource, FlexVolumeSource, FlockerVolumeSource, GCEPersistentDiskVolumeSource, GitRepoVolumeSource, GlusterfsVolumeSource, ISCSIVolumeSource, NFSVolumeSource, PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource, RBDVolumeSource, ScaleIOVolumeSource, StorageOSVolumeSource, VsphereVirtualDiskVolumeSource } from '../types/volume-remote.ts';

export const ConfigMapVolumeSource = object('core.v1.ConfigMapVolumeSource', 'Files made of a ConfigMap.', {
  defaultMode: int32('Permissions of files that do not say their own, 0 to 511 (octal 0777).', { default: 420, minimum: 0, maximum: 511 }),
  items: list(KeyToPath, 'Keys that become files; all of them where absent.', { listType: 'atomic' }),
  name: string('Name of the ConfigMap.'),
  optional: boolean('True when the ConfigMap or its keys may be missing.'),
});
export type ConfigMapVolumeSource = Static<typeof ConfigMapVolumeSource>;

export const DownwardAPIVolumeFile = object('core.v1.DownwardAPIVolumeFile', 'A file made of a fact about the pod.', {
  fieldRef: as(ObjectFieldSelector, 'Field of the pod.'),
  mode: int32('Permissions of the file, 0 to 511 (octal 0777).', { minimum: 0, maximum: 511 }),
  path: string("Relative path of the file; may not contain '..'."),
  resourceFieldRef: as(ResourceFieldSelector, 'Request or limit of a container.'),
}, ['path']);
export type DownwardAPIVolumeFile = Static<typeof DownwardAPIVolumeFile>;

export const DownwardAPIVolumeSource = object('core.v1.DownwardAPIVolumeSource', 'Files made of facts about the pod.', {
  defaultMode: int32('Permissions of files that do not say their own, 0 to 511 (octal 0777).', { default: 420, minimum: 0, maximum: 511 }),
  items: list(DownwardAPIVolumeFile, 'The files.', { listType: 'atomic' }),
});
export type DownwardAPIVolumeSource = Static<typeof DownwardAPIVolumeSource>;

export const EmptyDirVolumeSource = object('core.v1.EmptyDirVolumeSource', "A folder that is empty at the pod's start and gone after its end.", {
  medium: string("Where it is kept: empty for the node's disk, Memory, or HugePages."),
  sizeLimit: quantity('Most that it may hold.'),
});
export type EmptyDirVolumeSource = Static<typeof EmptyDirVolumeSource>;

export const EphemeralVolumeSource = object('core.v1.EphemeralVolumeSource', 'A volume of a claim that lives as long as the pod.', {
  volumeClaimTemplate: as(PersistentVolumeClaimTemplate, 'The claim.'),
});
export type EphemeralVolumeSource = Static<typeof EphemeralVolumeSource>;

export const HostPathVolumeSource = object('core.v1.HostPathVolumeSource', 'A file or folder of the node.', {
  path: string('Path on the node.'),
  type: string('What must be at the path, or is made there; empty checks nothing.', { default: '' }),
}, ['path']);
export type HostPathVolumeSource = Static<typeof HostPathVolumeSource>;

export const ImageVolumeSource = object('core.v1.ImageVolumeSource', 'The content of an image.', {
  pullPolicy: oneOf(['Always', 'Never', 'IfNotPresent'], 'When the image is fetched; Always for tag latest or none, else IfNotPresent.'),
  reference: string('Name of the image.'),
});
export type ImageVolumeSource = Static<typeof ImageVolumeSource>;

export const PersistentVolumeClaimVolumeSource = object('core.v1.PersistentVolumeClaimVolumeSource', 'The volume of a claim.', {
  claimName: string("Name of a claim in the pod's namespace."),
  readOnly: boolean('True to mount it read-only.'),
}, ['claimName']);
export type PersistentVolumeClaimVolumeSource = Static<typeof PersistentVolumeClaimVolumeSource>;

export const SecretVolumeSource = object('core.v1.SecretVolumeSource', 'Files made of a Secret.', {
  defaultMode: int32('Permissions of files that do not say their own, 0 to 511 (octal 0777).', { default: 420, minimum: 0, maximum: 511 }),
  items: list(KeyToPath, 'Keys that become files; all of them where absent.', { listType: 'atomic' }),
  optional: boolean('True when the Secret or its keys may be missing.'),
  secretName: string('Name of the Secret.'),
});
export type SecretVolumeSource = Static<typeof SecretVolumeSource>;

export const ClusterTrustBundleProjection = object('core.v1.ClusterTrustBundleProjection', 'A file of trusted certificates.', {
  labelSelector: as(LabelSelector, 'Labels of the bundles that are joined.'),
  name: string('Name of one bundle.'),
  optional: boolean('True when the bundle may be missing.'),
  path: string('Relative path of the file.'),
  signerName: string('Signer whose bundles are joined.'),
}, ['path']);
export type ClusterTrustBundleProjection = Static<typeof ClusterTrustBundleProjection>;

export const ConfigMapProjection = object('core.v1.ConfigMapProjection', 'Files made of a ConfigMap.', {
  items: list(KeyToPath, 'Keys that become files; all of them where absent.', { listType: 'atomic' }),
  name: string('Name of the ConfigMap.'),
  optional: boolean('True when the ConfigMap or its keys may be missing.'),
});
export type ConfigMapProjection = Static<typeof ConfigMapProjection>;

export const DownwardAPIProjection = object('core.v1.DownwardAPIProjection', 'Files made of facts about the pod.', {
  items: list(DownwardAPIVolumeFile, 'The files.', { listType: 'atomic' }),
});
export type DownwardAPIProjection = Static<typeof DownwardAPIProjection>;

export const PodCertificateProjection = object('core.v1.PodCertificateProjection', 'A key and certificate of the pod.', {
  certificateChainPath: string('Relative path of the certificate chain.'),
  credentialBundlePath: string('Relative path of key and chain in one file.'),
  keyPath: string('Relative path of the key.'),
  keyType: string('Sort of key that is made.'),
  maxExpirationSeconds: int32('Longest life of the certificate.'),
  signerName: string('Signer of the certificate.'),
  userAnnotations: mapOf(string('Value.'), 'Further facts for the signer.'),
}, ['keyType', 'signerName']);
export type PodCertificateProjection = Static<typeof PodCertificateProjection>;

export const SecretProjection = object('core.v1.SecretProjection', 'Files made of a Secret.', {
  items: list(KeyToPath, 'Keys that become files; all of them where absent.', { listType: 'atomic' }),
  name: string('Name of the Secret.'),
  optional: boolean('True when the Secret or its keys may be missing.'),
});
export type SecretProjection = Static<typeof SecretProjection>;

export const ServiceAccountTokenProjection = object('core.v1.ServiceAccountTokenProjection', "A file with a token of the pod's service account.", {
  audience: string('For whom the token is; the API server where absent.'),
  expirationSeconds: int64('Life of the token, at least 600 seconds.', { default: 3600 }),
  path: string('Relative path of the file.'),
}, ['path']);
export type ServiceAccountTokenProjection = Static<typeof ServiceAccountTokenProjection>;

export const VolumeProjection = object('core.v1.VolumeProjection', 'One source of a projected volume; exactly one member.', {
  clusterTrustBundle: as(ClusterTrustBundleProjection, 'A file of trusted certificates.'),
  configMap: as(ConfigMapProjection, 'Files made of a ConfigMap.'),
  downwardAPI: as(DownwardAPIProjection, 'Files made of facts about the pod.'),
  podCertificate: as(PodCertificateProjection, 'A key and certificate of the pod.'),
  secret: as(SecretProjection, 'Files made of a Secret.'),
  serviceAccountToken: as(ServiceAccountTokenProjection, "A file with a token of the pod's service account."),
});
export type VolumeProjection = Static<typeof VolumeProjection>;

export const ProjectedVolumeSource = object('core.v1.ProjectedVolumeSource', 'Files from several sources in one volume.', {
  defaultMode: int32('Permissions of files that do not say their own, 0 to 511 (octal 0777).', { default: 420, minimum: 0, maximum: 511 }),
  sources: list(VolumeProjection, 'The sources.', { listType: 'atomic' }),
});
export type ProjectedVolumeSource = Static<typeof ProjectedVolumeSource>;

export const Volume = object('core.v1.Volume', 'A volume of a pod; exactly one source, an empty folder where there is none.', {
  awsElasticBlockStore: as(AWSElasticBlockStoreVolumeSource, 'A disk of AWS.'),
  azureDisk: as(AzureDiskVolumeSource, 'A disk of Azure.'),
  azureFile: as(AzureFileVolumeSource, 'A file share of Azure.'),
  cephfs: as(CephFSVolumeSource, 'A Ceph file system.'),
  cinder: as(CinderVolumeSource, 'A volume of OpenStack Cinder.'),
  configMap: as(ConfigMapVolumeSource, 'Files made of a ConfigMap.'),
  csi: as(CSIVolumeSource, 'A volume that a CSI driver makes with the pod.'),
  downwardAPI: as(DownwardAPIVolumeSource, 'Files made of facts about the pod.'),
  emptyDir: as(EmptyDirVolumeSource, "A folder that is empty at the pod's start."),
  ephemeral: as(EphemeralVolumeSource, 'A volume of a claim that lives as long as the pod.'),
  fc: as(FCVolumeSource, 'A fibre channel volume.'),
  flexVolume: as(FlexVolumeSource, 'A volume of an exec-based plugin.'),
  flocker: as(FlockerVolumeSource, 'A dataset of Flocker.'),
  gcePersistentDisk: as(GCEPersistentDiskVolumeSource, 'A disk of Google Compute Engine.'),
  gitRepo: as(GitRepoVolumeSource, 'A clone of a Git repository; not supported any more.'),
  glusterfs: as(GlusterfsVolumeSource, 'A Gluster volume.'),
  hostPath: as(HostPathVolumeSource, 'A file or folder of the node.'),
  image: as(ImageVolumeSource, 'The content of an image.'),
  iscsi: as(ISCSIVolumeSource, 'An iSCSI volume.'),
  name: string('Name of the volume, a DNS label, unique in the pod.'),
  nfs: as(NFSVolumeSource, 'A share of an NFS server.'),
  persistentVolumeClaim: as(PersistentVolumeClaimVolumeSource, 'The volume of a claim.'),
  photonPersistentDisk: as(PhotonPersistentDiskVolumeSource, 'A disk of Photon Controller.'),
  portworxVolume: as(PortworxVolumeSource, 'A volume of Portworx.'),
  projected: as(ProjectedVolumeSource, 'Files from several sources.'),
  quobyte: as(QuobyteVolumeSource, 'A volume of Quobyte.'),
  rbd: as(RBDVolumeSource, 'A Rados block device.'),
  scaleIO: as(ScaleIOVolumeSource, 'A volume of ScaleIO.'),
  secret: as(SecretVolumeSource, 'Files made of a Secret.'),
  storageos: as(StorageOSVolumeSource, 'A volume of StorageOS.'),
  vsphereVolume: as(VsphereVirtualDiskVolumeSource, 'A disk of vSphere.'),
}, ['name']);
export type Volume = Static<typeof Volume>;
