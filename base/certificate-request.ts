/** Requests for certificates (PKCS#10): made by who wants one, read by who approves, turned into a certificate by the CA. */
import { createHash } from 'node:crypto';
import { canonicalAddress, type CertificatePair } from './pki.ts';
import { keyAlgorithm, keyPem, nameOf, newKeys, writeLeaf, x509Library, type LeafCertificate } from './x509-writer.ts';

export interface WantedCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** A new key, which stays with its maker, and the request to be sent; both PEM. */
export const createCertificateRequest = async (wanted: WantedCertificate): Promise<{ readonly key: string; readonly request: string }> => {
  const x509 = await x509Library();
  const keys = await newKeys();
  const names = [
    ...(wanted.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(wanted.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value: canonicalAddress(value) })),
  ];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name(nameOf(wanted.commonName, wanted.organizations)), keys, signingAlgorithm: keyAlgorithm,
    extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
  });
  return { key: await keyPem(keys.privateKey), request: `${request.toString('pem')}\n` };
};

/** What a request asks for. */
export interface RequestFacts {
  readonly commonNames: readonly string[];
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  /** Alternative names of other sorts, which no certificate gets. */
  readonly otherNames: readonly string[];
  /** SHA-256 of the public key, in hexadecimal. */
  readonly publicKeyHash: string;
}

const alternativeNames = '2.5.29.17';

/** Reads a request in PEM. Rejects when it is none. Its signature is not looked at: the API server did that. */
export const readCertificateRequest = async (pem: string): Promise<RequestFacts> => {
  const x509 = await x509Library();
  const request = new x509.Pkcs10CertificateRequest(pem);
  const attributes = request.subjectName.toJSON();
  const extension = request.extensions.find(({ type }) => type === alternativeNames);
  const names = extension === undefined ? [] : new x509.SubjectAlternativeNameExtension(extension.rawData).names.items;
  const of = (...types: readonly string[]): readonly string[] => names.filter(({ type }) => types.includes(type)).map(({ value }) => value);
  return {
    commonNames: attributes.flatMap(({ CN = [] }) => CN), organizations: attributes.flatMap(({ O = [] }) => O),
    dnsNames: of('dns'), ipAddresses: of('ip').map(canonicalAddress), emailAddresses: of('email'), uris: of('url'),
    otherNames: names.filter(({ type }) => !['dns', 'ip', 'email', 'url'].includes(type)).map(({ type }) => type),
    publicKeyHash: createHash('sha256').update(Buffer.from(request.publicKey.rawData)).digest('hex'),
  };
};

export interface SigningOptions extends Pick<LeafCertificate, 'keyUsages' | 'extendedKeyUsages' | 'nowMs' | 'lifetimeMs'> {
  readonly ca: CertificatePair;
  /** PEM of a request with exactly one common name. */
  readonly request: string;
}

/**
 * The certificate that a request asks for, in PEM: its key, common name, organizations and alternative names, written anew
 * so that it says what was read and nothing beside. Rejects with a TypeError where there is not exactly one common name.
 */
export const signCertificateRequest = async ({ ca, request, ...how }: SigningOptions): Promise<string> => {
  const [x509, facts] = await Promise.all([x509Library(), readCertificateRequest(request)]);
  const [commonName, ...more] = facts.commonNames;
  if (commonName === undefined || more.length > 0) throw new TypeError('a certificate needs exactly one common name');
  const names = (type: 'dns' | 'ip' | 'email' | 'url', values: readonly string[]) => values.map((value) => ({ type, value }));
  return writeLeaf({
    ca, commonName, organizations: facts.organizations, publicKey: new x509.Pkcs10CertificateRequest(request).publicKey,
    names: [...names('dns', facts.dnsNames), ...names('ip', facts.ipAddresses), ...names('email', facts.emailAddresses), ...names('url', facts.uris)],
    ...how,
  });
};
