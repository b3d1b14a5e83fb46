import { readCertificateRequest } from '../../base/certificate-request.ts';
import type { Component, Surroundings } from '../../base/component.ts';
import { runControllers, type Controller } from '../../client/controller.ts';
import { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { unlessGone } from '../ensure.ts';
import { planSigning, type OwnNames, type Signing } from './plan.ts';

export interface SignerOptions {
  /** Signs with the authority's key, which only it has; gives PEM. */
  readonly sign: (signing: Signing) => Promise<string>;
  readonly longestMs: number;
  /** The API server's names as they are now. */
  readonly own: () => OwnNames;
}

/** Gives certificates for requests that have been approved, by the rules of Kubernetes' three signers; says Failed where the rules forbid it. */
export const certificateSignerController = ({ sign, longestMs, own }: SignerOptions): Controller<CertificateSigningRequest> => ({
  name: 'csrsigning',
  reconciles: CertificateSigningRequest,
  reconcile: async (request, key, { client }) => {
    const { conditions = [], certificate = '' } = request?.status ?? {};
    const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
    if (request === undefined || certificate !== '' || !has('Approved') || has('Denied') || has('Failed')) return;
    const { signerName, usages = [], expirationSeconds } = request.spec;
    const pem = Buffer.from(request.spec.request, 'base64').toString('latin1');
    const plan = planSigning({ signerName, request: pem, facts: await readCertificateRequest(pem), usages, expirationSeconds, longestMs, own: own() });
    if (plan === undefined) return;
    if ('fail' in plan) {
      await unlessGone(client.of(CertificateSigningRequest).modifyStatus(key, (draft) => {
        if (draft.status?.conditions?.some(({ type }) => type === 'Failed') !== true) draft.status = { ...draft.status, conditions: [...(draft.status?.conditions ?? []), { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: plan.fail }] };
      }, { hint: request }));
      return;
    }
    const signed = Buffer.from(await sign(plan)).toString('base64');
    await unlessGone(client.of(CertificateSigningRequest).modifyStatus(key, (draft) => {
      // Another server of the cluster was faster.
      if ((draft.status?.certificate ?? '') === '') draft.status = { ...draft.status, certificate: signed };
    }, { hint: request }));
  },
});

/** The signer alone: it runs where the authority's key is, which need not be where the other controllers are. */
export const createSignerComponent = (surroundings: Surroundings, options: SignerOptions): Component => ({
  name: 'certificate-signer', after: [],
  run: (signal, ready) => runControllers([certificateSignerController(options)], surroundings, signal, ready),
});
