/** The claims of a StatefulSet's pods: made before the pod that mounts them, and owned as the retention policy says. */
import type { ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import type { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { unlessGone } from '../ensure.ts';
import { claimName, claimOwners, claimsOf } from './identity.ts';
import { byOrdinal, isWanted } from './plan.ts';

/** Makes the claims of a number that are missing. The reason why its pod must wait, or undefined. */
export const ensureClaims = async (set: StatefulSet, ordinal: number, context: ReconcileContext): Promise<string | undefined> => {
  const informer = context.informer(PersistentVolumeClaim);
  for (const claim of claimsOf(set, ordinal)) {
    const { namespace, name = '' } = claim.metadata;
    const there = informer.get({ namespace, name });
    if (there?.metadata.deletionTimestamp !== undefined) return `claim ${name} is being deleted`;
    if (there !== undefined) continue;
    try {
      await context.client.of(PersistentVolumeClaim).create(claim);
      context.events.event(set, 'Normal', 'SuccessfulCreate', `create Claim ${name} Pod ${set.metadata.name}-${ordinal} in StatefulSet ${set.metadata.name} success`);
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error;
    }
  }
  return undefined;
};

/** Makes claims anew that were deleted under pods which have no node yet: these would wait for ever. True: some must wait first. */
export const renewClaims = async (set: StatefulSet, pods: readonly Pod[], context: ReconcileContext): Promise<boolean> => {
  let waits = false;
  if ((set.spec.volumeClaimTemplates ?? []).length === 0) return waits;
  for (const [ordinal, { metadata, spec }] of byOrdinal(set, pods)) {
    if ((spec.nodeName ?? '') !== '' || metadata.deletionTimestamp !== undefined || !isWanted(set, ordinal)) continue;
    if (await ensureClaims(set, ordinal, context) !== undefined) waits = true;
  }
  return waits;
};

/** Gives the claims of all pods that are there the owners that the policy says. */
export const settleClaimOwners = async (set: StatefulSet, pods: readonly Pod[], context: ReconcileContext): Promise<void> => {
  const informer = context.informer(PersistentVolumeClaim);
  for (const [ordinal, pod] of byOrdinal(set, pods)) {
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const claim = informer.get({ namespace: set.metadata.namespace, name: claimName(set, template, ordinal) });
      if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) continue;
      const owners = claimOwners(set, claim, isWanted(set, ordinal) ? undefined : pod);
      if (deepEqual(owners, claim.metadata.ownerReferences ?? [])) continue;
      await unlessGone(context.client.of(PersistentVolumeClaim).modify(keyOf(claim), (draft) => {
        if (owners.length > 0) draft.metadata.ownerReferences = draftOf(owners) as typeof draft.metadata.ownerReferences;
        else delete draft.metadata.ownerReferences;
      }, { hint: claim }));
    }
  }
};
