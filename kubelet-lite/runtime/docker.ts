/**
 * DockerRuntime runs pods on a Docker Engine (20.10 and newer; cgroup v1 and v2). A pod is a sandbox container that holds
 * its network (and shared IPC and PID namespaces) and containers that join them.
 *
 * Where the time goes: the engine needs 100 to 300 ms for a pod, nearly all of it in the network namespace, so nothing may
 * be asked that is known already. Labels carry what adoption needs; starts and exits come from the event stream with their
 * times and codes; one filtered listing gives a pod's state, and only a container whose story is not yet told by events is
 * inspected, once. The stream is also ahead of the listing: the engine reports an exit before its listings show it.
 */
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { sleep, type Clock } from '../../base/clock.ts';
import { readMachine } from './cgroup-usage.ts';
import { connectDocker } from './docker-client.ts';
import { isMissing, runtimeError, statusOf } from './docker-errors.ts';
import { engineEvents, type EngineEvent } from './docker-events.ts';
import { DockerImages } from './docker-images.ts';
import { isToldBy, knownFrom, labels, sandboxStates, type KnownState } from './docker-labels.ts';
import { containerRequest, sandboxRequest } from './docker-specs.ts';
import { DockerStats } from './docker-stats.ts';
import { demultiplex, plain, sessionOver, type Output } from './docker-streams.ts';
import {
  RuntimeError, type ContainerExec, type ContainerLogs, type ContainerRuntime, type ContainerSpec, type ContainerState, type ContainerStats,
  type ExecOptions, type ExecSession, type ImageState, type LogOptions, type PullOptions, type RuntimeInfo, type SandboxSpec, type SandboxState, type StatsSample,
} from './runtime.ts';

export interface DockerRuntimeOptions {
  /** `unix:///var/run/docker.sock` or `http://host:port`; the usual socket where absent. */
  readonly dockerHost?: string | undefined;
  /** Written on all that this runtime makes; it sees nothing else. */
  readonly owner: string;
  /** The engine network that sandboxes join. */
  readonly network: string;
  readonly clock: Clock;
}

interface Namespaces { readonly hostPid: boolean; readonly sharePid: boolean; readonly hostIpc: boolean }

