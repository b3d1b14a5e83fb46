/**
 * The cluster's own certificates: one CA, made at the first start, that signs the API server's certificate and every
 * client's. Nothing here reads the clock or writes files: pki-files.ts keeps the pairs on disk. Issuing loads a library
 * (x509-writer.ts); reading is Node's own.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { isIP } from 'node:net';
import { certificatesIn, signerAmong } from './authorities.ts';
import { keyAlgorithm, keyPem, nameOf, newKeys, serialNumber, skewMs, writeLeaf, x509Library } from './x509-writer.ts';

/** A certificate and its private key, both PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export type CertificateUsage = 'server' | 'client';

export interface CaOptions {
  readonly commonName: string;
  readonly lifetimeDays: number;
  readonly nowMs: number;
}

export interface CertificateOptions {
  readonly ca: CertificatePair;
  /** CN: the user name of a client. */
  readonly commonName: string;
  /** O: the groups of a client. */
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly CertificateUsage[];
  readonly lifetimeDays: number;
  readonly nowMs: number;
}

const dayMs = 86_400_000;

/** A new self-signed CA. It may sign the one that comes after it, which may sign no further one: RFC 5280's path length. */
export const createCa = async (options: CaOptions): Promise<CertificatePair> => {
  const x509 = await x509Library();
  const keys = await newKeys();
  const lifetimeMs = options.lifetimeDays * dayMs;
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(), name: new x509.Name(nameOf(options.commonName, [])), keys, signingAlgorithm: keyAlgorithm,
    notBefore: new Date(options.nowMs - skewMs(lifetimeMs)), notAfter: new Date(options.nowMs + lifetimeMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await keyPem(keys.privateKey) };
};

/**
 * A new key and a certificate for it, signed by the CA. It never outlives the CA. Rejects with a TypeError for an
 * address that is none.
 */
export const issueCertificate = async (options: CertificateOptions): Promise<CertificatePair> => {
  const stranger = options.ipAddresses?.find((address) => isIP(address) === 0);
  if (stranger !== undefined) throw new TypeError(`not an IP address: ${stranger}`);
  const keys = await newKeys();
  const cert = await writeLeaf({
    ca: options.ca, commonName: options.commonName, organizations: options.organizations ?? [], publicKey: keys.publicKey,
    names: [
      ...(options.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(options.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value: canonicalAddress(value) })),
    ],
    keyUsages: ['digitalSignature'], extendedKeyUsages: options.usages.map((usage) => (usage === 'server' ? 'serverAuth' : 'clientAuth')),
    nowMs: options.nowMs, lifetimeMs: options.lifetimeDays * dayMs,
  });
  return { cert, key: await keyPem(keys.privateKey) };
};

/** What a certificate says of its holder, and until when. */
export interface CertificateFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const listOf = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

/** CN and all O of a certificate's subject. A certificate with several CN counts as one with none. */
export const subjectOf = (cert: X509Certificate): { readonly commonName: string; readonly organizations: readonly string[] } => {
  const subject = cert.toLegacyObject().subject as unknown as Readonly<Record<string, unknown>> | undefined;
  const names = listOf(subject?.['CN']);
  return { commonName: names.length === 1 ? names[0]! : '', organizations: listOf(subject?.['O']) };
};

/** Reads a PEM certificate. Throws when it is none. */
export const readCertificate = (cert: string): CertificateFacts => {
  const parsed = new X509Certificate(cert);
  const alternatives = (parsed.subjectAltName ?? '').split(', ');
  const after = (prefix: string): readonly string[] => alternatives.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
  return {
    ...subjectOf(parsed), dnsNames: after('DNS:'), ipAddresses: after('IP Address:').map(canonicalAddress),
    notBeforeMs: Date.parse(parsed.validFrom), notAfterMs: Date.parse(parsed.validTo),
  };
};

/** One spelling for each address: `0:0:0:0:0:0:0:1` and `::1` become `::1`. */
export const canonicalAddress = (address: string): string =>
  (isIP(address) === 6 ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address);

export interface CertificateNeeds {
  /** PEM of the authorities of which any may have signed it. */
  readonly ca: string;
  readonly nowMs: number;
  /** How long it must still be valid. */
  readonly remainingDays: number;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly commonName?: string;
  readonly organizations?: readonly string[];
}

/** Why a pair cannot be used (any more) and a new one must be issued; undefined when it serves. */
export const whyUnusable = (pair: CertificatePair, needs: CertificateNeeds): string | undefined => {
  let cert: X509Certificate;
  let facts: CertificateFacts;
  try {
    cert = new X509Certificate(pair.cert);
    facts = readCertificate(pair.cert);
    if (!cert.checkPrivateKey(createPrivateKey(pair.key))) return 'the key is not the certificate\'s';
  } catch (error) {
    return `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (signerAmong(certificatesIn(needs.ca), cert) === undefined) return 'it was signed by another CA';
  if (facts.notBeforeMs > needs.nowMs) return 'it is not valid yet';
  if (facts.notAfterMs < needs.nowMs + needs.remainingDays * dayMs) return `it is valid only until ${new Date(facts.notAfterMs).toISOString()}`;
  if (needs.commonName !== undefined && needs.commonName !== facts.commonName) return `it names ${facts.commonName}, not ${needs.commonName}`;
  const missing = [
    ...(needs.organizations ?? []).filter((one) => !facts.organizations.includes(one)),
    ...(needs.dnsNames ?? []).filter((one) => !facts.dnsNames.includes(one)),
    ...(needs.ipAddresses ?? []).filter((one) => !facts.ipAddresses.includes(canonicalAddress(one))),
  ];
  return missing.length === 0 ? undefined : `it lacks ${missing.join(', ')}`;
};

export interface ServerNameOptions {
  readonly hostname: string;
  /** Host of --listen; a name or an address. */
  readonly listenHost: string;
  readonly nodeIps: readonly string[];
  readonly clusterDomain: string;
  /** Cluster IP of the Service default/kubernetes. */
  readonly serviceIp: string;
}

/** Every name under which the API server is reached, from outside and from pods. */
export const apiServerNames = (options: ServerNameOptions): { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] } => {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${options.clusterDomain}`];
  const all = ['localhost', options.hostname, options.listenHost, '127.0.0.1', '::1', ...options.nodeIps, options.serviceIp]
    .filter((name) => name !== '' && name !== '0.0.0.0' && name !== '::');
  return {
    dnsNames: [...new Set([...all.filter((name) => isIP(name) === 0), ...service])],
    ipAddresses: [...new Set(all.filter((name) => isIP(name) !== 0).map(canonicalAddress))],
  };
};
