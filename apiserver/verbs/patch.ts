import type { ApiAnswer, PatchType } from '../../schemas/api.ts';
import { badRequest, forbidden, invalid, notFound } from '../../schemas/errors.ts';
import { servedForm } from '../served-form.ts';
import { readPatch, unsupportedPatch, type PlainPatch } from '../patch/patch.ts';
import type { JsonObject } from '../patch/json.ts';
import { apply } from './apply.ts';
import { readBody } from './body.ts';
import type { Call, Surroundings } from './call.ts';
import { assertAddressed, updated, type Part } from './update.ts';
import { writeObject } from './write-object.ts';

/** The patches that are taken, in the order in which a refusal names them. */
export const acceptedPatches: readonly PatchType[] = ['json', 'merge', 'strategic', 'apply'];

const acceptedForCustom: readonly PatchType[] = ['json', 'merge', 'apply'];

/** The type of a patch request. Throws UnsupportedMediaType that names what is accepted. */
export const patchTypeOf = ({ request, kind }: Pick<Call, 'request' | 'kind'>): PatchType => {
  const { patchType } = request;
  if (patchType === undefined) throw badRequest('a patch must say of which type it is');
  // The schema of a custom kind has no words for a strategic merge.
  const accepted = kind.custom === undefined ? acceptedPatches : acceptedForCustom;
  if (!accepted.includes(patchType)) throw unsupportedPatch(patchType, accepted);
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
  const written = await writeObject(api, call, (current, attempt) => {
    if (current === undefined) throw notFound(call.kind, call.name);
    const draft = readBody(call, read.apply(servedForm(call.served, current) as unknown as JsonObject));
    assertAddressed(call, draft);
    return updated(api, call, { part, draft, current, attempt });
  }, { dryRun: call.options.dryRun });
  return { code: 200, body: written.object, warnings: [...call.warnings] };
};
