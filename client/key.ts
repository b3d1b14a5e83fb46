import type { ApiObject } from '../schemas/kind.ts';
import type { Key } from './client.ts';

/** The key of an object as it came from the server. */
export const keyOf = (object: ApiObject): Key => ({ namespace: object.metadata.namespace, name: object.metadata.name ?? '' });

/** A key as one string: `default/web`, or `/n1` for kinds of the whole cluster. */
export const keyText = (key: Key): string => `${key.namespace ?? ''}/${key.name}`;

/** The key that keyText wrote; the namespace is absent for kinds of the whole cluster. */
export const parseKeyText = (text: string): Key => {
  const slash = text.indexOf('/');
  return { namespace: slash === 0 ? undefined : text.slice(0, slash), name: text.slice(slash + 1) };
};

/** The revision at which an object or list stands; 0 where it carries none. */
export const revisionOf = (body: { readonly metadata?: { readonly resourceVersion?: string | undefined } | undefined }): number => {
  const revision = Number(body.metadata?.resourceVersion ?? 0);
  return Number.isSafeInteger(revision) ? revision : 0;
};
