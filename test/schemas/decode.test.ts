/** From a body to an object: decoding, defaults, and the checks that a schema can make. */
import test from 'ava';
import * as fc from 'fast-check';
import { check, applyDefaults, decode, decodeFree, maxDepth, prune, strictDecodingError, unknownField, validate } from '../../schemas/validate.ts';
import { ApiError, invalid } from '../../schemas/errors.ts';
import { draftOf } from '../../schemas/frozen.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { builtinKinds } from '../../schemas/registry.ts';
import { anything, int32, intOrString, list, mapOf, object, oneOf, quantity, string } from '../../schemas/schema.ts';
import { Binding, DeleteOptions, Eviction, Scale } from '../../schemas/types/bodies.ts';

const refusal = (body: unknown, kind: Parameters<typeof decode>[0] = Deployment): string => {
  try {
    decode(kind, body);
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'BadRequest') return error.message;
    throw error;
  }
  return 'taken';
};

test('decoding takes what fits, drops nulls and names what it does not know', (t) => {
  const { object: got, unknown } = decode(Deployment, {
    spec: {
      bogus: 1, replicas: null,
      template: { spec: { containers: [{ name: 'a', command: null, foo: null, resources: { limits: { cpu: 0.5, memory: '1024Mi' } } }] }, metadata: { creationTimestamp: null } },
    },
    metadata: { labels: { a: null, b: 'c' }, name: 'd', nope: {} }, extra: 'x', apiVersion: 'apps/v1', kind: 'Deployment',
  });
  t.deepEqual(unknown, ['metadata.nope', 'spec.bogus', 'spec.template.spec.containers[0].foo', 'extra']);
  t.deepEqual(Object.keys(got), ['kind', 'apiVersion', 'metadata', 'spec']);
  t.deepEqual(got.metadata, { labels: { a: '', b: 'c' }, name: 'd' });
  t.deepEqual(got.spec as unknown, { template: { spec: { containers: [{ name: 'a', resources: { limits: { cpu: '500m', memory: '1Gi' } } }] }, metadata: {} } });
  t.is(strictDecodingError(Deployment, unknown.slice(0, 2).map(unknownField)).message,
    'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "metadata.nope", unknown field "spec.bogus"');
});

test('an empty map is none, unless it must be there or its type is not Kubernetes\' own', (t) => {
  const spec = { selector: { matchLabels: {} }, template: { metadata: { labels: {}, finalizers: [] }, spec: { nodeSelector: {}, volumes: [{ name: 'v', emptyDir: {} }], containers: [] } } };
  t.deepEqual(decode(Deployment, { metadata: { labels: {}, annotations: {} }, spec }).object as unknown, {
    metadata: {}, spec: { selector: {}, template: { metadata: { finalizers: [] }, spec: { volumes: [{ name: 'v', emptyDir: {} }], containers: [] } } },
  });
  const named = object('test.Named', 'A type.', { must: mapOf(string('A.'), 'A.'), may: mapOf(string('B.'), 'B.') }, ['must']);
  t.deepEqual(prune(named, { must: {}, may: {} }), { must: {} });
  t.deepEqual(prune({ type: 'object', properties: { may: mapOf(string('B.'), 'B.') } }, { may: {} }), { may: {} });
});

test('quantities and times are stored in their canonical form', (t) => {
  const { object: lease } = decode(Lease, { metadata: { creationTimestamp: '2026-01-31T13:00:00.5+01:00' }, spec: { renewTime: '2026-01-31T12:00:00Z' } });
  t.is(lease.metadata.creationTimestamp, '2026-01-31T12:00:00Z');
  t.is(lease.spec?.renewTime, '2026-01-31T12:00:00.000000Z');
  t.deepEqual(decode(Node, { metadata: {}, status: { capacity: { cpu: 4, memory: '16777216Ki', bad: 'x' } } }).object.status?.capacity, { cpu: '4', memory: '16Gi', bad: 'x' });
});

