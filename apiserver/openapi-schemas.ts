/**
 * From the kinds' schemas to OpenAPI's. Types with a name become definitions, once each; the two versions of OpenAPI
 * differ in how a field refers to one and in the few types that are one of several.
 */
import { apiVersionOf, type AnyKind } from '../schemas/kind.ts';
import type { CustomSchema } from '../schemas/custom/custom-schema.ts';
import type { JsonSchema } from '../schemas/schema.ts';
import { customSchemaJson } from './openapi-custom.ts';
import { ListMeta } from './openapi-types.ts';

export type Json = { readonly [name: string]: unknown };
export type OpenApiVersion = 'v2' | 'v3';

/** Where definitions stand in a document. */
export const refPrefix: Readonly<Record<OpenApiVersion, string>> = { v2: '#/definitions/', v3: '#/components/schemas/' };

/** Formats that are types of their own in Kubernetes' OpenAPI, with the definition of each in both versions. */
const special: Readonly<Record<string, { readonly name: string; readonly v2: Json; readonly v3: Json }>> = {
  'date-time': { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time', ...both({ type: 'string', format: 'date-time', description: 'A moment, as RFC 3339 writes it.' }) },
  'micro-time': { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime', ...both({ type: 'string', format: 'date-time', description: 'A moment with microseconds, as RFC 3339 writes it.' }) },
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    v2: { type: 'string', description: 'An amount with a unit, such as 500m or 1Gi.' },
    v3: { oneOf: [{ type: 'string' }, { type: 'number' }], description: 'An amount with a unit, such as 500m or 1Gi.' },
  },
  'int-or-string': {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    v2: { type: 'string', format: 'int-or-string', description: 'A number or a string.' },
    v3: { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string', description: 'A number or a string.' },
  },
};

function both(schema: Json): { readonly v2: Json; readonly v3: Json } {
  return { v2: schema, v3: schema };
}

/** `core.v1.Pod` is called `io.k8s.api.core.v1.Pod`; types of all groups live in apimachinery. */
export const definitionName = (type: string): string => (type.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${type}` : `io.k8s.api.${type}`);

/** Custom kinds have no named type: theirs is called by their group backwards, `org.example.v1.Widget`. */
export const kindDefinition = (kind: AnyKind): string => {
  const type = (kind.schema as JsonSchema)['x-barge-type'];
  return type === undefined ? [...kind.group.split('.').reverse(), kind.version, kind.kind].join('.') : definitionName(type);
};

export const groupVersionKind = (kind: { readonly group: string; readonly version: string; readonly kind: string }): Json =>
  ({ group: kind.group, kind: kind.kind, version: kind.version });

const copied = [
  'type', 'format', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type', 'x-kubernetes-patch-strategy', 'x-kubernetes-patch-merge-key', 'x-kubernetes-preserve-unknown-fields',
] as const satisfies readonly (keyof JsonSchema)[];
/** What a field adds to the type that it refers to. */
const ofField = ['x-kubernetes-patch-strategy', 'x-kubernetes-patch-merge-key'] as const;

/** Collects the definitions that schemas need, and everything those need. */
export class Definitions {
  readonly #version: OpenApiVersion;
  readonly #found = new Map<string, Json>();
  /** Types whose own words stand at every field of theirs already: saying them twice would print them twice. */
  readonly #saidByFields = new Set<string>();

  constructor(version: OpenApiVersion) {
    this.#version = version;
  }

  /** A reference to a named definition. */
  ref(name: string): Json {
    return { $ref: refPrefix[this.#version] + name };
  }

  /** A reference to a type of ours, which is defined on the way. */
  refTo(schema: JsonSchema): Json {
    const type = schema['x-barge-type'];
    if (type === undefined) return this.#inline(schema);
    const name = definitionName(type);
    this.#define(name, schema);
    return this.ref(name);
  }

  /** Defines a kind and its list, both marked as what they are. */
  addKind(kind: AnyKind): void {
    const name = kindDefinition(kind);
    const mark = { 'x-kubernetes-group-version-kind': [groupVersionKind(kind)] };
    this.#found.set(name, {});
    this.#found.set(name, { ...(kind.custom === undefined ? this.#inline(kind.schema as JsonSchema) : this.#custom(kind)), ...mark });
    const listKind = kind.custom?.listKind ?? `${kind.kind}List`;
    this.#found.set(`${name}List`, {
      type: 'object', description: `A list of objects of kind ${kind.kind}.`, required: ['items'],
      properties: {
        apiVersion: { type: 'string', description: `${apiVersionOf(kind)}.` },
        items: { type: 'array', description: 'The objects.', items: this.#version === 'v3' ? { allOf: [this.ref(name)] } : this.ref(name) },
        kind: { type: 'string', description: `${listKind}.` },
        metadata: this.#referring(this.refTo(ListMeta), { description: 'Version of the list and where to go on.' }),
      },
      'x-kubernetes-group-version-kind': [groupVersionKind({ ...kind, kind: listKind })],
    });
  }

  /** Defines a type that programs may send by itself, marked with the kinds that it is known as. */
  addMarked(schema: JsonSchema, kinds: readonly Json[]): void {
    const name = definitionName(schema['x-barge-type'] ?? '');
    this.#define(name, schema);
    this.#found.set(name, { ...this.#found.get(name), 'x-kubernetes-group-version-kind': kinds });
  }

  /** All definitions by name, in the order of their names. */
  all(): Json {
    const sorted = [...this.#found].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, schema]) => [name, this.#saidByFields.has(name) ? { ...schema, description: undefined } : schema]));
  }

  /** A custom kind: its own members as its definition says them, and the three that all objects have. */
  #custom({ schema }: AnyKind): Json {
    const own = customSchemaJson(schema as CustomSchema, this.#version);
    const { properties } = schema as JsonSchema;
    const head = Object.fromEntries(['apiVersion', 'kind', 'metadata'].map((name) => [name, this.#field(properties?.[name] ?? {})]));
    const required = (schema.required ?? []).filter((name) => !Object.hasOwn(head, name));
    return { ...own, ...(required.length === 0 ? { required: undefined } : { required }), properties: { ...(own['properties'] as Json | undefined), ...head } };
  }

  #define(name: string, schema: JsonSchema): void {
    if (this.#found.has(name)) return;
    this.#found.set(name, {}); // a type may refer to itself
    const { 'x-kubernetes-patch-strategy': _strategy, 'x-kubernetes-patch-merge-key': _key, ...own } = schema;
    this.#found.set(name, this.#inline(own));
  }

  /** A reference with words of its own: OpenAPI 3 wants it in allOf then, OpenAPI 2 readers take both side by side. */
  #referring(ref: Json, beside: Json): Json {
    if (Object.keys(beside).length === 0) return ref;
    return this.#version === 'v3' ? { ...beside, allOf: [ref] } : { ...beside, ...ref };
  }

  #field(schema: JsonSchema): Json {
    const one = schema.format === undefined ? undefined : special[schema.format];
    if (one === undefined && schema['x-barge-type'] === undefined) return this.#inline(schema);
    if (one !== undefined && !this.#found.has(one.name)) this.#found.set(one.name, one[this.#version]);
    const ref = one === undefined ? this.refTo(schema) : this.ref(one.name);
    const type = schema['x-barge-type'];
    if (type !== undefined && schema.description === this.#found.get(definitionName(type))?.['description']) this.#saidByFields.add(definitionName(type));
    return this.#referring(ref, {
      ...(schema.description ? { description: schema.description } : {}),
      ...(schema.default === undefined ? {} : { default: schema.default }),
      ...Object.fromEntries(ofField.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]]))),
    });
  }

  /** An item of a list or a value of a map: its words are those of its type. */
  #part(schema: JsonSchema): Json {
    return schema['x-barge-type'] === undefined ? this.#field(schema) : this.refTo(schema);
  }

  #inline(schema: JsonSchema): Json {
    return {
      ...(schema.description ? { description: schema.description } : {}),
      ...Object.fromEntries(copied.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]]))),
      ...(schema.default === undefined ? {} : { default: schema.default }),
      ...(schema.required === undefined ? {} : { required: schema.required }),
      ...(schema.items === undefined ? {} : { items: this.#part(schema.items) }),
      ...(schema.additionalProperties === undefined ? {} : { additionalProperties: this.#part(schema.additionalProperties) }),
      ...(schema.properties === undefined ? {} : {
        properties: Object.fromEntries(Object.entries(schema.properties).map(([name, field]) => [name, this.#field(field)])),
      }),
    };
  }
}
