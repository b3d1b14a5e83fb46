import type { NewObject } from '../../client/client.ts';
import type { Controller } from '../../client/controller.ts';
import { isReason } from '../../schemas/errors.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { controllerReference } from '../../schemas/owners.ts';
import { podClaims } from '../../schemas/volumes/pod-claims.ts';
import { namespaceEnds } from '../refusals.ts';
import { isTerminal } from '../pod-state.ts';

/** The claims of a pod's ephemeral volumes, each owned by the pod, so that garbage collection deletes it with the pod. */
export const ephemeralClaims = (pod: Pod): readonly NewObject<PersistentVolumeClaim>[] => podClaims(pod).filter(({ isEphemeral }) => isEphemeral).flatMap(({ volume, claimName }) => {
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (template === undefined) return [];
  const { labels, annotations } = template.metadata ?? {};
  return [{
    metadata: {
      name: claimName, namespace: pod.metadata.namespace, ownerReferences: [controllerReference(pod, Pod)],
      ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }),
    },
    spec: template.spec,
  }];
});

/** Makes the claims of ephemeral volumes. One of that name that is not the pod's stays, and keeps the pod from running. */
export const ephemeralVolumeController = (): Controller<Pod> => ({
  name: 'ephemeral-volume-controller',
  reconciles: Pod,
  watches: [{
    kind: PersistentVolumeClaim,
    // A claim that was in the way, or that somebody deleted, makes room for the pod's own.
    map: ({ metadata }: PersistentVolumeClaim, context) => (metadata.ownerReferences ?? []).filter(({ kind, controller }) => kind === 'Pod' && controller === true)
      .flatMap(({ name }) => (context.informer(Pod).get({ namespace: metadata.namespace, name }) === undefined ? [] : [{ namespace: metadata.namespace, name }])),
  }],
  reconcile: async (pod, _key, context) => {
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isTerminal(pod)) return;
    for (const claim of ephemeralClaims(pod)) {
      const { namespace, name = '' } = claim.metadata;
      if (context.informer(PersistentVolumeClaim).get({ namespace, name }) !== undefined) continue;
      try {
        await context.client.of(PersistentVolumeClaim).create(claim);
      } catch (error) {
        if (namespaceEnds(error) || isReason(error, 'AlreadyExists')) continue;
        context.events.event(pod, 'Warning', 'FailedCreate', `Error creating claim ${name}: ${error instanceof Error ? error.message : String(error)}`);
        throw error;
      }
    }
  },
});
