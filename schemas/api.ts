/**
 * The wire contract that server and clients share. A request is data: HTTP, WebSocket and in-process callers all make
 * the same ApiRequest, and the same rules answer it.
 */
import type { Status } from './errors.ts';
import type { ApiObject } from './kind.ts';

/** Who asks. Groups decide more than names: `system:masters` may do everything. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export type PropagationPolicy = 'Background' | 'Foreground' | 'Orphan';

/** Which of the query parameters and delete options of the Kubernetes API a request carries. Absent means not given. */
export interface RequestOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  /** True for `dryRun=All`: every rule runs, nothing is stored. */
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: FieldValidation | undefined;
  readonly force?: boolean | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: PropagationPolicy | undefined;
  readonly preconditions?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined;
}

/** Where a request goes: a collection, an object, or one of its subresources. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  /** Plural name: `pods`. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

export interface ApiRequest extends ResourcePath {
  readonly verb: Verb;
  /** A JSON value: the object of a create or update, the patch of a patch. Never mutated by the server. */
  readonly body?: unknown;
  readonly patchType?: PatchType | undefined;
  readonly options?: RequestOptions | undefined;
}

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

export interface ApiList<T extends ApiObject = ApiObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ListMeta;
  readonly items: readonly T[];
}

/** What a request that succeeded gives back. */
export interface ApiAnswer {
  /** 200, or 201 when something was created. */
  readonly code: number;
  readonly body: ApiObject | ApiList | Status;
  /** For the client's user, as Warning headers. */
  readonly warnings: readonly string[];
}

export type WatchEvent<T extends ApiObject = ApiObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: ApiObject };

/**
 * Transport carries requests to the API's rules, in this process or over a network.
 *
 * `send` rejects with ApiError. `watch` yields batches of events in order; it ends when the server ends the stream
 * (timeout, shutdown), throws ApiError Expired when it cannot go on from where it was, and returns when the signal aborts.
 * Objects that come out are frozen and may be shared.
 */
export interface Transport {
  send(request: ApiRequest, signal?: AbortSignal): Promise<ApiAnswer>;
  watch(request: ApiRequest, signal: AbortSignal): AsyncIterable<readonly WatchEvent[]>;
}
