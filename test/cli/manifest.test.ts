import test from 'ava';
import { ManifestError, parseYaml } from '../../cli/manifest-yaml.ts';
import { lastApplied, withLastApplied } from '../../cli/last-applied.ts';
import { OpenApi, type SchemaNode } from '../../cli/openapi.ts';
import { threeWayPatch } from '../../cli/three-way.ts';

test('reads YAML as kubectl does', (t) => {
  const one = (text: string): unknown => parseYaml(`a: ${text}`, 'f')[0]?.value;
  for (const [text, value] of [
    ['yes', true], ['Off', false], ['y', true], ['0644', 420], ['0o17', 15], ['0x1F', 31], ['0b11', 3], ['1_000', 1000], ['-7', -7], ['1.5', 1.5], ['1e3', 1000],
    ['~', null], ['1:30', '1:30'], ['2020-01-01', '2020-01-01'], ['"yes"', 'yes'], ['!!str 5', '5'], ['v1', 'v1'], ['08', 8],
  ] as const) t.deepEqual(one(text), { a: value }, text);
  t.deepEqual(parseYaml('base: &b {x: 1, w: 2}\nz: {<<: *b, w: 3}', 'f')[0]?.value, { base: { x: 1, w: 2 }, z: { x: 1, w: 3 } });
  t.deepEqual(parseYaml('{"kind": "Pod",\n\t"a": [1, true, null]}', 'f')[0]?.value, { kind: 'Pod', a: [1, true, null] });
});

