import test from 'ava';
import * as fc from 'fast-check';
import { createClient } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import { createInformers, type Informers } from '../../client/informers.ts';
import { silentLog } from '../../base/log.ts';
import { ApiError } from '../../schemas/errors.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { seededRandom, testApi } from '../helpers/api.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';
import { flakyTransport } from '../helpers/flaky-transport.ts';
import { configMap, ScriptedTransport } from './scripted-transport.ts';

const bookmark = (revision: number) => ['BOOKMARK', configMap('', revision)] as const;

interface World {
  readonly transport: ScriptedTransport;
  readonly clock: FakeClock;
  readonly informers: Informers;
  readonly informer: Informer<ConfigMap>;
  /** What the listener heard: `+a@5`, `~a@6`, `-a@7`. */
  readonly heard: string[];
  readonly stop: () => Promise<void>;
}

const start = async (first: ScriptedTransport['lists'][number] = { revision: 10, items: [configMap('a', 5)] }, random = () => 0): Promise<World> => {
  const transport = new ScriptedTransport();
  transport.lists.push(first);
  const clock = new FakeClock();
  const informers = createInformers({ client: createClient(transport), clock, log: silentLog, random });
  const informer = informers.informer(ConfigMap);
  const heard: string[] = [];
  const say = (sign: string) => (object: ConfigMap) => void heard.push(`${sign}${object.metadata.name}@${object.metadata.resourceVersion}`);
  informer.on({ added: say('+'), updated: say('~'), deleted: say('-') });
  const stopping = new AbortController();
  const run = informers.run(stopping.signal);
  await settle();
  return { transport, clock, informers, informer, heard, stop: async () => {
    stopping.abort();
    await run;
  } };
};

test('lists, then watches from the list on, and tells its listeners in order', async (t) => {
  const { transport, informer, heard, stop } = await start();
  t.true(informer.synced);
  t.is(informer.revision, 10);
  t.like(transport.stream.request.options, { resourceVersion: '10', allowWatchBookmarks: true });
  const b = configMap('b', 11);
  transport.stream.send(['ADDED', b], ['MODIFIED', configMap('a', 12)], ['DELETED', configMap('b', 13)]);
  await settle();
  t.deepEqual(heard, ['+a@5', '+b@11', '~a@12', '-b@13']);
  t.is(informer.revision, 13);
  t.deepEqual(informer.list().map((object) => object.metadata.name), ['a']);
  await stop();
});

test('keeps objects by reference', async (t) => {
  const a = configMap('a', 5);
  const { informer, stop } = await start({ revision: 10, items: [a] });
  t.is(informer.get({ namespace: 'default', name: 'a' }) as unknown, a);
  await stop();
});

test('a listener that comes later hears of what is held; one that left hears nothing', async (t) => {
  const { transport, informer, stop } = await start();
  const heard: string[] = [];
  const off = informer.on({ added: (object) => void heard.push(object.metadata.name ?? '') });
  transport.stream.send(['ADDED', configMap('b', 11)]);
  await settle();
  off();
  transport.stream.send(['ADDED', configMap('c', 12)]);
  await settle();
  t.deepEqual(heard, ['a', 'b']);
  await stop();
});

test('a listener that throws disturbs neither the others nor the copy', async (t) => {
  const { transport, informer, heard, stop } = await start();
  informer.on({ updated: () => { throw new Error('bad listener'); } });
  transport.stream.send(['MODIFIED', configMap('a', 11)], ['ADDED', configMap('b', 12)]);
  await settle();
  t.is(informer.list().length, 2);
  t.is(heard.length, 3);
  await stop();
});

test('a watch that ends is taken up again; a revision whose end was not seen is asked for again', async (t) => {
  const { transport, heard, stop } = await start();
  transport.stream.send(['ADDED', configMap('b', 11)]);
  transport.stream.end();
  await settle();
  t.is(transport.stream.request.options?.resourceVersion, '10');
  transport.stream.send(['ADDED', configMap('b', 11)], ['ADDED', configMap('c', 11)]);
  transport.stream.send(bookmark(20));
  transport.stream.end();
  await settle();
  t.is(transport.stream.request.options?.resourceVersion, '20');
  t.is(transport.listed.length, 1);
  t.deepEqual(heard, ['+a@5', '+b@11', '+c@11']);
  await stop();
});

