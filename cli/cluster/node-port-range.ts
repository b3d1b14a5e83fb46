/** Ports of nodes that services get, as Kubernetes'; both ends belong to it. */
export const nodePortRange = { from: 30_000, to: 32_767 } as const;
