import test from 'ava';
import { ChangeLog } from '../../../apiserver/storage/change-log.ts';
import type { Change } from '../../../apiserver/storage/storage.ts';

const change = (revision: number, value = ''): readonly Change[] => [{ key: 'a', revision, type: 'put', value, previousRevision: 0 }];
const long = 'x'.repeat(400);

test('long values that every reader has taken are let go, others stay', async (t) => {
  const log = new ChangeLog({ revision: 0, limit: 100, characters: 1_000 });
  const abort = new AbortController();
  const reader = log.read(0, abort.signal);
  log.append([1, 2, 3, 4].map((revision) => change(revision, long)));
  t.deepEqual((await reader.next()).value?.map(({ revision }: Change) => revision), [1, 2, 3, 4], 'nothing is lost before it was read');
  const next = reader.next();
  log.append([change(5)]);
  t.deepEqual((await next).value?.map(({ revision }: Change) => revision), [5]);
  await t.throwsAsync(log.read(1, abort.signal).next(), { name: 'Compacted' });
  t.deepEqual((await log.read(3, abort.signal).next()).value?.map(({ revision }: Change) => revision), [4, 5]);
});

test('a reader that is behind keeps what it has not taken', async (t) => {
  const log = new ChangeLog({ revision: 0, limit: 100, characters: 1_000 });
  const abort = new AbortController();
  const slow = log.read(0, abort.signal);
  const quick = log.read(0, abort.signal);
  log.append([change(1, long)]);
  await Promise.all([slow.next(), quick.next()]);
  log.append([2, 3, 4, 5].map((revision) => change(revision, long)));
  await quick.next();
  void quick.next();
  t.deepEqual((await slow.next()).value?.map(({ revision }: Change) => revision), [2, 3, 4, 5]);
});
