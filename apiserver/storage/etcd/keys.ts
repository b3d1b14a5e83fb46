/** Where a cluster's rows stand among etcd's keys. Clusters with different prefixes share an etcd. */
export interface EtcdKeys {
  /** The first key of the rows, and the one behind the last. */
  readonly rows: Buffer;
  readonly end: Buffer;
  /** Written with every transaction: the revision of this key is that of the newest one. */
  readonly newest: Buffer;
  /** Whoever writes this one compacts. */
  readonly compaction: Buffer;
  /** The first key of the notes, which are no rows, and the one behind the last. */
  readonly notes: Buffer;
  readonly notesEnd: Buffer;
  row(key: string): Buffer;
  note(name: string): Buffer;
  /** The key of a row. */
  name(row: Buffer): string;
}

/** `prefix` is `/barge` or the like, without a slash at the end. */
export const etcdKeys = (prefix: string): EtcdKeys => {
  const rows = `${prefix}/rows/`;
  const length = Buffer.byteLength(rows);
  return {
    rows: Buffer.from(rows), end: Buffer.from(`${prefix}/rows0`), // '0' is the character behind '/'
    newest: Buffer.from(`${prefix}/newest`), compaction: Buffer.from(`${prefix}/compaction`),
    notes: Buffer.from(`${prefix}/notes/`), notesEnd: Buffer.from(`${prefix}/notes0`), note: (name) => Buffer.from(`${prefix}/notes/${name}`),
    row: (key) => Buffer.from(rows + key), name: (row) => row.toString('utf8', length),
  };
};
