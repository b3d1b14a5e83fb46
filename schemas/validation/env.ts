import { forbidden, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { whyNotDataKey, whyNotDnsSubdomain, whyNotEnvName, whyNotLocalPath, whyNotQualifiedName } from '../names.ts';
import { parseQuantity } from '../quantity.ts';
import type { EnvFromSource, EnvVar } from '../types/env.ts';
import type { ObjectFieldSelector, ResourceFieldSelector } from '../types/references.ts';

const envFields: readonly string[] = [
  'metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName',
  'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs',
];
const volumeFields: readonly string[] = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];

const resources: readonly string[] = [
  'limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory',
];

/** The key in `metadata.labels['app']`, with what it is a key of. */
const subscript = /^(metadata\.(?:labels|annotations))\['([^']*)'\]$/;

/** A fact about the pod by its path; which paths there are depends on whether it becomes a variable or a file. */
export const validateFieldRef = (ref: ObjectFieldSelector, field: string, use: 'env' | 'volume'): readonly FieldError[] => {
  if (ref.fieldPath === '') return [required(`${field}.fieldPath`)];
  if (ref.apiVersion !== undefined && ref.apiVersion !== 'v1') return [unsupported(`${field}.apiVersion`, ref.apiVersion, ['v1'])];
  const keyed = subscript.exec(ref.fieldPath);
  if (keyed !== null) {
    const key = keyed[2] ?? '';
    return refused(`${field}.fieldPath`, ref.fieldPath, whyNotQualifiedName(keyed[1] === 'metadata.annotations' ? key.toLowerCase() : key));
  }
  const known = use === 'env' ? envFields : volumeFields;
  return known.includes(ref.fieldPath) ? [] : [unsupported(`${field}.fieldPath`, ref.fieldPath, [...known, "metadata.labels['<KEY>']", "metadata.annotations['<KEY>']"].toSorted())];
};

/** Units in which a resource may be told. */
const divisors = (resource: string): readonly string[] =>
  resource.endsWith('.cpu') ? ['1m', '1'] : ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** A request or limit of a container; a volume must say of which. */
export const validateResourceFieldRef = (ref: ResourceFieldSelector, field: string, use: 'env' | 'volume'): readonly FieldError[] => {
  const errors: FieldError[] = [];
  if (use === 'volume' && (ref.containerName ?? '') === '') errors.push(required(`${field}.containerName`));
  if (ref.resource === '') return [...errors, required(`${field}.resource`)];
  if (!resources.includes(ref.resource) && !/^(limits|requests)\.hugepages-\d+[KMGT]i$/.test(ref.resource)) return [...errors, unsupported(`${field}.resource`, ref.resource, resources)];
  const divisor = parseQuantity(ref.divisor ?? '0')?.nano ?? 0n;
  const units = divisors(ref.resource);
  if (divisor !== 0n && !units.some((unit) => parseQuantity(unit)?.nano === divisor)) {
    errors.push(wrong(`${field}.divisor`, ref.divisor, `only the divisors ${units.join(', ')} are supported with ${ref.resource}`));
  }
  return errors;
};

const validateKeyRef = (ref: { readonly key: string; readonly name?: string | undefined }, field: string): readonly FieldError[] => [
  ...((ref.name ?? '') === '' ? [required(`${field}.name`)] : refused(`${field}.name`, ref.name, whyNotDnsSubdomain(ref.name ?? ''))),
  ...(ref.key === '' ? [required(`${field}.key`)] : refused(`${field}.key`, ref.key, whyNotDataKey(ref.key))),
];

const validateValueFrom = (variable: EnvVar, field: string): readonly FieldError[] => {
  const from = variable.valueFrom;
  if (from === undefined) return [];
  const count = Object.values(from).filter((one) => one !== undefined).length;
  const errors: FieldError[] = [];
  if (count === 0) errors.push(wrong(field, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'));
  if (variable.value !== undefined && variable.value !== '') errors.push(wrong(field, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) errors.push(wrong(field, '', 'may not have more than one field specified at a time'));
  if (from.fieldRef !== undefined) errors.push(...validateFieldRef(from.fieldRef, `${field}.fieldRef`, 'env'));
  if (from.resourceFieldRef !== undefined) errors.push(...validateResourceFieldRef(from.resourceFieldRef, `${field}.resourceFieldRef`, 'env'));
  if (from.configMapKeyRef !== undefined) errors.push(...validateKeyRef(from.configMapKeyRef, `${field}.configMapKeyRef`));
  if (from.secretKeyRef !== undefined) errors.push(...validateKeyRef(from.secretKeyRef, `${field}.secretKeyRef`));
  if (from.fileKeyRef !== undefined) {
    const { key, path, volumeName } = from.fileKeyRef;
    if (key === '') errors.push(required(`${field}.fileKeyRef.key`));
    if (volumeName === '') errors.push(required(`${field}.fileKeyRef.volumeName`));
    errors.push(...(path === '' ? [required(`${field}.fileKeyRef.path`)] : refused(`${field}.fileKeyRef.path`, path, whyNotLocalPath(path))));
  }
  return errors;
};

export const validateEnv = (variables: readonly EnvVar[], field: string): readonly FieldError[] =>
  variables.flatMap((variable, index) => [
    ...(variable.name === '' ? [required(`${field}[${index}].name`)] : refused(`${field}[${index}].name`, variable.name, whyNotEnvName(variable.name))),
    ...validateValueFrom(variable, `${field}[${index}].valueFrom`),
  ]);

export const validateEnvFrom = (sources: readonly EnvFromSource[], field: string): readonly FieldError[] =>
  sources.flatMap((source, index) => {
    const at = `${field}[${index}]`;
    const { configMapRef, secretRef, prefix = '' } = source;
    const ref = configMapRef === undefined ? ['secretRef', secretRef?.name] as const : ['configMapRef', configMapRef.name] as const;
    if (configMapRef === undefined && secretRef === undefined) return [wrong(at, '', 'must specify one of: `configMapRef` or `secretRef`')];
    return [
      ...(prefix === '' ? [] : refused(`${at}.prefix`, prefix, whyNotEnvName(prefix))),
      ...(configMapRef !== undefined && secretRef !== undefined ? [forbidden(at, 'may not have more than one field specified at a time')] : []),
      ...((ref[1] ?? '') === '' ? [required(`${at}.${ref[0]}.name`)] : refused(`${at}.${ref[0]}.name`, ref[1], whyNotDnsSubdomain(ref[1] ?? ''))),
    ];
  });
