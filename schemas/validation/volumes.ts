import { forbidden, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotCsiDriverName, whyNotDataKey, whyNotDnsLabel, whyNotDnsSubdomain, whyNotLocalPath } from '../names.ts';
import { parseQuantity } from '../quantity.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import type { PersistentVolumeClaimTemplate } from '../types/persistent-volume-claim-spec.ts';
import type { KeyToPath } from '../types/references.ts';
import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from '../types/volume.ts';
import type { CSIVolumeSource } from '../types/volume-remote.ts';
import { validateFieldRef, validateResourceFieldRef } from './env.ts';
import { validateTemplateMeta } from './object-meta.ts';
import { validateClaimSpec } from './persistent-volume-claim.ts';
import { validateRemoteVolume } from './remote-volumes.ts';

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

const validateLocalFile = (path: string, field: string): readonly FieldError[] => {
  if (path === '') return [required(field)];
  const why = whyNotLocalPath(path) ?? (path.startsWith('..') ? "must not start with '..'" : undefined);
  return refused(field, path, why);
};

const validateItems = (items: readonly KeyToPath[] | undefined, field: string): readonly FieldError[] =>
  (items ?? []).flatMap(({ key, path }, index) => [
    ...(key === '' ? [required(`${field}[${index}].key`)] : refused(`${field}[${index}].key`, key, whyNotDataKey(key))),
    ...validateLocalFile(path, `${field}[${index}].path`),
  ]);

const validateName = (name: string | undefined, field: string): readonly FieldError[] =>
  name === undefined || name === '' ? [required(field)] : refused(field, name, whyNotDnsSubdomain(name));