test('numbers documents and their lines; empty ones count but give nothing', (t) => {
  const documents = parseYaml('# first\na: 1\n---\n# nothing\n---\n\nb: 2\n---\n', 'f');
  t.deepEqual(documents.map(({ number, line }) => ({ number, line })), [{ number: 1, line: 2 }, { number: 3, line: 7 }]);
});

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['a bad indent', 'a: 1\n---\nb: 2\n c: 3\n', /^f\.yaml:4:3: document 2: /],
  ['an open bracket', 'a: [1, 2\n', /^f\.yaml:\d+:\d+: document 1: /],
  ['a key twice', 'x: 1\n---\na: 1\nb: 2\na: 3\n', /^f\.yaml:5:1: document 2: .*duplicate/i],
  ['__proto__', 'metadata:\n  __proto__: {admin: true}\n', /^f\.yaml:2:\d+: document 1: .*"__proto__" is not allowed/],
  ['an unknown tag', 'a: !ruby/object x\n', /^f\.yaml:1:\d+: document 1: /],
  ['an unknown alias', 'a: *nope\n', /^f\.yaml:1:\d+: document 1: /],
  ['nesting', `a: ${'['.repeat(200)}${']'.repeat(200)}\n`, /^f\.yaml:1:\d+: document 1: /],
  ['an alias bomb', `a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array.from({ length: 10 }, () => `*a${at}`).join(',')}]\n`).join('')}`, /^f\.yaml:1: document 1 has more than 500000 values once its aliases are followed/],
  ['many aliases', `a: &a 1\nb: [${Array.from({ length: 1_001 }, () => '*a').join(',')}]\n`, /^f\.yaml:\d+:\d+: document 1: /],
  ['an alias of itself', 'a: &a [*a]\n', /f\.yaml/],
  ['a large document', `a: 1\n---\nb: ${'x'.repeat(3_200_000)}\n`, /^f\.yaml:3: document 2 is larger than 3145728 bytes/],
];

for (const [name, text, message] of wrong) {
  test(`refuses ${name} and says where`, (t) => {
    t.throws(() => parseYaml(text, 'f.yaml'), { instanceOf: ManifestError, message });
  });
}

const named: SchemaNode = { type: 'object', properties: { name: { type: 'string' }, image: { type: 'string' }, ports: { type: 'array', 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'port', 'x-kubernetes-list-map-keys': ['port', 'protocol'], items: { type: 'object' } } } };
const openApi = new OpenApi({ components: { schemas: { Named: named } } });
const root: SchemaNode = {
  type: 'object',
  properties: {
    items: { type: 'array', 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'name', items: { allOf: [{ $ref: '#/components/schemas/Named' }] } },
    words: { type: 'array', 'x-kubernetes-patch-strategy': 'merge', items: { type: 'string' } },
    atomic: { type: 'array', items: { type: 'string' } },
    strategy: { type: 'object', 'x-kubernetes-patch-strategy': 'retainKeys', properties: {} },
    ports: named.properties!['ports']!,
  },
};

interface Merge {
  readonly title: string;
  readonly original?: Record<string, unknown>;
  readonly modified: Record<string, unknown>;
  readonly current: Record<string, unknown>;
  readonly patch: Record<string, unknown> | undefined;
  readonly plain?: Record<string, unknown> | undefined;
}

const merges: readonly Merge[] = [
  { title: 'nothing to do', original: { a: 1 }, modified: { a: 1 }, current: { a: 1, server: 2 }, patch: undefined },
  { title: 'sets what is new and what differs', original: { a: 1 }, modified: { a: 2, b: 3 }, current: { a: 1, server: 2 }, patch: { a: 2, b: 3 } },
  { title: 'removes what was applied and is gone', original: { a: 1, m: { x: 1, y: 1 } }, modified: { m: { x: 1 } }, current: { a: 1, m: { x: 1, y: 1, z: 1 } }, patch: { a: null, m: { y: null } } },
  { title: 'removes nothing that is gone already', original: { a: 1 }, modified: {}, current: {}, patch: undefined },
  { title: 'takes drift back', original: { a: 1 }, modified: { a: 1 }, current: { a: 5 }, patch: { a: 1 } },
  { title: 'null removes', modified: { a: null, b: null }, current: { a: 1 }, patch: { a: null } },
  {
    title: 'merges a list by its key', original: { items: [{ name: 'a', image: '1' }, { name: 'gone' }] },
    modified: { items: [{ name: 'a', image: '2' }, { name: 'new' }] }, current: { items: [{ name: 'a', image: '1', policy: 'x' }, { name: 'gone' }, { name: 'other' }] },
    patch: { items: [{ name: 'a', image: '2' }, { name: 'new' }, { $patch: 'delete', name: 'gone' }], '$setElementOrder/items': [{ name: 'a' }, { name: 'new' }] },
    plain: { items: [{ name: 'a', image: '2' }, { name: 'new' }] },
  },
  { title: 'a list whose items only have defaults added', original: { items: [{ name: 'a' }] }, modified: { items: [{ name: 'a' }] }, current: { items: [{ name: 'a', image: 'd' }] }, patch: undefined, plain: { items: [{ name: 'a' }] } },
  { title: 'another order', modified: { items: [{ name: 'b' }, { name: 'a' }] }, current: { items: [{ name: 'a' }, { name: 'b' }] }, patch: { '$setElementOrder/items': [{ name: 'b' }, { name: 'a' }] }, plain: { items: [{ name: 'b' }, { name: 'a' }] } },
  {
    title: 'merges words', original: { words: ['a', 'b'] }, modified: { words: ['a', 'c'] }, current: { words: ['a', 'b', 'x'] },
    patch: { words: ['c'], '$deleteFromPrimitiveList/words': ['b'], '$setElementOrder/words': ['a', 'c'] }, plain: { words: ['a', 'c'] },
  },
  { title: 'replaces an atomic list', original: { atomic: ['a'] }, modified: { atomic: ['b'] }, current: { atomic: ['a', 'x'] }, patch: { atomic: ['b'] } },
  { title: 'retains only the keys it has', original: { strategy: { type: 'R', r: 1 } }, modified: { strategy: { type: 'X' } }, current: { strategy: { type: 'R', r: 1 } }, patch: { strategy: { type: 'X', r: null, $retainKeys: ['type'] } }, plain: { strategy: { type: 'X', r: null } } },
  {
    title: 'one port for two protocols, unchanged but for defaults', modified: { ports: [{ port: 53, protocol: 'TCP' }, { port: 53, protocol: 'UDP' }] },
    current: { ports: [{ port: 53, protocol: 'TCP', nodePort: 1 }, { port: 53, protocol: 'UDP', nodePort: 2 }] }, patch: undefined, plain: { ports: [{ port: 53, protocol: 'TCP' }, { port: 53, protocol: 'UDP' }] },
  },
  {
    title: 'one port for two protocols, changed: replaced as a whole, keeping what the server set', modified: { ports: [{ port: 53, protocol: 'TCP', name: 'n' }, { port: 53, protocol: 'UDP' }] },
    current: { ports: [{ port: 53, protocol: 'TCP', nodePort: 1 }, { port: 53, protocol: 'UDP', nodePort: 2 }] },
    patch: { ports: [{ $patch: 'replace' }, { port: 53, protocol: 'TCP', nodePort: 1, name: 'n' }, { port: 53, protocol: 'UDP', nodePort: 2 }] },
    plain: { ports: [{ port: 53, protocol: 'TCP', name: 'n' }, { port: 53, protocol: 'UDP' }] },
  },
];

for (const { title, original, modified, current, patch, ...rest } of merges) {
  test(`three-way: ${title}`, (t) => {
    t.deepEqual(threeWayPatch({ original, modified, current, schema: { root, openApi } }), patch);
    t.deepEqual(threeWayPatch({ original, modified, current }), 'plain' in rest ? rest.plain : patch);
  });
}

test('last-applied is what kubectl writes', (t) => {
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'default' }, data: { b: '<x>' } };
  const applied = withLastApplied(object);
  t.is(applied.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'],
    '{"apiVersion":"v1","data":{"b":"\\u003cx\\u003e"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"default"}}\n');
  t.deepEqual(withLastApplied(applied), applied);
  t.deepEqual(lastApplied(applied), { ...object, metadata: { ...object.metadata, annotations: {} } });
});
