/**
 * Server-side apply: the client sends what it wants of an object, and owns exactly that. What it wanted before and does
 * not want any more goes, unless somebody else owns it; what somebody else has set otherwise is a conflict.
 */
import type { ApiAnswer } from '../../schemas/api.ts';
import { badRequest, invalid, notFound, required } from '../../schemas/errors.ts';
import { draftOf } from '../../schemas/frozen.ts';
import { decodeFree } from '../../schemas/validate.ts';
import { applyTo, newManagers, type Applying, type Configuration } from '../patch/apply/apply.ts';
import { configurationErrors } from '../patch/apply/configuration-errors.ts';
import { timeOf } from '../patch/apply/managers.ts';
import { shapeOf } from '../patch/apply/shape.ts';
import { isObject } from '../patch/json.ts';
import { readBody, type ObjectDraft } from './body.ts';
import type { Call, Surroundings } from './call.ts';
import { assertNoIdentity, created, requireCreate } from './create.ts';
import { setManagers, writerOf } from './field-tracking.ts';
import { assertAddressed, updated, type Part } from './update.ts';
import { writeObject } from './write-object.ts';

/** Applies the body of a patch request. */
export const apply = (api: Surroundings, call: Call, part: Part): Promise<ApiAnswer> => applyConfiguration(api, call, part, readConfiguration(call));

/** Applies a configuration; an object that does not exist is created. */
export const applyConfiguration = async (api: Surroundings, call: Call, part: Part, configuration: Configuration): Promise<ApiAnswer> => {
  let code = 200;
  const written = await writeObject(api, call, (current, attempt) => {
    code = current === undefined ? 201 : 200;
    if (current === undefined) return created(api, call, { draft: newObject(api, call, configuration), current, attempt, track: (object) => setManagers(object, newManagers(applying(api, call, configuration))) });
    const result = applyTo(current, applying(api, call, configuration));
    const draft = draftOf(result.object) as ObjectDraft;
    assertAddressed(call, draft);
    return updated(api, call, { part, draft, current, attempt, track: (object) => setManagers(object, result.managers) });
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
    throw badRequest(`failed to create typed patch object (${place}; ${served.group}/${served.version}, Kind=${served.kind}): ${text}`);
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
const newObject = (api: Surroundings, call: Call, { object }: Configuration): ObjectDraft => {
  const { kind, namespace, name, request } = call;
  if ((request.subresource ?? '') !== '') throw notFound(kind, name);
  assertNoIdentity(call, object);
  if ((object.metadata.resourceVersion ?? '') !== '') throw notFound(kind, name);
  requireCreate(api, call);
  const draft = draftOf(object) as ObjectDraft;
  assertAddressed({ namespace, name }, draft);
  return draft;
};

const applying = ({ clock }: Surroundings, call: Call, configuration: Configuration): Applying => ({
  kind: call.kind, who: writerOf(call, 'Apply'), configuration, force: call.options.force === true, time: timeOf(clock.now()),
});
