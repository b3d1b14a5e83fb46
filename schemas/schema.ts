/**
 * JSON Schema with a static type. A schema is written once and serves four masters: ajv checks with it, defaults and
 * pruning walk it, OpenAPI is printed from it and TypeScript reads the type of a body out of it. The dialect is the
 * structural subset that CustomResourceDefinitions use, so that built-in kinds and custom ones walk the same code.
 */

declare const body: unique symbol;

/** What strategic merge patch does with a list or an object, as `x-kubernetes-patch-strategy`. */
export type PatchStrategy = 'merge' | 'retainKeys' | 'merge,retainKeys' | 'replace';

export interface JsonSchema {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-patch-strategy'?: PatchStrategy;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  /** Name of a shared object type, such as `core.v1.Container`: one definition in OpenAPI, one compiled check. */
  readonly 'x-barge-type'?: string;
  /** The value fits one of these two, which have different JSON types. Such a schema has no type of its own. */
  readonly 'x-barge-either'?: readonly [JsonSchema, JsonSchema];
  /** A sub-object or list that is there even when the body left it out (its defaults then apply). */
  readonly 'x-barge-default-object'?: true;
  /** A number whose 0 means that nothing was said, so that the default applies; clients in Go write such zeros. */
  readonly 'x-barge-zero-is-unset'?: true;
  /** A list with merge keys or set semantics in which Kubernetes nevertheless takes items that repeat a key. */
  readonly 'x-barge-duplicates'?: 'allowed';
}

/** A schema whose valid bodies have the type T. */
export interface Schema<T> extends JsonSchema {
  readonly [body]?: T;
}

/** The type of the bodies that a schema describes; all of it readonly, as stored objects are frozen. */
export type Static<S> = S extends Schema<infer T> ? T : never;

type Fields = Readonly<Record<string, JsonSchema>>;
type Flat<T> = { readonly [K in keyof T]: T[K] };
type ObjectBody<F extends Fields, R extends keyof F> = Flat<
  { readonly [K in R]: Static<F[K]> } & { readonly [K in Exclude<keyof F, R>]?: Static<F[K]> | undefined }
>;

type Extra = Omit<JsonSchema, 'type' | 'description' | 'properties' | 'items' | 'additionalProperties' | 'required'>;

export const string = (description: string, extra: Extra = {}): Schema<string> => ({ type: 'string', description, ...extra });

/** One of a closed list of words. */
export const oneOf = <const V extends string>(values: readonly V[], description: string, extra: Extra = {}): Schema<V> => ({
  type: 'string', enum: values, description, ...extra,
});

export const boolean = (description: string, extra: Extra = {}): Schema<boolean> => ({ type: 'boolean', description, ...extra });

export const int32 = (description: string, extra: Extra = {}): Schema<number> => ({ type: 'integer', format: 'int32', description, ...extra });

/** A 64-bit integer on the wire; values beyond 2^53 lose precision, as in every JavaScript client. */
export const int64 = (description: string, extra: Extra = {}): Schema<number> => ({ type: 'integer', format: 'int64', description, ...extra });

/** RFC 3339 with whole seconds in UTC, such as `2026-01-31T12:00:00Z`. */
export const time = (description: string, extra: Extra = {}): Schema<string> => ({ type: 'string', format: 'date-time', description, ...extra });

/** RFC 3339 with microseconds. */
export const microTime = (description: string, extra: Extra = {}): Schema<string> => ({ type: 'string', format: 'micro-time', description, ...extra });

/** Bytes, in base64 on the wire. */
export const bytes = (description: string, extra: Extra = {}): Schema<string> => ({ type: 'string', format: 'byte', description, ...extra });

/** A quantity such as `500m` or `1Gi`; numbers are taken too and become strings (see quantity.ts). */
export const quantity = (description: string, extra: Extra = {}): Schema<string> => ({ type: 'string', format: 'quantity', description, ...extra });

/** A number or a string: a port by number or name, an amount or a percentage. */
export const intOrString = (description: string, extra: Extra = {}): Schema<number | string> => ({
  'x-kubernetes-int-or-string': true, format: 'int-or-string', description, ...extra,
});

/** Any JSON value, kept as it is. */
export const anything = (description: string, extra: Extra = {}): Schema<unknown> => ({
  'x-kubernetes-preserve-unknown-fields': true, description, ...extra,
});

/** List semantics for apply (`listType`, `mapKeys`) and for strategic merge patch (`patch`, `mergeKey`). */
export interface ListOptions {
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly mapKeys?: readonly string[];
  readonly patch?: PatchStrategy;
  readonly mergeKey?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** Items may repeat a key (environment variables, for one: the last one wins). */
  readonly duplicates?: 'allowed';
}

export const list = <T>(items: Schema<T>, description: string, options: ListOptions = {}): Schema<readonly T[]> => ({
  type: 'array', items, description,
  ...(options.mapKeys === undefined
    ? options.listType === undefined ? {} : { 'x-kubernetes-list-type': options.listType }
    : { 'x-kubernetes-list-type': 'map' as const, 'x-kubernetes-list-map-keys': options.mapKeys }),
  ...(options.patch === undefined && options.mergeKey === undefined ? {} : { 'x-kubernetes-patch-strategy': options.patch ?? 'merge' }),
  ...(options.mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': options.mergeKey }),
  ...(options.minItems === undefined ? {} : { minItems: options.minItems }),
  ...(options.maxItems === undefined ? {} : { maxItems: options.maxItems }),
  ...(options.duplicates === undefined ? {} : { 'x-barge-duplicates': options.duplicates }),
});

/** A map from strings to values, such as labels. */
export const mapOf = <T>(values: Schema<T>, description: string, extra: Extra = {}): Schema<Readonly<Record<string, T>>> => ({
  type: 'object', additionalProperties: values, description, ...extra,
});

/** An object type that is shared by name: `object('core.v1.Container', 'One container of a pod.', {...}, ['name'])`. */
export const object = <F extends Fields, const R extends keyof F & string = never>(
  name: string, description: string, properties: F, required: readonly R[] = [], extra: Extra = {},
): Schema<ObjectBody<F, R>> => ({
  type: 'object', 'x-barge-type': name, description, properties,
  ...(required.length === 0 ? {} : { required }), ...extra,
});

/** The same type with the words (and patch semantics, and default) that fit the field it stands in. */
export const as = <T>(schema: Schema<T>, description: string, extra: Extra = {}): Schema<T> => ({ ...schema, description, ...extra });
