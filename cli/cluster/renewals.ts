import type { Component } from '../../base/component.ts';
import { keepRenewed, type RenewalOptions } from '../../base/renewal.ts';
import type { ClusterCredentials } from './credentials.ts';

export interface RenewalsOptions extends Pick<RenewalOptions, 'clock' | 'random' | 'log'> {
  readonly credentials: Pick<ClusterCredentials, 'renewals' | 'trust'>;
  /** Writes the admin's kubeconfig, which holds his certificate and the authorities. */
  readonly keepAdmin: () => Promise<void>;
}

/** Renews the control plane's own certificates while they are in use. */
export const renewals = ({ credentials, keepAdmin, ...surroundings }: RenewalsOptions): Component => ({
  name: 'certificate-renewal', after: [],
  run: async (signal, ready) => {
    const ofAdmin = credentials.renewals.find(({ name }) => name === 'admin')!.pair;
    // One after the other: what is written last must be what is newest.
    let kept = Promise.resolve();
    const keep = (): void => {
      kept = kept.then(keepAdmin).catch((error: unknown) => surroundings.log.error("the admin's kubeconfig could not be written; the one that is there ends with its certificate, or its authority", { error }));
    };
    const off = [ofAdmin.onReplaced(keep), credentials.trust.onReplaced(keep)];
    ready();
    await Promise.all(credentials.renewals.map((renewal) => keepRenewed({ ...renewal, trust: credentials.trust, ...surroundings }, signal)));
    for (const one of off) one();
    await kept;
  },
});
