import assert from 'node:assert/strict';
import test from 'ava';
import { silentLog } from '../../base/log.ts';
import { runControllers, type AnyController, type Controller } from '../../client/controller.ts';
import { controllerKey } from '../../client/controller-loop.ts';
import type { Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { testApi } from '../helpers/api.ts';
import { eventually } from '../helpers/eventually.ts';
import { settle } from '../helpers/fake-clock.ts';

/** A real API server, and controllers that run against it until `stop`. */
const run = async (controllers: readonly AnyController[], wrap: (transport: Transport) => Transport = (transport) => transport) => {
  const api = await testApi();
  const stopping = new AbortController();
  const lines: { readonly level: string; readonly message: string; readonly fields: unknown }[] = [];
  const log = { ...silentLog, with: () => log, ...Object.fromEntries((['debug', 'warn', 'error'] as const).map((level) => [level, (message: string, fields: unknown) => lines.push({ level, message, fields })])) };
  let isReady = false;
  const surroundings = { transport: wrap(api.transport), clock: api.clock, random: () => 0, log };
  const running = runControllers(controllers, surroundings, stopping.signal, () => (isReady = true));
  await eventually(() => { if (!isReady) throw new Error('not ready'); });
  return { ...api, lines, stop: async () => {
    stopping.abort();
    await running;
    await api.close();
  } };
};

const configMap = (name: string, data: Record<string, string> = {}) => ({ metadata: { name, namespace: 'default' }, data });
const at = (name: string) => ({ namespace: 'default', name });

test('every object is looked at, and again when it, what it owns or what is watched changes or goes', async (t) => {
  const seen: string[] = [];
  const controller: Controller<ConfigMap> = {
    name: 'copier', reconciles: ConfigMap, owns: [Secret],
    watches: [{ kind: Pod, map: (pod) => [at(pod.metadata.labels?.['wakes'] ?? 'nobody')] }],
    reconcile: async (object, key) => void seen.push(`${key.name}${object === undefined ? ' gone' : `=${object.data?.['v'] ?? ''}`}`),
  };
  const { client, stop } = await run([controller]);
  const taken = async (wanted: readonly string[]) => {
    await eventually(() => assert.deepEqual([...new Set(seen)].sort(), [...wanted].sort()));
    seen.length = 0;
  };
  const one = await client.of(ConfigMap).create(configMap('one', { v: '1' }));
  await client.of(ConfigMap).create(configMap('two', { v: '2' }));
  await taken(['one=1', 'two=2']);
  await client.of(ConfigMap).modify(at('two'), (draft) => { draft.data = { v: '3' }; });
  await taken(['two=3']);
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', uid: one.metadata.uid ?? '', controller: true };
  await client.of(Secret).create({ metadata: { name: 's', namespace: 'default', ownerReferences: [owner] } });
  await taken(['one=1']);
  await client.of(Secret).create({ metadata: { name: 'other', namespace: 'default', ownerReferences: [{ ...owner, kind: 'Pod' }] } });
  await client.of(Secret).delete(at('s'));
  await taken(['one=1']);
  await client.of(Pod).create({ metadata: { name: 'p', namespace: 'default', labels: { wakes: 'two' } }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  await taken(['two=3']);
  await client.of(Pod).modify(at('p'), (draft) => { draft.metadata.labels = { wakes: 'one' }; });
  await taken(['one=1', 'two=3']);
  await client.of(ConfigMap).delete(at('one'));
  await taken(['one gone']);
  t.pass();
  await stop();
});

test('the owner is named in any version, but of the right group, and has the namespace of what it owns', (t) => {
  const owned = (apiVersion: string, kind = 'ReplicaSet', controller = true) =>
    ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'n', ownerReferences: [{ apiVersion, kind, name: 'rs', uid: 'u', controller }] } });
  t.deepEqual(controllerKey(owned('apps/v1'), ReplicaSet), { namespace: 'n', name: 'rs' });
  t.deepEqual(controllerKey(owned('apps/v1beta1'), ReplicaSet), { namespace: 'n', name: 'rs' });
  t.is(controllerKey(owned('extensions/v1'), ReplicaSet), undefined);
  t.is(controllerKey(owned('apps/v1', 'StatefulSet'), ReplicaSet), undefined);
  t.is(controllerKey(owned('apps/v1', 'ReplicaSet', false), ReplicaSet), undefined);
});

