/** Objects of a custom kind: what is taken, filled in, kept, refused, shown and counted. */
import test from 'ava';
import { columnsFor, toTable } from '../../../apiserver/table.ts';
import { warningHeaders } from '../../../apiserver/http/reply.ts';
import type { ApiList } from '../../../schemas/api.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { testApi } from '../../helpers/api.ts';
import { answerOf, causesOf, createWidget, define, namesIn, specSchema, widgetDefinition, widgets, type CustomObject, type Json } from '../../helpers/custom.ts';

type Test = { teardown(end: () => Promise<void>): void };

const open = async (t: Test, words: Parameters<typeof widgetDefinition>[0]) => {
  const api = await testApi();
  t.teardown(() => api.close());
  await define(api, widgetDefinition(words));
  return api;
};
const withSpec = (t: Test, properties: Json, more: Json = {}) => open(t, { schema: specSchema(properties, more) });

test('what the schema does not name is pruned, at every depth, but for what it says to keep', async (t) => {
  const api = await withSpec(t, {
    size: { type: 'integer' }, map: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string' } } } },
    list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } }, any: { type: 'object', additionalProperties: true },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { strict: { type: 'object', properties: { a: { type: 'string' } } } } },
  });
  const spec = { size: 1, x: 1, map: { k: { a: 'a', x: 1 } }, list: [{ a: 'a', x: 1 }], any: { x: { y: 1 } }, free: { x: { y: [null] }, strict: { a: 'a', x: 1 } } };
  const kept = { size: 1, map: { k: { a: 'a' } }, list: [{ a: 'a' }], any: { x: { y: 1 } }, free: { x: { y: [null] }, strict: { a: 'a' } } };
  t.deepEqual((await createWidget(api, { spec, more: 1 })).spec, kept);
  const unknown = ['spec.x', 'spec.map[k].x', 'spec.list[0].x', 'spec.free.strict.x', 'more'].map((field) => `unknown field ${JSON.stringify(field)}`);
  const { warnings } = await api.transport.send({ ...widgets, verb: 'create', body: { metadata: { name: 'x' }, spec, more: 1 }, options: { fieldValidation: 'Warn' } });
  t.deepEqual([...warnings].sort(), [...unknown].sort());
  t.is(Object.keys(warningHeaders(warnings)).length, 1);
  const refused = await answerOf(api, { ...widgets, verb: 'create', body: { metadata: { name: 'y' }, spec: { x: 1 } }, options: { fieldValidation: 'Strict' } });
  t.is(refused['message'], 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.x"');
});

test('defaults fill what is left out, and null where it is no value', async (t) => {
  const api = await withSpec(t, {
    a: { type: 'string', default: 'x' }, b: { type: 'string', nullable: true, default: 'x' }, c: { type: 'string' }, d: { type: 'object', default: {}, properties: { e: { type: 'integer', default: 3 } } },
    f: { type: 'array', items: { type: 'object', properties: { g: { type: 'boolean', default: true } } } }, h: { type: 'object', additionalProperties: { type: 'object', properties: { i: { type: 'string', default: '' } } } },
  });
  t.deepEqual((await createWidget(api, { spec: { b: null, c: null, f: [{}], h: { k: {} } } })).spec, { b: null, f: [{ g: true }], h: { k: { i: '' } }, a: 'x', d: { e: 3 } });
  t.deepEqual((await createWidget(api, { metadata: { name: 'v' }, spec: { a: '', b: '' } })).spec, { a: '', b: '', d: { e: 3 } }, 'an empty string is a value');
});

