import type { Component, Surroundings } from '../../base/component.ts';
import { leadWhile } from '../../client/leader-election.ts';

export interface ElectedOptions {
  /** Of the component and, behind `barge-`, of its lease in kube-system. */
  readonly name: string;
  /** Whose rights hold the lease. */
  readonly surroundings: Pick<Surroundings, 'transport' | 'clock' | 'log'>;
  /** Of this process. */
  readonly identity: string;
}

/**
 * A component that runs in one of several servers, the one that holds its lease; in the others it stands by, which counts
 * as ready. Each time that the lease is won it is made anew, and knows nothing of the time before.
 */
export const elected = ({ name, surroundings, identity }: ElectedOptions, make: () => Component): Component => ({
  name, after: [],
  run: (signal, ready) => {
    ready();
    const { transport, clock, log } = surroundings;
    return leadWhile({ transport, clock, log, key: { namespace: 'kube-system', name: `barge-${name}` }, identity }, signal, (leading) => make().run(leading, () => undefined));
  },
});
