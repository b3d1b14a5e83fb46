import { badRequest } from '../../schemas/errors.ts';

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, 'µs': 1e-3, ns: 1e-6 };

/**
 * The `timeout` of a query, written as clients on Go write it (`32s`, `1m30s`, `1.5s`), in milliseconds; at most
 * `longestMs`, which is also the answer where the query says none or zero. Throws BadRequest for what is no time.
 */
export const requestTimeoutMs = (query: URLSearchParams | undefined, longestMs: number): number => {
  const text = query?.get('timeout');
  if (text === undefined || text === null || text === '') return longestMs;
  if (!/^\+?(?:0|(?:\d{1,12}(?:\.\d{0,9})?(?:ms|us|µs|ns|h|m|s))+)$/.test(text)) {
    throw badRequest(`invalid value ${JSON.stringify(text.slice(0, 64))} for query parameter timeout: must be a time such as 30s or 1m30s`);
  }
  const ms = [...text.matchAll(/(\d+(?:\.\d*)?)(ms|us|µs|ns|h|m|s)/g)].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * unitMs[unit]!, 0);
  return ms === 0 ? longestMs : Math.min(Math.max(1, ms), longestMs);
};
