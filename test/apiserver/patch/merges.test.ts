import test from 'ava';
import * as fc from 'fast-check';
import { mergePatch } from '../../../apiserver/patch/merge-patch.ts';
import { readPatch, unsupportedPatch } from '../../../apiserver/patch/patch.ts';
import { strategicMerge } from '../../../apiserver/patch/strategic-merge.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { deepFreeze } from '../../../schemas/frozen.ts';
import type { JsonSchema } from '../../../schemas/schema.ts';
import { Deployment } from '../../../schemas/kinds/apps/deployment.ts';

// RFC 7386, appendix A.
const merges: readonly (readonly [target: unknown, patch: unknown, result: unknown])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }], [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }], [{ a: 'b' }, { a: null }, {}], [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }], [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }], [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }], [['a', 'b'], ['c', 'd'], ['c', 'd']], [{ a: 'b' }, ['c'], ['c']], [{ a: 'foo' }, null, null], [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }], [[1, 2], { a: 'b', c: null }, { a: 'b' }], [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  [{}, { a: [null, { b: null }] }, { a: [null, { b: null }] }], [{}, { toString: null, constructor: { a: 1 } }, { constructor: { a: 1 } }],
];
for (const [target, patch, result] of merges) {
  test(`merge patch: ${JSON.stringify(target)} with ${JSON.stringify(patch)}`, (t) => t.deepEqual(mergePatch(deepFreeze(target), deepFreeze(patch)), result));
}

test('merge patch: the patch from one object to another leads there', (t) => {
  const object = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.constantFrom(1, 'x', true), fc.array(fc.nat(3), { maxLength: 2 }), fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom(1, 'y'))));
  const difference = (from: unknown, to: unknown): unknown => {
    if (typeof from !== 'object' || typeof to !== 'object' || Array.isArray(from) || Array.isArray(to) || from === null || to === null) return to;
    const patch: Record<string, unknown> = {};
    for (const key of Object.keys(from)) if (!(key in to)) patch[key] = null;
    for (const [key, value] of Object.entries(to)) patch[key] = difference((from as Record<string, unknown>)[key], value);
    return patch;
  };
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
  fc.assert(fc.property(object, object, (from, to) => t.deepEqual(mergePatch(plain(from), plain(difference(from, to))), plain(to))), { numRuns: 300 });
});

