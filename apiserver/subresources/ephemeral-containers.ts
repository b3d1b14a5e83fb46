import { duplicate, forbidden, required, type FieldError } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { check } from '../../schemas/validate.ts';
import { assertValid, complete, type ObjectDraft } from '../verbs/body.ts';
import type { Part } from '../verbs/update.ts';

/** `/ephemeralcontainers` of a pod adds containers to a running pod; those that are there can neither change nor go. */
export const ephemeralContainers: Part = {
  admitted: false,
  combine: (draft, current, { kind }) => {
    const whole = draftOf(current) as ObjectDraft;
    const { ephemeralContainers: wanted } = (draft as Partial<Pod>).spec ?? {};
    whole['spec'] = { ...(whole['spec'] as object), ...(wanted === undefined ? {} : { ephemeralContainers: wanted }) };
    complete(kind, whole, current);
    return whole;
  },
  validate: (object, current, { kind, name }) => assertValid(kind, name, [...check(kind, object), ...wrongChanges(object as Pod, current as Pod)]),
};

const wrongChanges = ({ spec }: Pod, { spec: old }: Pod): readonly FieldError[] => {
  const field = 'spec.ephemeralContainers';
  const errors: FieldError[] = [];
  const now = new Map((spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  for (const container of old.ephemeralContainers ?? []) {
    const same = now.get(container.name);
    if (same === undefined) errors.push(forbidden(field, `existing ephemeral containers ${JSON.stringify(container.name)} may not be removed`));
    else if (!deepEqual(same, container)) errors.push(forbidden(field, `existing ephemeral containers ${JSON.stringify(container.name)} may not be changed`));
  }
  const taken = new Set([...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.name));
  for (const [index, { name, image, targetContainerName = '' }] of (spec.ephemeralContainers ?? []).entries()) {
    if (taken.has(name)) errors.push(duplicate(`${field}[${index}].name`, name));
    if ((image ?? '') === '') errors.push(required(`${field}[${index}].image`));
    if (targetContainerName !== '' && !taken.has(targetContainerName)) {
      errors.push({ reason: 'FieldValueNotFound', field: `${field}[${index}].targetContainerName`, message: `Not found: ${JSON.stringify(targetContainerName)}` });
    }
  }
  return errors;
};
