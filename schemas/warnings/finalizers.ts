import { hasOwnPlace } from '../validation/object-meta.ts';

/** Lines about finalizers that come new and that two controllers could both mean. */
export const warnFinalizers = (finalizers: readonly string[] = [], old: readonly string[] = []): readonly string[] =>
  finalizers.filter((name) => !hasOwnPlace(name) && !old.includes(name))
    .map((name) => `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`);
