/**
 * Server-side apply: the client sends what it wants of an object, and owns exactly that. What it wanted before and does
 * not want any more goes, unless somebody else owns it; what somebody else has set otherwise is a conflict.
 */
import type { ApiAnswer } from '../../schemas/api.ts';
import { ApiError, badRequest, conflict, invalid, notFound, required } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { apiVersionOf, type ApiObject } from '../../schemas/kind.ts';
import { decodeFree } from '../../schemas/validate.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import { keyOf } from '../keys.ts';
import { noChange } from '../patch/apply/compare.ts';
import { configurationErrors } from '../patch/apply/configuration-errors.ts';
import { conflictError } from '../patch/apply/conflict-error.ts';
import { union } from '../patch/apply/field-set.ts';
import { appliedFields } from '../patch/apply/fields-of.ts';
import { giveUp } from '../patch/apply/give-up.ts';
import { afterTakeover, keptUpAnnotation, kubectlApplier, lastAppliedAnnotation } from '../patch/apply/kubectl-migration.ts';
import { capUpdates, isSame, timeOf, type Manager } from '../patch/apply/managers.ts';
import { merge } from '../patch/apply/merge.ts';
import { afterApply, afterUpdate, allOwned, conflictsOf, lastApplied } from '../patch/apply/ownership.ts';
import { shapeOf } from '../patch/apply/shape.ts';
import { compareStates, emptyObject, ownable } from '../patch/apply/tracked.ts';
import { isObject, type JsonObject } from '../patch/json.ts';
import { readBody, type ObjectDraft } from './body.ts';
import type { Call, Surroundings } from './call.ts';
import { created } from './create.ts';
import { managersOf, setManagers, writerOf, type Tracking } from './field-tracking.ts';
import type { Decision } from './object-writer.ts';
import { assertAddressed, updated, type Part } from './update.ts';

/** Who set the fields of an object that nobody has been known of, up to its first apply. */
const beforeFirstApply = 'before-first-apply';

/** A configuration that may be applied. */
export interface Configuration {
  /** In the stored form of its kind, without defaults. */
  readonly object: ObjectDraft;
  /** As the client sent it. */
  readonly said: JsonObject;
}

/** Applies the body of a patch request. */
export const apply = (api: Surroundings, call: Call, part: Part): Promise<ApiAnswer> => applyConfiguration(api, call, part, readConfiguration(call));

/** Applies a configuration; an object that does not exist is created. */
export const applyConfiguration = async (api: Surroundings, call: Call, part: Part, configuration: Configuration): Promise<ApiAnswer> => {
  let code = 200;
  const written = await api.writer.write(keyOf(call.kind, call.namespace, call.name), (current, attempt) => {
    code = current === undefined ? 201 : 200;
    if (current === undefined) return { action: 'put', object: created(api, call, { draft: newObject(api, call, configuration), current, attempt, track: trackNew(api, call, configuration) }) };
    const result = applied(call, current, configuration, timeOf(api.clock.now()));
    const draft = draftOf(result.object) as ObjectDraft;
    assertAddressed(call, draft);
    return updated(api, call, { part, draft, current, attempt, track: (object) => setManagers(object, result.managers) }) satisfies Decision;
  }, { dryRun: call.options.dryRun });
  return { code, body: written.object, warnings: [...call.warnings] };
};

/** Reads the body. Throws what keeps it from being applied at all, whatever stands there now. */
const readConfiguration = (call: Call): Configuration => {
  assertManager(call);
  const { kind, served = kind, request, namespace, name } = call;
  const said = decodeFree('the configuration', request.body);
  if (!isObject(said)) throw badRequest('the configuration to apply must be an object');
  for (const member of ['apiVersion', 'kind']) {
    if (typeof said[member] !== 'string' || said[member] === '') throw badRequest(`the configuration to apply must say its ${member}: Object '${member === 'kind' ? 'Kind' : member}' is missing`);
  }
  const object = readBody({ ...call, options: { ...call.options, fieldValidation: undefined } }, said);
  if (!Array.isArray(object.metadata.managedFields ?? []) || (object.metadata.managedFields ?? []).length > 0) throw badRequest('metadata.managedFields must be nil');
  const errors = configurationErrors(shapeOf(served.schema), said);
  if (errors.length > 0) {
    const place = namespace === '' ? name : `${namespace}/${name}`;
    const text = errors.length === 1 ? errors[0] : `errors:\n${errors.map((error) => `  ${error}`).join('\n')}`;
    throw new ApiError('InternalError', `failed to create typed patch object (${place}; ${served.group}/${served.version}, Kind=${served.kind}): ${text}`);
  }
  delete object.metadata.managedFields;
  return { object, said };
};

