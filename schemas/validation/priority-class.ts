import { forbidden, wrong, type FieldError } from '../errors.ts';

/** Highest priority that a class of the cluster's users may have; above are the system's own. */
export const highestUserPriority = 1_000_000_000;

/** Classes that every cluster has: pods without which the cluster, or a node, does not work. */
export const systemPriorityClasses = [
  { name: 'system-cluster-critical', value: 2_000_000_000, description: 'For pods without which the cluster does not work, wherever they run.' },
  { name: 'system-node-critical', value: 2_000_001_000, description: 'For pods without which their node does not work.' },
] as const;

interface Body {
  readonly metadata: { readonly name?: string | undefined };
  readonly value?: number | undefined;
  readonly globalDefault?: boolean | undefined;
  readonly preemptionPolicy?: string | undefined;
}

const reserved = "priority class names with 'system-' prefix are reserved for system use only";

/** Every wrong field of a priority class. The names that begin with `system-` are the system's, and so are high values. */
export const validatePriorityClass = ({ metadata: { name = '' }, value = 0, globalDefault, preemptionPolicy }: Body, old: Body | undefined): readonly FieldError[] => {
  const errors: FieldError[] = [];
  if (name.startsWith('system-')) {
    const known = systemPriorityClasses.find((one) => one.name === name);
    if (known === undefined) errors.push(forbidden('metadata.name', `${reserved}. error: ${name} is not a known system priority class`));
    else if (known.value !== value) errors.push(forbidden('metadata.name', `${reserved}. error: value of ${name} PriorityClass must be ${known.value}`));
    else if (globalDefault === true) errors.push(forbidden('metadata.name', `${reserved}. error: globalDefault of ${name} PriorityClass must be false`));
  } else if (value > highestUserPriority) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestUserPriority}`));
  }
  if (old === undefined) return errors;
  if (value !== (old.value ?? 0)) errors.push(forbidden('value', 'may not be changed in an update.'));
  if (preemptionPolicy !== old.preemptionPolicy) errors.push(wrong('preemptionPolicy', preemptionPolicy, 'field is immutable'));
  return errors;
};
