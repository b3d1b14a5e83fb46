/**
 * The cluster's own certificates: one CA, made at the first start, that signs the API server's certificate and every
 * client's. ECDSA on P-256 (a key takes under a millisecond, and every TLS client knows it). Nothing here reads the
 * clock or writes files: pki-files.ts keeps the pairs on disk. Issuing loads a library that takes 100 ms to import, so
 * only a start that has something to issue pays for it; reading is Node's own.
 */
import { X509Certificate, createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type { JsonNameParams } from '@peculiar/x509';

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
/** Certificates are valid from a little earlier, for machines whose clocks are behind. */
const clockSkewMs = 5 * 60_000;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

type X509Library = typeof import('@peculiar/x509');

let loaded: Promise<X509Library> | undefined;

/** The library that writes certificates; it wants a polyfill to be there first. */
const library = (): Promise<X509Library> => (loaded ??= import('reflect-metadata').then(() => import('@peculiar/x509')));

/** The subject as attributes with UTF-8 values: nothing in a name can be read as the beginning of another attribute. */
const nameOf = (commonName: string, organizations: readonly string[]): JsonNameParams => [
  ...organizations.map((one): JsonNameParams[number] => ({ O: [{ utf8String: one }] })),
  { CN: [{ utf8String: commonName }] },
];

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const keyPem = async (key: webcrypto.CryptoKey): Promise<string> => {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }).toString();
};

/** A CA's key pair for signing, from its PEM files. */
const signerKeys = async (ca: CertificatePair): Promise<{ readonly privateKey: webcrypto.CryptoKey; readonly publicKey: webcrypto.CryptoKey }> => {
  const privateKey = createPrivateKey(ca.key);
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), algorithm, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', createPublicKey(privateKey).export({ type: 'spki', format: 'der' }), algorithm, true, ['verify']),
  };
};

/** 16 random bytes, positive and never shortened. */
const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
};

/** A new self-signed CA that may sign certificates but no other CA. */
export const createCa = async (options: CaOptions): Promise<CertificatePair> => {
  const x509 = await library();
  const keys = await newKeys();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(), name: new x509.Name(nameOf(options.commonName, [])), keys, signingAlgorithm: algorithm,
    notBefore: new Date(options.nowMs - clockSkewMs), notAfter: new Date(options.nowMs + options.lifetimeDays * dayMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
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
  const x509 = await library();
  const [keys, signer] = await Promise.all([newKeys(), signerKeys(options.ca)]);
  const ca = new x509.X509Certificate(options.ca.cert);
  const alternatives = [
    ...(options.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(options.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value: canonicalAddress(value) })),
  ];
  const usages = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth } as const;
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(), issuer: ca.subjectName, subject: new x509.Name(nameOf(options.commonName, options.organizations ?? [])),
    publicKey: keys.publicKey, signingKey: signer.privateKey, signingAlgorithm: algorithm,
    notBefore: new Date(Math.max(options.nowMs - clockSkewMs, ca.notBefore.getTime())),
    notAfter: new Date(Math.min(options.nowMs + options.lifetimeDays * dayMs, ca.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(options.usages.map((usage) => usages[usage])),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
      ...(alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)]),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await keyPem(keys.privateKey) };
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
  if (!cert.verify(new X509Certificate(needs.ca).publicKey)) return 'it was signed by another CA';
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
