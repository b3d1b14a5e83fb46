import { isReachedFrom } from '../../schemas/volumes/match-volume.ts';
import { storageClassOf } from '../../schemas/volumes/storage-class-of.ts';
import { isBound } from '../volumes.ts';
import { namesText, type Remedy } from './remedy.ts';

/** What each claim of the pod lacks. */
export const volumeBindingRemedy: Remedy = ({ claims, claimKeys }, refused, { volumes, nodes }) => claims.flatMap(({ claimName, isEphemeral }, at) => {
  const claim = volumes.claim(claimKeys[at] as string);
  if (claim === undefined) return isEphemeral ? [] : [`make claim ${claimName}, or name another`];
  if (claim.metadata.deletionTimestamp !== undefined) return [`claim ${claimName} is being deleted: wait until it is gone, and make it anew`];
  if (isBound(claim)) {
    const volume = volumes.volume(claim.spec.volumeName ?? '');
    if (volume === undefined) return [`claim ${claimName} has lost its volume ${claim.spec.volumeName}: bring the volume back, or make the claim anew`];
    if (!refused.some((node) => !isReachedFrom(volume, node))) return [];
    const reaching = nodes.filter((node) => isReachedFrom(volume, node)).map(({ name }) => name);
    return [reaching.length === 0 ? `no node reaches volume ${volume.metadata.name} of claim ${claimName}: bring the node back on which it is`
      : `volume ${volume.metadata.name} of claim ${claimName} can be reached from ${namesText(reaching, 'and')} only: the pod must fit there`];
  }
  const size = claim.spec.resources?.requests?.['storage'] ?? '0';
  const className = storageClassOf(claim);
  return [`claim ${claimName} has no volume: make one of at least ${size} ${className === '' ? 'without a storage class' : `of storage class ${className}`} that the nodes reach, or let the claim have a class that makes volumes`];
});

/** Who uses the claims that are for one pod. */
export const volumeRestrictionsRemedy: Remedy = ({ claimKeys }, _, { volumes, nodes }) => claimKeys.filter((key) => volumes.isTaken(key)).map((key) => {
  const users = nodes.flatMap(({ pods }) => [...pods.values()]).filter((other) => other.claimKeys.includes(key));
  return `claim ${key} is for one pod (ReadWriteOncePod), which is ${namesText(users.map((user) => user.key))}: wait for its end, or use a claim of access mode ReadWriteOnce`;
});
