import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { eventLineOf } from '../../../apiserver/encoding.ts';
import { MemoryStorage } from '../../../apiserver/storage/memory.ts';
import { Compacted, type Change, type Storage } from '../../../apiserver/storage/storage.ts';
import { WatchCache, type WatchCacheOptions, type WatchOptions } from '../../../apiserver/watch/watch-cache.ts';
import type { Watch } from '../../../apiserver/watch/watch-queue.ts';
import { silentLog } from '../../../base/log.ts';
import type { WatchEvent } from '../../../schemas/api.ts';
import { isReason } from '../../../schemas/errors.ts';
import type { AnyKind, ApiObject } from '../../../schemas/kind.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import { createRegistry } from '../../../schemas/registry.ts';
import { FakeClock, settle } from '../../helpers/fake-clock.ts';

interface Thing extends ApiObject { readonly node: string }

const Things: AnyKind = { ...ConfigMap, kind: 'Thing', plural: 'things', fields: { node: (thing: Thing) => thing.node } };
const registry = createRegistry([Things, ConfigMap]);

const thing = (namespace: string, name: string, node = '', labels: Readonly<Record<string, string>> = {}): Thing =>
  ({ kind: 'Thing', apiVersion: 'v1', metadata: { namespace, name, labels }, node });
const keyOf = ({ metadata }: ApiObject): string => `/things/${metadata.namespace}/${metadata.name}`;
const put = (storage: Storage, object: ApiObject): Promise<number> => storage.commit({ checks: [], writes: [{ key: keyOf(object), value: JSON.stringify(object), object }] });
const remove = (storage: Storage, key: string): Promise<number> => storage.commit({ checks: [], writes: [{ key, value: undefined }] });

const withCache = async (options: Partial<WatchCacheOptions>, body: (cache: WatchCache, storage: MemoryStorage, clock: FakeClock) => Promise<void>): Promise<void> => {
  const storage = new MemoryStorage();
  const clock = new FakeClock();
  const cache = await WatchCache.open({ storage, registry, clock, log: silentLog, ...options });
  try {
    await body(cache, storage, clock);
  } finally {
    await cache.close();
    await storage.close();
  }
};

const never = new AbortController().signal;
const short = (event: WatchEvent): string => `${event.type} ${event.object.metadata.name}@${event.object.metadata.resourceVersion}`;
const next = async (watch: Watch): Promise<readonly WatchEvent[]> => (await watch[Symbol.asyncIterator]().next()).value ?? [];
const names = (objects: readonly ApiObject[]): readonly string[] => objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);

test('what is loaded and what is written is listed by key, by namespace and one by one', async (t) => {
  const storage = new MemoryStorage();
  for (const [namespace, name] of [['b', 'x'], ['a', 'z'], ['a-b', 'x'], ['a', 'y']] as const) await put(storage, thing(namespace, name));
  await storage.commit({ checks: [], writes: [{ key: '!ip/10.0.0.1', value: '{}' }] });
  const cache = await WatchCache.open({ storage, registry, clock: new FakeClock(), log: silentLog });
  await cache.reached(await put(storage, thing('a', 'w')));
  t.deepEqual(names(cache.list('/things/')), ['a-b/x', 'a/w', 'a/y', 'a/z', 'b/x']);
  t.deepEqual(names(cache.list('/things/a/')), ['a/w', 'a/y', 'a/z']);
  t.deepEqual(names(cache.list('/things/a/y')), ['a/y']);
  t.deepEqual([cache.list('/things/a'), cache.list('/things/c/'), cache.list('/others/')], [[], [], []]);
  t.is(cache.get('/things/a/w')?.metadata.resourceVersion, '6');
  t.deepEqual(['/things/a/w', '/things/a/nothing', '!ip/10.0.0.1', '!ip/10.0.0.2'].map((key) => cache.revisionOf(key)), [6, 0, 5, 0]);
  t.is(cache.revision, 6);
  await cache.close();
});

test('objects and events are frozen, and shared by all who see them', (t) => withCache({}, async (cache, storage) => {
  const watches = [cache.watch({ prefix: '/things/', after: 0 }, never), cache.watch({ prefix: '/things/a/', after: 0, matches: () => true }, never)];
  await cache.reached(await put(storage, thing('a', 'x', 'n', { l: '1' })));
  const [first, second] = await Promise.all(watches.map(async (watch) => (await next(watch))[0]!));
  t.is(first, second);
  t.is(eventLineOf(first!), eventLineOf(second!));
  t.true(first!.object === cache.get('/things/a/x'));
  t.throws(() => Object.assign(first!.object.metadata.labels!, { l: '2' }), { instanceOf: TypeError });
}));

