/**
 * Objects of a custom kind as one of its versions shows them. What is stored may be of another version, or older than the
 * schema: it is converted, pruned and given its defaults when it is read, as if it had been written today. Each stored
 * object is turned once for each version and remembered beside it, so that watchers share it and its bytes.
 */
import { applyCustomDefaults } from '../../schemas/custom/defaults.ts';
import { pruneCustom } from '../../schemas/custom/decode.ts';
import { deepEqual, deepFreeze } from '../../schemas/frozen.ts';
import { apiVersionOf, type AnyKind, type ApiObject, type StoredForm } from '../../schemas/kind.ts';
import { storedObject } from '../encoding.ts';

/** Turns objects into another version of their kind, in the order in which they come; they keep name, namespace and UID. Rejects with ApiError. */
export interface Conversion {
  convert(objects: readonly ApiObject[], apiVersion: string): readonly ApiObject[] | Promise<readonly ApiObject[]>;
}

/** All versions look the same but for apiVersion. */
export const noConversion: Conversion = {
  convert: (objects, apiVersion) => objects.map((object) => ({ ...object, apiVersion })),
};

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => value instanceof Promise;

/** The object with what the schema of today makes of it; the same one where that is nothing. */
const upToDate = (kind: AnyKind, object: ApiObject): ApiObject => {
  const { kind: name, apiVersion, metadata, ...rest } = object;
  const draft = pruneCustom(kind.schema, rest).value as Readonly<Record<string, unknown>>;
  applyCustomDefaults(kind.schema, draft);
  return deepEqual(draft, rest) ? object : { kind: name, apiVersion, metadata, ...draft };
};

/** How objects of one version of a custom kind come from the store and go there. */
export const storedForm = (kind: AnyKind, { apiVersion: storedAs, conversion }: { readonly apiVersion: string; readonly conversion: Conversion }): StoredForm => {
  const own = apiVersionOf(kind);
  const shown = new WeakMap<ApiObject, ApiObject>();

  const finish = (stored: ApiObject, converted: ApiObject): ApiObject => {
    const form = upToDate(kind, converted);
    const { resourceVersion } = stored.metadata;
    const made = form === stored ? stored : resourceVersion === undefined ? deepFreeze(form) : storedObject(form, Number(resourceVersion));
    shown.set(stored, made);
    return made;
  };

  /** The form where no other version is involved, or where it is known. */
  const known = (stored: ApiObject): ApiObject | undefined => shown.get(stored) ?? (stored.apiVersion === own ? finish(stored, stored) : undefined);

  /** Objects that are being converted: who asks for one of them meanwhile waits for the same answer. */
  const underWay = new WeakMap<ApiObject, Promise<void>>();

  const read = (stored: readonly ApiObject[]): readonly ApiObject[] | Promise<readonly ApiObject[]> => {
    const missing = stored.filter((object) => known(object) === undefined);
    if (missing.length === 0) return stored.map((object) => known(object)!);
    const asked = missing.filter((object) => !underWay.has(object));
    const put = (converted: readonly ApiObject[]): void => {
      for (const [index, object] of asked.entries()) finish(object, converted[index]!);
    };
    const converted = asked.length === 0 ? Promise.resolve([]) : conversion.convert(asked, own);
    if (!isPromise(converted)) {
      put(converted);
      return stored.map((object) => known(object)!);
    }
    const arrival = converted.then(put).finally(() => {
      for (const object of asked) underWay.delete(object);
    });
    const waits = new Set(missing.map((object) => underWay.get(object) ?? arrival));
    for (const object of asked) underWay.set(object, arrival);
    return Promise.all(waits).then(() => stored.map((object) => known(object)!));
  };

  return {
    apiVersion: storedAs,
    isImmediate: conversion === noConversion,
    read,
    readNow: (stored) => {
      const have = known(stored);
      if (have !== undefined || conversion !== noConversion) return have;
      return (read([stored]) as readonly ApiObject[])[0];
    },
    write: (object) => {
      if (storedAs === own) return object;
      const converted = conversion.convert([object], storedAs);
      return isPromise(converted) ? converted.then(([one]) => one!) : converted[0]!;
    },
  };
};