/** An exit code is there a moment after the output has ended. */
const exitWaitMs = [0, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

export class DockerRuntime implements ContainerRuntime, ContainerLogs, ContainerExec, ContainerStats {
  readonly #docker: Docker;
  readonly #images: DockerImages;
  readonly #stats: DockerStats;
  readonly #options: DockerRuntimeOptions;
  readonly #known = new Map<string, KnownState>();
  /** Namespaces of the sandboxes that this process made; others are asked for once. */
  readonly #namespaces = new Map<string, Namespaces & { readonly podUid: string; readonly podName: string; readonly podNamespace: string }>();
  /** Ids that this client started and of whose start the engine has not told yet. */
  readonly #started = new Set<string>();
  #sinceSeconds: number;

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#docker = connectDocker(options.dockerHost);
    this.#images = new DockerImages(this.#docker);
    this.#stats = new DockerStats(this.#docker, { clock: options.clock, isLocal: options.dockerHost?.startsWith('unix://') ?? true });
    this.#sinceSeconds = Math.floor(options.clock.now() / 1000);
  }

  async info(): Promise<RuntimeInfo> {
    try {
      const info = await this.#docker.info() as Record<string, unknown>;
      const text = (name: string): string => String(info[name] ?? '');
      const engineLabels = Array.isArray(info['Labels']) ? info['Labels'].map((label) => String(label).split('=')) : [];
      return {
        name: 'docker', version: text('ServerVersion'), cpuCount: Number(info['NCPU']), memoryBytes: Number(info['MemTotal']),
        operatingSystem: text('OperatingSystem'), kernelVersion: text('KernelVersion'), architecture: text('Architecture'),
        storageDriver: text('Driver'), defaultRuntime: text('DefaultRuntime'), labels: Object.fromEntries(engineLabels.map(([key, ...value]) => [key ?? '', value.join('=')])),
      };
    } catch (error) {
      throw runtimeError('EngineUnavailable', error);
    }
  }

  list(): Promise<readonly SandboxState[]> {
    return this.#states([]);
  }

  inspect(podUid: string): Promise<readonly SandboxState[]> {
    return this.#states([`${labels.podUid}=${podUid}`]);
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

  pullImage(image: string, options: PullOptions, signal: AbortSignal): Promise<string> {
    return this.#images.pull(image, options, signal);
  }

  async createSandbox(spec: SandboxSpec): Promise<SandboxState> {
    try {
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
      this.#namespaces.set(container.id, { podUid: spec.podUid, podName: spec.podName, podNamespace: spec.podNamespace, hostPid: spec.hostPid, sharePid: spec.sharePid, hostIpc: spec.hostIpc });
      const ip = Object.values(inspected.NetworkSettings.Networks).map((network) => network.IPAddress).find((address) => address !== '');
      return {
        id: container.id, podUid: spec.podUid, podName: spec.podName, podNamespace: spec.podNamespace, attempt: spec.attempt,
        ready: inspected.State.Running, createdAtMs: Date.parse(inspected.Created), ip, labels: inspected.Config.Labels, containers: [],
      };
    } catch (error) {
      throw runtimeError('CreatePodSandboxError', error);
    }
  }

  async startContainer(sandboxId: string, spec: ContainerSpec): Promise<ContainerState> {
    let container;
    let ran;
    try {
      const pod = await this.#pod(sandboxId);
      ({ container, ran } = await this.#created(containerRequest(spec, { ...pod, sandboxId, owner: this.#options.owner }), 'container'));
    } catch (error) {
      throw runtimeError(isMissing(error) ? 'ErrImagePull' : 'CreateContainerError', error);
    }
    try {
      const createdAtMs = this.#options.clock.now();
      const imageId = await this.#images.find(spec.image) ?? '';
      if (ran) this.#known.set(container.id, knownFrom(await container.inspect()));
      else await this.#start(container);
      const known = this.#known.get(container.id);
      const startedAtMs = known?.startedAtMs ?? this.#options.clock.now();
      if (known === undefined) this.#known.set(container.id, { startedAtMs });
      return {
        id: container.id, name: spec.name, attempt: spec.attempt, image: spec.image, imageId,
        status: known?.exitCode === undefined ? 'running' : 'exited', createdAtMs, startedAtMs, finishedAtMs: known?.finishedAtMs, exitCode: known?.exitCode,
        oomKilled: known?.oomKilled ?? false, labels: spec.labels,
      };
    } catch (error) {
      throw runtimeError('RunContainerError', error);
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

  async removeContainer(id: string): Promise<void> {
    await this.#remove(id);
  }

  async removeSandbox(id: string): Promise<void> {
    const rows = await this.#rows([`${labels.sandbox}=${id}`]);
    await Promise.all(rows.map((row) => this.#remove(row.Id)));
    await this.#remove(id);
    this.#namespaces.delete(id);
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
      const uid = event.Actor.Attributes[labels.podUid];
      if (uid !== undefined && event.Action !== 'oom') yield uid;
    }
  }

  async *logs(id: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<Output> {
    try {
      const container = this.#docker.getContainer(id);
      const { Config: { Tty: tty } } = await container.inspect();
      const query = {
        stdout: true, stderr: true, timestamps: options.timestamps, abortSignal: signal,
        ...(options.tailLines === undefined ? {} : { tail: options.tailLines }),
        ...(options.sinceMs === undefined ? {} : { since: (options.sinceMs / 1000).toFixed(3) as unknown as number }),
      };
      const source = options.follow
        ? await container.logs({ ...query, follow: true }) as unknown as AsyncIterable<Uint8Array>
        : [await container.logs({ ...query, follow: false })] as unknown as AsyncIterable<Uint8Array>;
      yield* (tty ? plain : demultiplex)(source);
    } catch (error) {
      if (!signal.aborted) throw runtimeError('RunContainerError', error);
    }
  }

  async exec(id: string, options: ExecOptions): Promise<ExecSession> {
    try {
      const exec = await this.#docker.getContainer(id).exec({
        Cmd: [...options.command], AttachStdin: options.stdin, AttachStdout: true, AttachStderr: true, Tty: options.tty,
      });
      const socket = await exec.start({ hijack: true, stdin: options.stdin, Tty: options.tty }) as Duplex;
      return sessionOver(socket, {
        tty: options.tty,
        resize: async (columns, rows) => {
          await exec.resize({ w: columns, h: rows }).catch(() => undefined);
        },
        exitCode: () => this.#exitCode(async () => {
          const { Running, ExitCode } = await exec.inspect();
          return Running ? undefined : (ExitCode ?? undefined);
        }),
      });
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
  }

  async attach(id: string, options: { readonly stdin: boolean; readonly tty: boolean }): Promise<ExecSession> {
    try {
      const container = this.#docker.getContainer(id);
      const socket = await container.attach({ stream: true, stdin: options.stdin, stdout: true, stderr: true, hijack: true }) as Duplex;
      // Who attaches to a container that has ended would wait for its next start.
      if (!(await container.inspect()).State.Running) {
        socket.destroy();
        throw new RuntimeError('RunContainerError', `container ${id} is not running`);
      }
      return sessionOver(socket, {
        tty: options.tty,
        resize: async (columns, rows) => {
          await container.resize({ w: columns, h: rows }).catch(() => undefined);
        },
        // Attaching ends when either side stops, and says nothing of the container: it may well go on.
        exitCode: async () => 0,
      });
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
  }

  async stats(id: string): Promise<StatsSample> {
    try {
      return await this.#stats.sample(id);
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
  }

  async machineStats(): Promise<StatsSample> {
    return readMachine(this.#options.clock.now());
  }

  /** Makes a container, or finds the one of that name: the name holds pod, container and attempt. One that ran stays as it is. */
  async #created(request: Docker.ContainerCreateOptions, type: 'sandbox' | 'container'): Promise<{ readonly container: Docker.Container; readonly ran: boolean }> {
    try {
      return { container: await this.#docker.createContainer(request), ran: false };
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
      const existing = await this.#docker.getContainer(request.name ?? '').inspect();
      const own = existing.Config.Labels;
      if (own[labels.owner] !== this.#options.owner || own[labels.type] !== type || own[labels.podUid] !== request.Labels?.[labels.podUid]) throw error;
      return { container: this.#docker.getContainer(existing.Id), ran: existing.State.Status !== 'created' };
    }
  }

  async #pod(sandboxId: string): Promise<Namespaces & { readonly podUid: string; readonly podName: string; readonly podNamespace: string }> {
    const known = this.#namespaces.get(sandboxId);
    if (known !== undefined) return known;
    const { Config: { Labels: own }, HostConfig: host } = await this.#docker.getContainer(sandboxId).inspect();
    const pod = {
      podUid: own[labels.podUid] ?? '', podName: own[labels.podName] ?? '', podNamespace: own[labels.podNamespace] ?? '',
      hostPid: host.PidMode === 'host', hostIpc: host.IpcMode === 'host', sharePid: own[labels.sharePid] === 'true',
    };
    this.#namespaces.set(sandboxId, pod);
    return pod;
  }

  async #rows(filters: readonly string[]): Promise<readonly Docker.ContainerInfo[]> {
    try {
      return await this.#docker.listContainers({ all: true, filters: { label: [`${labels.owner}=${this.#options.owner}`, ...filters] } });
    } catch (error) {
      throw runtimeError('EngineUnavailable', error);
    }
  }

  async #states(filters: readonly string[]): Promise<readonly SandboxState[]> {
    const rows = await this.#rows(filters);
    const gone = new Set<string>();
    await Promise.all(rows.filter((row) => !isToldBy(row, this.#known.get(row.Id))).map(async (row) => {
      try {
        const known = knownFrom(await this.#docker.getContainer(row.Id).inspect());
        // An exit that was reported meanwhile is newer than the answer.
        if (this.#known.get(row.Id)?.exitCode === undefined) this.#known.set(row.Id, known);
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
        this.#known.set(id, { startedAtMs: atMs });
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

  async #exitCode(ask: () => Promise<number | undefined>): Promise<number> {
    const never = new AbortController().signal;
    for (const waitMs of exitWaitMs) {
      if (waitMs > 0) await sleep(this.#options.clock, waitMs, never);
      const code = await ask();
      if (code !== undefined) return code;
    }
    throw new RuntimeError('RunContainerError', 'the engine gave no exit code');
  }
}
