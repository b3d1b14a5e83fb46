import { parseQuantity } from './quantity.ts';
import type { PodSpec } from './types/pod-spec.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const counted = ['cpu', 'memory'] as const;

const positive = (amount: string | undefined): boolean => (amount === undefined ? false : (parseQuantity(amount)?.nano ?? 0n) > 0n);

/**
 * The quality of service of a pod: Guaranteed when every container has limits for CPU and memory that equal its
 * requests, BestEffort when none asks for either, Burstable else. The spec need not have been checked.
 */
export const qosClassOf = (spec: Partial<PodSpec>): QosClass => {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  let asks = false;
  let guaranteed = true;
  for (const { resources } of containers) {
    for (const name of counted) {
      const request = resources?.requests?.[name];
      const limit = resources?.limits?.[name];
      if (positive(request) || positive(limit)) asks = true;
      if (limit === undefined || !positive(limit) || (request !== undefined && parseQuantity(request)?.nano !== parseQuantity(limit)?.nano)) guaranteed = false;
    }
  }
  return asks ? (guaranteed ? 'Guaranteed' : 'Burstable') : 'BestEffort';
};
