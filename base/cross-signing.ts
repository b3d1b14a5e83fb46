import { keyAlgorithm, serialNumber, signerKeys, x509Library } from './x509-writer.ts';
import type { CertificatePair } from './pki.ts';

export interface CrossSigning {
  readonly ca: CertificatePair;
  /** Certificate (PEM) of the CA that comes after it. */
  readonly next: string;
}

/**
 * A certificate of the next CA that this one has signed, in PEM: who knows this one alone finds over it to what the next one
 * signs. It lasts as long as both.
 */
export const crossSign = async ({ ca, next }: CrossSigning): Promise<string> => {
  const x509 = await x509Library();
  const [signer, old, subject] = [await signerKeys(ca), new x509.X509Certificate(ca.cert), new x509.X509Certificate(next)];
  const latest = (a: Date, b: Date): Date => (a > b ? a : b);
  const earliest = (a: Date, b: Date): Date => (a < b ? a : b);
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(), issuer: old.subjectName, subject: subject.subjectName, publicKey: subject.publicKey,
    signingKey: signer.privateKey, signingAlgorithm: keyAlgorithm,
    notBefore: latest(old.notBefore, subject.notBefore), notAfter: earliest(old.notAfter, subject.notAfter),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(subject.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
    ],
  });
  return `${cert.toString('pem')}\n`;
};

/**
 * False for a CA whose certificate (PEM) forbids CAs below it, as those of early barges do. OpenSSL takes a cross-signed one of the
 * same name all the same (RFC 5280, 4.2.1.9: what is self-issued does not count); programs in Go do not.
 */
export const maySignAuthorities = async (cert: string): Promise<boolean> => {
  const x509 = await x509Library();
  const { pathLength } = new x509.X509Certificate(cert).getExtension(x509.BasicConstraintsExtension) ?? {};
  return pathLength === undefined || pathLength > 0;
};
