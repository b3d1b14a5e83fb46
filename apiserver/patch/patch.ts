/**
 * A patch is applied to the stored object as data; what comes out is then treated as the body of an update, so that
 * no rule has to know about patches.
 */
import type { PatchType } from '../../schemas/api.ts';
import { decodeFree } from '../../schemas/decode.ts';
import { ApiError, badRequest } from '../../schemas/errors.ts';
import type { JsonSchema } from '../../schemas/schema.ts';
import { applyJsonPatch, readJsonPatch } from './json-patch.ts';
import { isObject, type JsonObject } from './json.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicMerge } from './strategic-merge.ts';

/** The media types of a patch, as clients name them in Content-Type. */
export const patchMediaTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const satisfies Record<PatchType, string>;

/** Patches that say how to change an object. The other type, apply, says what it should be (see verbs/apply.ts). */
export type PlainPatch = Exclude<PatchType, 'apply'>;

/** A patch that was read once and can be applied as often as a write has to be tried. */
export interface ReadPatch {
  /** The patched object; the target is left alone and may share parts with the result. Throws ApiError. */
  apply(target: JsonObject): JsonObject;
}

/** The 415 for a kind of patch that is not taken here. */
export const unsupportedPatch = (type: PatchType, accepted: readonly PatchType[]): ApiError =>
  new ApiError('UnsupportedMediaType',
    `the body of the request was in an unknown format (${patchMediaTypes[type]}) - accepted media types include: ${accepted.map((one) => patchMediaTypes[one]).join(', ')}`);

const objectOnly = (what: string, body: unknown): JsonObject => {
  if (!isObject(body)) throw badRequest(`${what} must be a JSON object`);
  return body;
};

/**
 * Reads a patch: throws BadRequest when it is none of its type. The schema drives a strategic merge; the other types
 * do not look at it.
 */
export const readPatch = (type: PlainPatch, body: unknown, schema: JsonSchema): ReadPatch => {
  const free = decodeFree('the patch', body);
  switch (type) {
    case 'json': {
      const operations = readJsonPatch(free);
      return { apply: (target) => objectOnly('the result of the patch', applyJsonPatch(target, operations)) };
    }
    case 'merge': {
      const patch = objectOnly('a merge patch', free);
      return { apply: (target) => mergePatch(target, patch) as JsonObject };
    }
    case 'strategic': {
      const patch = objectOnly('a strategic merge patch', free);
      return { apply: (target) => strategicMerge(schema, target, patch) };
    }
  }
};
