import { createCertificateRequest, type WantedCertificate } from '../../../base/certificate-request.ts';
import { sleep, type Clock } from '../../../base/clock.ts';
import type { CertificatePair } from '../../../base/pki.ts';
import type { Client } from '../../../client/client.ts';
import { isReason } from '../../../schemas/errors.ts';
import { CertificateSigningRequest } from '../../../schemas/kinds/certificates/certificate-signing-request.ts';

/** A request that somebody has decided against; asking again in the same way leads to the same end. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
}

export interface CertificateRequestOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly signerName: string;
  readonly usages: readonly string[];
  readonly wanted: WantedCertificate;
  /** Called with the name of the request once it has been made. */
  readonly onRequest?: (name: string) => void;
}

const retryMs = 1_000;

/** The certificate, once it is there; undefined as long as nobody has decided. Throws RequestRefused. */
const outcome = ({ metadata: { name }, status }: CertificateSigningRequest): string | undefined => {
  const refused = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
  if (refused !== undefined) throw new RequestRefused(`the request ${name} for a certificate was ${refused.type === 'Denied' ? 'denied' : 'not carried out'}: ${refused.message || refused.reason || 'no reason was given'}`);
  return status?.certificate === undefined || status.certificate === '' ? undefined : Buffer.from(status.certificate, 'base64').toString('latin1');
};

/**
 * Makes a key that stays here, asks the cluster for a certificate for it and waits until there is one. Rejects with
 * RequestRefused, when the signal aborts, and with ApiError where the request cannot be made.
 */
export const requestCertificate = async (options: CertificateRequestOptions, signal: AbortSignal): Promise<CertificatePair> => {
  const { client, clock, signerName, usages, wanted } = options;
  const { key, request } = await createCertificateRequest(wanted);
  const requests = client.of(CertificateSigningRequest);
  const made = await requests.create({ metadata: { generateName: 'node-csr-' }, spec: { request: Buffer.from(request).toString('base64'), signerName, usages: [...usages] } });
  const name = made.metadata.name ?? '';
  options.onRequest?.(name);
  for (;;) {
    signal.throwIfAborted();
    try {
      for await (const events of requests.watch({ fieldSelector: `metadata.name=${name}`, resourceVersion: '0' }, signal)) {
        for (const event of events) {
          if (event.type === 'BOOKMARK') continue;
          if (event.type === 'DELETED') throw new RequestRefused(`the request ${name} for a certificate was deleted before anybody decided`);
          const cert = outcome(event.object);
          if (cert !== undefined) return { cert, key };
        }
      }
    } catch (error) {
      // A server that is away for a while has forgotten nothing.
      if (!isReason(error, 'ServiceUnavailable', 'Expired', 'Timeout', 'InternalError', 'TooManyRequests')) throw error;
    }
    await sleep(clock, retryMs, signal);
  }
};
