import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { amountOf } from '../amount-of.ts';

interface Bounds {
  /** Pods above `replicas` during an update; a percentage is rounded up. */
  readonly surge: number;
  /** Pods below `replicas` that may be unavailable; a percentage is rounded down. */
  readonly unavailable: number;
}

/** Both bounds of a rolling update. When both would be 0 nothing could ever move, so that one pod may be unavailable. */
export const rollingBounds = (deployment: Deployment): Bounds => {
  const { replicas = 1, strategy } = deployment.spec ?? {};
  const surge = amountOf(strategy?.rollingUpdate?.maxSurge ?? '25%', replicas, Math.ceil);
  const unavailable = amountOf(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
};

export const isRecreate = (deployment: Deployment): boolean => deployment.spec?.strategy?.type === 'Recreate';

/** Pods above `replicas`; 0 with Recreate. */
export const maxSurge = (deployment: Deployment): number => (isRecreate(deployment) ? 0 : rollingBounds(deployment).surge);

/** Pods that may be missing; 0 with Recreate, and never more than there are. */
export const maxUnavailable = (deployment: Deployment): number => {
  const replicas = deployment.spec?.replicas ?? 1;
  return isRecreate(deployment) ? 0 : Math.min(replicas, rollingBounds(deployment).unavailable);
};
