import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { HttpConnection, type ServerOptions } from '../client/http-connection.ts';
import type { Streams } from '../client/streams.ts';
import { Api } from './api.ts';
import type { ClusterFlagValues } from './cluster-flags.ts';
import { CommandError, type World } from './command.ts';
import { Discovery } from './discovery.ts';

/** A cluster that a command speaks to. */
export interface Session {
  readonly api: Api;
  /** Namespace of the flags, else of the context, else `default`. */
  readonly namespace: string;
  /** True when -n was given. */
  readonly namespaceGiven: boolean;
  /** What the server offers; asked once. */
  discovery(): Promise<Discovery>;
  /** logs, exec and attach. */
  streams(): Promise<Streams>;
  close(): void;
}

const exists = async (file: string): Promise<boolean> => {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
};

/** Where `barge up` leaves the admin's kubeconfig when nobody says otherwise. */
const localKubeconfigs = (env: World['env']): readonly string[] => [
  '/var/lib/barge/admin.kubeconfig',
  join(env['XDG_DATA_HOME'] ?? join(env['HOME'] ?? homedir(), '.local', 'share'), 'barge', 'admin.kubeconfig'),
];

/** The kubeconfig to read beside those that the environment names: the flag's, or the local cluster's when there is no other. */
export const namedKubeconfig = async (flags: Pick<ClusterFlagValues, 'kubeconfig'>, { env, cwd }: Pick<World, 'env' | 'cwd'>): Promise<string | undefined> => {
  if (flags.kubeconfig !== undefined) return resolve(cwd, flags.kubeconfig);
  const { kubeconfigFiles } = await import('../client/kubeconfig.ts');
  for (const file of kubeconfigFiles(undefined, env)) if (await exists(file)) return undefined;
  for (const file of localKubeconfigs(env)) if (await exists(file)) return file;
  return undefined;
};

/** Whom to act as. What the flags say replaces what the kubeconfig says as a whole: groups of one user must not come to another. */
const impersonated = ({ as: user, 'as-group': groups, 'as-uid': uid }: ClusterFlagValues, base: ServerOptions['impersonate']): ServerOptions['impersonate'] => {
  if (user !== undefined && user !== '') return { user, groups, uid };
  if (groups.length > 0 || uid !== undefined) throw new CommandError(`--${groups.length > 0 ? 'as-group' : 'as-uid'} needs --as: a group or UID alone is nobody to act as`);
  return base;
};

/** A session for a cluster given by flags alone (`--server`), without a kubeconfig. */
const fromFlags = async (flags: ClusterFlagValues, cwd: string, base: Partial<ServerOptions>): Promise<ServerOptions | undefined> => {
  const file = async (name: string | undefined): Promise<Buffer | undefined> => (name === undefined ? undefined : readFile(resolve(cwd, name)));
  const server = flags.server ?? base.server;
  if (server === undefined) return undefined;
  const timeoutMs = flags['request-timeout'];
  return {
    ...base, server: /^https?:\/\//.test(server) ? server : `http://${server}`,
    ca: await file(flags['certificate-authority']) ?? base.ca,
    cert: await file(flags['client-certificate']) ?? base.cert,
    key: await file(flags['client-key']) ?? base.key,
    token: flags.token ?? base.token,
    tlsServerName: flags['tls-server-name'] ?? base.tlsServerName,
    insecureSkipTlsVerify: flags['insecure-skip-tls-verify'] || base.insecureSkipTlsVerify,
    impersonate: impersonated(flags, base.impersonate),
    userAgent: 'barge',
    timeoutMs: timeoutMs === undefined || timeoutMs === 0 ? undefined : timeoutMs,
  };
};

/** Opens the session that the flags and the kubeconfig mean. No request is sent yet. Throws CommandError. */
export const openSession = async (flags: ClusterFlagValues, world: World): Promise<Session> => {
  const { connectionOf, loadKubeconfig } = await import('../client/kubeconfig.ts');
  const named = await namedKubeconfig(flags, world);
  const config = await loadKubeconfig({ named, env: world.env });
  const empty = config.contexts.size === 0 && config.clusters.size === 0;
  if (empty && flags.server === undefined) {
    throw new CommandError(`no kubeconfig names a cluster (looked at --kubeconfig, KUBECONFIG, ~/.kube/config and ${localKubeconfigs(world.env).join(', ')}); start one with 'barge up'`);
  }
  const settings = empty ? undefined : await connectionOf(config, { context: flags.context, cluster: flags.cluster, user: flags.user });
  const options = await fromFlags(flags, world.cwd, settings?.connection ?? {});
  if (options === undefined) throw new CommandError('no server is named: use --server or a kubeconfig');
  return createSession(options, world, { namespace: flags.namespace ?? settings?.namespace ?? 'default', namespaceGiven: flags.namespace !== undefined });
};

export const createSession = (options: ServerOptions, world: Pick<World, 'stderr' | 'signal'>, { namespace, namespaceGiven }: Pick<Session, 'namespace' | 'namespaceGiven'>): Session => {
  const connection = new HttpConnection(options);
  let discovery: Promise<Discovery> | undefined;
  let streams: Promise<Streams> | undefined;
  return {
    api: new Api({ connection, warn: (text) => world.stderr.write(`Warning: ${text}\n`) }),
    namespace, namespaceGiven,
    discovery: () => (discovery ??= Discovery.read(connection, world.signal)),
    streams: () => (streams ??= import('../client/http-transport.ts').then(({ createHttpTransport }) => createHttpTransport(options))),
    close: () => {
      connection.close();
      streams?.then((open) => open.close()).catch(() => undefined);
    },
  };
};

/** Opens a session, does the work and closes it, whatever happens. */
export const withSession = async <T>(flags: ClusterFlagValues, world: World, work: (session: Session) => Promise<T>): Promise<T> => {
  const session = await openSession(flags, world);
  try {
    return await work(session);
  } finally {
    session.close();
  }
};
