import { ApiError, qualified } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { LimitRange } from '../../schemas/kinds/core/limit-range.ts';
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';
import { claimViolations, fillPod, podViolations } from './limits.ts';

/** What the rules of a namespace apply to: new pods, pods that are resized, and claims. */
const concerns = ({ kind, old, subresource }: AdmissionContext): 'pod' | 'claim' | undefined => {
  if (kind.group !== '') return undefined;
  if (kind.plural === 'pods') return old === undefined || subresource === 'resize' ? 'pod' : undefined;
  return kind.plural === 'persistentvolumeclaims' && old?.metadata.deletionTimestamp === undefined ? 'claim' : undefined;
};

/**
 * Gives containers the requests and limits that the LimitRanges of their namespace have for those who name none, and
 * refuses pods and claims that ask for more or less than these allow. All that is wrong is said at once.
 */
export const limitRanger = (cache: Pick<WatchCache, 'list'>): AdmissionPlugin => {
  const rangesOf = (namespace: string): readonly LimitRange[] => cache.list(`/limitranges/${namespace}/`) as readonly LimitRange[];
  return {
    name: 'LimitRanger',
    mutate: (draft, context) => {
      if (concerns(context) !== 'pod' || context.old !== undefined) return;
      for (const range of rangesOf(context.namespace)) fillPod(draft as unknown as Draft<Pod>, range);
    },
    admit: (object, context) => {
      const what = concerns(context);
      if (what === undefined) return;
      const found = rangesOf(context.namespace).flatMap((range) => (what === 'pod' ? podViolations(object as Pod, range) : claimViolations(object as PersistentVolumeClaim, range)));
      if (found.length === 0) return;
      const { kind, name } = context;
      throw new ApiError('Forbidden', `${qualified(kind.plural, kind.group)} ${JSON.stringify(name)} is forbidden: ${found.length === 1 ? found[0] : `[${found.join(', ')}]`}`, { name, group: kind.group || undefined, kind: kind.plural });
    },
  };
};
