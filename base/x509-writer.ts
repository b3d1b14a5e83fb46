/**
 * What all certificates of a cluster have in common, and the library that writes them. ECDSA on P-256: a key takes under a
 * millisecond, and every TLS client knows it. The library takes 100 ms to import, so only who has something to sign pays.
 */
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import type { JsonGeneralNames, JsonNameParams, PublicKeyType } from '@peculiar/x509';
import type { CertificatePair } from './pki.ts';

/** Certificates are valid from a little earlier, for machines whose clocks are behind. */
const mostSkewMs = 5 * 60_000;

/** How long before its issue a certificate is valid: 5 minutes, or a tenth of a life that is short. */
export const skewMs = (lifetimeMs: number): number => Math.min(mostSkewMs, lifetimeMs / 10);

export const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

type X509Library = typeof import('@peculiar/x509');

let loaded: Promise<X509Library> | undefined;

/** The library; it wants a polyfill to be there first. */
export const x509Library = (): Promise<X509Library> => (loaded ??= import('reflect-metadata').then(() => import('@peculiar/x509')));

/** The subject as attributes with UTF-8 values: nothing in a name can be read as the beginning of another attribute. */
export const nameOf = (commonName: string, organizations: readonly string[]): JsonNameParams => [
  ...organizations.map((one): JsonNameParams[number] => ({ O: [{ utf8String: one }] })),
  { CN: [{ utf8String: commonName }] },
];

export const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);

export const keyPem = async (key: webcrypto.CryptoKey): Promise<string> => {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }).toString();
};

/** 16 random bytes, positive and never shortened. */
export const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
};

/** A CA's key pair for signing, from its PEM files. */
export const signerKeys = async (ca: CertificatePair): Promise<{ readonly privateKey: webcrypto.CryptoKey; readonly publicKey: webcrypto.CryptoKey }> => {
  const privateKey = createPrivateKey(ca.key);
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), keyAlgorithm, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', createPublicKey(privateKey).export({ type: 'spki', format: 'der' }), keyAlgorithm, true, ['verify']),
  };
};

export interface LeafCertificate {
  readonly ca: CertificatePair;
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly publicKey: PublicKeyType;
  readonly names: JsonGeneralNames;
  readonly keyUsages: readonly ('digitalSignature' | 'keyEncipherment')[];
  readonly extendedKeyUsages: readonly ('serverAuth' | 'clientAuth')[];
  readonly nowMs: number;
  readonly lifetimeMs: number;
}

/** A certificate for somebody's key, in PEM. It never outlives the CA. */
export const writeLeaf = async (leaf: LeafCertificate): Promise<string> => {
  const x509 = await x509Library();
  const signer = await signerKeys(leaf.ca);
  const ca = new x509.X509Certificate(leaf.ca.cert);
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(), issuer: ca.subjectName, subject: new x509.Name(nameOf(leaf.commonName, leaf.organizations)),
    publicKey: leaf.publicKey, signingKey: signer.privateKey, signingAlgorithm: keyAlgorithm,
    notBefore: new Date(Math.max(leaf.nowMs - skewMs(leaf.lifetimeMs), ca.notBefore.getTime())),
    notAfter: new Date(Math.min(leaf.nowMs + leaf.lifetimeMs, ca.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(leaf.keyUsages.reduce((flags, usage) => flags | x509.KeyUsageFlags[usage], 0), true),
      new x509.ExtendedKeyUsageExtension(leaf.extendedKeyUsages.map((usage) => x509.ExtendedKeyUsage[usage])),
      await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
      ...(leaf.names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(leaf.names)]),
    ],
  });
  return `${cert.toString('pem')}\n`;
};