test('an object that starts or stops to match is added or deleted, with the state the watcher knew', (t) => withCache({}, async (cache, storage) => {
  const byField = cache.watch({ prefix: '/things/', after: 0, field: { path: 'node', value: 'n1' } }, never);
  const byLabel = cache.watch({ prefix: '/things/', after: 0, matches: ({ metadata }) => metadata.labels?.['app'] === 'web' }, never);
  await put(storage, thing('a', 'x', 'n0', { app: 'web' }));
  await put(storage, thing('a', 'x', 'n1', { app: 'web' }));
  await put(storage, thing('a', 'x', 'n1', { app: 'db' }));
  await put(storage, thing('a', 'x', 'n2', { app: 'db' }));
  await put(storage, thing('a', 'x', 'n1', { app: 'web' }));
  await cache.reached(await remove(storage, '/things/a/x'));
  const fieldEvents = await next(byField);
  t.deepEqual(fieldEvents.map(short), ['ADDED x@2', 'MODIFIED x@3', 'DELETED x@4', 'ADDED x@5', 'DELETED x@6']);
  t.is((fieldEvents[2]!.object as Thing).node, 'n1');
  const labelEvents = await next(byLabel);
  t.deepEqual(labelEvents.map(short), ['ADDED x@1', 'MODIFIED x@2', 'DELETED x@3', 'ADDED x@5', 'DELETED x@6']);
  t.deepEqual(labelEvents[2]!.object.metadata.labels, { app: 'web' });
  t.is(JSON.parse(eventLineOf(labelEvents[2]!).toString()).object.metadata.resourceVersion, '3');
}));

test('a watch of one key, by key or by metadata.name, sees no neighbour', (t) => withCache({}, async (cache, storage) => {
  const byKey = cache.watch({ prefix: '/things/a/x', after: 0 }, never);
  const byName = cache.watch({ prefix: '/things/a/', after: 0, field: { path: 'metadata.name', value: 'x' } }, never);
  for (const [namespace, name] of [['a', 'x2'], ['b', 'x'], ['a', 'x']] as const) await put(storage, thing(namespace, name));
  await settle();
  t.deepEqual((await next(byKey)).map(short), ['ADDED x@3']);
  t.deepEqual((await next(byName)).map(short), ['ADDED x@3']);
}));

test('an index follows its field, and a watch from the future starts there', (t) => withCache({}, async (cache, storage) => {
  const future = cache.watch({ prefix: '/things/', after: 3 }, never);
  await cache.reached(await put(storage, thing('b', 'y', 'n1')));
  t.deepEqual(names(cache.byField(Things, 'node', 'n1')), ['b/y']);
  await put(storage, thing('a', 'x', 'n1'));
  await cache.reached(await put(storage, thing('b', 'y', 'n2')));
  t.deepEqual([names(cache.byField(Things, 'node', 'n1')), names(cache.byField(Things, 'node', 'n2'))], [['a/x'], ['b/y']]);
  await cache.reached(await remove(storage, '/things/b/y'));
  t.deepEqual([cache.byField(Things, 'node', 'n2'), cache.byField(ConfigMap, 'metadata.name', 'x')], [[], []]);
  t.deepEqual((await next(future)).map(short), ['DELETED y@4']);
  t.throws(() => cache.byField(Things, 'data', 'x'), { message: /not a selectable field of things/ });
}));

test('the history of a busy kind does not push out that of a quiet one', (t) => withCache({ historyLimit: 3 }, async (cache, storage) => {
  await put(storage, thing('a', 'quiet'));
  let revision = 0;
  for (let n = 0; n < 10; n++) revision = await storage.commit({ checks: [], writes: [{ key: '/configmaps/a/busy', value: JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'busy', namespace: 'a' }, data: { n: String(n) } }) }] });
  await cache.reached(revision);
  t.deepEqual((await next(cache.watch({ prefix: '/things/', after: 0 }, never))).map(short), ['ADDED quiet@1']);
  const error = await t.throwsAsync(next(cache.watch({ prefix: '/configmaps/', after: 7 }, never)));
  t.true(isReason(error, 'Expired'));
  t.is(error?.message, 'too old resource version: 7 (8)');
  t.is((await next(cache.watch({ prefix: '/configmaps/', after: 8 }, never))).length, 3);
  t.throws(() => cache.listAt('/configmaps/', 7), { instanceOf: Compacted });
  t.throws(() => cache.listAt('/configmaps/', 12), { instanceOf: RangeError });
}));

