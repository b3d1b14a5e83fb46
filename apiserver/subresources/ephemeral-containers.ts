import { draftOf } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { check } from '../../schemas/validate.ts';
import { validateEphemeralContainersUpdate } from '../../schemas/validation/pod.ts';
import { assertValid, complete, type ObjectDraft } from '../verbs/body.ts';
import type { Part } from '../verbs/update.ts';

/** `/ephemeralcontainers` of a pod adds containers to a running pod; those that are there can neither change nor go. */
export const ephemeralContainers: Part = {
  admitted: true,
  combine: (draft, current, { kind }) => {
    const whole = draftOf(current) as ObjectDraft;
    const { ephemeralContainers: wanted } = (draft as Partial<Pod>).spec ?? {};
    whole['spec'] = { ...(whole['spec'] as object), ...(wanted === undefined ? {} : { ephemeralContainers: wanted }) };
    complete(kind, whole, current);
    return whole;
  },
  validate: (object, current, { kind, name }) => assertValid(kind, name, [...check(kind, object), ...validateEphemeralContainersUpdate(object as Pod, current as Pod)]),
};
