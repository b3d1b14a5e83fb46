import { ApiError, invalid } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { CustomResourceDefinition } from '../../schemas/types/custom-resource-definition.ts';
import { definitionsCollection } from '../custom/definitions.ts';
import { definitionRuleErrors } from '../custom/rules/check-rules.ts';
import { noSuchResource } from '../verbs/resolve.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionPlugin } from './admission.ts';

const group = 'apiextensions.k8s.io';

/**
 * Rules in CEL of a definition must be such as can be evaluated; all else that can be wrong with it the kind itself knows.
 * Custom objects are created only while their definition stays: its revision is checked in the same transaction, so that
 * nothing can slip in behind the controller that deletes the objects of a definition that goes.
 */
export const customResources = (cache: WatchCache): AdmissionPlugin => ({
  name: 'CustomResources',
  admit: (object, { kind, old }) => {
    if (kind.group !== group || kind.kind !== 'CustomResourceDefinition') return;
    const definition = object as CustomResourceDefinition;
    // Rules that have passed before pass again.
    if (old !== undefined && deepEqual((old as CustomResourceDefinition).spec, definition.spec)) return;
    const errors = definitionRuleErrors(definition, old as CustomResourceDefinition | undefined);
    if (errors.length > 0) throw invalid(kind, definition.metadata.name ?? '', errors);
  },
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
