/**
 * DockerRuntime runs pods on a Docker Engine (20.10 and newer; cgroup v1 and v2). A pod is a sandbox container that holds
 * its network (and shared IPC and PID namespaces) and containers that join them.
 *
 * Where the time goes: the engine needs 100 to 300 ms for a pod, nearly all of it in the network namespace, so nothing may
 * be asked that is known already. Labels carry what adoption needs; starts and exits come from the event stream with their
 * times and codes; one filtered listing gives a pod's state, and only a container whose story is not yet told by events is
 * inspected, once. The stream is also ahead of the listing: the engine reports an exit before its listings show it.
 */
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import type { RunCommand } from '../../base/commands.ts';
import type { Log } from '../../base/log.ts';
import type { DiskSpace } from '../disk-space.ts';
import { readMachine } from './cgroup-usage.ts';
import { connectDocker } from './docker-client.ts';
import { isMissing, runtimeError, statusOf } from './docker-errors.ts';
import { gatedRequest } from './docker-gate.ts';
import { engineEvents, type EngineEvent } from './docker-events.ts';
import { DockerImages } from './docker-images.ts';
import { runtimeInfo } from './docker-info.ts';
import { joinedFrom, type Joined } from './docker-joined.ts';
import { isToldBy, knownFrom, labels, namesOf, podOf, sandboxStates, type KnownState } from './docker-labels.ts';
import { containerRequest, limitsIn, resourceRequest, sandboxRequest } from './docker-specs.ts';
import { DockerStats } from './docker-stats.ts';
import { DockerSessions } from './docker-sessions.ts';
import type { Output } from './docker-streams.ts';
import {
  type CgroupLimits, type ContainerExec, type ContainerLogs, type ContainerRuntime, type ContainerSpec, type ContainerState, type ContainerStats,
  type ExecOptions, type ExecSession, type ImageHealth, type ImageState, type LogOptions, type PullOptions, type RuntimeInfo, type SandboxSpec, type SandboxState, type StatsSample,
} from './runtime.ts';
import { WarmSandboxes } from './warm-sandboxes.ts';

export interface DockerRuntimeOptions {
  /** `unix:///var/run/docker.sock` or `http://host:port`; the usual socket where absent. */
  readonly dockerHost?: string | undefined;
  /** Written on all that this runtime makes; it sees nothing else. */
  readonly owner: string;
  /** The engine network that sandboxes join. */
  readonly network: string;
  readonly clock: Clock;
  /** Needed to make sandboxes ahead of pods. */
  readonly ahead?: {
    /** Folder for the program through which containers of such sandboxes start. */
    readonly dir: string;
    readonly run: RunCommand;
    readonly log: Log;
  };
}

interface Created {
  readonly container: Docker.Container;
  readonly ran: boolean;
  /** Of one that was there. */
  readonly limits?: CgroupLimits;
}

interface RowFilter { readonly label?: readonly string[]; readonly name?: readonly string[] }

