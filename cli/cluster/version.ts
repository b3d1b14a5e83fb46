/**
 * What /version says. Kubernetes clients choose by `minor` what they send: this is the Kubernetes API that barge follows,
 * and barge's own version stands behind the plus sign.
 */
export const bargeVersion = '0.1.0';
