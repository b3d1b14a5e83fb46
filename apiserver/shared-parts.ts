/**
 * Objects that are made from one template are the same but for their metadata: a thousand pods of one Deployment have one
 * spec. So the parts of an object (its top-level members but metadata) are known by their JSON text, which a write needs in
 * any case, and equal parts are one frozen value with one text. That is what makes a write cheap that says nothing new: the
 * part is already frozen, its text is at hand, what was found right about it once need not be looked at again
 * (schemas/check.ts and the rules of pods remember their verdict by the frozen value), and it takes its memory once.
 *
 * Cost: one look-up by text for each part of a write, and at most 4 million characters of text. It replaced a freeze,
 * a stringify and a copy in memory of the whole object for each write.
 */
import { deepEqual, deepFreeze } from '../schemas/frozen.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { fieldsTextOf } from './patch/apply/shared-fields.ts';
import { RecentTexts } from './recent-texts.ts';

/** Longer parts are rarely made twice. */
const maxPartCharacters = 16 * 1024;

const texts = new WeakMap<object, string>();
const known = new RecentTexts<object>({ count: 2_000, characters: 2 * 2 ** 20 });

/** The one frozen value for a part; the part itself (frozen) where there is none yet. */
const shared = (part: object): object => {
  if (texts.has(part)) return part;
  const text = JSON.stringify(part);
  const same = text.length > maxPartCharacters ? undefined : known.get(text);
  if (same !== undefined) return same;
  texts.set(part, text);
  if (text.length <= maxPartCharacters) known.set(text, part);
  return deepFreeze(part);
};

const isPart = (name: string, value: unknown): value is object => name !== 'metadata' && typeof value === 'object' && value !== null;

/** The object with shared, frozen parts; its metadata stays as it is. Parts of the given object are frozen. */
export const shareParts = <T extends ApiObject>(object: T): T => {
  const whole = { ...object } as Record<string, unknown>;
  for (const name in whole) {
    const part = whole[name];
    if (isPart(name, part)) whole[name] = shared(part);
  }
  return whole as T;
};

/** The object with the stored one's parts in place of those that equal them. What else it has stays as it is. */
export const withEqualParts = <T extends ApiObject>(object: T, stored: ApiObject): T => {
  const whole = { ...object } as Record<string, unknown>;
  for (const name in whole) {
    const before = (stored as unknown as Record<string, unknown>)[name];
    if (isPart(name, before) && deepEqual(whole[name], before)) whole[name] = before;
  }
  return whole as T;
};

const metadataText = ({ managedFields, ...metadata }: ApiObject['metadata']): string => {
  const rest = JSON.stringify(metadata);
  if (managedFields === undefined) return rest;
  const entries = managedFields.map(({ fieldsV1, ...entry }) => {
    const text = JSON.stringify(entry);
    return fieldsV1 === undefined ? text : `${text.slice(0, -1)}${text === '{}' ? '' : ','}"fieldsV1":${fieldsTextOf(fieldsV1)}}`;
  });
  return `{"managedFields":[${entries.join(',')}]${rest === '{}' ? '' : ','}${rest.slice(1)}`;
};

/** The JSON of an object as the store keeps it: kind, apiVersion and metadata first. Texts of parts and field sets that are known are not made again. */
export const textOf = (object: ApiObject): string => {
  const { kind, apiVersion, metadata, ...parts } = object;
  let text = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${metadataText(metadata)}`;
  for (const [name, part] of Object.entries<unknown>(parts)) {
    if (part === undefined) continue;
    const ready = typeof part === 'object' && part !== null ? texts.get(part) : undefined;
    text += `,${JSON.stringify(name)}:${ready ?? JSON.stringify(part)}`;
  }
  return `${text}}`;
};
