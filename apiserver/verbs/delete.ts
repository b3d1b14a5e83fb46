import type { ApiAnswer, ApiList } from '../../schemas/api.ts';
import { isReason, notFound, type Status } from '../../schemas/errors.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import type { Call, Surroundings } from './call.ts';
import { checkDeleteOptions, checkPreconditions, deletionOf, type DeleteOptions } from './deletion.ts';
import { list } from './list.ts';
import type { Attempt, Decision, Written } from './object-writer.ts';
import { writeObject } from './write-object.ts';

/** Deletes an object: a Status when it is gone, the object when it stays a while. */
export const remove = async (api: Surroundings, call: Call): Promise<ApiAnswer> => {
  const written = await deleteOne(api, call, call.options);
  return { code: 200, body: written.action === 'remove' ? goneStatus(call.kind, written.object) : written.object, warnings: [...call.warnings] };
};

/** Looks at an object that is about to be deleted, and gives it back as it is to be then. Throws what is against the deletion. */
export type BeforeDelete = (object: ApiObject, attempt: Attempt) => Promise<ApiObject>;

/** The rules of a delete, for the verb and for an eviction. */
export const deleteOne = async (api: Surroundings, call: Call, options: DeleteOptions, { before }: { readonly before?: BeforeDelete } = {}): Promise<Written> => {
  const { kind, user, namespace, name, warnings } = call;
  checkDeleteOptions(options);
  const decide = (current: ApiObject, leaving: ApiObject, attempt: Attempt): Decision => {
    const deletion = deletionOf(kind, current, options, api.clock.now());
    switch (deletion.action) {
      case 'keep':
        return { action: 'keep', object: current };
      case 'mark':
        return { action: 'put', object: { ...terminating(leaving), metadata: deletion.metadata } };
      case 'remove':
        api.admission.removed(current, { kind, user, namespace, name, subresource: '', old: current, warnings, audit: call.audit, attempt });
        return { action: 'remove', object: leaving };
    }
  };
  return writeObject(api, { kind, namespace, name }, (current, attempt) => {
    if (current === undefined) throw notFound(kind, name);
    api.admission.deleting(current, { kind, user, namespace, name, subresource: '', old: current, warnings, audit: call.audit, attempt });
    // An eviction has been asked about as such.
    const review = before === undefined && !api.dynamic.isIdle ? api.dynamic.review(call, { operation: 'DELETE', object: undefined, old: current }) : undefined;
    if (before === undefined && review === undefined) return decide(current, current, attempt);
    // A delete that its preconditions refuse must not have been granted.
    checkPreconditions(kind, current, options);
    if (before !== undefined) return before(current, attempt).then((leaving) => decide(current, leaving, attempt));
    return review!.permit(undefined).then(() => decide(current, current, attempt));
  }, { dryRun: call.options.dryRun });
};

/** A namespace says in its status that it goes. */
const terminating = (object: ApiObject): ApiObject => {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return object;
  const { status } = object as ApiObject & { readonly status?: object };
  return { ...object, status: { ...status, phase: 'Terminating' } } as ApiObject;
};

const goneStatus = (kind: AnyKind, object: ApiObject): Status => ({
  kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success',
  details: { name: object.metadata.name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural, uid: object.metadata.uid },
});

/** Deletes at a time in one deletecollection; enough to share the store's group commits. */
const parallel = 64;

/** Deletes what the selectors match, and answers the list of what was deleted or marked. */
export const removeCollection = async (api: Surroundings, call: Call): Promise<ApiAnswer> => {
  checkDeleteOptions(call.options);
  const found = (await list(api, call)).body as ApiList;
  const items: (ApiObject | undefined)[] = Array.from({ length: found.items.length });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < found.items.length) {
      const index = next++;
      const { namespace = '', name = '' } = found.items[index]!.metadata;
      try {
        items[index] = (await deleteOne(api, { ...call, namespace, name }, call.options)).object;
      } catch (error) {
        // Somebody else has deleted it meanwhile, which is what was wanted.
        if (!isReason(error, 'NotFound')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, found.items.length) }, worker));
  return { code: 200, body: { ...found, items: items.filter((item) => item !== undefined) }, warnings: [...call.warnings] };
};
