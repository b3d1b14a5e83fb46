import { required, wrong, type FieldError } from '../errors.ts';
import type { DaemonSetSpec, RollingUpdateDaemonSet } from '../kinds/apps/daemon-set.ts';
import { podsOf, validateAmountOfPods, validateWorkload } from './workload.ts';

const isNone = (amount: number | string | undefined): boolean => podsOf(amount ?? 0, 100, 'up') === 0;

const validateRollingUpdate = ({ maxSurge, maxUnavailable }: RollingUpdateDaemonSet): readonly FieldError[] => {
  const field = 'spec.updateStrategy.rollingUpdate';
  const errors = [...validateAmountOfPods(maxUnavailable, `${field}.maxUnavailable`, 100), ...validateAmountOfPods(maxSurge, `${field}.maxSurge`, 100)];
  // Either the old pod goes first or the new one comes first.
  if (!isNone(maxUnavailable) && !isNone(maxSurge)) errors.push(wrong(`${field}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  if (isNone(maxUnavailable) && isNone(maxSurge)) errors.push(required(`${field}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  return errors;
};

/** Every wrong field of a DaemonSet's spec. */
export const validateDaemonSetSpec = (spec: DaemonSetSpec, old: DaemonSetSpec | undefined): readonly FieldError[] => [
  ...validateWorkload(spec, old, 'DaemonSet'),
  ...(spec.updateStrategy?.type === 'RollingUpdate' ? validateRollingUpdate(spec.updateStrategy.rollingUpdate ?? {}) : []),
];
