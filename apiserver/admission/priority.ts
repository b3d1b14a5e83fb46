/** The importance of a pod is that of its class; classes guard what they promise. */
import { ApiError, qualified } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PriorityClass } from '../../schemas/kinds/scheduling/priority-class.ts';
import { systemPriorityClasses } from '../../schemas/validation/priority-class.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';

const classes = 'scheduling.k8s.io/priorityclasses/';

type Classes = Pick<WatchCache, 'get' | 'list'>;

const isPod = (object: Pick<ApiObject, 'kind' | 'apiVersion'>): boolean => object.kind === 'Pod' && object.apiVersion === 'v1';
const isClass = (object: ApiObject): object is PriorityClass => object.kind === 'PriorityClass' && object.apiVersion === 'scheduling.k8s.io/v1';

const refusal = ({ kind, name }: AdmissionContext, why: string): ApiError =>
  new ApiError('Forbidden', `${qualified(kind.plural, kind.group)} ${JSON.stringify(name)} is forbidden: ${why}`, { name, group: kind.group || undefined, kind: kind.plural });

/** The class of pods that name none. There is at most one, but for two that were made at the same moment: then the lower one counts. */
const defaultClass = (cache: Classes): PriorityClass | undefined =>
  (cache.list(classes) as readonly PriorityClass[]).filter((one) => one.globalDefault === true).sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];

const setPriority = ({ spec }: Draft<Pod>, cache: Classes, context: AdmissionContext): void => {
  const asked = spec.priorityClassName ?? '';
  const found = asked === '' ? defaultClass(cache) : cache.get(`${classes}/${asked}`) as PriorityClass | undefined;
  if (asked !== '' && found === undefined) throw refusal(context, `no PriorityClass with name ${asked} was found`);
  const { value: priority = 0, preemptionPolicy = 'PreemptLowerPriority' } = found ?? {};
  if (spec.priority !== undefined && spec.priority !== priority) {
    throw refusal(context, `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`);
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw refusal(context, `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`);
  }
  if (found?.metadata.name !== undefined) spec.priorityClassName = found.metadata.name;
  spec.priority = priority;
  spec.preemptionPolicy = preemptionPolicy;
};

/**
 * Turns the class that a new pod names, or else the default class, into its priority; an update that leaves the numbers out
 * keeps them. There is one default class at most, and the system's own classes stay.
 */
export const priority = (cache: Classes): AdmissionPlugin => ({
  name: 'Priority',
  mutate: (draft, context) => {
    if (!isPod(draft)) return;
    const pod = draft as unknown as Draft<Pod>;
    if (context.old === undefined) {
      setPriority(pod, cache, context);
      return;
    }
    const { priority: before, preemptionPolicy } = (context.old as Pod).spec;
    if (before !== undefined) pod.spec.priority ??= before;
    if (preemptionPolicy !== undefined) pod.spec.preemptionPolicy ??= preemptionPolicy;
  },
  admit: (object, context) => {
    if (!isClass(object) || object.globalDefault !== true) return;
    const other = defaultClass(cache);
    if (other !== undefined && other.metadata.name !== object.metadata.name) {
      throw refusal(context, `PriorityClass ${other.metadata.name ?? ''} is already marked as default. Only one default can exist`);
    }
  },
  deleting: (object, context) => {
    if (isClass(object) && systemPriorityClasses.some((one) => one.name === object.metadata.name)) {
      throw refusal(context, 'this is a system priority class and cannot be deleted');
    }
  },
});
