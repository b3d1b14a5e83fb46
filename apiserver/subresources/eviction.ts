import { badRequest } from '../../schemas/errors.ts';
import { Eviction } from '../../schemas/types/bodies.ts';
import { readBodyAs } from '../verbs/body.ts';
import { deleteOne } from '../verbs/delete.ts';
import { deleteOptionsOf } from '../verbs/delete-options.ts';
import type { Handler } from './subresources.ts';
import { success } from './success.ts';

/** Deletes a pod as its own delete would, if nothing that guards pods against evictions (an admission plugin) refuses. */
export const eviction: Handler = async (api, call) => {
  const body = readBodyAs(Eviction, call, call.request.body);
  const said = body.metadata.name ?? '';
  if (said !== '' && said !== call.name) throw badRequest(`name in URL does not match name in Eviction object: ${JSON.stringify(call.name)} is not ${JSON.stringify(said)}`);
  const { dryRun = call.options.dryRun, ...options } = deleteOptionsOf(body.deleteOptions ?? {});
  await deleteOne(api, { ...call, options: { ...call.options, dryRun } }, options, { evict: true });
  return success(201);
};
