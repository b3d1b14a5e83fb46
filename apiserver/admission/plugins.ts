import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionPlugin } from './admission.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { podDefaults } from './pod-defaults.ts';
import { serviceAddresses } from './service-addresses.ts';

export interface AdmissionOptions {
  readonly cache: WatchCache;
  readonly random: () => number;
  readonly serviceCidr: string;
  readonly nodePortRange: { readonly from: number; readonly to: number };
}

/** The rules of this cluster, in the order in which they run. */
export const admissionPlugins = (options: AdmissionOptions): readonly AdmissionPlugin[] => [
  namespaceLifecycle(options.cache),
  podDefaults(options.cache),
  serviceAddresses(options),
];
