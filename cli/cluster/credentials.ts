import { X509Certificate } from 'node:crypto';
import { mkdir, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { signCertificateRequest } from '../../base/certificate-request.ts';
import type { Clock } from '../../base/clock.ts';
import { LivePair } from '../../base/live-pair.ts';
import { LiveValue } from '../../base/live-value.ts';
import type { Log } from '../../base/log.ts';
import { certificatesIn, signerAmong } from '../../base/authorities.ts';
import { readPair, writePair } from '../../base/pki-files.ts';
import { apiServerNames, issueCertificate, readCertificate, whyUnusable, type CertificateOptions, type CertificatePair } from '../../base/pki.ts';
import type { OwnNames, Signing } from '../../controllers/certificate-signer/plan.ts';
import { ensureAuthority, keepAuthority, type Authority } from './authority/authority-files.ts';

/** Every certificate that a control plane needs; each is renewed while it is in use. */
export interface ClusterCredentials {
  /** PEM of the authorities that certificates of this cluster may be from, the one that signs first. */
  readonly trust: LiveValue<string>;
  /** The authority as it is now, and whether it has signed all the certificates below. */
  authority(): Authority & { readonly ownRenewed: boolean };
  /** Keeps another authority, which signs from now on. What is below is renewed where it is of another one. */
  take(authority: Authority): Promise<void>;
  /** The API server's own. */
  readonly server: LivePair;
  /** Gives the API server a certificate with one more address in it. */
  serveAt(address: string): Promise<void>;
  /** The human administrator's, in the group system:masters. */
  readonly admin: LivePair;
  /** With which the API server goes to node agents. */
  readonly apiserverClient: LivePair;
  /** The node agent's endpoint's. */
  readonly agent: LivePair;
  /** All of them, and how each gets its next one: a new key, signed here and kept in the data folder. */
  readonly renewals: readonly { readonly name: string; readonly pair: LivePair; renew(): Promise<CertificatePair> }[];
  /** Signs what the signer has planned. */
  sign(signing: Signing): Promise<string>;
  /** Names that are the API server's now. */
  serverNames(): OwnNames;
}

export interface CredentialsOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly hostname: string;
  readonly nodeName: string;
  readonly listenHost: string;
  readonly nodeIps: readonly string[];
  readonly clusterDomain: string;
  /** Address of the Service default/kubernetes. */
  readonly serviceIp: string;
  /** The authority of all servers of the cluster, where it is not the one of the folder. */
  readonly standing?: Authority | undefined;
  /** How long what is issued is good for. */
  readonly lifetimeMs: number;
}

export const apiserverClientName = 'system:barge:apiserver';

const dayMs = 86_400_000;

type Wanted = Omit<CertificateOptions, 'ca' | 'lifetimeDays' | 'nowMs'>;

/** Reads the certificates of the data folder, and makes what is missing, is in the last third of its life or names too little. */
export const ensureCredentials = async (options: CredentialsOptions): Promise<ClusterCredentials> => {
  const { clock, log, lifetimeMs } = options;
  const folder = join(options.dataDir, 'pki');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  if (options.standing !== undefined) await keepAuthority(folder, options.standing);
  let authority = options.standing ?? await ensureAuthority(folder, clock.now());
  const trust = new LiveValue(authority.trusted);
  const issue = async (name: string, wanted: Wanted): Promise<CertificatePair> => {
    const pair = await issueCertificate({ ...wanted, ca: authority.signer, lifetimeDays: lifetimeMs / dayMs, nowMs: clock.now() });
    await writePair(folder, name, pair);
    return pair;
  };
  const ensure = async (name: string, wanted: Wanted): Promise<CertificatePair> => {
    const kept = await readPair(folder, name);
    const why = kept === undefined ? 'there is none' : whyUnusable(kept, { ...wanted, ca: authority.signer.cert, nowMs: clock.now(), remainingDays: lifetimeMs / 3 / dayMs });
    if (kept !== undefined && why === undefined) return kept;
    log.debug('issuing a certificate', { name, why });
    return issue(name, wanted);
  };

  const addresses = [...options.nodeIps];
  const wanted = {
    apiserver: (): Wanted => ({ commonName: 'barge-apiserver', usages: ['server'], ...apiServerNames({ ...options, nodeIps: addresses }) }),
    admin: (): Wanted => ({ commonName: 'admin', organizations: ['system:masters'], usages: ['client'] }),
    'apiserver-client': (): Wanted => ({ commonName: apiserverClientName, usages: ['client'] }),
    agent: (): Wanted => ({ commonName: `system:node:${options.nodeName}`, organizations: ['system:nodes'], usages: ['server'], dnsNames: [options.nodeName], ipAddresses: options.nodeIps }),
  } as const;
  const live = async (name: keyof typeof wanted): Promise<LivePair> => new LivePair(await ensure(name, wanted[name]()));
  const [server, admin, apiserverClient, agent] = [await live('apiserver'), await live('admin'), await live('apiserver-client'), await live('agent')];
  const renewal = (name: keyof typeof wanted, pair: LivePair) => ({ name, pair, renew: () => issue(name, wanted[name]()) });
  const renewals = [renewal('apiserver', server), renewal('admin', admin), renewal('apiserver-client', apiserverClient), renewal('agent', agent)];
  const isRenewed = ({ pair: { pair } }: typeof renewals[number]): boolean => signerAmong(certificatesIn(authority.signer.cert), new X509Certificate(pair.cert)) !== undefined;
  return {
    trust, server, admin, apiserverClient, agent, renewals,
    authority: () => ({ ...authority, ownRenewed: renewals.every(isRenewed) }),
    take: async (next) => {
      await keepAuthority(folder, next);
      authority = next;
      trust.replace(next.trusted);
    },
    serveAt: async (address) => {
      addresses.push(address);
      server.replace(await ensure('apiserver', wanted.apiserver()));
    },
    sign: ({ extendedKeyUsage, ...signing }) => signCertificateRequest({ ca: authority.signer, nowMs: clock.now(), extendedKeyUsages: [extendedKeyUsage], ...signing }),
    serverNames: () => readCertificate(server.pair.cert),
  };
};
