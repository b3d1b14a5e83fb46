import { StorageUnavailable } from '../../../apiserver/storage/storage.ts';
import { sleep } from '../../../base/clock.ts';
import type { Component, Surroundings } from '../../../base/component.ts';
import { runControllers, type Controller } from '../../../client/controller.ts';
import { isReason } from '../../../schemas/errors.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import type { ClusterCredentials } from '../credentials.ts';
import { authorityHash } from '../join/join-token.ts';
import { aloneOf, nextAuthority, type Authority } from './authority-files.ts';
import { planRotation } from './plan.ts';
import { rotationRequestAt, rotationRequestOf } from './rotation-request.ts';
import type { SharedAuthority } from './shared-authority.ts';

export interface SharedRotation {
  readonly authority: SharedAuthority;
  /** The revision at which this server's authority stands there; 0 where nobody has replaced the first one. */
  readonly revision: number;
  /** Names of the servers that live and show certificates of another authority than this one. */
  serversWithout(authority: string): Promise<readonly string[]>;
}

export interface RotationOptions {
  readonly credentials: Pick<ClusterCredentials, 'authority' | 'take'>;
  /** Tells nodes and pods which authorities there are now. */
  readonly publish: () => Promise<void>;
  /** How servers of one cluster agree; absent where there is one server. */
  readonly shared?: SharedRotation | undefined;
}

const lookAgainMs = 1_000;

/** How a server decides with the others, or alone. */
interface Agreement {
  /** Of the authority that this server has now. */
  revision(): number;
  /** Makes another authority that of all servers, from the one at that revision on. False where another server was faster. */
  agree(next: Authority, revision: number): Promise<boolean>;
  /** Whether all servers show certificates of this authority. */
  renewed(authority: string): Promise<boolean>;
  /** Tells nodes and pods of the authority that this server has now. */
  publish(): Promise<void>;
}

const rotationController = ({ credentials }: RotationOptions, { agree, revision, renewed, publish }: Agreement): Controller<ConfigMap> => ({
  name: 'authority-rotation',
  reconciles: ConfigMap,
  reconcile: async (request, { namespace, name }, { log, clock }) => {
    if (request === undefined || namespace !== rotationRequestAt.namespace || name !== rotationRequestAt.name) return undefined;
    const [now, at] = [credentials.authority(), revision()];
    const signer = authorityHash(now.signer.cert);
    const step = planRotation({
      signer, outgoing: now.outgoing === undefined ? undefined : authorityHash(now.outgoing), renewed: now.ownRenewed && await renewed(signer),
    }, rotationRequestOf(request));
    if (step === 'wait') return { afterMs: lookAgainMs };
    if (step !== undefined) {
      const next = step === 'begin' ? await nextAuthority(now, clock.now()) : aloneOf(now);
      if (!await agree(next, at)) return { afterMs: lookAgainMs };
      log.info(step === 'begin' ? 'another authority signs from now on' : 'the authority from before is not trusted any more', { authority: authorityHash(next.signer.cert) });
    }
    // Also where there was nothing to do: the process may have ended between the step and this.
    await publish();
    return undefined;
  },
});

const retryMs = 1_000;

/** Takes each authority on which the servers agree, and tells nodes and pods of it. */
const followShared = async ({ clock, log }: Pick<Surroundings, 'clock' | 'log'>, { credentials, publish }: RotationOptions, { authority: shared }: SharedRotation, known: { revision: number }, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    try {
      for await (const { authority, revision } of shared.follow(signal)) {
        if (revision !== known.revision) {
          await credentials.take(authority);
          // Not before: no step may be planned on the authority from before and carried out on this one.
          known.revision = revision;
          log.info('the authorities of the cluster are others', { signs: authorityHash(authority.signer.cert), trustedToo: authority.outgoing === undefined ? undefined : authorityHash(authority.outgoing) });
        }
        await publish();
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof StorageUnavailable) && !isReason(error, 'ServiceUnavailable')) log.warn('the authority that the servers share could not be followed, trying again', { error });
    }
    await sleep(clock, retryMs, signal);
  }
};

const alone = ({ credentials, publish }: RotationOptions): Agreement => ({
  revision: () => 0, renewed: () => Promise.resolve(true), publish,
  agree: async (next) => {
    await credentials.take(next);
    return true;
  },
});

/** Replaces the cluster's authority when somebody asks for it, in a process that has its key. */
export const createRotation = (surroundings: Surroundings, options: RotationOptions): Component => ({
  name: 'authority-rotation', after: [],
  run: async (signal, ready) => {
    const run = (agreement: Agreement): Promise<void> => runControllers([rotationController(options, agreement)], surroundings, signal, ready);
    const { shared } = options;
    if (shared === undefined) return run(alone(options));
    const known = { revision: shared.revision };
    await Promise.all([
      followShared(surroundings, options, shared, known, signal),
      run({
        revision: () => known.revision,
        // What this server has agreed upon it takes, and publishes, as every other one does: when it hears of it.
        agree: (next, revision) => shared.authority.replace(next, revision), publish: () => Promise.resolve(),
        renewed: async (authority) => (await shared.serversWithout(authority)).length === 0,
      }),
    ]);
  },
});
