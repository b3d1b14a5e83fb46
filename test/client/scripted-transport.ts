import type { ApiAnswer, ApiRequest, Transport, WatchEvent } from '../../schemas/api.ts';
import type { ApiObject } from '../../schemas/kind.ts';

export const configMap = (name: string, revision: number, extra: { uid?: string; data?: Record<string, string>; labels?: Record<string, string> } = {}): ApiObject & { data: Record<string, string> } =>
  ({
    apiVersion: 'v1', kind: 'ConfigMap', data: extra.data ?? {},
    metadata: { name, namespace: 'default', uid: extra.uid ?? `uid-${name}`, resourceVersion: String(revision), labels: extra.labels ?? {} },
  });

/** One watch that the test feeds. */
export class Stream {
  readonly request: ApiRequest;
  readonly signal: AbortSignal;
  #queue: (readonly WatchEvent[] | Error | 'end')[] = [];
  #wake: (() => void) | undefined;

  constructor(request: ApiRequest, signal: AbortSignal) {
    this.request = request;
    this.signal = signal;
    signal.addEventListener('abort', () => this.#push('end'));
  }

  send(...events: readonly (readonly [type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK', object: ApiObject])[]): void {
    this.#push(events.map(([type, object]) => ({ type, object })));
  }

  fail(error: Error): void {
    this.#push(error);
  }

  end(): void {
    this.#push('end');
  }

  #push(item: readonly WatchEvent[] | Error | 'end'): void {
    this.#queue.push(item);
    this.#wake?.();
  }

  async *events(): AsyncIterable<readonly WatchEvent[]> {
    for (;;) {
      const item = this.#queue.shift();
      if (item === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (item === 'end') return;
      else if (item instanceof Error) throw item;
      else yield item;
    }
  }
}

/** A server whose answers the test writes: for orders of events that a real one gives only by bad luck. */
export class ScriptedTransport implements Transport {
  /** What the next lists answer; an error is thrown. The last one stays. */
  readonly lists: ({ readonly revision: number; readonly items: readonly ApiObject[] } | Error)[] = [];
  readonly listed: ApiRequest[] = [];
  readonly streams: Stream[] = [];

  async send(request: ApiRequest): Promise<ApiAnswer> {
    this.listed.push(request);
    const next = this.lists.length > 1 ? this.lists.shift() : this.lists[0];
    if (next === undefined || next instanceof Error) throw next ?? new Error('no list is scripted');
    return { code: 200, warnings: [], body: { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: String(next.revision) }, items: next.items } };
  }

  watch(request: ApiRequest, signal: AbortSignal): AsyncIterable<readonly WatchEvent[]> {
    const stream = new Stream(request, signal);
    this.streams.push(stream);
    return stream.events();
  }

  /** The watch opened last. */
  get stream(): Stream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error('no watch was opened');
    return stream;
  }
}
