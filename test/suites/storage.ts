import ava, { type ExecutionContext, type SerialFn } from 'ava';
import * as fc from 'fast-check';
import { CheckFailed, Compacted, type Change, type Row, type Storage, type Transaction } from '../../apiserver/storage/storage.ts';

/** What a Storage must hold to. Each implementation's test file calls this with a way to open an empty one, and with `test.serial` where they are not apart. */
export const storageSuite = (name: string, open: () => Promise<Storage>, test: SerialFn = ava): void => {
  const withStorage = (title: string, body: (t: ExecutionContext, storage: Storage, start: number) => Promise<void>): void => {
    test(`${name}: ${title}`, async (t) => {
      const storage = await open();
      try {
        await body(t, storage, (await loaded(storage)).revision);
      } finally {
        await storage.close();
      }
    });
  };

  withStorage('an empty store loads nothing', async (t, storage, start) => {
    t.deepEqual(await loaded(storage), { rows: [], revision: start });
  });

  withStorage('puts, replaces and deletes are seen by load, each at its revision', async (t, storage, start) => {
    const first = await storage.commit(put('/pods/a/x', '1'));
    const second = await storage.commit(put('/pods/a/y', '2'));
    const third = await storage.commit(put('/pods/a/x', '3'));
    const fourth = await storage.commit(remove('/pods/a/y'));
    t.true(start < first && first < second && second < third && third < fourth);
    t.deepEqual(await loaded(storage), { rows: [{ key: '/pods/a/x', revision: third, value: '3' }], revision: fourth });
  });

  withStorage('a transaction is one revision and all or nothing', async (t, storage) => {
    const before = await storage.commit(put('a', '1'));
    const both = { checks: [{ key: 'a', revision: before }, { key: 'b', revision: 0 }], writes: [{ key: 'a', value: '2' }, { key: 'b', value: '2' }] };
    const revision = await storage.commit(both);
    const error = await t.throwsAsync(storage.commit(both), { instanceOf: CheckFailed });
    t.like(error, { key: 'a', actual: revision });
    t.deepEqual((await loaded(storage)).rows.map(({ key, revision }) => [key, revision]), [['a', revision], ['b', revision]]);
  });

  withStorage('of transactions of the same turn that exclude each other one is done, and the others hear of it', async (t, storage) => {
    const create = { checks: [{ key: 'a', revision: 0 }], writes: [{ key: 'a', value: '1' }] };
    const outcomes = await Promise.allSettled([storage.commit(create), storage.commit(create), storage.commit(put('b', '2')), storage.commit(create)]);
    const [other] = outcomes.splice(2, 1);
    t.is(other?.status, 'fulfilled');
    const done = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    t.is(done.length, 1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') t.like(outcome.reason, { name: 'CheckFailed', key: 'a', actual: done[0] });
  });

  withStorage('a transaction that changes nothing takes no revision', async (t, storage) => {
    const first = await storage.commit(put('a', '1'));
    t.is(await storage.commit({ checks: [{ key: 'a', revision: first }], writes: [] }), first);
    t.is(await storage.commit(remove('nothing')), first);
    await t.throwsAsync(storage.commit({ checks: [{ key: 'a', revision: 0 }], writes: [{ key: 'nothing', value: undefined }] }), { instanceOf: CheckFailed });
    const second = await storage.commit(put('a', '2'));
    t.true(second > first);
    t.deepEqual((await take(storage, first, 1)).map(({ revision }) => revision), [second]);
  });

  withStorage('changes tell put and delete, the last value and the revision before', async (t, storage, start) => {
    const first = await storage.commit(put('a', 'one'));
    const second = await storage.commit(put('a', 'two'));
    const third = await storage.commit(remove('a'));
    const changes = await take(storage, start, 3);
    t.deepEqual(changes.map(({ key, revision, type, value, previousRevision }) => ({ key, revision, type, value, previousRevision })), [
      { key: 'a', revision: first, type: 'put', value: 'one', previousRevision: 0 },
      { key: 'a', revision: second, type: 'put', value: 'two', previousRevision: first },
      { key: 'a', revision: third, type: 'delete', value: 'two', previousRevision: second },
    ]);
  });

  withStorage('changes wait for what is to come, and end with their signal', async (t, storage, start) => {
    const reading = take(storage, start, 2);
    await storage.commit(put('a', '1'));
    const last = await storage.commit(put('b', '2'));
    t.deepEqual((await reading).map(({ key }) => key), ['a', 'b']);
    const abort = new AbortController();
    const iterator = storage.changes(last, abort.signal)[Symbol.asyncIterator]();
    const next = iterator.next();
    abort.abort();
    t.true((await next).done);
  });

  withStorage('changes never split a revision and start exactly after the one given', async (t, storage, start) => {
    const pair = (value: string): Transaction => ({ checks: [], writes: [{ key: 'a', value }, { key: 'b', value }] });
    const revisions = [start];
    for (let n = 1; n <= 20; n++) revisions.push(await storage.commit(pair(String(n))));
    for (const first of [1, 8, 20]) {
      const abort = new AbortController();
      let next = first;
      for await (const batch of storage.changes(revisions[first - 1]!, abort.signal)) {
        t.is(batch.length % 2, 0);
        for (let at = 0; at < batch.length; at += 2) {
          t.is(batch[at]!.revision, revisions[next]!);
          t.is(batch[at + 1]!.revision, revisions[next++]!);
        }
        if (next > 20) abort.abort();
      }
      t.is(next, 21);
    }
  });

  withStorage('compacted changes are refused, later ones and live rows stay', async (t, storage) => {
    const revisions: number[] = [];
    for (let n = 1; n <= 5; n++) revisions.push(await storage.commit(put(`k${n}`, String(n))));
    await storage.compact(revisions[2]!);
    const error = await t.throwsAsync(take(storage, revisions[0]!, 1), { instanceOf: Compacted });
    t.is(error?.compactedRevision, revisions[2]!);
    t.deepEqual((await take(storage, revisions[2]!, 2)).map(({ revision }) => revision), revisions.slice(3));
    t.is((await loaded(storage)).rows.length, 5);
    await storage.compact(revisions[0]!);
    t.is((await take(storage, revisions[2]!, 2)).length, 2);
  });

  withStorage('load is one moment, whatever is written while it is read', async (t, storage) => {
    let last = 0;
    for (let n = 0; n < 1_200; n += 100) {
      last = await storage.commit({ checks: [], writes: Array.from({ length: 100 }, (_, i) => ({ key: `k${String(n + i).padStart(4, '0')}`, value: 'old' })) });
    }
    const rows: Row[] = [];
    const reading = storage.load();
    let step = await reading.next();
    for (let n = 0; step.done !== true; n++) {
      rows.push(...step.value);
      await storage.commit({ checks: [], writes: [{ key: `k${String(1_199 - n).padStart(4, '0')}`, value: 'new' }, { key: `new${n}`, value: 'new' }, { key: `k000${n}`, value: undefined }] });
      step = await reading.next();
    }
    t.is(step.value, last);
    t.is(rows.length, 1_200);
    t.true(rows.every(({ value }) => value === 'old'));
  });

  withStorage('values of any text come back as they were', async (t, storage, start) => {
    const values = ['', 'ü', '\u0000', '😀'.repeat(1_000), '"\\\n', 'x'.repeat(1_500_000)];
    await storage.commit({ checks: [], writes: values.map((value, index) => ({ key: `k${index}`, value })) });
    t.deepEqual((await loaded(storage)).rows.map(({ value }) => value), values);
    t.deepEqual((await take(storage, start, values.length)).map(({ value }) => value), values);
  });

  test(`${name}: a closed store refuses writes and ends its readers`, async (t) => {
    const storage = await open();
    const { revision } = await loaded(storage);
    const committed = storage.commit(put('a', '1'));
    const reading = take(storage, revision, 2);
    const closed = storage.close();
    t.true(await committed > revision);
    await closed;
    t.true((await reading).length < 2);
    await t.throwsAsync(storage.commit(put('b', '2')));
  });

  test(`${name}: agrees with a plain model under any mix of transactions`, async (t) => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const transaction = fc.record({
      checks: fc.array(fc.record({ key, stale: fc.constantFrom(0, 0, 0, 1, -1) }), { maxLength: 2 }),
      writes: fc.uniqueArray(fc.record({ key, value: fc.option(fc.string({ maxLength: 4 }), { nil: undefined }) }), { maxLength: 3, selector: (write) => write.key }),
    });
    // Turns of transactions: those of one turn are committed without waiting for each other.
    await fc.assert(fc.asyncProperty(fc.array(fc.array(transaction, { maxLength: 4 }), { maxLength: 8 }), async (turns) => {
      const storage = await open();
      try {
        const { revision: start } = await loaded(storage);
        let model: Model = { rows: new Map(), revision: start, changes: [] };
        for (const turn of turns) {
          const { rows } = model;
          const transactions = turn.map(({ checks, writes }): Transaction => ({ writes, checks: checks.map(({ key, stale }) => ({ key, revision: Math.max(0, (rows.get(key)?.revision ?? 0) + stale) })) }));
          const outcomes = (await Promise.allSettled(transactions.map((one) => storage.commit(one)))).map((one): Outcome =>
            (one.status === 'fulfilled' ? { revision: one.value } : { key: (one.reason as CheckFailed).key, actual: (one.reason as CheckFailed).actual }));
          const after = explained(model, transactions.map((one, index) => ({ transaction: one, outcome: outcomes[index]! })));
          if (after === undefined) return t.fail(`no order explains ${JSON.stringify({ rows: [...rows], transactions, outcomes })}`);
          model = after;
        }
        t.deepEqual(await loaded(storage), { revision: model.revision, rows: [...model.rows].map(([key, row]) => ({ key, ...row })).sort((a, b) => (a.key < b.key ? -1 : 1)) });
        const seen = await take(storage, start, model.changes.length);
        const inOrder = (changes: readonly Change[]): readonly unknown[] => changes
          .map(({ key, revision, type, value, previousRevision }) => ({ key, revision, type, value, previousRevision }))
          .sort((a, b) => a.revision - b.revision || (a.key < b.key ? -1 : 1));
        t.deepEqual(inOrder(seen), inOrder(model.changes));
        t.deepEqual(seen.map(({ revision }) => revision), model.changes.map(({ revision }) => revision));
      } finally {
        await storage.close();
      }
    }), { numRuns: 40 });
  });
};

