/** Clock is time as the components see it, so that a whole cluster can run on a fake one. All times are Unix milliseconds. */
export interface Clock {
  now(): number;
  /** Runs the callback once, afterMs from now. The returned function takes it back; a second call does nothing. */
  after(afterMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (afterMs, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(0, afterMs), 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** Resolves after the delay, or at once when the signal aborts (it never rejects: look at the signal). */
export const sleep = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });

/** A server writes thousands of times in one second. */
let lastSecond = { seconds: NaN, text: '' };

/** RFC 3339 in UTC with whole seconds, as object timestamps are written. */
export const rfc3339 = (ms: number): string => {
  const seconds = Math.floor(ms / 1000);
  if (seconds !== lastSecond.seconds) lastSecond = { seconds, text: `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z` };
  return lastSecond.text;
};

/** RFC 3339 in UTC with microseconds, as leases and event series are written. */
export const rfc3339Micro = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`;
