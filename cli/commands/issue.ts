import { join, resolve } from 'node:path';
import { issueCertificate } from '../../base/pki.ts';
import { loadKubeconfig, printKubeconfig, writeKubeconfig, type Kubeconfig } from '../../client/kubeconfig.ts';
import { machineAddresses } from '../cluster/addresses.ts';
import { readAuthority } from '../cluster/authority/authority-files.ts';
import { nodeUser, partUsers } from '../cluster/part-users.ts';
import { CommandError, defineCommand } from '../command.ts';
import { defaultDataDir } from '../config.ts';
import { flag } from '../flags.ts';

const longestDays = 3_650;

export const command = defineCommand({
  name: 'issue', group: 'Cluster', summary: 'Make a kubeconfig with a certificate of its own, for a part of barge or for a user',
  usage: 'issue (controllers | scheduler | proxy | agent | user/NAME) [flags]',
  description: "Signs with the authority in the data folder of 'barge up', so it is run there. What a user may do is for the cluster to say.",
  examples: [
    { note: 'Controllers in a process of their own', line: 'issue controllers --out controllers.kubeconfig' },
    { note: 'A node', line: 'issue agent --node-name node-2 --node-ip 192.0.2.12 --out node-2.kubeconfig' },
    { note: 'Somebody who uses the cluster', line: 'issue user/ann --group developers --out ann.kubeconfig' },
  ],
  flags: {
    'data-dir': flag.text('Data folder of the cluster.', { value: 'DIR' }),
    out: flag.text('File to write, mode 0600; standard output where absent.', { value: 'FILE' }),
    server: flag.text("URL of the API server; the admin's kubeconfig says it where absent.", { short: 's', value: 'URL' }),
    group: flag.list('Group of a user; can be given several times.', { value: 'NAME' }),
    'node-name': flag.text("Name of an agent's node.", { value: 'NAME' }),
    'node-ip': flag.list("Address of an agent's machine; this machine's where absent. Can be given several times.", { value: 'ADDRESS' }),
    days: flag.integerOr(365, `How long it is good for, at most ${longestDays}.`),
  },
  run: async ({ flags, args, env, cwd, clock, stdout }) => {
    const [part, ...more] = args;
    if (part === undefined || more.length > 0) throw new CommandError('say for whom: controllers, scheduler, proxy, agent or user/NAME');
    const isAgent = part === 'agent';
    if (isAgent !== (flags['node-name'] !== undefined)) throw new CommandError(isAgent ? 'an agent needs --node-name' : '--node-name is for an agent');
    if (isAgent && !/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/.test(flags['node-name']!)) throw new CommandError(`--node-name: ${JSON.stringify(flags['node-name'])} must be at most 63 small letters, digits, "-" and "."`);
    if (!part.startsWith('user/') && flags.group.length > 0) throw new CommandError('--group is for user/NAME: the parts of barge have groups of their own');
    if (flags.days < 1 || flags.days > longestDays) throw new CommandError(`--days: must be 1 to ${longestDays}`);
    const user = isAgent ? `${nodeUser.prefix}${flags['node-name']}` : part.startsWith('user/') ? part.slice('user/'.length) : Object.hasOwn(partUsers, part) ? partUsers[part as keyof typeof partUsers] : '';
    if (user === '') throw new CommandError(`${JSON.stringify(part)} is none of controllers, scheduler, proxy, agent, user/NAME`);

    const dataDir = resolve(cwd, flags['data-dir'] ?? defaultDataDir(env, process.getuid?.() === 0));
    const authority = await readAuthority(join(dataDir, 'pki'));
    if (authority === undefined) throw new CommandError(`${dataDir} has no cluster authority (pki/ca.crt and pki/ca.key): run this where 'barge up' ran, or name its --data-dir`);
    const admin = flags.server === undefined ? await loadKubeconfig({ named: join(dataDir, 'admin.kubeconfig'), env: {} }) : undefined;
    const server = flags.server ?? admin?.clusters.get('barge')?.server;
    if (server === undefined) throw new CommandError(`${join(dataDir, 'admin.kubeconfig')} names no server: use --server`);
    const pair = await issueCertificate({
      ca: authority.signer, commonName: user, organizations: isAgent ? [nodeUser.group] : flags.group, lifetimeDays: flags.days, nowMs: clock.now(),
      // An agent's own server shows the same certificate.
      ...(isAgent
        ? { usages: ['client', 'server'], dnsNames: [flags['node-name']!], ipAddresses: flags['node-ip'].length === 0 ? machineAddresses() : flags['node-ip'] }
        : { usages: ['client'] }),
    });
    const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
    const config: Kubeconfig = {
      currentContext: 'barge',
      clusters: new Map([['barge', { server, 'certificate-authority-data': base64(authority.trusted) }]]),
      contexts: new Map([['barge', { cluster: 'barge', user }]]),
      users: new Map([[user, { 'client-certificate-data': base64(pair.cert), 'client-key-data': base64(pair.key) }]]),
    };
    if (flags.out === undefined) stdout.write(printKubeconfig(config));
    else await writeKubeconfig(resolve(cwd, flags.out), config);
  },
});
