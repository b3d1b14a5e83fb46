import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import type { Registry } from '../../schemas/registry.ts';
import { unlessGone } from '../ensure.ts';
import { distinctKinds } from '../kinds.ts';
import { contentFinalizer, kindsToDelete, namespaceConditions, type Content, type ContentFailure } from './plan.ts';

/** Another look at content of kinds that were defined after the start and have no informer here. */
const unwatchedMs = 1_000;
/** Content of one kind that is looked at for its finalizers in one go; the rest comes when this is gone. */
const listLimit = 500;

/** Empties namespaces that are being deleted, then lets them go. */
export const namespaceController = (registry: Registry): Controller<Namespace> => {
  const watched = namespacedKinds(registry);
  return {
    name: 'namespace-controller',
    reconciles: Namespace,
    // Content that goes brings the namespace back here; in a namespace that stays this costs one look into a map.
    watches: watched.map((kind) => ({
      kind,
      map: ({ metadata: { namespace } }: ApiObject, context: ReconcileContext) =>
        (namespace !== undefined && context.informer(Namespace).get({ name: namespace })?.metadata.deletionTimestamp !== undefined ? [{ name: namespace }] : []),
    })),
    reconcile: async (namespace, _key, context) => {
      if (namespace?.metadata.deletionTimestamp === undefined || namespace.spec?.finalizers?.includes(contentFinalizer) !== true) return undefined;
      return finish(namespace, namespacedKinds(registry), new Set(watched), context);
    },
  };
};

const namespacedKinds = (registry: Registry): readonly AnyKind[] => distinctKinds(registry).filter(({ scope }) => scope === 'Namespaced');

const finish = async (namespace: Namespace, kinds: readonly AnyKind[], watched: ReadonlySet<AnyKind>, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
  const name = namespace.metadata.name ?? '';
  const cached = kinds.map((kind): Content => ({ kind, objects: watched.has(kind) ? context.informer(kind as typeof Namespace).list(name) : [] }));
  const looksEmpty = cached.every(({ objects }) => objects.length === 0);
  // Copies may be behind: only the server's word ends a namespace. While a copy shows content, that says enough.
  const contents = looksEmpty || kinds.some((kind) => !watched.has(kind)) ? await live(kinds, name, context) : cached;
  const failures: ContentFailure[] = [];
  await Promise.all(kindsToDelete(contents).map(async (kind) => {
    try {
      await context.client.of(kind).deleteCollection({ namespace: name, propagationPolicy: 'Background' });
    } catch (error) {
      if (isReason(error, 'NotFound', 'MethodNotAllowed')) return;
      failures.push({ kind, message: error instanceof Error ? error.message : String(error) });
    }
  }));
  const key = { name };
  const conditions = namespaceConditions(namespace, contents, failures, context.clock.now());
  const isEmpty = contents.every(({ objects }) => objects.length === 0);
  if (!isEmpty || failures.length > 0) {
    await unlessGone(context.client.of(Namespace).modifyStatus(key, (draft) => {
      if (draft.metadata.uid === namespace.metadata.uid && !deepEqual(draft.status?.conditions, conditions)) draft.status = { ...draft.status, phase: 'Terminating', conditions: draftOf(conditions) };
    }, { hint: namespace }));
    if (failures.length > 0) throw new Error(`the content of namespace ${name} could not be deleted: ${failures.map(({ kind, message }) => `${kind.plural}: ${message}`).join('; ')}`);
    return { afterMs: contents === cached ? 60 * unwatchedMs : unwatchedMs };
  }
  const spec = { ...namespace.spec, finalizers: (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== contentFinalizer) };
  await unlessGone(context.transport.send({
    verb: 'update', group: '', version: 'v1', resource: 'namespaces', name, subresource: 'finalize', body: { ...namespace, spec },
  }));
  return undefined;
};

const live = (kinds: readonly AnyKind[], namespace: string, context: ReconcileContext): Promise<readonly Content[]> =>
  Promise.all(kinds.map(async (kind): Promise<Content> => {
    try {
      return { kind, objects: (await context.client.of(kind as typeof Namespace).list({ namespace, limit: listLimit })).items };
    } catch (error) {
      if (isReason(error, 'NotFound', 'MethodNotAllowed')) return { kind, objects: [] };
      throw error;
    }
  }));
