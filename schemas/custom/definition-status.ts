/** What the server says of a definition by itself, in the transaction that writes it. */
import type { CustomResourceDefinition, DefinitionStatus } from '../types/custom-resource-definition.ts';

/** Keeps a deleted definition until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** A definition is asked for it before it is checked: anything may be missing. */
const storageVersion = ({ spec }: { readonly spec?: Partial<CustomResourceDefinition['spec']> }): string | undefined => spec?.versions?.find((version) => version.storage)?.name;

/** The status of a new definition: nothing is accepted yet. */
export const newStatus = (definition: CustomResourceDefinition): DefinitionStatus => {
  const stored = storageVersion(definition);
  return { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: stored === undefined ? [] : [stored] };
};

/** A version that objects are stored in from now on is noted before the first of them is. */
export const statusOnUpdate = (definition: CustomResourceDefinition, status: unknown): unknown => {
  const before = (status ?? newStatus(definition)) as DefinitionStatus;
  const stored = storageVersion(definition);
  return stored === undefined || before.storedVersions?.includes(stored) === true ? before : { ...before, storedVersions: [...(before.storedVersions ?? []), stored] };
};
