/** What volumes and claims have in common (modes, sizes, classes), and the rules for volumes. */
import { forbidden, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { PersistentVolumeSpec } from '../kinds/core/persistent-volume.ts';
import { whyNotDnsSubdomain, whyNotQualifiedName } from '../names.ts';
import { parseQuantity } from '../quantity.ts';
import type { SecretReference } from '../types/persistent-volume-source.ts';
import { validateRemoteVolume } from './remote-volumes.ts';
import { validateNodeSelector } from './scheduling.ts';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

/** At least one mode, all of them known; a mode for one pod excludes the others. */
export const validateAccessModes = (modes: readonly string[] | undefined, field: string): readonly FieldError[] => [
  ...(modes === undefined || modes.length === 0 ? [required(field, 'at least 1 access mode is required')] : []),
  ...(modes ?? []).filter((mode) => !accessModes.includes(mode)).map((mode) => unsupported(field, mode, accessModes)),
  ...(modes?.includes('ReadWriteOncePod') === true && new Set(modes).size > 1 ? [forbidden(field, 'may not use ReadWriteOncePod with other access modes')] : []),
];

/** The error of a size that is not above zero. */
export const validateSize = (size: string, field: string): readonly FieldError[] =>
  ((parseQuantity(size)?.nano ?? 1n) <= 0n ? [wrong(field, size, 'must be greater than zero')] : []);

/** The name of a class; empty means none. */
export const validateClassName = (name: string | undefined, field: string): readonly FieldError[] =>
  name === undefined || name === '' ? [] : refused(field, name, whyNotDnsSubdomain(name));

/** Members of the spec that are sources of a volume. */
const sourceNames = [
  'hostPath', 'gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'flocker', 'nfs', 'rbd', 'quobyte', 'cephfs', 'iscsi', 'cinder', 'fc', 'flexVolume',
  'azureFile', 'vsphereVolume', 'photonPersistentDisk', 'portworxVolume', 'azureDisk', 'scaleIO', 'local', 'storageos', 'csi',
] as const satisfies readonly (keyof PersistentVolumeSpec)[];

const validateSecret = (secret: SecretReference | undefined, field: string): readonly FieldError[] => (secret === undefined ? [] : [
  ...((secret.name ?? '') === '' ? [required(`${field}.name`)] : []),
  ...((secret.namespace ?? '') === '' ? [required(`${field}.namespace`)] : []),
]);

const validatePath = (path: string, field: string): readonly FieldError[] =>
  path === '' ? [required(field)] : path.split('/').includes('..') ? [wrong(field, path, "must not contain '..'")] : [];

const validateSource = (spec: PersistentVolumeSpec): readonly FieldError[] => {
  const { hostPath, local, nfs, csi } = spec;
  const errors: FieldError[] = [...validateRemoteVolume(spec, 'spec')];
  if (hostPath !== undefined) {
    errors.push(...validatePath(hostPath.path, 'spec.hostPath.path'));
    if (/^\/+$/.test(hostPath.path) && spec.persistentVolumeReclaimPolicy === 'Recycle') errors.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  }
  if (local !== undefined) {
    errors.push(...validatePath(local.path, 'spec.local.path'));
    if (spec.nodeAffinity === undefined) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  }
  if (nfs !== undefined) {
    if (nfs.server === '') errors.push(required('spec.nfs.server'));
    if (nfs.path === '') errors.push(required('spec.nfs.path'));
    else if (!nfs.path.startsWith('/')) errors.push(wrong('spec.nfs.path', nfs.path, 'must be an absolute path'));
  }
  if (csi !== undefined) {
    if (csi.driver === '') errors.push(required('spec.csi.driver'));
    else errors.push(...refused('spec.csi.driver', csi.driver, csi.driver.length > 63 ? 'must be no more than 63 characters' : whyNotDnsSubdomain(csi.driver.toLowerCase())));
    if (csi.volumeHandle === '') errors.push(required('spec.csi.volumeHandle'));
    for (const name of ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeStageSecretRef', 'nodeExpandSecretRef'] as const) errors.push(...validateSecret(csi[name], `spec.csi.${name}`));
  }
  return errors;
};

const validateSpec = (spec: PersistentVolumeSpec): readonly FieldError[] => {
  const capacity = Object.entries(spec.capacity ?? {});
  const sources = sourceNames.filter((name) => spec[name] !== undefined);
  return [
    ...validateAccessModes(spec.accessModes, 'spec.accessModes'),
    ...(capacity.length === 0 ? [required('spec.capacity')] : []),
    ...(capacity.length > 1 || (capacity.length === 1 && capacity[0]?.[0] !== 'storage') ? [unsupported('spec.capacity', spec.capacity, ['storage'])] : []),
    ...capacity.flatMap(([name, size]) => [...refused(`spec.capacity[${name}]`, name, whyNotQualifiedName(name)), ...validateSize(size, `spec.capacity[${name}]`)]),
    ...(sources.length === 0 ? [required('spec', 'must specify a volume type')] : []),
    ...sources.slice(1).map((name) => forbidden(`spec.${name}`, 'may not specify more than 1 volume type')),
    ...validateSource(spec),
    ...(spec.nodeAffinity === undefined ? [] : spec.nodeAffinity.required === undefined
      ? [required('spec.nodeAffinity.required', 'must specify required node constraints')] : validateNodeSelector(spec.nodeAffinity.required, 'spec.nodeAffinity.required')),
    ...validateClassName(spec.storageClassName, 'spec.storageClassName'),
    ...(spec.volumeAttributesClassName === undefined ? [] : spec.volumeAttributesClassName === '' ? [required('spec.volumeAttributesClassName', 'an empty string is disallowed')]
      : spec.csi === undefined ? [required('spec.csi', 'has to be specified when using volumeAttributesClassName')]
        : validateClassName(spec.volumeAttributesClassName, 'spec.volumeAttributesClassName')),
  ];
};

/** The sources as they count for a change: the secrets of a CSI volume may be replaced. */
const fixedSource = (spec: PersistentVolumeSpec): object => Object.fromEntries(sourceNames.filter((name) => spec[name] !== undefined).map((name) => {
  if (name !== 'csi') return [name, spec[name]];
  return [name, Object.fromEntries(Object.entries(spec.csi ?? {}).filter(([field]) => !field.endsWith('SecretRef')))];
}));

interface Volume { readonly spec: PersistentVolumeSpec }

/** Every wrong field of a volume. What it is made of cannot change, nor its mode, nor the nodes that reach it once they are said. */
export const validatePersistentVolume = ({ spec }: Volume, old: Volume | undefined): readonly FieldError[] => [
  ...validateSpec(spec),
  ...(old === undefined ? [] : [
    ...(deepEqual(fixedSource(spec), fixedSource(old.spec)) ? [] : [forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')]),
    ...(spec.volumeMode === old.spec.volumeMode ? [] : [wrong('spec.volumeMode', spec.volumeMode, 'field is immutable')]),
    ...(old.spec.nodeAffinity === undefined || deepEqual(spec.nodeAffinity, old.spec.nodeAffinity) ? [] : [wrong('spec.nodeAffinity', spec.nodeAffinity, 'field is immutable')]),
  ]),
];
