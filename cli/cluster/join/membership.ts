/**
 * What a machine keeps of having joined, in `node/` of its data folder: the authority, its two certificates with their keys,
 * and what the cluster is like. With it a restart needs neither token nor server.
 */
import { access, chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPairFile, writePairFile, writePrivate } from '../../../base/pki-files.ts';
import type { CertificatePair } from '../../../base/pki.ts';
import { CommandError } from '../../command.ts';
import { clusterInfoOf, type ClusterInfo } from './cluster-info.ts';

export interface Membership {
  /** URL of the API server. */
  readonly server: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly cluster: ClusterInfo;
}

export interface KeptMembership extends Membership {
  /** PEM of the cluster's authorities, the one that signs first. */
  readonly ca: string;
  readonly client: CertificatePair;
  readonly serving: CertificatePair | undefined;
}

const exists = (file: string): Promise<boolean> => access(file).then(() => true, () => false);

export class MembershipFiles {
  readonly #folder: string;
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#folder = join(dataDir, 'node');
  }

  /** What is kept, or undefined where the machine has not joined. Throws CommandError for a folder that is something else. */
  async read(): Promise<KeptMembership | undefined> {
    if (await exists(join(this.#dataDir, 'pki', 'ca.key'))) throw new CommandError(`${this.#dataDir} is the data folder of a cluster's server; a machine that joins needs one of its own: --data-dir`);
    const [client, serving] = await Promise.all([readPairFile(this.#file('client.pem')), readPairFile(this.#file('serving.pem'))]);
    if (client === undefined || !await exists(this.#file('joined.json'))) return undefined;
    try {
      const { server, nodeName, nodeIp, cluster } = JSON.parse(await readFile(this.#file('joined.json'), 'utf8')) as Record<string, unknown>;
      if (typeof server !== 'string' || typeof nodeName !== 'string' || typeof nodeIp !== 'string' || typeof cluster !== 'object' || cluster === null) throw new Error('server, nodeName, nodeIp and cluster must be there');
      return { server, nodeName, nodeIp, cluster: clusterInfoOf(cluster as Record<string, unknown>), ca: await readFile(this.#file('ca.crt'), 'utf8'), client, serving };
    } catch (error) {
      throw new CommandError(`${this.#file('joined.json')} cannot be read: 'barge reset' removes what this machine kept, and it can join again`, { cause: error });
    }
  }

  /** Where other servers of the cluster are noted. */
  get servers(): string {
    return this.#file('servers.json');
  }

  /** Keeps a new membership; joined.json comes last, so that what is there is whole. `servers` are HOST:PORT of others beside its own. */
  async write(membership: Membership, { ca, client, serving, servers = [] }: Pick<KeptMembership, 'ca' | 'client'> & { readonly serving?: CertificatePair; readonly servers?: readonly string[] }): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await chmod(this.#folder, 0o700);
    await this.keepAuthorities(ca);
    await this.keepClient(client);
    if (serving !== undefined) await this.keepServing(serving);
    if (servers.length > 0) await writePrivate(this.servers, `${JSON.stringify(servers)}\n`);
    await this.update(membership);
  }

  async update(membership: Membership): Promise<void> {
    await writePrivate(this.#file('joined.json'), `${JSON.stringify(membership, undefined, 2)}\n`);
  }

  keepAuthorities(pem: string): Promise<void> {
    return writePrivate(this.#file('ca.crt'), pem);
  }

  keepClient(pair: CertificatePair): Promise<void> {
    return writePairFile(this.#file('client.pem'), pair);
  }

  keepServing(pair: CertificatePair): Promise<void> {
    return writePairFile(this.#file('serving.pem'), pair);
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

/** The authority of the cluster that a machine has joined; undefined where it has not. */
export const joinedAuthority = (dataDir: string): Promise<string | undefined> => readFile(join(dataDir, 'node', 'ca.crt'), 'utf8').catch(() => undefined);
