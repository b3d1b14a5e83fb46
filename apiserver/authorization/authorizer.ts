import type { UserInfo } from '../../schemas/api.ts';
import type { PolicyRule } from '../../schemas/types/rbac.ts';

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
    /** Of a list or a watch, as the request has it. */
    readonly fieldSelector?: string | undefined;
  } | undefined;
  readonly path?: string | undefined;
}

/** The rules that a user goes by somewhere. */
export interface HeldRules {
  readonly rules: readonly PolicyRule[];
  /** False where more may be allowed than rules can say. */
  readonly complete: boolean;
}

export interface Authorizer {
  /** Why not (may be empty), or undefined when it is allowed. */
  authorize(access: AccessRequest): string | undefined;
  /**
   * All that a user holds in a namespace ('': for the cluster's own objects and everywhere alike). Absent where an
   * authorizer does not go by rules: then nothing counts as held.
   */
  rulesFor?(user: UserInfo, namespace: string): HeldRules;
}
