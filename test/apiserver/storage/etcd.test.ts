import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { compactionTurn } from '../../../apiserver/storage/etcd/compaction.ts';
import { EtcdClient } from '../../../apiserver/storage/etcd/etcd-client.ts';
import { framed, MessageReader } from '../../../apiserver/storage/etcd/grpc-frames.ts';
import { SharedQuestion } from '../../../apiserver/storage/etcd/shared-question.ts';
import { EtcdStorage, type EtcdOptions } from '../../../apiserver/storage/etcd.ts';
import { Compacted, StorageUnavailable, TransactionTooLarge, type Change } from '../../../apiserver/storage/storage.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLog } from '../../../base/log.ts';
import { createCa, issueCertificate } from '../../../base/pki.ts';
import { writePair } from '../../../base/pki-files.ts';
import { cutConnection } from '../../helpers/cut-connection.ts';
import { etcdTest, sharedEtcd, startTestEtcd } from '../../helpers/etcd.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { loaded, put, remove, storageSuite, take } from '../../suites/storage.ts';

const etcd = sharedEtcd();
const surroundings = { clock: systemClock, log: silentLog };
let clusters = 0;
const newPrefix = (): string => `/cluster${clusters++}`;
const open = async (t: ExecutionContext, options: Partial<EtcdOptions> = {}): Promise<EtcdStorage> => {
  const storage = await EtcdStorage.open({ endpoints: (await etcd()).endpoints, prefix: newPrefix(), ...surroundings, ...options });
  t.teardown(() => storage.close());
  return storage;
};

storageSuite('etcd', async () => EtcdStorage.open({ endpoints: (await etcd()).endpoints, prefix: newPrefix(), ...surroundings }), etcdTest);

/** Gathers the changes after a revision. A reader that is thrown out comes back, as the watch cache does. */
const follow = (t: ExecutionContext, storage: EtcdStorage, after: number): readonly Change[] => {
  const seen: Change[] = [];
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  void (async () => {
    while (!stop.signal.aborted) {
      try {
        for await (const batch of storage.changes(seen.at(-1)?.revision ?? after, stop.signal)) seen.push(...batch);
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  })();
  return seen;
};

etcdTest('several servers write one cluster, each sees what the others write, and clusters with other prefixes see nothing of it', async (t) => {
  const prefix = newPrefix();
  const [one, two, other] = [await open(t, { prefix }), await open(t, { prefix }), await open(t)];
  const start = await other.newest();
  const seen = follow(t, two, (await loaded(two)).revision);
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } };
  const own = follow(t, one, (await loaded(one)).revision);
  const first = await one.commit({ checks: [], writes: [{ key: 'a', value: '{}', object }] });
  t.is(await two.newest(), first);
  const second = await two.commit({ checks: [{ key: 'a', revision: first }], writes: [{ key: 'a', value: undefined }] });
  await eventually(() => assert.deepEqual(seen.map(({ type, revision }) => [type, revision]), [['put', first], ['delete', second]]));
  await eventually(() => assert.equal(own.length, 2));
  t.is(own[0]?.object, object, 'what a server wrote itself it need not parse again');
  t.is(seen[0]?.object, undefined);
  t.is(await other.newest(), start);
  t.deepEqual((await loaded(other)).rows, []);
});

etcdTest('changes of other clusters that etcd has forgotten are not missed', async (t) => {
  const [quiet, busy] = [await open(t), await open(t)];
  const last = await quiet.commit(put('a', '1'));
  let newest = 0;
  for (let n = 0; n < 5; n++) newest = await busy.commit(put('b', String(n)));
  await quiet.newest();
  await busy.compact(newest);
  const next = quiet.commit(put('a', '2'));
  t.deepEqual((await take(quiet, last, 1)).map(({ value }) => value), ['2']);
  await next;
  await t.throwsAsync(take(busy, last, 1), { instanceOf: Compacted });
});

etcdTest('an answer that is lost leaves it open whether it was written, and it is written once', async (t) => {
  const port = Number(new URL((await etcd()).endpoints[0]!).port);
  const way = await cutConnection(port);
  t.teardown(() => way.close());
  const prefix = newPrefix();
  const [storage, beside] = [await open(t, { prefix, endpoints: [`http://${way.address}`] }), await open(t, { prefix })];
  const start = await storage.commit(put('a', '1'));
  way.swallowAnswers();
  const lost = storage.commit({ checks: [{ key: 'a', revision: start }], writes: [{ key: 'a', value: '2' }] });
  const reading = storage.newest();
  const written = (await take(beside, start, 1))[0]!;
  way.cut();
  t.is((await t.throwsAsync(lost, { instanceOf: StorageUnavailable }))?.written, 'unknown');
  t.is(await reading, written.revision, 'a question may be asked again');
  t.deepEqual((await loaded(storage)).rows, [{ key: 'a', revision: written.revision, value: '2' }]);
});

etcdTest('what is more than etcd takes at once is refused and says so', async (t) => {
  const storage = await open(t);
  const many = Array.from({ length: 200 }, (_, n) => ({ key: `k${n}`, value: '1' }));
  await t.throwsAsync(storage.commit({ checks: [], writes: many }), { instanceOf: TransactionTooLarge, message: /max-txn-ops/ });
  await t.throwsAsync(storage.commit(put('a', 'x'.repeat(1_600_000))), { instanceOf: TransactionTooLarge, message: /max-request-bytes/ });
  await t.throwsAsync(storage.commit(put('a', 'x'.repeat(5_000_000))), { instanceOf: TransactionTooLarge });
  t.deepEqual((await loaded(storage)).rows, []);
});

