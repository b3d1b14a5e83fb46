/** The small values of the API: quantities, times, names, selectors, owners, conditions, cells. */
import test from 'ava';
import * as fc from 'fast-check';
import { conditionOf, isConditionTrue, withCondition, withoutCondition, type AnyCondition } from '../../schemas/conditions.ts';
import { ApiError } from '../../schemas/errors.ts';
import { parseFieldSelector } from '../../schemas/field-selector.ts';
import { deepFreeze } from '../../schemas/frozen.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { everything, labelMatcher, mapMatcher, nothing, parseLabelSelector, selectorText, validateLabelSelector } from '../../schemas/label-selector.ts';
import * as names from '../../schemas/names.ts';
import { controllerOf, controllerReference, isControlledBy, isOwnedBy, ownerReference } from '../../schemas/owners.ts';
import * as quantities from '../../schemas/quantity.ts';
import { age, humanDuration } from '../../schemas/table-cells.ts';
import { canonicalMicroTime, canonicalTime, timeMs } from '../../schemas/timestamps.ts';

const { addQuantities, canonicalQuantity, compareQuantities, cpuMilli, memoryBytes, parseQuantity, quantityOfBytes, quantityOfMilli, subtractQuantities, whyNotQuantity } = quantities;

test('quantities have one canonical form', (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['0', '0'], ['0Gi', '0'], ['1', '1'], ['+1', '1'], ['-1', '-1'], ['1000m', '1'], ['0.5', '500m'], ['.5', '500m'], ['5.', '5'],
    ['1024Mi', '1Gi'], ['1.5Gi', '1536Mi'], ['1025Ki', '1025Ki'], ['0.1Ki', '102400m'], ['512Ki', '512Ki'], ['0.5Ki', '512'],
    ['1e3', '1e3'], ['12E6', '12e6'], ['1500e-3', '1500e-3'], ['1000e-3', '1'], ['1E', '1E'], ['100k', '100k'], ['1500', '1500'], ['1000000', '1M'],
    ['0.0000000001', '1n'], ['-0.0000000001', '-1n'], ['9999999999999E', '9223372036854775807'], ['1e400', '9223372036854775807'], ['1e-400', '1e-9'],
    ['123.456', '123456m'], ['0.001u', '1n'],
  ];
  for (const [text, canonical] of table) t.is(canonicalQuantity(text), canonical, text);
});

test('what is no quantity is refused', (t) => {
  for (const text of ['', '.', '-', 'Ki', '1 k', '1KI', '1kk', '1e', '1e1.5', '0x10', '1,5', 'NaN', '١', '1'.repeat(200)]) {
    t.is(parseQuantity(text), undefined, text);
    t.true((whyNotQuantity(text) ?? '').includes('500m'), text);
    t.is(canonicalQuantity(text), text);
  }
  t.throws(() => cpuMilli('nine'), { instanceOf: RangeError, message: /"nine" is not a quantity/ });
});

test('helpers round up to whole units', (t) => {
  t.is(cpuMilli('0.5'), 500);
  t.is(cpuMilli('100u'), 1);
  t.is(cpuMilli(undefined), 0);
  t.is(cpuMilli('-1500u'), -1);
  t.is(memoryBytes('1Ki'), 1024);
  t.is(memoryBytes('1500m'), 2);
  t.is(quantityOfMilli(250), '250m');
  t.is(quantityOfMilli(2000), '2');
  t.is(quantityOfBytes(512 * 1024 * 1024), '512Mi');
  t.is(addQuantities('0', '1Gi'), '1Gi');
  t.is(addQuantities('500m', '1500m'), '2');
  t.is(addQuantities('1Gi', '1G'), '2073741824');
  t.is(subtractQuantities('1', '250m'), '750m');
  t.true(compareQuantities('1000Mi', '1Gi') < 0);
  t.is(compareQuantities('1000m', '1'), 0);
});

const amount = fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat(999_999), fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'E-2'))
  .map(([whole, fraction, suffix]) => `${whole}.${fraction}${suffix}`);

