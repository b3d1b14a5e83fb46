/**
 * Reads the protobuf bodies that kubectl 1.32 and later send, into the JSON that all rules work on. It knows no kind:
 * a generic reader walks the bytes, and a table of field numbers (fields.json) gives them names and types.
 *
 * The API's Go types write every scalar that is no pointer, also when it is zero, and every sub-message that is no
 * pointer, also when it is empty. JSON leaves these out, so zero and empty values are dropped unless the table says that
 * the field is a pointer, or one that JSON never leaves out.
 */
import { isUtf8 } from 'node:buffer';
import { rfc3339, rfc3339Micro } from '../../base/clock.ts';
import { badRequest } from '../../schemas/errors.ts';
import { protobufMessage, type ProtobufField } from './fields.ts';
import { malformed, wireFields } from './wire.ts';

const magic = Buffer.from('k8s\0', 'latin1');
const maxDepth = 64;

type Json = Record<string, unknown>;

const textOf = (bytes: Buffer): string => {
  if (!isUtf8(bytes)) throw malformed('a string is not UTF-8');
  return bytes.toString('utf8');
};

const bytesOf = (value: bigint | Buffer, name: string): Buffer => {
  if (typeof value === 'bigint') throw malformed(`${name} is a number on the wire`);
  return value;
};

const numberOf = (value: bigint | Buffer, name: string): bigint => {
  if (typeof value !== 'bigint') throw malformed(`${name} is not a number on the wire`);
  return value;
};

const int = (value: bigint | Buffer, name: string): number => Number(BigInt.asIntN(64, numberOf(value, name)));

/** The plain fields of one of the special messages, the last of each number. */
const plainFields = (bytes: Buffer): ReadonlyMap<number, bigint | Buffer> => new Map([...wireFields(bytes)].map((field) => [field.number, field.value]));

const time = (bytes: Buffer, write: (ms: number) => string): string | undefined => {
  if (bytes.length === 0) return undefined;
  const fields = plainFields(bytes);
  const ms = int(fields.get(1) ?? 0n, 'seconds') * 1_000 + Math.floor(int(fields.get(2) ?? 0n, 'nanos') / 1e6);
  if (Math.abs(ms) > 8.64e15) throw malformed('a time is out of range');
  return write(ms);
};

/** Further facts about a user: a list of texts. */
const extraValue = (bytes: Buffer): readonly string[] =>
  [...wireFields(bytes)].filter((field) => field.number === 1).map((field) => textOf(bytesOf(field.value, 'items')));

/** A message whose first field is JSON. */
const jsonIn = (bytes: Buffer, what: string): unknown => {
  try {
    return JSON.parse(textOf(bytesOf(plainFields(bytes).get(1) ?? Buffer.from('{}'), what))) as unknown;
  } catch {
    throw malformed(`${what} is not JSON`);
  }
};

/** Messages that are one value in JSON. */
const special: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  'resource.Quantity': (bytes) => textOf(bytesOf(plainFields(bytes).get(1) ?? Buffer.alloc(0), 'quantity')),
  'meta/v1.Time': (bytes) => time(bytes, rfc3339),
  'meta/v1.MicroTime': (bytes) => time(bytes, rfc3339Micro),
  'meta/v1.FieldsV1': (bytes) => jsonIn(bytes, 'fieldsV1'),
  'runtime.RawExtension': (bytes) => jsonIn(bytes, 'an object in the body'),
  'intstr.IntOrString': (bytes) => {
    const fields = plainFields(bytes);
    return int(fields.get(1) ?? 0n, 'type') === 1
      ? textOf(bytesOf(fields.get(3) ?? Buffer.alloc(0), 'string'))
      : int(fields.get(2) ?? 0n, 'int');
  },
  'certificates/v1.ExtraValue': extraValue,
  'authentication/v1.ExtraValue': extraValue,
  'authorization/v1.ExtraValue': extraValue,
};

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === 0 || value === '' || value === false || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

