/** What the engine is asked to run, made from the pod's spec and the node's surroundings. */
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container, VolumeMount } from '../schemas/types/container.ts';
import { ConfigError } from './config-error.ts';
import { expand } from './expansion.ts';
import { allContainers } from './pod-view.ts';
import { cgroupLimits } from './resources/cgroup-limits.ts';
import { hostnameOf, fqdnOf, type Security } from './security.ts';
import type { ContainerSpec, Mount, SandboxSpec } from './runtime/runtime.ts';
import { hasPayload } from './volumes/payload.ts';

export const defaultTerminationPath = '/dev/termination-log';

const protocolOf = (text: string | undefined): 'TCP' | 'UDP' | 'SCTP' => (text === 'UDP' || text === 'SCTP' ? text : 'TCP');

/** What the pod's programs take for their host's name. */
export const podHostname = (pod: Pod, clusterDomain: string): string =>
  pod.spec?.hostnameOverride || (pod.spec?.setHostnameAsFQDN === true && fqdnOf(pod, clusterDomain)) || hostnameOf(pod);

export const sandboxSpec = (pod: Pod, attempt: number, clusterDomain: string): SandboxSpec => {
  const spec = pod.spec ?? { containers: [] };
  return {
    podUid: pod.metadata.uid ?? '', podName: pod.metadata.name ?? '', podNamespace: pod.metadata.namespace ?? '', attempt,
    hostname: podHostname(pod, clusterDomain),
    hostNetwork: spec.hostNetwork ?? false, hostPid: spec.hostPID ?? false, hostIpc: spec.hostIPC ?? false,
    sharePid: spec.shareProcessNamespace ?? false,
    sysctls: Object.fromEntries((spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
    portMappings: allContainers(pod).flatMap((container) => (container.ports ?? []).filter((port) => (port.hostPort ?? 0) > 0).map((port) => ({
      containerPort: port.containerPort, hostPort: port.hostPort ?? 0, hostIp: port.hostIP ?? '', protocol: protocolOf(port.protocol),
    }))),
    labels: {},
  };
};

export interface ContainerInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly env: ContainerSpec['env'];
  readonly security: Security;
  readonly devices: ContainerSpec['devices'];
  readonly clusterDomain: string;
  /** Id of the run whose processes the container sees. */
  readonly pidOf?: string | undefined;
  /** Files of the node that stand in every container, by where they stand. */
  readonly files: Readonly<Record<string, string>>;
  readonly volumePath: (volume: string, mount: { readonly container: string; readonly index: number; readonly subPath: string }) => Promise<string>;
}

const propagation = (mount: VolumeMount, container: Container): Pick<Mount, 'propagation'> => {
  switch (mount.mountPropagation ?? 'None') {
    case 'None': return {};
    case 'HostToContainer': return { propagation: 'rslave' };
    case 'Bidirectional':
      if (container.securityContext?.privileged !== true) throw new ConfigError(`container ${container.name}: mountPropagation Bidirectional is for privileged containers only`);
      return { propagation: 'rshared' };
    default: throw new ConfigError(`container ${container.name}: mountPropagation ${JSON.stringify(mount.mountPropagation)} is none of None, HostToContainer, Bidirectional`);
  }
};

/** Rejects with ConfigError when the container cannot be made as it is asked for. */
export const containerSpec = async ({ pod, container, attempt, env, security, devices, clusterDomain, pidOf, files, volumePath }: ContainerInput): Promise<ContainerSpec> => {
  const values = new Map(env.map(({ name, value }) => [name, value]));
  const expanded = (text: string): string => expand(text, (name) => values.get(name));
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = pod.spec?.volumes?.find(({ name }) => name === mount.name);
    const subPath = mount.subPathExpr === undefined || mount.subPathExpr === '' ? (mount.subPath ?? '') : strict(mount.subPathExpr, values, container);
    mounts.push({
      hostPath: await volumePath(mount.name, { container: container.name, index, subPath }),
      containerPath: mount.mountPath,
      readOnly: (mount.readOnly ?? false) || (volume !== undefined && (hasPayload(volume) || volume.persistentVolumeClaim?.readOnly === true)),
      ...propagation(mount, container),
    });
  }
  for (const [containerPath, hostPath] of Object.entries(files)) {
    if (!mounts.some((mount) => mount.containerPath === containerPath)) {
      mounts.push({ hostPath, containerPath, readOnly: security.readOnlyRootFilesystem && containerPath.startsWith('/etc/') });
    }
  }
  return {
    name: container.name, attempt, image: container.image ?? '',
    ...((container.command ?? []).length === 0 ? {} : { command: container.command?.map(expanded) }),
    ...((container.args ?? []).length === 0 ? {} : { args: container.args?.map(expanded) }),
    ...(container.workingDir === undefined || container.workingDir === '' ? {} : { workingDir: container.workingDir }),
    env, mounts, devices,
    limits: cgroupLimits(container.resources),
    ...security,
    hostname: podHostname(pod, clusterDomain), messagePath: container.terminationMessagePath || defaultTerminationPath,
    ...(pidOf === undefined ? {} : { pidOf }),
    ...(container.lifecycle?.stopSignal === undefined ? {} : { stopSignal: container.lifecycle.stopSignal }),
    stdin: container.stdin ?? false, stdinOnce: container.stdinOnce ?? false, tty: container.tty ?? false,
    labels: {},
  };
};

const strict = (expression: string, values: ReadonlyMap<string, string>, container: Container): string => expand(expression, (name) => {
  const value = values.get(name);
  if (value === undefined) throw new ConfigError(`container ${container.name}: subPathExpr ${JSON.stringify(expression)} names ${name}, which is no variable of its environment`);
  return value;
});