test('what is old or comes twice changes nothing', async (t) => {
  const { transport, informer, heard, stop } = await start();
  transport.stream.send(['MODIFIED', configMap('a', 12)], ['DELETED', configMap('a', 13)]);
  transport.stream.send(['MODIFIED', configMap('a', 12)], ['DELETED', configMap('a', 13)], ['ADDED', configMap('a', 9)], bookmark(3));
  await settle();
  t.deepEqual(heard, ['+a@5', '~a@12', '-a@13']);
  t.is(informer.revision, 13);
  t.is(informer.list().length, 0);
  await stop();
});

test('Expired: lists again at once and tells the difference', async (t) => {
  const { transport, informer, heard, stop } = await start({ revision: 10, items: [configMap('a', 5), configMap('b', 6), configMap('c', 7), configMap('d', 8)] });
  heard.length = 0;
  transport.lists.push({ revision: 30, items: [configMap('a', 5), configMap('b', 21), configMap('d', 25, { uid: 'another' }), configMap('e', 22)] });
  transport.lists.shift();
  transport.stream.send(['MODIFIED', configMap('a', 11)]);
  transport.stream.fail(new ApiError('Expired', 'too old resource version'));
  await settle();
  t.deepEqual(heard, ['~a@11', '~b@21', '-d@8', '+d@25', '+e@22', '-c@7']);
  t.is(informer.revision, 30);
  t.is(transport.stream.request.options?.resourceVersion, '30');
  await stop();
});

test('errors back off, twice as long each time, and stop counting when the server works', async (t) => {
  const { transport, clock, informer, stop } = await start(new ApiError('ServiceUnavailable', 'not yet'));
  t.false(informer.synced);
  t.is(transport.listed.length, 1);
  await clock.advance(199);
  t.is(transport.listed.length, 1);
  await clock.advance(1);
  t.is(transport.listed.length, 2);
  await clock.advance(399);
  t.is(transport.listed.length, 2);
  transport.lists.splice(0, 1, { revision: 10, items: [] });
  await clock.advance(1);
  t.true(informer.synced);
  transport.stream.send(bookmark(11));
  transport.stream.fail(new ApiError('ServiceUnavailable', 'gone away'));
  await settle();
  t.is(transport.streams.length, 1);
  await clock.advance(200);
  t.is(transport.streams.length, 2);
  t.is(transport.listed.length, 3);
  await stop();
});

test('a server that ends every watch at once is not asked without pause', async (t) => {
  const { transport, clock, stop } = await start();
  transport.stream.end();
  await settle();
  t.is(transport.streams.length, 1);
  await clock.advance(200);
  t.is(transport.streams.length, 2);
  transport.stream.fail(new ApiError('Expired', 'too old'));
  await settle();
  t.is(transport.listed.length, 1, 'the second failure in a row waits');
  await clock.advance(400);
  t.is(transport.listed.length, 2);
  await stop();
});

test('a list from before what is held is not taken', async (t) => {
  const { transport, clock, informer, heard, stop } = await start();
  transport.stream.send(['MODIFIED', configMap('a', 20)]);
  transport.lists.splice(0, 1, { revision: 15, items: [] });
  transport.stream.fail(new ApiError('Expired', 'too old'));
  await settle();
  t.is(informer.revision, 20);
  t.deepEqual(heard, ['+a@5', '~a@20']);
  transport.lists.splice(0, 1, { revision: 21, items: [] });
  await clock.advance(1_000);
  t.is(informer.revision, 21);
  t.deepEqual(heard, ['+a@5', '~a@20', '-a@20']);
  await stop();
});

test('a watch over a dead connection is cut after its time', async (t) => {
  const { transport, clock, stop } = await start();
  const first = transport.stream;
  t.is(first.request.options?.timeoutSeconds, 300);
  await clock.advance(314_999);
  t.is(transport.stream, first);
  await clock.advance(1);
  t.true(first.signal.aborted);
  t.not(transport.stream, first);
  await stop();
});

