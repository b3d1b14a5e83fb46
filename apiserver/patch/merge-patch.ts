import { isObject, type JsonObject } from './json.ts';

/**
 * JSON merge patch (RFC 7386): members of the patch replace or, with null, remove those of the target; objects merge,
 * everything else is replaced as a whole. The target is left alone; what the patch does not touch is shared with it.
 */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(ownMember(merged, key), value);
  }
  return merged;
};

const ownMember = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);
