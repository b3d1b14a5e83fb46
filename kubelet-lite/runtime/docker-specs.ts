import type Docker from 'dockerode';
import { containerName, labels, sandboxName, type PodOf } from './docker-labels.ts';
import { pauseImageName } from './pause-image.ts';
import { cpuPeriodMicros, type CgroupLimits, type ContainerSpec, type SandboxSpec } from './runtime.ts';

/** The engine's words for limits, in a create request and in an update. */
export const resourceRequest = ({ cpuShares, cpuQuotaMicros, memoryBytes }: CgroupLimits): Docker.HostConfig => ({
  CpuShares: cpuShares,
  ...(cpuQuotaMicros === 0 ? {} : { CpuPeriod: cpuPeriodMicros, CpuQuota: cpuQuotaMicros }),
  // Swap equal to memory means none.
  ...(memoryBytes === 0 ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
});

/** What the engine says of the limits of a container. */
export const limitsIn = ({ CpuShares: cpuShares = 0, CpuQuota: cpuQuotaMicros = 0, Memory: memoryBytes = 0 }: Docker.HostConfig): CgroupLimits => ({ cpuShares, cpuQuotaMicros, memoryBytes });

export interface SandboxPlace { readonly owner: string; readonly network: string }

/** The engine's create request for a pod's sandbox. */
export const sandboxRequest = (spec: SandboxSpec, { owner, network }: SandboxPlace): Docker.ContainerCreateOptions => {
  const ports = spec.hostNetwork ? [] : spec.portMappings;
  const key = (port: { readonly containerPort: number; readonly protocol: string }): string => `${port.containerPort}/${port.protocol.toLowerCase()}`;
  const bindings = Map.groupBy(ports, key);
  return {
    name: sandboxName(spec, spec.attempt),
    Image: pauseImageName,
    Entrypoint: ['/pause'],
    StopSignal: 'SIGKILL',
    ...(spec.hostNetwork ? {} : { Hostname: spec.hostname }),
    Labels: {
      ...spec.labels,
      [labels.owner]: owner, [labels.type]: 'sandbox', [labels.podUid]: spec.podUid, [labels.podName]: spec.podName,
      [labels.podNamespace]: spec.podNamespace, [labels.attempt]: String(spec.attempt), [labels.sharePid]: String(spec.sharePid),
    },
    ExposedPorts: Object.fromEntries([...bindings.keys()].map((port) => [port, {}])),
    HostConfig: {
      NetworkMode: spec.hostNetwork ? 'host' : network,
      IpcMode: spec.hostIpc ? 'host' : 'shareable',
      ...(spec.hostPid ? { PidMode: 'host' } : {}),
      Sysctls: { ...spec.sysctls },
      PortBindings: Object.fromEntries([...bindings].map(([port, all]) => [port, all.map((one) => ({ HostIp: one.hostIp, HostPort: String(one.hostPort) }))])),
      LogConfig: { Type: 'none', Config: {} },
      ReadonlyRootfs: true,
      SecurityOpt: ['no-new-privileges'],
      // Two shares of CPU: a sandbox does nothing.
      CpuShares: 2,
    },
  };
};

export interface InSandbox extends PodOf {
  readonly sandboxId: string;
  readonly owner: string;
  readonly hostPid: boolean;
  readonly sharePid: boolean;
  readonly hostIpc: boolean;
}

/** The engine's create request for a container that joins its pod's namespaces. */
export const containerRequest = (spec: ContainerSpec, pod: InSandbox): Docker.ContainerCreateOptions => {
  const joined = `container:${pod.sandboxId}`;
  const securityOptions = [
    ...(spec.noNewPrivileges ? ['no-new-privileges'] : []),
    ...(spec.seccomp === undefined ? [] : [`seccomp=${spec.seccomp}`]),
    ...(spec.appArmor === undefined ? [] : [`apparmor=${spec.appArmor}`]),
  ];
  return {
    name: containerName(spec.name, pod, spec.attempt),
    Image: spec.image,
    ...(spec.command === undefined ? {} : { Entrypoint: [...spec.command] }),
    ...(spec.args === undefined ? {} : { Cmd: [...spec.args] }),
    ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    Env: spec.env.map(({ name, value }) => `${name}=${value}`),
    Tty: spec.tty,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdinOnce,
    ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
    // The agent asks itself, by probes; the engine's own checks would come on top.
    Healthcheck: { Test: ['NONE'] },
    Labels: {
      ...spec.labels,
      [labels.owner]: pod.owner, [labels.type]: 'container', [labels.podUid]: pod.podUid, [labels.podName]: pod.podName,
      [labels.podNamespace]: pod.podNamespace, [labels.container]: spec.name, [labels.attempt]: String(spec.attempt),
      [labels.sandbox]: pod.sandboxId, [labels.image]: spec.image, [labels.tty]: String(spec.tty),
    },
    HostConfig: {
      NetworkMode: joined,
      IpcMode: pod.hostIpc ? 'host' : joined,
      ...(spec.pidOf !== undefined ? { PidMode: `container:${spec.pidOf}` } : pod.hostPid ? { PidMode: 'host' } : pod.sharePid ? { PidMode: joined } : {}),
      Mounts: spec.mounts.map((mount) => ({
        Type: 'bind' as const, Source: mount.hostPath, Target: mount.containerPath, ReadOnly: mount.readOnly,
        ...(mount.propagation === undefined ? {} : { BindOptions: { Propagation: mount.propagation } }),
      })),
      Devices: spec.devices.map(({ hostPath, containerPath, permissions }) => ({ PathOnHost: hostPath, PathInContainer: containerPath, CgroupPermissions: permissions })),
      ...resourceRequest(spec.limits),
      GroupAdd: spec.supplementalGroups.map(String),
      Privileged: spec.privileged,
      ReadonlyRootfs: spec.readOnlyRootFilesystem,
      CapAdd: [...spec.capabilitiesAdd],
      CapDrop: [...spec.capabilitiesDrop],
      SecurityOpt: securityOptions,
      // Kubernetes' own bounds: five files of 10 MiB.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } },
    },
  };
};
