import { isIPv4 } from 'node:net';
import { createLog } from '../../base/log.ts';
import { configOf, settingFlags } from '../cluster/setting-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import { pressureSettings } from '../config.ts';
import { flag, UsageError } from '../flags.ts';

const used = ['data-dir', 'node-name', 'docker-host', 'runtime', 'warm-sandboxes', ...pressureSettings, 'log-level', 'log-format'] as const;

export const command = defineCommand({
  name: 'join', group: 'Cluster', summary: 'Make this machine a node of a cluster, and run it',
  usage: 'join [https://ADDRESS:PORT] [--token TOKEN] [flags]',
  description: [
    "Runs this machine's node in the foreground: agent, proxy and DNS, until SIGINT or SIGTERM; its pods go on. The token says which cluster it is and lets it in: a server that is not the token's",
    "is told nothing. What the machine gets is kept in the data folder and renewed by itself; to start it again, 'barge join' is enough.",
  ].join('\n'),
  examples: [
    { note: "The line that 'barge up' and 'barge token create' print", line: 'join https://192.0.2.1:6443 --token BARGE-1-...' },
    { note: 'After a restart of the machine', line: 'join' },
  ],
  flags: {
    ...settingFlags(used),
    token: flag.text('Token of the cluster; needed the first time only.', { value: 'TOKEN' }),
    'node-ip': flag.text("IPv4 address by which the cluster reaches this machine; that from which it reaches the server where absent.", { value: 'ADDRESS' }),
  },
  serves: true,
  run: async (context) => {
    const { flags, args: [server, ...more], clock, random, signal, stdout, stderr } = context;
    if (more.length > 0) throw new UsageError(`unexpected argument "${more[0]}"`);
    const nodeIp = flags['node-ip'] as string | undefined;
    if (nodeIp !== undefined && !isIPv4(nodeIp)) throw new CommandError(`--node-ip: ${JSON.stringify(nodeIp)} is no IPv4 address`);
    const config = configOf({ ...context, args: [] }, used);
    const [{ MembershipFiles }, { joinCluster }, { runJoined }, { removePid, runningPid, writePid }] = await Promise.all([
      import('../cluster/join/membership.ts'), import('../cluster/join/join-cluster.ts'), import('../cluster/join/run-joined.ts'), import('../cluster/pid-file.ts'),
    ]);
    const running = await runningPid(config.dataDir);
    if (running !== undefined && running !== process.pid) throw new CommandError(`another barge (process ${running}) runs with the data folder ${config.dataDir}`);
    const files = new MembershipFiles(config.dataDir);
    const membership = await joinCluster({
      server, token: flags.token as string | undefined, nodeName: context.given.has('node-name') ? config.nodeName : undefined, defaultNodeName: config.nodeName, nodeIp,
      files, clock, say: (line) => void stderr.write(`${line}\n`),
    }, signal);
    await writePid(config.dataDir);
    try {
      const log = createLog({ level: config.logLevel, format: config.logFormat, write: (line) => void stderr.write(`${line}\n`), now: () => clock.now() });
      await runJoined({ membership, files, config, clock, random, log, onReady: () => void stdout.write(`node ${membership.nodeName} Ready: ${membership.server}\n`) }, signal);
    } finally {
      await removePid(config.dataDir);
    }
  },
});