const validateDownwardFiles = (files: readonly DownwardAPIVolumeFile[] | undefined, field: string): readonly FieldError[] =>
  (files ?? []).flatMap((file, index) => {
    const at = `${field}[${index}]`;
    const errors = [...validateLocalFile(file.path, `${at}.path`)];
    if (file.fieldRef !== undefined) {
      errors.push(...validateFieldRef(file.fieldRef, `${at}.fieldRef`, 'volume'));
      if (file.resourceFieldRef !== undefined) errors.push(wrong(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    } else if (file.resourceFieldRef !== undefined) {
      errors.push(...validateResourceFieldRef(file.resourceFieldRef, `${at}.resourceFieldRef`, 'volume'));
    } else {
      errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
    }
    return errors;
  });

/** Shortest and longest life of a projected token, in seconds; Kubernetes' limits. */
const tokenSeconds = { least: 600, most: 2 ** 32 } as const;

const validateProjection = (source: VolumeProjection, field: string): readonly FieldError[] => {
  const names = Object.keys(source).filter((name) => source[name as keyof VolumeProjection] !== undefined);
  if (names.length === 0) return [required(field, 'must specify a source')];
  const errors: FieldError[] = names.slice(1).map((name) => forbidden(`${field}.${name}`, 'may not specify more than 1 volume type'));
  const { configMap, secret, downwardAPI, serviceAccountToken: token, clusterTrustBundle: bundle } = source;
  if (configMap !== undefined) errors.push(...validateName(configMap.name, `${field}.configMap.name`), ...validateItems(configMap.items, `${field}.configMap.items`));
  if (secret !== undefined) errors.push(...validateName(secret.name, `${field}.secret.name`), ...validateItems(secret.items, `${field}.secret.items`));
  if (downwardAPI !== undefined) errors.push(...validateDownwardFiles(downwardAPI.items, `${field}.downwardAPI.items`));
  if (token !== undefined) {
    const seconds = token.expirationSeconds ?? 3600;
    if (seconds < tokenSeconds.least) errors.push(wrong(`${field}.serviceAccountToken.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
    if (seconds > tokenSeconds.most) errors.push(wrong(`${field}.serviceAccountToken.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
    errors.push(...validateLocalFile(token.path, `${field}.serviceAccountToken.path`));
  }
  if (bundle !== undefined) {
    errors.push(...validateLocalFile(bundle.path, `${field}.clusterTrustBundle.path`), ...validateLabelSelector(bundle.labelSelector, `${field}.clusterTrustBundle.labelSelector`));
    if ((bundle.name === undefined) === (bundle.signerName === undefined)) errors.push(required(`${field}.clusterTrustBundle`, 'exactly one of name and signerName is required'));
  }
  return errors;
};

/** Paths of the files that a projected source says by name. */
const projectedPaths = (source: VolumeProjection): readonly string[] => [
  ...(source.configMap?.items ?? []), ...(source.secret?.items ?? []), ...(source.downwardAPI?.items ?? []),
  ...(source.serviceAccountToken === undefined ? [] : [source.serviceAccountToken]),
  ...(source.clusterTrustBundle === undefined ? [] : [source.clusterTrustBundle]),
].map((file) => file.path);

const validateProjected = (sources: readonly VolumeProjection[], field: string): readonly FieldError[] => {
  const paths = new Set<string>();
  return sources.flatMap((source, index) => {
    const at = `${field}[${index}]`;
    const errors = [...validateProjection(source, at)];
    for (const path of projectedPaths(source)) {
      if (path !== '' && paths.has(path)) errors.push(wrong(at, path, 'conflicting duplicate paths'));
      paths.add(path);
    }
    return errors;
  });
};

/** Members of the metadata of a claim that is made for each pod which the pod may say; all others are the server's. */
const ofClaimTemplates: ReadonlySet<string> = new Set(['labels', 'annotations']);

const validateClaimTemplate = ({ metadata = {}, spec }: PersistentVolumeClaimTemplate, field: string): readonly FieldError[] => [
  ...Object.keys(metadata).filter((name) => !ofClaimTemplates.has(name) && metadata[name as keyof ObjectMeta] !== undefined)
    .map((name) => forbidden(`${field}.metadata.${name}`, 'cannot be set for an ephemeral volume')),
  ...validateTemplateMeta({ labels: metadata.labels, annotations: metadata.annotations }, `${field}.metadata`),
  ...validateClaimSpec(spec, `${field}.spec`),
];

const validateCsi = ({ driver, nodePublishSecretRef: secret }: CSIVolumeSource, field: string): readonly FieldError[] => [
  ...(driver === '' ? [required(`${field}.driver`)] : refused(`${field}.driver`, driver, whyNotCsiDriverName(driver))),
  ...(secret === undefined ? [] : validateName(secret.name, `${field}.nodePublishSecretRef.name`)),
];

const validateSource = (volume: Volume, field: string): readonly FieldError[] => {
  const { emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim: claim, nfs, image, ephemeral, csi } = volume;
  const errors: FieldError[] = [];
  if (emptyDir !== undefined) {
    const { medium = '', sizeLimit = '0' } = emptyDir;
    if (!['', 'Memory', 'HugePages'].includes(medium) && !/^HugePages-\d+[KMGT]i$/.test(medium)) errors.push(unsupported(`${field}.emptyDir.medium`, medium, ['', 'HugePages', 'HugePages-<size>', 'Memory']));
    if ((parseQuantity(sizeLimit)?.nano ?? 0n) < 0n) errors.push(forbidden(`${field}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  }
  if (hostPath !== undefined) {
    const { path, type = '' } = hostPath;
    if (path === '') errors.push(required(`${field}.hostPath.path`));
    else if (path.split('/').includes('..')) errors.push(wrong(`${field}.hostPath.path`, path, "must not contain '..'"));
    if (!hostPathTypes.includes(type)) errors.push(unsupported(`${field}.hostPath.type`, type, hostPathTypes));
  }
  if (configMap !== undefined) errors.push(...validateName(configMap.name, `${field}.configMap.name`), ...validateItems(configMap.items, `${field}.configMap.items`));
  if (secret !== undefined) errors.push(...validateName(secret.secretName, `${field}.secret.secretName`), ...validateItems(secret.items, `${field}.secret.items`));
  if (downwardAPI !== undefined) errors.push(...validateDownwardFiles(downwardAPI.items, `${field}.downwardAPI.items`));
  if (projected !== undefined) errors.push(...validateProjected(projected.sources ?? [], `${field}.projected.sources`));
  if (claim !== undefined) errors.push(...validateName(claim.claimName, `${field}.persistentVolumeClaim.claimName`));
  if (nfs !== undefined) {
    if (nfs.server === '') errors.push(required(`${field}.nfs.server`));
    if (nfs.path === '') errors.push(required(`${field}.nfs.path`));
    else if (!nfs.path.startsWith('/')) errors.push(wrong(`${field}.nfs.path`, nfs.path, 'must be an absolute path'));
  }
  if (image !== undefined && (image.reference ?? '') === '') errors.push(required(`${field}.image.reference`));
  if (ephemeral !== undefined) {
    errors.push(...(ephemeral.volumeClaimTemplate === undefined ? [required(`${field}.ephemeral.volumeClaimTemplate`)]
      : validateClaimTemplate(ephemeral.volumeClaimTemplate, `${field}.ephemeral.volumeClaimTemplate`)));
  }
  if (csi !== undefined) errors.push(...validateCsi(csi, `${field}.csi`));
  if ((volume.gitRepo?.directory ?? '') !== '') errors.push(...validateLocalFile(volume.gitRepo?.directory ?? '', `${field}.gitRepo.directory`));
  return [...errors, ...validateRemoteVolume(volume, field)];
};

/** Volumes of a pod; repeated names are found by the schema. */
export const validateVolumes = (volumes: readonly Volume[] | undefined, field: string): readonly FieldError[] =>
  (volumes ?? []).flatMap((volume, index) => {
    const at = `${field}[${index}]`;
    const sources = Object.keys(volume).filter((name) => name !== 'name' && volume[name as keyof Volume] !== undefined);
    return [
      ...(volume.name === '' ? [required(`${at}.name`)] : refused(`${at}.name`, volume.name, whyNotDnsLabel(volume.name))),
      ...(sources.length === 0 ? [required(at, 'must specify a volume type')] : []),
      ...sources.slice(1).map((name) => forbidden(`${at}.${name}`, 'may not specify more than 1 volume type')),
      ...validateSource(volume, at),
    ];
  });
