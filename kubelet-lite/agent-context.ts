import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Service } from '../schemas/kinds/core/service.ts';
import type { Container } from '../schemas/types/container.ts';
import type { ServiceAccountTokenProjection } from '../schemas/types/volume.ts';
import type { EngineAbilities } from './admission/unsupported.ts';
import type { Actions } from './actions.ts';
import type { Images } from './images.ts';
import type { Limiter } from './limiter.ts';
import type { PolicyHold } from './network/policy-hold.ts';
import { initContainers, isEphemeral, type Verdict } from './pod-view.ts';
import type { PodRecord } from './pod-record.ts';
import type { NodeAllocations } from './resources/node-allocations.ts';
import type { ContainerExec, ContainerLogs, ContainerRuntime, ContainerStats } from './runtime/runtime.ts';
import type { SourceCache } from './source-cache.ts';
import type { EndpointWithdrawal } from './termination.ts';
import type { ClaimedVolumes } from './volumes/claimed-volumes.ts';
import type { Mounts } from './volumes/mounts.ts';

export type Engine = ContainerRuntime & ContainerLogs & ContainerExec & ContainerStats;

/** What all pod workers of a node share. */
export interface AgentContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly client: Client;
  readonly record: PodRecord;
  readonly events: EventRecorder;
  readonly runtime: Engine;
  readonly runtimeName: string;
  readonly abilities: EngineAbilities;
  readonly actions: Actions;
  readonly images: Images;
  readonly sources: SourceCache;
  readonly withdrawal: EndpointWithdrawal;
  readonly policies: PolicyHold;
  readonly mounts: Mounts;
  readonly claimed: ClaimedVolumes;
  /** Bounds what the engine is asked to start at a time. */
  readonly starts: Limiter;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly clusterDomain: string;
  /** Where pods reach the cluster's DNS; known when the node has its network. */
  readonly dnsIp: () => string;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly allocations: NodeAllocations;
  /** Each pod has a folder here, named by its uid. */
  readonly podsDir: string;
  /** Where profiles of seccomp are that pods may name. */
  readonly seccompDir: string;
  /** Why a pod that comes to this node may not begin here; undefined where it may. */
  refusal(pod: Pod): Verdict | undefined;
  /** The services that a pod's environment tells of: a namespace's, and always the API server's own. */
  services(namespace: string | undefined): readonly Service[];
  token(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string>;
}

/** Tells users what happened to a container, or to the pod where none is given. */
export const report = (context: AgentContext, pod: Pod, container: Container | undefined, type: 'Normal' | 'Warning', reason: string, message: string): void => {
  const list = container === undefined ? '' : initContainers(pod).some(({ name }) => name === container.name) ? 'initContainers'
    : isEphemeral(pod, container.name) ? 'ephemeralContainers' : 'containers';
  context.events.event(container === undefined ? pod : { ...pod, fieldPath: `spec.${list}{${container.name}}` }, type, reason, message);
};
