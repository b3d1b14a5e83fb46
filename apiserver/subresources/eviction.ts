import { badRequest } from '../../schemas/errors.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { Eviction, EvictionV1beta1 } from '../../schemas/types/bodies.ts';
import { keyOf, prefixOf } from '../keys.ts';
import { isObject } from '../patch/json.ts';
import { readBodyAs } from '../verbs/body.ts';
import type { Surroundings } from '../verbs/call.ts';
import { deleteOne } from '../verbs/delete.ts';
import { deleteOptionsOf } from '../verbs/delete-options.ts';
import type { Attempt } from '../verbs/object-writer.ts';
import { reviewedBody } from '../verbs/reviewed.ts';
import { askBudgets, markedEvicted } from './disruption.ts';
import type { Handler } from './subresources.ts';
import { success } from './success.ts';

/** Deletes a pod as its own delete would, if the budget that guards it has room; the budget is charged in the same transaction. */
export const eviction: Handler = async (api, call) => {
  const sent = call.request.body;
  const version = isObject(sent) && sent['apiVersion'] === 'policy/v1beta1' ? EvictionV1beta1 : Eviction;
  const body = await reviewedBody(api, call, version, readBodyAs(version, call, sent));
  const said = body.metadata.name ?? '';
  if (said !== '' && said !== call.name) throw badRequest(`name in URL does not match name in Eviction object: ${JSON.stringify(call.name)} is not ${JSON.stringify(said)}`);
  const { dryRun = call.options.dryRun, ...options } = deleteOptionsOf(body.deleteOptions ?? {});
  await deleteOne(api, { ...call, options: { ...call.options, dryRun } }, options, {
    before: (pod, attempt) => charged(api, { pod: pod as Pod, namespace: call.namespace, attempt, dryRun: dryRun === true }),
  });
  return success(201);
};

/** Charges the pod's budget, if it has one, and marks the pod. Evictions under one namespace's budgets stand in a line: a drain sends all of a node's at once. */
const charged = async ({ cache, clock }: Surroundings, { pod, namespace, attempt, dryRun }: {
  readonly pod: Pod; readonly namespace: string; readonly attempt: Attempt; readonly dryRun: boolean;
}): Promise<Pod> => {
  const prefix = prefixOf(PodDisruptionBudget, namespace);
  if (cache.list(prefix).length > 0) {
    if (!dryRun) await attempt.standInLine(`budgets of ${namespace}`);
    const charge = askBudgets(pod, cache.list(prefix) as readonly PodDisruptionBudget[], clock.now());
    if (charge !== undefined) attempt.put(keyOf(PodDisruptionBudget, namespace, charge.before.metadata.name ?? ''), charge.before, charge.after);
  }
  return pod.metadata.deletionTimestamp === undefined ? markedEvicted(pod, clock.now()) : pod;
};