const valueOf = (field: ProtobufField, value: bigint | Buffer, depth: number): unknown => {
  switch (field.type) {
    case 'string': return textOf(bytesOf(value, field.name));
    case 'bytes': return bytesOf(value, field.name).toString('base64');
    case 'bool': return numberOf(value, field.name) !== 0n;
    case 'int32': case 'int64': return int(value, field.name);
    default: {
      const bytes = bytesOf(value, field.name);
      const one = Object.hasOwn(special, field.type) ? special[field.type] : undefined;
      return one === undefined ? messageOf(field.type, bytes, depth + 1) : one(bytes);
    }
  }
};

const put = (into: Json, name: string, value: unknown): void => {
  if (name === '__proto__') throw badRequest('a map has a member named "__proto__", which is not allowed');
  into[name] = value;
};

const putEntry = (field: ProtobufField, out: Json, entry: Buffer, depth: number): void => {
  const parts = plainFields(entry);
  const map = (out[field.name] ??= {}) as Json;
  const fallback = field.type === 'string' || field.type === 'bytes' || protobufMessage(field.type) !== undefined || field.type in special ? Buffer.alloc(0) : 0n;
  put(map, textOf(bytesOf(parts.get(1) ?? Buffer.alloc(0), field.name)), valueOf(field, parts.get(2) ?? fallback, depth));
};

const messageOf = (name: string, bytes: Buffer, depth: number): Json => {
  if (depth > maxDepth) throw malformed(`it is nested deeper than ${maxDepth} messages`);
  const table = protobufMessage(name);
  if (table === undefined) throw new Error(`fields.json has no message ${name}`);
  const out: Json = {};
  for (const { number, value } of wireFields(bytes)) {
    const field = table.get(number);
    if (field === undefined) continue; // a field of a later version: as with JSON without strict validation
    if (field.map) putEntry(field, out, bytesOf(value, field.name), depth);
    else if (field.repeated) ((out[field.name] ??= []) as unknown[]).push(valueOf(field, value, depth));
    else {
      const decoded = valueOf(field, value, depth);
      if (field.inline) Object.assign(out, decoded);
      else if (decoded !== undefined && (field.pointer || field.always || !isEmpty(decoded))) put(out, field.name, decoded);
      else delete out[field.name];
    }
  }
  return out;
};

/** `apps/v1` and `Deployment` make `apps/v1.Deployment`; groups are called by their first word, the core group `core`. */
const messageName = (apiVersion: string, kind: string): string => {
  if (kind === 'DeleteOptions') return 'meta/v1.DeleteOptions';
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/', 2) : ['core', apiVersion];
  return `${group!.split('.')[0]}/${version}.${kind}`;
};

/** True when a body starts as a protobuf envelope does. */
export const isEnvelope = (body: Buffer): boolean => body.subarray(0, magic.length).equals(magic);

/** The JSON object in a protobuf body (`k8s\0` and message runtime.Unknown). Throws BadRequest for anything else. */
export const decodeEnvelope = (body: Buffer): Json => {
  if (!isEnvelope(body)) throw malformed('it does not start with "k8s" and a zero byte');
  const envelope = plainFields(body.subarray(magic.length));
  const part = (number: number): Buffer => bytesOf(envelope.get(number) ?? Buffer.alloc(0), 'the envelope');
  const types = plainFields(part(1));
  const apiVersion = textOf(bytesOf(types.get(1) ?? Buffer.alloc(0), 'apiVersion'));
  const kind = textOf(bytesOf(types.get(2) ?? Buffer.alloc(0), 'kind'));
  if (part(3).length > 0 || part(4).length > 0) throw malformed('its content must be plain protobuf');
  const name = messageName(apiVersion, kind);
  if (protobufMessage(name) === undefined) throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in protobuf; send it as JSON`);
  return { kind, apiVersion, ...messageOf(name, part(2), 0) };
};
