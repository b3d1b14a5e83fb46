/** Who asked the API server for what, out of its audit log. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** Everything, without bodies, once each. */
export const countingPolicy = JSON.stringify({ kind: 'Policy', apiVersion: 'audit.k8s.io/v1', omitStages: ['RequestReceived', 'ResponseStarted'], rules: [{ level: 'Metadata' }] });

/** A part of the time, by the wall clock. */
export interface Span { readonly name: string; readonly fromMs: number; readonly toMs: number }

interface Line {
  readonly verb: string;
  readonly user: { readonly username?: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
}

/** Requests by who, verb and resource, and how many of them came in each span; those of one group of parts are one. */
export const requestsIn = async (file: string, spans: readonly Span[]): Promise<ReadonlyMap<string, readonly number[]>> => {
  const counts = new Map<string, number[]>();
  for await (const text of createInterface({ input: createReadStream(file) })) {
    const { verb, user, objectRef, responseStatus, requestReceivedTimestamp } = JSON.parse(text) as Line;
    const atMs = Date.parse(requestReceivedTimestamp);
    const index = spans.findIndex(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
    if (index < 0) continue;
    const who = (user.username ?? '').replace(/^system:(barge:)?/, '').replace(/^node:.*/, 'nodes');
    const what = [objectRef?.resource ?? 'other', objectRef?.subresource].filter((word) => word !== undefined).join('/');
    const code = responseStatus?.code ?? 0;
    const key = `${who}: ${verb} ${what}${code >= 400 ? `, answered ${code}` : ''}`;
    const count = counts.get(key) ?? spans.map(() => 0);
    count[index]!++;
    counts.set(key, count);
  }
  return new Map([...counts].sort(([, a], [, b]) => sum(b) - sum(a)));
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
