/** What rules of a definition can cost. The numbers are those that Kubernetes 1.32 comes to for the same schemas and rules. */
import test from 'ava';
import { declaredSizes } from '../../../apiserver/custom/rules/declared-sizes.ts';
import { definitionRuleErrors } from '../../../apiserver/custom/rules/check-rules.ts';
import { checkedExpression } from '../../../apiserver/custom/rules/rule-programs.ts';
import { ruleType } from '../../../apiserver/custom/rules/rule-types.ts';
import { customSchema } from '../../../schemas/custom/custom-schema.ts';
import type { CustomResourceDefinition } from '../../../schemas/types/custom-resource-definition.ts';
import type { JsonSchemaProps } from '../../../schemas/types/json-schema-props.ts';
import { testApi } from '../../helpers/api.ts';
import { answerOf, define, definitions, specSchema, widgetDefinition, type Json } from '../../helpers/custom.ts';

type Max = number | undefined;

/** A schema whose limits are all the same, or all absent. */
type Schema = (max: Max) => Json;

const number: Schema = () => ({ type: 'number' });
const boolean: Schema = () => ({ type: 'boolean' });
const either: Schema = (maxLength) => ({ 'x-kubernetes-int-or-string': true, maxLength });
const text: Schema = (maxLength) => ({ type: 'string', maxLength });
const formatted = (format: string): Schema => (maxLength) => ({ type: 'string', format, ...(format === 'byte' ? { maxLength } : {}) });
const list = (items: Schema): Schema => (maxItems) => ({ type: 'array', maxItems, items: items(maxItems) });
/** What it holds has no limit. */
const listOf = (items: Schema): Schema => (maxItems) => ({ type: 'array', maxItems, items: items(undefined) });
const map = (values: Schema): Schema => (maxProperties) => ({ type: 'object', maxProperties, additionalProperties: values(maxProperties) });
const mapOf = (values: Schema): Schema => (maxProperties) => ({ type: 'object', maxProperties, additionalProperties: values(undefined) });
const object: Schema = (max) => ({ type: 'object', required: ['required'], properties: { required: text(max), other: number(max) } });
const members = (properties: Readonly<Record<string, Schema>>): Schema => (max) => ({ type: 'object', properties: Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, schema(max)])) });
const always = (schema: Schema, max: number): Schema => () => schema(max);

const unitsOf = (schema: Json, rule: string): number => {
  const whole = customSchema(schema as JsonSchemaProps);
  return checkedExpression(rule, ruleType(whole, 'self'), {}).checked.estimate(declaredSizes(whole).get(whole)!).units;
};

const costs: readonly (readonly [schema: Schema, rule: string, unlimited: number, max: number, limited: number])[] = [
  [list(number), 'self.all(x, true)', 4_718_591, 10, 32],
  [list(text), 'self.all(x, true)', 3_145_727, 20, 62],
  [list(boolean), 'self.all(x, true)', 1_887_437, 5, 17],
  [list(list(number)), 'self.all(x, true)', 3_145_727, 100, 302],
  [list(object), 'self.all(x, true)', 555_128, 50, 152],
  [list(either), 'self.all(x, true)', 4_718_591, 10, 32],
  [list(formatted('duration')), 'self.all(x, true)', 2_359_295, 5, 17],
  [list(formatted('date')), 'self.all(x, true)', 725_936, 15, 47],
  [list(formatted('date-time')), 'self.all(x, true)', 428_963, 25, 77],
  [map(number), 'self.all(x, true)', 1_348_169, 10, 32],
  [map(text), 'self.all(x, true)', 1_179_647, 3, 11],
  [map(boolean), 'self.all(x, true)', 943_718, 100, 302],
  [map(object), 'self.all(x, true)', 428_963, 20, 62],
  [map(list(number)), 'self.all(x, true)', 1_179_647, 25, 77],
  [map(formatted('date')), 'self.all(x, true)', 524_288, 10, 32],
  [text, "self.contains('test')", 314_574, 10, 5],
  [text, "self.startsWith('test')", 2, 15, 2],
  [text, "size(self + 'hello') > size('hello')", 314_578, 4, 7],
  [text, "self.matches('x')", 314_574, 50, 22],
  [text, "''.matches('(((((((((())))))))))[0-9]')", 7, 10, 7],
  [text, "self.matches('')", 1, 100, 1],
  [text, "self == 'x'", 2, 0, 1],
  [formatted('byte'), "self == b'x'", 2, 0, 1],
  [text, "self.find('[0-9]+') == ''", 629_147, 10, 11],
  [text, "self.lowerAscii() == 'lower!'", 314_575, 10, 6],
  [list(number), 'self[1] == 0.0', 2, 5_000, 2],
  [listOf(text), 'self[1] == self[1]', 314_577, 8, 314_577],
  [list(boolean), 'self[0] == false', 2, 25, 2],
  [list(object), 'self[0] == null', 2, 422, 2],
  [list(either), 'self[0] == 5', 3, 10, 3],
  [list(list(number)), 'self[0][0] == -1.0', 3, 51, 3],
  [list(map(number)), 'self.all(x, x.y == 25.2)', 6_291_452, 12, 74],
  [list(map(number)), 'self[0].x > 2.0', 4, 3_000, 4],
  [list(formatted('duration')), 'self[0].getHours() == 2', 4, 525, 4],
  [map(number), "self['x'] == 0.0", 2, 0, 2],
  [map(text), 'self.all(x, x.contains(self[x]))', 2_752_507, 10, 72],
  [mapOf(number), 'oldSelf.size() == self.size()', 5, 10, 5],
  [list(text), "self.join(' ') == 'aa bb'", 329_853_068_905, 10, 43],
  [list(text), 'self.isSorted() == true', 329_854_432_052, 10, 52],
  [members({ str: text, before: always(text, 2), after: always(text, 4) }), "self.str.replace(self.before, self.after) == 'does not matter'", 629_154, 4, 12],
  [members({ str: text, separator: text }), 'self.str.split(self.separator) == []', 629_160, 10, 22],
  [list(number), 'self.all(x, x == 0.0)', 6_291_454, 3 * 1024 * 2048, 25_165_826],
  [list(number), 'self.all(x, self.all(y, true))', 2 + 1_572_863 * 4_718_594, 10, 352],
  [list(number), 'self.all(x, self.all(y, self.all(z, true)))', 2 + 1_572_863 * (5 + 1_572_863 * 4_718_594), 10, 3_552],
  [map(formatted('date-time')), "self['a'] == self['b']", 8, 7, 8],
];

