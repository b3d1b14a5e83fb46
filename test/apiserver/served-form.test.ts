/** One stored resource that is served in two forms: another version in another group, with its own fields and words. */
import test from 'ava';
import { apiVersionOf, defineKind, storedAs, topLevel, type ApiObject, type BodyOf } from '../../schemas/kind.ts';
import type { ApiList, ApiRequest, WatchEvent } from '../../schemas/api.ts';
import { isReason } from '../../schemas/errors.ts';
import { createRegistry } from '../../schemas/registry.ts';
import { int32, object, string } from '../../schemas/schema.ts';
import { aggregated, resourceList } from '../../apiserver/discovery.ts';
import { operationsOf } from '../../apiserver/openapi-operations.ts';
import { jsonOf } from '../../apiserver/encoding.ts';
import { distinctKinds } from '../../controllers/kinds.ts';
import { testApi, testRegistry } from '../helpers/api.ts';

const words = { kind: 'Toy', plural: 'toys', scope: 'Namespaced', columns: [] } as const;

const Toy = defineKind(topLevel('new.v2.Toy', 'A toy.', {
  spec: object('new.v2.ToySpec', 'The toy.', { colour: string('Its colour.', { default: 'grey' }), weightGrams: int32('Its weight.', { minimum: 1 }) }),
  status: object('new.v2.ToyStatus', 'How it is.', { broken: string('What is broken.') }),
}), { ...words, group: 'new', version: 'v2', subresources: { status: true }, fields: { 'spec.colour': (toy) => toy.spec?.colour ?? '' } });
type Toy = BodyOf<typeof Toy>;

const oldSchema = topLevel('old.v1.Toy', 'A toy.', {
  color: string('Its colour.'), weightKilos: int32('Its weight.', { default: 1 }), broken: string('What is broken.'),
});
const OldToy = defineKind(oldSchema, {
  ...words, group: 'old', version: 'v1', subresources: { status: true }, fields: { color: (toy) => toy.color ?? '' },
  storedAs: storedAs(Toy, {
    toStored: ({ metadata, color, weightKilos, broken }: { readonly metadata: ApiObject['metadata']; readonly color?: string | undefined; readonly weightKilos?: number | undefined; readonly broken?: string | undefined }) => ({
      metadata, spec: { ...(color === undefined ? {} : { colour: color }), weightGrams: (weightKilos ?? 0) * 1000 }, ...(broken === undefined ? {} : { status: { broken } }),
    }),
    fromStored: ({ metadata, spec, status }: Toy) => ({ metadata, color: spec?.colour, weightKilos: (spec?.weightGrams ?? 0) / 1000, ...(status?.broken === undefined ? {} : { broken: status.broken }) }),
  }),
});
const ReadOnly = defineKind(topLevel('new.v2.Look', 'To look at.', {}), { ...words, kind: 'Look', plural: 'looks', group: 'new', version: 'v2', verbs: ['get', 'list'] });

const registry = createRegistry([...(await testRegistry()).all(), Toy, OldToy, ReadOnly]);
const old = { group: 'old', version: 'v1', resource: 'toys', namespace: 'default' } as const;
const now = { ...old, group: 'new', version: 'v2' } as const;

const open = async () => {
  const api = await testApi({ registry });
  const send = async <T = Record<string, unknown> & ApiObject>(request: ApiRequest): Promise<T> => (await api.transport.send(request)).body as unknown as T;
  return { ...api, send };
};

test('what is written in one form is read in the other', async (t) => {
  const { send, close } = await open();
  const made = await send({ ...old, verb: 'create', body: { metadata: { name: 'bear' }, color: 'brown' } });
  t.like(made, { kind: 'Toy', apiVersion: 'old/v1', color: 'brown', weightKilos: 1 });
  t.deepEqual(Object.keys(made).slice(0, 3), ['kind', 'apiVersion', 'metadata']);
  t.like(await send({ ...now, verb: 'get', name: 'bear' }), { apiVersion: 'new/v2', metadata: { resourceVersion: made.metadata.resourceVersion, generation: 1 }, spec: { colour: 'brown', weightGrams: 1000 } });

  const patched = await send({ ...old, verb: 'patch', name: 'bear', patchType: 'merge', body: { weightKilos: 2 } });
  t.like(patched, { apiVersion: 'old/v1', color: 'brown', weightKilos: 2, metadata: { generation: 2 } });
  const read = await send({ ...old, verb: 'get', name: 'bear' });
  t.is(JSON.parse(jsonOf(read)).metadata.resourceVersion, patched.metadata.resourceVersion);
  t.is(read, await send({ ...old, verb: 'get', name: 'bear' }), 'a form is made once');

  await send({ ...old, verb: 'update', name: 'bear', body: { metadata: { name: 'bear', resourceVersion: patched.metadata.resourceVersion }, weightKilos: 3 } });
  t.like(await send({ ...now, verb: 'get', name: 'bear' }), { spec: { colour: 'grey', weightGrams: 3000 } }, 'the stored form fills in its own defaults');
  await send({ ...old, verb: 'update', name: 'bear', subresource: 'status', body: { metadata: { name: 'bear' }, broken: 'ear' } });
  t.like(await send({ ...now, verb: 'get', name: 'bear' }), { spec: { weightGrams: 3000 }, status: { broken: 'ear' } });
  t.is((await send({ ...old, verb: 'create', body: { metadata: { name: 'cat' } }, options: { dryRun: true } })).metadata.resourceVersion, undefined);
  const error = await t.throwsAsync(send({ ...old, verb: 'create', body: { metadata: { name: 'cat' }, weightKilos: 0 } }));
  t.true(isReason(error, 'Invalid') && error.message.includes('spec.weightGrams'), 'the rules speak of the stored form');
  await t.throwsAsync(send({ ...old, verb: 'create', body: { metadata: { name: 'cat' }, spec: {} }, options: { fieldValidation: 'Strict' } }), { message: /unknown field "spec"/ });
  await close();
});

