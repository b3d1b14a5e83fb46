/** JSON as values of CEL, read in place, and values as JSON. */
import { unescapeName } from './escaped-names.ts';
import { CelError } from './errors.ts';
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './time.ts';
import { dyn, type CelField, type CelListType, type CelType } from './types.ts';
import { CelDuration, CelList, CelMap, CelOpaque, CelOptional, CelTimestamp, CelTypeValue, CelUint, type CelKey, type CelValue } from './values.ts';

type Json = Readonly<Record<string, unknown>>;

const int64 = 2 ** 63;

/**
 * The value that JSON of a declared type is. Whole numbers are int but where the type says double; texts become moments,
 * durations or bytes where the type says so and they can be read as such. A value of CEL stays as it is.
 */
export const fromJson = (json: unknown, type: CelType = dyn): CelValue => {
  switch (typeof json) {
    case 'string': return fromText(json, type);
    case 'number': return type.kind === 'double' || !Number.isInteger(json) || Math.abs(json) >= int64 ? json : BigInt(json);
    case 'boolean': case 'bigint': return json;
    case 'object':
      if (json === null) return null;
      if (Array.isArray(json)) return new JsonList(json, type);
      if (json instanceof CelMap || json instanceof CelList || json instanceof CelOpaque || json instanceof CelOptional || json instanceof CelTimestamp || json instanceof CelDuration || json instanceof CelUint || json instanceof CelTypeValue || json instanceof Uint8Array) return json;
      return new JsonMap(json as Json, type);
    default: return null;
  }
};

const fromText = (text: string, { kind }: CelType): CelValue => {
  switch (kind) {
    case 'timestamp': return parseTimestamp(text) ?? parseTimestamp(`${text}T00:00:00Z`) ?? text;
    case 'duration': return parseDuration(text) ?? text;
    case 'bytes': return new Uint8Array(Buffer.from(text, 'base64'));
    default: return text;
  }
};

class JsonList extends CelList {
  readonly #items: readonly unknown[];
  readonly #itemType: CelType;
  override readonly type: CelListType | undefined;

  constructor(items: readonly unknown[], type: CelType) {
    super();
    this.#items = items;
    this.#itemType = type.kind === 'list' ? type.item : dyn;
    this.type = type.kind === 'list' && type.semantics !== undefined ? type : undefined;
  }

  get size(): number {
    return this.#items.length;
  }

  at(index: number): CelValue {
    return fromJson(this.#items[index], this.#itemType);
  }
}

class JsonMap extends CelMap {
  readonly #members: Json;
  readonly #fields: ReadonlyMap<string, CelField> | undefined;
  readonly #valueType: CelType;
  readonly #name: string | undefined;

  constructor(members: Json, type: CelType) {
    super();
    this.#members = members;
    this.#fields = type.kind === 'object' ? type.fields : undefined;
    this.#name = type.kind === 'object' ? type.name : undefined;
    this.#valueType = type.kind === 'map' ? type.value : dyn;
  }

  override get typeName(): string {
    return this.#name ?? 'map';
  }

  get size(): number {
    return Object.keys(this.#members).length;
  }

  get(key: CelKey): CelValue | undefined {
    return typeof key === 'string' ? this.#read(key, this.#valueType) : undefined;
  }

  *keys(): Generator<CelValue, void> {
    for (const [key, value] of Object.entries(this.#members)) if (value !== undefined) yield key;
  }

  override member(name: string): CelValue | undefined {
    if (this.#fields !== undefined) {
      const field = this.#fields.get(name);
      return field === undefined ? undefined : this.#read(field.jsonName, field.type);
    }
    const value = this.#read(name, this.#valueType);
    return value === undefined && name.includes('__') ? this.#read(unescapeName(name), this.#valueType) : value;
  }

  #read(name: string, type: CelType): CelValue | undefined {
    const value = Object.hasOwn(this.#members, name) ? this.#members[name] : undefined;
    return value === undefined ? undefined : fromJson(value, type);
  }
}

/** The value as JSON: moments and durations as text, bytes in base64, optionals that are missing left out. Throws CelError for what JSON cannot hold. */
export const toJson = (value: CelValue): unknown => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return jsonNumber(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new CelError(`${value} is no number of JSON`);
    return value;
  }
  if (value instanceof CelUint) return jsonNumber(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return formatDuration(value);
  if (value instanceof CelOptional) return value.value === undefined ? undefined : toJson(value.value);
  if (value instanceof CelList) return [...value].map(toJson);
  if (value instanceof CelMap) return mapToJson(value);
  throw new CelError(`a value of type ${value.typeName} has no form in JSON`);
};

const jsonNumber = (value: bigint): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new CelError(`${value} is too large for a number of JSON`);
  return number;
};

const mapToJson = (map: CelMap): Json => {
  const entries: [string, unknown][] = [];
  for (const key of map.keys()) {
    if (typeof key !== 'string') throw new CelError('keys of objects must be strings');
    const value = toJson(map.get(key)!);
    if (value !== undefined) entries.push([key, value]);
  }
  return Object.fromEntries(entries);
};
