/** The forms in which one resource is served: its versions, and the same objects in another group. */
import { draftOf } from '../../../schemas/frozen.ts';
import { apiVersionOf, storageKindOf, type AnyKind, type ApiObject } from '../../../schemas/kind.ts';
import type { Registry } from '../../../schemas/registry.ts';

const isVersionOf = (kind: AnyKind, other: AnyKind): boolean =>
  storageKindOf(other) === storageKindOf(kind) || (kind.stored !== undefined && other.stored !== undefined && other.group === kind.group && other.plural === kind.plural);

/** All kinds whose objects are stored as those of this one, the given one first. */
export const formsOf = (registry: Registry, kind: AnyKind): readonly AnyKind[] => [kind, ...registry.all().filter((other) => other !== kind && isVersionOf(kind, other))];

/** An object in its stored form as another form shows it. It may share parts with the object. */
export const inForm = (form: AnyKind, object: ApiObject): ApiObject => {
  if (form.storedAs === undefined) return object;
  const { metadata, ...others } = form.storedAs.fromStored(object);
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = others as Readonly<Record<string, unknown>>;
  return { kind: form.kind, apiVersion: apiVersionOf(form), metadata, ...rest };
};

/** True where two kinds of a definition are converted by what it says, which may be a webhook. */
const isConverted = (from: AnyKind, to: AnyKind): boolean => from !== to && from.stored !== undefined && to.stored !== undefined;

/** An object of the rules' kind in the form that one of those who are asked wants. */
export const shownIn = (form: AnyKind, kind: AnyKind, object: ApiObject): ApiObject | Promise<ApiObject> => (isConverted(kind, form) ? converted(kind, form, object) : inForm(form, object));

/** What came back in a form: as it is where it can be read from there, else an object of the rules' kind, and of which kind it is then. */
export const takenFrom = async (form: AnyKind, kind: AnyKind, changed: unknown): Promise<{ readonly changed: unknown; readonly form: AnyKind }> =>
  (isConverted(form, kind) ? { changed: await converted(form, kind, changed as ApiObject), form: kind } : { changed, form });

const converted = async (from: AnyKind, to: AnyKind, object: ApiObject): Promise<ApiObject> => {
  // Whoever converts may freeze what it is given.
  const stored = await from.stored!.write(draftOf(object) as ApiObject);
  return (await to.stored!.read([stored]))[0]!;
};
