/** How the parts of barge sign their requests; what each may do is in the API server's table of grants. */
export const partUsers = {
  controllers: 'system:barge:controllers', scheduler: 'system:barge:scheduler', proxy: 'system:barge:proxy',
} as const;

/** An agent's user is this and its node's name, in the group of all nodes. */
export const nodeUser = { prefix: 'system:node:', group: 'system:nodes' } as const;

/** Who writes certificates into requests that were approved; only in the process that has the authority's key. */
export const signerUser = 'system:barge:certificate-signer';
