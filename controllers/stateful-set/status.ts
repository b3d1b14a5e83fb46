import { rfc3339 } from '../../base/clock.ts';
import type { StatefulSet, StatefulSetStatus } from '../../schemas/kinds/apps/stateful-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { withWaiting, type Waiting } from '../dependencies/plan.ts';
import { nonZero } from '../non-zero.ts';
import { availableInMs, isActive, isReady } from '../pod-state.ts';
import { revisionOfPod } from './plan.ts';

/** The status that the pods amount to. The current revision becomes the update's when all wanted pods are of it and ready. */
export const statefulSetStatus = (set: StatefulSet, pods: readonly Pod[], { current, update, waiting, nowMs }: { readonly current: string; readonly update: string; readonly waiting: Waiting | undefined; readonly nowMs: number }): StatefulSetStatus => {
  const { replicas = 1, minReadySeconds = 0, updateStrategy } = set.spec;
  const active = pods.filter(isActive);
  const updated = active.filter((pod) => revisionOfPod(pod) === update);
  const ready = active.filter(isReady).length;
  const isDone = updateStrategy?.type !== 'OnDelete' && updated.length === replicas && active.length === replicas && ready === replicas;
  const from = isDone ? update : current;
  const { collisionCount = 0 } = set.status ?? {};
  const conditions = withWaiting(set.status?.conditions, waiting, rfc3339(nowMs));
  return {
    replicas: active.length,
    availableReplicas: active.filter((pod) => availableInMs(pod, minReadySeconds, nowMs) === 0).length,
    ...nonZero({ readyReplicas: ready, currentReplicas: active.filter((pod) => revisionOfPod(pod) === from).length, updatedReplicas: updated.length }),
    currentRevision: from, updateRevision: update, collisionCount,
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(conditions === undefined ? {} : { conditions }),
  };
};