test('history ages', (t) => withCache({ historyMs: 60_000 }, async (cache, storage, clock) => {
  await cache.reached(await put(storage, thing('a', 'old')));
  await clock.advance(60_001);
  await cache.reached(await put(storage, thing('a', 'new')));
  t.true(isReason(await t.throwsAsync(next(cache.watch({ prefix: '/things/', after: 0 }, never))), 'Expired'));
  t.deepEqual((await next(cache.watch({ prefix: '/things/', after: 1 }, never))).map(short), ['ADDED new@2']);
}));

test('a reader that falls behind its queue ends as Expired, and others go on', (t) => withCache({ queueLimit: 3 }, async (cache, storage) => {
  const slow = cache.watch({ prefix: '/things/', after: 0 }, never);
  const quick = cache.watch({ prefix: '/things/', after: 0 }, never);
  let seen = 0;
  for (let n = 0; n < 10; n++) {
    await cache.reached(await put(storage, thing('a', `x${n}`)));
    seen += (await next(quick)).length;
  }
  t.is(seen, 10);
  const error = await t.throwsAsync(next(slow));
  t.true(isReason(error, 'Expired'));
  t.is(await next(slow).then((events) => events.length), 0);
  t.is(cache.watches, 1);
}));

test('a predicate that throws ends its own watch only', (t) => withCache({}, async (cache, storage) => {
  const bad = cache.watch({ prefix: '/things/', after: 0, matches: () => { throw new Error('bad predicate'); } }, never);
  const good = cache.watch({ prefix: '/things/', after: 0 }, never);
  await cache.reached(await put(storage, thing('a', 'x')));
  await t.throwsAsync(next(bad), { message: 'bad predicate' });
  t.is((await next(good)).length, 1);
}));

test('watches end with their signal and with the cache; waiting for a revision too', (t) => withCache({}, async (cache) => {
  const abort = new AbortController();
  const mine = cache.watch({ prefix: '/things/', after: 0 }, abort.signal);
  const others = cache.watch({ prefix: '/things/', after: 0 }, never);
  const reading = [next(mine), next(others)];
  abort.abort();
  t.deepEqual(await reading[0], []);
  t.is(cache.watches, 1);
  const reached = cache.reached(5);
  await cache.close();
  t.deepEqual(await reading[1], []);
  t.true(isReason(await t.throwsAsync(reached), 'ServiceUnavailable'));
  t.is(cache.watches, 0);
  t.deepEqual(await next(cache.watch({ prefix: '/things/', after: 0 }, never)), []);
}));

test('the position never promises what the reader has not come back from', (t) => withCache({}, async (cache, storage) => {
  const watch = cache.watch({ prefix: '/things/', after: 0 }, never);
  const other = cache.watch({ prefix: '/configmaps/', after: 0 }, never);
  const waiting = next(other);
  t.is(watch.position, 0);
  await cache.reached(await put(storage, thing('a', 'x')));
  t.is(watch.position, 0, 'queued, not taken');
  t.is((await next(watch)).length, 1);
  t.is(watch.position, 0, 'taken, perhaps not passed on yet');
  const more = next(watch);
  t.is(watch.position, 1, 'the reader is back');
  t.is(other.position, 1, 'nothing for this reader up to here');
  await cache.reached(await put(storage, thing('a', 'y')));
  t.is((await more).length, 1);
  t.is(watch.position, 1);
  void waiting;
}));

test('a reader who waits can be told something that is no change, and loses nothing by it', (t) => withCache({}, async (cache, storage) => {
  const watch = cache.watch({ prefix: '/things/', after: 0 }, never);
  const told = { value: [], done: false } as const;
  t.false(watch.interrupt(told), 'nobody waits');
  const waiting = watch.next();
  t.true(watch.interrupt(told));
  t.is(await waiting, told);
  await cache.reached(await put(storage, thing('a', 'x')));
  t.is(watch.comeBack(), 0, 'an event waits');
  t.is((await watch.next()).value?.length, 1);
  await cache.reached(await put(storage, thing('a', 'y')));
  t.is(watch.comeBack(), 1, 'it is back for more, and more waits');
  t.is((await watch.next()).value?.length, 1);
  t.is(watch.comeBack(), 2, 'nothing waits');
}));

