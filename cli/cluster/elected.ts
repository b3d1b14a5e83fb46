import type { Component, Surroundings } from '../../base/component.ts';
import type { Key } from '../../client/client.ts';
import { leadWhile } from '../../client/leader-election.ts';

export interface ElectedOptions {
  /** Of the component. */
  readonly name: string;
  /** Whose rights hold the lease. */
  readonly surroundings: Pick<Surroundings, 'transport' | 'clock' | 'log'>;
  /** Of this process. */
  readonly identity: string;
}

/** The lease by which servers, and parts that run alone, elect who runs a component. */
export const leaseOf = (component: string): Key & { readonly name: string } => ({ namespace: 'kube-system', name: `barge-${component}` });

/**
 * A component that runs in one of several processes, the one that holds its lease; in the others it stands by, which counts
 * as ready. Each time that the lease is won it is made anew, and knows nothing of the time before.
 */
export const elected = ({ name, surroundings, identity }: ElectedOptions, make: () => Component): Component => ({
  name, after: [],
  run: (signal, ready) => {
    ready();
    const { transport, clock, log } = surroundings;
    return leadWhile({ transport, clock, log, key: leaseOf(name), identity }, signal, (leading) => make().run(leading, () => undefined));
  },
});