/** Holds the events of a kind back until it is told. */
const lagging = (resource: string) => {
  let release: () => void = () => undefined;
  let held = Promise.resolve();
  const wrap = (transport: Transport): Transport => ({
    send: (request, signal) => transport.send(request, signal),
    watch: async function* (request, signal) {
      for await (const events of transport.watch(request, signal)) {
        if (request.resource === resource) await held;
        yield events;
      }
    },
  });
  return { wrap, hold: () => { held = new Promise((resolve) => (release = resolve)); }, release: () => release() };
};

/** Keeps as many secrets as the config map says, and would make too many if it trusted a copy that lags. */
const keeper = (runs: string[]): Controller<ConfigMap> => ({
  name: 'keeper', reconciles: ConfigMap, owns: [Secret],
  reconcile: async (object, key, { client, informer }) => {
    if (object === undefined) return;
    const held = informer(Secret).list(key.namespace).filter((secret) => secret.type === 'test');
    const wanted = Number(object.data?.['secrets']);
    runs.push(`${held.length}/${wanted}`);
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: key.name, uid: object.metadata.uid ?? '', controller: true };
    for (let n = held.length; n < wanted; n++) {
      await client.of(Secret).create({ type: 'test', metadata: { generateName: 's-', namespace: 'default', ownerReferences: [owner] } });
    }
    for (const secret of held.slice(wanted)) await client.of(Secret).delete(at(secret.metadata.name ?? ''));
  },
});

test('a key does not run again before the informers have seen what it wrote', async (t) => {
  const lag = lagging('secrets');
  const runs: string[] = [];
  const { client, stop } = await run([keeper(runs)], lag.wrap);
  lag.hold();
  await client.of(ConfigMap).create(configMap('one', { secrets: '3' }));
  await eventually(async () => assert.equal((await client.of(Secret).list()).items.length, 3));
  await client.of(ConfigMap).modify(at('one'), (draft) => { draft.data = { secrets: '4' }; });
  await settle(30);
  t.deepEqual(runs, ['0/3']);
  lag.release();
  await eventually(() => assert.deepEqual(runs.slice(-1), ['4/4']));
  t.is((await client.of(Secret).list()).items.length, 4);

  // The same for deletions, whose answers carry no revision.
  lag.hold();
  await client.of(ConfigMap).modify(at('one'), (draft) => { draft.data = { secrets: '1' }; });
  await eventually(async () => assert.equal((await client.of(Secret).list()).items.length, 1));
  runs.length = 0;
  await client.of(ConfigMap).modify(at('one'), (draft) => { draft.metadata.labels = { touched: 'yes' }; });
  await settle(30);
  t.deepEqual(runs, []);
  lag.release();
  await eventually(() => assert.deepEqual(runs.slice(-1), ['1/1']));
  t.is((await client.of(Secret).list()).items.length, 1);
  await stop();
});

test('an informer that never sees a write holds its key up for ten seconds only, and other keys not at all', async (t) => {
  const lag = lagging('secrets');
  const runs: string[] = [];
  const { client, clock, lines, stop } = await run([{ ...keeper(runs), workers: 1 }], lag.wrap);
  lag.hold();
  await client.of(ConfigMap).create(configMap('one', { secrets: '1' }));
  await eventually(() => assert.equal(runs.length, 1));
  await client.of(ConfigMap).modify(at('one'), (draft) => { draft.metadata.labels = { touched: 'yes' }; });
  await client.of(ConfigMap).create(configMap('two', { secrets: '0' }));
  await eventually(() => assert.deepEqual(runs, ['0/1', '0/0']));
  await clock.advance(9_999);
  t.is(runs.length, 2);
  await clock.advance(1);
  await eventually(() => assert.equal(runs.length, 3));
  t.like(lines.find((line) => line.level === 'warn'), { fields: { key: 'default/one' } });
  lag.release();
  await stop();
});

