/** The macros that go through a list or map. */
import { asBool, attempt, type Compiler, type Frame, type Scope, type Step } from './compile.ts';
import { CelError } from './errors.ts';
import type { Fold } from './syntax.ts';
import { ArrayList, CelList, CelMap, EntryMap, keyOfValue, typeNameOf, type CelValue } from './values.ts';

/** Called for each round that passes the filter, with the key (or index) and the item; false ends it. */
type Round = (key: CelValue, item: CelValue) => boolean;

const goThrough = (range: CelValue, round: Round): void => {
  if (range instanceof CelList) {
    const { size } = range;
    for (let i = 0; i < size; i++) if (!round(BigInt(i), range.at(i))) return;
  } else if (range instanceof CelMap) {
    for (const key of range.keys()) if (!round(key, range.get(keyOfValue(key)!)!)) return;
  } else {
    throw new CelError(`no such overload: a ${typeNameOf(range)} cannot be gone through`);
  }
};

export const compileFold = (node: Fold, scope: Scope, { compile, newSlot }: Compiler): Step => {
  const range = compile(node.range, scope);
  const slots = node.variables.map(newSlot);
  const [first, second] = slots as [number, number | undefined];
  const inner = new Map([...scope, ...node.variables.map((name, i) => [name, slots[i]!] as const)]);
  const filter = node.filter === undefined ? undefined : compile(node.filter, inner);
  const body = compile(node.body, inner);
  const begin = runs[node.macro];
  return (frame) => {
    const over = range(frame);
    const run = begin(body, frame);
    const { slots: values, budget } = frame;
    // A single variable is the item of a list, but the key of a map.
    const single = second === undefined;
    const byItem = single && over instanceof CelList;
    goThrough(over, (key, item) => {
      budget.spend(1);
      values[first] = byItem ? item : key;
      if (!single) values[second] = item;
      return filter !== undefined && !asBool(filter(frame)) ? true : run.round(values[first]);
    });
    return run.result();
  };
};

/** One go through a range: what each round adds, by its first variable, and what comes out. */
interface Run {
  /** False ends it early. */
  round(first: CelValue): boolean;
  result(): CelValue;
}

type Begin = (body: Step, frame: Frame) => Run;

/** The opposite of what decides unless one round decides; an error stands only where none does. */
const quantifier = (decisive: boolean): Begin => (body, frame) => {
  let failure: CelError | undefined;
  let decided = false;
  return {
    round: () => {
      const value = attempt(body, frame);
      decided = value === decisive;
      if (value instanceof CelError) failure ??= value;
      else if (typeof value !== 'boolean') failure ??= new CelError(`no such overload: expected a bool but got ${typeNameOf(value)}`);
      return !decided;
    },
    result: () => {
      if (!decided && failure !== undefined) throw failure;
      return decided ? decisive : !decisive;
    },
  };
};

/** Gathers into a list, a map or a count. */
const gathering = <T>(make: () => T, { add, result }: { readonly add: (into: T, body: Step, frame: Frame, first: CelValue) => T; readonly result: (all: T) => CelValue }): Begin => (body, frame) => {
  let all = make();
  return {
    round: (first) => {
      all = add(all, body, frame, first);
      return true;
    },
    result: () => result(all),
  };
};

const listed = (items: readonly CelValue[]): CelValue => new ArrayList(items);

const mapped = gathering((): CelValue[] => [], { add: (items, body, frame) => (items.push(body(frame)), items), result: listed });

const runs: Readonly<Record<Fold['macro'], Begin>> = {
  all: quantifier(false),
  exists: quantifier(true),
  exists_one: gathering(() => 0, { add: (count, body, frame) => (asBool(body(frame)) ? count + 1 : count), result: (count) => count === 1 }),
  filter: gathering((): CelValue[] => [], {
    add: (items, body, frame, first) => {
      if (asBool(body(frame))) items.push(first);
      return items;
    },
    result: listed,
  }),
  map: mapped,
  transformList: mapped,
  transformMap: gathering(() => new EntryMap(), { add: (map, body, frame, key) => (map.put(key, body(frame)), map), result: (map) => map }),
  transformMapEntry: gathering(() => new EntryMap(), {
    add: (map, body, frame) => {
      const entries = body(frame);
      if (!(entries instanceof CelMap)) throw new CelError(`no such overload: expected a map but got ${typeNameOf(entries)}`);
      for (const key of entries.keys()) {
        frame.budget.spend(1);
        map.put(key, entries.get(keyOfValue(key)!)!);
      }
      return map;
    },
    result: (map) => map,
  }),
};
