/**
 * SimulatedRuntime is a container engine without containers, on a clock that is passed in: a cluster of many nodes runs in
 * one process, in fake time, with starts that take long, programs that fail and engines that are lost on purpose. It keeps
 * the promises of ContainerRuntime to the letter (test/suites/runtime.ts holds it to that), so that an agent cannot tell.
 */
import { sleep, type Clock } from '../../base/clock.ts';
import type { DiskSpace } from '../disk-space.ts';
import type { PodNetwork } from './pod-network.ts';
import { SimulatedImages } from './simulated-images.ts';
import type { SimulatedImage, SimulatedProgram } from './simulated-program.ts';
import { linesShown, simulatedSession, type LogEntry } from './simulated-session.ts';
import {
  RuntimeError, type CgroupLimits, type ContainerExec, type ContainerLogs, type ContainerRuntime, type ContainerSpec, type ContainerState, type ContainerStats,
  type ExecOptions, type ExecSession, type ImageHealth, type ImageState, type LogOptions, type PullOptions, type RuntimeInfo, type SandboxSpec, type SandboxState, type StatsSample,
} from './runtime.ts';

export interface SimulatedRuntimeOptions {
  readonly clock: Clock;
  /** First two numbers of the pods' addresses: `10.244` by default. */
  readonly addressPrefix?: string;
  readonly cpuCount?: number;
  readonly memoryBytes?: number;
  /** Milliseconds that a sandbox takes to come up; 0 by default. */
  readonly sandboxMs?: number;
}

type State = { -readonly [K in keyof ContainerState]: ContainerState[K] };

interface SimulatedContainer {
  readonly state: State;
  readonly program: SimulatedProgram;
  readonly podUid: string;
  readonly sandboxId: string;
  readonly log: LogEntry[];
  readonly ended: PromiseWithResolvers<void>;
  readonly cancel: AbortController;
  /** CPU time up to the last look at it. */
  used?: { readonly cpuNanoseconds: number; readonly atMs: number };
}

interface SimulatedSandbox { readonly spec: SandboxSpec; readonly id: string; readonly ip: string | undefined; readonly createdAtMs: number; ready: boolean }

/** What a program uses that says nothing of it, and what a machine uses without any: a twentieth of a core (in nanoseconds a millisecond) and 512 MiB. */
const programItself = { cpuMilli: 100, memoryBytes: 16 * 2 ** 20 } as const;
const machineItself = { cpuNanoseconds: 50_000, memoryBytes: 512 * 2 ** 20 } as const;

export class SimulatedRuntime implements ContainerRuntime, ContainerLogs, ContainerExec, ContainerStats {
  /** Reaches the programs of this runtime. */
  readonly network: PodNetwork;
  readonly #options: SimulatedRuntimeOptions;
  readonly #images: SimulatedImages;
  readonly #sandboxes = new Map<string, SimulatedSandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  readonly #listeners = new Set<(uid: string | Error) => void>();
  readonly #startedAtMs: number;
  #count = 0;
  #machineCpu = 0;
  #lost = false;

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options;
    this.#images = new SimulatedImages(options.clock);
    this.#startedAtMs = options.clock.now();
    this.network = {
      httpGet: async ({ host, port, path }) => {
        const status = this.#answer(host, { kind: 'http', port, path });
        if (status === 0) throw new Error(`connect ECONNREFUSED ${host}:${port}`);
        return { status, body: '' };
      },
      tcpConnect: async (host, port) => {
        if (this.#answer(host, { kind: 'tcp', port, path: '' }) === 0) throw new Error(`connect ECONNREFUSED ${host}:${port}`);
      },
      grpcHealth: async ({ host, port, service }) => {
        const status = this.#answer(host, { kind: 'grpc', port, path: service });
        if (status === 0) throw new Error(`connect ECONNREFUSED ${host}:${port}`);
        return status === 200 ? undefined : 'service unhealthy (responded with "NOT_SERVING")';
      },
    };
  }

  /** Says what an image does. Images that were never mentioned are present and run until they are stopped. */
  script(image: string, does: SimulatedImage): void {
    this.#images.script(image, does);
  }

  /** Ends a running container from outside, as `docker kill` would. */
  kill(podUid: string, container: string, exitCode = 137): void {
    for (const one of this.#containers.values()) {
      if (one.podUid === podUid && one.state.name === container && one.state.status === 'running') this.#end(one, exitCode);
    }
  }