for (const [schema, rule, unlimited, max, limited] of costs) {
  test(`estimates ${rule} of ${JSON.stringify(schema(undefined))}`, (t) => {
    t.deepEqual([unitsOf(schema(undefined), rule), unitsOf(schema(max), rule)], [unlimited, limited]);
  });
}

/** Rules that Kubernetes' numbers say nothing of here: what each part adds. */
const parts: readonly (readonly [rule: string, units: number])[] = [
  ['has(self.words) && self.size == 1', 3], ['self.size == 1 || self.size == 2 || self.size == 3', 6], ['!(self.size > 0)', 4],
  ['self.size > 0 ? self.words.size() > 1 : true', 7], ['[1, 2].exists(x, x == 1)', 10 + 1 + 2 * (4 + 1)], ['[1, 2].exists_one(x, x == 1)', 10 + 2 + 2 * (2 + 1)],
  ['[1, 2].map(x, x + 1).size() == 2', 10 + 11 + 2 * (12 + 2) + 2], ['[1, 2].filter(x, x > 1).size() == 1', 10 + 11 + 2 * (13 + 2) + 2],
  ['{1: 2}.transformMap(k, v, v).size() == 1', 30 + 31 + 1 * (3 + 1) + 2], ['cel.bind(x, self.size, x == 1)', 10 + 2 + 1], ['self.?size.hasValue()', 3],
  ['self.?size.optMap(x, x + 1).orValue(0) == 1', 2 + 1 + (10 + 3 + 2 + 1) + 1 + 1], ["dyn(self.size) == 'a'", 3], ["'a' in self.words", 2 + 10], ['self.words.all(w, w in self.words)', 2 + 1 + 10 * (3 + 3 + 10)],
  ["self.words.map(w, w + 'b').all(x, x.contains('c'))", 2 + 11 + 10 * (12 + 1 + 3) + 1 + 10 * (3 + 1)], ["sets.contains(self.words, ['a', 'b'])", 2 + 10 + 1 + 20], ["'%d'.format([self.size]) == 'a'", 12 + 1 + 1],
  ["ip('1.2.3.4') == ip('1.2.3.5')", 3], ["cidr('10.0.0.0/8').containsIP('10.1.2.3')", 1 + 4 + 1], ["self.words.join('').split('').size() > 3", 2 + 20 + 40 + 2],
];

