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

/** The JSON text of a field set. That of a shared one is not made again. */
export const fieldsTextOf = (fields: unknown): string => texts.get(fields as FieldSet) ?? JSON.stringify(fields);
