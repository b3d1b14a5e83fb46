/**
 * Writes an OpenAPI 2 document in the protobuf form that kubectl up to 1.28 insists on (message openapi.v2.Document). A
 * table says for each message which member has which number; the few shapes where protobuf and JSON differ (lists of
 * named values for objects, wrappers for alternatives, YAML text for free values) are encoders of their own.
 */
import type { Json } from './openapi-schemas.ts';

type Encoder = (value: unknown) => Buffer;

/** Most keys and lengths are small: their bytes are made once. */
const smallVarints = Array.from({ length: 128 }, (_, value) => Buffer.from([value]));

const varint = (value: number): Buffer => {
  const small = smallVarints[value];
  if (small !== undefined) return small;
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
};
const delimited = (number: number, body: Buffer): Buffer => Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
const text = (value: unknown): Buffer => Buffer.from(String(value));

/** A scalar writes its own key and value, since its wire type is not that of messages. */
type Field = { readonly message: () => Encoder } | 'string' | 'bool' | 'count' | 'double';
type Table = Readonly<Record<string, readonly [number: number, field: Field, repeated?: 'each']>>;

const fieldBytes = (number: number, field: Field, value: unknown): Buffer => {
  switch (field) {
    case 'string': return delimited(number, text(value));
    case 'bool': return Buffer.concat([varint(number * 8), varint(value === true ? 1 : 0)]);
    case 'count': return Buffer.concat([varint(number * 8), varint(Number(value))]);
    case 'double': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(Number(value));
      return Buffer.concat([varint(number * 8 + 1), bytes]);
    }
    default: return delimited(number, field.message()(value));
  }
};

/** A message by its table. Members that start with `x-` go to its list of extensions; other unknown ones are an error of ours. */
const message = (table: Table, extensions?: number): Encoder => (value) => Buffer.concat(Object.entries(value as Json).flatMap(([name, member]) => {
  if (member === undefined) return [];
  if (extensions !== undefined && name.startsWith('x-')) return [delimited(extensions, namedAny(name, member))];
  const entry = Object.hasOwn(table, name) ? table[name] : undefined;
  if (entry === undefined) throw new Error(`OpenAPI member ${name} has no protobuf field`);
  const [number, field, repeated] = entry;
  return repeated === 'each' ? (member as readonly unknown[]).map((one) => fieldBytes(number, field, one)) : [fieldBytes(number, field, member)];
}));

/** A wrapper message with one field. */
const wrapped = (number: number, inner: () => Encoder): Encoder => (value) => delimited(number, inner()(value));
/** An object as a list of messages {1: name, 2: value}. */
const named = (number: number, inner: () => Encoder): Encoder => (value) =>
  Buffer.concat(Object.entries(value as Json).map(([name, member]) => delimited(number, Buffer.concat([delimited(1, text(name)), delimited(2, inner()(member))]))));

/** Free values are YAML text, and JSON is YAML. */
const any: Encoder = (value) => delimited(2, text(JSON.stringify(value)));
const namedAny = (name: string, value: unknown): Buffer => Buffer.concat([delimited(1, text(name)), delimited(2, any(value))]);

const of = (encoder: () => Encoder): Field => ({ message: encoder });

const schema: Encoder = message({
  $ref: [1, 'string'], format: [2, 'string'], title: [3, 'string'], description: [4, 'string'], default: [5, of(() => any)], multipleOf: [6, 'double'],
  maximum: [7, 'double'], exclusiveMaximum: [8, 'bool'], minimum: [9, 'double'], exclusiveMinimum: [10, 'bool'],
  maxLength: [11, 'count'], minLength: [12, 'count'], pattern: [13, 'string'], maxItems: [14, 'count'], minItems: [15, 'count'],
  maxProperties: [17, 'count'], minProperties: [18, 'count'],
  required: [19, 'string', 'each'], enum: [20, of(() => any), 'each'],
  additionalProperties: [21, of(() => wrapped(1, () => schema))], type: [22, of(() => wrapped(1, () => text))],
  items: [23, of(() => wrapped(1, () => schema))], allOf: [24, of(() => schema), 'each'], properties: [25, of(() => named(1, () => schema))],
  externalDocs: [29, of(() => message({ description: [1, 'string'], url: [2, 'string'] }))], example: [30, of(() => any)],
}, 31);

const queryParameter = message({ required: [1, 'bool'], in: [2, 'string'], description: [3, 'string'], name: [4, 'string'], type: [6, 'string'], uniqueItems: [20, 'bool'] });
const pathParameter = message({ required: [1, 'bool'], in: [2, 'string'], description: [3, 'string'], name: [4, 'string'], type: [5, 'string'], uniqueItems: [19, 'bool'] });
const bodyParameter = message({ name: [2, 'string'], in: [3, 'string'], required: [4, 'bool'], schema: [5, of(() => schema)] });

/** ParametersItem { parameter: Parameter { body | nonBody: NonBodyParameter { query | path } } }. */
const parameter: Encoder = (value) => {
  const place = (value as { readonly in: string }).in;
  const inner = place === 'body' ? delimited(1, bodyParameter(value)) : delimited(2, place === 'query' ? delimited(3, queryParameter(value)) : delimited(4, pathParameter(value)));
  return delimited(1, inner);
};

const response = message({ description: [1, 'string'], schema: [2, of(() => wrapped(1, () => schema))] });
const responses = named(1, () => wrapped(1, () => response));

const operation = message({
  tags: [1, 'string', 'each'], description: [3, 'string'], operationId: [5, 'string'], produces: [6, 'string', 'each'], consumes: [7, 'string', 'each'],
  parameters: [8, of(() => parameter), 'each'], responses: [9, of(() => responses)], schemes: [10, 'string', 'each'],
}, 13);

const pathItem = message({
  get: [2, of(() => operation)], put: [3, of(() => operation)], post: [4, of(() => operation)], delete: [5, of(() => operation)], patch: [8, of(() => operation)],
});

const document = message({
  swagger: [1, 'string'], info: [2, of(() => message({ title: [1, 'string'], version: [2, 'string'] }))], consumes: [6, 'string', 'each'], produces: [7, 'string', 'each'],
  paths: [8, of(() => named(2, () => pathItem))], definitions: [9, of(() => named(1, () => schema))],
});

/** The bytes of an OpenAPI 2 document. Throws when the document has a member that the table does not know. */
export const openApiV2Protobuf = (value: Json): Buffer => document(value);
