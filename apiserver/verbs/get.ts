import type { ApiAnswer } from '../../schemas/api.ts';
import { notFound } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { keyOf } from '../keys.ts';
import type { Call, Surroundings } from './call.ts';
import { readOne } from './write-object.ts';
import { revisionOf, waitFor } from './resource-version.ts';

/** The object that a call names. Throws NotFound. */
export const existing = ({ cache }: Pick<Surroundings, 'cache'>, { kind, namespace, name }: Pick<Call, 'kind' | 'namespace' | 'name'>): ApiObject => {
  const object = cache.get(keyOf(kind, namespace, name));
  if (object === undefined) throw notFound(kind, name);
  return object;
};

/** The same in the form of the call's kind. */
export const shown = async (api: Pick<Surroundings, 'cache'>, call: Pick<Call, 'kind' | 'namespace' | 'name'>): Promise<ApiObject> => {
  const object = existing(api, call);
  return call.kind.stored === undefined ? object : readOne(call.kind.stored, object);
};

export const get = async (api: Surroundings, call: Call): Promise<ApiAnswer> => {
  const revision = revisionOf(call.options.resourceVersion);
  if (revision !== undefined) await waitFor(api, revision, call.signal);
  return { code: 200, body: call.kind.stored === undefined ? existing(api, call) : await shown(api, call), warnings: [...call.warnings] };
};
