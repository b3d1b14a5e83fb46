import type { Controller } from '../../client/controller.ts';
import { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { unlessGone } from '../ensure.ts';
import { cleanAtMs } from './plan.ts';

/** Removes requests for certificates when everybody had the time to look at what became of them. */
export const certificateCleanerController = (): Controller<CertificateSigningRequest> => ({
  name: 'csrcleaner',
  reconciles: CertificateSigningRequest,
  reconcile: async (request, key, { client, clock }) => {
    const atMs = request === undefined ? undefined : cleanAtMs(request);
    if (request === undefined || atMs === undefined) return undefined;
    const afterMs = atMs - clock.now();
    if (afterMs > 0) return { afterMs };
    await unlessGone(client.of(CertificateSigningRequest).delete(key, { preconditions: { uid: request.metadata.uid } }));
    return undefined;
  },
});
