/** Delays that double from a first to a longest one. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Share of the delay that chance adds: 0.5 makes it 1 to 1.5 times as long. */
  readonly jitter: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** The delay after so many failures in a row, the first of which is 1. */
export const backoffMs = (failures: number, { firstMs, longestMs, jitter, random }: BackoffOptions): number =>
  Math.min(firstMs * 2 ** Math.min(Math.max(0, failures - 1), 40), longestMs) * (1 + jitter * random());
