import type { ApiAnswer } from '../../schemas/api.ts';
import { ApiError, badRequest, conflict, invalid, notFound, qualified, type FieldError } from '../../schemas/errors.ts';
import { applyCustomDefaults } from '../../schemas/custom/defaults.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { applyDefaults, validate, validateStatus } from '../../schemas/validate.ts';
import type { AdmissionContext } from '../admission/admission.ts';
import type { Review } from '../admission/dynamic/review.ts';
import type { GroupVersionKind } from '../admission/dynamic/subject.ts';
import { shareParts, withEqualParts } from '../shared-parts.ts';
import { assertValid, changesWanted, complete, readBody, warnOf, type ObjectDraft } from './body.ts';
import type { Call, Surroundings } from './call.ts';
import { assertNoIdentity, created, requireCreate } from './create.ts';
import { sameButTimes, trackUpdate, withoutManagers, type Tracking } from './field-tracking.ts';
import type { Attempt, Decision } from './object-writer.ts';
import { changesMetadata, metadataOfReport } from './reported-metadata.ts';
import { revisionOf } from './resource-version.ts';
import { readChanged, trackChanged } from './reviewed.ts';
import { writeObject } from './write-object.ts';

/** Another object that stands for one: the Scale of a Deployment. */
export interface Face {
  readonly kind: GroupVersionKind;
  of(object: ApiObject): ApiObject;
  /** A draft of the object with what counts of a changed face. Throws ApiError for what is no such face. */
  into(face: unknown, object: ObjectDraft): ObjectDraft;
}

/** What a write through one address of an object may change: everything but the status, the status only, one list, ... */
export interface Part {
  /** The stored object with the part of the body that counts here. */
  combine(draft: ObjectDraft, current: ApiObject, call: Call): ObjectDraft;
  validate(object: ApiObject, current: ApiObject, call: Call): void;
  /** True where the cluster's rules about the whole object (admission) apply. */
  readonly admitted: boolean;
  /** How webhooks and policies see the object through this address, where that is not the object itself. */
  readonly face?: Face | undefined;
}

export const wholeObject: Part = {
  admitted: true,
  combine: (draft, current, { kind }) => {
    const { status: _status, ...rest } = draft as ObjectDraft & { status?: unknown };
    const whole = { ...(kind.subresources.status === true ? rest : draft), metadata: keptMetadata(draft, current) } as ObjectDraft;
    complete(kind, whole, current);
    const status = (current as ApiObject & { readonly status?: unknown }).status;
    if (kind.subresources.status === true && status !== undefined) whole['status'] = status;
    if (kind.statusOnUpdate !== undefined) whole['status'] = kind.statusOnUpdate(whole, status);
    return whole;
  },
  validate: (object, current, { kind, name }) => assertValid(kind, name, validate(kind, object, current)),
};

export const statusOnly: Part = {
  admitted: false,
  combine: (draft, current, { kind }) => {
    const { status: _, ...others } = current as ApiObject & { readonly status?: unknown };
    const status = draft['status'];
    if (status !== undefined) (kind.custom === undefined ? applyDefaults : applyCustomDefaults)(kind.schema.properties?.['status'] ?? {}, status);
    return { ...others, metadata: metadataOfReport(draft, current, kind), ...(status === undefined ? {} : { status }) } as unknown as ObjectDraft;
  },
  validate: (object, current, { kind, name }) => assertValid(kind, name, validateStatus(kind, object, current)),
};

/** Replaces an object, or the part of it that the request's subresource is about. Some kinds create what does not exist. */
export const update = async (api: Surroundings, call: Call, part: Part): Promise<ApiAnswer> => {
  const { kind, name } = call;
  let code = 200;
  const written = await writeObject(api, call, (current, attempt) => {
    const draft = readBody(call, call.request.body);
    assertAddressed(call, draft);
    code = current === undefined ? 201 : 200;
    if (current === undefined) return createdByUpdate(api, call, { part, draft, attempt });
    if (kind.updateNamesVersion === true && part.face === undefined && !namesVersion(draft)) throw invalid(kind, name, [versionMissing]);
    return updated(api, call, { part, draft, current, attempt });
  }, { dryRun: call.options.dryRun });
  return { code, body: written.object, warnings: [...call.warnings] };
};