const limits: Readonly<Record<string, readonly [schema: Json, bad: readonly unknown[], good: readonly unknown[], reason?: string]>> = {
  'types': [{ type: 'integer' }, ['1', 1.5, true, {}, []], [1, -1, 0], 'TypeInvalid'], 'numbers': [{ type: 'number' }, ['1'], [1, 1.5], 'TypeInvalid'],
  'bounds': [{ type: 'integer', minimum: 1, maximum: 5 }, [0, 6], [1, 5]], 'exclusive bounds': [{ type: 'integer', minimum: 1, maximum: 5, exclusiveMinimum: true, exclusiveMaximum: true }, [1, 5], [2, 4]],
  'multiples': [{ type: 'integer', multipleOf: 5 }, [3], [0, 10]], 'lengths': [{ type: 'string', minLength: 2, maxLength: 3 }, ['a'], ['ab', 'abc']],
  'too long': [{ type: 'string', maxLength: 3 }, ['abcd'], ['abc'], 'TooLong'], 'patterns': [{ type: 'string', pattern: '^(a|b)+$' }, ['c', ''], ['abba']],
  'words': [{ type: 'string', enum: ['a', 'b'] }, ['c', ''], ['a'], 'NotSupported'], 'items': [{ type: 'array', items: { type: 'integer' }, minItems: 1 }, [[]], [[1]]],
  'too many items': [{ type: 'array', items: { type: 'integer' }, maxItems: 1 }, [[1, 2]], [[1]], 'TooMany'],
  'members': [{ type: 'object', 'x-kubernetes-preserve-unknown-fields': true, minProperties: 1 }, [{}], [{ a: 1 }]],
  'too many members': [{ type: 'object', additionalProperties: { type: 'integer' }, maxProperties: 1 }, [{ a: 1, b: 2 }], [{ a: 1 }], 'TooMany'],
  'any of': [{ type: 'integer', anyOf: [{ maximum: 1 }, { minimum: 5 }] }, [3], [1, 5]], 'one of': [{ type: 'integer', oneOf: [{ maximum: 3 }, { minimum: 3 }] }, [3], [1, 5]],
  'all of': [{ type: 'integer', allOf: [{ maximum: 3 }, { minimum: 2 }] }, [1, 4], [2, 3]], 'not': [{ type: 'integer', not: { enum: [4] } }, [4], [3]],
  'null or': [{ type: 'integer', nullable: true, anyOf: [{ minimum: 5 }] }, [1], [null, 5]], 'an integer or a string': [{ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, [true, 1.5], [1, '1'], 'TypeInvalid'],
  'int32': [{ type: 'integer', format: 'int32' }, [2 ** 31], [2 ** 31 - 1]], 'ipv4': [{ type: 'string', format: 'ipv4' }, ['1.2.3'], ['1.2.3.4']], 'cidr': [{ type: 'string', format: 'cidr' }, ['1.2.3.4'], ['1.2.3.0/24']],
  'uuid': [{ type: 'string', format: 'uuid' }, ['x'], ['9b2ff0a5-5d6e-4a49-a3a8-2c2f5b0a3c0c']], 'date': [{ type: 'string', format: 'date' }, ['2026-02-30'], ['2026-02-28']],
  'date-time': [{ type: 'string', format: 'date-time' }, ['yesterday'], ['2026-01-31T12:00:00Z']], 'email': [{ type: 'string', format: 'email' }, ['a'], ['a@b.example']],
  'a format that nobody knows': [{ type: 'string', format: 'colour' }, [], ['anything']], 'bytes': [{ type: 'string', format: 'byte' }, ['*'], ['YQ==']], 'durations': [{ type: 'string', format: 'duration' }, ['soon'], ['1h30m', '3 days']],
  'hostname': [{ type: 'string', format: 'hostname' }, ['a_b'], ['a.example']], 'uri': [{ type: 'string', format: 'uri' }, ['a b'], ['https://a.example/b']], 'mac': [{ type: 'string', format: 'mac' }, ['00:11'], ['00:11:22:33:44:55']],
};

test('values are held to all that a schema can say', async (t) => {
  const names = Object.keys(limits);
  const api = await withSpec(t, Object.fromEntries(names.map((name, index) => [`f${index}`, limits[name]![0]])));
  for (const [index, name] of names.entries()) {
    const [, bad, good, reason = 'Invalid'] = limits[name]!;
    const field = `f${index}`;
    for (const value of bad) t.deepEqual(await causesOf(createWidget(api, { spec: { [field]: value } }, { dryRun: true })), [`${reason} spec.${field}`], `${name}: ${JSON.stringify(value)}`);
    for (const value of good) t.deepEqual((await createWidget(api, { spec: { [field]: value } }, { dryRun: true })).spec, { [field]: value }, `${name}: ${JSON.stringify(value)}`);
  }
});

test('every wrong field is listed, and members that all JavaScript objects have are nobody\'s', async (t) => {
  const api = await withSpec(t, { size: { type: 'integer' }, constructor: { type: 'string' }, list: { type: 'array', items: { type: 'string' } } },
    { required: ['spec', 'data'], properties: { spec: { type: 'object', required: ['toString', 'size'], properties: { size: { type: 'integer' }, toString: { type: 'string' }, list: { type: 'array', items: { type: 'string' } } } }, data: { type: 'string' } } });
  t.deepEqual((await causesOf(createWidget(api, { metadata: { name: 'W', labels: { a: '!' } }, spec: { list: ['a', 1] } }))).toSorted(), [
    'Invalid metadata.labels', 'Invalid metadata.name', 'Required data', 'Required spec.size', 'Required spec.toString', 'TypeInvalid spec.list[1]',
  ]);
});

test('patterns run in linear time', async (t) => {
  const api = await withSpec(t, { a: { type: 'string', pattern: '^(a+)+$' } });
  t.deepEqual(await causesOf(createWidget(api, { spec: { a: `${'a'.repeat(5_000)}b` } })), ['Invalid spec.a']);
});

test('lists with keys and sets have no item twice', async (t) => {
  const api = await withSpec(t, {
    map: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', required: ['k'], properties: { k: { type: 'string' } } } },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
  });
  t.deepEqual(await causesOf(createWidget(api, { spec: { map: [{ k: 'a' }, { k: 'a' }], set: ['a', 'b', 'a'] } })), ['Duplicate spec.map[1].k', 'Duplicate spec.set[2]']);
});

test('objects in objects have an apiVersion, a kind and metadata of the usual form', async (t) => {
  const api = await withSpec(t, { template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } });
  const template = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', labels: { a: 'b' } }, spec: { containers: [] } };
  t.deepEqual((await createWidget(api, { spec: { template: { ...template, metadata: { ...template.metadata, nonsense: 1 } } } })).spec, { template });
  t.deepEqual(await causesOf(createWidget(api, { metadata: { name: 'v' }, spec: { template: { kind: 'P_', metadata: { labels: { a: '!' } } } } })), ['Required spec.template.apiVersion', 'Invalid spec.template.kind', 'Invalid spec.template.metadata.labels']);
  t.deepEqual(await causesOf(createWidget(api, { metadata: { name: 'v' }, spec: { template: { ...template, metadata: { labels: 1 } } } })), ['TypeInvalid spec.template.metadata.labels']);
});

