/** What Deployments and ReplicaSets have in common: a selector that cannot change and a template that it selects. */
import { forbidden, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import { labelMatcher, validateLabelSelector } from '../label-selector.ts';
import type { LabelSelector } from '../types/label-selector.ts';
import type { PodTemplateSpec } from '../types/pod-spec.ts';
import { validatePodTemplate } from './pod-spec.ts';

interface WorkloadSpec {
  readonly selector: LabelSelector;
  readonly template: PodTemplateSpec;
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean => Object.keys(matchLabels).length + matchExpressions.length === 0;

/** Selector and template of a kind whose pods run for ever. */
export const validateWorkload = (spec: WorkloadSpec, old: WorkloadSpec | undefined, what: string): readonly FieldError[] => {
  const errors: FieldError[] = [...validateLabelSelector(spec.selector, 'spec.selector')];
  const rightSelector = errors.length === 0;
  if (isEmpty(spec.selector)) errors.push(wrong('spec.selector', spec.selector, `empty selector is invalid for ${what}`));
  else if (rightSelector && !labelMatcher(spec.selector).matches(spec.template.metadata?.labels)) {
    errors.push(wrong('spec.template.metadata.labels', spec.template.metadata?.labels ?? {}, '`selector` does not match template `labels`'));
  }
  if (old !== undefined && !deepEqual(spec.selector, old.selector)) errors.push(wrong('spec.selector', spec.selector, 'field is immutable'));
  errors.push(...validatePodTemplate(spec.template, 'spec.template'));
  const { restartPolicy, activeDeadlineSeconds } = spec.template.spec;
  if (restartPolicy !== undefined && restartPolicy !== 'Always') errors.push(unsupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  if (activeDeadlineSeconds !== undefined) errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', `must not be set in the template of a ${what}`));
  return errors;
};

type Count = 'readyReplicas' | 'availableReplicas' | 'updatedReplicas' | 'currentReplicas' | 'fullyLabeledReplicas';

interface ReplicaCounts extends Partial<Readonly<Record<Count, number | undefined>>> {
  readonly replicas?: number | undefined;
}

const counts: readonly Count[] = ['fullyLabeledReplicas', 'updatedReplicas', 'currentReplicas', 'readyReplicas', 'availableReplicas'];

/** A status cannot count more pods of any sort than there are, nor more that are available than are ready. */
export const validateReplicaCounts = (status: ReplicaCounts = {}): readonly FieldError[] => {
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  return [
    ...counts.filter((name) => (status[name] ?? 0) > replicas).map((name) => wrong(`status.${name}`, status[name], 'cannot be greater than status.replicas')),
    ...(availableReplicas > readyReplicas ? [wrong('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas')] : []),
  ];
};

/** A count of collisions only grows, or names would be tried again that are taken. */
export const validateCollisionCount = (count: number | undefined, old: number | undefined): readonly FieldError[] =>
  (old !== undefined && (count ?? -1) < old ? [wrong('status.collisionCount', count ?? null, 'cannot be decremented')] : []);

/** The number that an amount of pods means out of a total; percentages are rounded as the caller says. Undefined when it is no amount. */
export const podsOf = (amount: number | string, total: number, round: 'up' | 'down'): number | undefined => {
  if (typeof amount === 'number') return amount;
  const percent = /^(\d{1,9})%$/.exec(amount)?.[1];
  if (percent === undefined) return undefined;
  const exact = (Number(percent) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
};

/** An amount of pods: a number that is not negative, or a percentage of at most `mostPercent`. */
export const validateAmountOfPods = (amount: number | string | undefined, field: string, mostPercent: number): readonly FieldError[] => {
  if (amount === undefined) return [required(field)];
  if (typeof amount === 'number') return amount < 0 ? [wrong(field, amount, 'must be greater than or equal to 0')] : [];
  const pods = podsOf(amount, 100, 'up');
  if (pods === undefined) return [wrong(field, amount, "must be a number or a percentage (for example '1' or '25%')")];
  return pods > mostPercent ? [wrong(field, amount, `must not be greater than ${mostPercent}%`)] : [];
};
