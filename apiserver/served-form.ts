/**
 * Objects that are stored in the form of one kind and served in that of another as well (`Kind.storedAs`): a second version
 * of a resource, or the same resource in another group. A body in the other form is turned into the stored one when it is
 * read, and the answer is turned back when it leaves; everything between knows one form only, so that storage, rules and
 * watches are shared. A stored object is turned once for each form, and kept beside it with its bytes.
 */
import type { ApiAnswer, WatchEvent } from '../schemas/api.ts';
import { deepFreeze } from '../schemas/frozen.ts';
import { apiVersionOf, storageKindOf, type AnyKind, type ApiObject, type Converted, type StoredForm } from '../schemas/kind.ts';
import { applyDefaults } from '../schemas/validate.ts';
import { storedObject } from './encoding.ts';

/** The members in the order in which objects are stored and shown. */
const inForm = (kind: AnyKind, { metadata, ...members }: Converted): ApiObject => {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = members as Readonly<Record<string, unknown>>;
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata, ...rest };
};

/** A private draft in the form of the served kind, as one in the stored form. */
export const toStoredForm = (served: AnyKind, draft: ApiObject): ApiObject => {
  if (served.storedAs === undefined) return draft;
  applyDefaults(served.schema, draft);
  return inForm(storageKindOf(served), served.storedAs.toStored(draft));
};

type Known<T extends object> = WeakMap<AnyKind, WeakMap<T, T>>;
const objects: Known<ApiObject> = new WeakMap();
const events: Known<WatchEvent> = new WeakMap();

const remembered = <T extends object>(known: Known<T>, served: AnyKind, value: T, make: () => T): T => {
  let forms = known.get(served);
  if (forms === undefined) known.set(served, forms = new WeakMap());
  let form = forms.get(value);
  if (form === undefined) forms.set(value, form = make());
  return form;
};

/** A stored object as the served kind shows it; the object itself where that is undefined. Frozen like the stored one. */
export const servedForm = (served: AnyKind | undefined, object: ApiObject): ApiObject => {
  const conversion = served?.storedAs;
  if (conversion === undefined) return object;
  return remembered(objects, served!, object, () => {
    const form = inForm(served!, conversion.fromStored(object));
    const { resourceVersion } = object.metadata;
    // What a dry run would create has no version.
    return resourceVersion === undefined ? deepFreeze(form) : storedObject(form, Number(resourceVersion));
  });
};

/** The event with its object as the served kind shows it; made once for all watchers. */
export const servedEvent = (served: AnyKind, event: WatchEvent): WatchEvent =>
  remembered(events, served, event, () => Object.freeze({ type: event.type, object: servedForm(served, event.object) }));

/** An answer about objects of a kind as the served kind shows them; a Status stays. */
export const servedAnswer = (served: AnyKind, answer: ApiAnswer): ApiAnswer => {
  const { body } = answer;
  if ('items' in body) {
    return { ...answer, body: { ...body, kind: `${served.kind}List`, apiVersion: apiVersionOf(served), items: body.items.map((item) => servedForm(served, item)) } };
  }
  return body.kind === 'Status' ? answer : { ...answer, body: servedForm(served, body as ApiObject) };
};

const formed = new WeakMap<ApiObject, Map<WatchEvent['type'], WatchEvent>>();

/** Events with their objects in the form of a kind; each is made once for all watchers of that form. */
export const formEvents = async (form: StoredForm, batch: readonly WatchEvent[]): Promise<readonly WatchEvent[]> => {
  const objects = await form.read(batch.map(({ object }) => object));
  return batch.map((event, index) => {
    const object = objects[index]!;
    if (object === event.object) return event;
    let known = formed.get(object);
    if (known === undefined) formed.set(object, known = new Map());
    let made = known.get(event.type);
    if (made === undefined) known.set(event.type, made = Object.freeze({ type: event.type, object } as WatchEvent));
    return made;
  });
};
