import type { Client } from '../client/client.ts';
import { isReason } from '../schemas/errors.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import type { PodStatus } from '../schemas/types/pod-status.ts';

/** Where a pod's object is kept: the API, or for a pod from the node's own folder the agent itself. */
export interface PodRecord {
  /** Writes the status that the function makes of the newest object, and gives the object as it is then. Undefined where it is gone, or is another of the same name: nothing is written. */
  writeStatus(stored: Pod, statusOf: (pod: Pod) => PodStatus): Promise<Pod | undefined>;
  /** Nothing of the pod is left on the node: its object goes, unless another has its name by now. */
  remove(pod: Pod): Promise<void>;
}

export const apiRecord = (client: Client): PodRecord => ({
  writeStatus: async (stored, statusOf) => {
    const { namespace, name = '', uid } = stored.metadata;
    try {
      const written = await client.of(Pod).modifyStatus({ namespace, name }, (draft) => {
        if (draft.metadata.uid === uid) draft.status = statusOf(draft as Pod) as typeof draft.status;
      }, { hint: stored });
      return written.metadata.uid === uid ? written : undefined;
    } catch (error) {
      // It was deleted; the informer will say so.
      if (isReason(error, 'NotFound')) return undefined;
      throw error;
    }
  },
  remove: async ({ metadata: { namespace, name = '', uid } }) => {
    try {
      await client.of(Pod).delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      // It is gone already, or another pod has its name now.
      if (!isReason(error, 'NotFound', 'Conflict')) throw error;
    }
  },
});
