/** The node agent as a component: registers the node, gets its network, then looks after the pods that are bound to it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../base/clock.ts';
import type { Component, Surroundings } from '../base/component.ts';
import { boundTransport } from '../client/bound-transport.ts';
import { runControllers } from '../client/controller.ts';
import { createClient } from '../client/client.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import type { Informer } from '../client/informer.ts';
import { createInformers } from '../client/informers.ts';
import { Node } from '../schemas/kinds/core/node.ts';
import { PersistentVolume } from '../schemas/kinds/core/persistent-volume.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { Service } from '../schemas/kinds/core/service.ts';
import type { NodeIdentity } from '../schemas/node-selector.ts';
import { isMirror } from '../schemas/static-pods.ts';
import { Actions } from './actions.ts';
import { whyDoesNotFit } from './admission/node-fit.ts';
import { serviceAccountToken } from './account-tokens.ts';
import type { AgentContext, Engine } from './agent-context.ts';
import { diskSpaceOf, type DiskSpace } from './disk-space.ts';
import { Images } from './images.ts';
import { Limiter } from './limiter.ts';
import type { Overlay } from './network/overlay.ts';
import { KnownRange } from './network/known-range.ts';
import { followPeers } from './network/follow-peers.ts';
import { unheld, type PolicyHold } from './network/policy-hold.ts';
import { realNetwork } from './network-probes.ts';
import { defaultLeaseSeconds, NodeRegistration, machineFacts } from './node-registration.ts';
import { allocatableOf, mostPods, nodeResources, type Reservations } from './node-status.ts';
import { apiRecord } from './pod-record.ts';
import { hasEnded, runningContainers } from './pod-view.ts';
import { PodWorkers } from './pod-workers.ts';
import { refusalUnder } from './pressure/eviction-plan.ts';
import { Evictions } from './pressure/evictions.ts';
import { ImageGc } from './pressure/image-gc.ts';
import { imageGcDefaults, type ImageGcLimits } from './pressure/image-gc-plan.ts';
import { NodePressure } from './pressure/node-pressure.ts';
import { PulledImages } from './pressure/pulled-images.ts';
import { defaultThresholds, defaultTransitionMs, parseThresholds, type EvictionSettings } from './pressure/thresholds.ts';
import { NodeAllocations } from './resources/node-allocations.ts';
import type { PodNetwork } from './runtime/pod-network.ts';
import type { RuntimeInfo, SandboxState } from './runtime/runtime.ts';
import type { WarmSandboxes } from './runtime/warm-sandboxes.ts';
import { createAgentServer, type AgentTls } from './server.ts';
import { NodeReports } from './server/node-reports.ts';
import { SourceCache } from './source-cache.ts';
import { ManifestFolder } from './static-pods/manifest-folder.ts';
import { Mirrors } from './static-pods/mirrors.ts';
import type { ReadManifest } from './static-pods/read-pod.ts';
import { StaticPods } from './static-pods/static-pods.ts';
import type { EndpointWithdrawal } from './termination.ts';
import { sampleEveryMs, UsageSampler } from './usage/usage-sampler.ts';
import { ClaimedVolumes } from './volumes/claimed-volumes.ts';
import { LocalDirs } from './volumes/local-dirs.ts';
import { reclaimController } from './volumes/reclaim.ts';
import { linuxMounts, type Mounts } from './volumes/mounts.ts';

export interface AgentOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  /** An engine that brings its own network (a simulated one) is probed through it; of one with a disk of its own that is looked at, not the machine's. */
  readonly runtime: Engine & { readonly network?: PodNetwork; readonly nodeDisk?: () => Promise<DiskSpace>; readonly warm?: Pick<WarmSandboxes, 'keep' | 'removeAll' | 'removeOutside'> };
  /** Sandboxes that wait for pods, where the engine can make them; 0 for none. */
  readonly warmSandboxes?: number;
  readonly overlay: Overlay;
  readonly withdrawal: EndpointWithdrawal;
  /** Where absent, pods start without waiting for their network policies. */
  readonly policies?: PolicyHold | undefined;
  readonly dataDir: string;
  readonly clusterDomain: string;
  readonly serviceCidr: string;
  readonly clusterCidr: string;
  readonly tls: AgentTls;
  /** Common name of the one client that may ask for logs and sessions. */
  readonly apiserverClientName: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** How long the node's lease is good; 20 s where absent, 40 s in Kubernetes. */
  readonly leaseSeconds?: number | undefined;
  /** When images that nothing uses are removed; Kubernetes' defaults where absent. */
  readonly imageGc?: ImageGcLimits | undefined;
  /** When pods are evicted; the agent's own thresholds where absent. */
  readonly eviction?: EvictionSettings | undefined;
  /** What of the node is not for pods, beside what the thresholds of eviction keep free; amounts by resource, which add up. */
  readonly reserved?: readonly Readonly<Record<string, string>>[] | undefined;
  /** Port of the agent's own server; 0, the default, picks a free one. */
  readonly port?: number;
  readonly mounts?: Mounts;
  /** Where the node's own pods are, and how files are read; no such pods where absent. */
  readonly staticPods?: { readonly path: string; readonly readManifest: ReadManifest } | undefined;
}

