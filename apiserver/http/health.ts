import type { Clock } from '../../base/clock.ts';
import type { Storage } from '../storage/storage.ts';

/** The reason why a part is not well, or undefined. Anybody may read it: it names no address. */
export type HealthCheck = () => string | undefined | Promise<string | undefined>;

/** Checks by name. */
export type HealthChecks = Readonly<Record<string, HealthCheck>>;

export const healthEndpoints = ['healthz', 'livez', 'readyz'] as const;
export type HealthEndpoint = typeof healthEndpoints[number];

export interface HealthAnswer {
  readonly code: number;
  readonly text: string;
}

export interface HealthQuestion {
  readonly verbose: boolean;
  /** The one check that is asked for, as in `/readyz/ping`. */
  readonly only?: string | undefined;
  /** Names of checks that do not count, as in `?exclude=etcd`. */
  readonly exclude?: readonly string[] | undefined;
}

/**
 * The answer of `/healthz`, `/livez` and `/readyz`: `ok`, or a line for each check where one fails or `?verbose` asks.
 * Undefined when the one check that is asked for is not there. The words are Kubernetes'.
 */
export const healthAnswer = async (endpoint: HealthEndpoint, checks: HealthChecks, { verbose, only, exclude = [] }: HealthQuestion): Promise<HealthAnswer | undefined> => {
  const all: HealthChecks = { ping: () => undefined, ...checks };
  if (only !== undefined && !Object.hasOwn(all, only)) return undefined;
  const names = only === undefined ? Object.keys(all) : [only];
  const results = await Promise.all(names.map(async (name) => (exclude.includes(name) ? { line: `[+]${name} excluded: ok`, failed: false } : lineOf(name, await all[name]?.()))));
  const failed = results.some((result) => result.failed);
  if (!failed && !verbose) return { code: 200, text: 'ok' };
  const unknown = exclude.filter((name) => !names.includes(name));
  const lines = [
    ...results.map(({ line }) => line),
    ...(unknown.length === 0 ? [] : [`warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(', ')}`]),
    `${endpoint} check ${failed ? 'failed' : 'passed'}`,
  ];
  return { code: failed ? 500 : 200, text: `${lines.join('\n')}\n` };
};

const lineOf = (name: string, why: string | undefined): { readonly line: string; readonly failed: boolean } =>
  (why === undefined ? { line: `[+]${name} ok`, failed: false } : { line: `[-]${name} failed: ${why}`, failed: true });

/** Kubernetes' patience with its etcd. */
const patienceMs = 2_000;

/** Whether a store that others hold answers a read that its members agree on. */
export const storageAnswers = ({ newest }: { readonly newest: NonNullable<Storage['newest']> }, clock: Clock): HealthCheck => async () => {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const cancel = clock.after(patienceMs, () => resolve(`it has not answered within ${patienceMs / 1_000} s`));
  try {
    return await Promise.race([newest().then(() => undefined, () => 'it does not answer'), late]);
  } finally {
    cancel();
  }
};
