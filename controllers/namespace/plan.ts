import { rfc3339 } from '../../base/clock.ts';
import { withCondition } from '../../schemas/conditions.ts';
import { qualified } from '../../schemas/errors.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import type { Namespace, NamespaceCondition } from '../../schemas/kinds/core/namespace.ts';

/** The finalizer in spec.finalizers that keeps a namespace until its content is gone. */
export const contentFinalizer = 'kubernetes';

/** What is left in a namespace, by kind. */
export interface Content {
  readonly kind: AnyKind;
  readonly objects: readonly ApiObject[];
}

/** A kind whose objects could not be deleted, and why. */
export interface ContentFailure {
  readonly kind: AnyKind;
  readonly message: string;
}

const isPods = ({ kind }: Content): boolean => kind.group === '' && kind.plural === 'pods';

/**
 * Kinds to delete now. Pods go first and alone: what they use (Secrets, Services, NetworkPolicies) stays until they have
 * ended. An object that is on its way already is not asked again.
 */
export const kindsToDelete = (contents: readonly Content[]): readonly AnyKind[] => {
  const pods = contents.filter((content) => isPods(content) && content.objects.length > 0);
  return (pods.length > 0 ? pods : contents)
    .filter(({ objects }) => objects.some((object) => object.metadata.deletionTimestamp === undefined)).map(({ kind }) => kind);
};

const listed = (counts: ReadonlyMap<string, number>, ending: (count: number) => string): string =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${ending(count)}`).join(', ');

const remaining = (contents: readonly Content[]): string =>
  listed(new Map(contents.map(({ kind, objects }) => [`${qualified(kind.plural, kind.group)} has`, objects.length])), (count) => `${count} resource instances`);

const finalizers = (contents: readonly Content[]): string => {
  const counts = new Map<string, number>();
  for (const { objects } of contents) {
    for (const object of objects) for (const finalizer of object.metadata.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  }
  return listed(counts, (count) => `in ${count} resource instances`);
};

/** The conditions that tell what a namespace that is being deleted waits for. */
export const namespaceConditions = (namespace: Namespace, contents: readonly Content[], failures: readonly ContentFailure[], nowMs: number): readonly NamespaceCondition[] => {
  const left = contents.filter(({ objects }) => objects.length > 0);
  const held = finalizers(left);
  const failed = failures.map(({ kind, message }) => `${qualified(kind.plural, kind.group)}: ${message}`).sort().join('; ');
  const said: readonly (readonly [type: string, isBad: boolean, bad: readonly [string, string], good: readonly [string, string]])[] = [
    ['NamespaceDeletionDiscoveryFailure', false, ['', ''], ['ResourcesDiscovered', 'All resources successfully discovered']],
    ['NamespaceDeletionGroupVersionParsingFailure', false, ['', ''], ['ParsedGroupVersions', 'All legacy kube types successfully parsed']],
    ['NamespaceDeletionContentFailure', failed !== '', ['ContentDeletionFailed', `Failed to delete all resource types, ${failures.length} remaining: ${failed}`], ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization']],
    ['NamespaceContentRemaining', left.length > 0, ['SomeResourcesRemain', `Some resources are remaining: ${remaining(left)}`], ['ContentRemoved', 'All content successfully removed']],
    ['NamespaceFinalizersRemaining', held !== '', ['SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${held}`], ['ContentHasNoFinalizers', 'All content-preserving finalizers finished']],
  ];
  let conditions = namespace.status?.conditions ?? [];
  for (const [type, isBad, bad, good] of said) {
    const [reason, message] = isBad ? bad : good;
    conditions = withCondition(conditions, { type, status: isBad ? 'True' : 'False', reason, message }, rfc3339(nowMs));
  }
  return conditions;
};
