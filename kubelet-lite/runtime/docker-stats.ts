import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { runtimeError } from './docker-errors.ts';
import { placeIn, readCgroup, workingSet, type CgroupPlace } from './cgroup-usage.ts';
import type { StatsSample } from './runtime.ts';

/** The members of the engine's stats that are read here; null where a cgroup has no such counter. */
export interface EngineStats {
  readonly read: string;
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
}

/** A sample out of the engine's own statistics. cgroup v1 calls the pages that may be dropped total_inactive_file, v2 inactive_file. */
export const sampleFrom = (stats: EngineStats): StatsSample => {
  const memoryBytes = stats.memory_stats?.usage ?? 0;
  const files = stats.memory_stats?.stats ?? {};
  const inactive = files['total_inactive_file'] ?? files['inactive_file'] ?? 0;
  return {
    cpuNanoseconds: stats.cpu_stats?.cpu_usage?.total_usage ?? 0,
    memoryBytes,
    workingSetBytes: workingSet(memoryBytes, inactive),
    atMs: Date.parse(stats.read),
  };
};

/**
 * Samples of containers: from the kernel's files, which are found once for each container by its first process; from the
 * engine where it is on another machine, or where its cgroups are not in this file system.
 */
export class DockerStats {
  readonly #docker: Docker;
  readonly #clock: Clock;
  readonly #isLocal: boolean;
  /** `engine` for a container whose files are not here. */
  readonly #places = new Map<string, CgroupPlace | 'engine'>();

  constructor(docker: Docker, { clock, isLocal }: { readonly clock: Clock; readonly isLocal: boolean }) {
    this.#docker = docker;
    this.#clock = clock;
    this.#isLocal = isLocal;
  }

  /** Rejects with the engine's error when there is no such container. */
  async sample(id: string): Promise<StatsSample> {
    const place = this.#places.get(id) ?? await this.#find(id);
    if (place !== 'engine') {
      try {
        return readCgroup(place, this.#clock.now());
      } catch {
        // It has ended, or started again with another process: the engine knows.
        this.#places.delete(id);
      }
    }
    const stats = await this.#docker.getContainer(id).stats({ stream: false, 'one-shot': true }) as unknown as EngineStats;
    // Of a container that has ended the engine gives zeros.
    if (stats.memory_stats?.usage === undefined) throw new Error(`container ${id} is not running`);
    return sampleFrom(stats);
  }

  /** The engine looks through all that the container wrote. */
  async written(id: string): Promise<number> {
    try {
      // dockerode's types do not know of the question.
      const { SizeRw: bytes } = await this.#docker.getContainer(id).inspect({ size: true } as Docker.ContainerInspectOptions) as { readonly SizeRw?: number };
      return bytes ?? 0;
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
  }

  forget(id: string): void {
    this.#places.delete(id);
  }

  async #find(id: string): Promise<CgroupPlace | 'engine'> {
    if (!this.#isLocal) return 'engine';
    const { State: { Pid: pid } } = await this.#docker.getContainer(id).inspect();
    const place = (pid > 0 ? placeOf(pid, id) : undefined) ?? 'engine';
    this.#places.set(id, place);
    return place;
  }
}

const placeOf = (pid: number, id: string): CgroupPlace | undefined => {
  try {
    const place = placeIn(readFileSync(`/proc/${pid}/cgroup`, 'latin1'), id);
    if (place !== undefined) readCgroup(place, 0);
    return place;
  } catch {
    return undefined;
  }
};
