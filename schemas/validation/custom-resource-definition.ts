/** Rules for CustomResourceDefinitions, as deep as those of Kubernetes; schemas are in structural-schema.ts. */
import { duplicate, forbidden, refused, required, tooMany, unsupported, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import { isEstablished } from '../custom/established.ts';
import type { CustomResourceDefinition, DefinitionNames, DefinitionVersion } from '../types/custom-resource-definition.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain } from '../names.ts';
import { validateVersion } from './custom-version.ts';
import { validateClientConfig, validateReviewVersions } from './webhooks.ts';

/** Versions of one definition. */
export const maxVersions = 50;
/** Short names and categories of one definition. */
export const maxNames = 50;

/** The annotation by which a definition in one of Kubernetes' own groups says who has agreed to it. */
export const approvalAnnotation = 'api-approved.kubernetes.io';

/** True for groups that belong to Kubernetes. */
export const isProtectedGroup = (group: string): boolean => ['k8s.io', 'kubernetes.io'].some((owner) => group === owner || group.endsWith(`.${owner}`));

/** Whether the approval of a definition is missing, is no approval, or says that there is none. */
export const approvalOf = ({ metadata }: CustomResourceDefinition): 'missing' | 'invalid' | 'unapproved' | 'approved' => {
  const text = metadata.annotations?.[approvalAnnotation] ?? '';
  if (text === '') return 'missing';
  if (text.startsWith('unapproved')) return 'unapproved';
  const url = URL.parse(text);
  return url === null || url.host === '' ? 'invalid' : 'approved';
};

const validateApproval = (definition: CustomResourceDefinition): readonly FieldError[] => {
  if (!isProtectedGroup(definition.spec.group)) return [];
  const field = `metadata.annotations[${approvalAnnotation}]`;
  switch (approvalOf(definition)) {
    case 'missing': return [required(field, `protected groups must have approval annotation "${approvalAnnotation}": the URL of the approval, or a text that begins with "unapproved"`)];
    case 'invalid': return [wrong(field, definition.metadata.annotations?.[approvalAnnotation], 'must be the URL of the approval, or a text that begins with "unapproved"')];
    default: return [];
  }
};

/** Every wrong name, in the spec or in what was accepted. */
const validateNames = (names: DefinitionNames, at: string): readonly FieldError[] => {
  const { plural, singular = '', kind, listKind = '', shortNames = [], categories = [] } = names;
  const label = (text: string, field: string): readonly FieldError[] => refused(`${at}.${field}`, text, whyNotDns1035Label(text));
  const each = (list: readonly string[], field: string): readonly FieldError[] => [
    ...(list.length > maxNames ? [tooMany(`${at}.${field}`, list.length, maxNames)] : []),
    ...list.flatMap((text, index) => label(text, `${field}[${index}]`)),
  ];
  return [
    ...(plural === '' ? [required(`${at}.plural`)] : label(plural, 'plural')),
    ...(singular === '' ? [] : label(singular, 'singular')),
    ...(kind === '' ? [required(`${at}.kind`)] : refused(`${at}.kind`, kind, whyNotKindName(kind))),
    ...(listKind === '' ? [] : refused(`${at}.listKind`, listKind, whyNotKindName(listKind))),
    ...(kind !== '' && kind === listKind ? [wrong(`${at}.listKind`, listKind, 'kind and listKind may not be the same')] : []),
    ...each(shortNames, 'shortNames'), ...each(categories, 'categories'),
  ];
};

const whyNotKindName = (kind: string): string | undefined => {
  const why = whyNotDns1035Label(kind.toLowerCase());
  return why === undefined ? undefined : `may have mixed case, but should otherwise match: ${why}`;
};

const validateVersions = (versions: readonly DefinitionVersion[], at: string): readonly FieldError[] => {
  const names = versions.map(({ name }) => name);
  const stored = versions.filter(({ storage }) => storage).length;
  if (versions.length === 0) return [required(at, 'must have at least one version')];
  if (versions.length > maxVersions) return [tooMany(at, versions.length, maxVersions)];
  return [
    ...names.flatMap((name, index) => (names.indexOf(name) < index ? [duplicate(`${at}[${index}].name`, name)] : [])),
    ...(stored === 1 ? [] : [wrong(at, names, 'must have exactly one version marked as storage version')]),
    ...versions.flatMap((version, index) => validateVersion(version, `${at}[${index}]`)),
  ];
};

const validateConversion = ({ conversion }: CustomResourceDefinition['spec'], at: string): readonly FieldError[] => {
  if (conversion === undefined) return [];
  const { strategy, webhook } = conversion;
  if (strategy === '') return [required(`${at}.strategy`)];
  if (strategy === 'None') return webhook === undefined ? [] : [forbidden(`${at}.webhook`, 'should not be set when strategy is not set to Webhook')];
  if (strategy !== 'Webhook') return [unsupported(`${at}.strategy`, strategy, ['None', 'Webhook'])];
  if (webhook?.clientConfig === undefined) return [required(`${at}.webhook.clientConfig`, 'required when strategy is set to Webhook')];
  return [
    ...validateClientConfig(webhook.clientConfig, `${at}.webhook.clientConfig`),
    ...validateReviewVersions(webhook.conversionReviewVersions, `${at}.webhook.conversionReviewVersions`, ['v1']),
  ];
};

const validateSpec = ({ spec }: CustomResourceDefinition): readonly FieldError[] => {
  const { group, scope, names } = spec;
  return [
    ...(group === '' ? [required('spec.group')] : refused('spec.group', group, whyNotDnsSubdomain(group))),
    ...(group !== '' && !group.includes('.') ? [wrong('spec.group', group, 'should be a domain with at least one dot')] : []),
    ...(scope === '' ? [required('spec.scope')] : scope === 'Namespaced' || scope === 'Cluster' ? [] : [unsupported('spec.scope', scope, ['Cluster', 'Namespaced'])]),
    ...validateNames(names, 'spec.names'),
    ...validateVersions(spec.versions, 'spec.versions'),
    ...validateConversion(spec, 'spec.conversion'),
    ...(spec.preserveUnknownFields === true ? [wrong('spec.preserveUnknownFields', true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead')] : []),
  ];
};

const fixed = (field: string, value: unknown, old: unknown): readonly FieldError[] => (deepEqual(value, old) ? [] : [wrong(field, value, 'field is immutable')]);

/** What may not change: the group and the plural name, and, once objects can exist, the scope and the kind. */
const validateChange = ({ spec }: CustomResourceDefinition, old: CustomResourceDefinition): readonly FieldError[] => [
  ...fixed('spec.group', spec.group, old.spec.group), ...fixed('spec.names.plural', spec.names.plural, old.spec.names.plural),
  ...(isEstablished(old) ? [...fixed('spec.scope', spec.scope, old.spec.scope), ...fixed('spec.names.kind', spec.names.kind, old.spec.names.kind)] : []),
];

/** Objects of a version that is gone could not be read any more. */
const validateStored = ({ spec, status }: CustomResourceDefinition): readonly FieldError[] => {
  const known = spec.versions.map(({ name }) => name);
  const stored = status?.storedVersions ?? [];
  const storage = spec.versions.find((version) => version.storage)?.name;
  return [
    ...stored.flatMap((name, index) => (known.includes(name) ? [] : [wrong(`status.storedVersions[${index}]`, name, 'must appear in spec.versions')])),
    ...(storage === undefined || stored.includes(storage) ? [] : [wrong('status.storedVersions', stored, `must have the storage version ${storage}`)]),
  ];
};

/** Every wrong field of a definition. */
export const validateDefinition = (definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined): readonly FieldError[] => {
  const { metadata, spec } = definition;
  const { plural } = spec.names;
  const wanted = `${plural}.${spec.group}`;
  // A schema that has passed before passes again, and large ones take their time.
  const isSameSpec = old !== undefined && deepEqual(spec, old.spec);
  return [
    ...(metadata.name === wanted || plural === '' || spec.group === '' ? [] : [wrong('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group: ${JSON.stringify(wanted)}`)]),
    ...(old === undefined || old.metadata.annotations?.[approvalAnnotation] !== metadata.annotations?.[approvalAnnotation] ? validateApproval(definition) : []),
    ...(isSameSpec ? [] : validateSpec(definition)),
    ...(old === undefined ? [] : [...validateChange(definition, old), ...validateStored(definition)]),
  ];
};

/** Every wrong field of a write to the status of a definition. */
export const validateDefinitionStatus = (definition: CustomResourceDefinition): readonly FieldError[] => validateStored(definition);