/** Whoever applies must say who it is: a name by chance would own fields for ever. */
export const assertManager = ({ options }: Pick<Call, 'options'>): void => {
  if ((options.fieldManager ?? '') === '') {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [required('fieldManager', 'is required for apply patch')]);
  }
};

/** What is created by an apply. Status and other parts cannot be made without their object, nor an object that is named by its UID. */
const newObject = ({ authorizer }: Surroundings, { kind, user, namespace, name, request }: Call, { object }: Configuration): ObjectDraft => {
  if ((request.subresource ?? '') !== '') throw notFound(kind, name);
  if ((object.metadata.uid ?? '') !== '') throw conflict(kind, name, `uid mismatch: the provided object specified uid ${object.metadata.uid}, and no existing object was found`);
  if ((object.metadata.resourceVersion ?? '') !== '') throw notFound(kind, name);
  requireAccess(authorizer, { user, verb: 'create', resource: { group: request.group, resource: request.resource, subresource: undefined, namespace: namespace || undefined, name } });
  const draft = draftOf(object) as ObjectDraft;
  assertAddressed({ namespace, name }, draft);
  return draft;
};

const trackNew = ({ clock }: Surroundings, call: Call, { object }: Configuration): Tracking => (draft) => {
  const fields = ownable(call.kind, '', appliedFields(shapeOf(call.kind.schema), object));
  setManagers(draft, afterApply([], writerOf(call, 'Apply'), fields, noChange, timeOf(clock.now())));
};

/** The object as it stands after an apply, before defaults, and who owns it then. Throws Conflict. */
const applied = (call: Call, current: ApiObject, { object: configuration, said }: Configuration, time: string): { readonly object: ApiObject; readonly managers: readonly Manager[] } => {
  const { kind, options: { force = false } } = call;
  const shape = shapeOf(kind.schema);
  const who = writerOf(call, 'Apply');
  const managers = knownManagers(call, current, time);
  const fields = ownable(kind, who.subresource, appliedFields(shape, configuration));
  const others = managers.filter((manager) => !isSame(manager, who));

  const merged = merge(shape, current, configuration);
  const object = giveUp(shape, merged, lastApplied(managers, who)?.fields, union(allOwned(others), fields)) as ApiObject;
  const comparison = compareStates(kind, who.subresource, current, object);
  if (!force) {
    const conflicts = conflictsOf(managers, who, comparison);
    const left = who.manager === kubectlApplier ? afterTakeover(kind, current, conflicts) : conflicts;
    if (left.length > 0) throw conflictError(left);
  }
  const after = afterApply(managers, who, fields, comparison, time);
  const upToDate = withAnnotation(object, keptUpAnnotation(who.manager, current, said));
  return { object: upToDate, managers: deepEqual(upToDate, current) && sameOwners(managers, after) ? managersOf(current) : capUpdates(after) };
};

/** The managers of an object; where none are known, all that it has counts as set before. */
const knownManagers = ({ kind }: Call, current: ApiObject, time: string): readonly Manager[] => {
  const known = managersOf(current);
  if (known.length > 0) return known;
  const nobody = { manager: beforeFirstApply, operation: 'Update', apiVersion: apiVersionOf(kind), subresource: '' } as const;
  return afterUpdate([], nobody, compareStates(kind, '', emptyObject(kind), current), time);
};

const sameOwners = (before: readonly Manager[], after: readonly Manager[]): boolean =>
  before.length === after.length && before.every((manager) => after.some((other) => isSame(manager, other) && deepEqual(manager.fields, other.fields)));

/** Most bytes of all annotations of an object; a last configuration that is larger is not kept. */
const maxAnnotationBytes = 256 * 1024;

const withAnnotation = (object: ApiObject, text: string | undefined): ApiObject => {
  if (text === undefined) return object;
  const { [lastAppliedAnnotation]: _, ...others } = object.metadata.annotations ?? {};
  const size = Object.entries(others).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), Buffer.byteLength(text));
  const annotations = size > maxAnnotationBytes ? others : { ...object.metadata.annotations, [lastAppliedAnnotation]: text };
  return { ...object, metadata: { ...object.metadata, annotations } };
};
