/** The controllers that look after objects of every kind, and kinds that come and go while they run. */
import assert from 'node:assert/strict';
import test from 'ava';
import type { OwnerReference } from '../../schemas/types/object-meta.ts';
import { testApi, type TestApi } from '../helpers/api.ts';
import { rest, startControllers, until } from '../helpers/control-plane.ts';
import { answerOf, createWidget, define, definitions, namesIn, widgetDefinition, widgets, type CustomObject, type Json } from '../helpers/custom.ts';

const maps = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default' } as const;

const open = async (t: { teardown(end: () => Promise<void>): void }): Promise<TestApi> => {
  const api = await testApi({ namespaces: ['team'] });
  const controllers = await startControllers(api);
  t.teardown(async () => {
    await controllers.stop();
    await api.close();
  });
  return api;
};

const ownedBy = ({ apiVersion, kind, metadata }: CustomObject): readonly OwnerReference[] => [{ apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '' }];
const createMap = async (api: TestApi, name: string, metadata: Json = {}): Promise<CustomObject> => await answerOf(api, { ...maps, verb: 'create', body: { metadata: { name, ...metadata } } }) as CustomObject;
const mapsLeft = async (api: TestApi): Promise<readonly string[]> => namesIn(await answerOf(api, { ...maps, verb: 'list' })).filter((name) => name !== 'kube-root-ca.crt');

test('custom objects own others, and are owned', async (t) => {
  const api = await open(t);
  await define(api, widgetDefinition());
  const owner = await createWidget(api, { spec: {} });
  const map = await createMap(api, 'owned', { ownerReferences: ownedBy(owner) });
  await createWidget(api, { metadata: { name: 'leaf', ownerReferences: ownedBy(map) } });
  await rest();
  await api.transport.send({ ...widgets, verb: 'delete', name: 'w' });
  await until(api.clock, async () => {
    assert.deepEqual(await mapsLeft(api), []);
    assert.deepEqual(namesIn(await answerOf(api, { ...widgets, verb: 'list' })), []);
  });
  t.pass();
});

test('what objects of a definition owned goes with the definition', async (t) => {
  const api = await open(t);
  await define(api, widgetDefinition());
  await createMap(api, 'owned', { ownerReferences: ownedBy(await createWidget(api, { spec: {} })) });
  await createMap(api, 'free');
  await rest();
  await api.transport.send({ ...definitions, verb: 'delete', name: 'widgets.example.com' });
  await until(api.clock, async () => {
    assert.deepEqual(await mapsLeft(api), ['free']);
    assert.equal((await answerOf(api, { ...definitions, verb: 'get', name: 'widgets.example.com' }))['code'], 404);
  });
  t.pass();
});

test('a kind that is only not served keeps what its objects own', async (t) => {
  const api = await open(t);
  await define(api, widgetDefinition());
  await createMap(api, 'owned', { ownerReferences: ownedBy(await createWidget(api, { spec: {} })) });
  await rest();
  const served = (value: boolean) => api.transport.send({ ...definitions, verb: 'patch', patchType: 'json', name: 'widgets.example.com', body: [{ op: 'replace', path: '/spec/versions/0/served', value }] });
  await served(false);
  await rest();
  await api.clock.advance(60_000);
  await rest();
  t.deepEqual(await mapsLeft(api), ['owned']);
  await served(true);
  await rest();
  await api.transport.send({ ...widgets, verb: 'delete', name: 'w' });
  await until(api.clock, async () => assert.deepEqual(await mapsLeft(api), []));
});

test('a namespace takes its custom objects with it', async (t) => {
  const api = await open(t);
  await define(api, widgetDefinition());
  const inTeam = { ...widgets, namespace: 'team' };
  await api.transport.send({ ...inTeam, verb: 'create', body: { metadata: { name: 'w', finalizers: ['example.com/hold'] } } });
  await createWidget(api, {});
  await api.transport.send({ group: '', version: 'v1', resource: 'namespaces', verb: 'delete', name: 'team' });
  await until(api.clock, async () => {
    const namespace = await answerOf(api, { group: '', version: 'v1', resource: 'namespaces', verb: 'get', name: 'team' });
    assert.match(JSON.stringify(namespace), /widgets.example.com has 1 resource instances/);
  });
  await api.transport.send({ ...inTeam, verb: 'patch', patchType: 'merge', name: 'w', body: { metadata: { finalizers: null } } });
  await until(api.clock, async () => assert.equal((await answerOf(api, { group: '', version: 'v1', resource: 'namespaces', verb: 'get', name: 'team' }))['code'], 404));
  t.deepEqual(namesIn(await answerOf(api, { ...widgets, namespace: undefined, verb: 'list' })), ['w']);
});