test('a cache that falls behind the store loads again and makes its readers list again', async (t) => {
  const storage = new MemoryStorage();
  let behind = false;
  const lossy: Storage = {
    load: () => storage.load(), commit: (transaction) => storage.commit(transaction), compact: (upTo) => storage.compact(upTo),
    failed: storage.failed, close: () => storage.close(),
    async *changes(after, signal): AsyncIterable<readonly Change[]> {
      for await (const batch of storage.changes(after, signal)) {
        if (behind) {
          behind = false;
          throw new Compacted(batch[0]!.revision);
        }
        yield batch;
      }
    },
  };
  const cache = await WatchCache.open({ storage: lossy, registry, clock: new FakeClock(), log: silentLog });
  await cache.reached(await put(storage, thing('a', 'x')));
  const watch = cache.watch({ prefix: '/things/', after: 1 }, never);
  behind = true;
  await remove(storage, '/things/a/x');
  await cache.reached(await put(storage, thing('a', 'y')));
  t.deepEqual(names(cache.list('/things/')), ['a/y']);
  t.true(isReason(await t.throwsAsync(next(watch)), 'Expired'));
  t.true(isReason(await t.throwsAsync(next(cache.watch({ prefix: '/things/', after: 1 }, never))), 'Expired'));
  await cache.reached(await put(storage, thing('a', 'z')));
  t.deepEqual((await next(cache.watch({ prefix: '/things/', after: 3 }, never))).map(short), ['ADDED z@4']);
  await cache.close();
});

test('a feed that breaks is taken up again where it was', async (t) => {
  const storage = new MemoryStorage();
  let broken = true;
  const shaky: Storage = {
    load: () => storage.load(), commit: (transaction) => storage.commit(transaction), compact: (upTo) => storage.compact(upTo),
    failed: storage.failed, close: () => storage.close(),
    async *changes(after, signal): AsyncIterable<readonly Change[]> {
      for await (const batch of storage.changes(after, signal)) {
        yield batch;
        if (broken) throw new Error('connection lost');
      }
    },
  };
  const clock = new FakeClock();
  const cache = await WatchCache.open({ storage: shaky, registry, clock, log: silentLog });
  const watch = cache.watch({ prefix: '/things/', after: 0 }, never);
  await put(storage, thing('a', 'x'));
  await settle();
  await put(storage, thing('a', 'y'));
  await settle();
  broken = false;
  await clock.advance(1_000);
  await cache.reached(await put(storage, thing('a', 'z')));
  t.deepEqual((await next(watch)).map(short), ['ADDED x@1', 'ADDED y@2', 'ADDED z@3']);
  await cache.close();
});

// The whole of it against a naive model: the log of everything that was ever written.

interface Logged { readonly key: string; readonly revision: number; readonly before: Thing | undefined; readonly after: Thing | undefined }

const selects = (options: Omit<WatchOptions, 'after'>, key: string, object: Thing | undefined): boolean =>
  object !== undefined && (options.prefix.endsWith('/') ? key.startsWith(options.prefix) : key === options.prefix)
  && (options.field === undefined || object.node === options.field.value) && (options.matches?.(object) ?? true);

const expectedEvents = (log: readonly Logged[], options: WatchOptions): readonly string[] => log.flatMap(({ key, revision, before, after }) => {
  if (revision <= options.after) return [];
  const was = selects(options, key, before);
  const is = selects(options, key, after);
  const type = is ? (was ? 'MODIFIED' : 'ADDED') : was ? 'DELETED' : undefined;
  return type === undefined ? [] : [`${type} ${key.split('/').at(-1)}@${revision} ${(is ? after : before)!.node}`];
});

const matchers: readonly (WatchOptions['matches'])[] = [undefined, ({ metadata }) => metadata.labels?.['l'] === '1'];
const fields = [undefined, { path: 'node', value: 'n0' }, { path: 'node', value: 'n1' }];
const prefixes = ['/things/', '/things/a/', '/things/b/', '/things/a/x', '/things/a/x2'];

const writeArb = fc.record({
  what: fc.constant('write' as const),
  objects: fc.uniqueArray(fc.record({ ns: fc.constantFrom('a', 'b'), name: fc.constantFrom('x', 'x2', 'y'), node: fc.constantFrom('n0', 'n1', ''), label: fc.constantFrom('1', '2'), gone: fc.boolean() }),
    { minLength: 1, maxLength: 3, selector: ({ ns, name }) => `${ns}/${name}` }),
});
const stepArb = fc.oneof({ weight: 5, arbitrary: writeArb },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('watch' as const), prefix: fc.constantFrom(...prefixes), field: fc.nat(2), matcher: fc.nat(1), back: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('read' as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('list' as const), prefix: fc.constantFrom(...prefixes), back: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('settle' as const) }) });