/** And these are Kubernetes' numbers for functions of its library. */
const functions: readonly (readonly [rule: string, units: number])[] = [
  ["ip('192.168.0.1').family() == 1", 2 + 1 + 1], ["ip('2001:db8:3333:4444:5555:6666:7777:8888').isLoopback()", 4 + 1], ["ip('192.168.0.1') == ip('192.168.0.1')", 2 + 2 + 1],
  ["ip.isCanonical('192.168.0.1')", 3], ["ip.isCanonical('2001:db8:3333:4444:5555:6666:7777:8888')", 8],
  ["cidr('192.168.0.0/16').containsCIDR(cidr('192.0.0.0/30'))", 2 + 9], ["cidr('192.168.0.0/16').containsCIDR('192.0.0.0/30')", 2 + 9], ["cidr('192.168.0.0/16').containsIP('192.0.0.1')", 2 + 5],
  ["cidr('2001:db8::/32').containsIP(ip('2001:db8:3333:4444:5555:6666:7777:8888'))", 2 + 8], ["cidr('2001:db8::/32') == cidr('2001:db8::/32')", 2 + 2 + 1],
  ["url('https:://kubernetes.io/').getHost() == 'a'", 4 + 1], ["url('https:://kubernetes.io/') == url('https:://kubernetes.io/')", 9], ["url('https:://kubernetes.io/') == url('http://x.b')", 5],
  ["quantity('50Mi').isGreaterThan(quantity('50M'))", 3], ["quantity('200M').compareTo(quantity('0.2G')) > 0", 4], ["quantity('50k').add(20).sub(quantity('100k')).sub(-50000).asInteger() > 0", 7],
  ["strings.quote('ABCDEFGHIJ abcdefghij') == strings.quote('ABCDEFGHIJ abcdefghij')", 11], ["'ABCDEFGHIJ abcdefghij'.lowerAscii() == 'abcdefghij ABCDEFGHIJ'.lowerAscii()", 9],
  ['sets.contains([1], [1, 1])', 23], ['sets.contains([1, 2, 3, 4], [2, 3])', 29], ['!sets.contains([1], [2])', 23], ['sets.equivalent([1], [1, 1])', 25], ['sets.contains([[1], [2, 3]], [[2, 3]])', 53],
  ['[1, 2, 3, 4, 5].sum() == 15', 15 + 1], ['[1, 2, 3, 4, 5].indexOf(3) == 2', 15 + 1],
];

test('estimates functions of the library', (t) => {
  for (const [rule, units] of functions) t.is(unitsOf({ type: 'object' }, rule), units, rule);
});

test('estimates each part of an expression', (t) => {
  const schema = { type: 'object', properties: { size: { type: 'integer' }, words: { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 5 } } } };
  for (const [rule, units] of parts) t.is(unitsOf(schema, rule), units, rule);
});

const rules = (...all: readonly Json[]): Json => ({ 'x-kubernetes-validations': all });

/** What is wrong with a definition whose spec has these properties, without the path to them. */
const told = (properties: Json): readonly string[] => definitionRuleErrors(widgetDefinition({ schema: specSchema(properties) }) as unknown as CustomResourceDefinition)
  .map(({ field, message }) => `${field.replace('spec.versions[0].schema.openAPIV3Schema', '').replace('.properties[spec].properties', '')}: ${message.replace(/^Forbidden: /, '')}`);

const loop = (maxItems: number | undefined): Json => ({ type: 'array', maxItems, items: { type: 'number' }, ...rules({ rule: 'self.all(x, true)' }) });

test('a rule may cost so much and no more', (t) => {
  t.deepEqual(told({ list: loop(3_333_332) }), []);
  t.deepEqual(told({ list: loop(3_333_333) }), ['[list].x-kubernetes-validations[0].rule: estimated rule cost exceeds budget by factor of 1.000000x (simplify it, or lower maxItems, maxProperties and maxLength in the schema)']);
});

test('what is repeated costs as often as it can be there, and what would limit it is named', (t) => {
  const texts = (maxItems: number | undefined, maxLength: number | undefined): Json => ({ list: { type: 'array', maxItems, items: { type: 'string', maxLength, ...rules({ rule: "self.contains('x')" }) } } });
  t.deepEqual(told(texts(undefined, undefined)), [
    '[list].items.x-kubernetes-validations[0].rule: estimated rule cost exceeds budget by factor of more than 100x (simplify it, or set maxItems of spec.list, maxLength of spec.list[*])',
    '[list].items.x-kubernetes-validations[0].rule: contributed to estimated rule & messageExpression cost total exceeding cost limit for entire OpenAPIv3 schema',
    ': x-kubernetes-validations estimated rule & messageExpression cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (simplify the rules, or set maxItems of spec.list, maxLength of spec.list[*])',
  ]);
  t.deepEqual(told(texts(1_000, undefined)).slice(0, 1), ['[list].items.x-kubernetes-validations[0].rule: estimated rule cost exceeds budget by factor of 31.5x (simplify it, or set maxLength of spec.list[*])']);
  t.deepEqual(told(texts(1_000, 1_000)), []);
  t.deepEqual(told({ map: { type: 'object', additionalProperties: { type: 'integer', ...rules({ rule: 'self > 1' }) } } }), [], 'as often as fits into a request');
  t.regex(told({ map: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } }, ...rules({ rule: Array.from({ length: 4 }, () => 'self.a > self.b').join(' && ') }) } } })[0]!, /exceeds budget by factor of 2\.1x \(simplify it, or set maxProperties of spec\.map\)$/);
});