export type AgentComponent = Component & {
  /** The node's side of the pod network, once it is there. */
  readonly network: Promise<{ readonly gatewayIp: string; readonly podCidr: string }>;
};

/** Starts that the engine is asked for at a time; more only wait inside the engine. */
const startsAtATime = 8;
const engineRetryMs = 1_000;
/** A server that is there says within this what addresses the node has; where it does not, those of the last time are used. */
const serverAnswersMs = 3_000;

export const createAgentComponent = (surroundings: Surroundings, options: AgentOptions): AgentComponent => {
  const network = Promise.withResolvers<{ readonly gatewayIp: string; readonly podCidr: string }>();
  network.promise.catch(() => undefined);
  return {
    name: 'agent', after: [], network: network.promise,
    run: async (signal, ready) => {
      // Whatever ends the run ends everything that was begun in it.
      const ending = new AbortController();
      const inner = AbortSignal.any([signal, ending.signal]);
      try {
        await runAgent(surroundings, options, { signal: inner, ready, network: network.resolve });
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        ending.abort();
        network.reject(new Error('the agent has ended'));
      }
    },
  };
};

interface Run {
  readonly signal: AbortSignal;
  readonly ready: () => void;
  readonly network: (network: { readonly gatewayIp: string; readonly podCidr: string }) => void;
}