test('a wrong type is refused with the field and what is right', (t) => {
  const head = 'Deployment in version "v1" cannot be handled as a Deployment: ';
  const table: readonly (readonly [body: unknown, message: string])[] = [
    [{ spec: { replicas: '3' } }, 'json: cannot unmarshal string into field spec.replicas of type int32'],
    [{ spec: { replicas: 1.5 } }, 'json: cannot unmarshal number 1.5 into field spec.replicas of type int32'],
    [{ spec: { replicas: 3_000_000_000 } }, 'json: cannot unmarshal number 3000000000 into field spec.replicas of type int32'],
    [{ spec: { paused: 'yes' } }, 'json: cannot unmarshal string into field spec.paused of type bool'],
    [{ spec: [] }, 'json: cannot unmarshal array into field spec of type object'],
    [{ spec: { template: { spec: { containers: {} } } } }, 'json: cannot unmarshal object into field spec.template.spec.containers of type list of object'],
    [{ spec: { template: { spec: { containers: [null] } } } }, 'json: cannot unmarshal null into field spec.template.spec.containers[0] of type object'],
    [{ spec: { template: { spec: { containers: [{ env: [{ value: 8080 }] }] } } } }, 'json: cannot unmarshal number into field spec.template.spec.containers[0].env[0].value of type string'],
    [{ spec: { strategy: { rollingUpdate: { maxSurge: true } } } }, 'json: cannot unmarshal bool into field spec.strategy.rollingUpdate.maxSurge of type int32 or string'],
    [{ metadata: { labels: { 'a/b': 1 } } }, 'json: cannot unmarshal number into field metadata.labels[a/b] of type string'],
    [{ metadata: { labels: 'a=b' } }, 'json: cannot unmarshal string into field metadata.labels of type map of string'],
    ['text', 'json: cannot unmarshal string into the body of type object'],
    [null, 'json: cannot unmarshal null into the body of type object'],
    [[], 'json: cannot unmarshal array into the body of type object'],
    [JSON.parse('{"spec":{"__proto__":{"replicas":1}}}'), 'field "spec.__proto__" is not allowed'],
    [JSON.parse('{"metadata":{"labels":{"__proto__":"x"}}}'), 'field "metadata.labels.__proto__" is not allowed'],
    [JSON.parse('{"metadata":{"managedFields":[{"fieldsV1":{"a":{"__proto__":1}}}]}}'), 'field "metadata.managedFields[0].fieldsV1.a.__proto__" is not allowed'],
  ];
  for (const [body, message] of table) t.is(refusal(body), head + message);
});

const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);

test('nesting has a limit, also where anything goes', (t) => {
  const open = { group: '', version: 'v1', kind: 'Open', schema: object('t.v1.Open', 'Open.', { free: anything('Anything.') }) };
  t.is(refusal({ free: nested(maxDepth - 1) }, open), 'taken');
  t.regex(refusal({ free: nested(maxDepth) }, open), /nested more than 100 levels deep/);
  t.regex(refusal({ free: JSON.parse('['.repeat(5000) + ']'.repeat(5000)) }, open), /nested more than 100 levels/);
  t.throws(() => decodeFree('the patch', nested(maxDepth + 1)), { instanceOf: ApiError, message: /^the patch: .*levels deep/ });
  t.throws(() => decodeFree('the patch', JSON.parse('{"__proto__":1}')), { instanceOf: ApiError, message: /"__proto__" is not allowed/ });
  const patch = { spec: { replicas: null, $patch: 'merge' } };
  const copy = decodeFree('the patch', patch);
  t.deepEqual(copy, patch);
  t.not(copy, patch);
});

test('pruning keeps what the schema knows', (t) => {
  const schema = object('t.v1.Pruned', 'Pruned.', { a: string('A.'), open: object('t.v1.Kept', 'Kept.', {}, [], { 'x-kubernetes-preserve-unknown-fields': true }), port: intOrString('Port.') });
  t.deepEqual(prune(schema, { a: 'x', b: 1, port: 80, open: { any: [1, null] } }), { a: 'x', port: 80, open: { any: [1, null] } });
});

test('an empty word counts as absent where one of a list is wanted', (t) => {
  const { object: pod } = decode(Pod, { metadata: {}, spec: { containers: [{ name: 'a', imagePullPolicy: '' }], dnsPolicy: '' } });
  t.false('imagePullPolicy' in (pod.spec.containers[0] ?? {}));
  applyDefaults(Pod.schema, pod);
  t.is(pod.spec.dnsPolicy, 'ClusterFirst');
});

