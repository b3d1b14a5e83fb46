/** Barge's own version. */
export const bargeVersion = '0.1.0';

/** The Kubernetes API that barge follows; clients choose by it what they may expect. */
export const apiVersion = { major: '1', minor: '32' } as const;

/** What barge's parts say that they are, in Kubernetes' form. */
export const gitVersion = (version: string): string => `v${apiVersion.major}.${apiVersion.minor}.0+barge-${version}`;
