import { readFileSync } from 'node:fs';

/** One field of a message: its JSON name, its type, and what the wire says when it is not set. */
export interface ProtobufField {
  readonly name: string;
  /** `string`, `bytes`, `bool`, `int32`, `int64` or the name of a message, such as `core/v1.Container`. */
  readonly type: string;
  readonly repeated: boolean;
  /** The field is a map from strings to `type`. */
  readonly map: boolean;
  /** A pointer in the API's Go types: it is on the wire only when it is set, so an explicit zero is kept. */
  readonly pointer: boolean;
  /** JSON has it also when it is zero: a number, a truth or a text that the API requires. */
  readonly always: boolean;
  /** Its members belong to the message around it. */
  readonly inline: boolean;
}

export type ProtobufMessage = ReadonlyMap<number, ProtobufField>;

const parse = (text: string): ProtobufField => {
  const [name = '', type = '', flags = ''] = text.split(' ');
  const map = /^map<string,(.+)>$/.exec(type)?.[1];
  const repeated = type.startsWith('[]');
  return { name, type: map ?? (repeated ? type.slice(2) : type), repeated, map: map !== undefined, pointer: flags.includes('p'), always: flags.includes('r'), inline: flags.includes('i') };
};

let texts: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
const parsed = new Map<string, ProtobufMessage>();

/**
 * The fields of a message by number, or undefined when the table has no such message. The table (fields.json; a field is
 * `name type flags`) is read when the first protobuf body arrives, and a message is parsed when it is first seen.
 */
export const protobufMessage = (name: string): ProtobufMessage | undefined => {
  const have = parsed.get(name);
  if (have !== undefined) return have;
  texts ??= JSON.parse(readFileSync(new URL('fields.json', import.meta.url), 'utf8')) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  if (!Object.hasOwn(texts, name)) return undefined;
  const message = new Map(Object.entries(texts[name]!).map(([number, text]) => [Number(number), parse(text)]));
  parsed.set(name, message);
  return message;
};
