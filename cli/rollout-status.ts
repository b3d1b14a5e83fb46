import type { ApiObject, BodyOf } from '../schemas/kind.ts';
import type { Deployment } from '../schemas/kinds/apps/deployment.ts';
import { CommandError } from './command.ts';

type DeploymentBody = BodyOf<typeof Deployment>;

/** How far a rollout is: a line for the user, and whether it is over. */
export interface RolloutProgress {
  readonly message: string;
  readonly done: boolean;
}

interface Counted extends ApiObject {
  readonly spec?: { readonly replicas?: number; readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } } };
  readonly status?: {
    readonly observedGeneration?: number; readonly readyReplicas?: number; readonly updatedReplicas?: number;
    readonly currentRevision?: string; readonly updateRevision?: string;
    readonly desiredNumberScheduled?: number; readonly updatedNumberScheduled?: number; readonly numberAvailable?: number;
  };
}

const deployment = ({ metadata, spec, status }: DeploymentBody): RolloutProgress => {
  const { name } = metadata;
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0)) return { message: 'Waiting for deployment spec update to be observed...', done: false };
  const progressing = status?.conditions?.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') throw new CommandError(`deployment "${name}" exceeded its progress deadline`);
  const wanted = spec?.replicas ?? 1;
  const updated = status?.updatedReplicas ?? 0;
  const all = status?.replicas ?? 0;
  const available = status?.availableReplicas ?? 0;
  if (updated < wanted) return { message: `Waiting for deployment "${name}" rollout to finish: ${updated} out of ${wanted} new replicas have been updated...`, done: false };
  if (all > updated) return { message: `Waiting for deployment "${name}" rollout to finish: ${all - updated} old replicas are pending termination...`, done: false };
  if (available < updated) return { message: `Waiting for deployment "${name}" rollout to finish: ${available} of ${updated} updated replicas are available...`, done: false };
  return { message: `deployment "${name}" successfully rolled out`, done: true };
};

const daemonSet = ({ metadata, spec, status = {} }: Counted): RolloutProgress => {
  if (spec?.updateStrategy?.type === 'OnDelete') throw new CommandError('rollout status is only available for RollingUpdate strategy type');
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) return { message: 'Waiting for daemon set spec update to be observed...', done: false };
  const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled: updated = 0, numberAvailable: available = 0 } = status;
  if (updated < wanted) return { message: `Waiting for daemon set "${metadata.name}" rollout to finish: ${updated} out of ${wanted} new pods have been updated...`, done: false };
  if (available < wanted) return { message: `Waiting for daemon set "${metadata.name}" rollout to finish: ${available} of ${wanted} updated pods are available...`, done: false };
  return { message: `daemon set "${metadata.name}" successfully rolled out`, done: true };
};

const statefulSet = ({ metadata, spec = {}, status = {} }: Counted): RolloutProgress => {
  if (spec.updateStrategy?.type === 'OnDelete') throw new CommandError('rollout status is only available for RollingUpdate strategy type');
  if ((status.observedGeneration ?? 0) === 0 || (metadata.generation ?? 0) > (status.observedGeneration ?? 0)) return { message: 'Waiting for statefulset spec update to be observed...', done: false };
  const wanted = spec.replicas ?? 1;
  const ready = status.readyReplicas ?? 0;
  const updated = status.updatedReplicas ?? 0;
  if (ready < wanted) return { message: `Waiting for ${wanted - ready} pods to be ready...`, done: false };
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  if (partition > 0) {
    if (updated < wanted - partition) return { message: `Waiting for partitioned roll out to finish: ${updated} out of ${wanted - partition} new pods have been updated...`, done: false };
    return { message: `partitioned roll out complete: ${updated} new pods have been updated...`, done: true };
  }
  if (status.updateRevision !== status.currentRevision) return { message: `waiting for statefulset rolling update to complete ${updated} pods at revision ${status.updateRevision}...`, done: false };
  return { message: `statefulset rolling update complete ${wanted} pods at revision ${status.currentRevision}...`, done: true };
};

/** Reads a rollout's progress from a workload's status. Throws CommandError when it has failed or the kind has none. */
export const rolloutProgress = (object: ApiObject): RolloutProgress => {
  if (object.kind === 'Deployment') return deployment(object as DeploymentBody);
  if (object.kind === 'DaemonSet') return daemonSet(object);
  if (object.kind === 'StatefulSet') return statefulSet(object);
  throw new CommandError(`no status viewer has been implemented for ${object.kind}`);
};
