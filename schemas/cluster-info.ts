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

/** Annotation of a Node, an admin's to give: the machine is a server no more, and goes on as a worker. Its value says until when that is wanted. */
export const demotionAnnotation = 'barge.dev/demote';

/** Whether the annotation asks for it at this time. */
export const isDemoted = (text: string | undefined, nowMs: number): boolean => text !== undefined && Date.parse(text) > nowMs;

/** What the annotation of a promotion says: where the server is to listen, and until when the machine may become one. */
export interface PromotionMark {
  readonly listen: string;
  readonly untilMs: number;
}

export const printPromotionMark = ({ listen, untilMs }: PromotionMark): string => `${listen} until ${new Date(untilMs).toISOString()}`;

/** A mark has an end: who made it may have died before he could take it away. Undefined for what is no mark, or one without. */
export const readPromotionMark = (text: string | undefined): PromotionMark | undefined => {
  const [, listen, until = ''] = /^(\S+) until (\d{4}-\d\d-\d\dT\S+Z)$/.exec(text ?? '') ?? [];
  const untilMs = Date.parse(until);
  return listen === undefined || Number.isNaN(untilMs) ? undefined : { listen, untilMs };
};
