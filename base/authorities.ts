/**
 * Authorities as the parts of a cluster hand them around: certificates in one PEM text, the one that signs now first. While
 * an authority is being replaced there are two, and a certificate is good if any of them has signed it.
 */
import { X509Certificate } from 'node:crypto';

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** All certificates of a PEM text, in its order. Throws a TypeError where there is none, and where one cannot be read. */
export const certificatesIn = (pem: string): readonly X509Certificate[] => {
  const found = pem.match(block);
  if (found === null) throw new TypeError('there is no PEM certificate');
  return found.map((one) => new X509Certificate(one));
};

/** Which of the authorities has signed a certificate; undefined where none has. */
export const signerAmong = (authorities: readonly X509Certificate[], certificate: X509Certificate): X509Certificate | undefined =>
  authorities.find((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey));
