import type { Filter } from '../framework.ts';

/** Keeps pods off nodes that lack what they request; a pod that requests nothing still needs one of the node's pod places. */
export const resources: Filter = {
  name: 'Resources',
  isLocal: () => true,
  wokenBy: ['nodeAdded', 'nodeAllocatable', 'podGone'],
  isLasting: ({ requests }, { allocatable }) => requests.cpuMilli > allocatable.cpuMilli || requests.memoryBytes > allocatable.memoryBytes
    || requests.storageBytes > allocatable.storageBytes || [...requests.others].some(([name, amount]) => amount > (allocatable.others.get(name) ?? 0)),
  prepare: ({ requests }) => (node) => {
    const { allocatable, used } = node;
    let lacks: string[] | undefined;
    if (node.podCount + 1 > node.allowedPods) lacks = ['Too many pods'];
    // What is not asked for is not looked at: a node that is over its limit still takes pods that need none of it.
    if (requests.cpuMilli > 0 && requests.cpuMilli > allocatable.cpuMilli - used.cpuMilli) (lacks ??= []).push('Insufficient cpu');
    if (requests.memoryBytes > 0 && requests.memoryBytes > allocatable.memoryBytes - used.memoryBytes) (lacks ??= []).push('Insufficient memory');
    if (requests.storageBytes > 0 && requests.storageBytes > allocatable.storageBytes - used.storageBytes) (lacks ??= []).push('Insufficient ephemeral-storage');
    for (const [name, amount] of requests.others) {
      if (amount > 0 && amount > (allocatable.others.get(name) ?? 0) - (used.others.get(name) ?? 0)) (lacks ??= []).push(`Insufficient ${name}`);
    }
    return lacks;
  },
};