const runAgent = async (surroundings: Surroundings, options: AgentOptions, { signal, ready, network }: Run): Promise<void> => {
  const { clock, log, random } = surroundings;
  const { runtime, nodeName, nodeIp, dataDir } = options;
  const client = createClient(boundTransport(surroundings.transport, signal));
  const informers = createInformers({ client, clock, log, random });
  const pods = informers.informer(Pod, { fieldSelector: `spec.nodeName=${nodeName}` });
  const nodes = informers.informer(Node);
  const services = informers.informer(Service);
  const volumes = informers.informer(PersistentVolume);
  const informing = informers.run(signal);
  const dirs = new LocalDirs(join(dataDir, 'volumes'));

  const engine = await engineInfo(surroundings, options, signal);
  const eviction = options.eviction ?? { thresholds: parseThresholds(defaultThresholds), transitionMs: defaultTransitionMs };
  const pressure = new NodePressure({ runtime, memoryBytes: engine.memoryBytes, nodeDisk: () => runtime.nodeDisk?.() ?? diskSpaceOf(dataDir), clock, log, ...eviction });
  const reservations: Reservations = { reserved: options.reserved ?? [], thresholds: eviction.thresholds };
  await mkdir(dataDir, { recursive: true });
  await pressure.look();
  let workers: PodWorkers | undefined;
  let statics: StaticPods | undefined;
  /** The pods that this agent looks after: those of the API, of which mirrors are none, and its own. */
  const ofApi = (): readonly Pod[] => pods.list().filter((pod) => !isMirror(pod));
  const all = (): readonly Pod[] => [...ofApi(), ...statics?.list() ?? []];
  const sandboxesOf = (pod: Pod): readonly SandboxState[] => workers?.sandboxesOf(pod.metadata.uid ?? '') ?? [];
  const sampler = new UsageSampler({ clock, log, stats: runtime, running: () => all().flatMap((pod) => runningContainers(pod, sandboxesOf(pod))) });
  const reports = new NodeReports({
    nodeName, startedAtMs: clock.now(), memoryBytes: engine.memoryBytes, pods: all, usage: () => sampler.usage(),
    settings: { address: nodeIp, clusterDomain: options.clusterDomain, maxPods: mostPods, containerRuntime: engine.name, cpuUsageSeconds: sampleEveryMs / 1_000 },
  });
  const server = await createAgentServer({
    runtime, clock, log, nodeIp, tls: options.tls, clientName: options.apiserverClientName,
    reports,
    find: (namespace, name) => {
      const shown = pods.get({ namespace, name });
      const pod = shown === undefined || isMirror(shown) ? statics?.find(namespace, name) : shown;
      return pod === undefined ? undefined : { pod, sandboxes: sandboxesOf(pod) };
    },
  }).listen({ host: nodeIp, port: options.port ?? 0 });
  try {
    const registration = new NodeRegistration({
      client, clock, log, random, nodeName, nodeIp, port: server.port, runtime: engine, labels: options.nodeLabels, images: () => runtime.images(), dataDir, volumesDir: dirs.dir, reservations,
      leaseSeconds: options.leaseSeconds ?? defaultLeaseSeconds, node: () => nodes.get({ name: nodeName }), pressure: () => pressure.conditions,
    });
    const pulled = new PulledImages({ file: join(dataDir, 'pulled-images.json'), clock, log });
    await pulled.load();
    const events = createEventRecorder({ client, clock, log, random, component: 'kubelet', host: nodeName, signal });
    const reportOfNode = (reason: string, message: string): void => {
      const node = nodes.get({ name: nodeName });
      if (node !== undefined) events.event(node, 'Warning', reason, message);
    };
    const imageGc = new ImageGc({ runtime, pulled, limits: options.imageGc ?? imageGcDefaults, clock, log, report: reportOfNode });
    const sources = new SourceCache({ client, clock, log, random });
    const claimed = new ClaimedVolumes({
      dirs, claim: (namespace, name) => sources.claim(namespace, name),
      // A claim may be known to be bound before its volume is.
      volume: async (name) => volumes.get({ name }) ?? client.of(PersistentVolume).find({ name }),
      node: () => identity(),
    });
    let dnsIp = nodeIp;
    const identity = (): NodeIdentity => ({ name: nodeName, labels: nodes.get({ name: nodeName })?.metadata.labels ?? {} });
    const allocations = new NodeAllocations();
    const allocatable = allocatableOf(nodeResources(engine, await machineFacts(dataDir)), reservations);
    const context: AgentContext = {
      clock, log, random, client, record: apiRecord(client), runtime, runtimeName: engine.name, abilities: engine,
      events,
      actions: new Actions({ runtime, network: runtime.network ?? realNetwork, clock }),
      images: new Images({ runtime, clock, pulled }),
      sources,
      withdrawal: options.withdrawal, policies: options.policies ?? unheld, mounts: options.mounts ?? linuxMounts, starts: new Limiter(startsAtATime),
      nodeName, nodeIp, clusterDomain: options.clusterDomain, dnsIp: () => dnsIp,
      allocatable, allocations,
      podsDir: join(dataDir, 'pods'), seccompDir: join(dataDir, 'seccomp'),
      refusal: (pod) => refusalUnder(pressure.conditions, pod)
        ?? whyDoesNotFit(pod, { node: identity(), allocatable, pods: all().filter((one) => !hasEnded(one)), given: (others) => allocations.of(others) }),
      services: (namespace) => [
        ...(namespace === undefined ? [] : services.list(namespace)),
        ...(namespace === 'default' ? [] : services.list('default').filter(({ metadata }) => metadata.name === 'kubernetes')),
      ],
      claimed,
      token: (pod, projection) => serviceAccountToken(client, pod, projection),
    };
    const everyone = workers = new PodWorkers(context);
    await everyone.find();
    const mirrors = new Mirrors({
      client, clock, log, statics: () => statics?.list() ?? [], mirrors: () => pods.list().filter(isMirror), node: () => nodes.get({ name: nodeName }), report: reportOfNode,
    });
    const own = await runStaticPods(everyone, { surroundings, options, signal, changed: () => mirrors.touch(), refused: (message) => reportOfNode('InvalidStaticPod', message) });
    statics = own?.pods;
    let registered = false;
    // What the engine does is told of a node that there is.
    const heard = watchEngine(everyone, { surroundings, options, signal, tell: async (notReady) => (registered ? registration.setReady(notReady) : undefined) });

    const range = new KnownRange(join(dataDir, 'pod-range'));
    const prepare = async (podCidr: string): Promise<void> => {
      // What waits must not keep a network as it is that no pod keeps.
      if (runtime.warm !== undefined) await ((await runtime.list()).length === 0 ? runtime.warm.removeAll() : runtime.warm.removeOutside(podCidr));
      const { gatewayIp } = await options.overlay.prepare({ nodeName, nodeIp, podCidr, clusterCidr: options.clusterCidr, serviceCidr: options.serviceCidr });
      dnsIp = gatewayIp;
      network({ gatewayIp, podCidr });
      await statics?.networkReady();
    };
    const registering = registration.register(signal).then(() => podCidrOf(nodes, nodeName, signal));
    const before = await untilAnswered(registering, { clock, signal }) ? undefined : await range.read();
    if (before !== undefined) {
      log.info('no server says what addresses the node has: those of the last time are used', { podCidr: before });
      await prepare(before);
    }
    const podCidr = await registering;
    if (podCidr !== before) await range.write(podCidr);
    if (before === undefined) await prepare(podCidr);
    else if (podCidr !== before) throw new Error(`node ${nodeName} has the addresses ${podCidr} by now, and was begun without a server with ${before}; it must be begun again`);
    registered = true;

    const evictions = new Evictions({
      pressure, runtime, podsDir: context.podsDir, clock, log, pods: ofApi, sandboxesOf, usage: () => sampler.usage(), freeImages: () => imageGc.removeUnused(),
      evict: (pod, verdict) => everyone.evict(pod.metadata.uid ?? '', verdict), tellConditions: () => registration.tellPressure(), report: reportOfNode,
    });
    await Promise.all([pods.whenSynced(signal), services.whenSynced(signal)]);
    await everyone.start(pods);
    for (const message of own?.refusals() ?? []) reportOfNode('InvalidStaticPod', message);
    const touchMirrors = (object: Pod | Node): void => {
      if (object.kind === 'Pod' ? isMirror(object) : object.metadata.name === nodeName) mirrors.touch();
    };
    for (const informer of [pods, nodes]) informer.on({ added: touchMirrors, updated: touchMirrors, deleted: touchMirrors });
    const mirrored = mirrors.run(signal);
    // Logs and sessions would be refused: a node that is Ready has them.
    if (options.tls.serving.current === undefined) await registration.setReady("the certificate of the agent's server has not been issued yet");
    await options.tls.serving.present(signal);
    signal.throwIfAborted();
    await registration.setReady(undefined);
    ready();
    const overlaid = followPeers(nodes, { overlay: options.overlay, nodeName, clock, log, signal });
    const reclaimed = runControllers([reclaimController({ nodeName, dirs, claimed })], surroundings, signal, () => undefined, { informers });
    const warmed = runtime.warm?.keep({ count: options.warmSandboxes ?? 0, most: mostPods, pods: () => all().length }, signal);
    await Promise.all([informing, heard, overlaid, reclaimed, warmed, own?.running, mirrored, registration.run(signal), sampler.run(signal), imageGc.run(signal), evictions.run(signal)]);
    await context.sources.close();
  } finally {
    workers?.close();
    await server.close();
  }
};

