import type { JsonObject } from '../json.ts';
import { pathsOf } from './field-set.ts';
import { byElement, type Shape } from './shape.ts';

/** Path of an element below another, as people write it. */
const at = (path: string, element: string): string => path + (pathsOf({ [element]: {} })[0] ?? '');

/**
 * What makes a configuration unfit to be applied, each with its path: fields that the kind does not have, list items
 * without their key and keys that are there twice. Wrong types are not looked at here.
 */
export const configurationErrors = (shape: Shape, value: unknown, path = ''): readonly string[] => {
  switch (shape.form(value)) {
    case 'leaf': return atomicErrors(shape, value, path);
    case 'map': return memberErrors(shape, value as JsonObject, path);
    case 'set':
    case 'list': return itemErrors(shape, value as readonly unknown[], path);
  }
};

/** Inside of what is owned as a whole unknown fields are no less unknown. */
const atomicErrors = (shape: Shape, value: unknown, path: string): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => configurationErrors(shape.items, item, `${path}[${index}]`));
  return typeof value === 'object' && value !== null && shape.schema.type === 'object' ? memberErrors(shape, value as JsonObject, path) : [];
};

const memberErrors = (shape: Shape, value: JsonObject, path: string): readonly string[] => {
  const { schema } = shape;
  return Object.keys(value).flatMap((name) => {
    const { element, shape: member, declared } = shape.field(name);
    const known = declared || schema.type !== 'object' || schema.additionalProperties !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true;
    return known ? configurationErrors(member, value[name], at(path, element)) : [`${at(path, element)}: field not declared in schema`];
  });
};

const itemErrors = (shape: Shape, items: readonly unknown[], path: string): readonly string[] => {
  const errors: string[] = [];
  for (const [index, item] of items.entries()) {
    for (const key of shape.missingKeys(item)) {
      errors.push(`${path}: element ${index}: associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`);
    }
  }
  for (const [element, same] of byElement(shape, items)) {
    if (same.length > 1) errors.push(`${path}: duplicate entries for key ${at('', element)}`);
    if (shape.keyed) errors.push(...configurationErrors(shape.items, same[0], at(path, element)));
  }
  return errors;
};
