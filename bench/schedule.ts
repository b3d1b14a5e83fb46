/**
 * The scheduler, from pods that were created to pods that are bound: decisions alone (no API server), and through an
 * in-process API server that keeps everything in memory, with all writes that it makes (binding and event). Nodes have
 * 32 CPUs, 128 Gi and room for 110 pods; pods ask for 100m and 128Mi.
 *
 * usage: node bench/schedule.ts [NODES PODS]...        (500 2000 5000 10000 where none are given)
 */
import { silentLog } from '../base/log.ts';
import { systemClock } from '../base/clock.ts';
import { Core } from '../apiserver/core.ts';
import { MemoryStorage } from '../apiserver/storage/memory.ts';
import { createClient } from '../client/client.ts';
import { createInformers } from '../client/informers.ts';
import { Cluster } from '../scheduler/cluster.ts';
import { createSchedulerComponent } from '../scheduler/component.ts';
import { PodInfo } from '../scheduler/pod-info.ts';
import { profileOf } from '../scheduler/profile.ts';
import { Decider } from '../scheduler/schedule.ts';
import { Node } from '../schemas/kinds/core/node.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { builtinKinds, createRegistry } from '../schemas/registry.ts';
import { table } from './table.ts';

const allocatable = { cpu: '32', memory: '128Gi', pods: '110' };
const nodeName = (n: number): string => `node-${String(n).padStart(5, '0')}`;
const podSpec = { containers: [{ name: 'web', image: 'web:1', resources: { requests: { cpu: '100m', memory: '128Mi' } } }] };

/** Pods a second that are decided and placed. */
const decisions = (nodes: number, pods: number): number => {
  const cluster = new Cluster();
  for (let n = 0; n < nodes; n++) cluster.setNode({ apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName(n), labels: {} }, status: { allocatable } });
  const decider = new Decider(profileOf('spread'), cluster, Math.random);
  const objects = Array.from({ length: pods }, (_, n): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${n}`, namespace: 'default', uid: `u${n}` }, spec: podSpec }));
  const startedMs = performance.now();
  for (const object of objects) {
    const info = new PodInfo(object);
    const decision = decider.decide(info);
    if (!('node' in decision)) throw new Error('there should have been room');
    cluster.place(info, decision.node.name);
  }
  return pods / (performance.now() - startedMs) * 1_000;
};

/** Pods a second from the first create to the last binding, with the scheduler running, and with all pods there before. */
const through = async (nodes: number, pods: number, waiting: boolean): Promise<number> => {
  const registry = createRegistry(await builtinKinds());
  const core = await Core.open({
    storage: new MemoryStorage(), registry, clock: systemClock, random: Math.random, log: silentLog,
    authorizer: { authorize: () => undefined }, serviceCidr: '10.96.0.0/16', nodePortRange: { from: 30000, to: 32767 },
  });
  const transport = core.as({ name: 'bench', groups: ['system:masters'] });
  const client = createClient(transport);
  await transport.send({ verb: 'create', group: '', version: 'v1', resource: 'namespaces', body: { metadata: { name: 'default' } } });
  for (let n = 0; n < nodes; n++) {
    await client.of(Node).create({ metadata: { name: nodeName(n) } });
    await client.of(Node).modifyStatus({ name: nodeName(n) }, (draft) => { draft.status = { allocatable }; });
  }
  const stop = new AbortController();
  const surroundings = { transport, client, clock: systemClock, log: silentLog, random: Math.random };
  const informers = createInformers(surroundings);
  let bound = 0;
  const done = Promise.withResolvers<void>();
  informers.informer(Pod).on({ updated: (pod, old) => {
    if (pod.spec.nodeName !== undefined && old.spec.nodeName === undefined && ++bound === pods) done.resolve();
  } });
  const create = async (): Promise<void> => {
    let next = 0;
    await Promise.all(Array.from({ length: 32 }, async () => {
      for (let n = next++; n < pods; n = next++) await client.of(Pod).create({ metadata: { name: `p${n}`, namespace: 'default' }, spec: podSpec });
    }));
  };
  if (waiting) await create();
  const running = [informers.run(stop.signal)];
  await informers.whenSynced(stop.signal);
  const startedMs = performance.now();
  running.push(createSchedulerComponent(surroundings, {}).run(stop.signal, () => undefined));
  if (!waiting) await create();
  await done.promise;
  const rate = pods / (performance.now() - startedMs) * 1_000;
  stop.abort();
  await Promise.all(running);
  await core.close();
  return rate;
};

const numbers = process.argv.slice(2).map(Number);
const sizes = numbers.length === 0 ? [[500, 2_000], [5_000, 10_000]] : numbers.flatMap((nodes, at) => (at % 2 === 0 ? [[nodes, numbers[at + 1] ?? 1_000]] : []));
const rows: string[][] = [];
for (const [nodes = 0, pods = 0] of sizes) {
  decisions(nodes, Math.min(pods, 2_000));
  rows.push([
    `${nodes} nodes, ${pods} pods`, decisions(nodes, pods).toFixed(0),
    (await through(nodes, pods, true)).toFixed(0), (await through(nodes, pods, false)).toFixed(0),
  ]);
}
table(['pods a second', 'decided', 'bound, all there before', 'bound, while they are created'], rows);
