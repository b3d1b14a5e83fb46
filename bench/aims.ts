/**
 * The aims for the API server and how far they are held, beside what else was measured in the same run: the aims were set
 * on another machine, and the shares carry them from there to where the bench runs.
 */
import type { LoadResult } from './raw-load.ts';
import { median, percentile } from './table.ts';

/** What the aims' machine took of them in a second: small puts of etcd alone, POSTs of koa alone, both 64 at a time. */
const there = { etcd: 16_000, koa: 22_000 };

export interface References {
  /** Requests a second in this run; undefined where it was not measured. */
  readonly etcd: number | undefined;
  readonly koa: number | undefined;
  readonly httpsGet: number | undefined;
  readonly httpsPost: number | undefined;
}

interface Aim {
  readonly what: string;
  readonly aim: number;
  /** `1/s`: at least so many; `ms`: at most so long. */
  readonly unit: '1/s' | 'ms';
  /** With whose rate it is compared beside koa's. */
  readonly beside: readonly (keyof References)[];
}

/** By the name under which the bench notes what it measures. */
const aims = {
  create: { what: 'pods created, 64 at a time', aim: 8_000, unit: '1/s', beside: ['etcd', 'httpsPost'] },
  createP99: { what: 'a create, p99', aim: 25, unit: 'ms', beside: ['etcd', 'httpsPost'] },
  get: { what: 'gets, 64 at a time', aim: 25_000, unit: '1/s', beside: ['httpsGet'] },
  patch: { what: 'merge patches, 64 at a time', aim: 5_000, unit: '1/s', beside: ['etcd', 'httpsPost'] },
  list: { what: 'a list of 10,000 pods, p50', aim: 40, unit: 'ms', beside: ['httpsGet'] },
  deliveries: { what: 'deliveries to 1,000 watchers', aim: 100_000, unit: '1/s', beside: ['httpsGet'] },
  watchP99: { what: 'from durable to received, p99', aim: 20, unit: 'ms', beside: ['httpsGet'] },
} as const satisfies Record<string, Aim>;

export type AimName = keyof typeof aims;

/** Requests a second of a load. */
export const rateOf = ({ seconds, times }: LoadResult): number => times.length / seconds;
export const p50Of = ({ times }: LoadResult): number => median(times);
export const p99Of = ({ times }: LoadResult): number => percentile(times, 0.99);

/** A rate as a share of another; a time as so many of the requests that the other takes within it. */
const share = (value: number, unit: Aim['unit'], rate: number | undefined): string =>
  (rate === undefined ? '' : (unit === '1/s' ? value / rate : value / 1_000 * rate).toFixed(unit === '1/s' ? 2 : 0));

export const aimHeadings = ['aim', 'measured', 'aim is', 'held', 'of etcd alone', '(aim)', 'of koa alone', '(aim)', 'of the empty HTTPS handler'] as const;

/** One row for each aim that was measured. */
export const aimRows = (measured: ReadonlyMap<AimName, number>, references: References): string[][] => [...measured].map(([name, value]) => {
  const { what, aim, unit, beside }: Aim = aims[name];
  const https = beside.find((one) => one === 'httpsGet' || one === 'httpsPost');
  const etcd = beside.includes('etcd');
  return [
    what, `${value.toFixed(unit === 'ms' ? 1 : 0)} ${unit}`, `${aim} ${unit}`, (unit === 'ms' ? value <= aim : value >= aim) ? 'yes' : 'no',
    etcd ? share(value, unit, references.etcd) : '', etcd ? share(aim, unit, there.etcd) : '',
    share(value, unit, references.koa), share(aim, unit, there.koa),
    https === undefined ? '' : share(value, unit, references[https]),
  ];
});
