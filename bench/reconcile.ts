/**
 * From `apply` to pods that serve, at the size of a cluster: Deployments on simulated nodes, through the real API server
 * (SQLite on disk, every write synced, TLS), controllers, scheduler, agents and proxies.
 *
 * Processes: the control plane as users run it (`barge up --components controllers,scheduler`); some with all the nodes
 * (simulated-agents.ts), each node with its own certificate and connections; and this one, which applies and watches.
 *
 * usage: node bench/reconcile.ts [--deployments N] [--pods N] [--nodes N] [--processes N] [--requests]
 *        --pods: of each Deployment; --processes: that the nodes are spread over;
 *        --requests: also says who asked for what, out of the audit log (which costs time)
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { createClient } from '../client/client.ts';
import type { Informer } from '../client/informer.ts';
import { createHttpTransport } from '../client/http-transport.ts';
import { createInformers } from '../client/informers.ts';
import { connectionOf, loadKubeconfig } from '../client/kubeconfig.ts';
import { isConditionTrue } from '../schemas/conditions.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { Deployment } from '../schemas/kinds/apps/deployment.ts';
import { Node } from '../schemas/kinds/core/node.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { countingPolicy, requestsIn, type Span } from './audit-requests.ts';
import { processorUs, residentMb } from './processes.ts';
import { table } from './table.ts';

const { values } = parseArgs({ options: { deployments: { type: 'string', default: '1000' }, pods: { type: 'string', default: '10' }, nodes: { type: 'string', default: '500' }, processes: { type: 'string', default: '4' }, requests: { type: 'boolean', default: false } } });
const [deployments, replicas, nodes, processes] = [values.deployments, values.pods, values.nodes, values.processes].map(Number) as [number, number, number, number];
if (![deployments, replicas, nodes, processes].every((size) => Number.isInteger(size) && size > 0)) {
  process.stderr.write('usage: node bench/reconcile.ts [--deployments N] [--pods N] [--nodes N] [--processes N] [--requests]\n');
  process.exit(2);
}
const pods = deployments * replicas;

/** Room for 16,384 nodes: the default range ends after 256. */
const clusterCidr = '10.128.0.0/10';
/** No pod changed for so long: none will. */
const stuckMs = 60_000;
/** What is left to do after the last pod (events, statuses) is done by then. */
const restMs = 20_000;
const idleMs = 30_000;
const appliesAtATime = 16;

const dir = await mkdtemp(join(tmpdir(), 'barge-bench-'));
const dataDir = join(dir, 'data');
const auditLog = join(dir, 'audit.log');
const auditPolicy = join(dir, 'audit.json');
await writeFile(auditPolicy, countingPolicy);

const children: ChildProcess[] = [];

/** Resolves with the process' id when it says that it is ready. */
const start = (command: string, args: readonly string[]): Promise<number> => new Promise((resolve, reject) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.unshift(child);
  child.stdout.setEncoding('utf8').on('data', (text: string) => { if (text.includes('Ready')) resolve(child.pid!); });
  child.once('error', reject).once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
});

const stopped = (child: ChildProcess): Promise<void> => new Promise((resolve) => {
  if (child.exitCode !== null || child.signalCode !== null) return resolve();
  child.once('exit', () => resolve());
  child.kill('SIGTERM');
});

/** Names of the objects of which something holds now, kept up by the watch. */
const namesWhere = <T extends ApiObject>(informer: Informer<T>, holds: (object: T) => boolean): ReadonlySet<string> => {
  const names = new Set<string>();
  const look = (object: T): void => void (holds(object) ? names.add(object.metadata.name!) : names.delete(object.metadata.name!));
  informer.on({ added: look, updated: look, deleted: ({ metadata }) => void names.delete(metadata.name!) });
  return names;
};

/** As `kubectl rollout status` sees it. */
const isRolledOut = ({ metadata, spec, status = {} }: Deployment): boolean => {
  const { observedGeneration = 0, replicas: all = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return observedGeneration >= metadata.generation! && [all, updatedReplicas, availableReplicas].every((count) => count === spec.replicas);
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const nameOf = (n: number): string => `web-${String(n).padStart(4, '0')}`;

const deploymentOf = (name: string, image: string, size: number): object => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' },
  spec: {
    replicas: size, selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image, ports: [{ containerPort: 8080 }], resources: { requests: { cpu: '10m', memory: '16Mi' } } }] } },
  },
});

const rows: string[][] = [];
const spans: Span[] = [];
const over = new AbortController();