const list = (items: JsonSchema, mergeKey?: string): JsonSchema => ({ type: 'array', items, 'x-kubernetes-patch-strategy': 'merge', ...(mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': mergeKey }) });
const text: JsonSchema = { type: 'string' };
const port: JsonSchema = { type: 'object', properties: { port: { type: 'integer' }, name: text } };
const item: JsonSchema = { type: 'object', properties: { name: text, value: text, ports: list(port, 'port'), atomic: { type: 'array', items: text } } };
const schema: JsonSchema = {
  type: 'object', properties: {
    items: list(item, 'name'), words: list(text), plain: { type: 'array', items: item }, map: { type: 'object', additionalProperties: text },
    whole: { type: 'object', additionalProperties: text, 'x-kubernetes-patch-strategy': 'replace' },
    strategy: { type: 'object', properties: { type: text, rolling: { type: 'object', properties: { max: text } } }, 'x-kubernetes-patch-strategy': 'retainKeys' },
  },
};

const strategic: readonly (readonly [title: string, target: object, patch: object, result: object])[] = [
  ['members merge and null deletes', { map: { a: '1', b: '2' } }, { map: { b: null, c: '3' } }, { map: { a: '1', c: '3' } }],
  ['null of what is not there', { map: {} }, { map: { a: null }, plain: null }, { map: {} }],
  ['nulls in new objects are not kept', {}, { map: { a: '1', b: null } }, { map: { a: '1' } }],
  ['items merge by their key', { items: [{ name: 'a', value: '1' }, { name: 'b', value: '2' }] }, { items: [{ name: 'b', value: '3' }, { name: 'c', value: '4' }] }, { items: [{ name: 'a', value: '1' }, { name: 'b', value: '3' }, { name: 'c', value: '4' }] }],
  ['items merge at depth', { items: [{ name: 'a', ports: [{ port: 1, name: 'x' }, { port: 2 }] }] }, { items: [{ name: 'a', ports: [{ port: 2, name: 'y' }] }] }, { items: [{ name: 'a', ports: [{ port: 1, name: 'x' }, { port: 2, name: 'y' }] }] }],
  ['a member of an item is deleted', { items: [{ name: 'a', value: '1' }] }, { items: [{ name: 'a', value: null }] }, { items: [{ name: 'a' }] }],
  ['an item is deleted', { items: [{ name: 'a' }, { name: 'b' }] }, { items: [{ $patch: 'delete', name: 'a' }] }, { items: [{ name: 'b' }] }],
  ['deleting an item that is not there', { items: [{ name: 'a' }] }, { items: [{ $patch: 'delete', name: 'z' }] }, { items: [{ name: 'a' }] }],
  ['a list is replaced', { items: [{ name: 'a' }, { name: 'b' }] }, { items: [{ name: 'c' }, { $patch: 'replace' }] }, { items: [{ name: 'c' }] }],
  ['an item is replaced', { items: [{ name: 'a', value: '1', ports: [{ port: 1 }] }] }, { items: [{ name: 'a', ports: [{ $patch: 'replace' }] }] }, { items: [{ name: 'a', value: '1', ports: [] }] }],
  ['an object is replaced', { map: { a: '1', b: '2' } }, { map: { $patch: 'replace', c: '3' } }, { map: { c: '3' } }],
  ['an object is emptied', { map: { a: '1' } }, { map: { $patch: 'delete' } }, { map: {} }],
  ['an object with the replace strategy', { whole: { a: '1' } }, { whole: { b: '2' } }, { whole: { b: '2' } }],
  ['the merge directive says what happens anyway', { map: { a: '1' } }, { map: { $patch: 'merge', b: '2' } }, { map: { a: '1', b: '2' } }],
  ['the whole object is replaced', { map: { a: '1' } }, { $patch: 'replace', words: ['a'] }, { words: ['a'] }],
  ['lists without a key are replaced', { plain: [{ name: 'a', value: '1' }] }, { plain: [{ name: 'a' }] }, { plain: [{ name: 'a' }] }],
  ['lists within items too', { items: [{ name: 'a', atomic: ['1', '2'] }] }, { items: [{ name: 'a', atomic: ['3'] }] }, { items: [{ name: 'a', atomic: ['3'] }] }],
  ['primitives are joined', { words: ['a', 'b'] }, { words: ['b', 'c'] }, { words: ['a', 'b', 'c'] }],
  ['primitives are taken out', { words: ['a', 'b', 'c'] }, { '$deleteFromPrimitiveList/words': ['b'] }, { words: ['a', 'c'] }],
  ['primitives are taken out and put in', { words: ['a', 'b'] }, { words: ['c'], '$deleteFromPrimitiveList/words': ['a'] }, { words: ['b', 'c'] }],
  ['retainKeys drops what it does not name', { strategy: { type: 'Rolling', rolling: { max: '1' } } }, { strategy: { $retainKeys: ['type'], type: 'Recreate' } }, { strategy: { type: 'Recreate' } }],
  ['retainKeys keeps what it names', { strategy: { type: 'Rolling', rolling: { max: '1' } } }, { strategy: { $retainKeys: ['type', 'rolling'], type: 'Other' } }, { strategy: { type: 'Other', rolling: { max: '1' } } }],
  ['retainKeys in a new item', {}, { items: [{ $retainKeys: ['name'], name: 'a' }] }, { items: [{ name: 'a' }] }],
  ['order alone', { items: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }, { '$setElementOrder/items': [{ name: 'c' }, { name: 'a' }, { name: 'b' }] }, { items: [{ name: 'c' }, { name: 'a' }, { name: 'b' }] }],
  ['order with a new item', { items: [{ name: 'a' }, { name: 'b' }] }, { '$setElementOrder/items': [{ name: 'n' }, { name: 'b' }, { name: 'a' }], items: [{ name: 'n', value: '1' }] }, { items: [{ name: 'n', value: '1' }, { name: 'b' }, { name: 'a' }] }],
  ['items that only the server has keep their place', { items: [{ name: 'sidecar' }, { name: 'a' }, { name: 'b' }] }, { '$setElementOrder/items': [{ name: 'b' }, { name: 'a' }] }, { items: [{ name: 'sidecar' }, { name: 'b' }, { name: 'a' }] }],
  ['and come last where they came last', { items: [{ name: 'a' }, { name: 'b' }, { name: 'sidecar' }] }, { '$setElementOrder/items': [{ name: 'a' }, { name: 'b' }, { name: 'n' }], items: [{ name: 'n' }] }, { items: [{ name: 'a' }, { name: 'b' }, { name: 'n' }, { name: 'sidecar' }] }],
  ['order of primitives', { words: ['a', 'b', 'x'] }, { '$setElementOrder/words': ['c', 'b', 'a'], words: ['c'] }, { words: ['c', 'b', 'a', 'x'] }],
  ['order and deletion', { items: [{ name: 'a' }, { name: 'b' }] }, { '$setElementOrder/items': [{ name: 'b' }], items: [{ $patch: 'delete', name: 'a' }] }, { items: [{ name: 'b' }] }],
  ['order of a list that is not there', {}, { '$setElementOrder/items': [{ name: 'b' }] }, {}],
  ['what changes its type is replaced', { map: { a: '1' }, words: 'x' }, { map: 'text', words: ['a'] }, { map: 'text', words: ['a'] }],
  ['the first of two items with one key', { items: [{ name: 'a', value: '1' }, { name: 'a', value: '2' }] }, { items: [{ name: 'a', value: '3' }] }, { items: [{ name: 'a', value: '3' }, { name: 'a', value: '2' }] }],
];
for (const [title, target, patch, result] of strategic) {
  test(`strategic merge: ${title}`, (t) => t.deepEqual(strategicMerge(schema, deepFreeze(target) as never, deepFreeze(patch) as never), result));
}

const refusals: readonly (readonly [title: string, patch: unknown, message: RegExp])[] = [
  ['an item without its key', { items: [{ value: '1' }] }, /items\[0\] of the patch must have "name"/],
  ['an item that is no object', { items: ['a'] }, /items\[0\] of the patch must be an object/],
  ['deletion without the key', { items: [{ $patch: 'delete' }] }, /must have "name"/],
  ['an unknown directive', { map: { $patch: 'explode' } }, /\$patch at map of the patch is "explode"; it must be replace, delete or merge/],
  ['retainKeys that forgets what is set', { strategy: { $retainKeys: ['rolling'], type: 'x' } }, /must name "type"/],
  ['retainKeys that is no list', { strategy: { $retainKeys: 'type' } }, /must be a list/],
  ['an order that is no list', { items: [], '$setElementOrder/items': 'a' }, /must be a list/],
  ['an order that misses an item', { items: [{ name: 'n' }], '$setElementOrder/items': [{ name: 'a' }] }, /"n" is missing/],
  ['an order against that of the items', { items: [{ name: 'b' }, { name: 'a' }], '$setElementOrder/items': [{ name: 'a' }, { name: 'b' }] }, /"a" is out of order/],
  ['the prototype', JSON.parse('{"map":{"__proto__":{"x":1}}}'), /__proto__/],
  ['the prototype in a directive', { '$setElementOrder/__proto__': [] }, /not allowed/],
  ['no object', ['a'], /must be a JSON object/],
];
for (const [title, patch, message] of refusals) {
  test(`strategic merge is refused: ${title}`, (t) => {
    const error = t.throws(() => readPatch('strategic', patch, schema).apply(deepFreeze({ items: [{ name: 'a' }, { name: 'b' }], map: {} })), { instanceOf: ApiError, message });
    t.is(error.code, 400);
  });
}

test('a refusal of a patch names what is taken', (t) => {
  const error = unsupportedPatch('strategic', ['json', 'merge', 'apply']);
  t.is(error.code, 415);
  t.regex(error.message, /accepted media types include: application\/json-patch\+json, application\/merge-patch\+json, application\/apply-patch\+yaml$/);
});

test('the schemas of the kinds drive it: set image of kubectl', (t) => {
  const containers = [{ name: 'app', image: 'a:1', env: [{ name: 'A', value: '1' }] }, { name: 'side', image: 's:1' }];
  const patched = strategicMerge(Deployment.schema, deepFreeze({ spec: { template: { spec: { containers } } } }) as never, { spec: { template: { spec: {
    '$setElementOrder/containers': [{ name: 'app' }, { name: 'side' }], containers: [{ name: 'app', image: 'a:2', env: [{ name: 'B', value: '2' }] }],
  } } } });
  t.deepEqual(patched, { spec: { template: { spec: { containers: [{ name: 'app', image: 'a:2', env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }] }, { name: 'side', image: 's:1' }] } } } });
});
