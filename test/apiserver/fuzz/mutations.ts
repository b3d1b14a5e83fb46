/** Changes of a JSON value on purpose, and its text, in which stands what no JSON library would write. */
import * as fc from 'fast-check';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const deepObject = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** Texts of values that are seldom thought of. */
export const oddValues: readonly string[] = [
  'null', 'true', 'false', '0', '-1', '-0', '1.5', '1e400', '-1e400', '1e-400', '2147483648', '-2147483649', '9007199254740993', '1e21', '9'.repeat(400),
  '""', '" "', '"a"', '"\\u0000"', '"\\ud800"', '"\\udc00x"', '"\\ufeff"', '"\\n"', `"${'x'.repeat(300)}"`, `"${'9'.repeat(120)}"`, '"é💥"', '"A_B"', '"a/b"', '"a..b"', '"../../etc"', '"%2e%2e"', '"*"', '"*.a"',
  '"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '"$patch"', '"true"', '"0"', '"-1"', '"1e3"', '"1e100000000"', '"99999999999999999999Ei"', '"-1Gi"', '"0.0000000000000001n"', '"50%"', '"1000%"',
  '"2026-01-01T00:00:00Z"', '"2026-13-45T99:99:99Z"', '"+275760-09-13T00:00:00Z"', '"0000-00-00T00:00:00Z"', '"10.96.0.1"', '"::ffff:1.2.3.4"', '"1.2.3.4/33"', '"a in (b"', '"(a+)+$"', '"=="', '"*/0 * * * *"', '"@every 1h"',
  '[]', '{}', '[null]', '[[]]', '[{}]', '{"a":null}', '{"":""}', '["a","a"]', '[{"name":"a"},{"name":"a"}]', deep(20), deep(99), deep(101), deep(5_000), deepObject(120),
  '{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}', '{"a":1,"a":2}', '{"\\u005f_proto__":{"polluted":true}}', '{"toString":1,"valueOf":2,"then":3,"length":-1}', '{"$patch":"replace"}', '{"$patch":"delete"}',
  '{"$retainKeys":["a"]}', '{"$setElementOrder/containers":[{"name":"c"}]}', '{"$deleteFromPrimitiveList/finalizers":["x"]}', '{"matchLabels":{"a b":"c"}}', '{"key":"a","operator":"In","values":[]}', '{"type":1,"strVal":"x"}',
];

const oddNames: readonly string[] = [
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'length', 'toJSON', '', ' ', '0', '-1', 'a/b', 'a.b/c', '~1', '\ud800', 'x'.repeat(300), '$patch', '$retainKeys', '$setElementOrder/containers',
  '$deleteFromPrimitiveList/finalizers', 'kind', 'apiVersion', 'metadata', 'spec', 'status', 'name', 'namespace', 'uid', 'resourceVersion', 'generateName', 'ownerReferences', 'managedFields', 'finalizers', 'deletionTimestamp', 'labels', 'annotations', 'items', 'data',
];

/** One change: where (the number of a member, in the order of a walk), what is done, and with what. */
export interface Mutation {
  readonly at: number;
  readonly what: number;
  readonly to: number;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({ at: fc.nat(5_000), what: fc.nat(9), to: fc.nat(10_000) });

interface Spot {
  readonly holder: { [name: string]: Json } | Json[];
  readonly name: string;
}

const spotsOf = (value: Json, out: Spot[] = []): Spot[] => {
  if (typeof value !== 'object' || value === null) return out;
  for (const name of Object.keys(value)) {
    out.push({ holder: value, name });
    spotsOf((value as { [name: string]: Json })[name]!, out);
  }
  return out;
};

/** Stands for the text of an odd value until the whole is written. */
const mark = (index: number): string => `@@odd:${index % oddValues.length}@@`;
const define = (holder: Spot['holder'], name: string, value: Json): void => {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
};

const mutate = (root: Json, { at, what, to }: Mutation): void => {
  const spots = spotsOf(root);
  const spot = spots[at % Math.max(1, spots.length)];
  if (spot === undefined) return;
  const { holder, name } = spot;
  const here = (holder as { [name: string]: Json })[name]!;
  switch (what) {
    case 0: case 1: case 2: define(holder, name, mark(to)); break;
    case 3: if (Array.isArray(holder)) holder.splice(Number(name), 1); else delete holder[name]; break;
    case 4: if (Array.isArray(holder)) holder.push(structuredClone(here)); else define(holder, oddNames[to % oddNames.length]!, structuredClone(here)); break;
    case 5: if (!Array.isArray(holder)) define(holder, oddNames[to % oddNames.length]!, mark(to * 7)); else holder.push(mark(to)); break;
    case 6: define(holder, name, [structuredClone(here)]); break;
    case 7: define(holder, name, { [oddNames[to % oddNames.length]!]: structuredClone(here) }); break;
    case 8: {
      const other = spots[to % spots.length]!;
      define(holder, name, structuredClone((other.holder as { [name: string]: Json })[other.name]!));
      break;
    }
    default: if (typeof here === 'string') define(holder, name, `${here}${oddNames[to % oddNames.length]!}`); else define(holder, name, String(to));
  }
};

/** The text of a value after the changes. The value itself stays as it is. */
export const mutatedText = (value: Json, mutations: readonly Mutation[]): string => {
  const copy = structuredClone({ root: value });
  for (const one of mutations) mutate(copy.root, one);
  return JSON.stringify(copy.root).replaceAll(/"@@odd:(\d+)@@"/g, (_, index: string) => oddValues[Number(index)]!);
};
