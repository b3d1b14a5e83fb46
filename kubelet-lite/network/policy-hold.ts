import type { Pod } from '../../schemas/kinds/core/pod.ts';

/** Lets the agent wait until the kernel holds a pod to its network policies, so that no program of it runs before. */
export interface PolicyHold {
  /** Resolves when the node holds the pod at this address to the policies that there are; rejects when the signal aborts before. */
  held(pod: Pod, podIp: string, signal: AbortSignal): Promise<void>;
}

/** Where nobody in this process holds pods to policies. */
export const unheld: PolicyHold = { held: async () => undefined };