test('defaults go all the way down, and only where nothing was said', (t) => {
  const pod = { metadata: {}, spec: { schedulerName: '', volumes: [{ name: 'v', configMap: { name: 'c' } }], containers: [{ name: 'a', ports: [{ containerPort: 1 }], livenessProbe: { httpGet: { port: 1 }, periodSeconds: 0, timeoutSeconds: 7 } }] } };
  applyDefaults(Pod.schema, pod);
  t.like(pod, {
    spec: {
      restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30, schedulerName: 'default-scheduler', securityContext: {},
      volumes: [{ configMap: { defaultMode: 420 } }],
      containers: [{
        resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', ports: [{ protocol: 'TCP' }],
        livenessProbe: { httpGet: { path: '/', scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 7, successThreshold: 1, failureThreshold: 3 },
      }],
    },
  });
  const before = structuredClone(pod);
  applyDefaults(Pod.schema, pod);
  t.deepEqual(pod, before);
  const scaled = { metadata: {}, spec: { replicas: 0 } };
  applyDefaults(Deployment.schema, scaled);
  t.is(scaled.spec.replicas, 0);
  t.notThrows(() => applyDefaults(Pod.schema, null));
});

test('defaults are not shared between objects', (t) => {
  const schema = object('t.v1.Shared', 'Shared.', { words: list(string('Word.'), 'Words.'), box: anything('Box.', { default: { a: [] } }) });
  const one: { box?: { a: number[] } } = {};
  const two: { box?: { a: number[] } } = {};
  applyDefaults(schema, one);
  applyDefaults(schema, two);
  one.box?.a.push(1);
  t.deepEqual(two.box, { a: [] });
});

const Checked = {
  schema: object('t.v1.Checked', 'Checked.', {
    name: string('Name.', { minLength: 1, maxLength: 5, pattern: '^[a-z]*$' }),
    word: oneOf(['b', 'a'], 'Word.'),
    count: int32('Count.', { minimum: 0 }), port: int32('Port.', { minimum: 1, maximum: 65535 }),
    amounts: mapOf(quantity('Amount.'), 'Amounts.'),
    set: list(string('Item.'), 'Set.', { listType: 'set', maxItems: 3 }),
    map: list(object('t.v1.Item', 'Item.', { key: string('Key.'), other: string('Other.') }, ['key']), 'Map.', { mapKeys: ['key'], minItems: 1 }),
    pairs: list(object('t.v1.Pair', 'Pair.', { a: int32('A.'), b: string('B.') }), 'Pairs.', { mapKeys: ['a', 'b'] }),
    loose: list(object('t.v1.Loose', 'Loose.', { key: string('Key.') }), 'Loose.', { mapKeys: ['key'], duplicates: 'allowed' }),
    when: string('When.', { format: 'date-time' }), data: string('Data.', { format: 'byte' }), either: intOrString('Either.'),
  }, ['name']),
};

test('the schema refuses in the words of the API, every wrong field at once', (t) => {
  const table: readonly (readonly [body: object, errors: readonly (readonly [reason: string, field: string, message: string | RegExp])[]])[] = [
    [{ name: 'a' }, []],
    [{}, [['FieldValueRequired', 'name', 'Required value']]],
    [{ name: '' }, [['FieldValueRequired', 'name', 'Required value']]],
    [{ name: 'abcdef' }, [['FieldValueTooLong', 'name', 'Too long: may not be more than 5 characters']]],
    [{ name: 'A' }, [['FieldValueInvalid', 'name', 'Invalid value: "A": must match ^[a-z]*$']]],
    [{ name: 'a', word: 'c' }, [['FieldValueNotSupported', 'word', 'Unsupported value: "c": supported values: "a", "b"']]],
    [{ name: 'a', count: -1, port: 0 }, [
      ['FieldValueInvalid', 'count', 'Invalid value: -1: must be greater than or equal to 0'], ['FieldValueInvalid', 'port', 'Invalid value: 0: must be between 1 and 65535, inclusive']]],
    [{ name: 'a', count: 2 ** 40 }, [['FieldValueInvalid', 'count', 'Invalid value: 1099511627776: must be an integer of 32 bits']]],
    [{ name: 'a', amounts: { cpu: '1', 'example.com/x': 'two' } }, [['FieldValueInvalid', 'amounts[example.com/x]', /^Invalid value: "two": must be a quantity/]]],
    [{ name: 'a', set: ['x', 'y', 'x'] }, [['FieldValueDuplicate', 'set[2]', 'Duplicate value: "x"']]],
    [{ name: 'a', set: ['x', 'y', 'z', 'w'] }, [['FieldValueTooMany', 'set', 'Too many: 4: must have at most 3 items']]],
    [{ name: 'a', map: [] }, [['FieldValueRequired', 'map', 'Required value']]],
    [{ name: 'a', map: [{ key: 'k' }, { key: 'l' }, { key: 'k' }, {}] }, [['FieldValueRequired', 'map[3].key', 'Required value'], ['FieldValueDuplicate', 'map[2].key', 'Duplicate value: "k"']]],
    [{ name: 'a', pairs: [{ a: 1, b: 'x' }, { a: 1, b: 'y' }, { b: 'x', a: 1 }] }, [['FieldValueDuplicate', 'pairs[2]', 'Duplicate value: {"a":1,"b":"x"}']]],
    [{ name: 'a', loose: [{ key: 'x' }, { key: 'x' }] }, []],
    [{ name: 'a', when: 'today', data: 'a' }, [['FieldValueInvalid', 'when', 'Invalid value: "today": must be a time such as 2026-01-31T12:00:00Z'], ['FieldValueInvalid', 'data', 'Invalid value: "a": must be base64']]],
    [{ name: 1, either: [] }, [['FieldValueTypeInvalid', 'name', 'Invalid value: 1: must be of type string'], ['FieldValueTypeInvalid', 'either', 'Invalid value: []: must be of type integer or string']]],
  ];
  for (const [body, wanted] of table) {
    const errors = check(Checked, body);
    const text = JSON.stringify(body);
    t.deepEqual(errors.map((error) => `${error.reason} ${error.field}`).sort(), wanted.map(([reason, field]) => `${reason} ${field}`).sort(), text);
    for (const [, field, message] of wanted) {
      const got = errors.find((error) => error.field === field)?.message ?? '';
      if (typeof message === 'string') t.is(got, message, text);
      else t.regex(got, message, text);
    }
  }
});

test('a missing member does not hide what else is wrong', (t) => {
  const { object: deployment } = decode(Deployment, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'ns' }, spec: { replicas: -1, template: { metadata: {}, spec: { containers: [{ image: 'i', ports: [{ containerPort: 80, name: 'NO' }] }] } } } });
  applyDefaults(Deployment.schema, deployment);
  Deployment.prepare?.(deployment, undefined);
  const errors = validate(Deployment, deployment);
  t.deepEqual(errors.map((error) => error.field).sort(), [
    'spec.replicas', 'spec.selector', 'spec.template.spec.containers[0].name', 'spec.template.spec.containers[0].ports[0].name',
  ]);
  const status = invalid(Deployment, 'web', errors).toStatus();
  t.is(status.code, 422);
  t.regex(status.message ?? '', /^Deployment\.apps "web" is invalid: \[spec\.selector: Required value, /);
});

