import test from 'ava';
import { CelBudget } from '../../../apiserver/cel/budget.ts';
import { celEnvironment, compileCel } from '../../../apiserver/cel/cel.ts';
import { CelBudgetExceeded, CelCompileError, CelError } from '../../../apiserver/cel/errors.ts';
import { escapeName, unescapeName } from '../../../apiserver/cel/escaped-names.ts';
import { toJson } from '../../../apiserver/cel/json.ts';
import { anyMap, bool, bytes, double, duration, dyn, int, listOf, mapOf, string, timestamp, typeText, type CelField, type CelType } from '../../../apiserver/cel/types.ts';

const object = (name: string, fields: Readonly<Record<string, CelType | CelField>>): CelType =>
  ({ kind: 'object', name, fields: new Map(Object.entries(fields).map(([key, field]) => [key, 'jsonName' in field ? field : { jsonName: key, type: field }])) });

const anything = celEnvironment({ variables: { object: dyn, oldObject: dyn, n: int, words: listOf(string) }, isStruct: (name) => name === 'JSONPatch' || name === 'Object' || name.startsWith('Object.') });

const pod = {
  metadata: { name: 'a', labels: { app: 'web', 'example.com/tier': 'front' } },
  spec: { replicas: 3, ratio: 1.5, port: 'http', other: 80, containers: [{ name: 'x', image: 'a/b:1' }, { name: 'y' }], none: null, 'foo-bar': 1, namespace: 'n' },
};

const run = (expression: string, bindings: Readonly<Record<string, unknown>> = { object: pod }): unknown => {
  const value = compileCel(expression, anything).evaluate(bindings, new CelBudget(100_000));
  return toJson(value);
};

