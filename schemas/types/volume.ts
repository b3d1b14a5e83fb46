import { boolean, int32, int64, list, mapOf, object, quantity, string, type Static } from '../schema.ts';
import { LabelSelector } from '../types/label-selector.ts';
import { PersistentVolumeClaimTemplate } from '../types/persistent-volume-claim-spec.ts';
import { KeyToPath, ObjectFieldSelector, ResourceFieldSelector } from '../types/references.ts';
import { AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, AzureFileVolumeSource, CSIVolumeSource, CephFSVolumeSource, CinderVolumeSource, FCVolumeSource, FlexVolumeSource, FlockerVolumeSource, GCEPersistentDiskVolumeSource, GitRepoVolumeSource, GlusterfsVolumeSource, ISCSIVolumeSource, NFSVolumeSource, PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource, RBDVolumeSource, ScaleIOVolumeSource, StorageOSVolumeSource, VsphereVirtualDiskVolumeSource } from '../types/volume-remote.ts';

export const ConfigMapVolumeSource = object('core.v1.ConfigMapVolumeSource', '', {
  defaultMode: int32(''),
  items: list(KeyToPath, '', { listType: 'atomic' }),
  name: string(''),
  optional: boolean(''),
});
export type ConfigMapVolumeSource = Static<typeof ConfigMapVolumeSource>;

export const DownwardAPIVolumeFile = object('core.v1.DownwardAPIVolumeFile', '', {
  fieldRef: ObjectFieldSelector,
  mode: int32(''),
  path: string(''),
  resourceFieldRef: ResourceFieldSelector,
}, ['path']);
export type DownwardAPIVolumeFile = Static<typeof DownwardAPIVolumeFile>;

export const DownwardAPIVolumeSource = object('core.v1.DownwardAPIVolumeSource', '', {
  defaultMode: int32(''),
  items: list(DownwardAPIVolumeFile, '', { listType: 'atomic' }),
});
export type DownwardAPIVolumeSource = Static<typeof DownwardAPIVolumeSource>;

export const EmptyDirVolumeSource = object('core.v1.EmptyDirVolumeSource', '', {
  medium: string(''),
  sizeLimit: quantity(''),
});
export type EmptyDirVolumeSource = Static<typeof EmptyDirVolumeSource>;

export const EphemeralVolumeSource = object('core.v1.EphemeralVolumeSource', '', {
  volumeClaimTemplate: PersistentVolumeClaimTemplate,
});
export type EphemeralVolumeSource = Static<typeof EphemeralVolumeSource>;

export const HostPathVolumeSource = object('core.v1.HostPathVolumeSource', '', {
  path: string(''),
  type: string(''),
}, ['path']);
export type HostPathVolumeSource = Static<typeof HostPathVolumeSource>;

export const ImageVolumeSource = object('core.v1.ImageVolumeSource', '', {
  pullPolicy: string(''),
  reference: string(''),
});
export type ImageVolumeSource = Static<typeof ImageVolumeSource>;

export const PersistentVolumeClaimVolumeSource = object('core.v1.PersistentVolumeClaimVolumeSource', '', {
  claimName: string(''),
  readOnly: boolean(''),
}, ['claimName']);
export type PersistentVolumeClaimVolumeSource = Static<typeof PersistentVolumeClaimVolumeSource>;

export const SecretVolumeSource = object('core.v1.SecretVolumeSource', '', {
  defaultMode: int32(''),
  items: list(KeyToPath, '', { listType: 'atomic' }),
  optional: boolean(''),
  secretName: string(''),
});
export type SecretVolumeSource = Static<typeof SecretVolumeSource>;

export const ClusterTrustBundleProjection = object('core.v1.ClusterTrustBundleProjection', '', {
  labelSelector: LabelSelector,
  name: string(''),
  optional: boolean(''),
  path: string(''),
  signerName: string(''),
}, ['path']);
export type ClusterTrustBundleProjection = Static<typeof ClusterTrustBundleProjection>;