test('reached waits for the revision, by event or bookmark, or for the signal', async (t) => {
  const { transport, informer, stop } = await start();
  const order: string[] = [];
  const giveUp = new AbortController();
  const never = new AbortController().signal;
  void informer.reached(10, never).then(() => order.push('10'));
  void informer.reached(11, never).then(() => order.push('11'));
  void informer.reached(15, never).then(() => order.push('15'));
  void informer.reached(99, giveUp.signal).then(() => order.push('gave up'));
  await settle();
  t.deepEqual(order, ['10']);
  transport.stream.send(['ADDED', configMap('b', 12)]);
  await settle();
  transport.stream.send(bookmark(15));
  await settle();
  giveUp.abort();
  await settle();
  t.deepEqual(order, ['10', '11', '15', 'gave up']);
  await stop();
});

test('whenSynced rejects when it is stopped before the first list', async (t) => {
  const { informer, stop } = await start(new ApiError('ServiceUnavailable', 'not yet'));
  const signal = AbortSignal.abort();
  await t.throwsAsync(informer.whenSynced(signal), { message: /before the first list of configmaps/ });
  await stop();
});

test('informers of one kind and selection share one list and watch; indexes go by function, not by name', async (t) => {
  const { transport, informers, informer, stop } = await start({ revision: 10, items: [configMap('a', 5, { labels: { app: 'x' } })] });
  const byApp = informers.informer(ConfigMap, { indexes: { it: (object) => [object.metadata.labels?.['app'] ?? ''] } });
  const byName = informers.informer(ConfigMap, { indexes: { it: (object) => [object.metadata.name ?? ''] } });
  transport.stream.send(['ADDED', configMap('b', 11, { labels: { app: 'y' } })], ['MODIFIED', configMap('a', 12, { labels: { app: 'y' } })]);
  await settle();
  t.is(transport.streams.length, 1);
  t.deepEqual(byApp.by('it', 'y').map((object) => object.metadata.name).sort(), ['a', 'b']);
  t.deepEqual(byApp.by('it', 'x'), []);
  t.deepEqual(byName.by('it', 'a').map((object) => object.metadata.resourceVersion), ['12']);
  t.throws(() => informer.by('it', 'a'), { message: /has no index it; it has: none/ });
  const other = informers.informer(ConfigMap, { labelSelector: 'app=x' });
  await settle();
  t.is(transport.streams.length, 2);
  t.true(other.synced, 'one that is asked for later runs too');
  t.is(transport.listed.at(-1)?.options?.labelSelector, 'app=x');
  await stop();
});

