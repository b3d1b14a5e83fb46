/** The forms in which one resource is served: its versions, and the same objects in another group. */
import { apiVersionOf, storageKindOf, type AnyKind, type ApiObject } from '../../../schemas/kind.ts';
import type { Registry } from '../../../schemas/registry.ts';

/** All kinds whose objects are stored as those of this one, the given one first. */
export const formsOf = (registry: Registry, kind: AnyKind): readonly AnyKind[] => {
  const stored = storageKindOf(kind);
  return [kind, ...registry.all().filter((other) => other !== kind && storageKindOf(other) === stored)];
};

/** An object in its stored form as another form shows it. It may share parts with the object. */
export const inForm = (form: AnyKind, object: ApiObject): ApiObject => {
  if (form.storedAs === undefined) return object;
  const { metadata, ...others } = form.storedAs.fromStored(object);
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = others as Readonly<Record<string, unknown>>;
  return { kind: form.kind, apiVersion: apiVersionOf(form), metadata, ...rest };
};
