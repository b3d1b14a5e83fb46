/** Definitions in a running server: names, conditions, discovery, restarts, and the end. */
import assert from 'node:assert/strict';
import test from 'ava';
import { aggregated, resourceList } from '../../../apiserver/discovery.ts';
import { openApiV2, openApiV3 } from '../../../apiserver/openapi.ts';
import { openApiV2Protobuf } from '../../../apiserver/openapi-protobuf.ts';
import type { WatchEvent } from '../../../schemas/api.ts';
import { conditionOf } from '../../../schemas/conditions.ts';
import type { CustomResourceDefinition } from '../../../schemas/types/custom-resource-definition.ts';
import { testApi } from '../../helpers/api.ts';
import { answerOf, createWidget, define, definitions, namesIn, specSchema, widgetDefinition, widgets, type CustomObject } from '../../helpers/custom.ts';
import { eventually } from '../../helpers/eventually.ts';

const open = async (t: { teardown(end: () => Promise<void>): void }, options: Parameters<typeof testApi>[0] = {}) => {
  const api = await testApi(options);
  t.teardown(() => api.close());
  return api;
};

const conditionsOf = ({ status }: CustomResourceDefinition): Readonly<Record<string, string>> =>
  Object.fromEntries((status?.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]));

test('a definition is established, and its kind served like any other', async (t) => {
  const api = await open(t);
  t.is((await answerOf(api, { ...widgets, verb: 'list' }))['code'], 404);
  const before = api.registry.all();
  const definition = await define(api, widgetDefinition({ names: { shortNames: ['wd'], categories: ['all'] } }));
  t.deepEqual(conditionsOf(definition), { NamesAccepted: 'True NoConflicts', Established: 'True InitialNamesAccepted' });
  t.deepEqual(definition.status?.acceptedNames, { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd'], categories: ['all'] });
  t.deepEqual(definition.status?.storedVersions, ['v1']);
  t.not(api.registry.all(), before, 'documents that were made of the kinds are made anew');
  const list = await answerOf(api, { ...widgets, verb: 'list' });
  t.like(list, { kind: 'WidgetList', apiVersion: 'example.com/v1', items: [] });
  t.like(resourceList(api.registry, 'example.com', 'v1'), { resources: [{ name: 'widgets', singularName: 'widget', namespaced: true, kind: 'Widget', shortNames: ['wd'], categories: ['all'] }] });
  t.true(JSON.stringify(aggregated(api.registry, 'groups', 'v2')).includes('"resource":"widgets"'));
});

test('objects and their definition are there again after a restart, from the first request on', async (t) => {
  const first = await testApi();
  await define(first, widgetDefinition());
  await createWidget(first, { spec: { size: 3 } });
  await first.close();
  const second = await open(t, { storage: first.storage });
  t.is((await answerOf(second, { ...widgets, verb: 'get', name: 'w' }) as CustomObject).spec?.['size'], 3);
  await createWidget(second, { metadata: { name: 'v' }, spec: { size: 4 } });
  t.deepEqual(namesIn(await answerOf(second, { ...widgets, verb: 'list' })), ['v', 'w']);
});

test('a definition that was stored but not looked at is established by the next server', async (t) => {
  const first = await testApi();
  const { body } = await first.transport.send({ ...definitions, verb: 'create', body: widgetDefinition() });
  await first.storage.commit({ checks: [], writes: [{ key: 'apiextensions.k8s.io/customresourcedefinitions//widgets.example.com', value: JSON.stringify(body) }] });
  await first.close();
  const second = await open(t, { storage: first.storage });
  await eventually(() => createWidget(second, { spec: { size: 1 } }));
  t.pass();
});

test('names belong to who had them first, and are free when it gives them up', async (t) => {
  const api = await open(t);
  await define(api, widgetDefinition({ names: { shortNames: ['w'] } }));
  const other = widgetDefinition({ names: { plural: 'wands', kind: 'Wand', shortNames: ['w'] }, metadata: { name: 'wands.example.com' } });
  await api.transport.send({ ...definitions, verb: 'create', body: other });
  const waits = await eventually(async () => {
    const definition = await answerOf(api, { ...definitions, verb: 'get', name: 'wands.example.com' }) as unknown as CustomResourceDefinition;
    assert.deepEqual(conditionsOf(definition), { NamesAccepted: 'False ShortNamesConflict', Established: 'False NotAccepted' });
    return definition;
  });
  t.is(conditionOf(waits.status?.conditions, 'NamesAccepted')?.message, '"w" is already in use');
  t.is((await answerOf(api, { ...widgets, resource: 'wands', verb: 'list' }))['code'], 404);
  await api.transport.send({ ...definitions, verb: 'patch', patchType: 'merge', name: 'widgets.example.com', body: { spec: { names: { shortNames: null } } } });
  await eventually(async () => assert.equal((await answerOf(api, { ...widgets, resource: 'wands', verb: 'list' }))['kind'], 'WandList'));
});

test('a definition that stands in the way of a built-in kind is not served', async (t) => {
  const api = await open(t);
  const metadata = { name: 'ingresses.networking.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } };
  await api.transport.send({ ...definitions, verb: 'create', body: widgetDefinition({ metadata, names: { plural: 'ingresses', kind: 'Ingress' }, spec: { group: 'networking.k8s.io' } }) });
  await eventually(async () => {
    const definition = await answerOf(api, { ...definitions, verb: 'get', name: metadata.name }) as unknown as CustomResourceDefinition;
    assert.deepEqual(conditionsOf(definition), { NamesAccepted: 'False PluralConflict', Established: 'False NotAccepted', KubernetesAPIApprovalPolicyConformant: 'False UnapprovedAnnotation' });
  });
  t.is(api.registry.resource('networking.k8s.io', 'v1', 'ingresses')?.custom, undefined);
});

test('a definition that goes takes its objects with it, and waits for those that somebody holds', async (t) => {
  const api = await open(t);
  await define(api, widgetDefinition());
  await createWidget(api, { spec: { size: 1 } });
  await createWidget(api, { metadata: { name: 'held', finalizers: ['hold-on'] }, spec: { size: 1 } });
  const answer = await answerOf(api, { ...definitions, verb: 'delete', name: 'widgets.example.com' });
  t.deepEqual(answer.metadata, { ...answer.metadata, finalizers: ['customresourcecleanup.apiextensions.k8s.io'] });
  await eventually(async () => assert.deepEqual(namesIn(await answerOf(api, { ...widgets, verb: 'list' })), ['held']));
  const going = await answerOf(api, { ...definitions, verb: 'get', name: 'widgets.example.com' }) as unknown as CustomResourceDefinition;
  t.is(conditionsOf(going)['Terminating'], 'True InstanceDeletionInProgress');
  t.is((await answerOf(api, { ...widgets, verb: 'create', body: { metadata: { name: 'late' } } }))['code'], 405);

  await api.transport.send({ ...widgets, verb: 'patch', patchType: 'json', name: 'held', body: [{ op: 'remove', path: '/metadata/finalizers' }] });
  await eventually(async () => {
    await api.clock.advance(1_000);
    assert.equal((await answerOf(api, { ...definitions, verb: 'get', name: 'widgets.example.com' }))['code'], 404);
  });
  t.is((await answerOf(api, { ...widgets, verb: 'list' }))['code'], 404);
  await define(api, widgetDefinition());
  t.deepEqual(namesIn(await answerOf(api, { ...widgets, verb: 'list' })), [], 'what has gone does not come back with the definition');
});

test('watches see every object, also those that go with their definition, and end when the schema is another', async (t) => {
  const api = await open(t);
  await define(api, widgetDefinition());
  const seen: string[] = [];
  const watching = async (): Promise<void> => {
    for await (const batch of api.transport.watch({ ...widgets, verb: 'watch' }, new AbortController().signal)) for (const { type, object } of batch as readonly WatchEvent[]) seen.push(`${type} ${object.metadata.name} ${object.apiVersion}`);
  };
  const first = watching();
  await createWidget(api, { spec: { size: 1 } });
  await eventually(() => assert.deepEqual(seen, ['ADDED w example.com/v1']));
  await api.transport.send({ ...definitions, verb: 'patch', patchType: 'json', name: 'widgets.example.com', body: [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: specSchema({ size: { type: 'integer' }, color: { type: 'string' } }) }] });
  await first;
  seen.length = 0;
  const second = watching();
  await api.transport.send({ ...definitions, verb: 'delete', name: 'widgets.example.com' });
  await second;
  t.deepEqual(seen, ['ADDED w example.com/v1', 'DELETED w example.com/v1']);
});

test('OpenAPI says what the definition says; its older version nothing that old clients read wrongly', async (t) => {
  const api = await open(t);
  await define(api, widgetDefinition({ schema: specSchema({
    size: { type: 'integer', minimum: 1, exclusiveMinimum: true, description: 'How large.' }, when: { type: 'string', format: 'date-time' }, none: { type: 'string', nullable: true },
    one: { type: 'object', properties: { a: { type: 'string' } }, oneOf: [{ required: ['a'] }] }, port: { 'x-kubernetes-int-or-string': true },
  }) }));
  const v3 = openApiV3(api.registry, 'apis/example.com/v1') as { readonly paths: object; readonly components: { readonly schemas: Record<string, { properties: Record<string, { properties?: object }> }> } };
  const widget = v3.components.schemas['com.example.v1.Widget'];
  t.deepEqual(widget?.properties['spec']?.properties, {
    size: { type: 'integer', minimum: 1, exclusiveMinimum: true, description: 'How large.' }, when: { type: 'string', format: 'date-time' }, none: { type: 'string', nullable: true },
    one: { type: 'object', properties: { a: { type: 'string' } }, oneOf: [{ required: ['a'] }] }, port: { 'x-kubernetes-int-or-string': true },
  });
  t.true(Object.hasOwn(v3.components.schemas, 'com.example.v1.WidgetList'));
  t.true(Object.hasOwn(v3.paths, '/apis/example.com/v1/namespaces/{namespace}/widgets/{name}'));
  const v2 = openApiV2(api.registry) as { readonly definitions: Record<string, { properties: Record<string, { properties?: object }> }> };
  t.deepEqual(v2.definitions['com.example.v1.Widget']?.properties['spec']?.properties, {
    size: { type: 'integer', minimum: 1, exclusiveMinimum: true, description: 'How large.' }, when: { type: 'string', format: 'date-time' }, none: {},
    one: { type: 'object', properties: { a: { type: 'string' } } }, port: { 'x-kubernetes-int-or-string': true },
  });
  t.true(openApiV2Protobuf(v2).includes('com.example.v1.Widget'));
});

test('kinds of the whole cluster, versions that are not served, and deprecated ones', async (t) => {
  const api = await open(t);
  const schema = { openAPIV3Schema: specSchema({ size: { type: 'integer' } }) };
  await define(api, widgetDefinition({ spec: { scope: 'Cluster' }, versions: [
    { name: 'v1', served: true, storage: true, schema }, { name: 'v1beta1', served: true, storage: false, schema, deprecated: true }, { name: 'v1alpha1', served: false, storage: false, schema },
  ] }));
  const { namespace: _, ...at } = widgets;
  const { warnings } = await api.transport.send({ ...at, version: 'v1beta1', verb: 'create', body: { metadata: { name: 'w' }, spec: { size: 1 } } });
  t.deepEqual(warnings, ['example.com/v1beta1 Widget is deprecated']);
  t.deepEqual((await api.transport.send({ ...at, version: 'v1beta1', verb: 'list' })).warnings, ['example.com/v1beta1 Widget is deprecated']);
  t.deepEqual((await api.transport.send({ ...at, verb: 'get', name: 'w' })).warnings, []);
  t.is((await answerOf(api, { ...at, version: 'v1alpha1', verb: 'list' }))['code'], 404);
  t.is((await answerOf(api, { ...widgets, verb: 'list' }))['code'], 404);
});
