import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import Database from 'better-sqlite3';
import { SqliteStorage, type SqliteOptions } from '../../../apiserver/storage/sqlite.ts';
import { silentLog } from '../../../base/log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { loaded, put, remove, storageSuite, take } from '../../suites/storage.ts';

const folder = await tempDir();
test.after.always(() => folder.remove());

let files = 0;
const newFile = (): string => join(folder.path, `s${files++}`, 'state.db');
const open = (file: string, options: Partial<SqliteOptions> = {}): Promise<SqliteStorage> => SqliteStorage.open({ file, log: silentLog, ...options });
const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;

storageSuite('sqlite', () => open(newFile()));

/** A clock on which everything takes a second: the first write is enough for a thread. */
const slowClock = (): (() => number) => {
  let nowMs = 0;
  return () => nowMs += 500;
};

test('when writing takes long a thread takes it over, and nothing is lost or doubled on the way', async (t) => {
  const file = newFile();
  const storage = await open(file, { nowMs: slowClock() });
  t.false(storage.threaded);
  let revision = 0;
  for (let n = 0; !storage.threaded || n < 50; n++) {
    t.is(await storage.commit({ checks: [{ key: 'a', revision }], writes: [{ key: 'a', value: String(n) }] }), revision + 1);
    revision++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const after = await Promise.all([storage.commit(put('b', '1')), storage.commit(put('b', '2')), storage.commit(remove('a'))]);
  t.deepEqual(after, [revision + 1, revision + 2, revision + 3]);
  t.like((await take(storage, revision + 2, 1))[0], { type: 'delete', key: 'a', previousRevision: revision });
  await storage.close();
  const again = await open(file);
  t.deepEqual(await loaded(again), { rows: [{ key: 'b', revision: revision + 2, value: '2' }], revision: revision + 3 });
  await again.close();
});

test('a full disk on a thread is told like one on the loop', async (t) => {
  const storage = await open(newFile(), { nowMs: slowClock(), maxPages: 32 });
  while (!storage.threaded) {
    await storage.commit(put('a', '1'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await t.throwsAsync(storage.commit(put('large', 'x'.repeat(400_000))), { message: /cannot write .*full/ });
  await t.throwsAsync(storage.commit(put('a', '1')), { message: /cannot write .*full/ });
  t.true(storage.failed.aborted);
  await storage.close();
});

test('rows and the revision survive a close, and revisions go on from there even if the newest row was deleted', async (t) => {
  const file = newFile();
  const first = await open(file);
  await first.commit(put('a', '1'));
  await first.commit(put('b', '2'));
  await first.commit(remove('b'));
  await first.close();
  await first.close();
  const second = await open(file);
  t.deepEqual(await loaded(second), { rows: [{ key: 'a', revision: 1, value: '1' }], revision: 3 });
  t.is(await second.commit(put('c', '3')), 4);
  t.deepEqual((await take(second, 3, 1)).map(({ key }) => key), ['c']);
  await t.throwsAsync(take(second, 2, 1), { name: 'Compacted' });
  await second.close();
});

test('a second opener is refused until the first closes', async (t) => {
  const file = newFile();
  const first = await open(file);
  await t.throwsAsync(open(file), { message: /another barge uses this data directory/ });
  await first.close();
  await (await open(file)).close();
});

test('another process is refused too', async (t) => {
  const file = newFile();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-writer.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await t.throwsAsync(open(file), { message: /another barge uses this data directory/ });
  child.kill('SIGKILL');
  await once(child, 'close');
  await (await open(file)).close();
});

test('files of others, of newer versions and damaged ones are refused with what to do', async (t) => {
  const foreign = newFile();
  await (await open(foreign)).close();
  const database = new Database(foreign);
  database.pragma('user_version = 99');
  database.close();
  await t.throwsAsync(open(foreign), { message: /newer barge \(schema 99, this one knows 1\)/ });

  const other = join(folder.path, 'other.db');
  const theirs = new Database(other);
  theirs.exec('CREATE TABLE notes (text)');
  theirs.close();
  await t.throwsAsync(open(other), { message: /another program/ });

  const text = join(folder.path, 'text.db');
  await writeFile(text, 'this is no database '.repeat(100));
  await t.throwsAsync(open(text), { message: /is damaged/ });
  t.true((await readFile(text, 'utf8')).startsWith('this is no database'));

  const broken = newFile();
  const storage = await open(broken);
  await storage.commit({ checks: [], writes: Array.from({ length: 200 }, (_, n) => ({ key: `k${n}`, value: 'v'.repeat(500) })) });
  await storage.close();
  const marked = new Database(broken);
  marked.exec('UPDATE state SET clean = 0');
  marked.close();
  const bytes = await readFile(broken);
  bytes.fill(0x5a, 4 * 4096, 6 * 4096);
  await writeFile(broken, bytes);
  await t.throwsAsync(open(broken), { message: /is damaged/ });
});

test('only the owner may read the file', async (t) => {
  const file = newFile();
  const storage = await open(file);
  await storage.commit(put('a', '1'));
  for (const path of [file, `${file}-wal`]) t.is((await stat(path)).mode & 0o077, 0);
  await storage.close();
});

test('a full disk refuses the whole group, then everything, and says so', async (t) => {
  const file = newFile();
  const storage = await open(file, { maxPages: 32 });
  await storage.commit(put('small', 'x'));
  const reading = take(storage, 1, 1);
  const outcomes = await Promise.allSettled([storage.commit(put('other', 'y')), storage.commit(put('large', 'x'.repeat(400_000)))]);
  t.deepEqual(outcomes.map(({ status }) => status), ['rejected', 'rejected']);
  t.true(storage.failed.aborted);
  await t.throwsAsync(reading, { message: /cannot write .*full/ });
  await t.throwsAsync(storage.commit(put('a', '1')), { message: /cannot write .*full/ });
  await storage.close();
  const again = await open(file);
  t.deepEqual((await loaded(again)).rows.map(({ key }) => key), ['small']);
  await again.close();
});

test('neither the file nor its log grows with the number of updates', async (t) => {
  const file = newFile();
  const walBytes = 256 * 1024;
  const storage = await open(file, { walBytes, changesKept: 500 });
  const value = (n: number): string => JSON.stringify({ n, filler: 'x'.repeat(200 + n % 300) });
  let largestWal = 0;
  let revision = 0;
  for (let n = 0; n < 200_000; n += 2_000) {
    // Written without pause: the next turn's transactions are there before the last ones are done.
    const commits = Array.from({ length: 20 }, (_, at) => storage.commit({
      checks: [], writes: Array.from({ length: 100 }, (_, key) => ({ key: `/pods/default/p${key}`, value: value(n + at * 100 + key) })),
    }));
    revision = Math.max(...await Promise.all(commits));
    largestWal = Math.max(largestWal, await sizeOf(`${file}-wal`));
  }
  t.is(revision, 2_000);
  const fileBytes = await sizeOf(file);
  t.true(fileBytes < 512 * 1024, `the file has ${fileBytes} bytes for 100 rows`);
  t.true(largestWal < 12 * walBytes, `the log reached ${largestWal} bytes`);
  t.true(largestWal > walBytes, 'the log was never full; the test proves nothing');
  await storage.close();
});

test('one commit after the other keeps the log bounded as well', async (t) => {
  const file = newFile();
  const walBytes = 128 * 1024;
  const storage = await open(file, { walBytes });
  let largestWal = 0;
  for (let n = 0; n < 1_500; n++) {
    await storage.commit(put(`k${n % 10}`, 'x'.repeat(1_000)));
    if (n % 50 === 0) largestWal = Math.max(largestWal, await sizeOf(`${file}-wal`));
  }
  t.true(largestWal < 12 * walBytes, `the log reached ${largestWal} bytes`);
  await storage.close();
});

test('a file that shrank gives pages back', async (t) => {
  const file = newFile();
  const storage = await open(file, { walBytes: 64 * 1024 });
  const keys = Array.from({ length: 3_000 }, (_, n) => `k${n}`);
  await storage.commit({ checks: [], writes: keys.map((key) => ({ key, value: 'x'.repeat(4_000) })) });
  await storage.commit({ checks: [], writes: keys.map((key) => ({ key, value: undefined })) });
  const reader = new Database(file, { readonly: true });
  const before = reader.pragma('page_count', { simple: true }) as number;
  reader.close();
  for (let n = 0; n < 600; n++) await storage.commit(put('a', 'x'.repeat(2_000)));
  await storage.close();
  t.true(await sizeOf(file) < before * 8_192 - 2 ** 20, `${before} pages before, ${await sizeOf(file)} bytes now`);
});

test('kill -9 at any moment loses nothing acknowledged and shows nothing refused', async (t) => {
  const file = newFile();
  let number = 1;
  let highest = 0;
  let acknowledged = 0;
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-writer.ts'), file, String(number)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const acks = new Map<string, { n: number; revision: number }>();
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, key = '', n = '', revision = ''] = line.split(' ');
      t.not(word, 'wrong', line);
      if (word === 'ack' && acks.size === 0) setTimeout(() => child.kill('SIGKILL'), Math.random() * 90);
      if (word === 'ack') acks.set(key, { n: Number(n), revision: Number(revision) });
    }
    const storage = await open(file);
    const { rows, revision } = await loaded(storage);
    const found = new Map(rows.map((row) => [row.key, row]));
    for (const [key, ack] of acks) {
      const row = found.get(key);
      const twin = found.get(`${key}-twin`);
      t.true(row !== undefined && row.revision >= ack.revision && JSON.parse(row.value).n >= ack.n, `${key} lost its write ${ack.n}`);
      t.deepEqual([twin?.revision, twin?.value], [row?.revision, row?.value], 'a transaction was torn');
      t.true(ack.revision > highest, 'a revision was given twice');
    }
    t.false(rows.some(({ key }) => key.endsWith('-never')), 'a refused write is there');
    t.true(rows.every((row) => row.revision <= revision));
    acknowledged += acks.size;
    highest = await storage.commit(put('between', String(round)));
    t.is(highest, revision + 1);
    number = Math.max(number, ...[...acks.values()].map(({ n }) => n)) + 1;
    await storage.close();
  }
  t.true(acknowledged > 0, 'nothing was ever acknowledged; the test proves nothing');
});
