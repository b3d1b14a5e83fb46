import { sleep } from '../../base/clock.ts';
import { ApiError, badRequest, forbidden, invalid, unsupported, type FieldError } from '../../schemas/errors.ts';
import type { RequestOptions } from '../../schemas/api.ts';
import { StorageUnavailable } from '../storage/storage.ts';
import { storageError } from '../storage-error.ts';
import type { Surroundings } from './call.ts';

/** How long a read waits for a revision that this server has not seen yet, as Kubernetes does. */
const waitMs = 3_000;

/** The revision that a resourceVersion names; undefined for none given. Throws BadRequest for what is none. */
export const revisionOf = (resourceVersion: string | undefined): number | undefined => {
  if (resourceVersion === undefined || resourceVersion === '') return undefined;
  if (!/^(0|[1-9][0-9]{0,15})$/.test(resourceVersion)) throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: must be a resourceVersion that this server gave out`);
  return Number(resourceVersion);
};

/** How fresh a list has to be. */
export type Freshness =
  | { readonly match: 'Newest' }
  /** The newest that is at hand; nothing has to be waited for. */
  | { readonly match: 'Any' }
  | { readonly match: 'NotOlderThan'; readonly revision: number }
  | { readonly match: 'Exact'; readonly revision: number };

const optionsError = (errors: readonly FieldError[]): ApiError => invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);

const matches = ['Exact', 'NotOlderThan'];

/** What resourceVersion and resourceVersionMatch of a list mean together. */
export const freshnessOf = (options: RequestOptions): Freshness => {
  const revision = revisionOf(options.resourceVersion);
  const match = options.resourceVersionMatch ?? '';
  if (options.sendInitialEvents !== undefined) throw optionsError([forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')]);
  if (options.continue !== undefined && options.continue !== '') {
    if (match !== '') throw optionsError([forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided')]);
    if (revision !== undefined && revision !== 0) throw badRequest('specifying resource version is not allowed when using continue');
    return { match: 'Newest' };
  }
  if (match !== '') {
    if (revision === undefined) throw optionsError([forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided')]);
    if (!matches.includes(match)) throw optionsError([unsupported('resourceVersionMatch', match, matches)]);
    if (match === 'Exact' && revision === 0) throw optionsError([forbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')]);
  }
  if (revision === undefined) return { match: 'Newest' };
  if (revision === 0) return { match: 'Any' };
  if (match === 'Exact') return { match: 'Exact', revision };
  // Before resourceVersionMatch there was, with a limit, a list exactly at that version.
  return match === '' && (options.limit ?? 0) > 0 ? { match: 'Exact', revision } : { match: 'NotOlderThan', revision };
};

/** Checks what a watch may say about where it starts. */
export const checkWatchStart = (options: RequestOptions): void => {
  const match = options.resourceVersionMatch ?? '';
  if (options.sendInitialEvents === undefined && match === '') return;
  const field = 'resourceVersionMatch';
  const errors = [
    ...(options.sendInitialEvents !== undefined && match !== 'NotOlderThan' ? [forbidden(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')] : []),
    ...(options.sendInitialEvents === undefined ? [forbidden(field, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')] : []),
    ...(match !== '' && match !== 'NotOlderThan' ? [unsupported(field, match, ['NotOlderThan'])] : []),
    ...(match !== '' && (options.continue ?? '') !== '' ? [forbidden(field, 'resourceVersionMatch is forbidden when continue is provided')] : []),
  ];
  if (errors.length > 0) throw optionsError(errors);
};

/**
 * Waits until this server has seen every write that any server had answered before this call. Throws ServiceUnavailable
 * when it cannot get there. Where this process is the only server there is nothing to wait for.
 */
export const catchUp = async (api: Pick<Surroundings, 'cache' | 'clock'>, signal: AbortSignal | undefined): Promise<void> => {
  const asked = api.cache.newest();
  if (asked === undefined) return;
  const newest = await asked.catch((error: unknown) => {
    throw error instanceof StorageUnavailable ? storageError(error) : error;
  });
  if (!await seen(api, newest, signal)) throw new ApiError('ServiceUnavailable', 'this server has not yet seen the latest changes of the others', { retryAfterSeconds: 1 });
};

const tooLarge = (revision: number, current: number): ApiError => new ApiError('Timeout', `Too large resource version: ${revision}, current: ${current}`, {
  causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1,
});

/** Waits a while until this server has seen a revision; throws Timeout with the cause ResourceVersionTooLarge when it does not come. */
export const waitFor = async (api: Pick<Surroundings, 'cache' | 'clock'>, revision: number, signal: AbortSignal | undefined): Promise<void> => {
  if (!await seen(api, revision, signal)) throw tooLarge(revision, api.cache.revision);
};

/** Waits a while until this server has seen a revision; false when it does not come. */
const seen = async ({ cache, clock }: Pick<Surroundings, 'cache' | 'clock'>, revision: number, signal: AbortSignal | undefined): Promise<boolean> => {
  if (cache.revision >= revision) return true;
  const enough = new AbortController();
  const timeUp = sleep(clock, waitMs, signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal])).then(() => 'time is up' as const);
  try {
    while (cache.revision < revision) {
      // One step at a time: a revision that never comes must not leave a waiter behind.
      const outcome = await Promise.race([cache.reached(cache.revision + 1), timeUp]);
      if (outcome === 'time is up' && cache.revision < revision) return false;
    }
    return true;
  } finally {
    enough.abort();
  }
};
