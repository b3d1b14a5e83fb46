import test from 'ava';
import * as fc from 'fast-check';
import { CheckFailed, Compacted, type Change, type Row, type Storage, type Transaction } from '../../apiserver/storage/storage.ts';

/** What a Storage must hold to. Each implementation's test file calls this with a way to open an empty one. */
export const storageSuite = (name: string, open: () => Promise<Storage>): void => {
  const withStorage = (title: string, body: (t: import('ava').ExecutionContext, storage: Storage) => Promise<void>): void => {
    test(`${name}: ${title}`, async (t) => {
      const storage = await open();
      try {
        await body(t, storage);
      } finally {
        await storage.close();
      }
    });
  };

  withStorage('an empty store loads nothing at revision 0', async (t, storage) => {
    t.deepEqual(await loaded(storage), { rows: [], revision: 0 });
  });

  withStorage('puts, replaces and deletes are seen by load, each at its revision', async (t, storage) => {
    t.is(await storage.commit(put('/pods/a/x', '1')), 1);
    t.is(await storage.commit(put('/pods/a/y', '2')), 2);
    t.is(await storage.commit(put('/pods/a/x', '3')), 3);
    t.is(await storage.commit(remove('/pods/a/y')), 4);
    t.deepEqual(await loaded(storage), { rows: [{ key: '/pods/a/x', revision: 3, value: '3' }], revision: 4 });
  });

  withStorage('a transaction is one revision and all or nothing', async (t, storage) => {
    await storage.commit(put('a', '1'));
    const both = { checks: [{ key: 'a', revision: 1 }, { key: 'b', revision: 0 }], writes: [{ key: 'a', value: '2' }, { key: 'b', value: '2' }] };
    t.is(await storage.commit(both), 2);
    const error = await t.throwsAsync(storage.commit(both), { instanceOf: CheckFailed });
    t.like(error, { key: 'a', actual: 2 });
    t.deepEqual((await loaded(storage)).rows.map(({ key, revision }) => [key, revision]), [['a', 2], ['b', 2]]);
  });

  withStorage('a check sees what transactions of the same turn wrote before it', async (t, storage) => {
    const create = { checks: [{ key: 'a', revision: 0 }], writes: [{ key: 'a', value: '1' }] };
    const outcomes = await Promise.allSettled([storage.commit(create), storage.commit(create), storage.commit(put('b', '2')), storage.commit(create)]);
    t.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    t.deepEqual(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])), [1, 2]);
  });

  withStorage('a transaction that changes nothing takes no revision', async (t, storage) => {
    await storage.commit(put('a', '1'));
    t.is(await storage.commit({ checks: [{ key: 'a', revision: 1 }], writes: [] }), 1);
    t.is(await storage.commit(remove('nothing')), 1);
    t.is(await storage.commit(put('a', '2')), 2);
  });

  withStorage('changes tell put and delete, the last value and the revision before', async (t, storage) => {
    await storage.commit(put('a', 'one'));
    await storage.commit(put('a', 'two'));
    await storage.commit(remove('a'));
    const changes = await take(storage, 0, 3);
    t.deepEqual(changes.map(({ key, revision, type, value, previousRevision }) => ({ key, revision, type, value, previousRevision })), [
      { key: 'a', revision: 1, type: 'put', value: 'one', previousRevision: 0 },
      { key: 'a', revision: 2, type: 'put', value: 'two', previousRevision: 1 },
      { key: 'a', revision: 3, type: 'delete', value: 'two', previousRevision: 2 },
    ]);
  });

  withStorage('changes wait for what is to come, and end with their signal', async (t, storage) => {
    const reading = take(storage, 0, 2);
    await storage.commit(put('a', '1'));
    await storage.commit(put('b', '2'));
    t.deepEqual((await reading).map(({ key }) => key), ['a', 'b']);
    const abort = new AbortController();
    const iterator = storage.changes(2, abort.signal)[Symbol.asyncIterator]();
    const next = iterator.next();
    abort.abort();
    t.true((await next).done);
  });

  withStorage('changes never split a revision and start exactly after the one given', async (t, storage) => {
    const pair = (value: string): Transaction => ({ checks: [], writes: [{ key: 'a', value }, { key: 'b', value }] });
    for (let n = 1; n <= 20; n++) await storage.commit(pair(String(n)));
    for (const after of [0, 7, 19]) {
      const abort = new AbortController();
      let next = after + 1;
      for await (const batch of storage.changes(after, abort.signal)) {
        t.is(batch.length % 2, 0);
        for (let at = 0; at < batch.length; at += 2) {
          t.is(batch[at]!.revision, next);
          t.is(batch[at + 1]!.revision, next++);
        }
        if (next > 20) abort.abort();
      }
      t.is(next, 21);
    }
  });

  withStorage('compacted changes are refused, later ones and live rows stay', async (t, storage) => {
    for (let n = 1; n <= 5; n++) await storage.commit(put(`k${n}`, String(n)));
    await storage.compact(3);
    const error = await t.throwsAsync(take(storage, 2, 1), { instanceOf: Compacted });
    t.is(error?.compactedRevision, 3);
    t.deepEqual((await take(storage, 3, 2)).map(({ revision }) => revision), [4, 5]);
    t.is((await loaded(storage)).rows.length, 5);
    await storage.compact(1);
    t.is((await take(storage, 3, 2)).length, 2);
  });

  withStorage('load is one moment, whatever is written while it is read', async (t, storage) => {
    for (let n = 0; n < 1_200; n += 100) {
      await storage.commit({ checks: [], writes: Array.from({ length: 100 }, (_, i) => ({ key: `k${String(n + i).padStart(4, '0')}`, value: 'old' })) });
    }
    const rows: Row[] = [];
    const reading = storage.load();
    let step = await reading.next();
    for (let n = 0; step.done !== true; n++) {
      rows.push(...step.value);
      await storage.commit({ checks: [], writes: [{ key: `k${String(1_199 - n).padStart(4, '0')}`, value: 'new' }, { key: `new${n}`, value: 'new' }, { key: `k000${n}`, value: undefined }] });
      step = await reading.next();
    }
    t.is(step.value, 12);
    t.is(rows.length, 1_200);
    t.true(rows.every(({ value }) => value === 'old'));
  });

  withStorage('values of any text come back as they were', async (t, storage) => {
    const values = ['', 'ü', '\u0000', '😀'.repeat(1_000), '"\\\n', 'x'.repeat(1_500_000)];
    await storage.commit({ checks: [], writes: values.map((value, index) => ({ key: `k${index}`, value })) });
    t.deepEqual((await loaded(storage)).rows.map(({ value }) => value), values);
  });

  test(`${name}: a closed store refuses writes and ends its readers`, async (t) => {
    const storage = await open();
    const committed = storage.commit(put('a', '1'));
    const reading = take(storage, 0, 2);
    const closed = storage.close();
    t.is(await committed, 1);
    await closed;
    t.is((await reading).length, 1);
    await t.throwsAsync(storage.commit(put('b', '2')));
  });

  test(`${name}: agrees with a plain model under any mix of transactions`, async (t) => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const transaction = fc.record({
      checks: fc.array(fc.record({ key, stale: fc.constantFrom(0, 0, 0, 1, -1) }), { maxLength: 2 }),
      writes: fc.uniqueArray(fc.record({ key, value: fc.option(fc.string({ maxLength: 4 }), { nil: undefined }) }), { maxLength: 3, selector: (write) => write.key }),
    });
    // Turns of transactions: those of one turn are committed without waiting for each other.
    await fc.assert(fc.asyncProperty(fc.array(fc.array(transaction, { maxLength: 5 }), { maxLength: 8 }), async (turns) => {
      const storage = await open();
      const model = new Map<string, { revision: number; value: string }>();
      const expected: unknown[] = [];
      let revision = 0;
      try {
        for (const turn of turns) {
          const transactions = turn.map(({ checks, writes }) => {
            const made: Transaction = { writes, checks: checks.map(({ key, stale }) => ({ key, revision: Math.max(0, (model.get(key)?.revision ?? 0) + stale) })) };
            const broken = made.checks.find((check) => (model.get(check.key)?.revision ?? 0) !== check.revision);
            if (broken !== undefined) return { made, outcome: { key: broken.key, actual: model.get(broken.key)?.revision ?? 0 } };
            const effective = writes.filter((write) => write.value !== undefined || model.has(write.key));
            if (effective.length > 0) revision++;
            for (const write of effective) {
              const before = model.get(write.key);
              if (write.value === undefined) model.delete(write.key);
              else model.set(write.key, { revision, value: write.value });
              expected.push({ key: write.key, revision, type: write.value === undefined ? 'delete' : 'put', value: write.value ?? before!.value, previousRevision: before?.revision ?? 0 });
            }
            return { made, outcome: revision };
          });
          const settled = await Promise.allSettled(transactions.map(({ made }) => storage.commit(made)));
          t.deepEqual(settled.map((one) => (one.status === 'fulfilled' ? one.value : { key: (one.reason as CheckFailed).key, actual: (one.reason as CheckFailed).actual })),
            transactions.map(({ outcome }) => outcome));
        }
        const state = await loaded(storage);
        t.deepEqual(state, { revision, rows: [...model].map(([key, row]) => ({ key, ...row })).sort((a, b) => (a.key < b.key ? -1 : 1)) });
        const seen = await take(storage, 0, expected.length);
        t.deepEqual(seen.map(({ key, revision, type, value, previousRevision }) => ({ key, revision, type, value, previousRevision })), expected as never);
      } finally {
        await storage.close();
      }
    }), { numRuns: 40 });
  });
};

export const put = (key: string, value: string): Transaction => ({ checks: [], writes: [{ key, value }] });
export const remove = (key: string): Transaction => ({ checks: [], writes: [{ key, value: undefined }] });

/** All rows by key, and the revision they stand at. */
export const loaded = async (storage: Storage): Promise<{ readonly rows: readonly Row[]; readonly revision: number }> => {
  const rows: Row[] = [];
  const reading = storage.load();
  for (;;) {
    const step = await reading.next();
    if (step.done === true) return { rows: rows.sort((a, b) => (a.key < b.key ? -1 : 1)), revision: step.value };
    rows.push(...step.value);
  }
};

/** The first so many changes after a revision, or fewer when the changes end. */
export const take = async (storage: Storage, after: number, count: number): Promise<readonly Change[]> => {
  const abort = new AbortController();
  const changes: Change[] = [];
  if (count === 0) return changes;
  for await (const batch of storage.changes(after, abort.signal)) {
    changes.push(...batch);
    if (changes.length >= count) abort.abort();
  }
  return changes;
};
