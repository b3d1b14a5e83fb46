/**
 * What calls are assumed to cost beyond their arguments, and how large their results can be. The numbers are those by
 * which Kubernetes decides which rules may be written into a definition: a tenth of a unit for a character that is looked
 * at, a quarter for one of a regular expression, and one unit for whatever takes about the same time each time.
 */
import type { CelFunction } from '../functions.ts';
import { baseName, type CelType } from '../types.ts';
import { capped, exactly, joinedSize, repeatedSize, shorterSize, type Range } from './ranges.ts';

const perCharacter = 0.1;
const perPatternCharacter = 0.25;
/** Characters of the expression behind a named format. */
const formatPattern = 128;
/** Characters of the name of a format, at most. */
const formatName = 64;
/** Bytes of an address. */
const addressBytes: Range = { min: 4, max: 16 };

/** A call with one of the forms that it may mean; arguments are counted with the receiver of a member function first. */
export interface SizedCall {
  readonly form: CelFunction;
  readonly types: readonly CelType[];
  size(argument: number): Range;
  /** Of the items of an argument that is a list; undefined for other arguments. */
  itemSize(argument: number): Range | undefined;
  /** The number that is written there, or undefined. */
  literal(argument: number): number | undefined;
  /** What it costs to go through so much, at most. */
  walk(size: Range, unitsEach: number): number;
}

export interface CallEstimate {
  readonly units: number;
  /** Undefined where nothing is said of the result. */
  readonly size?: Range | undefined;
}

type Estimate = (call: SizedCall) => CallEstimate;

const through = (argument: number): Estimate => (call) => ({ units: call.walk(call.size(argument), perCharacter) });
const kept = (call: SizedCall): CallEstimate => ({ units: call.walk(call.size(0), perCharacter), size: call.size(0) });

const overList: Estimate = (call) => {
  const size = call.size(0);
  const items = call.itemSize(0);
  if (items === undefined) return { units: call.walk(size, perCharacter) };
  const type = call.types[0]!;
  const walked = type.kind === 'list' && (type.item.kind === 'string' || type.item.kind === 'bytes');
  return { units: call.walk(size, 1 + (walked ? call.walk(items, perCharacter) : 0)) };
};

/** Values of a library are compared in one step, but for those that are texts behind. */
const compared: Estimate = (call) => {
  const library = call.types.find(({ kind }) => kind === 'opaque');
  if (library === undefined || baseName(library) === 'kubernetes.URL') return { units: call.walk(shorterSize(call.size(0), call.size(1)), perCharacter) };
  return { units: baseName(library) === 'kubernetes.NamedFormat' ? Math.ceil(formatName * perCharacter) : 1 };
};

const ordered: Estimate = (call) => (call.form.parameters[0]!.kind === 'string' || call.form.parameters[0]!.kind === 'bytes' ? compared(call) : { units: 1 });

const added: Estimate = (call) => {
  const { kind } = call.form.parameters[0]!;
  if (kind !== 'string' && kind !== 'bytes' && kind !== 'list') return { units: 1 };
  const size = joinedSize(call.size(0), call.size(1));
  return { size, units: kind === 'list' ? 1 : call.walk(size, perCharacter) };
};

/** Most and least that is left when each of `old` becomes `by`: an empty text is found between all characters. */
const replacedSize = (size: Range, old: Range, by: Range): Range => {
  const most = old.min === 0 ? (size.max + 1) * by.max + size.max : by.max <= old.min ? size.max : Math.ceil(size.max / old.min) * by.max;
  const least = old.max === 0 ? (size.min + 1) * by.min + size.min : old.max <= by.min ? size.min : Math.ceil(size.min / old.max) * by.min;
  return { min: capped(least), max: capped(most), wanting: size.wanting };
};

const replaced: Estimate = (call) => ({ units: call.walk(call.size(0), 2 * perCharacter), size: replacedSize(call.size(0), call.size(1), call.size(2)) });

const split: Estimate = (call) => {
  const size = call.size(0);
  const most = call.types.length > 2 ? call.literal(2) : undefined;
  return { units: call.walk(size, 2 * perCharacter), size: { min: 0, max: most === undefined || most < 0 ? size.max : most, wanting: size.wanting } };
};

