import type { Component } from '../../base/component.ts';
import type { Log } from '../../base/log.ts';
import { aborted } from '../run-components.ts';

export interface PodAccessOptions {
  /** The node's side of the pod network, once it is there. */
  readonly network: Promise<{ readonly gatewayIp: string }>;
  readonly letPodsIn: (address: string) => Promise<void>;
  readonly log: Log;
}

/** Opens the API server to this node's pods as soon as they have a network. A cluster goes on without it, and says so. */
export const createPodAccess = ({ network, letPodsIn, log }: PodAccessOptions): Component => ({
  name: 'pod-access', after: [],
  run: async (signal, ready) => {
    const open = network.then(({ gatewayIp }) => letPodsIn(gatewayIp)).catch((error: unknown) => {
      if (!signal.aborted) log.warn('pods cannot reach the API server through the service default/kubernetes', { error });
    });
    await Promise.race([open, aborted(signal)]);
    ready();
    await aborted(signal);
  },
});
