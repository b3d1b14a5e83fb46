/**
 * The scheduler through a real API server in one process: pods bound a second from the first create to the last binding,
 * the time of each from the queue (its creation was seen) to its binding (seen too), and memory. The binding, the
 * condition, the events and all of preemption's writes are made. Nodes have 4 CPUs, 32 Gi and room for 110 pods. Each
 * shape runs in a process of its own. `decided` is the scheduler's decision alone, without the API.
 *
 * usage: node bench/schedule.ts [--shape NAME,...] [--nodes N] [--initial N] [--pods N] [--store memory|sqlite]
 *        shapes (all where none is named) are in schedule-shapes.ts; the flags change their sizes
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { Core } from '../apiserver/core.ts';
import { MemoryStorage } from '../apiserver/storage/memory.ts';
import { SqliteStorage } from '../apiserver/storage/sqlite.ts';
import { createClient, type Client } from '../client/client.ts';
import { createInformers } from '../client/informers.ts';
import { Cluster } from '../scheduler/cluster.ts';
import { createSchedulerComponent } from '../scheduler/component.ts';
import { PodInfo } from '../scheduler/pod-info.ts';
import { profileOf } from '../scheduler/profile.ts';
import { Decider } from '../scheduler/schedule.ts';
import { Node } from '../schemas/kinds/core/node.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { Service } from '../schemas/kinds/core/service.ts';
import { PriorityClass } from '../schemas/kinds/scheduling/priority-class.ts';
import { builtinKinds, createRegistry } from '../schemas/registry.ts';
import { preemptor, shapes, unschedulable, type PodWords, type Shape } from './schedule-shapes.ts';
import { percentile, table } from './table.ts';

const { values } = parseArgs({ options: { shape: { type: 'string' }, nodes: { type: 'string' }, initial: { type: 'string' }, pods: { type: 'string' }, store: { type: 'string', default: 'memory' }, raw: { type: 'boolean', default: false } } });

/** Nothing was bound for so long: nothing will be. */
const stuckMs = 60_000;

const allocatable = { cpu: '4', memory: '32Gi', pods: '110' };
const nodeName = (n: number): string => `node-${String(n).padStart(5, '0')}`;
const labelsOf = (n: number, { zones = [] }: Shape): Readonly<Record<string, string>> =>
  ({ 'kubernetes.io/hostname': nodeName(n), ...(zones.length === 0 ? {} : { 'topology.kubernetes.io/zone': zones[n % zones.length]! }) });

