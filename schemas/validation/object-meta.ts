import { forbidden, refused, required, tooLong, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import { whyNotDnsLabel, whyNotLabelValue, whyNotPathSegment, whyNotQualifiedName } from '../names.ts';
import type { ObjectMeta, OwnerReference } from '../types/object-meta.ts';

/** All annotations of an object together, keys and values in UTF-8; Kubernetes' limit. */
export const maxAnnotationBytes = 256 * 1024;

/** Names of field managers; Kubernetes' limit. */
export const maxManagerLength = 128;

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  readonly nameRule: (name: string) => string | undefined;
  /** Rule for each finalizer, if not the usual one. */
  readonly finalizerRule?: ((name: string, field: string) => readonly FieldError[]) | undefined;
  /** The stored object's metadata on an update. */
  readonly old?: ObjectMeta | undefined;
}

export const validateLabels = (labels: Readonly<Record<string, string>> | undefined, field: string): readonly FieldError[] =>
  Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...refused(field, key, whyNotQualifiedName(key)),
    ...refused(field, value, whyNotLabelValue(value)),
  ]);

export const validateAnnotations = (annotations: Readonly<Record<string, string>> | undefined, field: string): readonly FieldError[] => {
  const entries = Object.entries(annotations ?? {});
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return [
    ...entries.flatMap(([key]) => refused(field, key, whyNotQualifiedName(key.toLowerCase()))),
    ...(bytes > maxAnnotationBytes ? [tooLong(field, maxAnnotationBytes)] : []),
  ];
};

const validateOwners = (owners: readonly OwnerReference[], field: string): readonly FieldError[] => {
  // No schema has looked at the metadata of a custom object: members may be missing.
  const errors = owners.flatMap(({ apiVersion = '', kind = '', name = '', uid = '' }: Partial<OwnerReference>, index) => {
    const at = `${field}[${index}]`;
    return [
      ...(apiVersion === '' ? [required(`${at}.apiVersion`)] : []),
      ...(apiVersion.split('/').length > 2 ? [wrong(`${at}.apiVersion`, apiVersion, 'must be a version or a group and a version (for example v1 or apps/v1)')] : []),
      ...(kind === '' ? [required(`${at}.kind`)] : []),
      ...(name === '' ? [required(`${at}.name`)] : []),
      ...(uid === '' ? [required(`${at}.uid`)] : []),
      ...(apiVersion === 'v1' && kind === 'Event' ? [wrong(at, kind, 'an Event cannot own objects')] : []),
    ];
  });
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length > 1) errors.push(wrong(field, controllers.map((owner) => `${owner.kind}/${owner.name}`).join(', '), 'only one owner may have controller set to true'));
  return errors;
};

/** Finalizers without a domain that the system itself knows. */
const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'foregroundDeletion', 'orphan', 'customresourcecleanup.apiextensions.k8s.io']);

/** Whether a finalizer is the server's own, or has a domain of whoever looks after it. */
export const hasOwnPlace = (name: string): boolean => name.includes('/') || standardFinalizers.has(name);

export const validateFinalizer = (name: string, field: string): readonly FieldError[] => {
  const why = whyNotQualifiedName(name);
  if (why !== undefined) return [wrong(field, name, why)];
  return hasOwnPlace(name) ? [] : [wrong(field, name, 'must have a domain (for example example.com/my-finalizer) or be a standard finalizer')];
};

/** Finalizers of custom objects need no domain. */
export const validateCustomFinalizer = (name: string, field: string): readonly FieldError[] => refused(field, name, whyNotQualifiedName(name));

const validateFinalizers = (finalizers: readonly string[], field: string, { finalizerRule = validateFinalizer }: ObjectMetaRules): readonly FieldError[] => [
  ...finalizers.flatMap((name, index) => finalizerRule(name, `${field}[${index}]`)),
  ...(finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')
    ? [wrong(field, finalizers, 'orphan and foregroundDeletion exclude each other')] : []),
];

/** What a client may never change. `resourceVersion` is a condition of the write and not compared here. */
const fixed = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

const validateChange = (meta: ObjectMeta, old: ObjectMeta): readonly FieldError[] => {
  const errors: FieldError[] = [];
  for (const name of fixed) {
    if (!deepEqual(meta[name] ?? '', old[name] ?? '')) errors.push(wrong(`metadata.${name}`, meta[name] ?? '', 'field is immutable'));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) errors.push(wrong('metadata.generation', meta.generation ?? 0, 'must not be decremented'));
  if (old.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter((name) => !(old.finalizers ?? []).includes(name));
    if (added.length > 0) errors.push(forbidden('metadata.finalizers', `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`));
  }
  return errors;
};

const validateIdentity = (meta: ObjectMeta, rules: ObjectMetaRules): readonly FieldError[] => {
  const errors: FieldError[] = [];
  const { name = '', generateName = '', namespace = '' } = meta;
  if (generateName !== '') errors.push(...refused('metadata.generateName', generateName, rules.nameRule(`${generateName.replace(/-$/, '')}x`)));
  if (name === '') errors.push(required('metadata.name', 'name or generateName is required'));
  else errors.push(...refused('metadata.name', name, whyNotPathSegment(name) ?? rules.nameRule(name)));
  if (rules.namespaced) {
    if (namespace === '') errors.push(required('metadata.namespace'));
    else errors.push(...refused('metadata.namespace', namespace, whyNotDnsLabel(namespace)));
  } else if (namespace !== '') {
    errors.push(forbidden('metadata.namespace', 'not allowed on this type'));
  }
  return errors;
};

/** Every wrong field of an object's metadata. */
export const validateObjectMeta = (meta: ObjectMeta, rules: ObjectMetaRules): readonly FieldError[] => [
  ...(rules.old === undefined ? validateIdentity(meta, rules) : validateChange(meta, rules.old)),
  ...((meta.generation ?? 0) < 0 ? [wrong('metadata.generation', meta.generation, 'must be greater than or equal to 0')] : []),
  ...validateLabels(meta.labels, 'metadata.labels'),
  ...validateAnnotations(meta.annotations, 'metadata.annotations'),
  ...validateOwners(meta.ownerReferences ?? [], 'metadata.ownerReferences'),
  ...validateFinalizers(meta.finalizers ?? [], 'metadata.finalizers', rules),
  ...(meta.managedFields ?? []).flatMap((entry, index) =>
    (entry.manager ?? '').length > maxManagerLength ? [tooLong(`metadata.managedFields[${index}].manager`, maxManagerLength)] : []),
];

/** Labels, annotations and finalizers of a pod template, which has no name of its own. */
export const validateTemplateMeta = (meta: ObjectMeta | undefined, field: string): readonly FieldError[] => [
  ...validateLabels(meta?.labels, `${field}.labels`),
  ...validateAnnotations(meta?.annotations, `${field}.annotations`),
  ...(meta?.finalizers ?? []).flatMap((name, index) => validateFinalizer(name, `${field}.finalizers[${index}]`)),
];
