/** What a node is short of, as it was last looked at. */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { DiskSpace } from '../disk-space.ts';
import type { ContainerRuntime, ContainerStats } from '../runtime/runtime.ts';
import { heldConditions, lastMetAfter, metThresholds, type LastMet, type MetThreshold, type Observation, type PressureCondition, type Signal, type Threshold } from './thresholds.ts';

export interface NodePressureOptions {
  readonly runtime: Pick<ContainerStats, 'machineStats'> & Pick<ContainerRuntime, 'imageDisk'>;
  /** Memory of the engine's machine. */
  readonly memoryBytes: number;
  /** Where pods' volumes are. */
  readonly nodeDisk: () => Promise<DiskSpace>;
  readonly thresholds: readonly Threshold[];
  readonly transitionMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Shortage {
  readonly met: readonly MetThreshold[];
  /** Whether images and volumes are on one disk. */
  readonly oneDisk: boolean;
}

export class NodePressure {
  readonly #options: NodePressureOptions;
  #lastMet: LastMet = new Map();
  #conditions: ReadonlySet<PressureCondition> = new Set();

  constructor(options: NodePressureOptions) {
    this.#options = options;
  }

  get conditions(): ReadonlySet<PressureCondition> {
    return this.#conditions;
  }

  /** Looks at the machine. What cannot be seen, as on an engine that is elsewhere, is not short. */
  async look(): Promise<Shortage> {
    const { runtime, nodeDisk, thresholds, transitionMs, clock } = this.#options;
    const [memory, node, images] = await Promise.all([this.#seen('memory', () => this.#memory()), this.#seen('disk', nodeDisk), this.#seen('image disk', () => runtime.imageDisk())]);
    const observed = new Map<Signal, Observation>([...(memory === undefined ? [] : [['memory.available', memory] as const]), ...ofDisk('nodefs', node), ...ofDisk('imagefs', images)]);
    const met = metThresholds(thresholds, observed);
    const nowMs = clock.now();
    this.#lastMet = lastMetAfter(this.#lastMet, met, nowMs);
    this.#conditions = heldConditions(this.#lastMet, nowMs, transitionMs);
    return { met, oneDisk: node !== undefined && node.device === images?.device };
  }

  async #memory(): Promise<Observation | undefined> {
    const { runtime, memoryBytes } = this.#options;
    const { capacityBytes, workingSetBytes } = await runtime.machineStats();
    // Else the containers are on another machine than this one, whose memory was read.
    return capacityBytes === memoryBytes ? { capacity: capacityBytes, available: Math.max(0, capacityBytes - workingSetBytes) } : undefined;
  }

  async #seen<T>(what: string, look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      this.#options.log.debug(`the ${what} of the node cannot be seen`, { error });
      return undefined;
    }
  }
}

/** A file system that does not count something has 0 of it. */
const ofDisk = (name: 'nodefs' | 'imagefs', disk: DiskSpace | undefined): readonly (readonly [Signal, Observation])[] => [
  ...(disk === undefined || disk.capacityBytes === 0 ? [] : [[`${name}.available`, { capacity: disk.capacityBytes, available: disk.availableBytes }] as const]),
  ...(disk === undefined || disk.inodes === 0 ? [] : [[`${name}.inodesFree`, { capacity: disk.inodes, available: disk.inodesFree }] as const]),
];
