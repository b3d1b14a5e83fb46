/** What a pod asks for and may use as a whole, exactly. */
import { greatest, noAmounts, plus, readAmounts, type ResourceAmounts } from './resource-amounts.ts';
import type { Container } from './types/container.ts';
import type { PodSpec } from './types/pod-spec.ts';

type Side = 'requests' | 'limits';

/**
 * Containers together with the sidecars (init containers that restart always), or more where an init container needs more
 * beside the sidecars that started before it. Amounts of the pod as a whole go before both.
 */
const total = (spec: PodSpec, side: Side): ResourceAmounts => {
  const of = ({ resources }: Pick<Container, 'resources'>): ResourceAmounts => readAmounts(resources?.[side]);
  let sidecars = noAmounts;
  let peak = noAmounts;
  for (const container of spec.initContainers ?? []) {
    const needed = plus(sidecars, of(container));
    if (container.restartPolicy === 'Always') sidecars = needed;
    peak = greatest(peak, needed);
  }
  const running = spec.containers.reduce((sum, container) => plus(sum, of(container)), sidecars);
  const whole = readAmounts(spec.resources?.[side]);
  return whole.size === 0 ? greatest(running, peak) : new Map([...greatest(running, peak), ...whole]);
};

/** What the pod's containers ask for, without the overhead of its runtime. */
export const podRequests = (spec: PodSpec): ResourceAmounts => total(spec, 'requests');

/** What the pod's containers may use, without the overhead of its runtime; a container without a limit adds nothing. */
export const podLimits = (spec: PodSpec): ResourceAmounts => total(spec, 'limits');

/** The requests with the overhead of the pod's runtime. */
export const requestsWithOverhead = (spec: PodSpec): ResourceAmounts => plus(podRequests(spec), readAmounts(spec.overhead));

/** The limits with the overhead of the pod's runtime, which counts only where there is a limit. */
export const limitsWithOverhead = (spec: PodSpec): ResourceAmounts => {
  const limits = podLimits(spec);
  return plus(limits, new Map([...readAmounts(spec.overhead)].filter(([name]) => (limits.get(name)?.nano ?? 0n) !== 0n)));
};
