/**
 * Decides what becomes of an event before it is written, as Kubernetes' clients do, so that a component that says the
 * same thing over and over makes one Event with a count: the same event again raises the count of the first; ten
 * different messages for one reason within ten minutes become one "combined" event; beyond that a token bucket for each
 * object lets 25 through at once and one more each five minutes. Holds no more than 4,096 entries of each sort.
 */

/** What makes two events the same. */
export interface EventFacts {
  readonly namespace: string;
  readonly involved: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string | undefined;
    readonly name: string;
    readonly uid: string | undefined;
    readonly fieldPath: string | undefined;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Where the first of a row of same events was written. */
export interface Recorded {
  readonly name: string;
  readonly count: number;
}

/** Drop it; or write it under `id`: as a new event, or by raising the count of `recorded`. */
export type Verdict =
  | { readonly drop: true }
  | { readonly drop: false; readonly id: string; readonly message: string; readonly recorded: Recorded | undefined };

const limits = { entries: 4_096, similar: 10, similarMs: 600_000, burst: 25, refillMs: 300_000 } as const;

/** A map that forgets the entry used longest ago. */
class Recent<V> {
  readonly #entries = new Map<string, V>();

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > limits.entries) for (const oldest of this.#entries.keys()) return void this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

export class EventCorrelator {
  readonly #buckets = new Recent<{ readonly tokens: number; readonly atMs: number }>();
  readonly #similar = new Recent<{ readonly messages: ReadonlySet<string>; readonly atMs: number }>();
  readonly #recorded = new Recent<Recorded>();

  /** Judges an event that happens now. The caller tells `record` when it was written. */
  judge(facts: EventFacts, nowMs: number): Verdict {
    const about = JSON.stringify(Object.values(facts.involved).map((value) => value ?? ''));
    if (!this.#token(about, nowMs)) return { drop: true };
    const row = `${about} ${facts.type} ${facts.reason}`;
    const seen = this.#similar.get(row);
    const messages = new Set(seen !== undefined && nowMs - seen.atMs < limits.similarMs ? seen.messages : []);
    const combined = messages.size >= limits.similar;
    if (!combined) messages.add(facts.message);
    this.#similar.set(row, { messages, atMs: nowMs });
    const id = combined ? `${row} *` : `${row} ${facts.message}`;
    return { drop: false, id, message: combined ? `(combined from similar events): ${facts.message}` : facts.message, recorded: this.#recorded.get(id) };
  }

  record(id: string, recorded: Recorded): void {
    this.#recorded.set(id, recorded);
  }

  /** The event that was written is gone (events live for a while only). */
  forget(id: string): void {
    this.#recorded.delete(id);
  }

  #token(about: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(about) ?? { tokens: limits.burst, atMs: nowMs };
    const tokens = Math.min(limits.burst, bucket.tokens + (nowMs - bucket.atMs) / limits.refillMs);
    if (tokens < 1) {
      this.#buckets.set(about, { tokens, atMs: nowMs });
      return false;
    }
    this.#buckets.set(about, { tokens: tokens - 1, atMs: nowMs });
    return true;
  }
}
