/**
 * What webhooks and policies make of an object is read like the body of a request: decoded, with defaults, and without
 * what is the server's own. What they changed belongs to the manager of the request.
 */
import { badRequest } from '../../schemas/errors.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import { compareStates } from '../patch/apply/tracked.ts';
import { noChange } from '../patch/apply/compare.ts';
import { timeOf } from '../patch/apply/managers.ts';
import { afterUpdate } from '../patch/apply/ownership.ts';
import type { BodyKind } from '../../schemas/validate.ts';
import { readBody, readBodyAs, type ObjectDraft } from './body.ts';
import type { Call, Surroundings } from './call.ts';
import { managersOf, setManagers, writerOf } from './field-tracking.ts';

/** Members of metadata that stay as they were, whatever comes back. */
const serversOwn = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'resourceVersion', 'selfLink', 'managedFields', 'name', 'namespace'] as const;

/** A changed object in a form of its kind as a draft in the stored form. Throws BadRequest for what is no such object or is called otherwise. */
export const readChanged = (call: Call, changed: unknown, form: AnyKind, before: ObjectDraft): ObjectDraft => {
  const { kind } = call;
  const draft = readBody({ kind, ...(form === kind ? {} : { served: form }), options: {}, warnings: new Set() }, changed);
  for (const member of ['name', 'namespace'] as const) {
    if ((draft.metadata[member] ?? '') !== (before.metadata[member] ?? '')) throw badRequest(`admission changed metadata.${member} from ${JSON.stringify(before.metadata[member] ?? '')} to ${JSON.stringify(draft.metadata[member] ?? '')}, which must stay`);
  }
  const metadata = { ...draft.metadata };
  for (const member of serversOwn) delete metadata[member];
  const kept = Object.fromEntries(serversOwn.flatMap((member) => (before.metadata[member] === undefined ? [] : [[member, before.metadata[member]]])));
  draft.metadata = { ...kept, ...metadata } as ObjectDraft['metadata'];
  return draft;
};

/** Gives the fields that differ to the writer of the request. */
export const trackChanged = ({ clock }: Pick<Surroundings, 'clock'>, call: Call, before: ApiObject, after: ObjectDraft): void => {
  const managers = managersOf(before);
  if (managers.length === 0) return;
  const comparison = compareStates(call.kind, call.request.subresource ?? '', before, after);
  if (comparison !== noChange) setManagers(after, afterUpdate(managers, writerOf(call, 'Update'), comparison, timeOf(clock.now())));
};

/** What a subresource or a question is sent, once webhooks and policies have changed and accepted it; nothing is stored under its name. */
export const reviewedBody = async <Body extends ObjectDraft>(api: Surroundings, call: Call, kind: BodyKind<unknown>, body: Body): Promise<Body> => {
  if (api.dynamic.isIdle) return body;
  const isOwn = kind.kind === call.kind.kind && kind.group === call.kind.group;
  const review = api.dynamic.review(call, { operation: 'CREATE', object: body, old: undefined, ...(isOwn ? {} : { body: { group: kind.group, version: kind.version, kind: kind.kind } }) });
  if (review === undefined) return body;
  const mutated = await review.mutate(body, { settle: (changed) => readBodyAs(kind, { options: {}, warnings: new Set() }, changed) as Body });
  await review.validate(mutated);
  return mutated;
};
