import { ApiError } from '../../schemas/errors.ts';
import { definitionsCollection } from '../custom/definitions.ts';
import { noSuchResource } from '../verbs/resolve.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionPlugin } from './admission.ts';

/**
 * Custom objects are created only while their definition stays: its revision is checked in the same transaction, so that
 * nothing can slip in behind the controller that deletes the objects of a definition that goes.
 */
export const customResources = (cache: WatchCache): AdmissionPlugin => ({
  name: 'CustomResources',
  mutate: (_draft, { kind, old, attempt }) => {
    if (kind.custom === undefined || old !== undefined) return;
    const key = `${definitionsCollection}/${kind.custom.definition}`;
    const definition = cache.get(key);
    if (definition === undefined) throw noSuchResource();
    if (definition.metadata.deletionTimestamp !== undefined) {
      throw new ApiError('MethodNotAllowed', 'create not allowed while custom resource definition is terminating', { kind: kind.plural, group: kind.group });
    }
    attempt.require(key, Number(definition.metadata.resourceVersion));
  },
});
