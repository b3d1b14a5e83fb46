/**
 * The pods that a node has by itself: the files of its folder on one side, workers on the other. Nothing here asks the
 * server. Of one name one pod runs at a time: another content of a file waits until the pod that it was has ended.
 */
import { rfc3339 } from '../../base/clock.ts';
import { keyOf, keyText } from '../../client/key.ts';
import { graceSecondsOf } from '../../schemas/grace.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodStatus } from '../../schemas/types/pod-status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { PodRecord } from '../pod-record.ts';
import type { PodWorkers } from '../pod-workers.ts';

export interface StaticPodsOptions {
  readonly workers: Pick<PodWorkers, 'addStatic' | 'update' | 'forget'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a pod came, went, or has another status. */
  readonly changed: () => void;
}

/** A pod that runs, and what is to run when it has ended. */
interface Running {
  readonly record: StaticRecord;
  next: Pod | undefined;
}

export class StaticPods {
  readonly #options: StaticPodsOptions;
  readonly #running = new Map<string, Running>();
  /** Those that wait for the node's network. */
  readonly #waiting = new Map<string, Pod>();
  #hasNetwork = false;

  constructor(options: StaticPodsOptions) {
    this.#options = options;
  }

  /** As they are now, with their status; those that leave too. */
  list(): readonly Pod[] {
    return [...this.#running.values()].map(({ record }) => record.pod);
  }

  find(namespace: string, name: string): Pod | undefined {
    return this.#running.get(keyText({ namespace, name }))?.record.pod;
  }

  /** The whole list of what is to run. */
  async apply(pods: readonly Pod[]): Promise<void> {
    const wanted = new Map(pods.map((pod) => [keyText(keyOf(pod)), pod]));
    for (const name of this.#waiting.keys()) if (!wanted.has(name)) this.#waiting.delete(name);
    for (const [name, running] of this.#running) {
      const pod = wanted.get(name);
      const same = pod !== undefined && pod.metadata.uid === running.record.pod.metadata.uid && !running.record.leaves;
      running.next = same ? undefined : pod;
      if (!same) this.#end(running);
    }
    for (const [name, pod] of wanted) if (!this.#running.has(name)) await this.#begin(name, pod);
  }

  /** The node has its network: pods with an address of their own can run. */
  async networkReady(): Promise<void> {
    this.#hasNetwork = true;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [name, pod] of waiting) await this.#begin(name, pod);
  }

  async #begin(name: string, pod: Pod): Promise<void> {
    const { workers, log, clock, changed } = this.#options;
    if (!this.#hasNetwork && needsNetwork(pod)) {
      if (this.#waiting.get(name) === undefined) log.info('a static pod waits: the node has no pod network yet, which it gets when it registers first', { pod: name });
      this.#waiting.set(name, pod);
      return;
    }
    const record = new StaticRecord(pod, { clock, changed, gone: () => this.#gone(name) });
    this.#running.set(name, { record, next: undefined });
    await workers.addStatic(pod, record);
    changed();
  }

  #end({ record }: Running): void {
    if (record.leaves) return;
    this.#options.workers.update(record.leave());
    this.#options.changed();
  }

  /** Everything of a pod is off the node. */
  #gone(name: string): void {
    const { workers, changed, log } = this.#options;
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    workers.forget(running.record.pod);
    changed();
    if (running.next !== undefined) this.#begin(name, running.next).catch((error: unknown) => log.error('a static pod was not begun', { pod: name, error }));
  }
}

/** A host's pod that asks the cluster's DNS needs to know where that is. */
const needsNetwork = ({ spec }: Pod): boolean => spec.hostNetwork !== true || spec.dnsPolicy === 'ClusterFirstWithHostNet';

interface StaticRecordOptions { readonly clock: Clock; readonly changed: () => void; readonly gone: () => void }

/** A static pod's object: the agent has the only one, and the API a picture of it. */
class StaticRecord implements PodRecord {
  readonly #options: StaticRecordOptions;
  #pod: Pod;

  constructor(pod: Pod, options: StaticRecordOptions) {
    this.#pod = pod;
    this.#options = options;
  }

  get pod(): Pod {
    return this.#pod;
  }

  get leaves(): boolean {
    return this.#pod.metadata.deletionTimestamp !== undefined;
  }

  /** The object as one that somebody deleted. */
  leave(): Pod {
    const deletionGracePeriodSeconds = graceSecondsOf(this.#pod.spec);
    const deletionTimestamp = rfc3339(this.#options.clock.now() + deletionGracePeriodSeconds * 1_000);
    return this.#become({ metadata: { ...this.#pod.metadata, deletionTimestamp, deletionGracePeriodSeconds } });
  }

  async writeStatus(_stored: Pod, statusOf: (pod: Pod) => PodStatus): Promise<Pod> {
    const written = this.#become({ status: statusOf(this.#pod) });
    this.#options.changed();
    return written;
  }

  async remove(): Promise<void> {
    this.#options.gone();
  }

  #become(change: Partial<Pod>): Pod {
    const pod = { ...this.#pod, ...change };
    this.#pod = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(Number(this.#pod.metadata.resourceVersion) + 1) } };
    return this.#pod;
  }
}
