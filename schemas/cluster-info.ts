/** Words that several parts share about what a cluster says of itself. */

/** The ConfigMap in which a cluster says what it is like: agents and controllers read it. */
export const clusterInfoAt = { namespace: 'kube-public', name: 'barge-cluster' } as const;

/** Its key for the authorities that certificates of the cluster may be from: PEM, the one that signs first. */
export const authoritiesKey = 'authorities';

/** Annotation of a Node: the hash of the authority that has signed all its certificates, and that it trusts. */
export const authorityAnnotation = 'barge.dev/authority';

/** `true`: proxies serve `spec.externalIPs` of Services. */
export const externalIPsKey = 'externalIPs';

/** Where an API server gives a further server what it needs, on POST: no resource, for what it gives is no object. */
export const serverMaterialPath = '/barge.dev/v1/server-material';

/** Annotation of a Node, an admin's to give: the machine becomes a server of the cluster. */
export const promotionAnnotation = 'barge.dev/promote';