test('the canonical form means the same and is its own canonical form', (t) => {
  fc.assert(fc.property(amount, (text) => {
    const canonical = canonicalQuantity(text);
    return compareQuantities(text, canonical) === 0 && canonicalQuantity(canonical) === canonical && !canonical.includes('.');
  }));
  t.pass();
});

test('sums are exact: order does not matter and what was added can be taken away', (t) => {
  fc.assert(fc.property(amount, amount, amount, (a, b, c) => {
    const left = addQuantities(addQuantities(a, b), c);
    const right = addQuantities(a, addQuantities(b, c));
    return compareQuantities(left, right) === 0 && compareQuantities(subtractQuantities(left, c), addQuantities(a, b)) === 0
      && Math.sign(compareQuantities(a, b)) === -Math.sign(compareQuantities(b, a));
  }));
  t.pass();
});

test('times are written in UTC with whole seconds or microseconds', (t) => {
  t.is(canonicalTime('2026-01-31T12:00:00.999+02:00'), '2026-01-31T10:00:00Z');
  t.is(canonicalMicroTime('2026-01-31T12:00:00.1234567Z'), '2026-01-31T12:00:00.123456Z');
  t.is(canonicalMicroTime('2026-01-31T12:00:00Z'), '2026-01-31T12:00:00.000000Z');
  t.is(timeMs('1970-01-01T00:00:01.5Z'), 1500);
  for (const text of ['', '2026-02-30T00:00:00Z', '2026-01-31', '2026-01-31 12:00:00Z', '2026-01-31T24:00:00Z', '2026-01-31T12:00:00', 'now']) {
    t.is(timeMs(text), undefined, text);
    t.is(canonicalTime(text), text);
  }
});

