/** The types of CEL, how signatures spell them, and which fits where. */

/** Types without parts. `dyn` stands for everything that is only known at run time. */
type PlainKind = 'dyn' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'timestamp' | 'duration';

/** A member of a declared object: its name in JSON may differ from the one in CEL, where that must be an identifier. */
export interface CelField {
  readonly jsonName: string;
  readonly type: CelType;
}

export interface CelListType {
  readonly kind: 'list';
  readonly item: CelType;
  /** `set` and `map` compare without order and join as sets do (x-kubernetes-list-type). */
  readonly semantics?: 'set' | 'map' | undefined;
  /** Members by which items of a `map` list are told apart. */
  readonly mapKeys?: readonly string[] | undefined;
}

export type CelType =
  | { readonly kind: PlainKind }
  | CelListType
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  /** A JSON object whose members are declared; others cannot be named. */
  | { readonly kind: 'object'; readonly name: string; readonly fields: ReadonlyMap<string, CelField> }
  /** Objects that expressions make, such as Object.spec{..}. */
  | { readonly kind: 'struct'; readonly name: string }
  | { readonly kind: 'optional'; readonly of: CelType }
  | { readonly kind: 'type' }
  /** Values of a library: quantities, addresses, the authorizer. */
  | { readonly kind: 'opaque'; readonly name: string }
  /** Stands for one type throughout a signature. */
  | { readonly kind: 'parameter'; readonly name: string };

const plain = (kind: PlainKind): { readonly kind: PlainKind } => Object.freeze({ kind });

export const dyn = plain('dyn');
export const bool = plain('bool');
export const int = plain('int');
export const uint = plain('uint');
export const double = plain('double');
export const string = plain('string');
export const bytes = plain('bytes');
export const nullType = plain('null');
export const timestamp = plain('timestamp');
export const duration = plain('duration');
export const typeType: CelType = Object.freeze({ kind: 'type' });
export const listOf = (item: CelType): CelListType => ({ kind: 'list', item });
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value });
export const optionalOf = (of: CelType): CelType => ({ kind: 'optional', of });
export const opaque = (name: string): CelType => ({ kind: 'opaque', name });
export const anyMap = mapOf(string, dyn);

const plains: Readonly<Record<string, CelType>> = { dyn, bool, int, uint, double, string, bytes, null: nullType, timestamp, duration, type: typeType };

/** Names of types as expressions write them, where they differ from those in signatures. */
const spokenNames: Readonly<Record<string, string>> = { null: 'null_type', timestamp: 'google.protobuf.Timestamp', duration: 'google.protobuf.Duration', optional: 'optional_type' };

/** The name of a type without its parts, as `type(x)` shows it. */
export const baseName = (type: CelType): string => {
  switch (type.kind) {
    case 'object': case 'struct': case 'opaque': case 'parameter': return type.name;
    default: return spokenNames[type.kind] ?? type.kind;
  }
};

/** The type as messages show it. */
export const typeText = (type: CelType): string => {
  switch (type.kind) {
    case 'list': return `list(${typeText(type.item)})`;
    case 'map': return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case 'optional': return `optional_type(${typeText(type.of)})`;
    default: return baseName(type);
  }
};

const parts = (text: string): readonly string[] => {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const sign = text[i];
    if (sign === '<') depth++;
    else if (sign === '>') depth--;
    else if (depth === 0 && (sign === ',' || sign === undefined)) {
      if (i > from) found.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  return found;
};

/** The type that a signature writes: `int`, `list<T>`, `map<string, dyn>`, `net.IP`; a single capital is a parameter. */
export const readType = (text: string): CelType => {
  const open = text.indexOf('<');
  if (open < 0) return plains[text] ?? (/^[A-Z]$/.test(text) ? { kind: 'parameter', name: text } : opaque(text));
  const inner = parts(text.slice(open + 1, -1)).map(readType);
  switch (text.slice(0, open)) {
    case 'list': return listOf(inner[0]!);
    case 'map': return mapOf(inner[0]!, inner[1]!);
    case 'optional': return optionalOf(inner[0]!);
    default: throw new TypeError(`${text} is no type of CEL`);
  }
};

export interface Signature {
  readonly name: string;
  /** Those of a member function begin with its receiver. */
  readonly parameters: readonly CelType[];
  readonly member: boolean;
  readonly result: CelType;
}

/** Reads `name(int, list<T>): bool` or, for a member function, `string.name(int): bool`. A global name with dots is written `math::greatest(..)`. */
export const readSignature = (text: string): Signature => {
  const open = text.indexOf('(');
  const close = text.lastIndexOf('): ');
  const head = text.slice(0, open);
  const dot = head.includes('::') ? -1 : head.lastIndexOf('.');
  const parameters = parts(text.slice(open + 1, close)).map(readType);
  return {
    name: head.slice(dot + 1).replace('::', '.'), member: dot >= 0,
    parameters: dot < 0 ? parameters : [readType(head.slice(0, dot)), ...parameters],
    result: readType(text.slice(close + 3)),
  };
};

/** What parameters of a signature stand for in one call. */
export type Bindings = Map<string, CelType>;

/** True where a value of the type may stand in the place; parameters of the place get their meaning on the way. */
export const fits = (place: CelType, type: CelType, bound: Bindings): boolean => {
  if (place.kind === 'parameter') {
    const known = bound.get(place.name);
    if (known === undefined || known.kind === 'dyn') {
      bound.set(place.name, type);
      return true;
    }
    return fits(known, type, bound);
  }
  if (place.kind === 'dyn' || type.kind === 'dyn' || type.kind === 'parameter') return true;
  if (place.kind === 'map' && type.kind === 'object') return fits(place.key, string, bound) && fits(place.value, dyn, bound);
  if (place.kind === 'map' && type.kind === 'map') return fits(place.key, type.key, bound) && fits(place.value, type.value, bound);
  if (place.kind === 'list' && type.kind === 'list') return fits(place.item, type.item, bound);
  if (place.kind === 'optional' && type.kind === 'optional') return fits(place.of, type.of, bound);
  if (place.kind === 'object' || place.kind === 'struct' || place.kind === 'opaque') return type.kind === place.kind && type.name === place.name;
  return place.kind === type.kind;
};

/** The type with its parameters replaced by what they stand for; those that stand for nothing become dyn. */
export const resolved = (type: CelType, bound: Bindings): CelType => {
  switch (type.kind) {
    case 'parameter': return bound.get(type.name) ?? dyn;
    case 'list': return { ...type, item: resolved(type.item, bound) };
    case 'map': return mapOf(resolved(type.key, bound), resolved(type.value, bound));
    case 'optional': return optionalOf(resolved(type.of, bound));
    default: return type;
  }
};

/** The one type of two values that may stand in for each other, or undefined. */
export const joined = (a: CelType, b: CelType): CelType | undefined => {
  if (a === b) return a;
  if (a.kind === 'dyn' || b.kind === 'dyn') return dyn;
  if (a.kind === 'list' && b.kind === 'list') {
    const item = joined(a.item, b.item);
    return item === undefined ? undefined : listOf(item);
  }
  return fits(a, b, new Map()) ? a : fits(b, a, new Map()) ? b : undefined;
};