const values: readonly (readonly [string, unknown])[] = [
  ['object.spec.replicas == 3', true],
  ['object.spec.replicas + 1', 4],
  ['type(object.spec.replicas) == int && type(object.spec.ratio) == double', true],
  ['type(object.spec.port) == string && type(object.spec.other) == int', true],
  ['has(object.spec.replicas) && !has(object.spec.nothing) && !has(object.status)', true],
  ['has(object.spec.none) && object.spec.none == null', true],
  ["object.metadata.labels['example.com/tier']", 'front'],
  ["'app' in object.metadata.labels && !('x' in object.metadata.labels)", true],
  ['object.spec.foo__dash__bar == 1 && object.spec.__namespace__ == "n" && object.spec.namespace == "n"', true],
  ["object.spec.containers.all(c, has(c.image) || c.name == 'y')", true],
  ["object.spec.containers.exists_one(c, c.name == 'x')", true],
  ["object.spec.containers.filter(c, has(c.image)).map(c, c.name)", ['x']],
  ["object.spec.containers.map(c, has(c.image), c.image.split(':')[1])", ['1']],
  ['object.metadata.labels.all(key, key.size() > 2)', true],
  ['object.metadata.labels.exists(key, value, key == "app" && value == "web")', true],
  ['object.spec.containers.transformList(i, c, "%d %s".format([i, c.name]))', ['0 x', '1 y']],
  ['object.metadata.labels.transformMap(k, v, k == "app", v + "!")', { app: 'web!' }],
  ['cel.bind(x, object.spec.replicas, x * x)', 9],
  ["object.?spec.?nothing.orValue('else')", 'else'],
  ["object[?'spec'].optMap(s, s.replicas).orValue(0)", 3],
  ['[1, 2, ?object.?nothing, 3].size()', 3],
  ['Object{spec: Object.spec{replicas: 2, containers: [Object.spec.containers{name: "x"}], ?no: optional.none()}}', { spec: { replicas: 2, containers: [{ name: 'x' }] } }],
  ['[JSONPatch{op: "add", path: "/metadata/labels/x", value: "y"}]', [{ op: 'add', path: '/metadata/labels/x', value: 'y' }]],
  ['[dyn(1), dyn("a")] == [dyn(1), dyn("a")]', true],
  ['object.missing.deep == 1 || true', true],
  ['false && object.missing.deep == 1', false],
  ['[3, 1, 2].exists(x, 6 / (x - 1) == 6)', true],
  ["timestamp('2026-01-02T03:04:05.5Z') + duration('1h')", '2026-01-02T04:04:05.5Z'],
  ["timestamp('2026-01-02T03:04:05Z').getHours('America/New_York')", 22],
  ['b"abc"', 'YWJj'],
  ['{1: "a", 2: "b"}[dyn(2u)] + {true: "c"}[true]', 'bc'],
  // Lists
  ['[1, 2, 2].isSorted() && ![2, 1].isSorted() && [1, 2, 3].sum() == 6 && [1.5, 2.0].sum() == 3.5', true],
  ["[3, 1].min() == 1 && ['a', 'b'].max() == 'b' && [1, 2, 1].lastIndexOf(1) == 2 && [1, 2].indexOf(3) == -1", true],
  ['object.spec.containers.map(c, c.name).isSorted()', true],
  ['sets.contains([1, 2, 3], [2, 1]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 1, 2], [2, 1])', true],
  ['[[1], [2, 3]].flatten() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2] && [3, 1].sort() == [1, 3]', true],
  // Texts
  ["'tacocat'.substring(1, 3) + 'tacocat'.charAt(0) + ' x '.trim() + 'AbC'.lowerAscii()", 'actxabc'],
  ["'a,b,c'.split(',', 2).join('|') + 'aaa'.replace('a', 'b', 2)", 'a|b,cbba'],
  ["'abc 123'.find('[0-9]+') + 'a1b2c3'.findAll('[0-9]', 2).join('')", '12312'],
  ["'foobar'.matches('^fo+b') && !'x'.matches('y')", true],
  ["strings.quote('a\"b\\n')", '"a\\"b\\n"'],
  // Libraries of Kubernetes
  ["quantity('1.5Gi').isGreaterThan(quantity('500Mi')) && quantity('200k').asInteger() == 200000 && isQuantity('1x') == false", true],
  ["string(quantity('50k').add(quantity('20k')).sub(20000))", '50k'],
  ["quantity('1000m') == quantity('1') && quantity('-1').sign() == -1 && !quantity('1500m').isInteger() && quantity('1500m').asApproximateFloat() == 1.5", true],
  ["url('https://example.com:80/a b?k=1&k=2&z'.replace(' ', '%20')).getEscapedPath()", '/a%20b'],
  ["url('https://[::1]:80/').getHostname() + url('https://u@h.example:8/').getPort() + url('https://h.example/').getScheme() + url('/p').getHost()", '::18https'],
  ["url('https://h/?k=1&k=2&z').getQuery()", { k: ['1', '2'], z: [''] }],
  ["isURL('https://a') && isURL('/a') && !isURL('a b') && !isURL('../x')", true],
  ["ip('127.0.0.1').isLoopback() && ip('2001:db8::1').family() == 6 && ip('10.0.0.1').isGlobalUnicast() && isIP('::1') && !isIP('::ffff:1.2.3.4') && !isIP('01.2.3.4')", true],
  ["string(ip('2001:DB8:0:0:1:0:0:1')) + string(cidr('10.1.2.3/8').masked())", '2001:db8::1:0:0:110.0.0.0/8'],
  ["ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::abcd')", true],
  ["cidr('10.0.0.0/8').containsIP('10.9.9.9') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8') && cidr('::/0').prefixLength() == 0 && !isCIDR('10.0.0.0/33')", true],
  ["!format.dns1123Label().validate('a-b').hasValue() && format.named('dns1123Label').value().validate('A').value().size() == 1 && !format.named('nope').hasValue()", true],
  ["semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && semver('v1.2', true).minor() == 2 && !isSemver('v1.2') && semver('1.10.0').compareTo(semver('1.9.0')) == 1", true],
  ['object.spec.ratio > object.spec.replicas - 2', true],
];

