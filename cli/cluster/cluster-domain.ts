/** Under which names services are found. */
export const clusterDomain = 'cluster.local';
