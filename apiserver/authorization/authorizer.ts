import type { UserInfo } from '../../schemas/api.ts';

/** One question: may this user do this to that? Either about a resource or about a path that is none. */
export interface AccessRequest {
  readonly user: UserInfo;
  /** `get`, `list`, `create`, ...; for paths the HTTP method in small letters. */
  readonly verb: string;
  readonly resource?: {
    readonly group: string;
    readonly resource: string;
    readonly subresource?: string | undefined;
    readonly namespace?: string | undefined;
    readonly name?: string | undefined;
  } | undefined;
  readonly path?: string | undefined;
}

export interface Authorizer {
  /** Why not (may be empty), or undefined when it is allowed. */
  authorize(access: AccessRequest): string | undefined;
}
