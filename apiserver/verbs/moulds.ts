/**
 * Controllers make objects of one template by the dozen: bodies that differ in their name only. What decoding and defaults
 * make of such a body, and whose fields are whose, is the same each time, so it is kept as a mould under the body's text
 * without the name, and the next object is cast from it: a stringify, a look-up and a parse, all of them native, in place of
 * three walks over the schema. Admission, checks and everything that depends on the state of the cluster come after.
 *
 * It holds for kinds that say so (`Kind.moulded`), and only for bodies that were taken without a warning.
 */
import type { ApiObject } from '../../schemas/kind.ts';
import type { FieldSet } from '../patch/apply/field-set.ts';
import { isObject } from '../patch/json.ts';
import { RecentTexts } from '../recent-texts.ts';
import type { ObjectDraft } from './body.ts';
import type { Call } from './call.ts';

export interface Mould {
  /** JSON of the draft with all its defaults. */
  readonly text: string;
  /** What the creator of such an object owns; shared and frozen. */
  readonly fields: FieldSet;
}

/** Bodies beyond this are not made by the dozen. */
const maxCharacters = 16 * 1024;

const moulds = new RecentTexts<Mould>({ count: 500, characters: 2 ** 20 });

/** Where the mould of a create's body is kept; undefined where there can be none. */
export const mouldKeyOf = ({ kind, served, namespace, options, request: { body } }: Call): string | undefined => {
  if (kind.moulded !== true || served !== undefined || !isObject(body) || !isObject(body['metadata'])) return undefined;
  const { name, managedFields, ...metadata } = body['metadata'];
  if ((name !== undefined && typeof name !== 'string') || managedFields !== undefined) return undefined;
  const text = JSON.stringify({ ...body, metadata });
  return text.length > maxCharacters ? undefined : `${kind.group}/${kind.plural}/${namespace} ${options.fieldValidation ?? ''} ${text}`;
};

export const mouldAt = (key: string): Mould | undefined => moulds.get(key);

/** A new draft out of the mould of a body. */
export const cast = ({ text }: Mould, body: unknown): ObjectDraft => {
  const draft = JSON.parse(text) as ObjectDraft;
  const { name } = (body as ApiObject).metadata;
  if (name !== undefined) draft.metadata.name = name;
  return draft;
};

/** Keeps what became of a body: the draft after defaults, with its managers. */
export const keepMould = (key: string, draft: ObjectDraft): void => {
  const { name: _name, managedFields = [], ...metadata } = draft.metadata;
  const [entry] = managedFields;
  if (managedFields.length !== 1 || entry?.fieldsV1 === undefined) return;
  moulds.set(key, { text: JSON.stringify({ ...draft, metadata }), fields: entry.fieldsV1 as FieldSet });
};
