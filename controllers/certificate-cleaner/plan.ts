import { readCertificate } from '../../base/pki.ts';
import type { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';

/** How long requests are kept, as in Kubernetes. */
const keptMs = { decided: 3_600_000, waiting: 86_400_000 } as const;

const timeOf = (text: string | undefined): number => Date.parse(text ?? '');

/** When a certificate that was issued runs out; never for one that cannot be read. */
const endOf = (certificate: string): number => {
  try {
    return readCertificate(Buffer.from(certificate, 'base64').toString('latin1')).notAfterMs;
  } catch {
    return Infinity;
  }
};

/**
 * When a request has been looked at long enough, in Unix milliseconds: an hour after it was denied, failed or got its
 * certificate, or when that runs out; a day after it was made when nobody decided. Undefined: never, it waits for a signer.
 */
export const cleanAtMs = ({ metadata, status = {} }: CertificateSigningRequest): number | undefined => {
  const { conditions = [], certificate = '' } = status;
  const madeMs = timeOf(metadata.creationTimestamp);
  if (conditions.length === 0) return madeMs + keptMs.waiting;
  const decided = conditions.filter(({ type }) => type === 'Denied' || type === 'Failed' || (type === 'Approved' && certificate !== ''))
    .map(({ lastUpdateTime, lastTransitionTime }) => timeOf(lastUpdateTime ?? lastTransitionTime ?? metadata.creationTimestamp) + keptMs.decided);
  if (decided.length === 0) return undefined;
  return Math.min(...decided, ...(certificate === '' ? [] : [endOf(certificate)]));
};
