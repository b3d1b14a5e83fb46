import type { EtcdClient } from './etcd-client.ts';
import { putOperation, revisionIs } from './messages.ts';

export interface NoteValue {
  readonly value: string;
  readonly revision: number;
}

/** One value beside the rows of a cluster: all its servers see it, and no request of the API does. Everything throws StorageUnavailable while etcd is away. */
export class EtcdNote {
  readonly #client: EtcdClient;
  readonly #key: Buffer;
  readonly #closing: AbortSignal;

  constructor(client: EtcdClient, key: Buffer, closing: AbortSignal) {
    this.#client = client;
    this.#key = key;
    this.#closing = closing;
  }

  async read(): Promise<NoteValue | undefined> {
    return (await this.#look()).standing;
  }

  /** Writes it where it stands at that revision (0: where there is none). False where it does not: another was faster. */
  async write(value: string, revision: number): Promise<boolean> {
    return (await this.#client.txn({ compare: [revisionIs(this.#key, revision)], success: [putOperation(this.#key, Buffer.from(value))], failure: [] }, 'unsafe')).succeeded;
  }

  /** The value as it is, and each that comes after it, until the signal aborts. Throws Compacted where it was too slow. */
  async *follow(signal: AbortSignal): AsyncGenerator<NoteValue, void> {
    const { standing, at } = await this.#look();
    if (standing !== undefined) yield standing;
    const end = Buffer.concat([this.#key, Buffer.from([0])]);
    for await (const { events } of this.#client.watch({ key: this.#key, end, from: at + 1 }, AbortSignal.any([signal, this.#closing]))) {
      for (const { type, row } of events) if (type === 'put') yield { value: row.value.toString('utf8'), revision: row.revision };
    }
  }

  async #look(): Promise<{ readonly standing: NoteValue | undefined; readonly at: number }> {
    const { rows: [row], revision } = await this.#client.range({ key: this.#key });
    return { standing: row === undefined ? undefined : { value: row.value.toString('utf8'), revision: row.revision }, at: revision };
  }
}
