/**
 * One part of barge in a process of its own, against an API server somewhere else over HTTPS: the same component that
 * `barge up` runs, with a transport in place of the function call. Who it is, and so what it may do, is in its kubeconfig.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Component, Surroundings } from '../../base/component.ts';
import { createLog } from '../../base/log.ts';
import { createHttpTransport } from '../../client/http-transport.ts';
import { Outage } from '../../client/outage.ts';
import { ServerChoice, type ServerAddress } from '../../client/server-choice.ts';
import type { ServerOptions } from '../../client/http-connection.ts';
import { connectionOf, loadKubeconfig } from '../../client/kubeconfig.ts';
import { CommandError, type CommandContext } from '../command.ts';
import type { ClusterConfig } from '../config.ts';
import { flag } from '../flags.ts';
import { runComponents } from '../run-components.ts';
import { elected, leaseOf } from './elected.ts';
import { followServers, probeAs, readServers } from './servers/follow-servers.ts';
import { configOf, settingFlags, type SettingFlags } from './setting-flags.ts';

export interface Remote {
  readonly config: ClusterConfig;
  readonly connection: ServerOptions;
  /** PEM of the authority that signed the API server's certificate. */
  readonly ca: string;
  /** For a component of this name, with the kubeconfig's identity. */
  surroundings(component: string): Surroundings;
  /** A component that works while this process holds its lease, and at all times with `--leader-elect=false`. */
  elected(name: string, make: (around: Surroundings) => Component): Component;
}

export interface RemotePart {
  /** As in `barge issue`: what a kubeconfig for it is asked for by. */
  readonly name: string;
  readonly settings: readonly string[];
  /** It notes in this file of its data folder, where it has one, which servers there are. */
  readonly noted?: string;
  /** One works at a time, however many run. */
  readonly elects?: true;
  /** Requests that it has under way at a time; the client's usual number where absent. */
  readonly requestsAtATime?: number;
}

const always = ['log-level', 'log-format'] as const;

/** Flags of a part: its settings, as `barge up` has them, and the kubeconfig. */
export const remoteFlags = (part: RemotePart): SettingFlags => ({
  kubeconfig: flag.text(`Kubeconfig of this part: the API server and who the part is; 'barge issue ${part.name}' makes one.`, { value: 'FILE' }),
  servers: flag.text('More servers of the cluster, for a start at which that of the kubeconfig is away; while it runs it learns of all.', { value: 'URL,URL' }),
  ...(part.elects === true ? { 'leader-elect': flag.on(`Work only while no other '${part.name}' of the cluster does: whoever holds the Lease ${leaseOf(part.name).name} in kube-system works, the others stand by.`, { initial: true }) } : {}),
  ...settingFlags([...part.settings, ...always]),
});

/** The servers that the user named. */
const serversOf = (text: unknown): readonly ServerAddress[] => (typeof text === 'string' ? text.split(',') : []).map((one) => one.trim()).filter((one) => one !== '').map((url) => {
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') throw new CommandError(`--servers: ${JSON.stringify(url)} must be https://HOST:PORT`);
  return { url };
});

/** Runs what `make` gives until the signal aborts. One line on standard output says when all of it does its work. */
export const runRemote = async (context: CommandContext<SettingFlags>, part: RemotePart, make: (remote: Remote) => Promise<readonly Component[]>): Promise<void> => {
  const { flags, signal, clock, random, stdout, stderr } = context;
  const config = configOf(context, [...part.settings, ...always]);
  const file = flags['kubeconfig'];
  if (typeof file !== 'string') throw new CommandError(`--kubeconfig is needed: it says where the API server is and who this is; 'barge issue ${part.name} --out FILE' makes one next to the cluster's data folder`);
  const { connection } = await connectionOf(await loadKubeconfig({ named: resolve(context.cwd, file), env: {} }));
  if (connection.ca === undefined) throw new CommandError(`${file}: the cluster has no certificate-authority; a part of barge must know the authority of its cluster`);
  const log = createLog({ level: config.logLevel, format: config.logFormat, write: (line) => void stderr.write(`${line}\n`), now: () => clock.now() });
  const noted = part.noted === undefined ? undefined : join(config.dataDir, part.noted);
  const servers = new ServerChoice({
    first: { url: connection.server, tlsServerName: connection.tlsServerName }, named: serversOf(flags['servers']), others: noted === undefined ? [] : await readServers(noted), clock, random,
  });
  const transport = createHttpTransport({ ...connection, servers, outage: new Outage({ clock, log }), userAgent: `barge-${part.name}`, requestsAtATime: part.requestsAtATime });
  try {
    const surroundings = (component: string): Surroundings => ({ transport, clock, random, log: log.with({ component }) });
    const identity = `${hostname()}_${randomUUID()}`;
    const components = await make({
      config, connection, ca: connection.ca.toString(), surroundings,
      elected: (name, makeOne) => (flags['leader-elect'] === false ? makeOne(surroundings(name)) : elected({ name, surroundings: surroundings(name), identity }, () => makeOne(surroundings(name)))),
    });
    let waiting = components.length;
    const told = components.map((component): Component => ({
      name: component.name, after: component.after,
      run: (until, ready) => component.run(until, () => {
        ready();
        if (--waiting === 0) stdout.write(`${part.name} Ready: ${connection.server}\n`);
      }),
    }));
    const { server: _server, ...self } = connection;
    const follow = followServers(surroundings('servers'), { servers, file: noted, probe: probeAs(() => ({ ...self, userAgent: `barge-${part.name}` })) });
    await runComponents([...told, follow], signal, log);
  } finally {
    transport.close();
  }
};