test('owners of custom objects are held to their fields like those of others', async (t) => {
  const api = await open(t, {});
  t.deepEqual(await causesOf(createWidget(api, { metadata: { name: 'x', ownerReferences: [{ uid: 'u' }] } })), [
    'Required metadata.ownerReferences[0].apiVersion', 'Required metadata.ownerReferences[0].kind', 'Required metadata.ownerReferences[0].name',
  ]);
});

test('a definition may narrow names', async (t) => {
  const api = await open(t, { schema: { type: 'object', properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 3 } } } } } });
  t.deepEqual(await causesOf(createWidget(api, { metadata: { name: 'long' } })), ['TooLong metadata.name']);
  t.deepEqual(await causesOf(createWidget(api, { metadata: { name: 'abc' } })), []);
});

test('status is written through its own address only where the definition says so', async (t) => {
  const api = await open(t, { version: { subresources: { status: {} } } });
  const made = await createWidget(api, { spec: { size: 1 }, status: { a: 1 } });
  t.is(made.status, undefined);
  t.is(made.metadata.generation, 1);
  const at = { ...widgets, name: 'w' };
  const withStatus = await answerOf(api, { ...at, verb: 'update', subresource: 'status', body: { ...made, spec: { size: 9 }, status: { a: 2 } } }) as CustomObject;
  t.like(withStatus, { spec: { size: 1 }, status: { a: 2 }, metadata: { generation: 1 } });
  const patched = await answerOf(api, { ...at, verb: 'patch', patchType: 'merge', body: { spec: { size: 2 }, status: { a: 3 }, metadata: { labels: { b: 'c' } } } }) as CustomObject;
  t.like(patched, { spec: { size: 2 }, status: { a: 2 }, metadata: { generation: 2, labels: { b: 'c' } } });
  t.like(await answerOf(api, { ...at, verb: 'patch', patchType: 'merge', body: { metadata: { labels: { b: 'd' } } } }), { metadata: { generation: 2 } });

  const plain = await open(t, {});
  const whole = await createWidget(plain, { spec: { size: 1 }, status: { a: 1 } });
  t.like(whole, { status: { a: 1 }, metadata: { generation: 1 } });
  t.like(await answerOf(plain, { ...at, verb: 'patch', patchType: 'merge', body: { status: { a: 2 } } }), { status: { a: 2 }, metadata: { generation: 2 } });
  t.is((await answerOf(plain, { ...at, verb: 'get', subresource: 'status' }))['code'], 404);
});

