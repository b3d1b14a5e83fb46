import { badRequest } from '../../schemas/errors.ts';

/** One field of a message as it stands on the wire; what it means only the message's table knows. */
export interface WireField {
  readonly number: number;
  /** A varint or fixed number, or the bytes of a length-delimited field. */
  readonly value: bigint | Buffer;
}

export const malformed = (why: string): Error => badRequest(`the protobuf body cannot be read: ${why}`);

/** Reads a varint of at most ten bytes; gives the value and where it ends. */
export const readVarint = (bytes: Buffer, start: number): readonly [value: bigint, end: number] => {
  let small = 0;
  for (let at = start, shift = 0; shift < 28; at++, shift += 7) { // the usual case without BigInt arithmetic
    const byte = bytes[at];
    if (byte === undefined) throw malformed('it ends inside a number');
    small |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [BigInt(small), at + 1];
  }
  let value = BigInt(small);
  for (let at = start + 4, shift = 28n; shift < 70n; at++, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) throw malformed('it ends inside a number');
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [BigInt.asUintN(64, value), at + 1];
  }
  throw malformed('a number is longer than 64 bits');
};

/** The fields of a message in their order. Throws BadRequest for bytes that are no message. */
export function* wireFields(bytes: Buffer): Generator<WireField, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    const [key, afterKey] = readVarint(bytes, at);
    const number = Number(key >> 3n);
    if (number < 1 || number > 0x1fffffff) throw malformed(`there is no field number ${number}`);
    switch (Number(key & 7n)) {
      case 0: {
        const [value, end] = readVarint(bytes, afterKey);
        yield { number, value };
        at = end;
        break;
      }
      case 1:
        if (afterKey + 8 > bytes.length) throw malformed('it ends inside a number');
        yield { number, value: bytes.readBigUInt64LE(afterKey) };
        at = afterKey + 8;
        break;
      case 2: {
        const [length, start] = readVarint(bytes, afterKey);
        if (length > BigInt(bytes.length - start)) throw malformed(`field ${number} is longer than the body`);
        at = start + Number(length);
        yield { number, value: bytes.subarray(start, at) };
        break;
      }
      case 5:
        if (afterKey + 4 > bytes.length) throw malformed('it ends inside a number');
        yield { number, value: BigInt(bytes.readUInt32LE(afterKey)) };
        at = afterKey + 4;
        break;
      default: throw malformed(`field ${number} has a wire type that there is none of`);
    }
  }
}
