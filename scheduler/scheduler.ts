/**
 * The loop. Events keep the cluster and the queue up to date; the loop takes a pod out, decides, counts the pod to its node
 * at once (assumes it) and goes on with the next while the binding is under way. So decisions come one after the other and
 * never meet, and the store sees many bindings at a time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { isReason } from '../schemas/errors.ts';
import { deepEqual } from '../schemas/frozen.ts';
import type { Node } from '../schemas/kinds/core/node.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { isGivenTheSame } from './amounts.ts';
import { Budgets } from './budgets.ts';
import { Cluster } from './cluster.ts';
import { explain, type Refusal } from './explain.ts';
import type { Profile, Wake } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import { PodInfo } from './pod-info.ts';
import { PodQueue } from './pod-queue.ts';
import { bindPod, endVictim, saysUnscheduled, writeUnscheduled, type Unscheduled } from './pod-writes.ts';
import type { Candidate } from './preemption.ts';
import { Decider } from './schedule.ts';
import { Slots } from './slots.ts';
import { VolumeBinder } from './volume-binder.ts';
import type { VolumePlan } from './volumes.ts';
import { Waker, wakes } from './waker.ts';

export interface SchedulerOptions {
  /** By the schedulerName of pods; pods that name none of them are left alone. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Where events go that a profile's scheduler tells. */
  readonly events: (schedulerName: string) => EventRecorder;
}

/** The scheduler of pods that name none. */
export const defaultSchedulerName = 'default-scheduler';

