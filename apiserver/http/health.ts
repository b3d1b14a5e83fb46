/** Checks by name: the reason why a part is not well, or undefined. */
export type HealthChecks = Readonly<Record<string, () => string | undefined>>;

export interface HealthAnswer {
  readonly code: number;
  readonly text: string;
}

/**
 * The answer of `/healthz`, `/livez` and `/readyz`: `ok`, or a line for each check where one fails or `?verbose` asks.
 * `only` narrows it to one check (`/readyz/ping`); undefined when there is no such check.
 */
export const healthAnswer = (endpoint: string, checks: HealthChecks, options: { readonly verbose: boolean; readonly only?: string | undefined }): HealthAnswer | undefined => {
  const all: HealthChecks = { ping: () => undefined, ...checks };
  if (options.only !== undefined && !Object.hasOwn(all, options.only)) return undefined;
  const names = options.only === undefined ? Object.keys(all) : [options.only];
  const results = names.map((name) => ({ name, why: all[name]?.() }));
  const failed = results.some((result) => result.why !== undefined);
  if (!failed && !options.verbose) return { code: 200, text: 'ok' };
  const lines = results.map(({ name, why }) => (why === undefined ? `[+]${name} ok` : `[-]${name} failed: ${why}`));
  return { code: failed ? 500 : 200, text: `${[...lines, `${endpoint} check ${failed ? 'failed' : 'passed'}`].join('\n')}\n` };
};