test('bodies that are never stored decode like objects', (t) => {
  t.is(decode(Binding, { target: { kind: 'Node', name: 'n' } }).object.target.name, 'n');
  t.deepEqual(decode(Eviction, { metadata: { name: 'p' }, deleteOptions: { gracePeriodSeconds: 0, nope: 1 } }).unknown, ['deleteOptions.nope']);
  t.is(decode(Scale, { metadata: {}, spec: { replicas: 3 } }).object.spec.replicas, 3);
  t.deepEqual(check(DeleteOptions, { gracePeriodSeconds: -1, propagationPolicy: 'Later' }).map((error) => error.field), ['propagationPolicy']);
  t.regex(refusal({ preconditions: 'x' }, DeleteOptions), /^DeleteOptions in version "v1" cannot be handled as a DeleteOptions: /);
});

const words = ['spec', 'metadata', 'containers', 'labels', 'template', 'name', 'replicas', 'status', 'data', '__proto__', 'constructor', 'prototype', 'toString'];
const json = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constantFrom(null, true, 0, -1, 1.5, 2 ** 40, '', 'x', '1Gi'),
    fc.array(tie('value'), { maxLength: 3 }), fc.array(fc.tuple(fc.constantFrom(...words), tie('value')), { maxLength: 4 }).map((members) =>
      JSON.parse(`{${members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`) as unknown)),
})).value;

test('any body is an object without surprises or a BadRequest', async (t) => {
  const kinds = await builtinKinds();
  fc.assert(fc.property(fc.constantFrom(...kinds.keys()), json, (index, body) => {
    const kind = kinds[index] ?? Pod;
    const before = JSON.stringify(body);
    try {
      const { object: got } = decode(kind, body);
      if (Object.getPrototypeOf(got) !== Object.prototype || JSON.stringify(got).includes('__proto__')) return false;
      applyDefaults(kind.schema, got);
      validate(kind, draftOf(got));
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== 'BadRequest') throw error;
    }
    return JSON.stringify(body) === before && !('replicas' in {}) && !('x' in Object.prototype);
  }), { numRuns: 400 });
  t.pass();
});

test('a type is compiled once for all kinds that hold it', (t) => {
  t.deepEqual(check(ConfigMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }), []);
  t.throws(() => check({ schema: object('t.v1.Holder', 'Holder.', { item: object('t.v1.Item', 'Another of that name.', {}) }) }, {}), { message: 'two types are called t.v1.Item' });
});
