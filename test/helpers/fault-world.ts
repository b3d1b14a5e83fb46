/**
 * A cluster under random faults from a seed: the real API server, scheduler and workload controllers over a connection that
 * refuses, loses, delays, doubles and cuts, killed now and then between any two writes; and an eye on all pods that notes
 * whatever must never be, seen on the server itself and event by event.
 */
import assert from 'node:assert/strict';
import { silentLog } from '../../base/log.ts';
import type { NewObject } from '../../client/client.ts';
import { runControllers, type AnyController } from '../../client/controller.ts';
import { daemonSetController } from '../../controllers/daemon-set/controller.ts';
import { deploymentController } from '../../controllers/deployment/controller.ts';
import { jobController } from '../../controllers/job/controller.ts';
import { localPathController, localPathFinalizerController } from '../../controllers/local-path/controller.ts';
import { nodeLifecycleController } from '../../controllers/node-lifecycle/controller.ts';
import { defaultRates } from '../../controllers/node-lifecycle/zones.ts';
import { claimController } from '../../controllers/persistent-volume/claim-controller.ts';
import { volumeController } from '../../controllers/persistent-volume/volume-controller.ts';
import { podDisruptionBudgetController } from '../../controllers/pod-disruption-budget/controller.ts';
import { replicaSetController } from '../../controllers/replica-set/controller.ts';
import { statefulSetController } from '../../controllers/stateful-set/controller.ts';
import { taintEvictionController } from '../../controllers/taint-eviction/controller.ts';
import { createSchedulerComponent } from '../../scheduler/component.ts';
import type { Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { isConditionTrue } from '../../schemas/conditions.ts';
import { controllerOf } from '../../schemas/owners.ts';
import { cpuMilli } from '../../schemas/quantity.ts';
import { localPathNode } from '../../schemas/volumes/volume-words.ts';
import { seededRandom, testApi, type TestApi } from './api.ts';
import { until } from './control-plane.ts';
import { settle } from './fake-clock.ts';
import { faultyTransport } from './faulty-transport.ts';
import { SimulatedNodes } from './simulated-node.ts';
import { VolumeEye } from './volume-eye.ts';

const namespace = 'default';
const nodeMilli = 1_000;
const faults = { refuse: 0.03, loseAnswer: 0.05, conflict: 0.05, cutWatch: 0.04, expireWatch: 0.01, delay: 0.2, repeat: 0.1 };

/** Workloads of a world; each seed has some of them. `app` is their label. */
export const apps = ['web', 'port', 'guarded', 'db', 'agent', 'work'] as const;
/** `store` has volumes; it comes to the others by a chance of its own. */
export type App = typeof apps[number] | 'store';

/** What a world has beside its first apps: from another row of chance, so that worlds without it are as they were. */
const extrasOf = (seed: number): { readonly volumes: boolean; readonly losesNode: boolean; readonly rest: () => number } => {
  const rest = seededRandom(seed ^ 0x5eed);
  return { volumes: rest() < 0.25, losesNode: rest() < 0.3, rest };
};

const isActive = ({ metadata, status }: Pod): boolean => metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
const isReady = (pod: Pod): boolean => isActive(pod) && isConditionTrue(pod.status?.conditions, 'Ready');

interface Part { readonly stop: AbortController; readonly done: Promise<void> }

export class FaultWorld {
  readonly random: () => number;
  /** What must never be and was. */
  readonly wrongs = new Set<string>();
  /** Writes of the controllers and the scheduler but for events. */
  writes = 0;
  restarts = 0;
  readonly api: TestApi;
  readonly apps: ReadonlySet<App>;
  readonly web: { readonly replicas: number; readonly surge: number; readonly unavailable: number };
  readonly #over = new AbortController();
  readonly #pods = new Map<string, Pod>();
  /**
   * Deployments that have once said that all their pods are available, and had them then. Before that a rollout may take a pod that has become
   * ready a moment ago for one that is not, since it goes by what was last said.
   */
  readonly #begun = new Set<string>();
  #running: Promise<unknown> = Promise.resolve();
  #parts: readonly Part[] = [];
  #isFaulty = true;
  #crashIn = Infinity;
  readonly #underWay = new Set<Promise<unknown>>();
  /** The node that falls silent in this world; undefined where none does. */
  readonly lostNode: string | undefined;
  readonly #extra: () => number;
  readonly #volumes = new VolumeEye((what) => this.#wrong(what));
  #nodes!: SimulatedNodes;

  private constructor(api: TestApi, seed: number) {
    this.api = api;
    this.random = seededRandom(seed);
    // One of them, or two: more cost more than they find.
    const one = this.pick(apps);
    const other = this.random() < 0.35 ? this.pick(apps) : one;
    const { volumes, losesNode, rest } = extrasOf(seed);
    this.#extra = rest;
    this.apps = new Set<App>([one, other, ...(volumes ? ['store' as const] : [])]);
    this.lostNode = losesNode ? `n${1 + Math.floor(rest() * 3)}` : undefined;
    const [surge, unavailable] = this.pick([[1, 0], [0, 1], [1, 1], [2, 0]] as const);
    this.web = { replicas: 3, surge, unavailable };
  }

  static async open(seed: number): Promise<FaultWorld> {
    const world = new FaultWorld(await testApi(), seed);
    const { api } = world;
    const nodes = new SimulatedNodes({
      transport: api.transport, clock: api.clock, names: ['n1', 'n2', 'n3'], bindsNone: true, allocatable: { cpu: `${nodeMilli}m`, memory: '1Gi', pods: '20' }, stopMs: 500,
      outcome: (pod) => (pod.metadata.labels?.['app'] === 'work' ? { endsAfterMs: 1_500, exitCode: 0 } : 300), volumesDir: '/volumes',
    });
    world.#nodes = nodes;
    world.#running = Promise.all([nodes.run(world.#over.signal), world.#watch(), world.#watchDeployments(), world.#volumes.run(api.client, world.#over.signal)]);
    await settle();
    await world.#start();
    return world;
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.random() * all.length)]!;
  }

  /** Live pods of an app, as the server has them. */
  podsOf(app: App): readonly Pod[] {
    return [...this.#pods.values()].filter(({ metadata }) => metadata.labels?.['app'] === app);
  }

  /** Ends all parts at a write that is yet to come, after it was done and before anybody heard of it, and starts them again. */
  crashSoon(): void {
    this.#crashIn = Math.floor(this.random() * 12);
  }

  /** The node that this world loses falls silent. */
  loseNode(): void {
    this.#begun.clear();
    this.#nodes.kill(this.lostNode!);
  }

  async findNode(): Promise<void> {
    await this.#nodes.revive(this.lostNode!);
  }

  /** A moment of the clock: short mostly, and long enough for a silent node to be given up where one is. */
  async passTime(): Promise<void> {
    await this.api.clock.advance(Math.floor(this.random() * 700) + (this.lostNode === undefined ? 0 : Math.floor(this.#extra() * 15_000)));
  }

  /** No more faults. */
  calm(): void {
    this.#isFaulty = false;
    this.#crashIn = Infinity;
  }

  async close(): Promise<void> {
    await this.#stop();
    this.#over.abort();
    await this.#running;
    await this.api.close();
  }

  async #start(): Promise<void> {
    const own = this.#counted(this.api.transport);
    // Watches that were opened under faults live on: they too are calm when all is.
    const faulty = faultyTransport(own, faults, () => (this.#isFaulty ? this.random() : 1));
    const transport: Transport = {
      send: (request, signal) => (this.#isFaulty ? faulty : own).send(request, signal),
      watch: (request, signal) => (this.#isFaulty ? faulty : own).watch(request, signal),
    };
    const surroundings = { transport, clock: this.api.clock, log: silentLog, random: this.random };
    const controllers: AnyController[] = [deploymentController(), replicaSetController(), statefulSetController(), daemonSetController(), jobController(), podDisruptionBudgetController(this.api.registry)];
    if (this.lostNode !== undefined) controllers.push(nodeLifecycleController({ graceMs: 15_000, startupGraceMs: 60_000, rates: defaultRates }), taintEvictionController());
    if (this.apps.has('store')) controllers.push(claimController(), volumeController(), localPathController(), localPathFinalizerController({ nodeGoneMs: 40_000 }));
    const [control, scheduling] = [new AbortController(), new AbortController()];
    this.#parts = [
      { stop: control, done: runControllers(controllers, surroundings, control.signal, () => undefined) },
      { stop: scheduling, done: createSchedulerComponent(surroundings, {}).run(scheduling.signal, () => undefined) },
    ];
    await settle();
  }

  async #stop(): Promise<void> {
    const parts = this.#parts;
    for (const { stop } of parts) stop.abort();
    await Promise.all(parts.map(({ done }) => done));
  }

  async restart(): Promise<void> {
    await this.#stop();
    // What a process sent before it died is done or lost before another one has begun.
    await Promise.allSettled(this.#underWay);
    this.restarts++;
    await this.#start();
  }

  /** Counts writes, and dies at one. */
  #counted(transport: Transport): Transport {
    const life = { isOver: false };
    return {
      watch: (request, signal) => transport.watch(request, signal),
      send: async (request, signal) => {
        if (life.isOver) throw new ApiError('ServiceUnavailable', 'the process was killed');
        if (request.verb === 'get' || request.verb === 'list' || request.resource === 'events') return transport.send(request, signal);
        this.writes++;
        const write = transport.send(request);
        this.#underWay.add(write);
        void write.catch(() => undefined).finally(() => this.#underWay.delete(write));
        if (this.#crashIn-- > 0) return write;
        this.#crashIn = Infinity;
        life.isOver = true;
        await write.catch(() => undefined);
        void this.restart();
        throw new ApiError('ServiceUnavailable', 'the process was killed');
      },
    };
  }

  async #watch(): Promise<void> {
    const { client } = this.api;
    const { metadata } = await client.of(Pod).list({ namespace });
    for await (const events of client.of(Pod).watch({ namespace, resourceVersion: metadata.resourceVersion }, this.#over.signal)) {
      for (const { type, object } of events) {
        if (type === 'BOOKMARK') continue;
        if (type === 'DELETED') this.#ended(object);
        else this.#pods.set(object.metadata.uid!, object);
        this.#look();
      }
    }
  }

  /** A pod of a set that its node did not end may still run there, and its successor would write to the same data. */
  #ended(pod: Pod): void {
    this.#pods.delete(pod.metadata.uid!);
    const { metadata: { labels = {}, name }, spec: { nodeName = '' } } = pod;
    if (['db', 'store'].includes(labels['app'] ?? '') && nodeName !== '' && !this.#nodes.isAlive(nodeName)) this.#wrong(`pod ${name} was taken away though nobody knows what ${nodeName} does`);
  }

  async #watchDeployments(): Promise<void> {
    const { client } = this.api;
    const { metadata } = await client.of(Deployment).list({ namespace });
    for await (const events of client.of(Deployment).watch({ namespace, resourceVersion: metadata.resourceVersion }, this.#over.signal)) {
      for (const { type, object } of events) {
        if (type !== 'BOOKMARK' && this.lostNode === undefined && (object.status?.availableReplicas ?? 0) >= (object.spec.replicas ?? 1)
          && this.podsOf(object.metadata.name as App).filter(isReady).length >= (object.spec.replicas ?? 1)) this.#begun.add(object.metadata.name ?? '');
      }
    }
  }

  #wrong(what: string): void {
    this.wrongs.add(what);
  }

  #look(): void {
    this.#lookAtNodes();
    const { web } = this;
    this.#bounds('web', { most: web.replicas + web.surge, least: web.replicas - web.unavailable });
    this.#bounds('guarded', { most: 4, least: 2 });
    this.#bounds('port', { most: 2, least: 0 });
    this.#bounds('work', { most: 2, least: 0 });
    for (const app of ['db', 'store'] as const) {
      const ordinals = this.podsOf(app).map(({ metadata }) => metadata.labels?.['apps.kubernetes.io/pod-index']);
      if (new Set(ordinals).size !== ordinals.length) this.#wrong(`${app} has pods with the numbers ${ordinals.join(' ')}`);
    }
    const homes = this.podsOf('agent').filter(isActive).map(({ spec }) => spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0]);
    if (new Set(homes).size !== homes.length) this.#wrong(`agent has pods for the nodes ${homes.join(' ')}`);
  }

  #bounds(app: App, { most, least }: { readonly most: number; readonly least: number }): void {
    const pods = this.podsOf(app);
    const active = pods.filter(isActive).length;
    const ready = pods.filter(isReady).length;
    if (active > most) this.#wrong(`${app} has ${active} pods, more than ${most}`);
    if (this.#begun.has(app) && ready < least) this.#wrong(`${app} has ${ready} ready pods, fewer than ${least}`);
  }

  #lookAtNodes(): void {
    const used = new Map<string, number>();
    const ports = new Map<string, string>();
    for (const { metadata, spec, status } of this.#pods.values()) {
      const { nodeName } = spec;
      if (!nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') continue;
      const milli = (used.get(nodeName) ?? 0) + spec.containers.reduce((sum, { resources }) => sum + cpuMilli(resources?.requests?.['cpu']), 0);
      used.set(nodeName, milli);
      if (milli > nodeMilli) this.#wrong(`node ${nodeName} has pods that ask for ${milli}m of ${nodeMilli}m`);
      for (const port of spec.containers.flatMap((one) => one.ports ?? []).flatMap(({ hostPort }) => hostPort ?? [])) {
        const at = `${nodeName}:${port}`;
        if (ports.has(at)) this.#wrong(`host port ${at} is given to ${ports.get(at)} and ${metadata.name}`);
        ports.set(at, metadata.name ?? '');
      }
    }
  }

  /** Makes the workloads of this world. */
  async create(): Promise<void> {
    const { client } = this.api;
    const { surge, unavailable } = this.web;
    const template = (app: App, cpu: string, more: object = {}, spec: object = {}) => ({ metadata: { labels: { app } }, spec: { ...spec, containers: [{ name: 'c', image: 'v1', resources: { requests: { cpu } }, ...more }] } });
    const base = (app: App) => ({ metadata: { name: app, namespace } });
    const selector = (app: App) => ({ matchLabels: { app } });
    const rolling = (maxSurge: number, maxUnavailable: number) => ({ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } });
    if (this.apps.has('web')) await client.of(Deployment).create({ ...base('web'), spec: { replicas: 3, selector: selector('web'), template: template('web', '300m'), ...rolling(surge, unavailable) } } as NewObject<Deployment>);
    if (this.apps.has('port')) await client.of(Deployment).create({ ...base('port'), spec: { replicas: 2, selector: selector('port'), template: template('port', '50m', { ports: [{ containerPort: 80, hostPort: 80 }] }), ...rolling(0, 1) } } as NewObject<Deployment>);
    if (this.apps.has('guarded')) {
      await client.of(Deployment).create({ ...base('guarded'), spec: { replicas: 3, selector: selector('guarded'), template: template('guarded', '100m'), ...rolling(1, 0) } } as NewObject<Deployment>);
      await client.of(PodDisruptionBudget).create({ ...base('guarded'), spec: { minAvailable: 2, selector: selector('guarded') } } as NewObject<PodDisruptionBudget>);
    }
    if (this.apps.has('db')) await client.of(StatefulSet).create({ ...base('db'), spec: { replicas: 2, serviceName: 'db', podManagementPolicy: this.pick(['OrderedReady', 'Parallel']), selector: selector('db'), template: template('db', '100m') } } as NewObject<StatefulSet>);
    if (this.apps.has('store')) {
      const volumeClaimTemplates = [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }];
      const podTemplate = template('store', '50m', { volumeMounts: [{ name: 'data', mountPath: '/data' }] });
      const podManagementPolicy = this.#extra() < 0.5 ? 'OrderedReady' : 'Parallel';
      await client.of(StatefulSet).create({ ...base('store'), spec: { replicas: 2, serviceName: 'store', podManagementPolicy, selector: selector('store'), template: podTemplate, volumeClaimTemplates } } as NewObject<StatefulSet>);
    }
    if (this.apps.has('agent')) await client.of(DaemonSet).create({ ...base('agent'), spec: { selector: selector('agent'), template: template('agent', '50m') } } as NewObject<DaemonSet>);
    if (this.apps.has('work')) await client.of(Job).create({ ...base('work'), spec: { completions: 3, parallelism: 2, template: template('work', '100m', {}, { restartPolicy: 'Never' }) } } as NewObject<Job>);
  }

  /** What must be in the end, with a node that is still away or with all of them; throws while it is not. */
  async assertSettled(): Promise<void> {
    const { client } = this.api;
    const isAway = this.lostNode !== undefined && !this.#nodes.isAlive(this.lostNode);
    const leaves = ({ metadata, spec }: Pod): boolean => metadata.deletionTimestamp !== undefined && isAway && spec.nodeName === this.lostNode;
    for (const [app, replicas] of [['web', 3], ['port', 2], ['guarded', 3]] as const) {
      if (!this.apps.has(app)) continue;
      const { metadata, status } = await client.of(Deployment).get({ namespace, name: app });
      assert.partialDeepStrictEqual(status, { observedGeneration: metadata.generation!, replicas, updatedReplicas: replicas, availableReplicas: replicas }, app);
      const pods = this.podsOf(app).filter((pod) => !leaves(pod));
      assert.equal(pods.length, replicas, app);
      if (isAway) assert.ok(pods.every(({ spec }) => spec.nodeName !== this.lostNode), `${app} has pods on the lost node`);
    }
    assert.deepEqual([...this.#pods.values()].filter((pod) => pod.metadata.deletionTimestamp !== undefined && !leaves(pod)).map(({ metadata }) => metadata.name), []);
    const orphans = [...this.#pods.values()].filter((pod) => controllerOf(pod) === undefined);
    assert.deepEqual(orphans.map(({ metadata }) => metadata.name), []);
    // The rest cannot be whole before the node is back: sets wait for its pods, the daemon for the node, and volumes lie there.
    if (isAway) return;
    for (const app of ['db', 'store'] as const) {
      if (!this.apps.has(app)) continue;
      const { metadata, spec, status } = await client.of(StatefulSet).get({ namespace, name: app });
      assert.partialDeepStrictEqual(status, { observedGeneration: metadata.generation!, replicas: spec.replicas!, readyReplicas: spec.replicas!, updatedReplicas: spec.replicas!, currentRevision: status!.updateRevision! }, app);
    }
    if (this.apps.has('store')) this.#assertVolumes();
    if (this.apps.has('agent')) {
      const { metadata, status } = await client.of(DaemonSet).get({ namespace, name: 'agent' });
      assert.partialDeepStrictEqual(status, { observedGeneration: metadata.generation!, numberReady: 3, updatedNumberScheduled: 3 }, 'agent');
    }
    if (this.apps.has('work')) assert.partialDeepStrictEqual((await client.of(Job).get({ namespace, name: 'work' })).status, { succeeded: 3, conditions: [{ type: 'SuccessCriteriaMet' }, { type: 'Complete', status: 'True' }] }, 'work');
  }

  /**
   * Each pod runs where its claim's volume is, and no volume is left over. Without one is only a claim whose pod went
   * before it had a node.
   */
  #assertVolumes(): void {
    const claims = [...this.#volumes.claims.values()];
    const volumes = [...this.#volumes.volumes.values()];
    assert.deepEqual(volumes.map(({ spec, status }) => [spec.claimRef?.uid, status?.phase]).sort(), claims.filter(({ spec }) => (spec.volumeName ?? '') !== '').map(({ metadata }) => [metadata.uid, 'Bound']).sort());
    for (const pod of this.podsOf('store')) {
      const claim = claims.find(({ metadata }) => metadata.name === `data-${pod.metadata.name}`);
      const volume = volumes.find(({ metadata }) => metadata.name === claim?.spec.volumeName);
      assert.equal(claim?.status?.phase, 'Bound', pod.metadata.name);
      assert.equal(volume?.metadata.annotations?.[localPathNode], pod.spec.nodeName, pod.metadata.name);
    }
  }

  async settled(forMs = 300_000): Promise<void> {
    // What was just done reaches everybody first.
    await settle(30);
    await until(this.api.clock, () => this.assertSettled(), forMs);
  }
}