test('names are held to the rules of their sort', (t) => {
  const rules: Readonly<Record<string, readonly [rule: (text: string) => string | undefined, right: readonly string[], wrong: readonly string[]]>> = {
    label: [names.whyNotDnsLabel, ['a', '0', 'a-b', 'a'.repeat(63)], ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a'.repeat(64), 'ä', 'a\n']],
    label1035: [names.whyNotDns1035Label, ['a', 'a-1'], ['1a', '', '-a', 'a.b', 'a'.repeat(64)]],
    subdomain: [names.whyNotDnsSubdomain, ['a', 'a.b', '1.2', 'a-b.c', `${'a'.repeat(60)}.`.repeat(4) + 'aaaaaaaaa'], ['', '.', 'a.', '.a', 'a..b', 'A', 'a_b', 'a'.repeat(254)]],
    qualified: [names.whyNotQualifiedName, ['a', 'A.b_c-D', 'example.com/a', 'a'.repeat(63)], ['', '/a', 'a/', 'a/b/c', 'Example.com/a', '-a', 'a'.repeat(64), 'a b']],
    value: [names.whyNotLabelValue, ['', 'a', 'A.b_c-D'], ['-a', 'a-', 'a b', 'a/b', 'a'.repeat(64)]],
    port: [names.whyNotPortName, ['http', 'a1', '1a', 'abcdefghijklmno'], ['', '80', 'Http', 'a--b', '-a', 'a-', 'a_b', 'abcdefghijklmnop']],
    env: [names.whyNotEnvName, ['A', 'a.b', 'A-B', '1', 'a b'], ['', 'A=B', 'ä', 'a\n']],
    key: [names.whyNotDataKey, ['a', '.a', 'A_b.c-d', '...'.slice(0, 1) + 'x'], ['', '.', '..', '..a', 'a/b', 'a b', 'a'.repeat(254)]],
    ip: [names.whyNotIp, ['10.0.0.1', '::1'], ['', '10.0.0', '10.0.0.256', '10.0.0.1/8', 'a']],
    cidr: [names.whyNotCidr, ['10.0.0.0/8', '::/0', '0.0.0.0/0'], ['', '10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/08', '10.0.0.0/8/8', 'a/8']],
    path: [names.whyNotLocalPath, ['a/b', 'a/..b', '.'], ['/a', '../a', 'a/..', 'a/../b']],
    resource: [names.whyNotContainerResource, ['cpu', 'memory', 'example.com/gpu', 'hugepages-2Mi'], ['cpus', 'a b', '']],
  };
  for (const [name, [rule, right, wrong]] of Object.entries(rules)) {
    for (const text of right) t.is(rule(text), undefined, `${name}: ${text}`);
    for (const text of wrong) t.is(typeof rule(text), 'string', `${name}: ${text}`);
  }
  t.is(names.whyNotPortNumber(65535), undefined);
  for (const port of [0, -1, 65536, 1.5]) t.is(typeof names.whyNotPortNumber(port), 'string');
});

test('label selectors parse, print and match', (t) => {
  const table: readonly (readonly [text: string, printed: string, yes: readonly Record<string, string>[], no: readonly Record<string, string>[]])[] = [
    ['', '', [{}, { a: 'b' }], []],
    ['a=b', 'a=b', [{ a: 'b', c: 'd' }], [{}, { a: 'c' }]],
    ['a == b , c != d', 'a=b,c!=d', [{ a: 'b' }, { a: 'b', c: 'e' }], [{ a: 'b', c: 'd' }]],
    ['z in (y, x),!q', '!q,z in (x,y)', [{ z: 'x' }, { z: 'y' }], [{}, { z: 'w' }, { z: 'x', q: '' }]],
    ['tier notin (a,b)', 'tier notin (a,b)', [{}, { tier: 'c' }], [{ tier: 'a' }]],
    ['example.com/a', 'example.com/a', [{ 'example.com/a': '' }], [{}]],
    ['a=', 'a=', [{ a: '' }], [{}, { a: 'x' }]],
    ['n>5,n<10', 'n>5,n<10', [{ n: '6' }], [{ n: '5' }, { n: '10' }, { n: 'x' }, {}]],
    ['in in (in),notin', 'in in (in),notin', [{ in: 'in', notin: 'x' }], [{ in: 'in' }]],
  ];
  for (const [text, printed, yes, no] of table) {
    const matcher = parseLabelSelector(text);
    t.is(String(matcher), printed, text);
    for (const labels of yes) t.true(matcher.matches(labels), `${text} takes ${JSON.stringify(labels)}`);
    for (const labels of no) t.false(matcher.matches(labels), `${text} leaves ${JSON.stringify(labels)}`);
  }
  t.false(parseLabelSelector('constructor').matches({}));
});

test('a selector that cannot be read is refused with what was wanted', (t) => {
  const table: Readonly<Record<string, RegExp>> = {
    'a=b c': /found "c" where ',' or the end/, '=b': /where a label key was wanted/, 'a,,b': /where a label key was wanted/, 'a in (x': /the end where ',' or '\)'/,
    '!': /missing at the end/, 'k in x': /where '\('/, 'a b': /one of '='/, 'a b=c': /one of '='/, '-a=b': /label key "-a"/, 'a=-b': /label value "-b"/, 'n>x': /must be an integer/,
    'a=b,': /missing at the end/,
  };
  for (const [text, message] of Object.entries(table)) {
    const error = t.throws(() => parseLabelSelector(text), { instanceOf: ApiError, message }, text);
    t.is(error?.code, 400);
  }
  t.throws(() => parseLabelSelector(`a=${'b'.repeat(70_000)}`), { instanceOf: ApiError, message: /longer than/ });
  t.throws(() => parseFieldSelector(Pod, `metadata.name=${'b'.repeat(70_000)}`), { instanceOf: ApiError, message: /longer than/ });
});

test('selector objects: absent selects nothing, empty everything, a map all its labels', (t) => {
  t.is(labelMatcher(undefined), nothing);
  t.false(nothing.matches({}));
  t.true(labelMatcher({}).matches(undefined));
  t.true(everything.everything);
  t.false(mapMatcher({}).matches({ a: 'b' }));
  t.true(mapMatcher({ a: 'b' }).matches({ a: 'b', c: 'd' }));
  const selector = deepFreeze({ matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'NotIn', values: ['d'] }, { key: 'e', operator: 'Exists' }] });
  const matcher = labelMatcher(selector);
  t.is(labelMatcher(selector), matcher);
  t.is(selectorText(selector), 'a=b,c notin (d),e');
  t.true(matcher.matches({ a: 'b', e: '' }));
  t.false(matcher.matches({ a: 'b', c: 'd', e: '' }));
  t.deepEqual(validateLabelSelector({
    matchLabels: { 'a b': 'c', 'd': '-' },
    matchExpressions: [{ key: 'a', operator: 'In' }, { key: 'b', operator: 'Exists', values: ['x'] }, { key: 'c', operator: 'Gt', values: [] }, { key: '', operator: 'In', values: ['-'] }],
  }, 's').map((error) => `${error.field} ${error.reason}`), [
    's.matchLabels FieldValueInvalid', 's.matchLabels FieldValueInvalid', 's.matchExpressions[0].values FieldValueRequired',
    's.matchExpressions[1].values FieldValueForbidden', 's.matchExpressions[2].operator FieldValueInvalid',
    's.matchExpressions[3].key FieldValueInvalid', 's.matchExpressions[3].values[0] FieldValueInvalid',
  ]);
});