export const ConfigMapProjection = object('core.v1.ConfigMapProjection', '', {
  items: list(KeyToPath, '', { listType: 'atomic' }),
  name: string(''),
  optional: boolean(''),
});
export type ConfigMapProjection = Static<typeof ConfigMapProjection>;

export const DownwardAPIProjection = object('core.v1.DownwardAPIProjection', '', {
  items: list(DownwardAPIVolumeFile, '', { listType: 'atomic' }),
});
export type DownwardAPIProjection = Static<typeof DownwardAPIProjection>;

export const PodCertificateProjection = object('core.v1.PodCertificateProjection', '', {
  certificateChainPath: string(''),
  credentialBundlePath: string(''),
  keyPath: string(''),
  keyType: string(''),
  maxExpirationSeconds: int32(''),
  signerName: string(''),
  userAnnotations: mapOf(string(''), ''),
}, ['keyType', 'signerName']);
export type PodCertificateProjection = Static<typeof PodCertificateProjection>;

export const SecretProjection = object('core.v1.SecretProjection', '', {
  items: list(KeyToPath, '', { listType: 'atomic' }),
  name: string(''),
  optional: boolean(''),
});
export type SecretProjection = Static<typeof SecretProjection>;

export const ServiceAccountTokenProjection = object('core.v1.ServiceAccountTokenProjection', '', {
  audience: string(''),
  expirationSeconds: int64(''),
  path: string(''),
}, ['path']);
export type ServiceAccountTokenProjection = Static<typeof ServiceAccountTokenProjection>;

export const VolumeProjection = object('core.v1.VolumeProjection', '', {
  clusterTrustBundle: ClusterTrustBundleProjection,
  configMap: ConfigMapProjection,
  downwardAPI: DownwardAPIProjection,
  podCertificate: PodCertificateProjection,
  secret: SecretProjection,
  serviceAccountToken: ServiceAccountTokenProjection,
});
export type VolumeProjection = Static<typeof VolumeProjection>;

export const ProjectedVolumeSource = object('core.v1.ProjectedVolumeSource', '', {
  defaultMode: int32(''),
  sources: list(VolumeProjection, '', { listType: 'atomic' }),
});
export type ProjectedVolumeSource = Static<typeof ProjectedVolumeSource>;

export const Volume = object('core.v1.Volume', '', {
  awsElasticBlockStore: AWSElasticBlockStoreVolumeSource,
  azureDisk: AzureDiskVolumeSource,
  azureFile: AzureFileVolumeSource,
  cephfs: CephFSVolumeSource,
  cinder: CinderVolumeSource,
  configMap: ConfigMapVolumeSource,
  csi: CSIVolumeSource,
  downwardAPI: DownwardAPIVolumeSource,
  emptyDir: EmptyDirVolumeSource,
  ephemeral: EphemeralVolumeSource,
  fc: FCVolumeSource,
  flexVolume: FlexVolumeSource,
  flocker: FlockerVolumeSource,
  gcePersistentDisk: GCEPersistentDiskVolumeSource,
  gitRepo: GitRepoVolumeSource,
  glusterfs: GlusterfsVolumeSource,
  hostPath: HostPathVolumeSource,
  image: ImageVolumeSource,
  iscsi: ISCSIVolumeSource,
  name: string(''),
  nfs: NFSVolumeSource,
  persistentVolumeClaim: PersistentVolumeClaimVolumeSource,
  photonPersistentDisk: PhotonPersistentDiskVolumeSource,
  portworxVolume: PortworxVolumeSource,
  projected: ProjectedVolumeSource,
  quobyte: QuobyteVolumeSource,
  rbd: RBDVolumeSource,
  scaleIO: ScaleIOVolumeSource,
  secret: SecretVolumeSource,
  storageos: StorageOSVolumeSource,
  vsphereVolume: VsphereVirtualDiskVolumeSource,
}, ['name']);
export type Volume = Static<typeof Volume>;
