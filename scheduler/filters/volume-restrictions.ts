import type { Filter } from '../framework.ts';

const reason = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';

/** Keeps a claim that is for one pod from a second one, wherever the first one is. */
export const volumeRestrictions: Filter = {
  name: 'VolumeRestrictions',
  wokenBy: ['nodeAdded', 'podGone', 'volumes'],
  prepare: ({ claimKeys }, cluster) => (claimKeys.length === 0 ? undefined : () => (claimKeys.some((key) => cluster.volumes.isTaken(key)) ? reason : undefined)),
  helpedBy: ({ claimKeys }) => (claimKeys.length === 0 ? undefined : (other) => other.claimKeys.some((key) => claimKeys.includes(key))),
};