test('property: whatever breaks, the copy ends as the server is and listeners add up to it', async (t) => {
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('put' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('remove' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('end' as const, 'cut' as const, 'expire' as const, 'bookmark' as const, 'double' as const) }) },
  );
  await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), async (acts, every) => {
    // A tiny server: the history of all changes, from which each watch is fed.
    const history: { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: ReturnType<typeof configMap> }[] = [];
    const live = new Map<string, ReturnType<typeof configMap>>();
    let revision = 10;
    const { transport, clock, informer, stop } = await start({ revision, items: [] });
    const view = new Map<string, string>();
    const faults: string[] = [];
    const set = (object: ConfigMap) => void view.set(object.metadata.name!, object.metadata.resourceVersion!);
    informer.on({
      added: (object) => {
        if (view.has(object.metadata.name!)) faults.push('added twice');
        set(object);
      },
      updated: (object, old) => {
        if (view.get(object.metadata.name!) !== old.metadata.resourceVersion) faults.push('the old object is not the one told before');
        if (Number(object.metadata.resourceVersion) <= Number(old.metadata.resourceVersion)) faults.push('went back');
        set(object);
      },
      deleted: (object) => {
        if (!view.delete(object.metadata.name!)) faults.push('deleted what was not there');
      },
    });
    let fed = 0;
    let stream = transport.stream;
    const feed = async (doubled = 0): Promise<void> => {
      await clock.advance(30_000);
      if (transport.stream !== stream) {
        stream = transport.stream;
        const after = Number(stream.request.options?.resourceVersion);
        fed = history.findIndex((event) => Number(event.object.metadata.resourceVersion) > after);
        if (fed < 0) fed = history.length;
      }
      for (const { type, object } of history.slice(Math.max(0, fed - doubled))) stream.send([type, object]);
      fed = history.length;
      await settle(2);
    };
    for (const [index, one] of acts.entries()) {
      if (one.act === 'put') {
        const old = live.get(one.name);
        const object = configMap(one.name, ++revision, { uid: old?.metadata.uid ?? `uid-${revision}` });
        live.set(one.name, object);
        history.push({ type: old === undefined ? 'ADDED' : 'MODIFIED', object });
      } else if (one.act === 'remove') {
        const old = live.get(one.name);
        if (old !== undefined) {
          live.delete(one.name);
          history.push({ type: 'DELETED', object: { ...old, metadata: { ...old.metadata, resourceVersion: String(++revision) } } });
        }
      } else if (one.act === 'double') await feed(3);
      else {
        transport.lists.splice(0, transport.lists.length, { revision, items: [...live.values()] });
        if (one.act === 'end') stream.end();
        else if (one.act === 'cut') stream.fail(new ApiError('ServiceUnavailable', 'cut'));
        else if (one.act === 'expire') stream.fail(new ApiError('Expired', 'too old'));
        else {
          await feed();
          stream.send(bookmark(revision));
        }
        await settle(2);
      }
      if (index % every === 0) await feed();
    }
    transport.lists.splice(0, transport.lists.length, { revision, items: [...live.values()] });
    await feed();
    const wanted = [...live].map(([name, object]) => `${name}@${object.metadata.resourceVersion}`).sort();
    t.deepEqual(informer.list().map((object) => `${object.metadata.name}@${object.metadata.resourceVersion}`).sort(), wanted);
    t.deepEqual([...view].map(([name, at]) => `${name}@${at}`).sort(), wanted);
    t.deepEqual(faults, []);
    await stop();
  }), { numRuns: 40 });
});

test('over a bad network the copy still ends as the server is', async (t) => {
  const api = await testApi({ historyLimit: 40 });
  const { client, clock } = api;
  const random = seededRandom(5);
  const stopping = new AbortController();
  const transport = flakyTransport(api.transport, { clock, random, lose: 0.2, disturb: 0.3 });
  const informers = createInformers({ client: createClient(transport), clock, log: silentLog, random });
  const informer = informers.informer(ConfigMap, { indexes: { value: (object) => [object.data?.['v'] ?? ''] } });
  const told = new Map<string, string | undefined>();
  informer.on({
    added: (object) => void told.set(object.metadata.name!, object.metadata.resourceVersion),
    updated: (object) => void told.set(object.metadata.name!, object.metadata.resourceVersion),
    deleted: (object) => void told.delete(object.metadata.name!),
  });
  const run = informers.run(stopping.signal);
  const objects = client.of(ConfigMap);
  for (let step = 0; step < 300; step++) {
    const key = { namespace: 'default', name: `o${Math.floor(random() * 12)}` };
    const held = await objects.find(key);
    if (held === undefined) await objects.create({ metadata: key, data: { v: String(step % 3) } });
    else if (random() < 0.3) await objects.delete(key);
    else await objects.modify(key, (draft) => { draft.data = { v: String(step % 3) }; });
    if (step % 10 === 0) await clock.advance(random() * 3_000);
  }
  const wanted = (await objects.list({ namespace: 'default' })).items.map((object) => `${object.metadata.name}@${object.metadata.resourceVersion}`).sort();
  const held = () => informer.list('default').map((object) => `${object.metadata.name}@${object.metadata.resourceVersion}`).sort();
  for (let round = 0; round < 60 && held().join() !== wanted.join(); round++) await clock.advance(1_000);
  t.deepEqual(held(), wanted);
  t.deepEqual([...told].map(([name, at]) => `${name}@${at}`).filter((one) => wanted.includes(one)).sort(), wanted);
  t.deepEqual(['0', '1', '2'].flatMap((value) => informer.by('value', value)).filter((object) => object.metadata.namespace === 'default').length, wanted.length);
  stopping.abort();
  await clock.advance(10_000);
  await run;
  await api.close();
});