interface Open { readonly options: WatchOptions; readonly watch: Watch; readonly got: string[]; error: unknown; readonly allowed: boolean }

const readSome = async (t: ExecutionContext, open: Open, cache: WatchCache): Promise<void> => {
  if (open.error !== undefined || (open.allowed && open.watch.position >= cache.revision)) return;
  try {
    for (const event of await next(open.watch)) open.got.push(`${event.type} ${event.object.metadata.name}@${event.object.metadata.resourceVersion} ${(event.object as Thing).node}`);
  } catch (error) {
    t.true(isReason(error, 'Expired'));
    open.error = error;
  }
};

test('any mix of writes, watches, reads and lists agrees with a naive model', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(stepArb, { minLength: 5, maxLength: 60, size: 'max' }), fc.constantFrom(4, 10_000), fc.constantFrom(2, 10_000), async (steps, historyLimit, queueLimit) => {
    await withCache({ historyLimit, queueLimit }, async (cache, storage) => {
      const log: Logged[] = [];
      const state = new Map<string, Thing>();
      const opened: Open[] = [];
      const floor = (): number => (log.length > historyLimit ? log[log.length - historyLimit - 1]!.revision : 0);
      for (const step of steps) {
        if (step.what === 'write') {
          const writes = step.objects.map(({ ns, name, node, label, gone }) => ({ key: `/things/${ns}/${name}`, object: gone ? undefined : thing(ns, name, node, { l: label }) }));
          const revision = await storage.commit({ checks: [], writes: writes.map(({ key, object }) => ({ key, value: object === undefined ? undefined : JSON.stringify(object) })) });
          for (const { key, object } of writes) {
            const before = state.get(key);
            if (object === undefined && before === undefined) continue;
            if (object === undefined) state.delete(key);
            else state.set(key, object);
            log.push({ key, revision, before, after: object });
          }
        } else if (step.what === 'settle') await settle(2);
        else if (step.what === 'watch') {
          await cache.reached(log.at(-1)?.revision ?? 0);
          const options: WatchOptions = { prefix: step.prefix, field: fields[step.field], matches: matchers[step.matcher], after: Math.max(0, cache.revision - step.back) };
          opened.push({ options, watch: cache.watch(options, never), got: [], error: undefined, allowed: options.after >= floor() });
        } else if (step.what === 'read') {
          const open = opened[step.which % Math.max(1, opened.length)];
          if (open !== undefined && open.got.length < expectedEvents(log, open.options).length) await readSome(t, open, cache);
        } else {
          await cache.reached(log.at(-1)?.revision ?? 0);
          const revision = Math.max(0, cache.revision - step.back);
          const then = new Map<string, Thing>();
          for (const { key, after, revision: at } of log) {
            if (at > revision) break;
            if (after === undefined) then.delete(key);
            else then.set(key, after);
          }
          const expected = [...then].filter(([key, object]) => selects({ prefix: step.prefix }, key, object)).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, object]) => [key, object.node]);
          const shown = (objects: readonly ApiObject[]): unknown => objects.map((object) => [keyOf(object), (object as Thing).node]);
          if (revision < floor()) t.throws(() => cache.listAt(step.prefix, revision), { instanceOf: Compacted });
          else t.deepEqual(shown(cache.listAt(step.prefix, revision)), expected);
          if (revision === cache.revision) t.deepEqual(shown(cache.list(step.prefix)), expected);
          const on = [...state].filter(([, object]) => object.node === 'n1').sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, object]) => [key, object.node]);
          t.deepEqual(shown(cache.byField(Things, 'node', 'n1')), on);
        }
      }
      await cache.reached(log.at(-1)?.revision ?? 0);
      for (const open of opened) {
        const expected = expectedEvents(log, open.options);
        for (let more = true; more;) {
          const before = open.got.length;
          if (open.error === undefined && (before < expected.length || !open.allowed)) await readSome(t, open, cache);
          more = open.error === undefined && open.got.length > before;
        }
        if (open.error === undefined) t.deepEqual(open.got, expected);
        else {
          t.deepEqual(open.got, expected.slice(0, open.got.length));
          t.true(!open.allowed || queueLimit === 2, 'expired without a reason');
          if (!open.allowed) t.deepEqual(open.got, []);
        }
        if (!open.allowed) t.not(open.error, undefined, 'a watch from before the history was let in');
      }
    });
  }), { numRuns: 300 });
});
