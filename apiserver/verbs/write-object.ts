import type { ApiObject, StoredForm } from '../../schemas/kind.ts';
import { keyOf } from '../keys.ts';
import type { Call, Surroundings } from './call.ts';
import type { Decide, Decision, WriteOptions, Written } from './object-writer.ts';

/** Decides and writes one object of the call's kind; the decision sees it in the form of that kind, and so does the caller. */
export const writeObject = (api: Surroundings, { kind, namespace, name }: Pick<Call, 'kind' | 'namespace' | 'name'>, decide: Decide, options: WriteOptions): Promise<Written> => {
  const key = keyOf(kind, namespace, name);
  return kind.stored === undefined ? api.writer.write(key, decide, options) : writeInForm(api, { key, form: kind.stored }, decide, options);
};

const writeInForm = async (api: Surroundings, { key, form }: { readonly key: string; readonly form: StoredForm }, decide: Decide, options: WriteOptions): Promise<Written> => {
  const written = await api.writer.write(key, async (stored, attempt): Promise<Decision> => {
    const decision = await decide(stored === undefined ? undefined : await readOne(form, stored), attempt);
    switch (decision.action) {
      case 'remove': return decision;
      case 'put': return { action: 'put', object: await form.write(decision.object) };
      // What stands in an older version is written anew in the one of today, even where nothing else changes.
      case 'keep': return stored === undefined || stored.apiVersion === form.apiVersion ? decision : { action: 'put', object: await form.write(decision.object) };
    }
  }, options);
  return { ...written, object: await readOne(form, written.object) };
};

/** A stored object in a kind's form. */
export const readOne = async (form: StoredForm, stored: ApiObject): Promise<ApiObject> => (await form.read([stored]))[0]!;
