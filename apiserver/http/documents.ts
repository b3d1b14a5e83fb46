import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { AnyKind } from '../../schemas/kind.ts';
import type { Registry } from '../../schemas/registry.ts';
import { replyBytes } from './reply.ts';

/** The bytes of a document and the hash that clients compare. */
export interface Document {
  readonly bytes: Buffer;
  readonly etag: string;
}

export const documentOf = (bytes: Buffer): Document => ({ bytes, etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"` });

/**
 * Documents that follow from the registry alone: each is made when it is first asked for and kept until the kinds
 * change, so that no start pays for one that nobody reads.
 */
export class DocumentCache {
  readonly #registry: Registry;
  #kinds: unknown;
  readonly #documents = new Map<string, Document | undefined>();
  readonly #partial = new Map<string, { readonly kinds: readonly AnyKind[]; readonly document: Document }>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** The same for a document that depends on some kinds only, and stays as long as these do. */
  getOf(key: string, kinds: readonly AnyKind[], make: () => Buffer | undefined): Document | undefined {
    const known = this.#partial.get(key);
    if (known !== undefined && known.kinds.length === kinds.length && known.kinds.every((kind, index) => kind === kinds[index])) return known.document;
    const bytes = make();
    if (bytes === undefined) {
      this.#partial.delete(key);
      return undefined;
    }
    const document = documentOf(bytes);
    this.#partial.set(key, { kinds, document });
    return document;
  }

  /** The document under a key; undefined where `make` gives none. */
  get(key: string, make: () => Buffer | undefined): Document | undefined {
    const kinds = this.#registry.all();
    if (kinds !== this.#kinds) {
      this.#documents.clear();
      this.#kinds = kinds;
    }
    if (this.#documents.has(key)) return this.#documents.get(key);
    const bytes = make();
    const document = bytes === undefined ? undefined : documentOf(bytes);
    // What there is not (a group that somebody asked for) is not remembered: it would grow with every odd request.
    if (document !== undefined) this.#documents.set(key, document);
    return document;
  }
}

/** What a client is told about keeping the document, which it is told again when it has it already. */
const cacheRules = ({ 'Cache-Control': control, Expires: expires }: OutgoingHttpHeaders): OutgoingHttpHeaders =>
  (control === undefined ? {} : { 'Cache-Control': control, Expires: expires });

/** Answers with a document, or 304 when the client has it already. */
export const replyDocument = (request: IncomingMessage, response: ServerResponse, document: Document, headers: OutgoingHttpHeaders): Promise<void> | void => {
  const known = request.headers['if-none-match'];
  if (known !== undefined && known.split(',').some((one) => one.trim().replace(/^W\//, '') === document.etag)) {
    response.writeHead(304, { ETag: document.etag, Vary: 'Accept', ...cacheRules(headers) });
    response.end();
    return;
  }
  return replyBytes(request, response, 200, document.bytes, { ETag: document.etag, Vary: 'Accept', ...headers });
};
