/** What claims and volumes get when they are made, and who may have a bigger one. */
import { ApiError } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { compareQuantities } from '../../schemas/quantity.ts';
import { defaultClassOf, leavesClassOpen, storageClassOf } from '../../schemas/volumes/storage-class-of.ts';
import { claimProtection, volumeProtection } from '../../schemas/volumes/volume-words.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';

const classes = 'storage.k8s.io/storageclasses/';

type Classes = Pick<WatchCache, 'get' | 'list'>;

const isClaim = ({ kind }: AdmissionContext): boolean => kind.plural === 'persistentvolumeclaims' && kind.group === '';
const isVolume = ({ kind }: AdmissionContext): boolean => kind.plural === 'persistentvolumes' && kind.group === '';

const protect = (draft: Draft<ApiObject>, finalizer: string): void => {
  const { finalizers = [] } = draft.metadata;
  if (!finalizers.includes(finalizer)) draft.metadata.finalizers = [...finalizers, finalizer];
};

const sizeOf = ({ spec }: PersistentVolumeClaim): string => spec.resources?.requests?.['storage'] ?? '0';

/** A claim grows only once it has a volume, and only where its class says that volumes can. */
const whyNotBigger = (claim: PersistentVolumeClaim, old: PersistentVolumeClaim, cache: Classes): string | undefined => {
  if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return undefined;
  if (old.status?.phase !== 'Bound') return 'Only bound persistent volume claims can be expanded';
  const found = cache.get(`${classes}/${storageClassOf(claim)}`) as StorageClass | undefined;
  return found?.allowVolumeExpansion === true ? undefined : 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
};

/**
 * Gives a new claim the default class where it leaves its class open, protects new claims and volumes from going while they
 * are used (`StorageObjectInUseProtection`), and refuses to make a claim bigger whose class does not allow it.
 */
export const storage = (cache: Classes): AdmissionPlugin => ({
  name: 'Storage',
  mutate: (draft, context) => {
    if (context.old !== undefined || context.subresource !== '') return;
    if (isVolume(context)) return protect(draft, volumeProtection);
    if (!isClaim(context)) return;
    protect(draft, claimProtection);
    const claim = draft as unknown as Draft<PersistentVolumeClaim>;
    if (!leavesClassOpen(claim as PersistentVolumeClaim)) return;
    const name = defaultClassOf(cache.list(classes) as readonly StorageClass[])?.metadata.name;
    if (name !== undefined) claim.spec.storageClassName = name;
  },
  admit: (object, context) => {
    if (context.old === undefined || context.subresource !== '' || !isClaim(context)) return;
    const why = whyNotBigger(object as PersistentVolumeClaim, context.old as PersistentVolumeClaim, cache);
    if (why === undefined) return;
    const { name } = context;
    throw new ApiError('Forbidden', `persistentvolumeclaims ${JSON.stringify(name)} is forbidden: ${why}`, { name, kind: 'persistentvolumeclaims' });
  },
});
