import type { Component } from '../../base/component.ts';
import { keepRenewed, type RenewalOptions } from '../../base/renewal.ts';
import type { ClusterCredentials } from './credentials.ts';

export interface RenewalsOptions extends Pick<RenewalOptions, 'clock' | 'random' | 'log'> {
  readonly credentials: Pick<ClusterCredentials, 'renewals'>;
  /** Writes the admin's kubeconfig, which holds his certificate. */
  readonly keepAdmin: () => Promise<void>;
}

/** Renews the control plane's own certificates while they are in use. */
export const renewals = ({ credentials, keepAdmin, ...surroundings }: RenewalsOptions): Component => ({
  name: 'certificate-renewal', after: [],
  run: async (signal, ready) => {
    const ofAdmin = credentials.renewals.find(({ name }) => name === 'admin')!.pair;
    const off = ofAdmin.onReplaced(() => {
      keepAdmin().catch((error: unknown) => surroundings.log.error("the admin's kubeconfig could not be written; the one that is there ends with its certificate", { error }));
    });
    ready();
    await Promise.all(credentials.renewals.map((renewal) => keepRenewed({ ...renewal, ...surroundings }, signal)));
    off();
  },
});