const word = fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/);
const requirement = fc.oneof(
  fc.tuple(word, fc.constantFrom('=', '!='), word).map((parts) => parts.join('')),
  fc.tuple(word, fc.constantFrom('in', 'notin'), fc.uniqueArray(word, { minLength: 1, maxLength: 3 })).map(([key, operator, values]) => `${key} ${operator} (${values.join(', ')})`),
  word, word.map((key) => `!${key}`),
);

test('what a selector prints selects the same', (t) => {
  fc.assert(fc.property(fc.array(requirement, { maxLength: 4 }), fc.dictionary(word, word), (parts, labels) => {
    const matcher = parseLabelSelector(parts.join(','));
    const again = parseLabelSelector(String(matcher));
    return String(again) === String(matcher) && again.matches(labels) === matcher.matches(labels)
      && parts.every((part) => parseLabelSelector(part).matches(labels)) === matcher.matches(labels);
  }));
  t.pass();
});

test('any text is a selector or a BadRequest', (t) => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ab=!(),<>in ]*$/)), (text) => {
    for (const parse of [parseLabelSelector, (one: string) => parseFieldSelector(Pod, one)]) {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof ApiError) || error.reason !== 'BadRequest') return false;
      }
    }
    return true;
  }));
  t.pass();
});

const pod = (spec: object, status: object = {}): never => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'ns' }, spec: { containers: [], ...spec }, status }) as never;

test('field selectors know the fields of their kind', (t) => {
  const running = parseFieldSelector(Pod, 'spec.nodeName=n1,status.phase!=Succeeded,status.phase!=Failed');
  t.true(running.matches(pod({ nodeName: 'n1' }, { phase: 'Running' })));
  t.false(running.matches(pod({ nodeName: 'n1' }, { phase: 'Failed' })));
  t.false(running.matches(pod({ nodeName: 'n2' }, { phase: 'Running' })));
  t.is(running.exact('spec.nodeName'), 'n1');
  t.is(running.exact('status.phase'), undefined);
  t.true(parseFieldSelector(Pod, 'spec.nodeName=').matches(pod({})));
  t.true(parseFieldSelector(Pod, 'spec.hostNetwork=false').matches(pod({})));
  t.true(parseFieldSelector(Pod, 'metadata.name==p,metadata.namespace=ns').matches(pod({})));
  t.true(parseFieldSelector(Pod, '').everything);
  const escaped = parseFieldSelector(Secret, 'type=a\\,b\\=c\\\\d');
  t.deepEqual(escaped.requirements, [{ path: 'type', equal: true, value: 'a,b=c\\d' }]);
  t.is(String(escaped), 'type=a\\,b\\=c\\\\d');
  const unknown = t.throws(() => parseFieldSelector(Secret, 'data.a=b'), { instanceOf: ApiError });
  t.is(unknown?.message, '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace", "type"');
  for (const text of ['metadata.name', 'metadata.name=a=b', 'metadata.name=\\x', '=a', 'metadata.name>a', 'toString=a', '__proto__=a']) {
    t.is(t.throws(() => parseFieldSelector(Pod, text), { instanceOf: ApiError }, text)?.code, 400);
  }
});