interface StaticRun extends Around { readonly changed: () => void; readonly refused: (message: string) => void }

/** Begins the node's own pods; all that the folder has now are known when it resolves. */
const runStaticPods = async (workers: PodWorkers, { surroundings: { clock, log }, options: { staticPods, nodeName }, signal, changed, refused }: StaticRun): Promise<{ readonly pods: StaticPods; readonly refusals: () => readonly string[]; readonly running: Promise<void> } | undefined> => {
  if (staticPods === undefined) return undefined;
  const pods = new StaticPods({ workers, clock, log, changed });
  const folder = new ManifestFolder({ ...staticPods, nodeName, clock, log, refused });
  const known = Promise.withResolvers<void>();
  const running = folder.run(async (found) => {
    await pods.apply(found).finally(known.resolve);
  }, signal);
  running.then(known.resolve, known.reject);
  await known.promise;
  return { pods, refusals: () => folder.refusals(), running };
};

/** True when it was answered in time. */
const untilAnswered = async (answer: Promise<unknown>, { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<boolean> => {
  const over = new AbortController();
  let answered = false;
  answer.then(() => { answered = true; }, () => undefined).finally(() => over.abort());
  await sleep(clock, serverAnswersMs, AbortSignal.any([signal, over.signal]));
  return answered;
};

/** Asks until the engine answers: it may come up after this agent. */
const engineInfo = async ({ clock, log }: Surroundings, { runtime }: AgentOptions, signal: AbortSignal): Promise<RuntimeInfo> => {
  for (;;) {
    try {
      return await runtime.info();
    } catch (error) {
      signal.throwIfAborted();
      log.warn('the container engine does not answer, trying again', { error });
      await sleep(clock, engineRetryMs, signal);
      signal.throwIfAborted();
    }
  }
};

/** The node's pod addresses, as soon as a controller has given them. */
const podCidrOf = (nodes: Informer<Node>, nodeName: string, signal: AbortSignal): Promise<string> => new Promise((resolve, reject) => {
  const look = (node: Node): void => {
    const cidr = node.spec?.podCIDR;
    if (node.metadata.name === nodeName && cidr !== undefined && cidr !== '') resolve(cidr);
  };
  nodes.on({ added: look, updated: look });
  const stop = (): void => reject(new Error('the agent ended before it had an address range'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
});

interface Around { readonly surroundings: Surroundings; readonly options: AgentOptions; readonly signal: AbortSignal }

/** Hands the engine's news to the workers; when the engine was away, all look again. */
const watchEngine = async (workers: PodWorkers, { surroundings: { clock, log }, options: { runtime }, tell, signal }: Around & { readonly tell: (notReady: string | undefined) => Promise<void> }): Promise<void> => {
  let lost = false;
  while (!signal.aborted) {
    try {
      if (lost) {
        await runtime.info();
        lost = false;
        workers.touchAll();
        await tell(undefined);
      }
      for await (const uid of runtime.changes(signal)) workers.touched(uid);
    } catch (error) {
      if (signal.aborted) return;
      if (!lost) {
        log.warn('the container engine is lost', { error });
        await tell('the container engine does not answer').catch(() => undefined);
      }
      lost = true;
      await sleep(clock, engineRetryMs, signal);
    }
  }
};
