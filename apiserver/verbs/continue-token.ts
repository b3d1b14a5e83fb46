import { ApiError, badRequest } from '../../schemas/errors.ts';

/** Where the next page of a list starts. Clients see it as an opaque text. */
export interface ContinueToken {
  /** The revision of the first page; undefined goes on with the newest state, where the old one is not kept any more. */
  readonly revision: number | undefined;
  /** The key of the last object of the page before, without the collection's prefix. */
  readonly after: string;
}

const maxLength = 2_048;

export const writeToken = ({ revision, after }: ContinueToken): string =>
  Buffer.from(JSON.stringify({ v: 1, rv: revision ?? -1, after })).toString('base64url');

/** Throws BadRequest for a text that no server gave out. */
export const readToken = (text: string): ContinueToken => {
  const wrong = (): ApiError => badRequest('continue key is not valid: it must be the metadata.continue of the page before');
  if (text.length > maxLength) throw wrong();
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    throw wrong();
  }
  const { v, rv, after } = (value ?? {}) as { readonly v?: unknown; readonly rv?: unknown; readonly after?: unknown };
  if (v !== 1 || typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < -1 || rv === 0 || typeof after !== 'string') throw wrong();
  return { revision: rv === -1 ? undefined : rv, after };
};

/** The 410 for a page whose list is not kept any more, with a token that goes on in the newest state. */
export const expiredToken = (token: ContinueToken): ApiError => new ApiError('Expired',
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  undefined, { continueToken: writeToken({ revision: undefined, after: token.after }) });
