import { draftOf } from '../../schemas/frozen.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { check } from '../../schemas/validate.ts';
import { validatePodResize } from '../../schemas/validation/pod-resize.ts';
import { assertValid, complete, type ObjectDraft } from '../verbs/body.ts';
import type { Part } from '../verbs/update.ts';

type Containers = readonly { readonly name: string; readonly resources?: unknown; readonly resizePolicy?: unknown }[];

/** The stored containers with the resources that the body names for them. Where the two are not the same containers, the body's, for validation to refuse. */
const resized = (wanted: Containers | undefined, stored: Containers | undefined): unknown => {
  if (stored === undefined) return wanted;
  if (wanted?.length !== stored.length || wanted.some(({ name }, index) => name !== stored[index]!.name)) return wanted ?? [];
  return stored.map((container, index) => ({ ...container, resources: wanted[index]!.resources ?? {}, ...(wanted[index]!.resizePolicy === undefined ? {} : { resizePolicy: wanted[index]!.resizePolicy }) }));
};

/** `/resize` of a pod changes what its containers ask for and may use; anything else in the body is not looked at. */
export const resize: Part = {
  admitted: true,
  combine: (draft, current, { kind }) => {
    const whole = draftOf(current) as ObjectDraft & { spec: Record<string, unknown> };
    const { spec: stored } = current as Pod;
    const { spec: wanted } = draft as Partial<Pod>;
    whole.spec['containers'] = resized(wanted?.containers, stored.containers);
    if (stored.initContainers !== undefined || wanted?.initContainers !== undefined) whole.spec['initContainers'] = resized(wanted?.initContainers, stored.initContainers);
    complete(kind, whole, current);
    return whole;
  },
  validate: (object, current, { kind, name }) => assertValid(kind, name, [...check(kind, object), ...validatePodResize(object as Pod, current as Pod)]),
};
