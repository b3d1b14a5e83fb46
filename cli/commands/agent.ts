import { X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { LivePair } from '../../base/live-pair.ts';
import { LiveValue } from '../../base/live-value.ts';
import { CommandError, defineCommand } from '../command.ts';
import { pressureSettings } from '../config.ts';
import { flag } from '../flags.ts';
import { nodeUser } from '../cluster/part-users.ts';
import { removePid, writePid } from '../cluster/pid-file.ts';
import { remoteFlags, runRemote, type Remote } from '../cluster/run-remote.ts';

/** Of hundreds of agents each needs few connections, and the server has a bound on all of them. */
export const agentRequestsAtATime = 4;

const part = { name: 'agent', noted: 'agent/servers.json', requestsAtATime: agentRequestsAtATime, settings: ['data-dir', 'docker-host', 'runtime', 'warm-sandboxes', ...pressureSettings, 'pod-manifest-path', 'cluster-cidr', 'service-cidr', 'overlay', 'node-lease-duration', 'node-monitor-grace-period'] };
/** The extended key usage "TLS server" (RFC 5280). */
const serverUsage = '1.3.6.1.5.5.7.3.1';

interface Self {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly cert: string;
  readonly key: string;
}

/** Who this node is: its certificate says it. One pair serves for both sides, as client and as the agent's own server. */
const selfOf = ({ connection }: Remote, addresses: readonly string[]): Self => {
  const make = `make one with 'barge issue agent --node-name NAME --node-ip ADDRESS'`;
  if (connection.cert === undefined || connection.key === undefined) throw new CommandError(`the kubeconfig has no client certificate and key, by which an agent is known and serves logs and sessions; ${make}`);
  const certificate = new X509Certificate(connection.cert);
  const user = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
  if (!user.startsWith(nodeUser.prefix)) throw new CommandError(`the kubeconfig is ${user === '' ? 'nobody' : user}'s; an agent must be ${nodeUser.prefix}NAME; ${make}`);
  if (!certificate.keyUsage.includes(serverUsage)) throw new CommandError(`${user}'s certificate is for clients only, and the agent serves logs and sessions with it; ${make}`);
  const nodeIp = addresses.find((address) => certificate.checkIP(address) !== undefined);
  if (nodeIp === undefined) throw new CommandError(`${user}'s certificate names none of this machine's addresses (${addresses.join(', ')}), but ${certificate.subjectAltName ?? 'none'}; ${make}`);
  return { nodeName: user.slice(nodeUser.prefix.length), nodeIp, cert: connection.cert.toString(), key: connection.key.toString() };
};

export const command = defineCommand({
  name: 'agent', group: 'Cluster', summary: 'Run a node alone: agent, proxy and DNS, against an API server elsewhere',
  usage: 'agent --kubeconfig FILE [flags]',
  description: "The node's name is the one in its certificate. The API server must reach this machine, and this machine the API server.",
  flags: { ...remoteFlags(part), 'no-proxy': flag.on("Leave the service proxy out: 'barge proxy' runs it.") },
  serves: true,
  run: async (context) => {
    let dataDir: string | undefined;
    try {
      await runRemote(context, part, async (remote) => {
        const [{ createNode }, { machineAddresses }, { clusterDomain }] = await Promise.all([
          import('../cluster/node.ts'), import('../cluster/addresses.ts'), import('../cluster/cluster-domain.ts'),
        ]);
        const { nodeName, nodeIp, cert, key } = selfOf(remote, machineAddresses());
        await mkdir(remote.config.dataDir, { recursive: true, mode: 0o700 });
        dataDir = remote.config.dataDir;
        await writePid(dataDir, 'agent');
        return createNode({
          config: { ...remote.config, nodeName }, clusterDomain, nodeIp, clock: context.clock, credentials: { trust: new LiveValue(remote.ca), agent: new LivePair({ cert, key }) },
          agent: remote.surroundings('agent'), proxy: remote.surroundings('proxy'), withProxy: context.flags['no-proxy'] !== true,
        });
      });
    } finally {
      if (dataDir !== undefined) await removePid(dataDir, 'agent');
    }
  },
});
