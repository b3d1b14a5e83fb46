import { ApiError, badRequest } from '../../schemas/errors.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { allContainers, recordedStatuses, runsOf } from '../pod-view.ts';
import type { ContainerState, SandboxState } from '../runtime/runtime.ts';

/** A pod of this node, with what the engine has of it. */
export interface LocalPod { readonly pod: Pod; readonly sandboxes: readonly SandboxState[] }

export type FindPod = (namespace: string, name: string) => LocalPod | undefined;

const runs = ({ sandboxes }: LocalPod, container: string): readonly ContainerState[] =>
  sandboxes.flatMap((sandbox) => runsOf(sandbox, container)).filter((run) => run.status !== 'created').sort((a, b) => a.attempt - b.attempt);

const waitingReason = (pod: Pod, container: string): string =>
  recordedStatuses(pod).find(({ name }) => name === container)?.state?.waiting?.reason ?? 'ContainerCreating';

/** The pod, or the error that kubectl shows when this node has no such pod or container. */
export const localPod = (find: FindPod, namespace: string, name: string, container?: string): LocalPod => {
  const found = find(namespace, name);
  if (found === undefined) throw new ApiError('NotFound', `pods "${name}" not found`, { name, kind: 'pods' });
  if (container !== undefined && !allContainers(found.pod).some((one) => one.name === container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  return found;
};

/** The run whose log is asked for. */
export const loggedRun = (local: LocalPod, container: string, previous: boolean): ContainerState => {
  const all = runs(local, container);
  const name = local.pod.metadata.name ?? '';
  const run = previous ? all.at(-2) : all.at(-1);
  if (run !== undefined) return run;
  throw badRequest(previous ? `previous terminated container "${container}" in pod "${name}" not found` : `container "${container}" in pod "${name}" is waiting to start: ${waitingReason(local.pod, container)}`);
};

/** The run in which a command can be started. */
export const runningRun = (local: LocalPod, container: string): ContainerState => {
  const run = runs(local, container).at(-1);
  if (run?.status === 'running') return run;
  throw badRequest(`container "${container}" in pod "${local.pod.metadata.name ?? ''}" is not running`);
};
