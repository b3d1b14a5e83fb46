import { required, type FieldError } from '../errors.ts';
import type { ReplicationControllerSpec } from '../kinds/core/replication-controller.ts';
import { validateWorkload } from './workload.ts';

/** Every wrong field of a ReplicationController's spec. Its selector, a plain map of labels, may change. */
export const validateReplicationControllerSpec = ({ selector = {}, template }: ReplicationControllerSpec): readonly FieldError[] => {
  const errors = validateWorkload({ selector: { matchLabels: selector }, template }, undefined, 'ReplicationController');
  if (Object.keys(selector).length > 0) return errors.map((error) => (error.field === 'spec.selector.matchLabels' ? { ...error, field: 'spec.selector' } : error));
  return [required('spec.selector'), ...errors.filter(({ field }) => field !== 'spec.selector')];
};
