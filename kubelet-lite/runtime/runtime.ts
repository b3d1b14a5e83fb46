/**
 * ContainerRuntime is what the agent needs from a container engine. Specs hold nothing of the Kubernetes API: the agent
 * has already worked out environment, mounts and limits. Every call is idempotent. One suite (test/suites/runtime.ts)
 * holds all implementations to this.
 */

import type { DiskSpace } from '../disk-space.ts';

export interface ImageAuth { readonly username: string; readonly password: string; readonly serverAddress?: string }

/** One pod's shared namespaces. */
export interface SandboxSpec {
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  /** Counts the sandboxes of a pod, from 0: a lost one is replaced by the next. */
  readonly attempt: number;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly sharePid: boolean;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly portMappings: readonly { readonly containerPort: number; readonly hostPort: number; readonly hostIp: string; readonly protocol: 'TCP' | 'UDP' | 'SCTP' }[];
  /** Kept with the sandbox, for adoption after a restart. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  readonly propagation?: 'private' | 'rslave' | 'rshared';
}

/** Linux scheduler's period for CPU limits: the kernel's and Kubernetes' usual one. */
export const cpuPeriodMicros = 100_000;

/** To what the kernel holds a container. */
export interface CgroupLimits {
  /** Weight where several want the CPU: 1024 for a whole core. */
  readonly cpuShares: number;
  /** CPU time in each period of `cpuPeriodMicros`; 0 for no limit. */
  readonly cpuQuotaMicros: number;
  /** 0 for no limit. */
  readonly memoryBytes: number;
}

/** A device of the machine, where it is in the container, and what may be done with it: of r, w and m. */
export interface DeviceMapping { readonly hostPath: string; readonly containerPath: string; readonly permissions: string }

export interface ContainerSpec {
  readonly name: string;
  /** Counts the runs of this container, from 0. */
  readonly attempt: number;
  readonly image: string;
  /** Replace the image's entrypoint and command where given. */
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly DeviceMapping[];
  readonly limits: CgroupLimits;
  /** `uid[:gid]`, or a name of the image. */
  readonly user?: string | undefined;
  readonly supplementalGroups: readonly number[];
  readonly privileged: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly capabilitiesAdd: readonly string[];
  readonly capabilitiesDrop: readonly string[];
  readonly noNewPrivileges: boolean;
  /** By what the kernel judges system calls: `unconfined`, or a profile as JSON in the engine's form; the engine's own where absent. */
  readonly seccomp?: string | undefined;
  /** `unconfined`, or the name of a profile that is loaded on the machine; the engine's own where absent. */
  readonly appArmor?: string | undefined;
  /** Ends the program in the place of the image's own signal, or of TERM. */
  readonly stopSignal?: string | undefined;
  /** The pod's, for an engine that has to be told again. */
  readonly hostname: string;
  /** File in the container for the words of a program that cannot be started, where there is one. */
  readonly messagePath?: string | undefined;
  /** Id of the container whose processes this one sees; its own, or the pod's, where absent. */
  readonly pidOf?: string | undefined;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerState {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly image: string;
  readonly imageId: string;
  readonly status: 'created' | 'running' | 'exited';
  readonly createdAtMs: number;
  readonly startedAtMs?: number | undefined;
  readonly finishedAtMs?: number | undefined;
  readonly exitCode?: number | undefined;
  readonly oomKilled: boolean;
  /** In force; told of every container that runs. */
  readonly limits?: CgroupLimits | undefined;
  /** The engine's words when a start failed. */
  readonly error?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** A pod as the engine has it. */
export interface SandboxState {
  readonly id: string;
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** Absent with the host's network, and while the sandbox is not up. */
  readonly ip?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** All runs that are kept, the newest of a name last. */
  readonly containers: readonly ContainerState[];
}

/** Why the engine refused: the reasons that a pod's status shows, and that of an image which cannot be removed. */
export type RuntimeReason = 'ErrImagePull' | 'ErrImageNeverPull' | 'InvalidImageName' | 'CreateContainerError' | 'RunContainerError' | 'CreatePodSandboxError' | 'RemoveImageError' | 'EngineUnavailable';

export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly reason: RuntimeReason;
  constructor(reason: RuntimeReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface RuntimeInfo {
  readonly name: string;
  readonly version: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly operatingSystem: string;
  readonly kernelVersion: string;
  readonly architecture: string;
  readonly storageDriver: string;
  /** What runs containers where none says otherwise, such as `runc`. */
  readonly defaultRuntime: string;
  /** Whether the engine can hold containers to AppArmor profiles. */
  readonly appArmor: boolean;
  /** Given to the engine when it was started. */
  readonly labels: Readonly<Record<string, string>>;
}

/** An image on the node, by all its names (`repository:tag`, `repository@digest`). */
export interface ImageState {
  readonly id: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

/** How an image says that its program is well. */
export interface ImageHealth {
  /** Program and arguments, run in the container; 0 is well. */
  readonly command: readonly string[];
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  /** Failures in a row after which it is not well. */
  readonly retries: number;
}

export interface PullOptions {
  readonly auth: ImageAuth | undefined;
  /** Called once the registry has answered for this image, before its layers come. */
  readonly answered?: (() => void) | undefined;
}

export interface ContainerRuntime {
  info(): Promise<RuntimeInfo>;
  /** Every sandbox that this node's agent made. */
  list(): Promise<readonly SandboxState[]>;
  /** One pod's sandboxes, the newest last. */
  inspect(podUid: string): Promise<readonly SandboxState[]>;
  /** Images that have a name; asked for often, so that it costs nothing while no image changes. */
  images(): Promise<readonly ImageState[]>;
  /** Image id, or undefined when the image is not on this node. */
  findImage(image: string): Promise<string | undefined>;
  /** User of the image's own configuration, such as `1000:1000` or `nobody`; empty for root. */
  imageUser(image: string): Promise<string>;
  /** The image's own check of its program's health; undefined where it has none, or is not on this node. */
  imageHealth(image: string): Promise<ImageHealth | undefined>;
  /** Fetches an image; rejects with ErrImagePull and the engine's words. Resolves with the image, by all its names. */
  pullImage(image: string, options: PullOptions, signal: AbortSignal): Promise<ImageState>;
  /** Ids of the images of all containers of the engine, whoever made them, also of those that have ended. */
  imagesInUse(): Promise<ReadonlySet<string>>;
  /** Takes an image off the node, with all its names; nothing where it is gone. Rejects with RemoveImageError, as for one that a container was made from. */
  removeImage(id: string): Promise<void>;
  /** Where the engine keeps images; undefined where that is not on this machine. */
  imageDisk(): Promise<DiskSpace | undefined>;
  /** Makes and starts the sandbox, or finds the one of this pod and attempt. */
  createSandbox(spec: SandboxSpec): Promise<SandboxState>;
  /** Makes and starts a container in a sandbox, or finds the one of this name and attempt. Rejects with RuntimeError. */
  startContainer(sandboxId: string, spec: ContainerSpec): Promise<ContainerState>;
  /**
   * TERM (or the image's stop signal), then KILL after the grace. Resolves when it has ended. A sandbox's id ends the
   * sandbox: its network goes, and what ran in it can still be read.
   */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  /** Changes the limits of a container while it runs. One that is 0 stays as it is. Rejects with RuntimeError. */
  updateContainer(id: string, limits: CgroupLimits): Promise<void>;
  removeContainer(id: string): Promise<void>;
  /** Kills and removes everything in the sandbox, and the sandbox. */
  removeSandbox(id: string): Promise<void>;
  /** Uids of pods in which something changed; not always for what a call of this client did and answered. Ends when the signal aborts; throws when the engine is lost. */
  changes(signal: AbortSignal): AsyncIterable<string>;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number | undefined;
  readonly sinceMs?: number | undefined;
}

export interface ContainerLogs {
  /** Both streams in the order they were written; ends with the container when it follows. */
  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }>;
}

export interface ExecOptions { readonly command: readonly string[]; readonly stdin: boolean; readonly tty: boolean }

/** A running command or an attached container. */
export interface ExecSession {
  readonly output: AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }>;
  /** Resolves when the bytes are taken. */
  write(data: Uint8Array): Promise<void>;
  closeInput(): void;
  resize(columns: number, rows: number): Promise<void>;
  /** Exit code, once the output has ended. */
  readonly exit: Promise<number>;
  close(): void;
}

export interface ContainerExec {
  exec(id: string, options: ExecOptions): Promise<ExecSession>;
  attach(id: string, options: { readonly stdin: boolean; readonly tty: boolean }): Promise<ExecSession>;
}

/** CPU time since the start, and memory now. The working set is memory less what the kernel could drop at once. */
export interface StatsSample { readonly cpuNanoseconds: number; readonly memoryBytes: number; readonly workingSetBytes: number; readonly atMs: number }

export interface ContainerStats {
  /** Rejects when the container does not run. It is asked for every container again and again: it must cost next to nothing. */
  stats(id: string): Promise<StatsSample>;
  /** Of the whole machine, with the memory that it has. */
  machineStats(): Promise<StatsSample & { readonly capacityBytes: number }>;
  /** What a container wrote on disk beside its volumes. It may take long. */
  writtenBytes(id: string): Promise<number>;
}