export class DockerRuntime implements ContainerRuntime, ContainerLogs, ContainerExec, ContainerStats {
  readonly #docker: Docker;
  readonly #images: DockerImages;
  readonly #stats: DockerStats;
  readonly #options: DockerRuntimeOptions;
  readonly #known = new Map<string, KnownState>();
  /** Namespaces of the sandboxes that this process made; others are asked for once. */
  readonly #joined = new Map<string, Joined>();
  readonly #sessions: DockerSessions;
  /** Sandboxes that wait for pods; empty until somebody keeps them. */
  readonly warm: WarmSandboxes;
  /** Ids that this client started and of whose start the engine has not told yet. */
  readonly #started = new Set<string>();
  #sinceSeconds: number;

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#docker = connectDocker(options.dockerHost);
    const isLocal = options.dockerHost?.startsWith('unix://') ?? true;
    this.#images = new DockerImages(this.#docker, { isLocal });
    this.#stats = new DockerStats(this.#docker, { clock: options.clock, isLocal });
    this.#sessions = new DockerSessions(this.#docker, options.clock);
    this.warm = new WarmSandboxes({ ...options.ahead, docker: this.#docker, clock: options.clock, owner: options.owner, network: options.network, isLocal, image: () => this.#images.pause() });
    this.#sinceSeconds = Math.floor(options.clock.now() / 1000);
  }

  async info(): Promise<RuntimeInfo> {
    try {
      return runtimeInfo(await this.#docker.info() as Record<string, unknown>);
    } catch (error) {
      throw runtimeError('EngineUnavailable', error);
    }
  }

  list(): Promise<readonly SandboxState[]> {
    return this.#states({});
  }

  async inspect(podUid: string): Promise<readonly SandboxState[]> {
    return (await this.#states({ name: [namesOf(podUid)] })).filter((sandbox) => sandbox.podUid === podUid);
  }

  images(): Promise<readonly ImageState[]> {
    return this.#images.list();
  }

  findImage(image: string): Promise<string | undefined> {
    return this.#images.find(image);
  }

  imageUser(image: string): Promise<string> {
    return this.#images.user(image);
  }

  imageHealth(image: string): Promise<ImageHealth | undefined> {
    return this.#images.health(image);
  }

  pullImage(image: string, options: PullOptions, signal: AbortSignal): Promise<ImageState> {
    return this.#images.pull(image, options, signal);
  }

  imagesInUse(): Promise<ReadonlySet<string>> {
    return this.#images.inUse();
  }

  removeImage(id: string): Promise<void> {
    return this.#images.remove(id);
  }

  imageDisk(): Promise<DiskSpace | undefined> {
    return this.#images.disk();
  }

  createSandbox(spec: SandboxSpec): Promise<SandboxState> {
    return this.warm.during(async () => {
      try {
        return await this.#takeWarm(spec) ?? await this.#newSandbox(spec);
      } catch (error) {
        throw runtimeError('CreatePodSandboxError', error);
      }
    });
  }

  async #takeWarm(spec: SandboxSpec): Promise<SandboxState | undefined> {
    const warm = await this.warm.take(spec);
    if (warm === undefined) return undefined;
    const { podUid, podName, podNamespace, attempt } = spec;
    const { id, createdAtMs, ip, givenHostname } = warm;
    this.#known.set(id, { startedAtMs: createdAtMs });
    this.#joined.set(id, { podUid, podName, podNamespace, hostPid: false, sharePid: false, hostIpc: false, givenHostname });
    return { id, podUid, podName, podNamespace, attempt, ready: true, createdAtMs, ip, labels: {}, containers: [] };
  }

  async #newSandbox(spec: SandboxSpec): Promise<SandboxState> {
    await this.#images.pause();
    const { container, ran } = await this.#created(sandboxRequest(spec, this.#options), 'sandbox');
    try {
      if (!ran) await this.#start(container);
    } catch (error) {
      // What cannot be started must not stand in the way of the next attempt.
      await this.#remove(container.id);
      throw error;
    }
    const inspected = await container.inspect();
    this.#known.set(container.id, knownFrom(inspected));
    this.#joined.set(container.id, joinedFrom(inspected));
    const ip = Object.values(inspected.NetworkSettings.Networks).map((network) => network.IPAddress).find((address) => address !== '');
    return {
      id: container.id, podUid: spec.podUid, podName: spec.podName, podNamespace: spec.podNamespace, attempt: spec.attempt,
      ready: inspected.State.Running, createdAtMs: Date.parse(inspected.Created), ip, labels: inspected.Config.Labels, containers: [],
    };
  }

  startContainer(sandboxId: string, spec: ContainerSpec): Promise<ContainerState> {
    return this.warm.during(() => this.#startContainer(sandboxId, spec));
  }

  async #startContainer(sandboxId: string, spec: ContainerSpec): Promise<ContainerState> {
    let container;
    let ran;
    let limits;
    let gated;
    try {
      const joined = await this.#join(sandboxId);
      const request = containerRequest(spec, { ...joined, sandboxId, owner: this.#options.owner });
      gated = joined.givenHostname !== undefined;
      ({ container, ran, limits = spec.limits } = await this.#created(joined.givenHostname === undefined ? request : gatedRequest(request, {
        file: await this.warm.gate(), givenHostname: joined.givenHostname, hostname: spec.hostname, messagePath: spec.messagePath ?? '/dev/null', image: await this.#images.program(spec.image),
      }), 'container'));
    } catch (error) {
      throw runtimeError(isMissing(error) ? 'ErrImagePull' : 'CreateContainerError', error);
    }
    try {
      const createdAtMs = this.#options.clock.now();
      const imageId = await this.#images.find(spec.image) ?? '';
      if (ran) this.#known.set(container.id, knownFrom(await container.inspect()));
      else await this.#start(container);
      if (gated) await this.#name(container.id);
      const told = this.#known.get(container.id);
      const startedAtMs = told?.startedAtMs ?? this.#options.clock.now();
      const known = { ...told, startedAtMs, limits: told?.limits ?? limits };
      this.#known.set(container.id, known);
      return {
        id: container.id, name: spec.name, attempt: spec.attempt, image: spec.image, imageId,
        status: known.exitCode === undefined ? 'running' : 'exited', createdAtMs, startedAtMs, finishedAtMs: known.finishedAtMs, exitCode: known.exitCode,
        oomKilled: known.oomKilled ?? false, limits: known.limits, labels: spec.labels,
      };
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
  }

  /** The container waits for its host name; one that cannot be given it must not wait for ever. */
  async #name(id: string): Promise<void> {
    try {
      await this.warm.name(id);
    } catch (error) {
      await this.#docker.getContainer(id).kill({ signal: 'SIGKILL' }).catch(() => undefined);
      throw error;
    }
  }

  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    const container = this.#docker.getContainer(id);
    try {
      if (graceSeconds > 0) return await container.stop({ t: Math.ceil(graceSeconds) });
      await container.kill({ signal: 'SIGKILL' });
      await container.wait();
    } catch (error) {
      // 304: it had ended; 409: it is not running.
      if (![304, 404, 409].includes(statusOf(error) ?? 0)) throw runtimeError('RunContainerError', error);
    }
  }

  async updateContainer(id: string, limits: CgroupLimits): Promise<void> {
    try {
      await this.#docker.getContainer(id).update(resourceRequest(limits));
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
    const known = this.#known.get(id);
    // What stays as it is is the engine's to tell.
    if (known !== undefined) this.#known.set(id, { ...known, limits: undefined });
  }

  async removeContainer(id: string): Promise<void> {
    await this.#remove(id);
  }

  async removeSandbox(id: string): Promise<void> {
    const rows = await this.#rows({ label: [`${labels.sandbox}=${id}`] });
    await Promise.all(rows.map((row) => this.#remove(row.Id)));
    if (this.#joined.get(id)?.givenHostname === undefined || !await this.warm.retire(id)) await this.#remove(id);
    this.#joined.delete(id);
  }

  async *changes(signal: AbortSignal): AsyncGenerator<string> {
    for await (const event of engineEvents(this.#docker, this.#sinceSeconds, signal)) {
      this.#sinceSeconds = Math.max(this.#sinceSeconds, event.time);
      if (event.Type === 'image') {
        this.#images.forget();
        continue;
      }
      if (event.Actor.Attributes[labels.owner] !== this.#options.owner) continue;
      this.#note(event);
      // What this client started it was told of by the answer; a second look would cost each pod two listings.
      if (event.Action === 'start' && this.#started.delete(event.Actor.ID)) continue;
      const { [labels.hostname]: hostname, [labels.warm]: warm, name = '' } = event.Actor.Attributes;
      // Somebody else started it; the next listing gives it its host name.
      if (event.Action === 'start' && hostname !== undefined) this.#known.delete(event.Actor.ID);
      const uid = podOf({ name, labels: event.Actor.Attributes })?.podUid;
      if (uid === undefined && warm !== undefined && event.Action !== 'start') this.warm.lost(event.Actor.ID);
      if (uid !== undefined && event.Action !== 'oom') yield uid;
    }
  }

  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<Output> {
    return this.#sessions.logs(id, options, signal);
  }

  exec(id: string, options: ExecOptions): Promise<ExecSession> {
    return this.#sessions.exec(id, options);
  }

  attach(id: string, options: { readonly stdin: boolean; readonly tty: boolean }): Promise<ExecSession> {
    return this.#sessions.attach(id, options);
  }

  async stats(id: string): Promise<StatsSample> {
    try {
      return await this.#stats.sample(id);
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
  }

  async machineStats(): Promise<StatsSample & { readonly capacityBytes: number }> {
    return readMachine(this.#options.clock.now());
  }

  writtenBytes(id: string): Promise<number> {
    return this.#stats.written(id);
  }

  /** Makes a container, or finds the one of that name: the name holds pod, container and attempt. One that ran stays as it is. */
  async #created(request: Docker.ContainerCreateOptions, type: 'sandbox' | 'container'): Promise<Created> {
    try {
      return { container: await this.#docker.createContainer(request), ran: false };
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
      const existing = await this.#docker.getContainer(request.name ?? '').inspect();
      const own = existing.Config.Labels;
      const pod = podOf({ name: existing.Name, labels: own });
      if (own[labels.owner] !== this.#options.owner || own[labels.type] !== type || pod?.podUid !== request.Labels?.[labels.podUid]) throw error;
      return { container: this.#docker.getContainer(existing.Id), ran: existing.State.Status !== 'created', limits: limitsIn(existing.HostConfig) };
    }
  }

  async #join(sandboxId: string): Promise<Joined> {
    const known = this.#joined.get(sandboxId);
    if (known !== undefined) return known;
    const joined = joinedFrom(await this.#docker.getContainer(sandboxId).inspect());
    this.#joined.set(sandboxId, joined);
    return joined;
  }

  async #rows({ label = [], name }: RowFilter): Promise<readonly Docker.ContainerInfo[]> {
    try {
      return await this.#docker.listContainers({ all: true, filters: { label: [`${labels.owner}=${this.#options.owner}`, ...label], ...(name === undefined ? {} : { name: [...name] }) } });
    } catch (error) {
      throw runtimeError('EngineUnavailable', error);
    }
  }

  async #states(filter: RowFilter): Promise<readonly SandboxState[]> {
    const rows = await this.#rows(filter);
    const gone = new Set<string>();
    await Promise.all(rows.filter((row) => !isToldBy(row, this.#known.get(row.Id))).map(async (row) => {
      try {
        const inspected = await this.#docker.getContainer(row.Id).inspect();
        // An exit that was reported meanwhile is newer than the answer.
        if (this.#known.get(row.Id)?.exitCode === undefined) this.#known.set(row.Id, knownFrom(inspected));
        // Whoever started it may have died before it had its host name.
        if (inspected.State.Running && row.Labels[labels.hostname] !== undefined) await this.#name(row.Id).catch(() => undefined);
      } catch (error) {
        if (!isMissing(error)) throw runtimeError('EngineUnavailable', error);
        gone.add(row.Id);
      }
    }));
    return sandboxStates(rows.filter((row) => !gone.has(row.Id)), this.#known);
  }

  #note(event: EngineEvent): void {
    const { ID: id, Attributes: attributes } = event.Actor;
    const atMs = Math.floor(event.timeNano / 1e6);
    const before = this.#known.get(id);
    switch (event.Action) {
      case 'start':
        this.#known.set(id, { startedAtMs: atMs, limits: before?.limits });
        break;
      case 'oom':
        this.#known.set(id, { ...before, oomKilled: true });
        break;
      case 'die':
        this.#known.set(id, { ...before, finishedAtMs: atMs, exitCode: Number(attributes['exitCode'] ?? 137), oomKilled: before?.oomKilled ?? false });
        break;
      case 'destroy':
        this.#known.delete(id);
        this.#stats.forget(id);
        break;
      default:
    }
  }

  async #start(container: Docker.Container): Promise<void> {
    this.#started.add(container.id);
    try {
      await container.start();
    } catch (error) {
      this.#started.delete(container.id);
      throw error;
    }
  }

  async #remove(id: string): Promise<void> {
    try {
      await this.#docker.getContainer(id).remove({ force: true, v: true });
    } catch (error) {
      // 409: another call removes it already.
      if (!isMissing(error) && statusOf(error) !== 409) throw runtimeError('EngineUnavailable', error);
    }
    this.#known.delete(id);
    this.#stats.forget(id);
    this.#started.delete(id);
  }
}
