import test from 'ava';
import * as fc from 'fast-check';
import { eventLineOf, jsonOf, storedObject } from '../../apiserver/encoding.ts';
import type { ApiObject } from '../../schemas/kind.ts';

const pod: ApiObject = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', namespace: 'd', annotations: { note: '"metadata":{ "x":1' } } };

test('a stored object has its revision and is encoded once', (t) => {
  const stored = storedObject(pod, 7, JSON.stringify(pod));
  t.is(stored.metadata.resourceVersion, '7');
  t.deepEqual(JSON.parse(jsonOf(stored)), stored);
  t.is(jsonOf(stored), jsonOf(stored));
  t.is(pod.metadata.resourceVersion, undefined);
});

test('the text of the store and the object encode to the same, whatever the names', (t) => {
  fc.assert(fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), fc.nat(), (kind, data, revision) => {
    const object = { kind, apiVersion: 'v1', metadata: { name: 'x', labels: data }, data };
    for (const text of [JSON.stringify(object), undefined]) t.deepEqual(JSON.parse(jsonOf(storedObject(object, revision, text))), JSON.parse(JSON.stringify(storedObject(object, revision))));
  }), { numRuns: 200 });
  const bare = { kind: 'Pod', apiVersion: 'v1', metadata: {} };
  t.is(jsonOf(storedObject(bare, 3, JSON.stringify(bare))), '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"3"}}');
});

test('any other object is encoded as it is each time', (t) => {
  const draft = { ...pod, metadata: { name: 'b' } };
  t.is(jsonOf(draft), '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"b"}}');
  draft.metadata.name = 'c';
  t.true(jsonOf(draft).includes('"c"'));
});

test('an event is one line, made once', (t) => {
  const event = Object.freeze({ type: 'ADDED' as const, object: storedObject(pod, 1) });
  t.deepEqual(JSON.parse(eventLineOf(event).toString()), event);
  t.true(eventLineOf(event).toString().endsWith('}\n'));
  t.is(eventLineOf(event), eventLineOf(event));
});