etcdTest('one server a turn makes etcd forget, and only what was overtaken a turn before', async (t) => {
  const prefix = newPrefix();
  const storage = await open(t, { prefix });
  const { endpoints } = await etcd();
  const clients = [1, 2].map(() => new EtcdClient({ endpoints, ...surroundings }));
  t.teardown(() => clients.forEach((client) => client.close()));
  const key = Buffer.from(`${prefix}/turns`);
  const old = await storage.commit(put('a', '1'));
  const begun = await Promise.all(clients.map((client) => compactionTurn(client, key, { version: 0, revision: 0 })));
  const since = await storage.commit(put('a', '2'));
  await storage.commit(put('a', '3'));
  const next = [];
  for (const [index, client] of clients.entries()) next.push(await compactionTurn(client, key, begun[index]!));
  await t.throwsAsync(take(storage, old - 1, 1), { instanceOf: Compacted });
  t.is((await take(storage, since - 1, 2)).length, 2);
  t.deepEqual(new Set(next.map(({ version }) => version)), new Set([2]));
});

etcdTest('a store of three members goes on when one is lost, and comes back after all were', async (t) => {
  t.timeout(240_000);
  const three = await startTestEtcd({ members: 3 });
  t.teardown(() => three.close());
  const storage = await open(t, { endpoints: three.endpoints });
  const seen = follow(t, storage, (await loaded(storage)).revision);
  /** Writes until it is done; what may have been done does no harm twice. */
  const write = (key: string): Promise<number> => eventually(() => storage.commit(put(key, '1')), 60_000);
  await write('a');
  await three.kill(0);
  await write('b');
  await eventually(() => assert.deepEqual([...new Set(seen.map(({ key }) => key))], ['a', 'b']), 60_000);
  await Promise.all([three.kill(1), three.kill(2)]);
  await t.throwsAsync(storage.newest(), { instanceOf: StorageUnavailable });
  t.is((await t.throwsAsync(storage.commit(remove('a')), { instanceOf: StorageUnavailable }))?.written, 'no');
  await Promise.all([0, 1, 2].map((member) => three.start(member)));
  await write('c');
  await eventually(() => assert.deepEqual([...new Set(seen.map(({ key }) => key))], ['a', 'b', 'c']), 60_000);
  t.deepEqual((await loaded(storage)).rows.map(({ key }) => key), ['a', 'b', 'c']);
  t.false(storage.failed.aborted);
});

etcdTest('etcd is spoken to over TLS with a certificate, and one of another authority is refused', async (t) => {
  const folder = await tempDir();
  t.teardown(folder.remove);
  const days = { lifetimeDays: 1, nowMs: Date.now() };
  const [ca, otherCa] = [await createCa({ commonName: 'etcd-ca', ...days }), await createCa({ commonName: 'other-ca', ...days })];
  const server = await issueCertificate({ ca, commonName: 'etcd', ipAddresses: ['127.0.0.1'], usages: ['server', 'client'], ...days });
  const client = await issueCertificate({ ca, commonName: 'barge', usages: ['client'], ...days });
  await writePair(folder.path, 'ca', ca);
  await writePair(folder.path, 'server', server);
  const file = (name: string): string => join(folder.path, name);
  const secure = await startTestEtcd({ tls: { ca: file('ca.crt'), cert: file('server.crt'), key: file('server.key') } });
  t.teardown(() => secure.close());
  const storage = await open(t, { endpoints: secure.endpoints, tls: { ca: ca.cert, ...client } });
  await storage.commit(put('a', '1'));
  t.is((await loaded(storage)).rows.length, 1);
  for (const tls of [{ ca: otherCa.cert, ...client }, { ca: ca.cert }]) {
    const stranger = new EtcdClient({ endpoints: secure.endpoints, tls, ...surroundings });
    await t.throwsAsync(stranger.range({ key: Buffer.from('a') }), { instanceOf: StorageUnavailable, message: /certificate/ });
    stranger.close();
  }
});

test('an etcd that is not there is waited for, and named at last', async (t) => {
  let nowMs = 0;
  const clock = { now: () => (nowMs += 8_000), after: (ms: number, callback: () => void) => systemClock.after(Math.min(ms, 10), callback) };
  await t.throwsAsync(EtcdStorage.open({ endpoints: ['http://127.0.0.1:9', 'http://localhost:9'], clock, log: silentLog }), {
    instanceOf: StorageUnavailable, message: /no member of etcd answers: http:\/\/127\.0\.0\.1:9: .*; http:\/\/localhost:9: /,
  });
});

test('who asks while a question is under way shares the next', async (t) => {
  const asked: PromiseWithResolvers<number>[] = [];
  const question = new SharedQuestion(() => {
    asked.push(Promise.withResolvers<number>());
    return asked.at(-1)!.promise;
  });
  const first = question.answer();
  const [second, third] = [question.answer(), question.answer()];
  t.is(asked.length, 1);
  asked[0]!.reject(new Error('lost'));
  await t.throwsAsync(first, { message: 'lost' });
  await eventually(() => assert.equal(asked.length, 2));
  asked[1]!.resolve(7);
  t.deepEqual(await Promise.all([second, third]), [7, 7]);
  const fourth = question.answer();
  t.is(asked.length, 3);
  asked[2]!.resolve(8);
  t.is(await fourth, 8);
});

test('messages are whole however their bytes come', (t) => {
  const messages = ['', 'a', 'b'.repeat(300)].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(messages.map(framed));
  for (const size of [1, 2, 5, 6, 100, bytes.length]) {
    const reader = new MessageReader();
    const seen: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) seen.push(...reader.read(bytes.subarray(at, at + size)));
    t.deepEqual(seen, messages);
  }
  t.throws(() => new MessageReader().read(Buffer.from([1, 0, 0, 0, 0])), { message: /compressed/ });
});
