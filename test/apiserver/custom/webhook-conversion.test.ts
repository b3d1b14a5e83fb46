/** Versions that a webhook turns into each other, over HTTPS. */
import test from 'ava';
import { maxObjectsPerReview } from '../../../apiserver/custom/webhook-conversion.ts';
import type { ApiObject } from '../../../schemas/kind.ts';
import { testApi, type TestApi } from '../../helpers/api.ts';
import { answerOf, createWidget, define, definitions, namesIn, specSchema, widgetDefinition, widgets, type CustomObject, type Json } from '../../helpers/custom.ts';
import { webhookServer, type WebhookServer } from '../../helpers/webhook-server.ts';

interface Request { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly CustomObject[] }
type Convert = (object: CustomObject, apiVersion: string) => unknown;

/** v1 has `size`, v2 has `sizes` with one item. */
const convert: Convert = (object, apiVersion) => {
  const { size, sizes, ...spec } = object.spec ?? {};
  return { ...object, apiVersion, spec: apiVersion.endsWith('/v2') ? { ...spec, sizes: size === undefined ? [] : [size] } : { ...spec, ...((sizes as number[] | undefined)?.length ? { size: (sizes as number[])[0] } : {}) } };
};

const answerTo = (body: unknown, change: Convert): Json => {
  const { uid, desiredAPIVersion, objects } = (body as { readonly request: Request }).request;
  return { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response: { uid, result: { status: 'Success' }, convertedObjects: objects.map((object) => change(object, desiredAPIVersion)) } };
};

const v2 = { ...widgets, version: 'v2' } as const;
const versions = (stored: 'v1' | 'v2'): readonly Json[] => [
  { name: 'v1', served: true, storage: stored === 'v1', schema: { openAPIV3Schema: specSchema({ size: { type: 'integer' } }) } },
  { name: 'v2', served: true, storage: stored === 'v2', schema: { openAPIV3Schema: specSchema({ sizes: { type: 'array', items: { type: 'integer' } }, color: { type: 'string', default: 'red' } }) }, selectableFields: [{ jsonPath: '.spec.color' }] },
];

interface Opened { readonly api: TestApi; readonly server: WebhookServer; readonly reviews: Request[] }

const open = async (t: { teardown(end: () => Promise<void>): void }, answer: (body: unknown) => unknown = (body) => answerTo(body, convert)): Promise<Opened> => {
  const reviews: Request[] = [];
  const server = await webhookServer((body) => {
    reviews.push((body as { readonly request: Request }).request);
    return answer(body);
  });
  const api = await testApi();
  t.teardown(async () => {
    await api.close();
    await server.close();
  });
  const conversion = { strategy: 'Webhook', webhook: { clientConfig: { url: server.url, caBundle: server.caBundle }, conversionReviewVersions: ['v1'] } };
  await define(api, widgetDefinition({ versions: versions('v1'), spec: { conversion } }));
  return { api, server, reviews };
};