/** In the words of Kubernetes, whose versions are numbers. */
const versionMissing: FieldError = { reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message: 'Invalid value: 0x0: must be specified for an update' };

const namesVersion = ({ metadata: { resourceVersion } }: ObjectDraft): boolean => (revisionOf(resourceVersion) ?? 0) !== 0;

const createdByUpdate = (api: Surroundings, call: Call, { part, draft, attempt }: Pick<Change, 'part' | 'attempt'> & { readonly draft: ObjectDraft }): Decision | Promise<Decision> => {
  const { kind, name } = call;
  if (part !== wholeObject || kind.createOnUpdate !== true) throw notFound(kind, name);
  assertNoIdentity(call, draft);
  requireCreate(api, call);
  return created(api, call, { draft, current: undefined, attempt });
};

/** What an update (or a patch that came out as this draft) does to the current object. */
export const updated = (api: Surroundings, call: Call, { draft, ...change }: Omit<Change, 'object'> & { readonly draft: ObjectDraft }): Decision | Promise<Decision> => {
  assertCurrent(call, draft, change.current);
  return settled(api, call, { ...change, object: change.part.combine(draft, change.current, call) });
};

/** What a write makes of an object. */
export interface Change {
  readonly part: Part;
  readonly object: ObjectDraft;
  readonly current: ApiObject;
  readonly attempt: Attempt;
  /** Says who owns the object's fields then; those that changed are the writer's where absent. */
  readonly track?: Tracking | undefined;
}

/** Takes a changed object through admission and checks, and decides: store it, leave it as it is, or let it go at last. */
export const settled = (api: Surroundings, call: Call, { part, object: changed, current, attempt, track = trackUpdate(call, current, api.clock.now()) }: Change): Decision | Promise<Decision> => {
  const { kind, user, namespace, name, warnings } = call;
  const context = { kind, user, namespace, name, subresource: call.request.subresource ?? '', old: current, warnings, audit: call.audit, attempt };
  // A part may share its metadata with the stored object.
  const object: ObjectDraft = { ...changed, metadata: { ...changed.metadata } };
  track(withEqualParts(object, current));
  if (part.admitted) api.admission.mutate(object, context);
  const { face } = part;
  const review = api.dynamic.isIdle ? undefined : api.dynamic.review(call, { operation: 'UPDATE', object: face === undefined ? object : face.of(object), old: face === undefined ? current : face.of(current), body: face?.kind });
  return review === undefined ? decided(api, call, { part, object, current, context }) : reviewed(api, call, { part, object, current, context, review });
};

interface Admitting {
  readonly part: Part;
  readonly object: ObjectDraft;
  readonly current: ApiObject;
  readonly context: AdmissionContext;
}

const reviewed = async (api: Surroundings, call: Call, { review, ...admitting }: Admitting & { readonly review: Review }): Promise<Decision> => {
  const { part, current, context } = admitting;
  const { face } = part;
  const settle = (before: ObjectDraft, next: ObjectDraft): ObjectDraft => {
    const object = part.combine(next, current, call);
    // The metadata may be the stored object's.
    const own: ObjectDraft = { ...object, metadata: { ...object.metadata } };
    trackChanged(api, call, before, own);
    return own;
  };
  let { object } = admitting;
  if (face === undefined) {
    object = await review.mutate(object, {
      settle: (changed, form, before) => settle(before, readChanged(call, changed, form, before)),
      rerun: (next) => {
        if (part.admitted) api.admission.mutate(next, context);
      },
    });
  } else {
    await review.mutate(face.of(object), { settle: (changed) => {
      object = settle(object, face.into(changed, object));
      return face.of(object);
    } });
  }
  const decision = decided(api, call, { ...admitting, object });
  await review.validate(face === undefined ? decision.object : face.of(decision.object));
  return decision;
};

