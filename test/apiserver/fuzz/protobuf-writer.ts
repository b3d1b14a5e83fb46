/** Writes objects as protobuf by the table that the decoder reads by: what it reads back must be what was written. */
import { protobufMessage, type ProtobufField } from '../../../apiserver/protobuf/fields.ts';

type Json = Readonly<Record<string, unknown>>;

const varint = (value: bigint): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
};
const numbered = (field: number, value: bigint): Buffer => Buffer.concat([varint(BigInt(field * 8)), varint(value)]);
const lengthened = (field: number, body: Buffer): Buffer => Buffer.concat([varint(BigInt(field * 8 + 2)), varint(BigInt(body.length)), body]);
const text = (field: number, value: string): Buffer => lengthened(field, Buffer.from(value));

const special: Readonly<Record<string, (value: unknown) => Buffer>> = {
  'resource.Quantity': (value) => text(1, String(value)),
  'meta/v1.Time': (value) => numbered(1, BigInt(Math.floor(Date.parse(String(value)) / 1_000) || 0)),
  'meta/v1.MicroTime': (value) => numbered(1, BigInt(Math.floor(Date.parse(String(value)) / 1_000) || 0)),
  'meta/v1.FieldsV1': (value) => text(1, JSON.stringify(value)),
  'runtime.RawExtension': (value) => text(1, JSON.stringify(value)),
  'intstr.IntOrString': (value) => (typeof value === 'string' ? Buffer.concat([numbered(1, 1n), text(3, value)]) : numbered(2, BigInt(Math.trunc(Number(value)) || 0))),
  'certificates/v1.ExtraValue': (value) => Buffer.concat((value as readonly string[]).map((one) => text(1, one))),
  'authentication/v1.ExtraValue': (value) => Buffer.concat((value as readonly string[]).map((one) => text(1, one))),
  'authorization/v1.ExtraValue': (value) => Buffer.concat((value as readonly string[]).map((one) => text(1, one))),
};

const valueOf = (number: number, { type }: ProtobufField, value: unknown): Buffer => {
  switch (type) {
    case 'string': return text(number, String(value));
    case 'bytes': return lengthened(number, Buffer.from(String(value), 'base64'));
    case 'bool': return numbered(number, value === true ? 1n : 0n);
    case 'int32': case 'int64': return numbered(number, BigInt(Math.trunc(Number(value)) || 0));
    default: return lengthened(number, special[type]?.(value) ?? messageOf(type, value as Json));
  }
};

const messageOf = (name: string, value: Json): Buffer => {
  const parts: Buffer[] = [];
  for (const [number, field] of protobufMessage(name) ?? []) {
    if (field.inline) {
      const inner = messageOf(field.type, value);
      if (inner.length > 0) parts.push(lengthened(number, inner));
      continue;
    }
    const member = value[field.name];
    if (member === undefined || member === null) continue;
    if (field.map) {
      for (const [key, one] of Object.entries(member as Json)) parts.push(lengthened(number, Buffer.concat([text(1, key), valueOf(2, field, one)])));
    } else if (field.repeated) for (const one of member as readonly unknown[]) parts.push(valueOf(number, field, one));
    else parts.push(valueOf(number, field, member));
  }
  return Buffer.concat(parts);
};

/** The envelope of an object, or undefined where the table does not know its kind. */
export const envelopeOf = (object: Json & { readonly apiVersion: string; readonly kind: string }): Buffer | undefined => {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['core', object.apiVersion];
  const name = `${group!.split('.')[0]}/${version}.${object.kind}`;
  if (protobufMessage(name) === undefined) return undefined;
  return Buffer.concat([Buffer.from('k8s\0'), lengthened(1, Buffer.concat([text(1, object.apiVersion), text(2, object.kind)])), lengthened(2, messageOf(name, object)), text(3, ''), text(4, '')]);
};
