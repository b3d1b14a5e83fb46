/** Rules for one version of a CustomResourceDefinition: its columns, subresources, selectable fields and defaults. */
import { customFindings } from '../custom/check.ts';
import { columnPath } from '../custom/columns.ts';
import { customSchema, type CustomSchema } from '../custom/custom-schema.ts';
import { pruneCustom } from '../custom/decode.ts';
import { schemaAt, simplePath } from '../custom/paths.ts';
import { duplicate, forbidden, refused, required, tooLong, tooMany, unsupported, wrong, type FieldError } from '../errors.ts';
import { joinPath } from '../field-path.ts';
import type { DefinitionVersion } from '../types/custom-resource-definition.ts';
import { whyNotDns1035Label } from '../names.ts';
import { validateStructural } from './structural-schema.ts';

/** Columns that one version may name. */
export const maxColumns = 100;
/** Selectable fields of one version; Kubernetes' limit. */
export const maxSelectableFields = 8;
const maxWarningLength = 256;

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

const validateColumns = ({ additionalPrinterColumns: columns = [] }: DefinitionVersion, at: string): readonly FieldError[] => {
  const field = `${at}.additionalPrinterColumns`;
  if (columns.length > maxColumns) return [tooMany(field, columns.length, maxColumns)];
  return columns.flatMap(({ name, type, format = '', jsonPath, priority = 0 }, index) => {
    const here = `${field}[${index}]`;
    return [
      ...(name === '' ? [required(`${here}.name`)] : []),
      ...(type === '' ? [required(`${here}.type`, `must be one of ${columnTypes.join(', ')}`)] : columnTypes.includes(type) ? [] : [unsupported(`${here}.type`, type, columnTypes)]),
      ...(format === '' || columnFormats.includes(format) ? [] : [unsupported(`${here}.format`, format, columnFormats)]),
      ...(jsonPath === '' ? [required(`${here}.jsonPath`)] : refused(`${here}.jsonPath`, jsonPath, whyNotColumnPath(jsonPath))),
      ...(priority < 0 ? [wrong(`${here}.priority`, priority, 'must be greater than or equal to 0')] : []),
    ];
  });
};

const whyNotColumnPath = (path: string): string | undefined => {
  if (!path.startsWith('.')) return 'must be a simple json path starting with .';
  try {
    columnPath(path);
    return undefined;
  } catch (error) {
    return `is an invalid path: ${(error as Error).message}`;
  }
};

const validatePath = (path: string, roots: readonly string[], field: string): readonly FieldError[] => {
  const names = simplePath(path);
  if (names === undefined) return [wrong(field, path, 'must be a simple json path, such as .spec.replicas, without lists')];
  return names.length > 1 && roots.includes(names[0]!) ? [] : [wrong(field, path, `should be a json path under ${roots.map((root) => `.${root}`).join(' or ')}`)];
};

const validateSubresources = ({ subresources }: DefinitionVersion, at: string): readonly FieldError[] => {
  const { scale } = subresources ?? {};
  if (scale === undefined) return [];
  const field = `${at}.subresources.scale`;
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = '' } = scale;
  return [
    ...(specReplicasPath === '' ? [required(`${field}.specReplicasPath`)] : validatePath(specReplicasPath, ['spec'], `${field}.specReplicasPath`)),
    ...(statusReplicasPath === '' ? [required(`${field}.statusReplicasPath`)] : validatePath(statusReplicasPath, ['status'], `${field}.statusReplicasPath`)),
    ...(labelSelectorPath === '' ? [] : validatePath(labelSelectorPath, ['spec', 'status'], `${field}.labelSelectorPath`)),
  ];
};

const validateSelectable = ({ selectableFields = [] }: DefinitionVersion, schema: CustomSchema, at: string): readonly FieldError[] => {
  const field = `${at}.selectableFields`;
  const errors = selectableFields.length > maxSelectableFields ? [tooMany(field, selectableFields.length, maxSelectableFields)] : [];
  const paths = selectableFields.map(({ jsonPath }) => jsonPath);
  return [...errors, ...paths.flatMap((path, index): readonly FieldError[] => {
    const here = `${field}[${index}].jsonPath`;
    if (path === '') return [required(here)];
    if (paths.indexOf(path) < index) return [duplicate(here, path)];
    const names = simplePath(path);
    if (names === undefined) return [wrong(here, path, 'must be a simple json path, such as .spec.color, without lists')];
    if (names[0] === 'metadata') return [wrong(here, path, 'must not point to fields in metadata')];
    const place = schemaAt(schema, names);
    if (place === undefined) return [wrong(here, path, 'must point to a field of the schema')];
    return ['string', 'boolean', 'integer'].includes(place.type ?? '') ? [] : [wrong(here, path, 'must point to a field of type string, boolean or integer')];
  })];
};

const validateDeprecation = ({ deprecated, deprecationWarning: text }: DefinitionVersion, at: string): readonly FieldError[] => {
  const field = `${at}.deprecationWarning`;
  if (text === undefined) return [];
  return [
    ...(deprecated === true ? [] : [wrong(field, text, 'can only be set for deprecated versions')]),
    ...(text === '' ? [wrong(field, text, 'must not be empty')] : []),
    ...(text.length > maxWarningLength ? [tooLong(field, maxWarningLength, 'characters')] : []),
    ...(/\p{Cc}/u.test(text) ? [wrong(field, text, 'must only contain printable characters')] : []),
  ];
};

/** Defaults must be values that an object could have: whole, of the right type and without unknown fields. */
const validateDefaults = (schema: CustomSchema, at: string): readonly FieldError[] => {
  const own: FieldError[] = [];
  if (schema.default !== undefined) {
    const field = `${at}.default`;
    const { unknown } = pruneCustom(schema, schema.default);
    if (schema.default === null && schema.nullable !== true) own.push(wrong(field, null, 'must not be null: the value is not nullable'));
    else if (unknown.length > 0) own.push(...unknown.map((path) => wrong(joinPath(field, path), schema.default, 'must not have fields that the schema does not have')));
    else own.push(...customFindings(schema, schema.default).map(({ error }) => ({ ...error, field: joinPath(field, error.field) })));
  }
  return [
    ...own,
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => validateDefaults(one, `${at}.properties[${name}]`)),
    ...(schema.items === undefined ? [] : validateDefaults(schema.items, `${at}.items`)),
    ...(schema.additionalProperties === undefined ? [] : validateDefaults(schema.additionalProperties, `${at}.additionalProperties`)),
  ];
};

/** Every wrong field of a version. */
export const validateVersion = (version: DefinitionVersion, at: string): readonly FieldError[] => {
  const root = version.schema?.openAPIV3Schema;
  const field = `${at}.schema.openAPIV3Schema`;
  const errors: FieldError[] = [...refused(`${at}.name`, version.name, whyNotDns1035Label(version.name)), ...validateDeprecation(version, at)];
  if (root === undefined) {
    errors.push(required(field, 'schemas are required'));
  } else {
    const structural = validateStructural(root, field);
    errors.push(...structural);
    const schema = customSchema(root);
    if (root.default !== undefined) errors.push(forbidden(`${field}.default`, 'must not be set at the root'));
    // What has the wrong form cannot be compiled to check values by.
    if (structural.length === 0) errors.push(...validateDefaults(schema, field));
    errors.push(...validateSelectable(version, schema, at));
  }
  return [...errors, ...validateSubresources(version, at), ...validateColumns(version, at)];
};
