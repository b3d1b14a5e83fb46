/**
 * Ends pods when the node is short of memory or disk, one at a time, the kubelet's way: what can be freed otherwise goes
 * first, and after each pod the node is looked at again.
 */
import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { warnOfFailure } from '../../client/outage.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { hasEnded, type Verdict } from '../pod-view.ts';
import type { ContainerStats, SandboxState } from '../runtime/runtime.ts';
import type { NodeUsage } from '../usage/usage.ts';
import { diskUsage, evictedFor, evictionOrder, hasStorageLimit, overStorageLimit, type PodStorage, type PodUsage } from './eviction-plan.ts';
import type { NodePressure, Shortage } from './node-pressure.ts';
import { storageOf } from './pod-storage.ts';
import { resourceOf, type MetThreshold } from './thresholds.ts';

/** Kubernetes' times: between two looks, and how long the end of a pod is waited for before the next goes. And how long the API server is waited for. */
const times = { everyMs: 10_000, cleanedUpMs: 30_000, pollMs: 1_000, tellMs: 2_000 } as const;
/** Measuring what pods have on disk costs more than looking at the disk. */
const limitsEveryMs = 60_000;

export interface EvictionsOptions {
  readonly pressure: NodePressure;
  readonly runtime: Pick<ContainerStats, 'writtenBytes'>;
  readonly podsDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The pods of this node that may be evicted: what it has by itself is not among them. */
  readonly pods: () => readonly Pod[];
  readonly sandboxesOf: (pod: Pod) => readonly SandboxState[];
  readonly usage: () => Promise<NodeUsage>;
  /** Removes images that nothing uses. */
  readonly freeImages: () => Promise<void>;
  /** Ends a pod for this reason, and what it has on the node goes with it; false for one that ends already. */
  readonly evict: (pod: Pod, verdict: Verdict) => boolean;
  /** Writes the node's conditions. */
  readonly tellConditions: () => Promise<void>;
  /** Tells a warning of the node. */
  readonly report: (reason: string, message: string) => void;
}

export class Evictions {
  readonly #options: EvictionsOptions;
  #limitsAtMs: number;
  #told = '';

  constructor(options: EvictionsOptions) {
    this.#options = options;
    this.#limitsAtMs = options.clock.now() + limitsEveryMs;
  }

  /** Looks every ten seconds until the signal aborts, and again as soon as a pod has gone. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        const gone = await this.#look();
        if (gone.length > 0) await this.#cleanedUp(gone, signal);
        else await sleep(clock, times.everyMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.warn('the node could not be looked at for pressure', { error });
        await sleep(clock, times.everyMs, signal);
      }
    }
  }

  /** The pods that were ended. */
  async #look(): Promise<readonly Pod[]> {
    const { pressure, clock } = this.#options;
    let shortage = await pressure.look();
    await this.#tell();
    if (clock.now() >= this.#limitsAtMs) {
      this.#limitsAtMs = clock.now() + limitsEveryMs;
      const over = await this.#overLimits();
      if (over.length > 0) return over;
    }
    const [first] = shortage.met;
    if (first === undefined) return [];
    this.#options.report('EvictionThresholdMet', `Attempting to reclaim ${resourceOf(first.signal)}`);
    if (first.signal !== 'memory.available' && (shortage.oneDisk || first.signal.startsWith('imagefs'))) shortage = await this.#afterFreeing(shortage);
    const [short] = shortage.met;
    return short === undefined ? [] : this.#evictOne(short, shortage.oneDisk);
  }

  /** The scheduler should know before a pod's successor looks for a place; a server that does not answer keeps no pod on a node that is short. */
  async #tell(): Promise<void> {
    const { pressure, tellConditions, clock, log } = this.#options;
    const now = [...pressure.conditions].join();
    if (now === this.#told) return;
    const over = new AbortController();
    tellConditions().then(() => { this.#told = now; }, (error: unknown) => warnOfFailure(log, 'what the node is short of could not be told', { error })).finally(() => over.abort());
    await sleep(clock, times.tellMs, over.signal);
  }

  async #afterFreeing(before: Shortage): Promise<Shortage> {
    try {
      await this.#options.freeImages();
    } catch (error) {
      this.#options.log.warn('images could not be cleared away', { error });
      return before;
    }
    return this.#options.pressure.look();
  }

  async #evictOne(short: MetThreshold, oneDisk: boolean): Promise<readonly Pod[]> {
    const { log } = this.#options;
    const usages = short.signal === 'memory.available' ? await this.#memoryUsages() : await this.#diskUsages(short, oneDisk);
    const evicted = evictionOrder(usages, resourceOf(short.signal)).find((usage) => this.#evict(usage.pod, evictedFor(short, usage)));
    if (evicted !== undefined) return [evicted.pod];
    log.warn('the node is short of something and has no pod that may be evicted', { signal: short.signal, available: short.available });
    return [];
  }

  async #overLimits(): Promise<readonly Pod[]> {
    const over: Pod[] = [];
    for (const pod of this.#active().filter(hasStorageLimit)) {
      const storage = await this.#storageOf(pod);
      const verdict = storage === undefined ? undefined : overStorageLimit(pod, storage);
      if (verdict !== undefined && this.#evict(pod, verdict)) over.push(pod);
    }
    return over;
  }

  #evict(pod: Pod, verdict: Verdict): boolean {
    if (!this.#options.evict(pod, verdict)) return false;
    const { namespace, name } = pod.metadata;
    this.#options.log.info('a pod is evicted', { pod: `${namespace ?? ''}/${name ?? ''}`, message: verdict.message });
    return true;
  }

  /** Pods that have something here, and are not about to leave anyway. */
  #active(): readonly Pod[] {
    const { pods, sandboxesOf } = this.#options;
    return pods().filter((pod) => !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined && sandboxesOf(pod).length > 0);
  }

  async #memoryUsages(): Promise<readonly PodUsage[]> {
    const byPod = Map.groupBy((await this.#options.usage()).containers, ({ pod }) => pod.uid);
    return this.#active().map((pod) => {
      const isRunning = this.#options.sandboxesOf(pod).some(({ containers }) => containers.some(({ status }) => status === 'running'));
      const used = byPod.get(pod.metadata.uid ?? '') ?? (isRunning ? undefined : []);
      return {
        pod, used: used?.reduce((all, { sample }) => all + sample.workingSetBytes, 0), containers: new Map(used?.map(({ name, sample }) => [name, sample.workingSetBytes])),
      };
    });
  }

  async #diskUsages({ signal }: MetThreshold, oneDisk: boolean): Promise<readonly PodUsage[]> {
    const usages: PodUsage[] = [];
    for (const pod of this.#active()) usages.push(diskUsage(pod, await this.#storageOf(pod), { signal, oneDisk }));
    return usages;
  }

  async #storageOf(pod: Pod): Promise<PodStorage | undefined> {
    const { sandboxesOf, runtime, podsDir, log } = this.#options;
    try {
      return await storageOf(pod, sandboxesOf(pod), { runtime, podsDir });
    } catch (error) {
      log.debug('what a pod has on disk cannot be measured', { pod: pod.metadata.name, error });
      return undefined;
    }
  }

  async #cleanedUp(pods: readonly Pod[], signal: AbortSignal): Promise<void> {
    const { clock, sandboxesOf } = this.#options;
    const untilMs = clock.now() + times.cleanedUpMs;
    while (!signal.aborted && clock.now() < untilMs && pods.some((pod) => sandboxesOf(pod).length > 0)) await sleep(clock, times.pollMs, signal);
  }
}
