import { dependencyCircle } from '../../schemas/dependency-circle.ts';
import { invalid, wrong } from '../../schemas/errors.ts';
import type { AnyKind } from '../../schemas/kind.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { annotationNames, type DependencyKind } from '../../schemas/rollout-annotations.ts';
import { keyOf } from '../keys.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionPlugin } from './admission.ts';

const kinds: Readonly<Record<DependencyKind, AnyKind>> = { Deployment, StatefulSet, DaemonSet, Job };

const dependencyKind = ({ kind, group }: AnyKind): DependencyKind | undefined =>
  (Object.keys(kinds) as DependencyKind[]).find((one) => one === kind && kinds[one].group === group);

/**
 * Refuses the write that would close a circle of `barge.dev/depends-on`. Each workload on the way is checked in the same
 * transaction, so that two writes at the same moment cannot close one between them. A workload that stands in a circle
 * already may change in all else.
 */
export const dependencyCircles = (cache: Pick<WatchCache, 'get'>): AdmissionPlugin => ({
  name: 'DependencyCircles',
  admit: (object, { kind, namespace, name, old, attempt }) => {
    const text = object.metadata.annotations?.[annotationNames.dependsOn];
    if (text === undefined || text === old?.metadata.annotations?.[annotationNames.dependsOn]) return;
    const own = dependencyKind(kind);
    if (own === undefined) return;
    const circle = dependencyCircle(own, { name, annotations: object.metadata.annotations }, (of, other) => {
      const key = keyOf(kinds[of], namespace, other);
      const found = cache.get(key);
      attempt.require(key, Number(found?.metadata.resourceVersion ?? 0));
      return found?.metadata;
    });
    if (circle === undefined) return;
    throw invalid(kind, name, [wrong(`metadata.annotations[${annotationNames.dependsOn}]`, text, `must not close a circle, in which none could ever start: ${circle.join(' -> ')}`)]);
  },
});