/** What follows from the object once everybody has changed what they wanted. */
const decided = (api: Surroundings, call: Call, { part, object, current, context }: Admitting): Decision => {
  if (part.admitted) api.admission.complete(object, context);
  const metadata = { ...object.metadata, resourceVersion: current.metadata.resourceVersion };
  const next: ObjectDraft = shareParts(withEqualParts({ ...object, metadata }, current));
  if (changesWanted(call, next, current as unknown as ObjectDraft)) metadata.generation = (current.metadata.generation ?? 0) + 1;
  if (isUnchanged(next, current)) return { action: 'keep', object: current };
  part.validate(withoutManagers(next), current, call);
  // What metadata mean to the cluster is checked wherever they come in.
  const relabels = !part.admitted && changesMetadata(next, current);
  if (relabels) wholeObject.validate(withoutManagers(next), current, call);
  if (part.admitted || relabels) {
    api.admission.admit(next, context);
    warnOf(call, next, current);
  }
  if (mayGo(next)) {
    api.admission.removed(next, context);
    return { action: 'remove', object: next };
  }
  return { action: 'put', object: next };
};

/** True where nothing would be written but the time at which somebody set what it had set before. */
const isUnchanged = (next: ApiObject, current: ApiObject): boolean => {
  const { managedFields } = current.metadata;
  return deepEqual(sameButTimes(next.metadata.managedFields, managedFields) ? { ...next, metadata: { ...next.metadata, managedFields } } : next, current);
};

/** True for an object that was deleted, has waited its time and that nobody holds any more. */
const mayGo = (object: ApiObject): boolean => {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0 && specFinalizers(object).length === 0;
};

/** Namespaces have finalizers in their spec too, which are taken away through /finalize. */
export const specFinalizers = (object: ApiObject): readonly string[] =>
  object.kind === 'Namespace' && object.apiVersion === 'v1' ? (object as ApiObject & { readonly spec?: { readonly finalizers?: readonly string[] } }).spec?.finalizers ?? [] : [];

/** The body must be about the object of the URL. */
export const assertAddressed = ({ namespace, name }: Pick<Call, 'namespace' | 'name'>, { metadata: said }: ObjectDraft): void => {
  if (said.name !== name) throw badRequest(`the name of the object (${said.name ?? ''}) does not match the name on the URL (${name})`);
  if ((said.namespace ?? '') !== '' && said.namespace !== namespace) throw badRequest(`the namespace of the object (${said.namespace}) does not match the namespace on the URL (${namespace})`);
};

/** Where the body names an identity or a version, they must be those of the stored object. */
export const assertCurrent = ({ kind, name }: Pick<Call, 'kind' | 'name'>, { metadata: said }: ObjectDraft, { metadata }: ApiObject): void => {
  if (said.uid !== undefined && said.uid !== '' && said.uid !== metadata.uid) {
    throw conflict(kind, name, `Precondition failed: UID in precondition: ${said.uid}, UID in object meta: ${metadata.uid}`);
  }
  const revision = revisionOf(said.resourceVersion);
  if (revision !== undefined && revision !== 0 && said.resourceVersion !== metadata.resourceVersion) throw conflict(kind, name);
};

/** The metadata of an update: what the body left out of the server's own members stays, and generation is not the client's. */
const keptMetadata = (draft: ObjectDraft, { metadata: old }: ApiObject): ObjectDraft['metadata'] => {
  const said = draft.metadata;
  const kept: Record<string, unknown> = {};
  for (const member of ['namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields'] as const) {
    if (said[member] === undefined && old[member] !== undefined) kept[member] = old[member];
  }
  const { generation: _generation, resourceVersion: _resourceVersion, selfLink: _selfLink, ...rest } = said;
  return { ...rest, ...kept, ...(old.generation === undefined ? {} : { generation: old.generation }) };
};

/** The 405 for a verb that an address does not know. */
export const notAllowed = (call: Pick<Call, 'kind'>): ApiError =>
  new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource', { kind: qualified(call.kind.plural, call.kind.group) });