/** Does so much work, so many at a time. */
const each = async (count: number, atATime: number, work: (n: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  await Promise.all(Array.from({ length: atATime }, async () => {
    for (let n = next++; n < count; n = next++) await work(n);
  }));
};

/** Pods a second that are decided and placed, without an API. */
const decisions = (shape: Shape): number => {
  const cluster = new Cluster();
  const info = ({ labels = {}, spec }: PodWords, name: string): PodInfo =>
    new PodInfo({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', uid: name, labels }, spec: { ...spec, priority: spec.priorityClassName === undefined ? 0 : 10 } });
  for (let n = 0; n < shape.nodes; n++) cluster.setNode({ apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName(n), labels: labelsOf(n, shape) }, status: { allocatable } });
  for (let n = 0; n < shape.initial; n++) cluster.place(info(shape.initialPod, `i${n}`), nodeName(n % shape.nodes));
  const decider = new Decider(profileOf('spread'), cluster, Math.random);
  const objects = Array.from({ length: shape.pods }, (_, n) => info(shape.pod, `p${n}`));
  const startedMs = performance.now();
  let placed = 0;
  for (const one of objects) {
    const decision = decider.decide(one);
    if (!('node' in decision)) continue;
    cluster.place(one, decision.node.name);
    placed++;
  }
  return placed / (performance.now() - startedMs) * 1_000;
};

/** Keeps the load going that a shape has beside its pods; returns how it is stopped. */
const startChurn = (client: Client, { churn }: Shape): (() => Promise<void>) => {
  if (churn === undefined) return () => Promise.resolve();
  let round = 0;
  const pods = client.of(Pod);
  const mixed = async (n: number): Promise<void> => {
    const names = { node: { name: `churn-${n}` }, pod: { namespace: 'default', name: `churn-${n}` } };
    await client.of(Node).create({ metadata: { ...names.node } });
    await client.of(Node).modifyStatus(names.node, (draft) => { draft.status = { allocatable }; });
    await pods.create({ metadata: { ...names.pod }, spec: unschedulable.spec });
    await client.of(Service).create({ metadata: { ...names.pod }, spec: { selector: { app: 'foo' }, ports: [{ port: 80, targetPort: 80 }] } });
    if (n === 0) return;
    await client.of(Node).delete({ name: `churn-${n - 1}` });
    await pods.delete({ namespace: 'default', name: `churn-${n - 1}` });
    await client.of(Service).delete({ namespace: 'default', name: `churn-${n - 1}` });
  };
  let under = Promise.resolve();
  const timer = setInterval(() => {
    const n = round++;
    under = under.then(async () => {
      if (churn.what === 'mixed') await mixed(n);
      else await pods.create({ metadata: { namespace: 'default', name: `churn-${n}` }, spec: preemptor.spec });
    });
  }, churn.everyMs);
  return () => {
    clearInterval(timer);
    return under;
  };
};

const run = async (shape: Shape): Promise<readonly string[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'barge-bench-'));
  const storage = values.store === 'sqlite' ? await SqliteStorage.open({ file: join(folder, 'state.db'), log: silentLog }) : new MemoryStorage();
  const core = await Core.open({
    storage, registry: createRegistry(await builtinKinds()), clock: systemClock, random: Math.random, log: silentLog,
    authorizer: { authorize: () => undefined }, serviceCidr: '10.96.0.0/16', nodePortRange: { from: 30000, to: 32767 },
  });
  const transport = core.as({ name: 'bench', groups: ['system:masters'] });
  const client = createClient(transport);
  const pods = client.of(Pod);
  await transport.send({ verb: 'create', group: '', version: 'v1', resource: 'namespaces', body: { metadata: { name: 'default' } } });
  await client.of(PriorityClass).create({ metadata: { name: 'high' }, value: 10 });
  await each(shape.nodes, 32, async (n) => {
    await client.of(Node).create({ metadata: { name: nodeName(n), labels: { ...labelsOf(n, shape) } } });
    await client.of(Node).modifyStatus({ name: nodeName(n) }, (draft) => { draft.status = { allocatable }; });
  });
  const create = (name: string, { labels = {}, spec }: PodWords, more: object = {}): Promise<Pod> =>
    pods.create({ metadata: { name, namespace: 'default', labels: { ...labels } }, spec: { ...spec, ...more } });
  await each(shape.initial, 32, (n) => create(`i${n}`, shape.initialPod, { nodeName: nodeName(n % shape.nodes) }));

  const stop = new AbortController();
  const surroundings = { transport, client, clock: systemClock, log: silentLog, random: Math.random };
  const informers = createInformers(surroundings);
  const queuedMs = new Map<string, number>();
  const tookMs: number[] = [];
  const done = Promise.withResolvers<void>();
  let bound: () => void = () => undefined;
  const running = [informers.run(stop.signal)];
  await informers.whenSynced(stop.signal);
  informers.informer(Pod).on({
    added: ({ metadata: { name = '' } }) => {
      if (name.startsWith('p')) queuedMs.set(name, performance.now());
    },
    updated: (pod, old) => {
      const { name = '' } = pod.metadata;
      if (!name.startsWith('p') || pod.spec.nodeName === undefined || old.spec.nodeName !== undefined) return;
      tookMs.push(performance.now() - queuedMs.get(name)!);
      bound();
      if (tookMs.length === shape.pods) done.resolve();
    },
  });
  const ready = Promise.withResolvers<void>();
  running.push(createSchedulerComponent(surroundings, {}).run(stop.signal, ready.resolve));
  await ready.promise;
  const stopChurn = startChurn(client, shape);
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  if (shape.oneByOne === true) {
    for (let n = 0; n < shape.pods; n++) {
      const next = new Promise<void>((resolve) => (bound = resolve));
      await create(`p${n}`, shape.pod);
      await next;
    }
  } else await each(shape.pods, 32, (n) => create(`p${n}`, shape.pod));
  let before = -1;
  const watchdog = setInterval(() => {
    if (tookMs.length === before) done.reject(new Error(`${shape.pods - tookMs.length} of ${shape.pods} pods find no node: is there room for them all?`));
    before = tookMs.length;
  }, stuckMs);
  await done.promise.finally(() => clearInterval(watchdog));
  const rate = shape.pods / (performance.now() - startedMs) * 1_000;
  const { user, system } = process.cpuUsage(startedCpu);
  const memoryMb = process.memoryUsage().rss / 1024 / 1024;
  await stopChurn();
  stop.abort();
  await Promise.all(running);
  await core.close();
  rmSync(folder, { recursive: true });
  return [rate.toFixed(0), shape.gate === undefined ? '' : String(shape.gate), percentile(tookMs, 0.5).toFixed(1), percentile(tookMs, 0.99).toFixed(1), ((user + system) / shape.pods).toFixed(0), memoryMb.toFixed(0)];
};

const sized = (shape: Shape): Shape => {
  const given = (['nodes', 'initial', 'pods'] as const).filter((name) => values[name] !== undefined).map((name) => [name, Number(values[name])] as const);
  return { ...shape, ...Object.fromEntries(given) };
};

const names = values.shape?.split(',') ?? Object.keys(shapes);
const unknown = names.find((name) => !Object.hasOwn(shapes, name));
if (unknown !== undefined || !['memory', 'sqlite'].includes(values.store) || (['nodes', 'initial', 'pods'] as const).some((name) => !/^\d+$/.test(values[name] ?? '0'))) {
  process.stderr.write(`usage: node bench/schedule.ts [--shape NAME,...] [--nodes N] [--initial N] [--pods N] [--store memory|sqlite]; shapes: ${Object.keys(shapes).join(', ')}\n`);
  process.exit(2);
}
if (values.raw) {
  const shape = sized(shapes[names[0]!]!);
  const through = await run(shape);
  process.stdout.write(JSON.stringify([...through, decisions(shape).toFixed(0)]));
} else {
  const rows = names.map((name) => {
    const { nodes, initial, pods } = sized(shapes[name]!);
    const own = process.argv.slice(2).filter((one, at, all) => one !== '--shape' && all[at - 1] !== '--shape' && !one.startsWith('--shape='));
    const output = execFileSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...own, '--shape', name, '--raw'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    return [`${name}: ${nodes} nodes, ${initial} + ${pods} pods`, ...JSON.parse(output) as string[]];
  });
  table(['shape', 'bound a second', "Kubernetes' gate", 'median ms', 'p99 ms', 'processor us each', 'MB', 'decided a second'], rows);
}