test('lists and watches show the form that was asked for', async (t) => {
  const { send, core, transport, close } = await open();
  for (const [name, color] of [['a', 'red'], ['b', 'blue'], ['c', 'red']] as const) await send({ ...old, verb: 'create', body: { metadata: { name }, color } });
  const list = await send<ApiList>({ ...old, verb: 'list', options: { fieldSelector: 'color=red', limit: 1 } });
  t.is(list.kind, 'ToyList');
  t.is(list.apiVersion, 'old/v1');
  t.like(list.items[0], { apiVersion: 'old/v1', color: 'red', metadata: { name: 'a' } });
  const rest = await send<ApiList>({ ...old, verb: 'list', options: { fieldSelector: 'color=red', limit: 1, continue: list.metadata.continue } });
  t.deepEqual(rest.items.map(({ metadata }) => metadata.name), ['c']);
  t.is((await send<ApiList>({ ...now, verb: 'list', options: { fieldSelector: 'spec.colour=blue' } })).items.length, 1);
  await t.throwsAsync(send({ ...old, verb: 'list', options: { fieldSelector: 'spec.colour=red' } }), { message: /only "metadata.name", "metadata.namespace", "color"/ });

  const stop = new AbortController();
  const options = { fieldSelector: 'color=red', sendInitialEvents: true, allowWatchBookmarks: true, resourceVersionMatch: 'NotOlderThan' } as const;
  const readers = [0, 1].map(() => transport.watch({ ...old, verb: 'watch', options }, stop.signal)[Symbol.asyncIterator]());
  const next = async (reader: AsyncIterator<readonly WatchEvent[]>): Promise<readonly WatchEvent[]> => ((await reader.next()).value ?? []) as readonly WatchEvent[];
  for (const reader of readers) {
    t.deepEqual((await next(reader)).map(({ type, object: seen }) => [type, seen.apiVersion, seen.metadata.name]), [['ADDED', 'old/v1', 'a'], ['ADDED', 'old/v1', 'c']]);
    t.like((await next(reader))[0], { type: 'BOOKMARK', object: { apiVersion: 'old/v1', kind: 'Toy' } });
  }
  await send({ ...now, verb: 'patch', name: 'a', patchType: 'merge', body: { spec: { colour: 'green' } } });
  const [first, second] = await Promise.all(readers.map(next));
  t.like(first![0], { type: 'DELETED', object: { apiVersion: 'old/v1', color: 'red', metadata: { resourceVersion: String(core.revision) } } });
  t.is(first![0], second![0], 'one event for all watchers');
  stop.abort();
  await close();
});

test('a kind says which verbs it serves', async (t) => {
  const { send, close } = await open();
  const looks = { ...now, resource: 'looks' };
  t.deepEqual((await send<ApiList>({ ...looks, verb: 'list' })).items, []);
  await t.throwsAsync(send({ ...looks, verb: 'create', body: { metadata: { name: 'x' } } }), { message: /does not allow this method/ });
  t.like(resourceList(registry, 'new', 'v2'), { resources: [{ name: 'looks', verbs: ['get', 'list'] }] });
  t.true(JSON.stringify(aggregated(registry, 'groups', 'v2')).includes('"verbs":["get","list"]'));
  t.deepEqual(operationsOf(ReadOnly).map(({ action }) => action), ['list', 'list', 'get']);
  t.deepEqual(distinctKinds(registry).filter(({ plural }) => plural === 'toys' || plural === 'looks').map(apiVersionOf), ['new/v2']);
  await close();
});
