import { compareQuantities } from '../schemas/quantity.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { appContainers, initContainers } from './pod-view.ts';

const counted = ['cpu', 'memory'] as const;

/** Guaranteed: every container's limits for CPU and memory are set and equal its requests. BestEffort: none has any. */
export const qosClass = (pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' => {
  const containers = [...initContainers(pod), ...appContainers(pod)].map((container) => container.resources ?? {});
  const positive = (text: string | undefined): boolean => text !== undefined && compareQuantities(text, '0') > 0;
  const any = containers.some(({ limits, requests }) => counted.some((name) => positive(limits?.[name]) || positive(requests?.[name])));
  if (!any) return 'BestEffort';
  const guaranteed = containers.every(({ limits, requests }) => counted.every((name) => {
    const limit = limits?.[name];
    return limit !== undefined && positive(limit) && compareQuantities(requests?.[name] ?? limit, limit) === 0;
  }));
  return guaranteed ? 'Guaranteed' : 'Burstable';
};
