import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { certificatesIn } from '../../base/authorities.ts';
import { readPair } from '../../base/pki-files.ts';
import type { Introduction } from '../cluster/join/join-cluster.ts';
import { authorityHash } from '../cluster/join/join-token.ts';
import { ServerFiles } from '../cluster/servers/server-files.ts';
import { ownSettings, usualListen } from '../cluster/servers/server-settings.ts';
import { configOf, settingFlags, settingsGiven, type SettingFlags } from '../cluster/setting-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { readConfigFile, settings, type ClusterConfig, type SettingsFile } from '../config.ts';
import { flag, UsageError } from '../flags.ts';

/** Settings of a machine that joins; those that are left out it gets from the cluster. */
const own = settings.filter(({ shared }) => shared === undefined).map(({ name }) => name);

type Context = CommandContext<SettingFlags>;

const sayTo = ({ stderr }: Context) => (line: string): void => void stderr.write(`${line}\n`);

/** Runs the server that this machine has become before. */
const runKept = async (context: Context, kept: SettingsFile, dataDir: string): Promise<void> => {
  const config = configOf({ ...context, args: [] }, own, { kept });
  const name = readConfigFile(kept.name, kept.text)['node-name'];
  const again = "'barge reset' removes what it kept, and it can join again";
  if (config.nodeName !== name) throw new CommandError(`this machine has joined as the server ${name}, not ${config.nodeName}; ${again}`);
  const { token } = context.flags;
  const { tokenOf } = await import('../cluster/join/join-cluster.ts');
  const ca = await readPair(join(dataDir, 'pki'), 'ca');
  if (typeof token === 'string' && ca !== undefined && !certificatesIn(ca.cert).some((one) => authorityHash(one) === tokenOf(token).authority)) throw new CommandError(`this machine is a server of another cluster, whose authority is ${authorityHash(ca.cert)}; ${again}`);
  await (await import('../cluster/run-server.ts')).runServer(config, context);
};

/** Makes this machine a further server, and runs it. */
const becomeServer = async (context: Context, introduction: Introduction, config: ClusterConfig): Promise<void> => {
  const [{ asToken }, { fetchMaterial }, { machineAddressesFrom, machineAddresses }] = await Promise.all([
    import('../cluster/join/join-cluster.ts'), import('../cluster/servers/join-server.ts'), import('../cluster/addresses.ts'),
  ]);
  const { nodeName } = config;
  const { ca, nodeIp } = introduction;
  if (machineAddressesFrom(nodeIp) === undefined) throw new CommandError(`--node-ip: this machine has no address ${nodeIp}; it has ${machineAddresses().join(', ')}`);
  const transport = asToken(introduction);
  const files = new ServerFiles(config.dataDir);
  try {
    const material = await fetchMaterial(transport, { nodeName, ca }, context.signal);
    await files.commit({ material, own: ownSettings(config.given, { listen: usualListen, nodeName, nodeIp }) });
  } finally {
    transport.close();
  }
  await runKept(context, (await files.settings())!, config.dataDir);
};

export const command = defineCommand({
  name: 'join', group: 'Cluster', summary: 'Make this machine a node or a further server of a cluster, and run it',
  usage: 'join [https://ADDRESS:PORT] [--token TOKEN] [flags]',
  description: [
    "Runs this machine's node in the foreground: agent, proxy and DNS, until SIGINT or SIGTERM; its pods go on. The token says which cluster it is and lets it in: a server that is not the token's",
    "is told nothing. What the machine gets is kept in the data folder and renewed by itself; to start it again, 'barge join' is enough.",
    "With a token for servers the machine becomes one more server of the cluster, which gives it the keys and all settings that servers share; 'barge up' starts it again as well.",
  ].join('\n'),
  examples: [
    { note: "The line that 'barge up' and 'barge token create' print", line: 'join https://192.0.2.1:6443 --token BARGE-1-...' },
    { note: 'After a restart of the machine', line: 'join' },
  ],
  flags: {
    ...settingFlags(own),
    token: flag.text('Token of the cluster; needed the first time only.', { value: 'TOKEN' }),
    'node-ip': flag.text("IPv4 address by which the cluster reaches this machine; that from which it reaches the server where absent.", { value: 'ADDRESS' }),
    listen: flag.text(`Where the API server of a machine listens that joins as a server (default ${usualListen}).`, { value: 'HOST:PORT' }),
  },
  serves: true,
  run: async (context) => {
    const { flags, args: [server, ...more], clock, signal } = context;
    if (more.length > 0) throw new UsageError(`unexpected argument "${more[0]}"`);
    const nodeIp = flags['node-ip'] as string | undefined;
    if (nodeIp !== undefined && !isIPv4(nodeIp)) throw new CommandError(`--node-ip: ${JSON.stringify(nodeIp)} is no IPv4 address`);
    const config = configOf({ ...context, args: [] }, own);
    const [{ MembershipFiles }, { introduce, asToken, joinCluster, tokenError }, { runWorker, workerSettings }, { runningPid }, { isForServers }, { finishDemotion }] = await Promise.all([
      import('../cluster/join/membership.ts'), import('../cluster/join/join-cluster.ts'), import('../cluster/join/run-worker.ts'), import('../cluster/pid-file.ts'),
      import('../cluster/servers/join-server.ts'), import('../cluster/servers/demotion.ts'),
    ]);
    const running = await runningPid(config.dataDir);
    if (running !== undefined && running !== process.pid) throw new CommandError(`another barge (process ${running}) runs with the data folder ${config.dataDir}`);
    await finishDemotion(config);
    const kept = await new ServerFiles(config.dataDir).settings();
    if (kept !== undefined) return runKept(context, kept, config.dataDir);
    const files = new MembershipFiles(config.dataDir);
    const token = flags['token'] as string | undefined;
    let introduction: Introduction | undefined;
    if (await files.read() === undefined) {
      introduction = await introduce({ server, token, nodeIp }, signal);
      const transport = asToken(introduction);
      const forServers = await isForServers(transport, signal).catch((error: unknown) => { throw tokenError(error); }).finally(() => transport.close());
      if (forServers) return becomeServer(context, introduction, config);
    }
    const foreign = Object.keys(settingsGiven(context, own)).find((name) => !workerSettings.includes(name));
    if (foreign !== undefined) throw new CommandError(`--${foreign}: is for servers, and this machine is a worker${introduction === undefined ? '' : ": the token is one for workers; 'barge token create --role server' makes the other sort"}`);
    const membership = await joinCluster({
      server, token, nodeName: context.given.has('node-name') ? config.nodeName : undefined, defaultNodeName: config.nodeName, nodeIp,
      files, clock, say: sayTo(context), introduction,
    }, signal);
    await runWorker({ membership, config }, context);
  },
});
