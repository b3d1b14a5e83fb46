/** How the values of a schema are owned: as a whole, member by member, item by item. */
import type { JsonSchema } from '../../../schemas/schema.ts';
import { isObject } from '../json.ts';

export interface Field {
  /** The element of its path: `f:` and its name. */
  readonly element: string;
  readonly shape: Shape;
  /** True for a member that the schema names; others (labels, say) belong to a set by themselves, not by what is in them. */
  readonly declared: boolean;
}

/** `leaf`: one value as a whole. `map`: an object by its members. `list`: a list by its items' keys. `set`: a list by its items. */
export type Form = 'leaf' | 'map' | 'list' | 'set';

export class Shape {
  readonly schema: JsonSchema;
  readonly #form: Form | 'free';
  readonly #fields = new Map<string, Field>();

  constructor(schema: JsonSchema) {
    this.schema = schema;
    this.#form = formOf(schema);
  }

  /** The form of a value; of those without a type, objects go by their members and everything else is whole. */
  form(value: unknown): Form {
    switch (this.#form) {
      case 'leaf': return 'leaf';
      case 'map': case 'free': return isObject(value) ? 'map' : 'leaf';
      default: return Array.isArray(value) ? this.#form : 'leaf';
    }
  }

  /** True for a list whose items go by keys, and not by their whole value. */
  get keyed(): boolean {
    return this.#form === 'list';
  }

  field(name: string): Field {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const { properties, additionalProperties } = this.schema;
    const own = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    const field: Field = { element: `f:${name}`, shape: own === undefined ? shapeOf(additionalProperties ?? anything) : shapeOf(own), declared: own !== undefined };
    // Names that clients choose are not remembered: there is no end to them.
    if (own !== undefined) this.#fields.set(name, field);
    return field;
  }

  get items(): Shape {
    return shapeOf(this.schema.items ?? anything);
  }

  /** The element of a list's item. An item without a key that has a default goes by that; without any key it is known by its value. */
  elementOf(item: unknown): string {
    const keys = this.#form === 'list' ? this.schema['x-kubernetes-list-map-keys'] ?? [] : [];
    if (keys.length === 0 || !isObject(item)) return `v:${JSON.stringify(item)}`;
    const said = keys.length === 1 ? keys : [...keys].sort();
    const parts: string[] = [];
    for (const key of said) {
      const value = item[key] ?? this.schema.items?.properties?.[key]?.default;
      if (value !== undefined && value !== null) parts.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
    }
    return `k:{${parts.join(',')}}`;
  }

  /** Keys that an item lacks and that have no default. */
  missingKeys(item: unknown): readonly string[] {
    if (this.#form !== 'list' || !isObject(item)) return [];
    return (this.schema['x-kubernetes-list-map-keys'] ?? []).filter((key) => (item[key] ?? this.schema.items?.properties?.[key]?.default ?? undefined) === undefined);
  }
}

const anything: JsonSchema = { 'x-kubernetes-preserve-unknown-fields': true };

const formOf = (schema: JsonSchema): Form | 'free' => {
  if (schema['x-kubernetes-map-type'] === 'atomic') return 'leaf';
  if (schema['x-kubernetes-int-or-string'] === true) return 'leaf';
  switch (schema.type) {
    case 'object': return 'map';
    case 'array': {
      const type = schema['x-kubernetes-list-type'];
      return type === 'map' ? 'list' : type === 'set' ? 'set' : 'leaf';
    }
    case undefined: return 'free';
    default: return 'leaf';
  }
};

const shapes = new WeakMap<JsonSchema, Shape>();

/** The shape of a schema; schemas are static, so each is looked at once. */
export const shapeOf = (schema: JsonSchema): Shape => {
  let shape = shapes.get(schema);
  if (shape === undefined) shapes.set(schema, shape = new Shape(schema));
  return shape;
};

/** The items of a list by their elements, in order; those that share one are together. */
export const byElement = (shape: Shape, items: readonly unknown[]): ReadonlyMap<string, readonly unknown[]> => {
  const found = new Map<string, unknown[]>();
  for (const item of items) {
    const element = shape.elementOf(item);
    const same = found.get(element);
    if (same === undefined) found.set(element, [item]);
    else same.push(item);
  }
  return found;
};
