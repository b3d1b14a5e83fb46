/** From a CustomResourceDefinition to kinds: the same thing as a file of schemas/kinds makes. */
import type { FieldError } from '../errors.ts';
import { joinPath } from '../field-path.ts';
import { deepEqual } from '../frozen.ts';
import { defineKind, topLevel, type AnyKind, type ApiObject } from '../kind.ts';
import type { CustomResourceDefinition, DefinitionVersion } from '../types/custom-resource-definition.ts';
import type { JsonSchema, Schema } from '../schema.ts';
import { customFindings } from './check.ts';
import { customColumn, defaultColumns } from './columns.ts';
import { customSchema, type CustomSchema } from './custom-schema.ts';
import { embeddedErrors } from './embedded.ts';
import { isEstablished } from './established.ts';
import { simplePath, valueAt } from './paths.ts';
import { warnFinalizers } from '../warnings/finalizers.ts';

/** The members that every object has, in place of what a definition may say of them. */
const head = topLevel('custom', '', {});

/** The schema of whole objects of a version. */
const objectSchema = (version: DefinitionVersion): Schema<ApiObject> => {
  const said: CustomSchema = customSchema(version.schema?.openAPIV3Schema ?? { type: 'object' });
  return {
    ...said, type: 'object', properties: { ...said.properties, ...head.properties } as Readonly<Record<string, JsonSchema>>,
    required: [...new Set([...(head.required ?? []), ...(said.required ?? [])])],
  } as Schema<ApiObject>;
};

/** What a definition says of the metadata, which may only narrow names. */
export const metadataSchema = (version: DefinitionVersion): CustomSchema | undefined => {
  const said = version.schema?.openAPIV3Schema?.properties?.['metadata'];
  return said?.properties === undefined ? undefined : customSchema(said);
};

const scaleOf = ({ subresources }: DefinitionVersion): AnyKind['subresources']['scale'] => {
  const { scale } = subresources ?? {};
  if (scale === undefined) return undefined;
  return { specReplicasPath: scale.specReplicasPath.slice(1), statusReplicasPath: scale.statusReplicasPath.slice(1), selectorPath: (scale.labelSelectorPath ?? '').slice(1) };
};

const fieldsOf = ({ selectableFields = [] }: DefinitionVersion): AnyKind['fields'] =>
  Object.fromEntries(selectableFields.map(({ jsonPath }) => {
    const names = simplePath(jsonPath) ?? [];
    return [jsonPath.slice(1), (object: ApiObject) => {
      const value = valueAt(object, names);
      return value === undefined || value === null ? '' : String(value);
    }];
  }));

const deprecationOf = (definition: CustomResourceDefinition, { name, deprecated, deprecationWarning }: DefinitionVersion): string | undefined => {
  if (deprecated !== true) return undefined;
  const { group, names } = definition.spec;
  return deprecationWarning ?? `${group}/${name} ${names.kind} is deprecated`;
};

/** Rules that the schema itself cannot say. */
const validatorOf = (schema: CustomSchema, metadata: CustomSchema | undefined) => (object: ApiObject): readonly FieldError[] => [
  ...(metadata === undefined ? [] : customFindings(metadata, object.metadata).map(({ error }) => ({ ...error, field: joinPath('metadata', error.field) }))),
  ...embeddedErrors(schema, object),
];

/** The kind of one version. */
export const customKind = (definition: CustomResourceDefinition, version: DefinitionVersion): AnyKind => {
  const { spec, status, metadata } = definition;
  const names = status?.acceptedNames === undefined || status.acceptedNames.plural === '' ? spec.names : status.acceptedNames;
  const isTerminating = metadata.deletionTimestamp !== undefined;
  const scale = scaleOf(version);
  const schema = objectSchema(version);
  return defineKind(schema, {
    group: spec.group, version: version.name, kind: names.kind, plural: names.plural, singular: names.singular || names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [], categories: names.categories ?? [], scope: spec.scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    fields: fieldsOf(version),
    columns: version.additionalPrinterColumns === undefined || version.additionalPrinterColumns.length === 0 ? defaultColumns : version.additionalPrinterColumns.map(customColumn),
    subresources: { ...(version.subresources?.status === undefined ? {} : { status: true as const }), ...(scale === undefined ? {} : { scale }) },
    ...(isTerminating ? { verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const } : {}),
    updateNamesVersion: true, statusKeeps: 'metadata', deprecation: deprecationOf(definition, version),
    warn: ({ metadata }, old) => warnFinalizers(metadata.finalizers, old?.metadata.finalizers),
    validate: validatorOf(schema, metadataSchema(version)), validateStatus: (object) => embeddedErrors(schema as CustomSchema, object),
    custom: {
      definition: metadata.name ?? '', listKind: names.listKind || `${names.kind}List`, isStored: version.storage, isTerminating,
    },
  });
};

/** The kinds that a definition makes: one for each version that is served. None as long as its names are not accepted. */
export const customKinds = (definition: CustomResourceDefinition): readonly AnyKind[] =>
  (isEstablished(definition) ? definition.spec.versions.filter((version) => version.served).map((version) => customKind(definition, version)) : []);

/** Whether two states of a definition make the same kinds. */
export const makesSameKinds = (a: CustomResourceDefinition, b: CustomResourceDefinition): boolean =>
  isEstablished(a) === isEstablished(b) && (a.metadata.deletionTimestamp === undefined) === (b.metadata.deletionTimestamp === undefined)
  && deepEqual(a.spec, b.spec) && deepEqual(a.status?.acceptedNames, b.status?.acceptedNames);
