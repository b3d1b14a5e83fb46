/**
 * YAML of manifests. It is read as kubectl reads it (YAML 1.1's booleans and octal numbers, merge keys), within limits:
 * bytes, depth, aliases and the number of values after aliases are followed. Every error says file, line and column,
 * and which document it is in. `__proto__` and keys that stand twice are refused.
 */
import {
  CORE_SCHEMA, EVENT_ID, NOT_RESOLVED, YAMLException, constructFromEvents, defineMappingTag, defineScalarTag, mergeTag, parseEvents, type Event,
} from 'js-yaml';
import { CommandError } from './command.ts';

/** One file, standard input or URL at most. */
export const maxSourceBytes = 16 * 2 ** 20;
/** One document at most; the API takes no larger bodies. */
export const maxDocumentBytes = 3 * 2 ** 20;
const maxDepth = 100;
const maxAliases = 1_000;
/** Values of one document after aliases are followed. */
const maxValues = 500_000;

/** A manifest that cannot be used; the message begins with the place. */
export class ManifestError extends CommandError {}

export interface YamlDocument {
  readonly value: unknown;
  /** Counted from 1, as the documents of the file stand. */
  readonly number: number;
  /** Line of its first value, counted from 1. */
  readonly line: number;
}

const booleans: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...['y', 'yes', 'on', 'true'].map((word) => [word, true] as const), ...['n', 'no', 'off', 'false'].map((word) => [word, false] as const),
].flatMap(([word, value]) => [word, word[0]!.toUpperCase() + word.slice(1), word.toUpperCase()].map((form) => [form, value])));

const boolTag = defineScalarTag('tag:yaml.org,2002:bool', {
  implicit: true, implicitFirstChars: [...'yYnNtTfFoO'], identify: () => false,
  resolve: (source) => (Object.hasOwn(booleans, source) ? booleans[source]! : NOT_RESOLVED),
});

const whole = (source: string): number | undefined => {
  const text = source.replaceAll('_', '');
  const match = /^([-+]?)(?:(0|[1-9]\d*)|0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+))$/.exec(text);
  if (match === null) return undefined;
  const [, sign, decimal, hexadecimal, binary, octal] = match;
  const value = decimal !== undefined ? Number(decimal) : hexadecimal !== undefined ? Number.parseInt(hexadecimal, 16) : binary !== undefined ? Number.parseInt(binary, 2) : Number.parseInt(octal!, 8);
  return sign === '-' ? -value : value;
};

const intTag = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true, implicitFirstChars: [...'-+0123456789'], identify: () => false, resolve: (source) => whole(source) ?? NOT_RESOLVED,
});

const mapTag = defineMappingTag<Record<string, unknown>>('tag:yaml.org,2002:map', {
  create: () => ({}),
  addPair: (map, key, value) => {
    if (typeof key === 'object') return 'a key must be a string';
    const name = String(key);
    if (name === '__proto__') return 'the key "__proto__" is not allowed';
    map[name] = value;
    return '';
  },
  has: (map, key) => Object.hasOwn(map, String(key)),
  keys: (map) => Object.keys(map),
  get: (map, key) => map[String(key)],
  identify: () => false,
});

const schema = CORE_SCHEMA.withTags(boolTag, intTag, mapTag, mergeTag);

const lineAt = (text: string, offset: number): { readonly line: number; readonly column: number } => {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
};

/** The offset at which a document begins: that of the first of its events that has one. */
const startOf = (events: readonly Event[], from: number): number => {
  for (let at = from; at < events.length; at++) {
    const event = events[at]!;
    if (event.type === EVENT_ID.SCALAR) return event.valueStart;
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start;
    if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  }
  return 0;
};

/** Why a value is too large or too deep once aliases are followed, or undefined. */
const whyTooLarge = (value: unknown): string | undefined => {
  let left = maxValues;
  const visit = (node: unknown, depth: number): string | undefined => {
    if (--left < 0) return `has more than ${maxValues} values once its aliases are followed`;
    if (typeof node !== 'object' || node === null) return undefined;
    if (depth > maxDepth) return `is nested more than ${maxDepth} levels deep`;
    for (const child of Object.values(node)) {
      const why = visit(child, depth + 1);
      if (why !== undefined) return why;
    }
    return undefined;
  };
  return visit(value, 0);
};

const failed = (text: string, file: string, starts: readonly number[], error: unknown): ManifestError => {
  if (!(error instanceof YAMLException) || error.mark === undefined) {
    return new ManifestError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const { line, column } = lineAt(text, error.mark.position);
  const number = starts.length > 0
    ? starts.filter((start) => start <= error.mark!.position).length
    : text.slice(0, error.mark.position).split(/^---(?:\s|$)/m).filter((part, index) => index > 0 || part.replace(/^\s*#.*$/gm, '').trim() !== '').length;
  return new ManifestError(`${file}:${line}:${column}: document ${Math.max(1, number)}: ${error.reason}`, { cause: error });
};

/** All documents of a text that hold something. Throws ManifestError for the first that cannot be read. */
export const parseYaml = (text: string, file: string): readonly YamlDocument[] => {
  if (Buffer.byteLength(text) > maxSourceBytes) throw new ManifestError(`${file}: is larger than ${maxSourceBytes} bytes`);
  let starts: readonly number[] = [];
  try {
    const events = parseEvents(text, { filename: file, maxDepth });
    starts = events.flatMap((event, at) => (event.type === EVENT_ID.DOCUMENT ? [startOf(events, at + 1)] : []));
    const values = constructFromEvents(events, { source: text, filename: file, schema, maxAliases });
    return values.flatMap((value, index) => {
      const document = { value, number: index + 1, line: lineAt(text, starts[index] ?? 0).line };
      if (value === null || value === undefined) return [];
      const bytes = (starts[index + 1] ?? text.length) - (starts[index] ?? 0);
      const why = bytes > maxDocumentBytes ? `is larger than ${maxDocumentBytes} bytes` : whyTooLarge(value);
      if (why !== undefined) throw new ManifestError(`${file}:${document.line}: document ${document.number} ${why}`);
      return [document];
    });
  } catch (error) {
    throw error instanceof ManifestError ? error : failed(text, file, starts, error);
  }
};
