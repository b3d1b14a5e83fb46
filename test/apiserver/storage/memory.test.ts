import test from 'ava';
import { MemoryStorage } from '../../../apiserver/storage/memory.ts';
import { Compacted } from '../../../apiserver/storage/storage.ts';
import { storageSuite } from '../../suites/storage.ts';

storageSuite('memory', async () => new MemoryStorage());

test('changes that were overtaken are forgotten', async (t) => {
  const storage = new MemoryStorage({ changesKept: 8 });
  for (let n = 1; n <= 100; n++) await storage.commit({ checks: [], writes: [{ key: 'a', value: String(n) }] });
  const next = (after: number) => storage.changes(after, new AbortController().signal)[Symbol.asyncIterator]().next();
  await t.throwsAsync(next(90), { instanceOf: Compacted });
  t.deepEqual(((await next(98)).value as readonly { revision: number }[]).map(({ revision }) => revision), [99, 100]);
});
