/** Rules for classes of storage. What volumes have been made from must stay what it was. */
import { duplicate, forbidden, refused, required, tooLong, tooMany, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import { whyNotCsiDriverName, whyNotQualifiedName } from '../names.ts';
import type { TopologySelectorLabelRequirement, TopologySelectorTerm } from '../types/topology-selector.ts';

/** Number of parameters of a class, and bytes of their keys and values; Kubernetes' limits. */
const maxParameters = 512;
const maxParameterBytes = 256 * 1024;

type Parameters = Readonly<Record<string, string>> | undefined;

const validateParameters = (parameters: Parameters): readonly FieldError[] => {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > maxParameters) return [tooMany('parameters', entries.length, maxParameters)];
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return [
    ...entries.filter(([key]) => key === '').map(([key]) => wrong('parameters', key, 'field can not be empty')),
    ...(bytes > maxParameterBytes ? [tooLong('parameters', maxParameterBytes)] : []),
  ];
};

const validateLabel = ({ key, values }: TopologySelectorLabelRequirement, field: string): readonly FieldError[] => [
  ...refused(`${field}.key`, key, whyNotQualifiedName(key)),
  ...(values.length === 0 ? [required(`${field}.values`)] : []),
  ...values.flatMap((value, index) => (values.indexOf(value) === index ? [] : [duplicate(`${field}.values[${index}]`, value)])),
];

const validateTopologies = (terms: readonly TopologySelectorTerm[]): readonly FieldError[] =>
  terms.flatMap((term, index) => {
    const { matchLabelExpressions: labels = [] } = term;
    const at = `allowedTopologies[${index}].matchLabelExpressions`;
    const sameAs = (other: TopologySelectorTerm): boolean => deepEqual(other.matchLabelExpressions ?? [], labels);
    return [
      ...labels.flatMap((label, place) => validateLabel(label, `${at}[${place}]`)),
      ...labels.flatMap(({ key }, place) => (labels.findIndex((other) => other.key === key) === place ? [] : [duplicate(`${at}[${place}].key`, key)])),
      ...(terms.findIndex(sameAs) === index ? [] : [duplicate(at, '')]),
    ];
  });

interface StorageClassBody {
  readonly provisioner: string;
  readonly parameters?: Parameters;
  readonly reclaimPolicy?: string | undefined;
  readonly volumeBindingMode?: string | undefined;
  readonly allowedTopologies?: readonly TopologySelectorTerm[] | undefined;
}

const unchanging = <T extends object>(object: T, old: T | undefined, fields: readonly (keyof T & string)[]): readonly FieldError[] =>
  (old === undefined ? [] : fields.filter((name) => !deepEqual(object[name] ?? {}, old[name] ?? {})).map((name) => forbidden(name, `updates to ${name} are forbidden.`)));

/** Every wrong field of a storage class; of an existing one only expansion, topologies and mount options change. */
export const validateStorageClass = (one: StorageClassBody, old: StorageClassBody | undefined): readonly FieldError[] => [
  ...(one.provisioner === '' ? [required('provisioner')] : refused('provisioner', one.provisioner, whyNotQualifiedName(one.provisioner.toLowerCase()))),
  ...validateParameters(one.parameters),
  ...validateTopologies(one.allowedTopologies ?? []),
  ...unchanging(one, old, ['parameters', 'provisioner', 'reclaimPolicy']),
  ...(old !== undefined && one.volumeBindingMode !== old.volumeBindingMode ? [wrong('volumeBindingMode', one.volumeBindingMode ?? '', 'field is immutable')] : []),
];

interface VolumeAttributes {
  readonly driverName: string;
  readonly parameters?: Parameters;
}

/** Every wrong field of a class of volume attributes; nothing of it changes. */
export const validateVolumeAttributesClass = (one: VolumeAttributes, old: VolumeAttributes | undefined): readonly FieldError[] => [
  ...(one.driverName === '' ? [required('driverName')] : refused('driverName', one.driverName, whyNotCsiDriverName(one.driverName))),
  ...(Object.keys(one.parameters ?? {}).length === 0 ? [required('parameters', 'must contain at least one key/value pair')] : validateParameters(one.parameters)),
  ...unchanging(one, old, ['driverName', 'parameters']),
];
