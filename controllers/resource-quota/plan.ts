import { deepEqual } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { ResourceQuota, ResourceQuotaStatus } from '../../schemas/kinds/core/resource-quota.ts';
import { compareQuantities } from '../../schemas/quantity.ts';
import { recounted } from '../../schemas/quota/account.ts';
import { overdueMs, type Collection } from '../../schemas/quota/usage.ts';

/** The status that a quota must have and has not; undefined where it is right. `only` limits the look to some of its names. */
export const correction = ({ spec = {}, status }: ResourceQuota, objectsOf: (collection: Collection) => Iterable<ApiObject>, { nowMs, only = () => true }: {
  readonly nowMs: number; readonly only?: (name: string) => boolean;
}): ResourceQuotaStatus | undefined => {
  const wanted = recounted(spec, objectsOf, nowMs);
  const same = deepEqual(wanted.hard, status?.hard ?? {})
    && deepEqual(Object.keys(status?.used ?? {}).sort(), Object.keys(wanted.used ?? {}).sort())
    && Object.entries(wanted.used ?? {}).every(([name, amount]) => !only(name) || compareQuantities(status?.used?.[name] ?? '0', amount) === 0);
  return same ? undefined : wanted;
};

/** Milliseconds until the next of the pods stops to count because it should have been gone; undefined where none will. */
export const nextOverdueInMs = (pods: readonly Pod[], nowMs: number): number | undefined => {
  const times = pods.map(overdueMs).filter((time) => time !== undefined && time >= nowMs) as number[];
  return times.length === 0 ? undefined : Math.min(...times) - nowMs + 1;
};
