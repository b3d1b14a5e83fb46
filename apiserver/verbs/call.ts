import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ApiRequest, RequestOptions, UserInfo } from '../../schemas/api.ts';
import type { AnyKind } from '../../schemas/kind.ts';
import type { Registry } from '../../schemas/registry.ts';
import type { Admission } from '../admission/admission.ts';
import type { DynamicAdmission } from '../admission/dynamic/dynamic-admission.ts';
import type { AccountTokens } from '../authentication/account-tokens.ts';
import type { TokenSource } from '../authentication/tokens.ts';
import type { Annotate } from '../audit/auditor.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { NodeSummaries } from '../metrics/node-summaries.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { ObjectWriter } from './object-writer.ts';

/** A request as the verbs see it: allowed, and about a kind that exists. */
export interface Call {
  readonly request: ApiRequest;
  readonly user: UserInfo;
  /** The kind that is stored, in whose form the rules see every object. */
  readonly kind: AnyKind;
  /** The kind in whose form the client speaks, where that is another one. */
  readonly served?: AnyKind | undefined;
  /** Empty for kinds of the whole cluster, and for lists over all namespaces. */
  readonly namespace: string;
  /** Empty where the request is about a collection. */
  readonly name: string;
  readonly options: RequestOptions;
  /** What the client's user should know; filled in as the verb runs. */
  readonly warnings: Set<string>;
  readonly signal: AbortSignal | undefined;
  /** Adds a fact to the audit log's events of this request: `call.audit?.('example.com/why', 'because')`. Undefined where none are written. */
  readonly audit?: Annotate | undefined;
}

/** What the verbs work with. */
export interface Surroundings {
  readonly cache: WatchCache;
  readonly writer: ObjectWriter;
  readonly admission: Admission;
  /** Webhooks and policies, which are asked after the cluster's own rules. */
  readonly dynamic: DynamicAdmission;
  readonly authorizer: Authorizer;
  /** Knows every bearer token that this server takes. */
  readonly tokens: TokenSource;
  /** Makes tokens of service accounts; undefined where the server has no key to sign them with. */
  readonly accountTokens: AccountTokens | undefined;
  readonly registry: Registry;
  /** What agents say that their nodes use; undefined where this server does not ask them. */
  readonly summaries: NodeSummaries | undefined;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}