const writesAtATime = 64;
/** The loop gives way to others in this process after so many pods: about a millisecond. */
const podsPerTurn = 16;
/** A binding that was answered shows up in the watch within milliseconds; after this long it never will. */
const assumedMs = 30_000;
const nothing: ReadonlySet<Wake> = new Set();
const gated: Unscheduled = { reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates', nominatedNodeName: '' };

/** A pod that is counted to a node before the watch has shown it there. */
interface Assumed {
  /** The binding is under way; false when it had no answer, or had one and the watch is awaited. */
  readonly binding: boolean;
  readonly cancel: () => void;
}

export class Scheduler {
  readonly #o: SchedulerOptions;
  readonly #cluster = new Cluster();
  readonly #queue: PodQueue;
  readonly #deciders: ReadonlyMap<string, Decider>;
  readonly #waker: Waker;
  readonly #volumes: VolumeBinder;
  readonly #slots = new Slots(writesAtATime);
  readonly #assumed = new Map<string, Assumed>();
  #wake: () => void = () => undefined;
  #stopped = false;
  readonly #budgets = new Budgets();
  readonly #preempted = { pods: 0, victims: 0 };
  readonly #attempts = { scheduled: 0, unschedulable: 0, error: 0 };

  constructor(options: SchedulerOptions) {
    this.#o = options;
    this.#queue = new PodQueue(options.clock, () => this.#wake());
    this.#deciders = new Map([...options.profiles].map(([name, profile]) => [name, new Decider(profile, this.#cluster, options.random)]));
    this.#waker = new Waker(this.#cluster, this.#queue, (pod) => this.#deciderFor(pod));
    this.#volumes = new VolumeBinder({
      client: options.client, clock: options.clock, volumes: this.#cluster.volumes, node: (name) => this.#cluster.node(name),
      wake: (helps) => this.#queue.wake(['volumes'], (pod) => (helps(pod) ? undefined : [])),
      ready: (pod, nodeName) => this.#slots.run(() => this.#bind(pod, nodeName)),
      failed: (pod, why) => this.#failVolumes(pod, why),
    });
  }

  get cluster(): Cluster {
    return this.#cluster;
  }

  /** What became of the tries since the start. */
  get attempts(): Readonly<Record<'scheduled' | 'unschedulable' | 'error', number>> {
    return this.#attempts;
  }

  /** Pods for which others were ended since the start, and those others. */
  get preempted(): Readonly<Record<'pods' | 'victims', number>> {
    return this.#preempted;
  }

  get queue(): PodQueue {
    return this.#queue;
  }

  /** A pod is new or changed. */
  setPod(pod: Pod): void {
    const { uid = '', generation } = pod.metadata;
    const nodeName = pod.spec.nodeName ?? '';
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (ended) return this.removePod(pod);
    if (nodeName !== '') {
      this.#queue.remove(uid);
      this.#settle(uid);
      this.#waker.denominate(uid, nodeName);
      const placed = this.#cluster.placed(uid);
      const before = placed?.pod.pod;
      const same = placed?.nodeName === nodeName && generation !== undefined && before?.metadata.generation === generation
        && before.metadata.deletionTimestamp === pod.metadata.deletionTimestamp && deepEqual(before.metadata.labels, pod.metadata.labels) && isGivenTheSame(before, pod);
      if (same) this.#cluster.renew(uid, pod);
      else this.#place(pod, nodeName);
      return;
    }
    if (!this.#deciders.has(schedulerNameOf(pod)) || pod.metadata.deletionTimestamp !== undefined) {
      this.#queue.remove(uid);
      return this.#waker.denominate(uid);
    }
    if ((pod.spec.schedulingGates ?? []).length > 0) {
      this.#queue.remove(uid);
      return this.#say(pod, gated);
    }
    this.#enqueue(pod, uid);
  }

  /** A pod is gone, or has ended for good. */
  removePod(pod: Pod): void {
    const { uid = '' } = pod.metadata;
    this.#queue.remove(uid);
    this.#settle(uid);
    this.#waker.denominate(uid);
    this.#waker.takeAway(uid);
  }

  /** Is to be told of all claims, volumes and classes. */
  get volumes(): VolumeBinder {
    return this.#volumes;
  }

  /** What preemption must keep to where it can; the caller tells it of all budgets. */
  get budgets(): Budgets {
    return this.#budgets;
  }

  /** A namespace is new or changed; undefined labels: it is gone. */
  setNamespace(name: string, labels: Readonly<Record<string, string>> | undefined): void {
    this.#cluster.setNamespace(name, labels);
  }

  /** A node is new or changed. One that has not told yet what it has is passed over until it does. */
  setNode(node: Node): void {
    const old = this.#cluster.node(node.metadata.name ?? '')?.node;
    if (old === undefined && node.status?.allocatable === undefined && node.status?.capacity === undefined) return;
    const events = wakes(old, node);
    // Most updates are heartbeats: nothing that the scheduler reads has changed.
    if (events.length > 0) this.#waker.wakeFor(this.#cluster.setNode(node), events);
    else if (this.#cluster.watchesImages && !deepEqual(old?.status?.images, node.status?.images)) this.#waker.wakeFor(this.#cluster.setNode(node), ['nodeImages']);
  }

  removeNode(node: Node): void {
    const name = node.metadata.name ?? '';
    this.#cluster.removeNode(name);
    this.#queue.wake(['nodeGone'], () => undefined);
    // There is no room to wait for any more.
    for (const uid of this.#cluster.nominations.on(name).keys()) this.#waker.loseNomination(uid);
  }

  /** Schedules until the signal aborts, and until the writes that are under way have come to their end. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (let pods = 1; !signal.aborted; pods++) {
        await this.#slots.free(signal);
        const next = signal.aborted ? undefined : this.#queue.next();
        if (next !== undefined) this.#try(next.info);
        else if (!signal.aborted && this.#queue.sizes.active === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
        if (pods % podsPerTurn === 0) await nextTurn();
      }
    } finally {
      this.#stopped = true;
      signal.removeEventListener('abort', stop);
      await this.#slots.idle();
      this.#queue.clear();
      for (const { cancel } of this.#assumed.values()) cancel();
    }
  }

  #enqueue(pod: Pod, uid: string): void {
    const known = this.#queue.get(uid);
    const assumed = this.#assumed.get(uid);
    // Bound a moment ago; the watch has not shown it yet.
    if (known === undefined && assumed !== undefined) return;
    const info = this.#info(pod);
    if (info === undefined) return;
    // Nominated by an earlier scheduler: the room is still being made.
    const nodeName = pod.status?.nominatedNodeName ?? '';
    if (known === undefined && nodeName !== '') this.#cluster.nominations.set({ pod: info, nodeName, victims: new Set() });
    const same = known !== undefined && known.shape === info.shape && deepEqual(known.pod.spec, pod.spec);
    if (same || assumed?.binding === true) this.#queue.replace(info);
    else this.#queue.put(info);
  }

  #try(info: PodInfo): void {
    // A binding without an answer kept its place until now.
    if (this.#assumed.has(info.uid)) this.#unassume(info.uid);
    try {
      const decision = this.#deciderFor(info).decide(info);
      this.#attempts['node' in decision ? 'scheduled' : 'unschedulable']++;
      if ('node' in decision) return this.#assume(info, decision.node);
      if ('misread' in decision) return this.#refuse(info, { reason: 'InvalidRequest', message: decision.misread });
      this.#makeRoom(info, decision.refusal);
    } catch (error) {
      this.#attempts.error++;
      this.#o.log.error('a pod cannot be scheduled', { pod: info.key, error });
      this.#queue.fail(info.uid);
    }
  }

  /** Says why a pod has no node, and lets it sleep until something that can help; nothing can where only its own change does. */
  #refuse(info: PodInfo, said: Pick<Unscheduled, 'reason' | 'message'>, wokenBy: ReadonlySet<Wake> = nothing): void {
    this.#queue.park(info.uid, wokenBy);
    this.#o.events(schedulerNameOf(info.pod)).event(info.pod, 'Warning', 'FailedScheduling', said.message);
    this.#say(info.pod, { ...said, nominatedNodeName: this.#cluster.nominations.of(info.uid)?.nodeName ?? '' });
  }

  /** A refused pod waits, for the end of others where that makes room for it. */
  #makeRoom(info: PodInfo, refusal: Refusal): void {
    const message = explain(refusal);
    const room = refusal.nodeCount === 0 ? undefined : this.#deciderFor(info).preempt(info, this.#budgets, { refusal });
    if (room === undefined || 'message' in room) {
      if (room?.waits !== true) this.#waker.denominate(info.uid);
      const said = room === undefined ? message : `${message} preemption: ${room.message}`;
      return this.#refuse(info, { reason: 'Unschedulable', message: said }, refusal.wokenBy);
    }
    const { node, victims } = room.candidate;
    const { nominations } = this.#cluster;
    this.#waker.denominate(info.uid, node.name);
    nominations.set({ pod: info, nodeName: node.name, victims: new Set(victims.map(({ uid }) => uid)) });
    this.#refuse(info, { reason: 'Unschedulable', message }, new Set<Wake>([...refusal.wokenBy, 'podGone']));
    for (const [uid, { pod }] of nominations.on(node.name)) if (pod.priority < info.priority) this.#waker.loseNomination(uid);
    this.#preempted.pods++;
    this.#preempted.victims += victims.length;
    this.#slots.run(() => this.#end(info, room.candidate));
  }

  async #end({ uid, key, pod }: PodInfo, { node, victims }: Candidate): Promise<void> {
    const schedulerName = schedulerNameOf(pod);
    const told = await Promise.all(victims.filter((victim) => victim.pod.metadata.deletionTimestamp === undefined).map(async (victim) => {
      try {
        if (await endVictim(this.#o, victim.pod, schedulerName)) this.#o.events(schedulerName).event(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${uid} on node ${node.name}`);
        return true;
      } catch (error) {
        if (!this.#stopped) this.#o.log.warn('a pod could not be ended to make room', { pod: victim.key, for: key, error });
        return false;
      }
    }));
    if (told.includes(false) && this.#cluster.nominations.of(uid)?.nodeName === node.name) this.#waker.loseNomination(uid);
  }

  #deciderFor({ pod }: PodInfo): Decider {
    return this.#deciders.get(schedulerNameOf(pod)) as Decider;
  }

  #assume(info: PodInfo, node: NodeInfo): void {
    const plan = info.claims.length === 0 ? undefined : this.#cluster.volumes.plan(info, node);
    if (typeof plan === 'string') throw new Error(`node ${node.name} was chosen and refuses: ${plan}`);
    this.#cluster.place(info, node.name);
    this.#waker.denominate(info.uid, node.name);
    this.#waker.wakeBeside('podPlaced', info);
    if (plan !== undefined) return this.#assumeVolumes(info, plan);
    this.#assumed.set(info.uid, { binding: true, cancel: () => undefined });
    this.#slots.run(() => this.#bind(info, node.name));
  }

  /** The pod's claims get what was found for them, and the pod keeps its room on the node until they have it. */
  #assumeVolumes(info: PodInfo, plan: VolumePlan): void {
    this.#cluster.volumes.promise(plan);
    this.#assumed.set(info.uid, { binding: true, cancel: () => this.#volumes.forget(info.uid) });
    this.#slots.run(async () => {
      try {
        await this.#volumes.write(plan);
      } catch (error) {
        this.#cluster.volumes.forget(plan);
        if (this.#assumed.has(info.uid) && !this.#stopped) this.#failVolumes(info, error instanceof Error ? error.message : String(error));
        return;
      }
      if (this.#assumed.has(info.uid) && !this.#stopped) this.#volumes.wait(info, plan.nodeName);
    });
  }

  #failVolumes(info: PodInfo, why: string): void {
    this.#o.log.info('the volumes of a pod could not be bound; trying again', { pod: info.key, why });
    this.#o.events(schedulerNameOf(info.pod)).event(info.pod, 'Warning', 'FailedScheduling', `running PreBind plugin "VolumeBinding": binding volumes: ${why}`);
    this.#unassume(info.uid);
    this.#queue.fail(info.uid);
  }

  async #bind(info: PodInfo, nodeName: string): Promise<void> {
    const { uid, key, pod } = info;
    const result = await bindPod(this.#o.client, pod, nodeName);
    if (result.outcome === 'bound') {
      this.#o.events(schedulerNameOf(pod)).event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${nodeName}`);
      this.#o.log.debug('bound', { pod: key, node: nodeName });
    }
    // The watch may have shown the pod on its node, or gone, before the answer came.
    if (!this.#assumed.has(uid) || this.#stopped) return;
    switch (result.outcome) {
      case 'bound':
        this.#queue.remove(uid);
        this.#assumed.set(uid, { binding: false, cancel: this.#o.clock.after(assumedMs, () => this.#expire(info)) });
        break;
      case 'gone':
        this.#queue.remove(uid);
        this.#unassume(uid);
        break;
      case 'refused':
        // A conflict: bound by somebody else, on its way out, or another pod of that name; the watch will say which.
        this.#o.log[isReason(result.error, 'Conflict') ? 'debug' : 'warn']('the binding was refused', { pod: key, node: nodeName, error: result.error.message });
        this.#unassume(uid);
        this.#queue.fail(uid);
        break;
      case 'unknown':
        // It may have been done: the pod keeps its place until it is tried again.
        this.#o.log.warn('the binding had no answer; trying again', { pod: key, node: nodeName, error: result.error });
        this.#assumed.set(uid, { binding: false, cancel: () => undefined });
        this.#queue.fail(uid);
        break;
    }
  }

  #expire(info: PodInfo): void {
    this.#o.log.warn('a bound pod did not show up on its node', { pod: info.key, waitedMs: assumedMs });
    this.#unassume(info.uid);
    this.#queue.put(info);
  }

  /** The watch has the last word on the pod: it is no longer assumed. */
  #settle(uid: string): void {
    this.#assumed.get(uid)?.cancel();
    this.#assumed.delete(uid);
  }

  #unassume(uid: string): void {
    this.#settle(uid);
    this.#waker.takeAway(uid);
  }

  #place(pod: Pod, nodeName: string): void {
    const info = this.#info(pod);
    if (info === undefined) return;
    const before = this.#cluster.placed(info.uid)?.pod.requests;
    this.#cluster.place(info, nodeName);
    this.#waker.wakeBeside('podPlaced', info);
    const node = this.#cluster.node(nodeName);
    // It was resized, and has left room.
    if (before !== undefined && node !== undefined && (info.requests.cpuMilli < before.cpuMilli || info.requests.memoryBytes < before.memoryBytes)) this.#waker.wakeFor(node, ['podGone']);
  }

  #info(pod: Pod): PodInfo | undefined {
    try {
      return new PodInfo(pod);
    } catch (error) {
      this.#o.log.error('a pod cannot be read', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, error });
      return undefined;
    }
  }

  #say(pod: Pod, unscheduled: Unscheduled): void {
    if (saysUnscheduled(pod, unscheduled)) return;
    this.#slots.run(async () => {
      try {
        await writeUnscheduled(this.#o, pod, unscheduled);
      } catch (error) {
        if (!this.#stopped) this.#o.log.warn('the condition of a pod could not be written', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, error });
      }
    });
  }
}

const schedulerNameOf = (pod: Pod): string => pod.spec.schedulerName ?? defaultSchedulerName;
