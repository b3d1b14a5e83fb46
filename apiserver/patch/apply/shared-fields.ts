/**
 * Objects made from one template have the same field sets, which are larger than many objects. So each distinct set is
 * kept once, frozen, as long as somebody uses it: a thousand pods share one tree.
 */
import { deepFreeze } from '../../../schemas/frozen.ts';
import type { ApiObject } from '../../../schemas/kind.ts';
import type { FieldSet } from './field-set.ts';

/** Sets by their text. A set that nobody uses any more goes, and its text with it. */
const known = new Map<string, WeakRef<FieldSet>>();
const texts = new WeakMap<FieldSet, string>();
const forgotten = new FinalizationRegistry<string>((text) => {
  if (known.get(text)?.deref() === undefined) known.delete(text);
});

/** The one frozen set that equals this one. */
export const shared = (set: FieldSet): FieldSet => {
  if (texts.has(set)) return set;
  const text = JSON.stringify(set);
  const same = known.get(text)?.deref();
  if (same !== undefined) return same;
  const frozen = deepFreeze(set);
  known.set(text, new WeakRef(frozen));
  texts.set(frozen, text);
  forgotten.register(frozen, text);
  return frozen;
};

/** Makes an object that was read from the store share its field sets; it is changed in place. */
export const shareFields = <T extends ApiObject>(object: T): T => {
  for (const entry of object.metadata.managedFields ?? []) {
    if (entry.fieldsV1 !== undefined) (entry as { fieldsV1?: unknown }).fieldsV1 = shared(entry.fieldsV1 as FieldSet);
  }
  return object;
};

const metadataStart = '"metadata":{';

/**
 * The JSON of an object as the store keeps it. The text of field sets is not made again: it is put in where a stringify
 * without them has left them out.
 */
export const textOf = (object: ApiObject): string => {
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields === undefined || managedFields.length === 0) return JSON.stringify(object);
  const entries: string[] = [];
  for (const { fieldsV1, ...entry } of managedFields) {
    const text = texts.get(fieldsV1 as FieldSet);
    if (text === undefined) return JSON.stringify(object);
    entries.push(`${JSON.stringify(entry).slice(0, -1)},"fieldsV1":${text}}`);
  }
  const rest = JSON.stringify({ ...object, metadata });
  const at = rest.indexOf(metadataStart) + metadataStart.length;
  return `${rest.slice(0, at)}"managedFields":[${entries.join(',')}]${rest[at] === '}' ? '' : ','}${rest.slice(at)}`;
};