test('lengths of time as kubectl prints them', (t) => {
  const s = 1000;
  const m = 60 * s;
  const h = 60 * m;
  const d = 24 * h;
  const table: readonly (readonly [number, string])[] = [
    [-5 * s, '<invalid>'], [-1 * s, '0s'], [0, '0s'], [999, '0s'], [5 * s, '5s'], [119 * s, '119s'], [2 * m, '2m'], [2 * m + 10 * s, '2m10s'], [9 * m + 59 * s, '9m59s'],
    [10 * m + 30 * s, '10m'], [179 * m, '179m'], [3 * h, '3h'], [3 * h + 5 * m, '3h5m'], [7 * h + 59 * m, '7h59m'], [8 * h + 30 * m, '8h'], [47 * h, '47h'],
    [2 * d, '2d'], [2 * d + 3 * h, '2d3h'], [7 * d + 23 * h, '7d23h'], [8 * d + h, '8d'], [729 * d, '729d'], [730 * d, '2y'], [760 * d, '2y30d'], [8 * 365 * d, '8y'], [9 * 365 * d, '9y'],
  ];
  for (const [ms, text] of table) t.is(humanDuration(ms), text);
  t.is(age('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:02:10Z')), '2m10s');
  t.is(age(undefined, 0), '<unknown>');
  t.is(age('soon', 0), '<unknown>');
});

test('a condition keeps the time of its transition while its status stays', (t) => {
  const first: readonly AnyCondition[] = withCondition([], { type: 'Ready', status: 'False', reason: 'A' }, 't1');
  t.deepEqual(first, [{ type: 'Ready', status: 'False', reason: 'A', lastTransitionTime: 't1' }]);
  const second = withCondition(first, { type: 'Ready', status: 'False', reason: 'B' }, 't2');
  t.is(conditionOf(second, 'Ready')?.lastTransitionTime, 't1');
  t.is(conditionOf(second, 'Ready')?.reason, 'B');
  t.is(withCondition(second, { type: 'Ready', status: 'False', reason: 'B' }, 't3'), second);
  const third = withCondition(second, { type: 'Ready', status: 'True' }, 't4');
  t.deepEqual(third, [{ type: 'Ready', status: 'True', lastTransitionTime: 't4' }]);
  t.true(isConditionTrue(third, 'Ready'));
  t.false(isConditionTrue(third, 'Other'));
  t.deepEqual(withoutCondition(withCondition(third, { type: 'Other', status: 'True' }, 't5'), 'Ready').map((one) => one.type), ['Other']);
});

test('owners are known by uid', (t) => {
  const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'r', uid: 'u1' } };
  const words = { group: 'apps', version: 'v1', kind: 'ReplicaSet' };
  const owned = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ownerReferences: [controllerReference(set, words)] } };
  t.deepEqual(controllerOf(owned), { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u1', controller: true, blockOwnerDeletion: true });
  t.true(isControlledBy(owned, set));
  t.false(isControlledBy(owned, { ...set, metadata: { ...set.metadata, uid: 'u2' } }));
  t.true(isOwnedBy(owned, set));
  t.is(controllerOf({ ...owned, metadata: { ownerReferences: [ownerReference(set, words)] } }), undefined);
  t.throws(() => ownerReference({ ...set, metadata: { name: 'r' } }, words), { message: /has no uid/ });
});
