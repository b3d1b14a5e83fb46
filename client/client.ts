import type { ApiAnswer, ApiList, ApiRequest, PatchType, PropagationPolicy, RequestOptions, Transport, WatchEvent } from '../schemas/api.ts';
import { isReason } from '../schemas/errors.ts';
import { deepEqual, draftOf, type Draft } from '../schemas/frozen.ts';
import { apiVersionOf, type ApiObject, type Kind } from '../schemas/kind.ts';

export interface Key {
  /** Empty or absent for kinds of the whole cluster. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** What a new object needs; the server fills in the rest. */
export type NewObject<T extends ApiObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata'> & {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: T['metadata'];
};

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: PropagationPolicy | undefined;
  readonly preconditions?: RequestOptions['preconditions'];
}

/** Reads and writes the objects of one kind. Everything rejects with ApiError; objects that come out are frozen. */
export interface ResourceClient<T extends ApiObject> {
  get(key: Key): Promise<T>;
  /** The object, or undefined when there is none. */
  find(key: Key): Promise<T | undefined>;
  list(options?: RequestOptions & { readonly namespace?: string | undefined }): Promise<ApiList<T>>;
  watch(options: RequestOptions & { readonly namespace?: string | undefined }, signal: AbortSignal): AsyncIterable<readonly WatchEvent<T>[]>;
  create(object: NewObject<T>): Promise<T>;
  update(object: T): Promise<T>;
  updateStatus(object: T): Promise<T>;
  patch(key: Key, type: PatchType, patch: unknown, options?: { readonly subresource?: string; readonly fieldManager?: string; readonly force?: boolean }): Promise<T>;
  delete(key: Key, options?: DeleteOptions): Promise<void>;
  deleteCollection(options?: RequestOptions & { readonly namespace?: string | undefined }): Promise<void>;
  /**
   * Reads, changes a private draft and writes it, again from the start on a conflict (at most 10 times). A draft that
   * ends up equal is not written. `hint` is used instead of the first read when the caller has the object in a cache.
   */
  modify(key: Key, change: (draft: Draft<T>) => void, options?: { readonly hint?: T | undefined }): Promise<T>;
  /** The same through /status. */
  modifyStatus(key: Key, change: (draft: Draft<T>) => void, options?: { readonly hint?: T | undefined }): Promise<T>;
  /** Creates something at a subresource: a Binding, an Eviction. */
  createSub(key: Key, subresource: string, body: unknown): Promise<ApiAnswer>;
}

/** Client gives a typed client for each kind: `client.of(Pod).get({namespace, name})`. */
export interface Client {
  readonly transport: Transport;
  of<T extends ApiObject>(kind: Kind<T>): ResourceClient<T>;
}

const attempts = 10;

class KindClient<T extends ApiObject> implements ResourceClient<T> {
  readonly #transport: Transport;
  readonly #kind: Kind<T>;

  constructor(transport: Transport, kind: Kind<T>) {
    this.#transport = transport;
    this.#kind = kind;
  }

  async get(key: Key): Promise<T> {
    return this.#object(await this.#transport.send({ ...this.#at(key), verb: 'get' }));
  }

  async find(key: Key): Promise<T | undefined> {
    try {
      return await this.get(key);
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async list({ namespace, ...options }: RequestOptions & { readonly namespace?: string | undefined } = {}): Promise<ApiList<T>> {
    const answer = await this.#transport.send({ ...this.#at({ namespace }), verb: 'list', options });
    return answer.body as ApiList<T>;
  }

  watch({ namespace, ...options }: RequestOptions & { readonly namespace?: string | undefined }, signal: AbortSignal): AsyncIterable<readonly WatchEvent<T>[]> {
    return this.#transport.watch({ ...this.#at({ namespace }), verb: 'watch', options }, signal) as AsyncIterable<readonly WatchEvent<T>[]>;
  }

  async create(object: NewObject<T>): Promise<T> {
    const body = { ...object, kind: this.#kind.kind, apiVersion: apiVersionOf(this.#kind) };
    return this.#object(await this.#transport.send({ ...this.#at({ namespace: object.metadata.namespace }), verb: 'create', body }));
  }

  async update(object: T): Promise<T> {
    return this.#write(object);
  }

  async updateStatus(object: T): Promise<T> {
    return this.#write(object, 'status');
  }

  async patch(key: Key, type: PatchType, patch: unknown, options: { readonly subresource?: string; readonly fieldManager?: string; readonly force?: boolean } = {}): Promise<T> {
    const { subresource, ...rest } = options;
    return this.#object(await this.#transport.send({ ...this.#at(key), subresource, verb: 'patch', patchType: type, body: patch, options: rest }));
  }

  async delete(key: Key, options: DeleteOptions = {}): Promise<void> {
    await this.#transport.send({ ...this.#at(key), verb: 'delete', options });
  }

  async deleteCollection({ namespace, ...options }: RequestOptions & { readonly namespace?: string | undefined } = {}): Promise<void> {
    await this.#transport.send({ ...this.#at({ namespace }), verb: 'deletecollection', options });
  }

  modify(key: Key, change: (draft: Draft<T>) => void, options: { readonly hint?: T | undefined } = {}): Promise<T> {
    return this.#modify(key, change, options.hint);
  }

  modifyStatus(key: Key, change: (draft: Draft<T>) => void, options: { readonly hint?: T | undefined } = {}): Promise<T> {
    return this.#modify(key, change, options.hint, 'status');
  }

  createSub(key: Key, subresource: string, body: unknown): Promise<ApiAnswer> {
    return this.#transport.send({ ...this.#at(key), subresource, verb: 'create', body });
  }

  #at(key: { readonly namespace?: string | undefined; readonly name?: string }): Omit<ApiRequest, 'verb'> {
    return { group: this.#kind.group, version: this.#kind.version, resource: this.#kind.plural, namespace: key.namespace || undefined, name: key.name };
  }

  #object(answer: ApiAnswer): T {
    return answer.body as T;
  }

  async #write(object: T, subresource?: string): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.#object(await this.#transport.send({ ...this.#at({ namespace, name: name ?? '' }), subresource, verb: 'update', body: object }));
  }

  async #modify(key: Key, change: (draft: Draft<T>) => void, hint: T | undefined, subresource?: string): Promise<T> {
    let current = hint ?? await this.get(key);
    for (let attempt = 1; ; attempt++) {
      const draft = draftOf(current);
      change(draft);
      if (deepEqual(draft, current)) return current;
      try {
        return await this.#write(draft as T, subresource);
      } catch (error) {
        if (!isReason(error, 'Conflict') || attempt === attempts) throw error;
        current = await this.get(key);
      }
    }
  }
}

export const createClient = (transport: Transport): Client => {
  const clients = new Map<unknown, unknown>();
  return {
    transport,
    of: <T extends ApiObject>(kind: Kind<T>): ResourceClient<T> => {
      let client = clients.get(kind) as ResourceClient<T> | undefined;
      if (client === undefined) clients.set(kind, client = new KindClient(transport, kind));
      return client;
    },
  };
};