const measure = async (): Promise<void> => {
  const control = await start(join(import.meta.dirname, '../bin/barge'), [
    'up', '--components', 'controllers,scheduler', '--data-dir', dataDir, '--listen', '127.0.0.1:0', '--cluster-cidr', clusterCidr, '--log-level', 'warn',
    ...(values.requests ? ['--audit-log', auditLog, '--audit-policy', auditPolicy, '--audit-log-max-size', '10000'] : []),
  ]);
  const { connection } = await connectionOf(await loadKubeconfig({ named: join(dataDir, 'admin.kubeconfig'), env: {} }));
  const transport = createHttpTransport(connection);
  const client = createClient(transport);
  const informers = createInformers({ client, clock: systemClock, log: silentLog, random: Math.random });
  const copies = { nodes: informers.informer(Node), pods: informers.informer(Pod), deployments: informers.informer(Deployment) };
  void informers.run(over.signal);
  await informers.whenSynced(over.signal);
  const readyNodes = namesWhere(copies.nodes, ({ status }) => isConditionTrue(status?.conditions, 'Ready'));
  const allPods = namesWhere(copies.pods, () => true);
  const running = namesWhere(copies.pods, ({ status, metadata }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined);
  const rolledOut = namesWhere(copies.deployments, isRolledOut);

  let changedMs = performance.now();
  const changed = (): void => void (changedMs = performance.now());
  copies.pods.on({ added: changed, updated: changed, deleted: changed });
  copies.nodes.on({ added: changed });

  /** Resolves when so many of them are so; rejects when nothing happens any more before that. */
  const reached = async (what: string, names: ReadonlySet<string>, wanted: number): Promise<void> => {
    changed();
    for (; names.size !== wanted; await delay(10)) {
      if (performance.now() - changedMs > stuckMs) throw new Error(`${what}: ${names.size} instead of ${wanted}, and no change for ${stuckMs / 1_000} s`);
    }
  };

  const startedMs = performance.now();
  const firstOf = (n: number): number => Math.floor((nodes * n) / processes);
  const agents = await Promise.all(Array.from({ length: processes }, (_, n) =>
    start(process.execPath, [join(import.meta.dirname, 'simulated-agents.ts'), dataDir, connection.server, clusterCidr, String(firstOf(n)), String(firstOf(n + 1) - firstOf(n))])));
  await reached('ready nodes', readyNodes, nodes);

  /** What both have used until now, and the time. */
  const readings = async () => ({ ms: performance.now(), wallMs: Date.now(), controlUs: await processorUs(control), agentsUs: sum(await Promise.all(agents.map(processorUs))) });
  type Readings = Awaited<ReturnType<typeof readings>>;
  const row = async (what: string, from: Readings, count: number | undefined): Promise<void> => {
    const to = await readings();
    const seconds = (to.ms - from.ms) / 1_000;
    const used = (us: number): string => (count === undefined ? `${(us / seconds / 10_000).toFixed(1)} % of a core` : `${(us / count).toFixed(0)} us each`);
    const mb = async (...pids: readonly number[]): Promise<string> => sum(await Promise.all(pids.map(residentMb))).toFixed(0);
    rows.push([what, seconds.toFixed(1), count === undefined ? '' : (count / seconds).toFixed(0), used(to.controlUs - from.controlUs), used(to.agentsUs - from.agentsUs), await mb(control), await mb(...agents)]);
    process.stderr.write(`${rows.at(-1)!.join(' | ')}\n`);
  };
  const span = async (name: string, work: (from: Readings) => Promise<void>): Promise<void> => {
    const from = await readings();
    await work(from);
    spans.push({ name, fromMs: from.wallMs, toMs: Date.now() });
  };
  const apply = async (image: string, size: number): Promise<void> => {
    let next = 0;
    await Promise.all(Array.from({ length: appliesAtATime }, async () => {
      for (let n = next++; n < deployments; n = next++) {
        await client.of(Deployment).patch({ namespace: 'default', name: nameOf(n) }, 'apply', deploymentOf(nameOf(n), image, size), { fieldManager: 'bench' });
      }
    }));
  };

  await row(`${nodes} nodes register and are Ready`, { ms: startedMs, wallMs: 0, controlUs: 0, agentsUs: 0 }, nodes);
  await delay(restMs);
  await span('idle', async (from) => {
    await delay(idleMs);
    await row('idle, without pods', from, undefined);
  });
  await span('apply to Available', async (from) => {
    await apply('bench/web:1', replicas);
    await row(`${deployments} Deployments applied`, from, deployments);
    await reached('running pods', running, pods);
    await row(`all ${pods} pods Running`, from, pods);
    await reached('Deployments that are Available', rolledOut, deployments);
    await row('all Deployments Available', from, pods);
  });
  await delay(restMs);
  await span('idle with pods', async (from) => {
    await delay(idleMs);
    await row('idle, with them', from, undefined);
  });
  await span('rolling update', async (from) => {
    await apply('bench/web:2', replicas);
    await reached('Deployments that are updated', rolledOut, deployments);
    await row('rolling update of all', from, pods);
  });
  await delay(restMs);
  await span('scaled to zero', async (from) => {
    await apply('bench/web:2', 0);
    await reached('pods', allPods, 0);
    await row('scaled to zero, all pods gone', from, pods);
  });
  transport.close();
};

try {
  await measure();
} finally {
  over.abort();
  for (const child of children) await stopped(child);
  if (values.requests && spans.length > 0) {
    const counts = await requestsIn(auditLog, spans);
    const each = spans.map(({ name, fromMs, toMs }) => (name.startsWith('idle') ? (toMs - fromMs) / 1_000 : pods));
    table(['requests for each pod (idle: a second)', ...spans.map(({ name }) => name)], [...counts].map(([what, of]) => [what, ...of.map((count, index) => (count / each[index]!).toFixed(3))]));
    process.stdout.write('\n');
  }
  await rm(dir, { recursive: true, force: true });
}
table(['what', 'seconds', 'a second', 'control plane', 'nodes', 'control plane MB', 'nodes MB'], rows);
process.exit(0);
