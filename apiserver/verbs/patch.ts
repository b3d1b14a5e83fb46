import type { ApiAnswer, PatchType } from '../../schemas/api.ts';
import { badRequest, forbidden, invalid, notFound } from '../../schemas/errors.ts';
import { keyOf } from '../keys.ts';
import { servedForm } from '../served-form.ts';
import { readPatch, unsupportedPatch, type PlainPatch } from '../patch/patch.ts';
import type { JsonObject } from '../patch/json.ts';
import { apply } from './apply.ts';
import { readBody } from './body.ts';
import type { Call, Surroundings } from './call.ts';
import { assertAddressed, updated, type Part } from './update.ts';

/** The patches that are taken, in the order in which a refusal names them. */
export const acceptedPatches: readonly PatchType[] = ['json', 'merge', 'strategic', 'apply'];

/** The type of a patch request. Throws UnsupportedMediaType that names what is accepted. */
export const patchTypeOf = ({ request }: Pick<Call, 'request'>): PatchType => {
  const { patchType } = request;
  if (patchType === undefined) throw badRequest('a patch must say of which type it is');
  if (!acceptedPatches.includes(patchType)) throw unsupportedPatch(patchType, acceptedPatches);
  if (patchType !== 'apply' && request.options?.force !== undefined) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [forbidden('force', 'may not be specified for non-apply patch')]);
  }
  return patchType;
};

/**
 * Patches an object, or the part of it that the request's subresource is about. When somebody else writes in between,
 * the patch is applied again to what stands then; a patch that names a resourceVersion is a conflict instead.
 */
export const patch = async (api: Surroundings, call: Call, part: Part): Promise<ApiAnswer> => {
  const type = patchTypeOf(call);
  return type === 'apply' ? apply(api, call, part) : plainPatch(api, call, part, type);
};

const plainPatch = async (api: Surroundings, call: Call, part: Part, type: PlainPatch): Promise<ApiAnswer> => {
  const read = readPatch(type, call.request.body, (call.served ?? call.kind).schema);
  const written = await api.writer.write(keyOf(call.kind, call.namespace, call.name), (current, attempt) => {
    if (current === undefined) throw notFound(call.kind, call.name);
    const draft = readBody(call, read.apply(servedForm(call.served, current) as unknown as JsonObject));
    assertAddressed(call, draft);
    return updated(api, call, { part, draft, current, attempt });
  }, { dryRun: call.options.dryRun });
  return { code: 200, body: written.object, warnings: [...call.warnings] };
};
