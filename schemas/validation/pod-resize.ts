/** What may change in the resources of a pod that is there: amounts of CPU and memory, and no more. */
import { forbidden, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { Pod } from '../kinds/core/pod.ts';
import { qosClassOf } from '../qos-class.ts';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import type { Container } from '../types/container.ts';
import type { ResourceRequirements } from '../types/resources.ts';
import { validatePodSpec } from './pod-spec.ts';
import { isMirror } from '../static-pods.ts';

type Amounts = Readonly<Record<string, string>> | undefined;

const mutable: ReadonlySet<string> = new Set(['cpu', 'memory']);

const removed = (now: Amounts, before: Amounts): boolean => Object.keys(before ?? {}).some((name) => now?.[name] === undefined);

const shrinks = (now: string | undefined, before: string | undefined): boolean =>
  now !== undefined && before !== undefined && parseQuantity(now) !== undefined && compareQuantities(now, before) < 0;

const validateContainer = (container: Container, old: Container, field: string): readonly FieldError[] => {
  const restartsForMemory = (container.resizePolicy ?? []).some(({ resourceName, restartPolicy }) => resourceName === 'memory' && restartPolicy === 'RestartContainer');
  return [
    ...(removed(container.resources?.requests, old.resources?.requests) ? [forbidden(`${field}.requests`, 'resource requests cannot be removed')] : []),
    ...(removed(container.resources?.limits, old.resources?.limits) ? [forbidden(`${field}.limits`, 'resource limits cannot be removed')] : []),
    ...(!restartsForMemory && shrinks(container.resources?.limits?.['memory'], old.resources?.limits?.['memory'])
      ? [forbidden(`${field}.limits[memory]`, 'memory limits cannot be decreased unless resizePolicy is RestartContainer')] : []),
  ];
};

/** The amounts that may change, as the old container has them, so that what still differs may not. */
const withOldAmounts = (container: Container, old: Container): Container => {
  const side = (now: Amounts, before: Amounts): Amounts => {
    const merged = { ...Object.fromEntries(Object.entries(now ?? {}).filter(([name]) => !mutable.has(name))), ...Object.fromEntries(Object.entries(before ?? {}).filter(([name]) => mutable.has(name))) };
    return Object.keys(merged).length === 0 ? undefined : merged;
  };
  const empty = (resources: ResourceRequirements | undefined): ResourceRequirements => ({ ...resources, limits: side(resources?.limits, old.resources?.limits), requests: side(resources?.requests, old.resources?.requests) });
  return { ...container, resources: empty(container.resources) };
};

const sameShape = (container: Container): Container => ({
  ...container,
  resources: {
    ...container.resources,
    limits: Object.keys(container.resources?.limits ?? {}).length === 0 ? undefined : container.resources?.limits,
    requests: Object.keys(container.resources?.requests ?? {}).length === 0 ? undefined : container.resources?.requests,
  },
});

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** True for a pod whose node says of its running containers what they were given, as one does that can give them more. */
const canBeResized = ({ status }: Pod): boolean => {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
};

/** Every wrong field of a resize. */
export const validatePodResize = (pod: Pod, old: Pod): readonly FieldError[] => {
  const { spec } = pod;
  if (old.spec.resources !== undefined) return [forbidden('spec.resources', 'pods with pod-level resources cannot be resized')];
  if (isMirror(old)) return [forbidden('', 'static pods cannot be resized')];
  if (old.spec.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')];
  const errors: FieldError[] = [...validatePodSpec(spec, 'spec')];
  if (qosClassOf(old.spec) !== qosClassOf(spec)) errors.push(wrong('spec', qosClassOf(spec), 'Pod QOS Class may not change as a result of resizing'));
  if (!canBeResized(old)) errors.push(forbidden('spec', 'Pod running on node without support for resize'));
  for (const list of ['initContainers', 'containers'] as const) {
    const [now, before] = [spec[list] ?? [], old.spec[list] ?? []];
    if (now.length !== before.length) return [...errors, forbidden(`spec.${list}`, 'pod updates may not add or remove containers')];
    if (now.some(({ name }, index) => name !== before[index]?.name)) return [...errors, forbidden(`spec.${list}`, 'containers may not be renamed or reordered on resize')];
    errors.push(...now.flatMap((container, index) => validateContainer(container, before[index]!, `spec.${list}[${index}].resources`)));
  }
  const comparable = (now: readonly Container[] | undefined, before: readonly Container[] | undefined, may: (container: Container) => boolean): readonly Container[] =>
    (now ?? []).map((container, index) => sameShape(may(before![index]!) ? withOldAmounts(container, before![index]!) : container));
  const same = deepEqual(comparable(spec.containers, old.spec.containers, () => true), (old.spec.containers).map(sameShape))
    && deepEqual(comparable(spec.initContainers, old.spec.initContainers, isSidecar), (old.spec.initContainers ?? []).map(sameShape));
  return same ? errors : [...errors, forbidden('spec', 'only cpu and memory resources of containers and sidecars are mutable')];
};