test('all rules of a version together may cost so much and no more', (t) => {
  const many = (count: number): Json => Object.fromEntries(Array.from({ length: count }, (_, index) => [`list${index}`, loop(3_333_332)]));
  t.deepEqual(told(many(10)), []);
  const errors = told({ ...many(11), small: { type: 'integer', ...rules({ rule: 'self > 1' }) } });
  t.deepEqual(errors.map((error) => error.replace(/: .*/, '')), [...[0, 1, 2, 3].map((index) => `[list${index}].x-kubernetes-validations[0].rule`), '']);
  t.regex(errors.at(-1)!, /exceeds budget by factor of 1\.100000x \(simplify the rules, or lower/);
});

test('a message that is made may cost as much as a rule', (t) => {
  const message = (messageExpression: string): Json => ({ size: { type: 'integer', ...rules({ rule: 'self > 1', messageExpression }) } });
  t.deepEqual(told(message("'%d is too small'.format([self])")), []);
  t.is(told(message("string(self) + ' is too small'"))[0], '[size].x-kubernetes-validations[0].messageExpression: estimated messageExpression cost exceeds budget by factor of more than 100x (simplify it: nothing is known of the size of what some calls give, such as string(..))');
});

test('the name of the object counts as the schema says, if it says all of it', (t) => {
  const whole = (properties: Json): readonly string[] => definitionRuleErrors(widgetDefinition({ schema: { type: 'object', properties, ...rules({ rule: Array.from({ length: 40 }, () => "self.metadata.name.contains('x')").join(' && ') }) } }) as unknown as CustomResourceDefinition).map(({ message }) => message);
  t.regex(whole({})[0] ?? '', /by factor of 1\.258304x \(simplify it, or set maxLength of metadata\.name\)/);
  t.deepEqual(whole({ apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 60 }, generateName: { type: 'string' } } } }), []);
});

test('only the first few missing limits are named', (t) => {
  const fields = Array.from({ length: 5_000 }, (_, index) => `f${index}`);
  const [error] = told({ x: { type: 'object', properties: Object.fromEntries(fields.map((name) => [name, { type: 'string' }])), ...rules({ rule: `[${fields.map((name) => `self.${name}`).join(', ')}][0].matches('${'a'.repeat(200)}')` }) } });
  t.regex(error ?? '', /exceeds budget by factor of 1\.6x \(simplify it, or set maxLength of spec\.x\.f0, .*maxLength of spec\.x\.f7\)$/);
});

test('a version that was there may keep its schema, whatever it costs', (t) => {
  const definition = (properties: Json): CustomResourceDefinition => widgetDefinition({ schema: specSchema(properties) }) as unknown as CustomResourceDefinition;
  const old = definition({ list: loop(3_333_333) });
  t.deepEqual(definitionRuleErrors({ ...old, spec: { ...old.spec, names: { ...old.spec.names, shortNames: ['wd'] } } }, old), []);
  t.is(definitionRuleErrors(definition({ list: loop(3_333_334) }), old).length, 1);
  t.is(definitionRuleErrors(old).length, 1);
});

test('the server refuses a definition whose rules cost too much, and takes it once they are limited', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  const pairs = (maxItems: number | undefined): Json => widgetDefinition({ schema: specSchema({ ports: { type: 'array', maxItems, items: { type: 'integer' }, ...rules({ rule: 'self.all(a, self.exists_one(b, a == b))', message: 'must differ' }) } }) });
  const refused = await answerOf(api, { ...definitions, verb: 'create', body: pairs(undefined) });
  t.like(refused, { code: 422, reason: 'Invalid' });
  t.regex(String(refused['message']), /spec\.versions\[0\]\.schema\.openAPIV3Schema\.properties\[spec\]\.properties\[ports\]\.x-kubernetes-validations\[0\]\.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x \(simplify it, or set maxItems of spec\.ports\)/);
  t.is((await define(api, pairs(100))).metadata.name, 'widgets.example.com');
});
