import type { ApiAnswer, ApiList } from '../../schemas/api.ts';
import { ApiError, badRequest } from '../../schemas/errors.ts';
import { apiVersionOf, type ApiObject } from '../../schemas/kind.ts';
import { keyOf, prefixOf } from '../keys.ts';
import { Compacted } from '../storage/storage.ts';
import type { Call, Surroundings } from './call.ts';
import { expiredToken, readToken, writeToken, type ContinueToken } from './continue-token.ts';
import { freshnessOf, waitFor } from './resource-version.ts';
import { selectionOf, selectNow, type Selection } from './selection.ts';

interface Snapshot {
  readonly revision: number;
  readonly objects: readonly ApiObject[];
}

/** Lists objects: all at one revision, in pages where a limit is given. */
export const list = async (api: Surroundings, call: Call): Promise<ApiAnswer> => {
  const { kind, options } = call;
  const selection = selectionOf(call);
  const freshness = freshnessOf(options);
  const token = options.continue === undefined || options.continue === '' ? undefined : readToken(options.continue);
  if (freshness.match === 'NotOlderThan' || freshness.match === 'Exact') await waitFor(api, freshness.revision, call.signal);

  const { stored } = kind;
  if (stored !== undefined && selection.needsForm) await stored.read(api.cache.list(selection.prefix));
  const exact = token?.revision ?? (freshness.match === 'Exact' ? freshness.revision : undefined);
  const { revision, objects } = exact === undefined
    ? { revision: api.cache.revision, objects: selectNow(api.cache, kind, selection) }
    : snapshot(api, selection, exact, token);
  // resourceVersion=0 asks for whatever is at hand, all of it.
  const limit = freshness.match === 'Any' && token === undefined ? 0 : options.limit ?? 0;
  const body = page(call, { revision, objects }, { limit, token, countRest: selection.everything });
  return { code: 200, body: stored === undefined ? body : { ...body, items: await stored.read(body.items) }, warnings: [...call.warnings] };
};

const snapshot = ({ cache }: Surroundings, selection: Selection, revision: number, token: ContinueToken | undefined): Snapshot => {
  try {
    const all = cache.listAt(selection.prefix, revision);
    return { revision, objects: selection.matches === undefined ? all : all.filter(selection.matches) };
  } catch (error) {
    if (error instanceof Compacted) {
      throw token === undefined ? new ApiError('Expired', `The resourceVersion for the provided list is too old: ${revision} (${error.compactedRevision})`) : expiredToken(token);
    }
    // A token from another server, or from before this one lost its data.
    if (error instanceof RangeError) throw token === undefined ? error : badRequest(`continue key is not valid: it is about resourceVersion ${revision}, which is not known here`);
    throw error;
  }
};

const page = (call: Call, { revision, objects }: Snapshot, { limit, token, countRest }: { readonly limit: number; readonly token: ContinueToken | undefined; readonly countRest: boolean }): ApiList => {
  const { kind } = call;
  const place = (object: ApiObject): string => keyOf(kind, object.metadata.namespace ?? '', object.metadata.name ?? '').slice(prefixOf(kind, '').length);
  const start = token === undefined ? 0 : firstAfter(objects, token.after, place);
  const end = limit > 0 ? Math.min(start + limit, objects.length) : objects.length;
  const items = start === 0 && end === objects.length ? objects : objects.slice(start, end);
  const rest = objects.length - end;
  return {
    kind: kind.custom?.listKind ?? `${kind.kind}List`, apiVersion: apiVersionOf(kind),
    metadata: {
      resourceVersion: String(revision),
      ...(rest === 0 ? {} : { continue: writeToken({ revision, after: place(items.at(-1)!) }) }),
      ...(rest === 0 || !countRest ? {} : { remainingItemCount: rest }),
    },
    items,
  };
};

/** Index of the first object behind a place; objects are sorted by it. */
const firstAfter = (objects: readonly ApiObject[], after: string, place: (object: ApiObject) => string): number => {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (place(objects[middle]!) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
};
