import { rfc3339 } from '../../base/clock.ts';
import type { ApiAnswer } from '../../schemas/api.ts';
import { alreadyExists, ApiError, badRequest, conflict, isReason } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { validate } from '../../schemas/validate.ts';
import type { AdmissionContext } from '../admission/admission.ts';
import type { Review } from '../admission/dynamic/review.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import { shareParts } from '../shared-parts.ts';
import { assertValid, complete, hasGeneration, readBody, warnOf, type ObjectDraft } from './body.ts';
import type { Call, Surroundings } from './call.ts';
import { trackCast, trackCreate, withoutManagers, type Tracking } from './field-tracking.ts';
import { generatedName, newUid } from './identity.ts';
import { cast, keepMould, mouldAt, mouldKeyOf, type Mould } from './moulds.ts';
import type { Attempt, Decision } from './object-writer.ts';
import { readChanged, trackChanged } from './reviewed.ts';
import { writeObject } from './write-object.ts';

/** Names tried for a generateName, as in Kubernetes. */
const maxGeneratedNames = 8;

/** Creates an object and answers it as it stands then. */
export const create = async (api: Surroundings, call: Call): Promise<ApiAnswer> => {
  const { kind, options, request } = call;
  const mouldKey = mouldKeyOf(call);
  const mould = mouldKey === undefined ? undefined : mouldAt(mouldKey);
  let first: ObjectDraft | undefined = mould === undefined ? read(call) : cast(mould, request.body);
  const { name: given = '', generateName = '' } = first.metadata;
  if (call.name !== '' && given !== call.name) throw badRequest(`the name of the object (${given}) does not match the name on the request (${call.name})`);
  const generated = given === '' && generateName !== '';

  for (let tries = 1; ; tries++) {
    const name = generated ? generatedName(generateName, api.random) : given;
    try {
      const written = await writeObject(api, { kind, namespace: call.namespace, name }, (current, attempt) => {
        // Each try fills in a draft of its own: what the last one was given (an address, say) must not look asked for.
        const draft = first ?? (mould === undefined ? readBody(call, request.body) : cast(mould, request.body));
        first = undefined;
        draft.metadata.name = name;
        return created(api, call, { draft, current, attempt, mould, mouldKey });
      }, { dryRun: options.dryRun, fresh: true });
      return { code: 201, body: written.object, warnings: [...call.warnings] };
    } catch (error) {
      if (!generated || !isReason(error, 'AlreadyExists') || tries === maxGeneratedNames) throw error;
    }
  }
};

const read = (call: Call): ObjectDraft => {
  const { kind, namespace, request } = call;
  const draft = readBody(call, request.body);
  if (kind.scope === 'Namespaced' && namespace === '') throw badRequest('an empty namespace may not be set during creation');
  const said = draft.metadata.namespace ?? '';
  if (kind.scope === 'Namespaced' && said !== '' && said !== namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request: ${JSON.stringify(said)} is not ${JSON.stringify(namespace)}`);
  }
  if ((draft.metadata.resourceVersion ?? '') !== '') throw badRequest('resourceVersion should not be set on objects to be created');
  return draft;
};

export interface Creation {
  readonly draft: ObjectDraft;
  readonly current: ApiObject | undefined;
  readonly attempt: Attempt;
  /** Says who owns the new object's fields; its creator where absent. */
  readonly track?: Tracking | undefined;
  /** The mould that the draft was cast from. */
  readonly mould?: Mould | undefined;
  /** Where a mould of the draft is to be kept, if it was not cast. */
  readonly mouldKey?: string | undefined;
}

/** A write that creates what it did not find was not about an object that somebody has seen. */
export const assertNoIdentity = ({ kind, name }: Pick<Call, 'kind' | 'name'>, { metadata: { uid = '' } }: { readonly metadata: ApiObject['metadata'] }): void => {
  if (uid !== '') throw conflict(kind, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
};

/** Whoever creates an object by another verb must be allowed to create it, too. */
export const requireCreate = ({ authorizer }: Pick<Surroundings, 'authorizer'>, { user, namespace, name, request: { group, resource } }: Call): void =>
  requireAccess(authorizer, { user, verb: 'create', resource: { group, resource, subresource: undefined, namespace: namespace || undefined, name } });

/** Decides to store the draft. Throws AlreadyExists when there is one, and what the rules have against it. */
export const created = (api: Surroundings, call: Call, { draft, current, attempt, mould, mouldKey, track }: Creation): Decision | Promise<Decision> => {
  const { kind, namespace, user, warnings } = call;
  const name = draft.metadata.name ?? '';
  const context = { kind, user, namespace, name, subresource: '', old: undefined, warnings, audit: call.audit, attempt };
  if (current !== undefined) {
    throw current.metadata.deletionTimestamp === undefined ? alreadyExists(kind, name)
      : new ApiError('AlreadyExists', `object is being deleted: ${alreadyExists(kind, name).message}`, alreadyExists(kind, name).details);
  }
  draft.metadata = newMetadata(api, call, draft.metadata);
  if (mould === undefined) {
    complete(kind, draft);
    (track ?? trackCreate(call, api.clock.now()))(draft);
    if (mouldKey !== undefined && call.warnings.size === 0) keepMould(mouldKey, draft);
  } else {
    trackCast(call, mould.fields, api.clock.now())(draft);
  }
  kind.generate?.(draft);
  api.admission.mutate(draft, context);
  const review = api.dynamic.isIdle ? undefined : api.dynamic.review(call, { operation: 'CREATE', name, object: draft, old: undefined });
  return review === undefined ? { action: 'put', object: finished(api, call, draft, context) } : reviewed(api, call, { review, draft, context });
};

const reviewed = async (api: Surroundings, call: Call, { review, draft, context }: { readonly review: Review; readonly draft: ObjectDraft; readonly context: AdmissionContext }): Promise<Decision> => {
  const mutated = await review.mutate(draft, {
    settle: (changed, form, before) => {
      const next = readChanged(call, changed, form, before);
      complete(call.kind, next);
      trackChanged(api, call, before, next);
      return next;
    },
    rerun: (next) => api.admission.mutate(next, context),
  });
  const object = finished(api, call, mutated, context);
  await review.validate(object);
  return { action: 'put', object };
};

/** The draft as it is stored, once everybody has changed what they wanted. */
const finished = (api: Surroundings, call: Call, draft: ObjectDraft, context: AdmissionContext): ApiObject => {
  const { kind, name } = context;
  if (kind.subresources.status === true) {
    const status = kind.initialStatus?.(draft);
    if (status === undefined) delete draft['status'];
    else draft['status'] = status;
  }
  api.admission.complete(draft, context);
  const object: ApiObject = shareParts(draft);
  assertValid(kind, name, validate(kind, withoutManagers(object)));
  api.admission.admit(object, context);
  warnOf(call, object, undefined);
  return object;
};

const newMetadata = ({ clock, random }: Surroundings, { kind, namespace }: Call, said: ObjectDraft['metadata']): ObjectDraft['metadata'] => {
  const {
    name, generateName, uid: _uid, resourceVersion: _resourceVersion, generation: _generation, creationTimestamp: _creationTimestamp, namespace: _namespace, selfLink: _selfLink,
    deletionTimestamp: _deletionTimestamp, deletionGracePeriodSeconds: _deletionGracePeriodSeconds, ...rest
  } = said;
  return {
    name, ...(generateName === undefined ? {} : { generateName }), ...(namespace === '' ? {} : { namespace }),
    uid: newUid(random), ...(hasGeneration(kind) ? { generation: 1 } : {}), creationTimestamp: rfc3339(clock.now()), ...rest,
  };
};