  /** Ends a sandbox and what runs in it, as a crash of the engine's helper would. */
  killSandbox(podUid: string): void {
    for (const sandbox of this.#sandboxes.values()) {
      if (sandbox.spec.podUid !== podUid || !sandbox.ready) continue;
      sandbox.ready = false;
      for (const one of this.#within(sandbox.id)) this.#end(one, 137);
      this.#tell(podUid);
    }
  }

  /** The engine does not answer any more; what runs goes on. */
  lose(): void {
    this.#lost = true;
    for (const listener of this.#listeners) listener(this.#unavailable());
  }

  restore(): void {
    this.#lost = false;
  }

  async info(): Promise<RuntimeInfo> {
    this.#check();
    return {
      name: 'simulated', version: '1', cpuCount: this.#options.cpuCount ?? 4, memoryBytes: this.#memoryBytes,
      operatingSystem: 'simulated', kernelVersion: '0', architecture: 'x86_64', storageDriver: 'none', defaultRuntime: 'none', appArmor: true, labels: {},
    };
  }

  async list(): Promise<readonly SandboxState[]> {
    this.#check();
    return [...this.#sandboxes.values()].map((sandbox) => this.#sandboxState(sandbox)).sort((a, b) => a.podUid.localeCompare(b.podUid) || a.attempt - b.attempt);
  }

  async inspect(podUid: string): Promise<readonly SandboxState[]> {
    return (await this.list()).filter((sandbox) => sandbox.podUid === podUid);
  }

  async images(): Promise<readonly ImageState[]> {
    this.#check();
    return this.#images.list();
  }

  async findImage(image: string): Promise<string | undefined> {
    this.#check();
    return this.#images.find(image);
  }

  async imageUser(image: string): Promise<string> {
    this.#check();
    return this.#images.of(image).user ?? '';
  }

  async imageHealth(image: string): Promise<ImageHealth | undefined> {
    this.#check();
    return this.#images.of(image).health;
  }

  async pullImage(image: string, options: PullOptions, signal: AbortSignal): Promise<ImageState> {
    this.#check();
    return this.#images.pull(image, options, signal);
  }

  async imagesInUse(): Promise<ReadonlySet<string>> {
    this.#check();
    return new Set([...this.#containers.values()].map(({ state }) => state.imageId));
  }

  async removeImage(id: string): Promise<void> {
    if ((await this.imagesInUse()).has(id)) throw new RuntimeError('RemoveImageError', `a container is using image ${id}`);
    this.#images.remove(id);
  }

  /** Images that are only pretended are on no disk. */
  async imageDisk(): Promise<DiskSpace | undefined> {
    return undefined;
  }

  /** Nor do pods that are only pretended fill the disk of the machine. */
  async nodeDisk(): Promise<DiskSpace> {
    return { capacityBytes: 2 ** 40, availableBytes: 2 ** 40, inodes: 2 ** 26, inodesFree: 2 ** 26, device: 0 };
  }

  async createSandbox(spec: SandboxSpec): Promise<SandboxState> {
    this.#check();
    const existing = [...this.#sandboxes.values()].find((one) => one.spec.podUid === spec.podUid && one.spec.attempt === spec.attempt);
    if (existing !== undefined) return this.#sandboxState(existing);
    const number = ++this.#count;
    const ip = spec.hostNetwork ? undefined : `${this.#options.addressPrefix ?? '10.244'}.${Math.floor(number / 254)}.${(number % 254) + 1}`;
    const sandbox = { spec, id: `sandbox-${number}`, ip, createdAtMs: this.#options.clock.now(), ready: true };
    this.#sandboxes.set(sandbox.id, sandbox);
    if (this.#options.sandboxMs !== undefined) await sleep(this.#options.clock, this.#options.sandboxMs, new AbortController().signal);
    this.#tell(spec.podUid);
    return this.#sandboxState(sandbox);
  }

  async startContainer(sandboxId: string, spec: ContainerSpec): Promise<ContainerState> {
    this.#check();
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined || !sandbox.ready) throw new RuntimeError('CreateContainerError', `sandbox ${sandboxId} does not run`);
    const existing = this.#within(sandboxId).find((one) => one.state.name === spec.name && one.state.attempt === spec.attempt);
    if (existing !== undefined && existing.state.status !== 'created') return existing.state;
    const imageId = await this.findImage(spec.image);
    if (imageId === undefined) throw new RuntimeError('ErrImagePull', `No such image: ${spec.image}`);
    this.#images.use(spec.image);
    const runs = this.#images.of(spec.image).runs ?? [];
    const program = runs[Math.min(spec.attempt, runs.length - 1)] ?? {};
    const { clock } = this.#options;
    const container: SimulatedContainer = {
      state: {
        id: `container-${++this.#count}`, name: spec.name, attempt: spec.attempt, image: spec.image, imageId, status: 'created',
        createdAtMs: clock.now(), oomKilled: false, limits: spec.limits, labels: spec.labels,
      },
      program, podUid: sandbox.spec.podUid, sandboxId, log: [], ended: Promise.withResolvers(), cancel: new AbortController(),
    };
    this.#containers.set(container.state.id, container);
    if (program.startMs !== undefined) await sleep(clock, program.startMs, container.cancel.signal);
    if (program.startError !== undefined) {
      container.state.error = program.startError;
      this.#end(container, 127);
      throw new RuntimeError('RunContainerError', program.startError);
    }
    container.state.status = 'running';
    container.state.startedAtMs = clock.now();
    for (const { stream, line } of program.output ?? []) container.log.push({ stream, line, atMs: clock.now() });
    if (program.exit !== undefined) {
      const { afterMs, code, oomKilled = false } = program.exit;
      const cancel = clock.after(afterMs, () => {
        container.state.oomKilled = oomKilled;
        this.#end(container, code);
      });
      container.cancel.signal.addEventListener('abort', cancel, { once: true });
    }
    this.#tell(container.podUid);
    return { ...container.state };
  }

  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    this.#check();
    const container = this.#containers.get(id);
    const sandbox = this.#sandboxes.get(id);
    if (sandbox?.ready === true) return this.killSandbox(sandbox.spec.podUid);
    if (container === undefined || container.state.status !== 'running') return;
    const { ignoresTerm = false, termMs = 0, termCode = 143 } = container.program;
    const killed = ignoresTerm || termMs > graceSeconds * 1000 || graceSeconds === 0;
    const waitMs = killed ? graceSeconds * 1000 : termMs;
    if (waitMs > 0) await Promise.race([sleep(this.#options.clock, waitMs, container.cancel.signal), container.ended.promise]);
    this.#end(container, killed ? 137 : termCode);
  }

  async updateContainer(id: string, limits: CgroupLimits): Promise<void> {
    this.#check();
    const { state } = this.#find(id);
    if (state.status !== 'running') throw new RuntimeError('RunContainerError', `container ${id} is not running`);
    state.limits = {
      cpuShares: limits.cpuShares, cpuQuotaMicros: limits.cpuQuotaMicros || (state.limits?.cpuQuotaMicros ?? 0), memoryBytes: limits.memoryBytes || (state.limits?.memoryBytes ?? 0),
    };
  }

  async removeContainer(id: string): Promise<void> {
    this.#check();
    const container = this.#containers.get(id);
    if (container === undefined) return;
    this.#end(container, 137);
    this.#containers.delete(id);
    this.#tell(container.podUid);
  }

  async removeSandbox(id: string): Promise<void> {
    this.#check();
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    sandbox.ready = false;
    for (const one of this.#within(id)) await this.removeContainer(one.state.id);
    this.#sandboxes.delete(id);
    this.#tell(sandbox.spec.podUid);
  }

  async *changes(signal: AbortSignal): AsyncGenerator<string> {
    this.#check();
    const waiting: (string | Error)[] = [];
    let wake = Promise.withResolvers<void>();
    const listener = (change: string | Error): void => {
      waiting.push(change);
      wake.resolve();
    };
    const aborted = (): void => wake.resolve();
    this.#listeners.add(listener);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      while (!signal.aborted) {
        for (let change = waiting.shift(); change !== undefined; change = waiting.shift()) {
          if (typeof change !== 'string') throw change;
          yield change;
        }
        await wake.promise;
        wake = Promise.withResolvers();
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', aborted);
    }
  }

  async *logs(id: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<{ readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }> {
    const container = this.#find(id);
    yield* linesShown(container.log, options);
    if (!options.follow || container.state.status !== 'running') return;
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => aborted.resolve(), { once: true });
    await Promise.race([container.ended.promise, aborted.promise]);
  }

  async exec(id: string, { command, stdin }: ExecOptions): Promise<ExecSession> {
    const container = this.#find(id);
    if (container.state.status !== 'running') throw new RuntimeError('RunContainerError', `container ${id} is not running`);
    return simulatedSession(stdin, (input) => container.program.exec?.(command, input) ?? { stdout: input === '' ? `${command.join(' ')}\n` : input, code: 0 });
  }

  async attach(id: string, { stdin }: { readonly stdin: boolean; readonly tty: boolean }): Promise<ExecSession> {
    const container = this.#find(id);
    if (container.state.status !== 'running') throw new RuntimeError('RunContainerError', `container ${id} is not running`);
    return simulatedSession(stdin, (input) => ({ stdout: input, code: container.state.exitCode ?? 0 }));
  }

  async stats(id: string): Promise<StatsSample> {
    const container = this.#find(id);
    if (container.state.status !== 'running') throw new RuntimeError('RunContainerError', `container ${id} is not running`);
    return this.#sample(container);
  }

  /** What runs here, and the little that a machine needs by itself. */
  async machineStats(): Promise<StatsSample & { readonly capacityBytes: number }> {
    this.#check();
    const atMs = this.#options.clock.now();
    const all = [...this.#containers.values()].filter(({ state }) => state.status === 'running').map((one) => this.#sample(one));
    const { cpuNanoseconds, memoryBytes } = machineItself;
    const memory = all.reduce((sum, one) => sum + one.memoryBytes, memoryBytes);
    this.#machineCpu = Math.max(this.#machineCpu, all.reduce((sum, one) => sum + one.cpuNanoseconds, 0));
    return { cpuNanoseconds: this.#machineCpu + Math.round((atMs - this.#startedAtMs) * cpuNanoseconds), memoryBytes: memory, workingSetBytes: memory, capacityBytes: this.#memoryBytes, atMs };
  }

  async writtenBytes(id: string): Promise<number> {
    return this.#find(id).program.writtenBytes?.() ?? 0;
  }

  get #memoryBytes(): number {
    return this.#options.memoryBytes ?? 8 * 2 ** 30;
  }

  #sample(container: SimulatedContainer): StatsSample {
    const atMs = this.#options.clock.now();
    const used = container.used ?? { cpuNanoseconds: 0, atMs: container.state.startedAtMs ?? atMs };
    const { cpuMilli, memoryBytes } = container.program.usage?.() ?? programItself;
    const cpuNanoseconds = used.cpuNanoseconds + (atMs - used.atMs) * cpuMilli * 1_000;
    container.used = { cpuNanoseconds, atMs };
    return { cpuNanoseconds, memoryBytes, workingSetBytes: memoryBytes, atMs };
  }

  #find(id: string): SimulatedContainer {
    this.#check();
    const container = this.#containers.get(id);
    if (container === undefined) throw new RuntimeError('RunContainerError', `No such container: ${id}`);
    return container;
  }

  #within(sandboxId: string): readonly SimulatedContainer[] {
    return [...this.#containers.values()].filter((one) => one.sandboxId === sandboxId);
  }

  #sandboxState({ spec, id, ip, createdAtMs, ready }: SimulatedSandbox): SandboxState {
    return {
      id, podUid: spec.podUid, podName: spec.podName, podNamespace: spec.podNamespace, attempt: spec.attempt, ready, createdAtMs,
      ip: ready ? ip : undefined, labels: spec.labels,
      containers: this.#within(id).map((one) => ({ ...one.state })).sort((a, b) => a.name.localeCompare(b.name) || a.attempt - b.attempt),
    };
  }

  #end(container: SimulatedContainer, exitCode: number): void {
    if (container.state.status === 'exited') return;
    container.state.status = 'exited';
    container.state.exitCode = exitCode;
    container.state.finishedAtMs = this.#options.clock.now();
    container.cancel.abort();
    container.ended.resolve();
    this.#tell(container.podUid);
  }

  #answer(host: string, probe: { readonly kind: 'http' | 'tcp' | 'grpc'; readonly port: number; readonly path: string }): number {
    const sandbox = [...this.#sandboxes.values()].find((one) => one.ready && one.ip === host);
    const runs = sandbox === undefined ? [] : this.#within(sandbox.id).filter((one) => one.state.status === 'running');
    return runs.reduce((best, one) => Math.max(best, one.program.answers?.(probe) ?? 200), 0);
  }

  #tell(podUid: string): void {
    for (const listener of this.#listeners) listener(podUid);
  }

  #check(): void {
    if (this.#lost) throw this.#unavailable();
  }

  #unavailable(): RuntimeError {
    return new RuntimeError('EngineUnavailable', 'the container engine does not answer');
  }
}