test('objects are read, written, listed and watched in every version', async (t) => {
  const { api, reviews } = await open(t);
  await createWidget(api, { spec: { size: 1 } });
  t.is(reviews.length, 0, 'the stored version needs no webhook');
  const shown = await answerOf(api, { ...v2, verb: 'get', name: 'w' }) as CustomObject;
  t.like(shown, { apiVersion: 'example.com/v2', spec: { sizes: [1], color: 'red' } });
  t.is(reviews.length, 1);
  await answerOf(api, { ...v2, verb: 'get', name: 'w' });
  t.is(reviews.length, 1, 'the answer is remembered');

  t.like(await answerOf(api, { ...v2, verb: 'create', body: { metadata: { name: 'x' }, spec: { sizes: [5] } } }), { apiVersion: 'example.com/v2', spec: { sizes: [5] } });
  t.like(await answerOf(api, { ...widgets, verb: 'get', name: 'x' }), { apiVersion: 'example.com/v1', spec: { size: 5 } });
  t.like(await answerOf(api, { ...v2, verb: 'patch', patchType: 'merge', name: 'x', body: { spec: { sizes: [6] } } }), { spec: { sizes: [6] } });
  t.like(await answerOf(api, { ...widgets, verb: 'get', name: 'x' }), { spec: { size: 6 }, metadata: { generation: 2 } });
  const list = await answerOf(api, { ...v2, verb: 'list' });
  t.like(list, { apiVersion: 'example.com/v2', items: [{ spec: { sizes: [1] } }, { spec: { sizes: [6] } }] });
  t.deepEqual(namesIn(await answerOf(api, { ...v2, verb: 'list', options: { fieldSelector: 'spec.color=red' } })), ['w', 'x']);

  const stop = new AbortController();
  const seen: string[] = [];
  for await (const batch of api.transport.watch({ ...v2, verb: 'watch', options: { fieldSelector: 'metadata.name=w' } }, stop.signal)) {
    for (const { type, object } of batch) seen.push(`${type} ${object.apiVersion} ${JSON.stringify((object as CustomObject).spec?.['sizes'])}`);
    if (seen.length === 1) await api.transport.send({ ...widgets, verb: 'patch', patchType: 'merge', name: 'w', body: { spec: { size: 2 } } });
    if (seen.length === 2) await api.transport.send({ ...widgets, verb: 'delete', name: 'w' });
    if (seen.length === 3) stop.abort();
  }
  t.deepEqual(seen, ['ADDED example.com/v2 [1]', 'MODIFIED example.com/v2 [2]', 'DELETED example.com/v2 [2]']);
  const refused = await t.throwsAsync((async () => {
    for await (const _ of api.transport.watch({ ...v2, verb: 'watch', options: { fieldSelector: 'spec.color=red' } }, new AbortController().signal)) return;
  })());
  t.regex(refused?.message ?? '', /cannot select fields of the object: a webhook converts it/);
});

test('a list is converted in few reviews, and many who read one object wait for one', async (t) => {
  const { api, reviews } = await open(t);
  const count = maxObjectsPerReview + 10;
  await Promise.all(Array.from({ length: count }, (_, index) => createWidget(api, { metadata: { name: `w${index}` }, spec: { size: index } })));
  t.is(((await answerOf(api, { ...v2, verb: 'list' }))['items'] as unknown[]).length, count);
  t.deepEqual(reviews.map(({ objects }) => objects.length), [maxObjectsPerReview, 10]);
  await createWidget(api, { metadata: { name: 'late' }, spec: { size: 1 } });
  await Promise.all(Array.from({ length: 20 }, () => answerOf(api, { ...v2, verb: 'get', name: 'late' })));
  t.is(reviews.length, 3);
});

test('another stored version moves objects when they are written, through the webhook', async (t) => {
  const { api } = await open(t);
  await createWidget(api, { spec: { size: 1 } });
  await api.transport.send({ ...definitions, verb: 'patch', patchType: 'merge', name: 'widgets.example.com', body: { spec: { versions: versions('v2') } } });
  t.like(await answerOf(api, { ...widgets, verb: 'patch', patchType: 'merge', name: 'w', body: { spec: { size: 2 } } }), { apiVersion: 'example.com/v1', spec: { size: 2 } });
  t.like(await answerOf(api, { ...v2, verb: 'get', name: 'w' }), { spec: { sizes: [2], color: 'red' } });
});

test('labels and annotations may be changed, and the rest of the metadata is the server\'s', async (t) => {
  const { api } = await open(t, (body) => answerTo(body, (object, apiVersion) => {
    const { managedFields: _, ...metadata } = object.metadata;
    return { ...convert(object, apiVersion) as ApiObject, metadata: { ...metadata, labels: { converted: 'yes' }, annotations: { a: 'b' }, generation: 99, finalizers: ['x/y'] } };
  }));
  const made = await createWidget(api, { spec: { size: 1 } });
  const shown = await answerOf(api, { ...v2, verb: 'get', name: 'w' }) as CustomObject;
  t.deepEqual(shown.metadata, { ...made.metadata, labels: { converted: 'yes' }, annotations: { a: 'b' } });
});

