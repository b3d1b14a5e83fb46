import { badRequest } from '../../schemas/errors.ts';
import { defineKind, topLevel } from '../../schemas/kind.ts';
import { boolean, int64, list, object, string, type Static } from '../../schemas/schema.ts';
import { readBody } from '../verbs/body.ts';
import { deleteOne } from '../verbs/delete.ts';
import type { DeleteOptions } from '../verbs/deletion.ts';
import type { Handler } from './subresources.ts';
import { success } from './success.ts';

const Preconditions = object('meta.v1.Preconditions', 'What must hold of the object.', { uid: string('Its UID.'), resourceVersion: string('Its version.') });

const EvictionDeleteOptions = object('meta.v1.DeleteOptions', 'How to delete.', {
  kind: string('DeleteOptions.'), apiVersion: string('v1.'),
  gracePeriodSeconds: int64('Seconds the pod may take.'), preconditions: Preconditions, orphanDependents: boolean('Not used any more.'),
  propagationPolicy: string('What becomes of dependents.'), dryRun: list(string('All.'), 'All for a dry run.'),
});

const Eviction = defineKind(topLevel('policy.v1.Eviction', 'Asks for a pod to leave its node.', { deleteOptions: EvictionDeleteOptions }), {
  group: 'policy', version: 'v1', kind: 'Eviction', plural: 'evictions', scope: 'Namespaced', columns: [],
});

/** Deletes a pod as its own delete would, if nothing that guards pods against evictions (an admission plugin) refuses. */
export const eviction: Handler = async (api, call) => {
  const body = readBody({ ...call, kind: Eviction }, call.request.body);
  const said = body.metadata.name ?? '';
  if (said !== '' && said !== call.name) throw badRequest(`name in URL does not match name in Eviction object: ${JSON.stringify(call.name)} is not ${JSON.stringify(said)}`);
  const wish = (body['deleteOptions'] ?? {}) as Static<typeof EvictionDeleteOptions>;
  const options: DeleteOptions = { gracePeriodSeconds: wish.gracePeriodSeconds, preconditions: wish.preconditions, propagationPolicy: wish.propagationPolicy as DeleteOptions['propagationPolicy'] };
  const dryRun = call.options.dryRun === true || wish.dryRun?.includes('All') === true;
  await deleteOne(api, { ...call, options: { ...call.options, dryRun } }, options, { evict: true });
  return success(201);
};
