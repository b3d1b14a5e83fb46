/** All of barge in one process: the real API server, controllers, scheduler, agents and proxies, on simulated engines and a fake clock. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { MemoryStorage } from '../../apiserver/storage/memory.ts';
import type { Component, Surroundings } from '../../base/component.ts';
import { LivePair } from '../../base/live-pair.ts';
import { LiveValue } from '../../base/live-value.ts';
import { silentLog } from '../../base/log.ts';
import type { CertificatePair } from '../../base/pki.ts';
import { createControllersComponent } from '../../controllers/component.ts';
import { createAgentComponent } from '../../kubelet-lite/component.ts';
import { SimulatedRuntime } from '../../kubelet-lite/runtime/simulated.ts';
import type { ProxyBackend, ServiceTable } from '../../proxy/backend.ts';
import { createProxyComponent } from '../../proxy/component.ts';
import { createSchedulerComponent } from '../../scheduler/component.ts';
import { seededRandom, testApi, type TestApi } from './api.ts';
import { FakeClock, settle } from './fake-clock.ts';

/** Real time that a stretch of fake time may take at the most, when nothing comes of it. */
const realLimitMs = 15_000;

/**
 * Lets the cluster work until the assertion passes, and throws its last error when `forMs` of the fake clock are over; it
 * looks every `stepMs` of it.
 * Agents write files and listen on sockets, which takes real time: the clock stands still until such work had its turn.
 */
export const until = async <T>(clock: FakeClock, assertion: () => T | Promise<T>, { forMs = 20_000, stepMs = 250 }: { readonly forMs?: number; readonly stepMs?: number } = {}): Promise<T> => {
  const endMs = clock.now() + forMs;
  const realEndMs = Date.now() + realLimitMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (clock.now() >= endMs && Date.now() >= realEndMs) throw error;
      await settle(4);
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (clock.now() < endMs) await clock.advance(stepMs);
    }
  }
};

/** Remembers the table in force, as a kernel would. */
class RecordingBackend implements ProxyBackend {
  readonly name = 'recording';
  table: ServiceTable = new Map();
  /** Sees every table that comes into force. */
  onApply: (table: ServiceTable) => void = () => undefined;

  async apply(table: ServiceTable): Promise<void> {
    this.table = table;
    this.onApply(table);
  }

  async remove(): Promise<void> {
    this.table = new Map();
  }
}

interface Running { readonly stop: AbortController; readonly done: Promise<void> }

export interface SimulatedMachine {
  readonly name: string;
  readonly runtime: SimulatedRuntime;
  readonly backend: RecordingBackend;
  /** Addresses to which the node's proxy sends new connections of a service. */
  endpoints(service: string): readonly string[];
  /** Starts agent and proxy and waits until both are ready. */
  start(): Promise<void>;
  /** Ends agent and proxy; what runs on the engine goes on. */
  stop(): Promise<void>;
}

export interface WholeCluster {
  readonly clock: FakeClock;
  readonly api: TestApi;
  readonly machines: readonly SimulatedMachine[];
  /** Ends API server, controllers and scheduler at once, as kill -9 would, and starts them again on what is stored. */
  restartControlPlane(): Promise<void>;
  close(): Promise<void>;
}

export interface WholeClusterOptions {
  readonly nodes: number;
  readonly cpuCount?: number;
  readonly serving: CertificatePair;
  readonly ca: CertificatePair;
  readonly seed?: number;
}

const cidrs = { serviceCidr: '10.96.0.0/16', clusterCidr: '10.244.0.0/16' } as const;

export const wholeCluster = async ({ nodes, cpuCount = 4, serving, ca, seed = 1 }: WholeClusterOptions): Promise<WholeCluster> => {
  const clock = new FakeClock();
  const storage = new MemoryStorage();
  const random = seededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'barge-whole-'));
  let api: TestApi;
  let central: readonly Running[] = [];

  const surroundings = (name: string, groups: readonly string[] = []): Surroundings => ({
    // The API server behind it may be another one after a restart.
    transport: {
      send: (request, signal) => api.core.as({ name, groups: [...groups, 'system:authenticated'] }).send(request, signal),
      watch: (request, signal) => api.core.as({ name, groups: [...groups, 'system:authenticated'] }).watch(request, signal),
    },
    clock, random, log: silentLog,
  });
  const run = async (component: Component): Promise<Running> => {
    const stop = new AbortController();
    let ready = false;
    const done = component.run(stop.signal, () => void (ready = true));
    await until(clock, () => {
      if (!ready) throw new Error(`${component.name} is not ready`);
    });
    return { stop, done };
  };
  const end = async (running: readonly Running[]): Promise<void> => {
    for (const { stop } of running) stop.abort();
    await Promise.all(running.map(({ done }) => done));
  };
  const startCentral = async (): Promise<void> => {
    api = await testApi({ clock, storage, authorizer: createClusterAuthorizer });
    const controllers = createControllersComponent(surroundings('system:barge:controllers'), { ...cidrs, rootCa: ca.cert });
    central = [await run(controllers), await run(createSchedulerComponent(surroundings('system:barge:scheduler'), {}))];
  };

  const machine = (index: number): SimulatedMachine => {
    const name = `node-${index}`;
    const runtime = new SimulatedRuntime({ clock, cpuCount, addressPrefix: `10.${index}` });
    const backend = new RecordingBackend();
    let running: readonly Running[] = [];
    return {
      name, runtime, backend,
      endpoints: (service) => [...backend.table.values()].filter((port) => port.name.startsWith(`default/${service}:`)).flatMap((port) => port.endpoints.map(({ ip }) => ip)),
      start: async () => {
        const proxy = createProxyComponent(surroundings('system:barge:proxy'), { nodeName: name, backend });
        const agent = createAgentComponent(surroundings(`system:node:${name}`, ['system:nodes']), {
          nodeName: name, nodeIp: '127.0.0.1', runtime, withdrawal: proxy.withdrawal, dataDir: join(folder, name), clusterDomain: 'cluster.local', ...cidrs,
          overlay: { name: 'none', overheadBytes: 0, prepare: async () => ({ gatewayIp: '10.244.0.1' }), apply: async () => undefined, isUndisturbed: async () => true, remove: async () => undefined },
          tls: { serving: new LivePair(serving), trust: new LiveValue(ca.cert) }, apiserverClientName: 'system:barge:apiserver', nodeLabels: {},
        });
        running = [await run(proxy), await run(agent)];
      },
      stop: async () => {
        await end(running);
        running = [];
      },
    };
  };

  await startCentral();
  const machines = Array.from({ length: nodes }, (_, index) => machine(index + 1));
  for (const one of machines) await one.start();
  return {
    clock, machines,
    get api() {
      return api;
    },
    restartControlPlane: async () => {
      await end(central);
      await api.close();
      await startCentral();
    },
    close: async () => {
      for (const one of machines) await one.stop();
      await end(central);
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
