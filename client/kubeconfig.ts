/**
 * Kubeconfig files: which clusters there are, who one is there, and which of them is meant now. Several files (the list
 * in KUBECONFIG) make one; the first that names a thing wins. Paths in a file are relative to it.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { dump, load } from 'js-yaml';
import type { ServerOptions } from './http-connection.ts';

export interface ClusterEntry {
  readonly server?: string | undefined;
  readonly 'certificate-authority'?: string | undefined;
  readonly 'certificate-authority-data'?: string | undefined;
  readonly 'insecure-skip-tls-verify'?: boolean | undefined;
  readonly 'tls-server-name'?: string | undefined;
}

export interface UserEntry {
  readonly 'client-certificate'?: string | undefined;
  readonly 'client-certificate-data'?: string | undefined;
  readonly 'client-key'?: string | undefined;
  readonly 'client-key-data'?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly as?: string | undefined;
  readonly 'as-groups'?: readonly string[] | undefined;
  readonly 'as-uid'?: string | undefined;
  /** Programs that give credentials are not run; a user who needs one is refused by name. */
  readonly exec?: unknown;
}

export interface ContextEntry {
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface Kubeconfig {
  readonly currentContext: string | undefined;
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly users: ReadonlyMap<string, UserEntry>;
  readonly contexts: ReadonlyMap<string, ContextEntry>;
}

/** A kubeconfig is wrong; the message names the file or entry and what would be right. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

const emptyKubeconfig: Kubeconfig = { currentContext: undefined, clusters: new Map(), users: new Map(), contexts: new Map() };

type Body = Readonly<Record<string, unknown>>;
const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Members of an entry that must be text, and those among them that are paths. */
const texts: ReadonlySet<string> = new Set([
  'server', 'tls-server-name', 'certificate-authority', 'certificate-authority-data', 'client-certificate', 'client-certificate-data',
  'client-key', 'client-key-data', 'token', 'tokenFile', 'username', 'password', 'as', 'as-uid', 'cluster', 'user', 'namespace',
]);
const paths: ReadonlySet<string> = new Set(['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']);

/** Reads one file's text. `file` is for messages and for relative paths. */
export const parseKubeconfig = (text: string, file: string): Kubeconfig => {
  let body: unknown;
  try {
    // An empty file is an empty kubeconfig; the parser knows no document without content.
    body = /^\s*(#.*\s*)*$/.test(text) ? {} : load(text);
  } catch (error) {
    throw new KubeconfigError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (!isBody(body)) throw new KubeconfigError(`${file}: must be a YAML map with clusters, users and contexts`);
  const current = body['current-context'];
  return {
    currentContext: typeof current === 'string' && current !== '' ? current : undefined,
    clusters: entries(file, body, 'clusters', 'cluster'),
    users: entries(file, body, 'users', 'user'),
    contexts: entries(file, body, 'contexts', 'context'),
  };
};

const entries = (file: string, body: Body, list: string, member: string): ReadonlyMap<string, Body> => {
  const items = body[list] ?? [];
  if (!Array.isArray(items)) throw new KubeconfigError(`${file}: ${list}: must be a list`);
  const found = new Map<string, Body>();
  for (const [index, item] of items.entries()) {
    if (!isBody(item) || typeof item['name'] !== 'string') throw new KubeconfigError(`${file}: ${list}[${index}].name: must be a string`);
    const value = item[member] ?? {};
    if (!isBody(value)) throw new KubeconfigError(`${file}: ${list}[${index}].${member}: must be a map`);
    // The first of two entries with one name wins, as among files.
    if (!found.has(item['name'])) found.set(item['name'], entry(file, `${list}[${index}].${member}`, value));
  }
  return found;
};

const entry = (file: string, at: string, value: Body): Body => Object.fromEntries(Object.entries(value)
  .filter(([, member]) => member !== null)
  .map(([name, member]) => {
    if (!texts.has(name)) return [name, member];
    if (typeof member !== 'string') throw new KubeconfigError(`${file}: ${at}.${name}: must be a string`);
    return [name, paths.has(name) && member !== '' ? resolve(dirname(file), member) : member];
  }));

/** One kubeconfig out of several; what an earlier one says wins. */
export const mergeKubeconfigs = (configs: readonly Kubeconfig[]): Kubeconfig => {
  const merge = <V>(maps: readonly ReadonlyMap<string, V>[]): ReadonlyMap<string, V> => new Map(maps.toReversed().flatMap((map) => [...map]));
  return {
    currentContext: configs.find((config) => config.currentContext !== undefined)?.currentContext,
    clusters: merge(configs.map((config) => config.clusters)),
    users: merge(configs.map((config) => config.users)),
    contexts: merge(configs.map((config) => config.contexts)),
  };
};

/** The files to read: the one named, else the list in KUBECONFIG, else `~/.kube/config`. */
export const kubeconfigFiles = (named: string | undefined, env: Readonly<Record<string, string | undefined>>): readonly string[] => {
  if (named !== undefined) return [resolve(named)];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '').map((file) => resolve(file));
  return listed.length > 0 ? [...new Set(listed)] : [join(env['HOME'] ?? homedir(), '.kube', 'config')];
};

/** Reads and merges the files. One that is named by the user must exist; of a list, those that do not are passed over. */
export const loadKubeconfig = async ({ named, env }: { readonly named?: string | undefined; readonly env: Readonly<Record<string, string | undefined>> }): Promise<Kubeconfig> => {
  const configs = await Promise.all(kubeconfigFiles(named, env).map(async (file) => {
    try {
      return parseKubeconfig(await readFile(file, 'utf8'), file);
    } catch (error) {
      if (error instanceof KubeconfigError) throw error;
      if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return emptyKubeconfig;
      throw new KubeconfigError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }));
  return mergeKubeconfigs(configs);
};

export interface ConnectionChoice {
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
}

export interface ConnectionSettings {
  readonly context: string | undefined;
  /** The context's; `default` where it names none. */
  readonly namespace: string;
  readonly connection: ServerOptions;
}

/** What a connection needs, for the current context or the one chosen; reads the certificate files that it names. */
export const connectionOf = async (config: Kubeconfig, choice: ConnectionChoice = {}): Promise<ConnectionSettings> => {
  const contextName = choice.context ?? config.currentContext;
  const context = contextName === undefined ? undefined : pick(config.contexts, contextName, 'context');
  const clusterName = choice.cluster ?? context?.cluster;
  const userName = choice.user ?? context?.user;
  if (clusterName === undefined) throw new KubeconfigError(`no cluster is chosen: set current-context in the kubeconfig, or name a context (there are: ${names(config.contexts)})`);
  const cluster = pick(config.clusters, clusterName, 'cluster');
  if (cluster.server === undefined || cluster.server === '') throw new KubeconfigError(`cluster "${clusterName}": server: must be the URL of the API server`);
  const user: UserEntry = userName === undefined || userName === '' ? {} : pick(config.users, userName, 'user');
  if (user.exec !== undefined && user.exec !== null) throw new KubeconfigError(`user "${userName}": exec: credential programs are not supported; use a client certificate or a token`);
  const token = user.token ?? (user.tokenFile === undefined ? undefined : (await material(undefined, user.tokenFile, `user "${userName}": tokenFile`))?.toString('utf8').trim());
  return {
    context: contextName,
    namespace: context?.namespace === undefined || context.namespace === '' ? 'default' : context.namespace,
    connection: {
      server: cluster.server,
      ca: await material(cluster['certificate-authority-data'], cluster['certificate-authority'], `cluster "${clusterName}": certificate-authority`),
      tlsServerName: cluster['tls-server-name'],
      insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'],
      cert: await material(user['client-certificate-data'], user['client-certificate'], `user "${userName}": client-certificate`),
      key: await material(user['client-key-data'], user['client-key'], `user "${userName}": client-key`),
      token,
      basic: user.username === undefined ? undefined : { username: user.username, password: user.password ?? '' },
      impersonate: user.as === undefined ? undefined : { user: user.as, groups: user['as-groups'] ?? [], uid: user['as-uid'] },
    },
  };
};

const names = (map: ReadonlyMap<string, unknown>): string => [...map.keys()].join(', ') || 'none';

const pick = <V>(map: ReadonlyMap<string, V>, name: string, what: string): V => {
  const value = map.get(name);
  if (value === undefined) throw new KubeconfigError(`there is no ${what} "${name}" in the kubeconfig (there are: ${names(map)})`);
  return value;
};

/** PEM bytes out of base64 data, which wins, or a file. */
const material = async (data: string | undefined, file: string | undefined, what: string): Promise<Buffer | undefined> => {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64');
  if (file === undefined || file === '') return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw new KubeconfigError(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};

/** A kubeconfig as YAML. */
export const printKubeconfig = (config: Kubeconfig): string => {
  const list = (map: ReadonlyMap<string, object>, member: string) => [...map].map(([name, value]) => ({ name, [member]: value }));
  return dump({
    apiVersion: 'v1', kind: 'Config', 'current-context': config.currentContext ?? '',
    clusters: list(config.clusters, 'cluster'), contexts: list(config.contexts, 'context'), users: list(config.users, 'user'),
  }, { lineWidth: -1 });
};

/** Writes a kubeconfig that only its owner can read (mode 0600), all of it or nothing. */
export const writeKubeconfig = async (file: string, config: Kubeconfig): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(printKubeconfig(config));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
};
