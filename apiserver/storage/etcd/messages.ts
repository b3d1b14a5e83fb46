/** The messages of etcd's API (v3) that are used here, as bytes of protobuf. Numbers of fields and values are those of its rpc.proto. */
import { wireFields } from '../../protobuf/wire.ts';

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  bytes.push(left);
  return Buffer.from(bytes);
};

const number = (field: number, value: number): readonly Buffer[] => [varint(field * 8), varint(value)];
const bytes = (field: number, value: Buffer): readonly Buffer[] => [varint(field * 8 + 2), varint(value.length), value];
const message = (...parts: readonly (readonly Buffer[])[]): Buffer => Buffer.concat(parts.flat());

export interface RangeRequest {
  readonly key: Buffer;
  /** The key behind the last one; a single key where absent. */
  readonly end?: Buffer | undefined;
  readonly limit?: number | undefined;
  readonly revision?: number | undefined;
  readonly keysOnly?: boolean | undefined;
}

export const rangeRequest = ({ key, end, limit = 0, revision = 0, keysOnly = false }: RangeRequest): Buffer =>
  message(bytes(1, key), end === undefined ? [] : bytes(2, end), number(3, limit), number(4, revision), keysOnly ? number(8, 1) : []);

/** One step of a transaction. */
export type Operation = Buffer;

export const rangeOperation = (request: RangeRequest): Operation => message(bytes(1, rangeRequest(request)));
export const putOperation = (key: Buffer, value: Buffer): Operation => message(bytes(2, message(bytes(1, key), bytes(2, value))));
/** Up to the key before `end` where that is given. */
export const deleteOperation = (key: Buffer, end?: Buffer): Operation => message(bytes(3, message(bytes(1, key), end === undefined ? [] : bytes(2, end))));

const equal = 0;
const [versionTarget, modTarget] = [0, 2];

/** What must hold: the key was last written at this revision; 0: it is not there. */
export const revisionIs = (key: Buffer, revision: number): Buffer => message(number(1, equal), number(2, modTarget), bytes(3, key), number(6, revision));
/** What must hold: the key was written so many times since it was made. */
export const versionIs = (key: Buffer, version: number): Buffer => message(number(1, equal), number(2, versionTarget), bytes(3, key), number(4, version));

export interface TxnRequest {
  readonly compare: readonly Buffer[];
  /** Carried out where all comparisons hold. */
  readonly success: readonly Operation[];
  /** Carried out where one does not. */
  readonly failure: readonly Operation[];
}

export const txnRequest = ({ compare, success, failure }: TxnRequest): Buffer =>
  message(...compare.map((one) => bytes(1, one)), ...success.map((one) => bytes(2, one)), ...failure.map((one) => bytes(3, one)));

export const compactionRequest = (revision: number): Buffer => message(number(1, revision));

/** Asks for all changes of a range from a revision on, each with what stood there before, in pieces where they are long. */
export const watchRequest = ({ key, end, from }: { readonly key: Buffer; readonly end: Buffer; readonly from: number }): Buffer =>
  message(bytes(1, message(bytes(1, key), bytes(2, end), number(3, from), number(6, 1), number(8, 1))));

type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

const fieldsOf = (from: Buffer): Fields => {
  const fields = new Map<number, (bigint | Buffer)[]>();
  for (const field of wireFields(from)) {
    const values = fields.get(field.number);
    if (values === undefined) fields.set(field.number, [field.value]);
    else values.push(field.value);
  }
  return fields;
};

const numberIn = (fields: Fields, field: number): number => {
  const value = fields.get(field)?.at(-1) ?? 0n;
  if (typeof value !== 'bigint') throw new TypeError(`field ${field} of an answer of etcd is not a number`);
  return Number(value);
};

const buffersIn = (fields: Fields, field: number): readonly Buffer[] => (fields.get(field) ?? []).map((value) => {
  if (typeof value === 'bigint') throw new TypeError(`field ${field} of an answer of etcd is a number`);
  return value;
});

const bufferIn = (fields: Fields, field: number): Buffer => buffersIn(fields, field).at(-1) ?? Buffer.alloc(0);

export interface KeyValue {
  readonly key: Buffer;
  readonly revision: number;
  readonly version: number;
  readonly value: Buffer;
}

const keyValue = (from: Buffer): KeyValue => {
  const fields = fieldsOf(from);
  return { key: bufferIn(fields, 1), revision: numberIn(fields, 3), version: numberIn(fields, 4), value: bufferIn(fields, 5) };
};

const headerRevision = (fields: Fields): number => numberIn(fieldsOf(bufferIn(fields, 1)), 3);

export interface RangeResponse {
  /** Of the whole of etcd, at the moment of the answer. */
  readonly revision: number;
  readonly rows: readonly KeyValue[];
  readonly more: boolean;
}

export const rangeResponse = (from: Buffer): RangeResponse => {
  const fields = fieldsOf(from);
  return { revision: headerRevision(fields), rows: buffersIn(fields, 2).map(keyValue), more: numberIn(fields, 3) === 1 };
};

export interface TxnResponse {
  readonly revision: number;
  readonly succeeded: boolean;
  /** What the ranges among the operations found, in order. */
  readonly ranges: readonly RangeResponse[];
}

export const txnResponse = (from: Buffer): TxnResponse => {
  const fields = fieldsOf(from);
  const ranges = buffersIn(fields, 3).flatMap((operation) => buffersIn(fieldsOf(operation), 1).map(rangeResponse));
  return { revision: headerRevision(fields), succeeded: numberIn(fields, 2) === 1, ranges };
};

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly row: KeyValue;
  /** Undefined where there was nothing, or where it was compacted meanwhile. */
  readonly before: KeyValue | undefined;
}

export interface WatchResponse {
  readonly revision: number;
  /** Why the watch is over; undefined while it goes on. */
  readonly canceled: string | undefined;
  /** Set where the watch asked for changes that are compacted: the first revision that is not. */
  readonly compactRevision: number;
  /** True where the rest of the events of this answer comes in the next. */
  readonly continues: boolean;
  readonly events: readonly WatchEvent[];
}

const watchEvent = (from: Buffer): WatchEvent => {
  const fields = fieldsOf(from);
  const before = buffersIn(fields, 3).at(-1);
  return { type: numberIn(fields, 1) === 1 ? 'delete' : 'put', row: keyValue(bufferIn(fields, 2)), before: before === undefined ? undefined : keyValue(before) };
};

export const watchResponse = (from: Buffer): WatchResponse => {
  const fields = fieldsOf(from);
  return {
    revision: headerRevision(fields), compactRevision: numberIn(fields, 5), continues: numberIn(fields, 7) === 1,
    canceled: numberIn(fields, 4) === 1 ? bufferIn(fields, 6).toString('utf8') || 'no reason given' : undefined,
    events: buffersIn(fields, 11).map(watchEvent),
  };
};
