import test from 'ava';
import * as fc from 'fast-check';
import { applyJsonPatch, maxOperations, readJsonPatch } from '../../../apiserver/patch/json-patch.ts';
import { readPatch } from '../../../apiserver/patch/patch.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { deepEqual, deepFreeze } from '../../../schemas/frozen.ts';

const apply = (document: unknown, patch: unknown): unknown => applyJsonPatch(deepFreeze(document), readJsonPatch(patch));

// The examples of RFC 6902's appendix A, and the corners around them.
const done: readonly (readonly [title: string, document: unknown, patch: readonly object[], result: unknown])[] = [
  ['A.1 add a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
  ['A.2 add to a list', { foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
  ['A.3 remove a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  ['A.4 remove from a list', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
  ['A.5 replace', { baz: 'qux', foo: 'bar' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo', foo: 'bar' }],
  ['A.6 move a value', { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } }, [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }], { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } }],
  ['A.7 move in a list', { foo: ['all', 'grass', 'cows', 'eat'] }, [{ op: 'move', from: '/foo/1', path: '/foo/3' }], { foo: ['all', 'cows', 'eat', 'grass'] }],
  ['A.8 test', { baz: 'qux', foo: ['a', 2, 'c'] }, [{ op: 'test', path: '/baz', value: 'qux' }, { op: 'test', path: '/foo/1', value: 2 }], { baz: 'qux', foo: ['a', 2, 'c'] }],
  ['A.10 add an object', { foo: 'bar' }, [{ op: 'add', path: '/child', value: { grandchild: {} } }], { foo: 'bar', child: { grandchild: {} } }],
  ['A.11 unknown members are ignored', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], { foo: 'bar', baz: 'qux' }],
  ['A.14 escapes', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }, { op: 'test', path: '/~1', value: 9 }], { '/': 9, '~1': 10 }],
  ['A.16 the end of a list', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }], { foo: ['bar', ['abc', 'def']] }],
  ['add replaces a member', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
  ['add at the length appends', { a: [1] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2] }],
  ['the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }, { op: 'add', path: '', value: { c: 3 } }], { c: 3 }],
  ['an empty name', { '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
  ['copy makes a copy', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }, { op: 'replace', path: '/c/b', value: 2 }], { a: { b: 1 }, c: { b: 2 } }],
  ['move onto itself', { a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
  ['test of null, lists and objects in any order', { a: null, b: [{ x: 1, y: 2 }] }, [{ op: 'test', path: '/a', value: null }, { op: 'test', path: '/b/0', value: { y: 2, x: 1 } }], { a: null, b: [{ x: 1, y: 2 }] }],
  ['a value used twice is not shared', {}, [{ op: 'add', path: '/a', value: { n: 1 } }, { op: 'copy', from: '/a', path: '/b' }, { op: 'add', path: '/a/n', value: 2 }], { a: { n: 2 }, b: { n: 1 } }],
];
for (const [title, document, patch, result] of done) test(`JSON patch: ${title}`, (t) => t.deepEqual(apply(document, patch), result));

const failed: readonly (readonly [title: string, document: unknown, patch: readonly object[], cause: RegExp])[] = [
  ['a failing test', { a: '1' }, [{ op: 'test', path: '/a', value: '2' }], /operation 0 \(test \/a\): \/a is "1", not "2"/],
  ['text is not a number', { a: '10' }, [{ op: 'test', path: '/a', value: 10 }], /"10", not 10/],
  ['test of nothing', {}, [{ op: 'test', path: '/a', value: null }], /does not exist/],
  ['no such parent', {}, [{ op: 'add', path: '/a/b', value: 1 }], /\/a does not exist/],
  ['a parent that holds nothing', { a: 1 }, [{ op: 'add', path: '/a/b', value: 1 }], /neither an object nor a list/],
  ['remove nothing', {}, [{ op: 'remove', path: '/a' }], /does not exist/],
  ['replace nothing', {}, [{ op: 'replace', path: '/a', value: 1 }], /does not exist/],
  ['move nothing', {}, [{ op: 'move', from: '/a', path: '/b' }], /does not exist/],
  ['beyond the list', { a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }], /the list has 1 items/],
  ['replace at the end', { a: [1] }, [{ op: 'replace', path: '/a/-', value: 1 }], /not an index/],
  ['an index with a zero in front', { a: [1, 2] }, [{ op: 'test', path: '/a/01', value: 2 }], /not an index/],
  ['a negative index', { a: [1] }, [{ op: 'remove', path: '/a/-1' }], /not an index/],
  ['the document itself', { a: 1 }, [{ op: 'remove', path: '' }], /cannot be removed/],
  ['what objects inherit is not there', {}, [{ op: 'test', path: '/constructor', value: {} }], /does not exist/],
  ['the second operation', { a: 1 }, [{ op: 'remove', path: '/a' }, { op: 'remove', path: '/a' }], /operation 1/],
  ['copies without end', { a: 'x'.repeat(1_000_000) }, [1, 2, 3, 4].map((n) => ({ op: 'copy', from: '/a', path: `/b${n}` })), /copy more than/],
];
for (const [title, document, patch, cause] of failed) {
  test(`JSON patch fails: ${title}`, (t) => {
    const error = t.throws(() => apply(document, patch), { instanceOf: ApiError, message: 'the server rejected our request due to an error in our request' });
    t.is(error.code, 422);
    t.regex(error.details?.causes?.[0]?.message ?? '', cause);
  });
}

const malformed: readonly (readonly [title: string, patch: unknown, message: RegExp])[] = [
  ['no list', { op: 'add' }, /must be a list of operations/],
  ['no object', [1], /operation 0 .* must be an object/],
  ['no path', [{ op: 'remove' }], /"path" of operation 0/],
  ['a path without a slash', [{ op: 'remove', path: 'a' }], /is not a JSON pointer/],
  ['a wrong escape', [{ op: 'remove', path: '/a~2' }], /is not a JSON pointer/],
  ['no such operation', [{ op: 'merge', path: '/a' }], /must be one of add, remove, replace, move, copy, test/],
  ['no value', [{ op: 'add', path: '/a' }], /must have a "value"/],
  ['no from', [{ op: 'copy', path: '/a' }], /"from" of operation 0/],
  ['a move into itself', [{ op: 'move', from: '/a', path: '/a/b' }], /cannot move "\/a" into itself/],
  ['the prototype', [{ op: 'add', path: '/__proto__/x', value: 1 }], /"__proto__" is not allowed/],
];
for (const [title, patch, message] of malformed) {
  test(`JSON patch is refused: ${title}`, (t) => {
    t.is(t.throws(() => readJsonPatch(patch), { instanceOf: ApiError, message }).code, 400);
  });
}

test('a JSON patch has at most ten thousand operations', (t) => {
  const patch = Array.from({ length: maxOperations + 1 }, () => ({ op: 'test', path: '', value: 1 }));
  t.is(t.throws(() => readJsonPatch(patch), { instanceOf: ApiError }).code, 413);
  t.notThrows(() => readJsonPatch(patch.slice(1)));
});

const key = fc.constantFrom('a', 'b', 'constructor', 'prototype', '__proto__', 'toString', '0');
const value = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, fc.constantFrom(null, true, 1, 'x'), fc.array(tie('node'), { maxLength: 3 }), fc.array(fc.tuple(key, tie('node')), { maxLength: 3 }).map((members) => JSON.parse(`{${members.map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`).join()}}`) as unknown)),
})).node;
const pointer = fc.array(fc.oneof(key, fc.constantFrom('-', '1', '~', 'a/b')), { maxLength: 3 }).map((steps) => steps.map((step) => `/${step}`).join(''));
const operation = fc.record({ op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'none'), path: pointer, from: pointer, value }, { requiredKeys: ['op', 'path'] });
const anyPatch = fc.oneof(
  fc.tuple(fc.constant('json' as const), fc.array(operation, { maxLength: 6 })), fc.tuple(fc.constant('merge' as const), value), fc.tuple(fc.constant('strategic' as const), value),
  fc.tuple(fc.constantFrom('json', 'strategic', 'merge'), fc.anything()),
);

test('no patch of any type reaches a prototype, changes its target or throws anything but an ApiError', (t) => {
  const schema = { type: 'object', properties: { a: { type: 'array', items: { type: 'object' }, 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'b' }, b: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' } } } as const;
  const before = Object.getOwnPropertyNames(Object.prototype);
  fc.assert(fc.property(anyPatch, ([type, patch]) => {
    const target = deepFreeze({ a: [{ b: 'x', a: 1 }, { b: 'y' }], b: ['x', 'y'], 0: { a: { a: 1 } } });
    const copy = JSON.stringify(target);
    try {
      const result = readPatch(type, patch, schema).apply(target);
      if (Object.getPrototypeOf(result) !== Object.prototype || Object.hasOwn(result, '__proto__')) return false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    return JSON.stringify(target) === copy && deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
  }), { numRuns: 2_000 });
  t.pass();
});

test('what a JSON patch tests and replaces is what was there', (t) => {
  fc.assert(fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c~d', 'e/f'), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 }), fc.jsonValue(), (document, put) => {
    const name = Object.keys(document)[0]!;
    const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    // Bodies with a key __proto__ are refused before they are patched.
    const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value), (key: string, member: unknown) => (key === '__proto__' ? undefined : member));
    const plain = parsed(document) as Record<string, unknown>;
    const back = apply(plain, [{ op: 'test', path, value: plain[name] }, { op: 'replace', path, value: parsed(put) }, { op: 'replace', path, value: plain[name] }]);
    t.deepEqual(back, plain);
  }), { numRuns: 200 });
});
