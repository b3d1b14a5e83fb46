/** Transactions of a store as transactions of etcd. No I/O. */
import { CheckFailed, type Check, type Transaction, type Write } from '../storage.ts';
import type { EtcdKeys } from './keys.ts';
import { deleteOperation, putOperation, rangeOperation, revisionIs, type Operation, type TxnRequest, type TxnResponse } from './messages.ts';

const nothing = Buffer.alloc(0);

/** False for a transaction of which it depends on what is stored whether it changes anything: it has only checks, and deletes of what may not be there. */
export const surelyChanges = ({ checks, writes }: Transaction): boolean =>
  writes.some(({ key, value }) => value !== undefined || checks.some((check) => check.key === key && check.revision > 0));

/** Where a check does not hold, what stands under the keys that are checked. */
const looks = (checks: readonly Check[], keys: EtcdKeys): readonly Operation[] => checks.map(({ key }) => rangeOperation({ key: keys.row(key), keysOnly: true }));
const comparisons = (checks: readonly Check[], keys: EtcdKeys): readonly Buffer[] => checks.map(({ key, revision }) => revisionIs(keys.row(key), revision));

/** etcd takes one write of a key in a transaction; the last one counts. */
const lastOfEach = (writes: readonly Write[]): readonly Write[] => [...new Map(writes.map((write) => [write.key, write])).values()];

/** Does the whole transaction. */
export const commitRequest = ({ checks, writes }: Transaction, keys: EtcdKeys): TxnRequest => ({
  compare: comparisons(checks, keys),
  success: [
    ...lastOfEach(writes).map(({ key, value }) => (value === undefined ? deleteOperation(keys.row(key)) : putOperation(keys.row(key), Buffer.from(value)))),
    putOperation(keys.newest, nothing),
  ],
  failure: looks(checks, keys),
});

/** Asks whether the checks hold, which revision is the newest, and what of that which would be deleted is there. */
export const lookRequest = ({ checks, writes }: Transaction, keys: EtcdKeys): TxnRequest => ({
  compare: comparisons(checks, keys),
  success: [rangeOperation({ key: keys.newest, keysOnly: true }), ...writes.map(({ key }) => rangeOperation({ key: keys.row(key), keysOnly: true }))],
  failure: looks(checks, keys),
});

/** What the answer to a `lookRequest` says, once the checks have held: the newest revision, and where the keys of the writes stand. */
export const looked = ({ writes }: Transaction, { ranges: [newest, ...found] }: TxnResponse): { readonly newest: number; readonly standing: readonly Check[] } => ({
  newest: newest?.rows[0]?.revision ?? 0,
  standing: writes.map(({ key }, index) => ({ key, revision: found[index]?.rows[0]?.revision ?? 0 })),
});

/** The first check that did not hold, by what an answer says of the keys. */
export const brokenCheck = (checks: readonly Check[], { ranges }: TxnResponse): CheckFailed => {
  for (const [index, { key, revision }] of checks.entries()) {
    const actual = ranges[index]?.rows[0]?.revision ?? 0;
    if (actual !== revision) return new CheckFailed(key, actual);
  }
  throw new Error('etcd refused a transaction all of whose checks hold');
};
