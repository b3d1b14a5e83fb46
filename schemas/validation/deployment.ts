import { forbidden, wrong, type FieldError } from '../errors.ts';
import type { DeploymentSpec, DeploymentStrategy } from '../kinds/apps/deployment.ts';
import { podsOf, validateAmountOfPods, validateWorkload } from './workload.ts';

const validateStrategy = (strategy: DeploymentStrategy | undefined): readonly FieldError[] => {
  const field = 'spec.strategy.rollingUpdate';
  const rolling = strategy?.rollingUpdate;
  if (strategy?.type === 'Recreate') return rolling === undefined ? [] : [forbidden(field, "may not be specified when strategy `type` is 'Recreate'")];
  if (rolling === undefined) return [];
  const errors: FieldError[] = [
    ...validateAmountOfPods(rolling.maxUnavailable, `${field}.maxUnavailable`, 100),
    ...validateAmountOfPods(rolling.maxSurge, `${field}.maxSurge`, Infinity),
  ];
  if (podsOf(rolling.maxUnavailable ?? 0, 100, 'up') === 0 && podsOf(rolling.maxSurge ?? 0, 100, 'up') === 0) {
    errors.push(wrong(`${field}.maxUnavailable`, rolling.maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  return errors;
};

/** Every wrong field of a Deployment's spec. */
export const validateDeploymentSpec = (spec: DeploymentSpec, old: DeploymentSpec | undefined): readonly FieldError[] => {
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  return [
    ...validateWorkload(spec, old, 'Deployment'),
    ...validateStrategy(spec.strategy),
    ...(deadline !== undefined && deadline <= minReadySeconds ? [wrong('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')] : []),
  ];
};
