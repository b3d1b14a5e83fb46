/** Several versions of one kind without a webhook: each is read and written by its own schema, one is stored. */
import test from 'ava';
import { testApi } from '../../helpers/api.ts';
import { answerOf, causesOf, createWidget, define, definitions, namesIn, specSchema, widgetDefinition, widgets, type CustomObject, type Json } from '../../helpers/custom.ts';

const version = (name: string, storage: boolean, schema: Json, more: Json = {}): Json => ({ name, served: true, storage, schema: { openAPIV3Schema: schema }, ...more });
const old = specSchema({ size: { type: 'integer' }, legacy: { type: 'string' } });
const now = specSchema({ size: { type: 'integer' }, color: { type: 'string', default: 'red' } }, { required: ['spec'] });
const versions = [version('v1beta1', true, old), version('v1', false, now, { selectableFields: [{ jsonPath: '.spec.color' }] })];
const beta = { ...widgets, version: 'v1beta1' } as const;

const open = async (t: { teardown(end: () => Promise<void>): void }) => {
  const api = await testApi();
  t.teardown(() => api.close());
  await define(api, widgetDefinition({ versions }));
  return api;
};

const storedVersion = (api: Awaited<ReturnType<typeof testApi>>): Promise<string> => (async () => {
  for await (const rows of api.storage.load()) for (const { key, value } of rows) if (key === 'example.com/widgets/default/w') return (JSON.parse(value) as { apiVersion: string }).apiVersion;
  return 'nothing';
})();

test('every version is pruned, defaulted and checked by its own schema', async (t) => {
  const api = await open(t);
  const made = await answerOf(api, { ...beta, verb: 'create', body: { metadata: { name: 'w' }, spec: { size: 1, legacy: 'x', color: 'blue' } } }) as CustomObject;
  t.like(made, { apiVersion: 'example.com/v1beta1', spec: { size: 1, legacy: 'x' } });
  const shown = await answerOf(api, { ...widgets, verb: 'get', name: 'w' }) as CustomObject;
  t.deepEqual(shown.spec, { size: 1, color: 'red' });
  t.is(shown.apiVersion, 'example.com/v1');
  t.is(shown.metadata.resourceVersion, made.metadata.resourceVersion);
  t.is(await storedVersion(api), 'example.com/v1beta1');
  t.deepEqual(await causesOf(createWidget(api, { metadata: { name: 'v' } })), ['Required spec'], 'only v1 asks for a spec');
  t.is((await answerOf(api, { ...beta, verb: 'create', body: { metadata: { name: 'v' } } }))['code'], undefined);
  t.like(await answerOf(api, { ...widgets, verb: 'list' }), { kind: 'WidgetList', apiVersion: 'example.com/v1', items: [{ apiVersion: 'example.com/v1' }, { spec: { color: 'red' } }] });
  t.deepEqual(namesIn(await answerOf(api, { ...widgets, verb: 'list', options: { fieldSelector: 'spec.color=red' } })), ['w']);
  t.like(await answerOf(api, { ...widgets, verb: 'patch', patchType: 'merge', name: 'w', body: { spec: { color: 'green' } } }), { apiVersion: 'example.com/v1', spec: { size: 1, color: 'green' } });
});

test('watches show the version that they ask for', async (t) => {
  const api = await open(t);
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const batch of api.transport.watch({ ...widgets, verb: 'watch', options: { fieldSelector: 'spec.color=red' } }, stop.signal)) {
      for (const { type, object } of batch) seen.push(`${type} ${object.apiVersion} ${JSON.stringify((object as CustomObject).spec)}`);
      if (seen.length === 3) stop.abort();
    }
  })();
  await api.transport.send({ ...beta, verb: 'create', body: { metadata: { name: 'w' }, spec: { legacy: 'x' } } });
  await api.transport.send({ ...beta, verb: 'patch', patchType: 'merge', name: 'w', body: { spec: { size: 2 } } });
  await api.transport.send({ ...widgets, verb: 'patch', patchType: 'merge', name: 'w', body: { spec: { color: 'blue' } } });
  await watching;
  t.deepEqual(seen, ['ADDED example.com/v1 {"color":"red"}', 'MODIFIED example.com/v1 {"size":2,"color":"red"}', 'DELETED example.com/v1 {"size":2,"color":"red"}']);
});

test('another stored version is noted at once, and objects move to it when they are next written', async (t) => {
  const api = await open(t);
  await createWidget(api, { spec: { size: 1 } });
  t.is(await storedVersion(api), 'example.com/v1beta1');
  const name = 'widgets.example.com';
  const moved = await answerOf(api, { ...definitions, verb: 'patch', patchType: 'json', name, body: [{ op: 'replace', path: '/spec/versions/0/storage', value: false }, { op: 'replace', path: '/spec/versions/1/storage', value: true }] });
  t.like(moved, { status: { storedVersions: ['v1beta1', 'v1'] } });
  const before = await answerOf(api, { ...widgets, verb: 'get', name: 'w' }) as CustomObject;
  t.is(await storedVersion(api), 'example.com/v1beta1');
  const same = await answerOf(api, { ...widgets, verb: 'update', name: 'w', body: before }) as CustomObject;
  t.not(same.metadata.resourceVersion, before.metadata.resourceVersion, 'it was written, though it says the same');
  t.is(await storedVersion(api), 'example.com/v1');
  const again = await answerOf(api, { ...widgets, verb: 'update', name: 'w', body: same }) as CustomObject;
  t.is(again.metadata.resourceVersion, same.metadata.resourceVersion);

  const removeOld = [{ op: 'remove', path: '/spec/versions/0' }];
  t.deepEqual(await causesOf(api.transport.send({ ...definitions, verb: 'patch', patchType: 'json', name, body: removeOld })), ['Invalid status.storedVersions[0]']);
  t.like(await answerOf(api, { ...definitions, verb: 'patch', patchType: 'merge', name, subresource: 'status', body: { status: { storedVersions: ['v1'] } } }), { status: { storedVersions: ['v1'] } });
  t.like(await answerOf(api, { ...definitions, verb: 'patch', patchType: 'json', name, body: removeOld }), { kind: 'CustomResourceDefinition' });
  t.is((await answerOf(api, { ...beta, verb: 'list' }))['code'], 404);
  t.like(await answerOf(api, { ...widgets, verb: 'get', name: 'w' }), { spec: { size: 1, color: 'red' } });
});

test('a new schema speaks of objects that were stored before it', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  await define(api, widgetDefinition({ schema: specSchema({ size: { type: 'integer' }, gone: { type: 'string' } }) }));
  await createWidget(api, { spec: { size: 1, gone: 'x' } });
  await api.transport.send({ ...definitions, verb: 'patch', patchType: 'json', name: 'widgets.example.com', body: [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: specSchema({ size: { type: 'integer' }, color: { type: 'string', default: 'red' } }) }] });
  t.deepEqual((await answerOf(api, { ...widgets, verb: 'get', name: 'w' }) as CustomObject).spec, { size: 1, color: 'red' });
});
