import test from 'ava';
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { CelBudget } from '../../../apiserver/cel/budget.ts';
import { celEnvironment, compileCel } from '../../../apiserver/cel/cel.ts';
import { isEqual } from '../../../apiserver/cel/equality.ts';
import { parseDuration, parseTimestamp } from '../../../apiserver/cel/time.ts';
import { bool, bytes, double, duration, dyn, int, listOf, mapOf, string, timestamp, uint, type CelType } from '../../../apiserver/cel/types.ts';
import { ArrayList, CelTypeValue, CelUint, EntryMap, typeNameOf, type CelValue } from '../../../apiserver/cel/values.ts';

// The tests of the specification of CEL itself, but for what is about protobuf messages, which the API has none of.

type Json = Readonly<Record<string, never>>;

interface Case {
  readonly name: string;
  readonly expr: string;
  readonly value?: Json;
  readonly evalError?: unknown;
  readonly typedResult?: { readonly result?: Json };
  readonly container?: string;
  readonly checkOnly?: boolean;
  readonly disableCheck?: boolean;
  readonly typeEnv?: readonly Json[];
  readonly bindings?: Readonly<Record<string, { readonly value: Json }>>;
}

interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: Case }[];
}

/** What Kubernetes does not have either. */
const leftOut: ReadonlySet<string> = new Set(['block_ext', 'encoders_ext', 'enums', 'math_ext', 'namespace', 'proto2', 'proto2_ext', 'proto3', 'wrappers', 'type_deductions', 'dynamic']);

const aboutMessages = /TestAllTypes|google\.protobuf\.\w+\s*\{|NestedTestAllTypes|google\.protobuf\.(?:Any|Value|Struct|ListValue|\w+Value)|\bproto\./;

/** Tests that fail on purpose, and why. */
const differs: ReadonlyMap<string, string> = new Map([]);

const primitives: Readonly<Record<string, CelType>> = { BOOL: bool, INT64: int, UINT64: uint, DOUBLE: double, STRING: string, BYTES: bytes };

const typeOf = (type: Json): CelType => {
  if ('primitive' in type) return primitives[type['primitive']]!;
  if ('listType' in type) return listOf(typeOf(type['listType']['elemType']));
  if ('mapType' in type) return mapOf(typeOf(type['mapType']['keyType']), typeOf(type['mapType']['valueType']));
  return { 'google.protobuf.Duration': duration, 'google.protobuf.Timestamp': timestamp }[String(type['messageType'])] ?? dyn;
};

const valueOf = (value: Json): CelValue => {
  const [kind, content] = Object.entries(value)[0] as readonly [string, never];
  switch (kind) {
    case 'int64Value': return BigInt(content);
    case 'uint64Value': return new CelUint(BigInt(content));
    case 'doubleValue': return Number(content);
    case 'stringValue': case 'boolValue': return content;
    case 'nullValue': return null;
    case 'bytesValue': return new Uint8Array(Buffer.from(content as string, 'base64'));
    case 'typeValue': return new CelTypeValue(content);
    case 'listValue': return new ArrayList(((content as { values?: readonly Json[] }).values ?? []).map(valueOf));
    case 'mapValue': {
      const map = new EntryMap();
      for (const entry of (content as { entries?: readonly { key: Json; value: Json }[] }).entries ?? []) map.put(valueOf(entry.key), valueOf(entry.value));
      return map;
    }
    case 'objectValue': {
      const { '@type': type, value: text } = content as { '@type': string; value: string };
      return type.endsWith('Duration') ? parseDuration(text)! : parseTimestamp(text)!;
    }
    default: throw new TypeError(kind);
  }
};

const sameValue = (a: CelValue, b: CelValue): boolean =>
  (typeof a === 'number' && typeof b === 'number' ? Object.is(a, b) || a === b : typeNameOf(a) === typeNameOf(b) && isEqual(a, b, new CelBudget(1e6)));

const run = ({ expr, typeEnv = [], bindings = {} }: Case): CelValue => {
  const variables = Object.fromEntries(typeEnv.filter((one) => 'ident' in one).map((one) => [String(one['name']), typeOf((one as Readonly<Record<string, Json>>)['ident']!['type']!)]));
  const values = Object.fromEntries(Object.entries(bindings).map(([name, { value }]) => [name, valueOf(value)]));
  return compileCel(expr, celEnvironment({ variables, literals: 'mixed' })).evaluate(values, new CelBudget(1e6));
};

/** What is wrong with a case, or undefined. */
const wrong = (one: Case): string | undefined => {
  let value: CelValue;
  try {
    value = run(one);
  } catch (error) {
    if (!(error instanceof Error) || !error.name.startsWith('Cel')) throw error;
    // Types are always checked here.
    return one.evalError === undefined && !(one.disableCheck === true && error.name === 'CelCompileError') ? error.message : undefined;
  }
  if (one.evalError !== undefined) return `gave ${String(value)}`;
  const expected = one.value ?? one.typedResult?.result ?? ({ boolValue: true } as unknown as Json);
  return sameValue(value, valueOf(expected)) ? undefined : `gave ${typeof value === 'object' ? JSON.stringify(value) : String(value)} (${typeNameOf(value)}), not ${JSON.stringify(expected)}`;
};

const casesOf = (suite: Suite, path: readonly string[]): readonly { readonly path: string; readonly one: Case }[] => [
  ...(suite.tests ?? []).map(({ original }) => ({ path: [...path, original.name].join('/'), one: original })),
  ...(suite.suites ?? []).flatMap((inner) => casesOf(inner, [...path, inner.name])),
];

const isOurs = (path: string, one: Case): boolean =>
  !leftOut.has(path.split('/')[0]!) && !aboutMessages.test(JSON.stringify(one)) && one.container === undefined && one.checkOnly !== true && !one.typeEnv?.some((env: Readonly<Record<string, unknown>>) => 'function' in env || String(env['name']).includes('.'));

test('expressions give what the specification says', (t) => {
  const cases = casesOf(tests as unknown as Suite, []).filter(({ path, one }) => isOurs(path, one));
  const failures = cases.flatMap(({ path, one }) => {
    const why = wrong(one);
    return why === undefined ? [] : [`${path}: ${one.expr}: ${why}`];
  }).filter((failure) => ![...differs.keys()].some((path) => failure.startsWith(`${path}:`)));
  t.log(`${cases.length} expressions, ${differs.size} of which differ on purpose`);
  t.true(cases.length > 1_000);
  t.deepEqual(failures, []);
});
