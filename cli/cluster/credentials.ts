import { mkdir, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { readPair, writePair } from '../../base/pki-files.ts';
import { apiServerNames, createCa, issueCertificate, whyUnusable, type CertificateOptions, type CertificatePair } from '../../base/pki.ts';

/** Every certificate that a one-node cluster needs. */
export interface ClusterCredentials {
  /** The CA's certificate, PEM; its key stays in its file. */
  readonly ca: string;
  /** The API server's own. */
  readonly server: CertificatePair;
  /** The same with one more address in it, for a listener there. */
  serverAt(address: string): Promise<CertificatePair>;
  /** The human administrator's, in the group system:masters. */
  readonly admin: CertificatePair;
  /** With which the API server goes to node agents. */
  readonly apiserverClient: CertificatePair;
  /** The node agent's endpoint's. */
  readonly agent: CertificatePair;
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
}

export const apiserverClientName = 'system:barge:apiserver';

const caLifetimeDays = 3_650;
const lifetimeDays = 365;
/** Renewed at a start within the last third of its life. */
const renewBeforeDays = 120;

/** Reads the certificates of the data folder, and makes what is missing, runs out soon or names too little. */
export const ensureCredentials = async (options: CredentialsOptions): Promise<ClusterCredentials> => {
  const folder = join(options.dataDir, 'pki');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const nowMs = options.clock.now();
  let ca = await readPair(folder, 'ca');
  if (ca === undefined) {
    ca = await createCa({ commonName: 'barge-ca', lifetimeDays: caLifetimeDays, nowMs });
    await writePair(folder, 'ca', ca);
  }
  const signer = ca;
  const ensure = async (name: string, wanted: Omit<CertificateOptions, 'ca' | 'lifetimeDays' | 'nowMs'>): Promise<CertificatePair> => {
    const kept = await readPair(folder, name);
    const why = kept === undefined ? 'there is none' : whyUnusable(kept, { ...wanted, ca: signer.cert, nowMs, remainingDays: renewBeforeDays });
    if (kept !== undefined && why === undefined) return kept;
    options.log.debug('issuing a certificate', { name, why });
    const pair = await issueCertificate({ ...wanted, ca: signer, lifetimeDays, nowMs });
    await writePair(folder, name, pair);
    return pair;
  };
  const ensureServer = (nodeIps: readonly string[]): Promise<CertificatePair> =>
    ensure('apiserver', { commonName: 'barge-apiserver', usages: ['server'], ...apiServerNames({ ...options, nodeIps }) });
  return {
    ca: ca.cert,
    server: await ensureServer(options.nodeIps),
    serverAt: (address) => ensureServer([...options.nodeIps, address]),
    admin: await ensure('admin', { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] }),
    apiserverClient: await ensure('apiserver-client', { commonName: apiserverClientName, usages: ['client'] }),
    agent: await ensure('agent', {
      commonName: `system:node:${options.nodeName}`, organizations: ['system:nodes'], usages: ['server'],
      dnsNames: [options.nodeName], ipAddresses: options.nodeIps,
    }),
  };
};
