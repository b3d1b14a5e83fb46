/**
 * Nodes as `barge agent --runtime simulated` runs them, many in one process: each with its agent and proxy, a certificate
 * and connections of its own, and a folder of its own for its pods' files. Says `Ready` when all of them do their work, and
 * ends at SIGTERM.
 *
 * usage: node bench/simulated-agents.ts DATA_DIR_OF_THE_CLUSTER SERVER_URL CLUSTER_CIDR FIRST COUNT
 */
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { createLog } from '../base/log.ts';
import { LivePair } from '../base/live-pair.ts';
import { LiveValue } from '../base/live-value.ts';
import { readPair } from '../base/pki-files.ts';
import { issueCertificate } from '../base/pki.ts';
import { agentRequestsAtATime } from '../cli/commands/agent.ts';
import { createNode } from '../cli/cluster/node.ts';
import { nodeUser } from '../cli/cluster/part-users.ts';
import { readConfig } from '../cli/config.ts';
import { runComponents } from '../cli/run-components.ts';
import { clusterDomain } from '../cli/cluster/cluster-domain.ts';
import { createHttpTransport } from '../client/http-transport.ts';

/** Nodes that are started at a time, by each process. */
const startsAtATime = 4;
const nodeIp = '127.0.0.1';

const [dataDir, server, clusterCidr, first, count] = process.argv.slice(2);
if (dataDir === undefined || server === undefined || clusterCidr === undefined || ![first, count].every((number) => /^\d+$/.test(number ?? ''))) {
  process.stderr.write('usage: node bench/simulated-agents.ts DATA_DIR_OF_THE_CLUSTER SERVER_URL CLUSTER_CIDR FIRST COUNT\n');
  process.exit(2);
}
const ca = (await readPair(join(dataDir, 'pki'), 'ca'))!;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

/** Resolves when the node is at work, with what it does until the signal aborts. */
const start = async (nodeName: string): Promise<{ readonly done: Promise<void> }> => {
  const pair = await issueCertificate({
    ca, commonName: `${nodeUser.prefix}${nodeName}`, organizations: [nodeUser.group], lifetimeDays: 1, nowMs: systemClock.now(),
    usages: ['client', 'server'], dnsNames: [nodeName], ipAddresses: [nodeIp],
  });
  const transport = createHttpTransport({ server, ca: ca.cert, cert: pair.cert, key: pair.key, userAgent: 'barge-agent', requestsAtATime: agentRequestsAtATime });
  const log = createLog({ level: 'warn', format: 'text', write: (line) => void process.stderr.write(`${line}\n`), now: () => systemClock.now() }, { node: nodeName });
  const surroundings = { transport, clock: systemClock, random: Math.random, log };
  const flags = { 'data-dir': join(dataDir, 'nodes', nodeName), 'node-name': nodeName, runtime: 'simulated', 'cluster-cidr': clusterCidr };
  const components = await createNode({
    config: readConfig({ flags, env: {}, root: true }), clusterDomain, nodeIp, clock: systemClock, credentials: { trust: new LiveValue(ca.cert), agent: new LivePair(pair) }, agent: surroundings, proxy: surroundings,
  });
  let waiting = components.length;
  const ready = Promise.withResolvers<void>();
  const told = components.map((component) => ({
    ...component,
    run: (signal: AbortSignal, isReady: () => void) => component.run(signal, () => {
      isReady();
      if (--waiting === 0) ready.resolve();
    }),
  }));
  const done = runComponents(told, stop.signal, log).finally(() => transport.close());
  await Promise.race([ready.promise, done]);
  return { done };
};

let next = Number(first);
const end = next + Number(count);
const running: Promise<void>[] = [];
await Promise.all(Array.from({ length: startsAtATime }, async () => {
  while (next < end && !stop.signal.aborted) running.push((await start(`node-${String(next++).padStart(4, '0')}`)).done);
}));
process.stdout.write('Ready\n');
await Promise.all(running);