const response = (change: (response: { uid: string; result: unknown; convertedObjects: unknown[] }) => unknown) => (body: unknown): unknown => {
  const answer = answerTo(body, convert) as { response: { uid: string; result: unknown; convertedObjects: unknown[] } };
  return { ...answer, response: change(answer.response) };
};
const object = (change: (object: ApiObject) => unknown) => response((one) => ({ ...one, convertedObjects: one.convertedObjects.map((converted) => change(converted as ApiObject)) }));
const withMeta = (more: Json) => object((one) => ({ ...one, metadata: { ...one.metadata, ...more } }));

const wrong: Readonly<Record<string, readonly [answer: (body: unknown) => unknown, message: RegExp]>> = {
  'no review': [() => ({}), /is no ConversionReview/], 'no response': [response(() => undefined), /has no response/], 'another uid': [response((one) => ({ ...one, uid: 'x' })), /the uid of the response/],
  'a failure': [response((one) => ({ ...one, result: { status: 'Failure', message: 'cannot do that' } })), /cannot do that/], 'no result': [response((one) => ({ ...one, result: undefined })), /does not say that it was a success/],
  'too few objects': [response((one) => ({ ...one, convertedObjects: [] })), /has 0 objects, where 1 were sent/], 'no object': [object(() => 1), /it is no object/], 'the old version': [object((one) => ({ ...one, apiVersion: 'example.com/v1' })), /its apiVersion/],
  'another kind': [object((one) => ({ ...one, kind: 'Gadget' })), /its kind/], 'another name': [withMeta({ name: 'v' }), /its metadata.name/], 'another uid of the object': [withMeta({ uid: 'v' }), /its metadata.uid/],
  'another namespace': [withMeta({ namespace: 'v' }), /its metadata.namespace/], 'bad labels': [withMeta({ labels: { 'a b': 'c' } }), /metadata.labels/], 'labels that are none': [withMeta({ labels: { a: 1 } }), /no map of strings/],
  'a member that is not allowed': [object((one) => JSON.parse(`${JSON.stringify(one).slice(0, -1)},"__proto__":{"a":1}}`)), /__proto__/],
};

test('an answer is believed only as far as it may be', async (t) => {
  let answer: (body: unknown) => unknown = () => ({});
  const { api } = await open(t, (body) => answer(body));
  await createWidget(api, { spec: { size: 1 } });
  for (const [name, [bad, message]] of Object.entries(wrong)) {
    answer = bad;
    const status = await answerOf(api, { ...v2, verb: 'get', name: 'w' });
    t.is(status['code'], 500, name);
    t.regex(String(status['message']), message, name);
    t.regex(String(status['message']), /^conversion webhook for widgets.example.com to example.com\/v2 failed: /);
  }
  answer = (body) => answerTo(body, convert);
  t.like(await answerOf(api, { ...v2, verb: 'get', name: 'w' }), { spec: { sizes: [1] } });
});

test('a definition goes with its objects, although its webhook does not answer any more', async (t) => {
  const { api, server } = await open(t);
  await createWidget(api, { spec: { size: 1 } });
  await server.close();
  t.is((await answerOf(api, { ...v2, verb: 'get', name: 'w' }))['code'], 500);
  await api.transport.send({ ...definitions, verb: 'delete', name: 'widgets.example.com' });
  for (let look = 0; look < 200; look++) {
    if ((await answerOf(api, { ...definitions, verb: 'get', name: 'widgets.example.com' }))['code'] === 404) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.is((await answerOf(api, { ...definitions, verb: 'get', name: 'widgets.example.com' }))['code'], 404);
});
