import type { ApiAnswer } from '../../schemas/api.ts';
import { notFound } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { keyOf } from '../keys.ts';
import type { Call, Surroundings } from './call.ts';
import { revisionOf, waitFor } from './resource-version.ts';

/** The object that a call names. Throws NotFound. */
export const existing = ({ cache }: Pick<Surroundings, 'cache'>, { kind, namespace, name }: Pick<Call, 'kind' | 'namespace' | 'name'>): ApiObject => {
  const object = cache.get(keyOf(kind, namespace, name));
  if (object === undefined) throw notFound(kind, name);
  return object;
};

export const get = async (api: Surroundings, call: Call): Promise<ApiAnswer> => {
  const revision = revisionOf(call.options.resourceVersion);
  if (revision !== undefined) await waitFor(api, revision, call.signal);
  return { code: 200, body: existing(api, call), warnings: [] };
};
