import test from 'ava';
import * as fc from 'fast-check';
import { shareParts, textOf, withEqualParts } from '../../apiserver/shared-parts.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { testApi } from '../helpers/api.ts';

const thing = (members: Readonly<Record<string, unknown>>): ApiObject => ({ kind: 'Thing', apiVersion: 'test/v1', metadata: { name: 'a' }, ...members });
const partsOf = (object: ApiObject): Record<string, unknown> => object as unknown as Record<string, unknown>;

test('equal parts of two objects are one frozen value, and metadata is left alone', (t) => {
  const one = shareParts(thing({ spec: { list: [1, { two: '2' }] }, status: {}, count: 3 }));
  const other = shareParts(thing({ spec: { list: [1, { two: '2' }] }, status: {}, count: 3 }));
  t.is(partsOf(one)['spec'], partsOf(other)['spec']);
  t.true(Object.isFrozen((partsOf(one)['spec'] as { list: unknown[] }).list[1]));
  t.false(Object.isFrozen(one.metadata));
  t.not(partsOf(shareParts(thing({ spec: { list: [1, { two: 2 }] } })))['spec'], partsOf(one)['spec']);
});

test('a part that is very long is frozen and not kept', (t) => {
  const long = { text: 'x'.repeat(20_000) };
  t.not(partsOf(shareParts(thing({ spec: { ...long } })))['spec'], partsOf(shareParts(thing({ spec: { ...long } })))['spec']);
});

test('what was not made again for a long time is forgotten', (t) => {
  const first = partsOf(shareParts(thing({ spec: { rare: true } })))['spec'];
  for (let n = 0; n < 5_000; n++) shareParts(thing({ spec: { n } }));
  t.not(partsOf(shareParts(thing({ spec: { rare: true } })))['spec'], first);
});

test('the text is the JSON of the object, whoever has made its parts', (t) => {
  const value = fc.jsonValue({ maxDepth: 3 }).filter((one) => JSON.stringify(one) !== undefined);
  fc.assert(fc.property(fc.dictionary(fc.string().filter((name) => !['kind', 'apiVersion', 'metadata', '__proto__'].includes(name)), value), fc.dictionary(fc.string(), fc.string()), (parts, labels) => {
    const object: ApiObject = { ...thing(parts), metadata: { name: 'x', labels, managedFields: [{ manager: 'm', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} } }, {}] } };
    const plain: unknown = JSON.parse(JSON.stringify(object));
    t.deepEqual(JSON.parse(textOf(object)), plain);
    t.deepEqual(JSON.parse(textOf(shareParts(object))), plain);
    t.true(textOf(object).startsWith('{"kind":"Thing","apiVersion":"test/v1","metadata":{'));
  }), { numRuns: 200 });
});

test('equal parts are taken from the stored object', (t) => {
  const stored = shareParts(thing({ spec: { a: 1 }, data: { b: 2 } }));
  const next = withEqualParts(thing({ spec: { a: 1, b: undefined }, data: { b: 3 } }), stored);
  t.is(partsOf(next)['spec'], partsOf(stored)['spec']);
  t.deepEqual(partsOf(next)['data'], { b: 3 });
});

test('pods of one template share their spec, through creation, patches and statuses', async (t) => {
  const { client, close } = await testApi();
  t.teardown(close);
  const pods = client.of(Pod);
  const pod = (name: string) => ({ metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  const [a, b] = await Promise.all([pods.create(pod('a')), pods.create(pod('b'))]);
  t.is(a.spec, b.spec);
  const key = { namespace: 'default', name: 'a' };
  t.is((await pods.patch(key, 'merge', { metadata: { labels: { x: 'y' } } })).spec, a.spec);
  t.is((await pods.updateStatus({ ...a, metadata: { ...a.metadata, resourceVersion: '' }, status: { phase: 'Running' } })).spec, a.spec);
  t.like(await pods.patch(key, 'merge', { spec: { activeDeadlineSeconds: 5 } }), { metadata: { generation: 2 }, spec: { activeDeadlineSeconds: 5 } });
  t.is((await pods.get({ namespace: 'default', name: 'b' })).spec.activeDeadlineSeconds, undefined);
});