for (const [expression, expected] of values) {
  test(`gives: ${expression}`, (t) => {
    t.deepEqual(run(expression), expected);
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['1 +', /^ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>'/],
  ['object.a &&\n  nothing', /^ERROR: <input>:2:3: undeclared reference to 'nothing' \(in container ''\)\n \| {3}nothing\n \| ..\^$/],
  ['"open', /a string is not ended/],
  ['1 + "a"', /found no matching overload for '_\+_' applied to '\(int, string\)'/],
  ['n == "a"', /found no matching overload for '_==_' applied to '\(int, string\)'/],
  ['n.foo', /type 'int' does not support field selection/],
  ['nope(1)', /undeclared reference to 'nope'/],
  ['n && true', /expected type 'bool' but found 'int'/],
  ["words.all(w, w)", /expected type 'bool' but found 'string' in 'all'/],
  ["words.matches('a')", /no matching overload for 'matches' applied to 'list\(string\)\.\(string\)'/],
  ["'a'.matches('(')", /missing closing \)/],
  ["duration('x') == duration('1s')", /invalid duration argument/],
  ["[1, 'a']", /expected type 'int' but found 'string'/],
  ['n.all(x, true)', /cannot be range of a comprehension/],
  ['has(n)', /invalid argument to has\(\) macro/],
  ['Object{spec: Object.status{}}', /expected type of field 'spec' is 'Object\.spec' but provided type is 'Object\.status'/],
  ['Other{}', /undeclared reference to 'Other'/],
  ['for', /reserved identifier: for/],
  ['9223372036854775808', /invalid int literal/],
  ['#', /token recognition error/],
  [`${'('.repeat(300)}1${')'.repeat(300)}`, /recursion limit/],
  [`${'1 + '.repeat(300)}1`, /recursion limit/],
  ['a'.repeat(100_001), /exceeds limit/],
];

for (const [expression, message] of refused) {
  test(`refuses: ${expression.slice(0, 40)}`, (t) => {
    t.regex(t.throws(() => compileCel(expression, anything), { instanceOf: CelCompileError })!.message, message);
  });
}

const failing: readonly (readonly [string, RegExp])[] = [
  ['object.spec.nothing == 1', /^no such key: nothing$/],
  ['object.spec.containers[7].name == "a"', /^index out of bounds: 7$/],
  ['1 / (n - n) == 1', /^division by zero$/],
  ['9223372036854775807 + n > 0', /^integer overflow$/],
  ['object.spec.port + 1 == 2', /^no such overload/],
  ['object.spec.port && true', /^no such overload/],
  ["object.nothing == 1 && object.nothing == 2", /^no such key/],
  ["quantity('x') == quantity('1')", /quantities must match/],
  ["url('a b').getHost() == ''", /URL parse error/],
  ['oldObject == null', /no such attribute/],
  ["'a'.replace('', 'b'.replace('b', words[0])) == ''", /too long/],
];

for (const [expression, message] of failing) {
  test(`fails: ${expression}`, (t) => {
    t.regex(t.throws(() => compileCel(expression, anything).evaluate({ object: pod, n: 1, words: ['x'.repeat(2 ** 24)] }, new CelBudget(1e9)), { instanceOf: CelError })!.message, message);
  });
}

const big = Array.from({ length: 500 }, (_, i) => i);
const hostile: readonly string[] = [
  'object.all(a, object.all(b, object.all(c, object.all(d, a + b + c + d >= 0))))',
  'object.exists(a, object.exists(b, object.exists(c, 1 / 0 == 1)))',
  "object.map(a, object.map(b, object.map(c, [a, b, c])))",
  "object.map(a, oldObject).map(t, t + t).map(t, t + t + t + t).all(t, t.replace('a', 'aaaa') == t)",
  "object.all(a, oldObject.matches('(a*)*b' + string(a)) || true)",
  "object.all(a, oldObject.contains('b' + string(a)) || true)",
  'object.all(a, sets.contains(object, object))',
  'lists.range(100000000).size() > 0',
  "object.all(a, oldObject.split('').size() > 0)",
  "object.all(a, oldObject.replace('a', 'b').size() > 0)",
  "object.all(a, (oldObject + '\\U0001F600').charAt(3) == 'a')",
  "object.all(a, object.all(b, object == object))",
];

for (const expression of hostile) {
  test(`stops: ${expression}`, (t) => {
    const budget = new CelBudget(1_000_000);
    t.throws(() => compileCel(expression, anything).evaluate({ object: big, oldObject: 'a'.repeat(100_000) }, budget), { instanceOf: CelBudgetExceeded });
    t.throws(() => budget.spend(1), { instanceOf: CelBudgetExceeded });
  });
}

test('a long chain of && is no deep nesting', (t) => {
  t.true(run(Array.from({ length: 3_000 }, () => 'object.spec.replicas == 3').join(' && ')));
});

const declared = celEnvironment({
  variables: {
    self: object('Self', {
      ratio: double, when: timestamp, period: duration, data: bytes, sizes: mapOf(string, int), free: anyMap,
      foo__dash__bar: { jsonName: 'foo-bar', type: int },
      tags: { kind: 'list', item: string, semantics: 'set' },
      ports: { kind: 'list', item: object('Port', { name: string, port: int }), semantics: 'map', mapKeys: ['name'] },
    }),
  },
});

const self = { ratio: 2, when: '2026-01-02T00:00:00Z', period: '90s', data: 'YWI=', sizes: { a: 1 }, 'foo-bar': 7, tags: ['a', 'b'], ports: [{ name: 'http', port: 80 }], free: { x: 1 } };

const ofDeclared: readonly string[] = [
  'type(self.ratio) == double && self.ratio == 2.0',
  "self.when < timestamp('2026-01-03T00:00:00Z') && self.when.getDate() == 2",
  "self.period == duration('1m30s') && self.data == b'ab' && self.data.size() == 2",
  'self.foo__dash__bar == 7 && self.sizes.a == 1 && self.free.x == 1',
  "self.tags == ['b', 'a'] && (self.tags + ['b', 'c']).size() == 3",
  'self.ports == self.ports && self.ports[0].port == 80 && (self.ports + self.ports).size() == 1',
];

for (const expression of ofDeclared) {
  test(`knows declared types: ${expression}`, (t) => {
    const program = compileCel(expression, declared);
    t.is(typeText(program.type), typeText(bool));
    t.true(program.evaluate({ self }, new CelBudget(1_000)));
  });
}

test('refuses members that are not declared, and types that differ', (t) => {
  t.regex(t.throws(() => compileCel('self.nothing == 1', declared))!.message, /undefined field 'nothing'/);
  t.regex(t.throws(() => compileCel("self.ratio == 'a'", declared))!.message, /no matching overload/);
  t.regex(t.throws(() => compileCel('self.ports.all(p, p.nope > 1)', declared))!.message, /undefined field 'nope'/);
});

test('never looks at what is not a member', (t) => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) t.false(run(`has(object.${name})`, { object: {} }), name);
  t.throws(() => run('object.constructor == 1', { object: {} }), { message: 'no such key: constructor' });
});

const names: readonly (readonly [string, string | undefined])[] = [
  ['foo', 'foo'], ['foo-bar', 'foo__dash__bar'], ['a.b/c', 'a__dot__b__slash__c'], ['a__b', 'a__underscores__b'], ['namespace', '__namespace__'], ['$ref', undefined], ['1a', undefined],
];

for (const [name, escaped] of names) {
  test(`writes ${name} as ${escaped}`, (t) => {
    t.is(escapeName(name), escaped);
    if (escaped !== undefined) t.is(unescapeName(escaped), name);
  });
}
