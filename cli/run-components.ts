import type { Component } from '../base/component.ts';
import type { Log } from '../base/log.ts';

/**
 * Runs components together: each starts when those it comes after are ready. Resolves when all have ended after the
 * signal's abort; when one fails, the others are stopped and its error is thrown.
 */
export const runComponents = async (components: readonly Component[], signal: AbortSignal, log: Log): Promise<void> => {
  const names = new Set(components.map((component) => component.name));
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const ready = new Map(components.map((component) => [component.name, Promise.withResolvers<void>()]));
  const runOne = async (component: Component): Promise<void> => {
    const earlier = component.after.filter((name) => names.has(name)).map((name) => ready.get(name)!.promise);
    await Promise.race([Promise.all(earlier), aborted(all)]);
    if (all.aborted) return;
    try {
      await component.run(all, () => {
        log.debug('component is ready', { component: component.name });
        ready.get(component.name)!.resolve();
      });
      if (!all.aborted) throw new Error(`${component.name} ended by itself`);
    } catch (error) {
      stop.abort();
      throw error;
    }
  };
  const results = await Promise.allSettled(components.length === 0 ? [aborted(signal)] : components.map(runOne));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
};

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