test('a reconcile that fails is tried again with backoff; a conflict quietly', async (t) => {
  let failures: Error[] = [new Error('broken'), new Error('broken'), new ApiError('Conflict', 'newer')];
  let runs = 0;
  const { client, clock, lines, stop } = await run([{ name: 'failing', reconciles: ConfigMap, reconcile: async () => {
    runs++;
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  } } satisfies Controller<ConfigMap>]);
  await client.of(ConfigMap).create(configMap('one'));
  await eventually(() => assert.equal(runs, 1));
  await clock.advance(4);
  t.is(runs, 1);
  await clock.advance(1);
  t.is(runs, 2);
  await clock.advance(10);
  t.is(runs, 3);
  await clock.advance(20);
  t.is(runs, 4);
  t.deepEqual(lines.map((line) => line.level), ['warn', 'warn', 'debug']);
  t.like(lines[1]?.fields, { key: 'default/one', failures: 2, retryAfterMs: 10 });
  failures = [new Error('broken')];
  await client.of(ConfigMap).modify(at('one'), (draft) => { draft.data = { a: 'b' }; });
  await eventually(() => assert.equal(runs, 5));
  t.like(lines.at(-1)?.fields, { failures: 1 });
  await stop();
});

test('afterMs asks for another look, which an earlier change takes the place of', async (t) => {
  let runs = 0;
  const { client, clock, stop } = await run([{ name: 'timed', reconciles: ConfigMap, reconcile: async () => {
    runs++;
    return { afterMs: 1_000 };
  } } satisfies Controller<ConfigMap>]);
  await client.of(ConfigMap).create(configMap('one'));
  await eventually(() => assert.equal(runs, 1));
  await clock.advance(600);
  await client.of(ConfigMap).modify(at('one'), (draft) => { draft.data = { a: 'b' }; });
  await eventually(() => assert.equal(runs, 2));
  await clock.advance(600);
  t.is(runs, 2);
  await clock.advance(400);
  t.is(runs, 3);
  await stop();
});

test('stopping waits for what is being reconciled, and starts nothing more', async (t) => {
  let finish: () => void = () => undefined;
  let running = 0;
  let done = 0;
  const { client, stop } = await run([{ name: 'slow', reconciles: ConfigMap, workers: 2, reconcile: async () => {
    running++;
    await new Promise<void>((resolve) => (finish = resolve));
    done++;
  } } satisfies Controller<ConfigMap>]);
  await client.of(ConfigMap).create(configMap('one'));
  await eventually(() => assert.equal(running, 1));
  const stopped = stop();
  await settle();
  t.is(done, 0);
  finish();
  await stopped;
  t.is(done, 1);
});

test('a kind that the controller does not name is refused by name; two indexes of one name too', async (t) => {
  let message = '';
  const { client, clock, transport, stop } = await run([{ name: 'curious', reconciles: ConfigMap, reconcile: async (_object, _key, { informer }) => {
    try {
      informer(Pod);
    } catch (error) {
      message = String(error);
    }
  } } satisfies Controller<ConfigMap>]);
  await client.of(ConfigMap).create(configMap('one'));
  await eventually(() => assert.match(message, /controller curious does not name v1 pods/));
  await stop();
  const twice: Controller<ConfigMap> = {
    name: 'twice', reconciles: ConfigMap, indexes: { it: () => [] }, watches: [{ kind: ConfigMap, map: () => [], indexes: { it: () => [] } }], reconcile: async () => undefined,
  };
  await t.throwsAsync(runControllers([twice], { transport, clock, random: () => 0, log: silentLog }, new AbortController().signal, () => undefined), { message: /controller twice has two indexes it on configmaps/ });
});
