import type { ReconcileContext } from '../../client/controller.ts';
import { revisionOf } from '../../client/key.ts';
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { isControlledBy } from '../../schemas/owners.ts';

interface Written {
  /** A write failed in a way that leaves open whether it was done. */
  isInDoubt: boolean;
  /** Revision that the copy of the ReplicaSets must have reached. */
  revision: number;
}

/**
 * What was written to the ReplicaSets of each Deployment and may not show in the copy yet. A resize that was done and does not
 * show would be done a second time on another ReplicaSet, and more pods would go than may be missing. The controller loop
 * waits for its own writes, but only for some seconds, and not for those whose answer was lost: then the server is asked.
 */
export class SetWrites {
  readonly #written = new Map<string, Written>();

  /** A ReplicaSet of this Deployment was written. */
  note(deployment: Deployment, replicaSet: ReplicaSet): void {
    const own = this.#of(deployment);
    own.revision = Math.max(own.revision, revisionOf(replicaSet));
  }

  /** A write for this Deployment may have been done or not. */
  doubt(deployment: Deployment): void {
    this.#of(deployment).isInDoubt = true;
  }

  /** True when the copy of the Deployment's ReplicaSets shows all that was written; else it is to be looked at again. */
  async areSeen(deployment: Deployment, context: ReconcileContext): Promise<boolean> {
    const { uid = '', namespace } = deployment.metadata;
    const own = this.#written.get(uid);
    if (own === undefined) return true;
    if (own.isInDoubt) {
      const { items } = await context.client.of(ReplicaSet).list({ namespace });
      own.revision = Math.max(own.revision, ...items.filter((one) => isControlledBy(one, deployment)).map(revisionOf));
      own.isInDoubt = false;
    }
    if (context.informer(ReplicaSet).revision < own.revision) return false;
    this.#written.delete(uid);
    return true;
  }

  /** Forgets Deployments that are gone; to be called when one is. */
  forgetGone(deployments: readonly Deployment[]): void {
    if (this.#written.size === 0) return;
    const alive = new Set(deployments.map(({ metadata }) => metadata.uid));
    for (const uid of this.#written.keys()) if (!alive.has(uid)) this.#written.delete(uid);
  }

  #of({ metadata: { uid = '' } }: Deployment): Written {
    let own = this.#written.get(uid);
    if (own === undefined) this.#written.set(uid, own = { isInDoubt: false, revision: 0 });
    return own;
  }
}
