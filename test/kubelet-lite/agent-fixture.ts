import { deepStrictEqual } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCa, issueCertificate, type CertificatePair } from '../../base/pki.ts';
import { LivePair } from '../../base/live-pair.ts';
import { LiveValue } from '../../base/live-value.ts';
import { silentLog } from '../../base/log.ts';
import type { NewObject } from '../../client/client.ts';
import { revisionOf } from '../../client/key.ts';
import { createAgentComponent, type AgentOptions } from '../../kubelet-lite/component.ts';
import { SimulatedRuntime } from '../../kubelet-lite/runtime/simulated.ts';
import type { Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { seededRandom, testApi, type TestApi } from '../helpers/api.ts';

export const nodeName = 'node-1';
export const apiserverClient = 'system:barge:apiserver';

/** Certificates that a test may share: making them is the slow part. */
export interface AgentPki { readonly ca: CertificatePair; readonly serving: CertificatePair; readonly client: CertificatePair; readonly stranger: CertificatePair }

export const agentPki = async (): Promise<AgentPki> => {
  const nowMs = Date.now();
  const ca = await createCa({ commonName: 'test', lifetimeDays: 10, nowMs });
  const issue = (commonName: string, usage: 'server' | 'client'): Promise<CertificatePair> =>
    issueCertificate({ ca, commonName, ipAddresses: ['127.0.0.1'], usages: [usage], lifetimeDays: 10, nowMs });
  const [serving, client, stranger] = await Promise.all([issue('node', 'server'), issue(apiserverClient, 'client'), issue('admin', 'client')]);
  return { ca, serving, client, stranger };
};

export interface AgentFixture {
  readonly api: TestApi;
  readonly clock: FakeClock;
  readonly runtime: SimulatedRuntime;
  /** Addresses that the agent asked to be withdrawn. */
  readonly withdrawn: string[];
  /** What the agent asked of the API server so far: `update leases`. */
  readonly requests: string[];
  /** Requests that find no server, as `requests` has them. */
  readonly lost: Set<string>;
  readonly dataDir: string;
  /** Starts the agent; resolves when the node is ready. */
  start(options?: Partial<AgentOptions>): Promise<void>;
  /** Begins to start the agent, and does not wait until the node is ready. */
  begin(options?: Partial<AgentOptions>): void;
  /** From now on no request reaches the API server, and watches break off. */
  cut(): void;
  /** The API server can be reached again. */
  mend(): void;
  /** Ends the agent and leaves pods running. */
  stop(): Promise<void>;
  pod(name: string): Promise<Pod | undefined>;
  /** Resolves with the pod once it is as the check wants it; the check's refusal is the error. */
  until(name: string, check: (pod: Pod) => string | undefined): Promise<Pod>;
  phase(name: string, phase: string): Promise<Pod>;
  /** Resolves once the pod is out of the API and off the engine. */
  gone(name: string): Promise<void>;
  /** Reasons of the events about a pod, in the order in which they were made. */
  events(name: string): Promise<readonly string[]>;
  createPod(pod: { readonly name: string; readonly spec: NonNullable<Pod['spec']>; readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> }): Promise<Pod>;
  close(): Promise<void>;
}

/** An agent on a simulated engine and a fake clock, against a real API server in this process. */
export const agentFixture = async (pki: AgentPki | Promise<AgentPki>): Promise<AgentFixture> => {
  const { serving, ca } = await pki;
  const clock = new FakeClock();
  const api = await testApi({ clock });
  const runtime = new SimulatedRuntime({ clock });
  const dataDir = await mkdtemp(join(tmpdir(), 'barge-agent-'));
  const withdrawn: string[] = [];
  const requests: string[] = [];
  const lost = new Set<string>();
  let isCut = false;
  let watches = new AbortController();
  const refuse = (): void => {
    if (isCut) throw new ApiError('ServiceUnavailable', 'the API server cannot be reached');
  };
  const transport: Transport = {
    watch: async function* (request, signal) {
      refuse();
      yield* api.transport.watch(request, AbortSignal.any([signal, watches.signal]));
      refuse();
    },
    send: async (request, signal) => {
      const words = `${request.verb} ${request.resource}${request.subresource === undefined ? '' : `/${request.subresource}`}`;
      requests.push(words);
      refuse();
      if (lost.has(words)) throw new ApiError('ServiceUnavailable', 'no server answers');
      return api.transport.send(request, signal);
    },
  };
  let running: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  await api.client.of(Node).create({ metadata: { name: nodeName }, spec: { podCIDR: '10.244.0.0/24' } });
  const stop = async (): Promise<void> => {
    running?.abort.abort();
    await running?.done;
    running = undefined;
  };
  const pod = (name: string): Promise<Pod | undefined> => api.client.of(Pod).find({ namespace: 'default', name });
  const until = (name: string, check: (found: Pod) => string | undefined): Promise<Pod> => eventually(async () => {
    const found = await pod(name);
    const why = found === undefined ? 'there is no such pod' : check(found);
    if (found === undefined || why !== undefined) throw new Error(`${why}: ${JSON.stringify(found?.status)}`);
    return found;
  }, 20_000);
  const start = async (options: Partial<AgentOptions> = {}): Promise<void> => {
    const abort = new AbortController();
    const component = createAgentComponent({ transport, clock, log: silentLog, random: seededRandom(7) }, {
      nodeName, nodeIp: '127.0.0.1', runtime, dataDir, clusterDomain: 'cluster.local', serviceCidr: '10.96.0.0/16', clusterCidr: '10.244.0.0/16',
      overlay: { name: 'none', overheadBytes: 0, prepare: async () => ({ gatewayIp: '10.244.0.1' }), apply: async () => undefined, isUndisturbed: async () => true, remove: async () => undefined },
      withdrawal: { withdrawn: async (podIp) => { withdrawn.push(podIp); } },
      tls: { serving: new LivePair(serving), trust: new LiveValue(ca.cert) }, apiserverClientName: apiserverClient, nodeLabels: { pool: 'test' }, ...options,
    });
    await new Promise<void>((resolve, reject) => {
      const done = component.run(abort.signal, resolve);
      running = { abort, done };
      done.catch(reject);
    });
  };
  return {
    api, clock, runtime, withdrawn, requests, lost, until, pod,
    phase: (name, phase) => until(name, (found) => (found.status?.phase === phase ? undefined : `is not ${phase}`)),
    gone: (name) => eventually(async () => {
      if (await pod(name) !== undefined) throw new Error(`${name} is still in the API`);
      if ((await runtime.list()).some((sandbox) => sandbox.podName === name)) throw new Error(`${name} is still on the engine`);
    }, 20_000),
    events: async (name) => (await api.client.of(Event).list({ namespace: 'default' })).items
      .filter(({ involvedObject }) => involvedObject.name === name).sort((a, b) => revisionOf(a) - revisionOf(b)).map(({ reason = '' }) => reason),
    dataDir, stop,
    cut: () => {
      isCut = true;
      watches.abort();
    },
    mend: () => {
      isCut = false;
      watches = new AbortController();
    },
    begin: (options = {}) => void start(options).catch(() => undefined),
    start,
    createPod: ({ name, spec, labels = {}, annotations = {} }) => api.client.of(Pod).create({ metadata: { name, namespace: 'default', labels, annotations }, spec: { nodeName, ...spec } } as NewObject<Pod>),
    close: async () => {
      await stop();
      await api.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

/** Resolves once what is read equals what is expected; an assertion of the test itself would count its first failure. */
export const becomes = (read: () => unknown, expected: unknown, message?: string): Promise<void> =>
  eventually(async () => deepStrictEqual(await read(), expected, message), 20_000);