test('scale reads and writes where the definition says', async (t) => {
  const api = await open(t, { version: { subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.count', labelSelectorPath: '.status.selector' } } } });
  await createWidget(api, { spec: { size: 2 } });
  const at = { ...widgets, name: 'w' };
  await api.transport.send({ ...at, verb: 'patch', patchType: 'merge', subresource: 'status', body: { status: { count: 1, selector: 'a=b' } } });
  t.like(await answerOf(api, { ...at, verb: 'get', subresource: 'scale' }), { kind: 'Scale', spec: { replicas: 2 }, status: { replicas: 1, selector: 'a=b' } });
  t.like(await answerOf(api, { ...at, verb: 'patch', patchType: 'merge', subresource: 'scale', body: { spec: { replicas: 5 } } }), { spec: { replicas: 5 } });
  t.like(await answerOf(api, { ...at, verb: 'get' }), { spec: { size: 5 }, metadata: { generation: 2 } });
});

test('columns show what their paths find', async (t) => {
  const columns = [
    { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'How large.' }, { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status', priority: 1 },
    { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' }, { name: 'All', type: 'string', jsonPath: '.status' },
  ];
  const api = await open(t, { version: { additionalPrinterColumns: columns } });
  await createWidget(api, { spec: { size: 3 }, status: { conditions: [{ type: 'Ready', status: 'True' }] } });
  await createWidget(api, { metadata: { name: 'x' } });
  const kind = api.registry.resource('example.com', 'v1', 'widgets')!;
  const list = (await api.transport.send({ ...widgets, verb: 'list' })).body as ApiList;
  const table = toTable(list, columnsFor(kind, undefined), { version: 'v1', includeObject: 'None', nowMs: api.clock.now() + 90_000 });
  t.deepEqual(table.rows.map((row) => (row as { cells: unknown }).cells), [['w', 3, 'True', '90s', '{"conditions":[{"status":"True","type":"Ready"}]}'], ['x', null, null, '90s', null]]);
  t.deepEqual(table.columnDefinitions?.map((column) => [(column as { name: string }).name, (column as { priority: number }).priority]), [['Name', 0], ['Size', 0], ['Ready', 1], ['Since', 0], ['All', 0]]);
});

test('fields can be selected where the definition says so', async (t) => {
  const api = await open(t, { schema: specSchema({ color: { type: 'string', default: 'red' }, size: { type: 'integer' } }), version: { selectableFields: [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.size' }] } });
  await createWidget(api, { spec: { size: 1 } });
  await createWidget(api, { metadata: { name: 'x' }, spec: { color: 'blue' } });
  const selected = async (fieldSelector: string): Promise<readonly string[]> => namesIn((await api.transport.send({ ...widgets, verb: 'list', options: { fieldSelector } })).body);
  t.deepEqual(await selected('spec.color=red'), ['w']);
  t.deepEqual(await selected('spec.size=1,spec.color!=blue'), ['w']);
  t.deepEqual(await selected('spec.size='), ['x']);
  t.deepEqual(await selected('metadata.name=x'), ['x']);
  await t.throwsAsync(selected('spec.none=1'), { message: /is not a known field selector/ });
});

test('patches: JSON, merge and apply, but no strategic merge', async (t) => {
  const ports = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer' } } } };
  const api = await withSpec(t, { size: { type: 'integer' }, ports, tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } }, whole: { type: 'array', items: { type: 'string' } } });
  await createWidget(api, { spec: { size: 1, ports: [{ name: 'a', port: 1 }], tags: ['x'], whole: ['p'] } }, { fieldManager: 'maker' });
  const at = { ...widgets, name: 'w', verb: 'patch' } as const;
  const refused = await t.throwsAsync(api.transport.send({ ...at, patchType: 'strategic', body: {} }), { instanceOf: ApiError });
  t.is(refused?.code, 415);
  t.regex(refused?.message ?? '', /accepted media types include: application\/json-patch\+json, application\/merge-patch\+json, application\/apply-patch\+yaml$/);
  t.like(await answerOf(api, { ...at, patchType: 'json', body: [{ op: 'replace', path: '/spec/size', value: 2 }] }), { spec: { size: 2 } });
  const apply = (fieldManager: string, spec: Json, force = false) => answerOf(api, { ...at, patchType: 'apply', body: { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec }, options: { fieldManager, force } });
  t.like(await apply('one', { ports: [{ name: 'b', port: 2 }], tags: ['y'], whole: ['q'] }), { code: 409 });
  t.like(await apply('one', { ports: [{ name: 'b', port: 2 }], tags: ['y'] }), { spec: { ports: [{ name: 'b', port: 2 }, { name: 'a', port: 1 }], tags: ['y', 'x'], whole: ['p'] } });
  t.like(await apply('one', { tags: ['y'] }), { spec: { ports: [{ name: 'a', port: 1 }], tags: ['y', 'x'] } });
  t.like(await apply('two', { ports: [{ name: 'a', port: 3 }] }), { code: 409, details: { causes: [{ field: '.spec.ports[name="a"].port' }] } });
  t.like(await apply('two', { ports: [{ name: 'a', port: 3 }] }, true), { spec: { ports: [{ name: 'a', port: 3 }] } });
  t.like(await apply('two', { nothing: 1 }), { code: 400 });
});

test('a large schema is compiled in parts, and says the same as a small one', async (t) => {
  const many = (count: number, property: Json): Json => Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, property]));
  const inner = { type: 'object', required: ['p0'], properties: { ...many(50, { type: 'integer', minimum: 1 }), either: { type: 'integer', anyOf: [{ maximum: 1 }, { minimum: 5 }] } } };
  const api = await withSpec(t, { list: { type: 'array', items: { type: 'object', properties: { deep: inner } } }, map: { type: 'object', additionalProperties: inner } });
  t.deepEqual(await causesOf(createWidget(api, { spec: { list: [{ deep: { p0: 1 } }, { deep: { p1: 0, either: 3 } }, { deep: 1 }], map: { k: { p0: 'x' } } } })), [
    'Required spec.list[1].deep.p0', 'Invalid spec.list[1].deep.p1', 'Invalid spec.list[1].deep.either', 'TypeInvalid spec.list[2].deep', 'TypeInvalid spec.map[k].p0',
  ]);
  t.deepEqual(await causesOf(createWidget(api, { spec: { list: [{ deep: { p0: 1, either: 7 } }], map: { k: { p0: 1 } } } })), []);
});

test('a finalizer without a domain is taken, and its writer told once', async (t) => {
  const api = await withSpec(t, {});
  const { warnings } = await api.transport.send({ ...widgets, verb: 'create', body: { metadata: { name: 'a', finalizers: ['kept', 'example.com/held', 'foregroundDeletion'] } } });
  t.deepEqual(warnings, ['metadata.finalizers: "kept": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers']);
  t.deepEqual((await api.transport.send({ ...widgets, verb: 'patch', name: 'a', patchType: 'merge', body: { metadata: { labels: { a: 'b' } } } })).warnings, []);
});
