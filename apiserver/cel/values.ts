/**
 * Values of CEL. int is a bigint, double a number; texts, bools, null and bytes are JavaScript's own. JSON is read where
 * it stands: members and items are turned into values when an expression first looks at them.
 */
import { CelError } from './errors.ts';
import type { CelListType, CelType } from './types.ts';

/** An unsigned 64-bit number. */
export class CelUint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** A moment: nanoseconds since 1970, between the years 1 and 9999. */
export class CelTimestamp {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A length of time in nanoseconds. */
export class CelDuration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A type as a value, by its name; the parts of lists and maps do not count. */
export class CelTypeValue {
  readonly typeName: string;

  constructor(typeName: string) {
    this.typeName = typeName;
  }
}

/** A value that may be missing; `undefined` inside says that it is. */
export class CelOptional {
  static readonly none = new CelOptional(undefined);
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/** A value of a library. */
export abstract class CelOpaque {
  abstract readonly typeName: string;

  abstract equals(other: CelOpaque): boolean;
}

/** Values in order. */
export abstract class CelList implements Iterable<CelValue> {
  abstract readonly size: number;
  /** The declaration where it is a list of an object, for its semantics. */
  readonly type: CelListType | undefined = undefined;

  /** The index is within the list. */
  abstract at(index: number): CelValue;

  *[Symbol.iterator](): Generator<CelValue, void> {
    for (let i = 0; i < this.size; i++) yield this.at(i);
  }
}

/** A list that an expression made. */
export class ArrayList extends CelList {
  readonly #items: readonly CelValue[];
  override readonly type: CelListType | undefined;

  constructor(items: readonly CelValue[], type?: CelListType) {
    super();
    this.#items = items;
    this.type = type;
  }

  get size(): number {
    return this.#items.length;
  }

  at(index: number): CelValue {
    return this.#items[index]!;
  }
}

/** Keys of maps: whole numbers of all types are one key, as they are equal. */
export type CelKey = string | boolean | bigint;

/** The key that a value is, or undefined where it can be none. */
export const keyOfValue = (value: CelValue): CelKey | undefined => {
  switch (typeof value) {
    case 'string': case 'boolean': case 'bigint': return value;
    case 'number': return Number.isInteger(value) ? BigInt(value) : undefined;
    default: return value instanceof CelUint ? value.value : undefined;
  }
};

/** Values by key. */
export abstract class CelMap {
  abstract readonly size: number;

  /** Undefined where there is none. */
  abstract get(key: CelKey): CelValue | undefined;

  /** In order, as values: unsigned numbers stay unsigned. */
  abstract keys(): Iterable<CelValue>;

  /** A member by the name that expressions use; maps take their keys. */
  member(name: string): CelValue | undefined {
    return this.get(name);
  }

  /** The type that `type()` shows. */
  get typeName(): string {
    return 'map';
  }
}

/** A map that an expression made. */
export class EntryMap extends CelMap {
  readonly #entries = new Map<CelKey, { readonly key: CelValue; readonly value: CelValue }>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: CelKey): CelValue | undefined {
    return this.#entries.get(key)?.value;
  }

  keys(): Iterable<CelValue> {
    return this.#entries.values().map(({ key }) => key);
  }

  /** Throws CelError for a key that no map can have or that is there already. */
  put(key: CelValue, value: CelValue): void {
    const plain = typeof key === 'number' ? undefined : keyOfValue(key);
    if (plain === undefined) throw new CelError('unsupported key type');
    if (this.#entries.has(plain)) throw new CelError(`Failed with repeated key: ${String(plain)}`);
    this.#entries.set(plain, { key, value });
  }
}

/** Members that are worked out when they are first asked for, each once. */
export class LazyMap extends CelMap {
  readonly #makers: ReadonlyMap<string, () => CelValue>;
  readonly #made = new Map<string, CelValue>();

  constructor(makers: ReadonlyMap<string, () => CelValue>) {
    super();
    this.#makers = makers;
  }

  get size(): number {
    return this.#makers.size;
  }

  get(key: CelKey): CelValue | undefined {
    if (typeof key !== 'string') return undefined;
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const value = this.#makers.get(key)?.();
    if (value !== undefined) this.#made.set(key, value);
    return value;
  }

  keys(): Iterable<CelValue> {
    return this.#makers.keys();
  }
}

/** An object that an expression made, such as Object.spec{replicas: 1}. */
export class CelStruct extends EntryMap {
  readonly #typeName: string;

  constructor(typeName: string) {
    super();
    this.#typeName = typeName;
  }

  override get typeName(): string {
    return this.#typeName;
  }
}

export type CelValue =
  | null | boolean | bigint | number | string | Uint8Array
  | CelUint | CelTimestamp | CelDuration | CelTypeValue | CelOptional | CelOpaque | CelList | CelMap;

const spoken: Readonly<Record<string, string>> = { boolean: 'bool', bigint: 'int', number: 'double', string: 'string' };

/** The name of the type of a value, as `type()` shows it. */
export const typeNameOf = (value: CelValue): string => {
  if (value === null) return 'null_type';
  if (typeof value !== 'object') return spoken[typeof value]!;
  if (value instanceof CelMap || value instanceof CelOpaque) return value.typeName;
  if (value instanceof CelList) return 'list';
  if (value instanceof CelUint) return 'uint';
  if (value instanceof CelTimestamp) return 'google.protobuf.Timestamp';
  if (value instanceof CelDuration) return 'google.protobuf.Duration';
  if (value instanceof CelOptional) return 'optional_type';
  return value instanceof CelTypeValue ? 'type' : 'bytes';
};

/** True where the value is of the type; of lists, maps and optionals only that they are such. */
export const isOfType = (value: CelValue, type: CelType): boolean => {
  switch (type.kind) {
    case 'dyn': case 'parameter': return true;
    case 'bool': return typeof value === 'boolean';
    case 'int': return typeof value === 'bigint';
    case 'double': return typeof value === 'number';
    case 'string': return typeof value === 'string';
    case 'null': return value === null;
    case 'uint': return value instanceof CelUint;
    case 'bytes': return value instanceof Uint8Array;
    case 'timestamp': return value instanceof CelTimestamp;
    case 'duration': return value instanceof CelDuration;
    case 'type': return value instanceof CelTypeValue;
    case 'list': return value instanceof CelList;
    case 'map': case 'object': return value instanceof CelMap;
    case 'struct': return value instanceof CelStruct && value.typeName === type.name;
    case 'optional': return value instanceof CelOptional;
    case 'opaque': return value instanceof CelOpaque && value.typeName === type.name;
  }
};