const joinedTexts: Estimate = (call) => {
  const count = call.size(0);
  const texts = repeatedSize(count, call.itemSize(0) ?? exactly(0));
  const between: Range = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1), wanting: count.wanting };
  const size = call.types.length > 1 ? joinedSize(texts, repeatedSize(call.size(1), between)) : texts;
  return { units: call.walk(size, perCharacter), size };
};

/** An expression is tried at each character, and at the end. */
const searched = (call: SizedCall): number => capped(call.walk(joinedSize(call.size(0), exactly(1)), perCharacter) * call.walk(call.size(1), perPatternCharacter));

const found: Estimate = (call) => ({ units: searched(call), size: { min: 0, max: call.size(0).max, wanting: call.size(0).wanting } });

/** An address is compared by its bytes; one that is a text is read first. */
const contained = (units: number): Estimate => (call) => ({ units: units + (call.form.parameters[1]!.kind === 'string' ? call.walk(call.size(1), perCharacter) : 0) });
const addressUnits = Math.ceil(2 * addressBytes.max * perCharacter);
const maskUnits = Math.ceil(addressBytes.max * perCharacter) + 1;

const sets = (times: number): Estimate => (call) => ({ units: 1 + call.walk(repeatedSize(call.size(0), call.size(1)), times) });

const textOfBytes: Estimate = (call) => {
  if (call.form.parameters[0]!.kind !== 'bytes') return { units: 1 };
  const size = call.size(0);
  return { units: call.walk(size, perCharacter), size: { ...size, min: Math.floor(size.min / 4) } };
};

const bytesOfText: Estimate = (call) => {
  if (call.form.parameters[0]!.kind !== 'string') return { units: 1 };
  const size = call.size(0);
  return { units: call.walk(size, perCharacter), size: { ...size, max: capped(size.max * 4) } };
};

const quoted: Estimate = (call) => {
  const size = call.size(0);
  return { units: call.walk(size, perCharacter), size: { ...size, min: size.min + 2, max: capped(size.max * 2 + 2) } };
};

const within: Estimate = (call) => ({ units: call.form.parameters[1]!.kind === 'list' ? call.walk(call.size(1), 1) : 1 });

/** By name; those of member functions begin with a dot. All others cost one unit. */
const estimates: Readonly<Record<string, Estimate>> = {
  '_==_': compared, '_!=_': compared, '_<_': ordered, '_<=_': ordered, '_>_': ordered, '_>=_': ordered, '_+_': added, '_in_': within,
  '.startsWith': through(1), '.endsWith': through(1), '.format': through(0), 'url': kept,
  '.lowerAscii': kept, '.upperAscii': kept, '.substring': kept, '.trim': kept,
  '.isSorted': overList, '.sum': overList, '.max': overList, '.min': overList, '.indexOf': overList, '.lastIndexOf': overList,
  '.replace': replaced, '.split': split, '.join': joinedTexts, '.find': found, '.findAll': found, '.matches': (call) => ({ units: searched(call) }),
  '.contains': (call) => ({ units: capped(call.walk(call.size(0), perCharacter) * call.walk(call.size(1), perCharacter)) }),
  '.containsIP': contained(addressUnits), '.containsCIDR': contained(addressUnits + maskUnits),
  '.validate': (call) => ({ units: capped(call.walk(call.size(1), perCharacter) * formatPattern * perPatternCharacter) }),
  'ip': through(0), 'isIP': through(0), 'cidr': through(0), 'isCIDR': through(0), 'quantity': through(0), 'isQuantity': through(0), 'semver': through(0), 'isSemver': through(0),
  'ip.isCanonical': (call) => ({ units: call.walk(call.size(0), 2 * perCharacter) }),
  'sets.contains': sets(1), 'sets.intersects': sets(1), 'sets.equivalent': sets(2),
  'string': textOfBytes, 'bytes': bytesOfText, 'strings.quote': quoted,
};

/** What a call costs at most beyond its arguments. */
export const callEstimate = (call: SizedCall): CallEstimate => {
  const key = `${call.form.member ? '.' : ''}${call.form.name}`;
  return (Object.hasOwn(estimates, key) ? estimates[key]! : () => ({ units: 1 }))(call);
};
