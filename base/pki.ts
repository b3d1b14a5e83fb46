/**
 * The cluster's own certificates: one CA, made at the first start, that signs the API server's certificate and every
 * client's. ECDSA on P-256 (a key takes under a millisecond, and every TLS client knows it). Nothing here reads the
 * clock or writes files: pki-files.ts keeps the pairs on disk.
 */
import { X509Certificate, createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { bits, namedBits, octets, oid, pem, positive, sequence, setOf, small, tagged, timeAt, truth, utf8 } from './der.ts';

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

const ids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2', commonName: '2.5.4.3', organization: '2.5.4.10',
  subjectKeyId: '2.5.29.14', keyUsage: '2.5.29.15', subjectAltName: '2.5.29.17', basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35', extendedKeyUsage: '2.5.29.37', server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2',
} as const;
const keyUsageBits = { digitalSignature: 0, keyCertSign: 5, crlSign: 6 } as const;

const nameOf = (commonName: string, organizations: readonly string[]): Buffer => sequence(
  ...organizations.map((one) => setOf(sequence(oid(ids.organization), utf8(one)))),
  setOf(sequence(oid(ids.commonName), utf8(commonName))),
);

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  critical ? sequence(oid(id), truth, octets(value)) : sequence(oid(id), octets(value));

/** Bytes before the point in the SubjectPublicKeyInfo of every P-256 key. */
const spkiPrefixBytes = 26;

/** RFC 5280: the SHA-1 of the public key's bits; an identifier, not a protection. */
const keyId = (key: KeyObject): Buffer => createHash('sha1').update(key.export({ type: 'spki', format: 'der' }).subarray(spkiPrefixBytes)).digest();

/** The bytes of an IPv4 or IPv6 address as a subjectAltName holds them. */
const addressBytes = (address: string): Buffer => {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (isIP(address) === 0) throw new TypeError(`not an IP address: ${address}`);
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const words = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return Buffer.from(all.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]));
};

interface ToBeSigned {
  readonly issuer: Buffer;
  readonly issuerKey: KeyObject;
  readonly subject: Buffer;
  readonly subjectKey: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly fromMs: number;
  readonly untilMs: number;
}

const signed = (what: ToBeSigned): string => {
  const algorithm = sequence(oid(ids.ecdsaWithSha256));
  const serial = randomBytes(16);
  serial[0]! |= 0x40; // always 16 bytes and positive
  serial[0]! &= 0x7f;
  const body = sequence(
    tagged(0, small(2), true), positive(serial), algorithm, what.issuer,
    sequence(timeAt(what.fromMs), timeAt(what.untilMs)), what.subject,
    what.subjectKey.export({ type: 'spki', format: 'der' }), tagged(3, sequence(...what.extensions), true),
  );
  return pem('CERTIFICATE', sequence(body, algorithm, bits(sign('sha256', body, what.issuerKey))));
};

const newKeys = (): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A new self-signed CA that may sign certificates but no other CA. */
export const createCa = (options: CaOptions): CertificatePair => {
  const { publicKey, privateKey } = newKeys();
  const name = nameOf(options.commonName, []);
  const cert = signed({
    issuer: name, issuerKey: privateKey, subject: name, subjectKey: publicKey,
    fromMs: options.nowMs - clockSkewMs, untilMs: options.nowMs + options.lifetimeDays * dayMs,
    extensions: [
      extension(ids.basicConstraints, true, sequence(truth, small(0))),
      extension(ids.keyUsage, true, namedBits([keyUsageBits.digitalSignature, keyUsageBits.keyCertSign, keyUsageBits.crlSign])),
      extension(ids.subjectKeyId, false, octets(keyId(publicKey))),
    ],
  });
  return { cert, key: keyPem(privateKey) };
};

/** The subject of a certificate in DER, which is the issuer of what it signs: byte for byte, so that chains match. */
const subjectDer = (cert: X509Certificate): Buffer => {
  const values = subjectOf(cert);
  return nameOf(values.commonName, values.organizations);
};

/**
 * A new key and a certificate for it, signed by the CA. It never outlives the CA. Throws a TypeError for an address
 * that is none.
 */
export const issueCertificate = (options: CertificateOptions): CertificatePair => {
  const ca = new X509Certificate(options.ca.cert);
  const { publicKey, privateKey } = newKeys();
  const alternatives = [
    ...(options.dnsNames ?? []).map((name) => tagged(2, Buffer.from(name, 'latin1'), false)),
    ...(options.ipAddresses ?? []).map((address) => tagged(7, addressBytes(address), false)),
  ];
  const cert = signed({
    issuer: subjectDer(ca), issuerKey: createPrivateKey(options.ca.key),
    subject: nameOf(options.commonName, options.organizations ?? []), subjectKey: publicKey,
    fromMs: Math.max(options.nowMs - clockSkewMs, Date.parse(ca.validFrom)),
    untilMs: Math.min(options.nowMs + options.lifetimeDays * dayMs, Date.parse(ca.validTo)),
    extensions: [
      extension(ids.basicConstraints, true, sequence()),
      extension(ids.keyUsage, true, namedBits([keyUsageBits.digitalSignature])),
      extension(ids.extendedKeyUsage, false, sequence(...options.usages.map((usage) => oid(ids[usage])))),
      extension(ids.subjectKeyId, false, octets(keyId(publicKey))),
      extension(ids.authorityKeyId, false, sequence(tagged(0, keyId(ca.publicKey), false))),
      ...(alternatives.length === 0 ? [] : [extension(ids.subjectAltName, false, sequence(...alternatives))]),
    ],
  });
  return { cert, key: keyPem(privateKey) };
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
