/**
 * The HEALTHCHECK of an image as readiness, for containers that have no readiness probe of their own. Kubernetes' agents
 * pass it over; Docker Swarm sends nothing to a container before it, and that is what images with one are made for.
 */
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import type { Probe } from '../schemas/types/probe.ts';
import { initContainers, isEphemeral, isSidecar } from './pod-view.ts';
import type { ContainerRuntime, ImageHealth } from './runtime/runtime.ts';

/** The check as a probe: at the container's start and then at its interval; ready with the first success, and not any more after its retries. */
export const healthProbe = ({ command, intervalSeconds, timeoutSeconds, retries }: ImageHealth): Probe => ({
  exec: { command: [...command] }, periodSeconds: intervalSeconds, timeoutSeconds, failureThreshold: retries, successThreshold: 1,
});

/** Where readiness means something: of the pod's containers and sidecars. */
const countsForReadiness = (pod: Pod, container: Container): boolean =>
  !isEphemeral(pod, container.name) && (isSidecar(container) || !initContainers(pod).some(({ name }) => name === container.name));

/** The container with the probes that it is to be asked. */
export const probedContainer = async (runtime: Pick<ContainerRuntime, 'imageHealth'>, pod: Pod, container: Container): Promise<Container> => {
  if (container.readinessProbe !== undefined || !countsForReadiness(pod, container)) return container;
  const health = await runtime.imageHealth(container.image ?? '');
  return health === undefined ? container : { ...container, readinessProbe: healthProbe(health) };
};
