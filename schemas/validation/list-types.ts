import { duplicate, forbidden, required, unsupported, wrong, type FieldError } from '../errors.ts';
import type { JsonSchemaProps } from '../types/json-schema-props.ts';

const listTypes = ['atomic', 'map', 'set'];
const mapTypes = ['atomic', 'granular'];

const isSchema = (value: unknown): value is JsonSchemaProps => typeof value === 'object' && value !== null && !Array.isArray(value);

const isScalar = ({ type = '' }: JsonSchemaProps): boolean => ['string', 'integer', 'number', 'boolean'].includes(type);

/** The keys of a list of type map: scalar members of its items that are always there. */
const validateKeys = (schema: JsonSchemaProps, items: JsonSchemaProps, at: string): readonly FieldError[] => {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  return keys.flatMap((key, index): readonly FieldError[] => {
    const here = `${at}.x-kubernetes-list-map-keys[${index}]`;
    if (keys.indexOf(key) < index) return [duplicate(here, key)];
    const member = items.properties !== undefined && Object.hasOwn(items.properties, key) ? items.properties[key] : undefined;
    if (member === undefined) return [wrong(here, key, 'entries must all be names of item properties')];
    const place = `${at}.items.properties[${key}]`;
    return [
      ...(isScalar(member) || member['x-kubernetes-int-or-string'] === true ? [] : [wrong(`${place}.type`, member.type ?? '', 'must be a scalar type if parent array\'s x-kubernetes-list-type is map')]),
      ...(member.nullable === true ? [forbidden(`${place}.nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable')] : []),
      ...(member.default === undefined && items.required?.includes(key) !== true ? [required(`${place}.default`, 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property')] : []),
    ];
  });
};

/** Rules for x-kubernetes-list-type and the keys that go with it. */
export const validateListType = (schema: JsonSchemaProps, at: string): readonly FieldError[] => {
  const type = schema['x-kubernetes-list-type'];
  const field = `${at}.x-kubernetes-list-type`;
  const keys = schema['x-kubernetes-list-map-keys'];
  if (type === undefined) return keys === undefined || keys.length === 0 ? [] : [wrong(field, '', 'must be map if x-kubernetes-list-map-keys is non-empty')];
  const errors: FieldError[] = [];
  if (!listTypes.includes(type)) return [unsupported(field, type, listTypes)];
  if (schema.type !== 'array') errors.push(schema.type === undefined ? required(`${at}.type`, 'must be array if x-kubernetes-list-type is specified') : wrong(`${at}.type`, schema.type, 'must be array if x-kubernetes-list-type is specified'));
  const items = isSchema(schema.items) ? schema.items : undefined;
  if (type !== 'map' && keys !== undefined && keys.length > 0) errors.push(wrong(field, type, 'must be map if x-kubernetes-list-map-keys is non-empty'));
  if (type !== 'atomic' && items?.nullable === true) errors.push(forbidden(`${at}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`));
  if (type === 'set' && items !== undefined) {
    if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') errors.push(wrong(`${at}.items.x-kubernetes-map-type`, items['x-kubernetes-map-type'] ?? 'granular', 'must be atomic as item of a list with x-kubernetes-list-type=set'));
    if (items.type === 'array' && (items['x-kubernetes-list-type'] ?? 'atomic') !== 'atomic') errors.push(wrong(`${at}.items.x-kubernetes-list-type`, items['x-kubernetes-list-type'], 'must be atomic as item of a list with x-kubernetes-list-type=set'));
  }
  if (type === 'map') {
    if (keys === undefined || keys.length === 0) errors.push(required(`${at}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
    if (items === undefined) errors.push(required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    else if (items.type !== 'object') errors.push(wrong(`${at}.items.type`, items.type ?? '', 'must be object if parent array\'s x-kubernetes-list-type is map'));
    else errors.push(...validateKeys(schema, items, at));
  }
  return errors;
};

/** Rules for x-kubernetes-map-type. */
export const validateMapType = (schema: JsonSchemaProps, at: string): readonly FieldError[] => {
  const type = schema['x-kubernetes-map-type'];
  if (type === undefined) return [];
  return [
    ...(mapTypes.includes(type) ? [] : [unsupported(`${at}.x-kubernetes-map-type`, type, mapTypes)]),
    ...(schema.type === 'object' ? [] : [wrong(`${at}.type`, schema.type ?? '', 'must be object if x-kubernetes-map-type is specified')]),
  ];
};