interface Model {
  readonly rows: ReadonlyMap<string, { readonly revision: number; readonly value: string }>;
  readonly revision: number;
  readonly changes: readonly Change[];
}

type Outcome = { readonly revision: number } | { readonly key: string; readonly actual: number };

interface Done {
  readonly transaction: Transaction;
  readonly outcome: Outcome;
}

/** The model after all of these, in some order in which each has the outcome that it had; undefined when there is none. */
const explained = (model: Model, rest: readonly Done[]): Model | undefined => {
  if (rest.length === 0) return model;
  for (const [index, done] of rest.entries()) {
    const next = after(model, done);
    const all = next === undefined ? undefined : explained(next, rest.toSpliced(index, 1));
    if (all !== undefined) return all;
  }
  return undefined;
};

/** The model after one transaction; undefined when its outcome would have been another. */
const after = (model: Model, { transaction: { checks, writes }, outcome }: Done): Model | undefined => {
  const standing = (key: string): number => model.rows.get(key)?.revision ?? 0;
  const broken = checks.find(({ key, revision }) => standing(key) !== revision);
  if ('key' in outcome) return broken?.key === outcome.key && standing(outcome.key) === outcome.actual ? model : undefined;
  if (broken !== undefined) return undefined;
  const { revision } = outcome;
  const effective = writes.filter(({ key, value }) => value !== undefined || model.rows.has(key));
  if (effective.length === 0) return revision === model.revision ? model : undefined;
  if (revision <= model.revision) return undefined;
  const rows = new Map(model.rows);
  const changes = effective.map(({ key, value }): Change => {
    const before = model.rows.get(key);
    if (value === undefined) rows.delete(key);
    else rows.set(key, { revision, value });
    return { key, revision, type: value === undefined ? 'delete' : 'put', value: value ?? before!.value, previousRevision: before?.revision ?? 0 };
  });
  return { rows, revision, changes: [...model.changes, ...changes] };
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
