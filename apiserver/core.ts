/**
 * The rules of the API as one function over data: a request and who asks go in, an answer or an ApiError comes out.
 * HTTP and WebSockets are rims around it that know no rule; components in the same process call it as a Transport, under
 * the same authorization as anybody.
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ApiAnswer, ApiRequest, Transport, UserInfo, WatchEvent } from '../schemas/api.ts';
import { ApiError } from '../schemas/errors.ts';
import { GrowingRegistry, type Registry } from '../schemas/registry.ts';
import { apiServerUser } from './api-server-user.ts';
import { createAdmission } from './admission/admission.ts';
import { createDynamicAdmission } from './admission/dynamic/dynamic-admission.ts';
import { admissionPlugins } from './admission/plugins.ts';
import type { NodePatience } from './admission/pod-defaults.ts';
import { AccountTokens, type AccountTokenOptions } from './authentication/account-tokens.ts';
import { bootstrapTokens } from './authentication/bootstrap-tokens.ts';
import { anyTokens, type TokenSource } from './authentication/tokens.ts';
import { auditedTransport } from './audit/audited-transport.ts';
import type { Annotate, Auditor } from './audit/auditor.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import { QuotaLedger } from './quota/quota-ledger.ts';
import { DefinitionController } from './custom/definition-controller.ts';
import { followDefinitions } from './custom/definitions.ts';
import { NodeSummaries, type AgentReader } from './metrics/node-summaries.ts';
import { StorageUnavailable, TransactionTooLarge, type Storage } from './storage/storage.ts';
import { storageError } from './storage-error.ts';
import { nodeTarget, type ConnectRequest, type NodeTarget } from './subresources/connect.ts';
import { proxyTarget, type ProxyRequest, type ProxyTarget } from './subresources/proxy.ts';
import { permitProxy, permitStream } from './subresources/connect-review.ts';
import type { Surroundings } from './verbs/call.ts';
import { dispatch } from './verbs/dispatch.ts';
import { ObjectWriter } from './verbs/object-writer.ts';
import { callFor } from './verbs/resolve.ts';
import { catchUp } from './verbs/resource-version.ts';
import { watch } from './verbs/watch.ts';
import { WatchCache } from './watch/watch-cache.ts';
import { createWebhookClient, type WebhookClient } from './webhooks/webhook-client.ts';

export type { ConnectRequest, NodeTarget } from './subresources/connect.ts';
export type { ProxiedResource, ProxyRequest, ProxyTarget } from './subresources/proxy.ts';

export interface CoreOptions {
  /** The core reads and writes it but does not close it. */
  readonly storage: Storage;
  /** The kinds that are always there; definitions in the store add others (see `Core.registry`). */
  readonly registry: Registry;
  readonly clock: Clock;
  /** Uniform in [0, 1), as Math.random; names and UIDs are made from it. */
  readonly random: () => number;
  readonly log: Log;
  /** Decides what callers may do, or makes who decides that from the state of the cluster (createClusterAuthorizer). */
  readonly authorizer: Authorizer | ((state: WatchCache) => Authorizer);
  /** With which tokens of service accounts are made; without it there are none, and pods get none. */
  readonly accountTokens?: AccountTokenOptions | undefined;
  /** How long new pods stay on nodes in trouble, where they do not say. */
  readonly nodePatience?: NodePatience | undefined;
  /** IPv4 range of cluster IPs, such as `10.96.0.0/16`. */
  readonly serviceCidr: string;
  /** Both ends belong to the range. */
  readonly nodePortRange: { readonly from: number; readonly to: number };
  /** Reads from node agents, for metrics.k8s.io; without it those figures cannot be had. */
  readonly agents?: AgentReader | undefined;
  /** Writes down what components in this process do; nothing is written where absent. Rims write for their own clients. */
  readonly auditor?: Auditor | undefined;
  /** Changes that the cache remembers for each kind. */
  readonly historyLimit?: number | undefined;
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Takes facts for the audit log. */
  readonly audit?: Annotate | undefined;
}

const noOptions: SendOptions = Object.freeze({});

export class Core {
  readonly #api: Surroundings;
  readonly #auditor: Auditor | undefined;
  readonly #webhooks: WebhookClient;
  readonly #closing = new AbortController();
  #following: Promise<void> = Promise.resolve();

  private constructor(api: Surroundings, { webhooks, auditor }: { readonly webhooks: WebhookClient; readonly auditor: Auditor | undefined }) {
    this.#api = api;
    this.#webhooks = webhooks;
    this.#auditor = auditor;
  }

  /** Loads the state of the store and is ready then. */
  static async open({ storage, historyLimit, ...options }: CoreOptions): Promise<Core> {
    const { clock, random, log } = options;
    const registry = new GrowingRegistry(options.registry);
    const cache = await WatchCache.open({ storage, registry, clock, log, historyLimit });
    const authorizer = typeof options.authorizer === 'function' ? options.authorizer(cache) : options.authorizer;
    const accountTokens = options.accountTokens === undefined ? undefined : new AccountTokens(options.accountTokens, cache, clock);
    const tokens = anyTokens([...(accountTokens === undefined ? [] : [accountTokens]), bootstrapTokens(cache, clock)]);
    const admission = createAdmission(admissionPlugins({ ...options, registry, cache, authorizer, accountTokens }));
    const summaries = options.agents === undefined ? undefined : new NodeSummaries({ read: options.agents, clock, log });
    const webhooks = createWebhookClient({ cache, clock, random });
    const dynamic = createDynamicAdmission({ cache, registry, client: webhooks, authorizer, random, log });
    const api: Surroundings = { dynamic, cache, summaries, writer: new ObjectWriter(storage, cache, new QuotaLedger(cache, clock)), admission, authorizer, tokens, accountTokens, registry, clock, random, log };
    followDefinitions({ cache, registry, log, webhooks, random });
    const core = new Core(api, { webhooks, auditor: options.auditor });
    core.#following = new DefinitionController(api, core.as(apiServerUser)).run(core.#closing.signal);
    return core;
  }

  /** Every kind that is served now. */
  get registry(): Registry {
    return this.#api.registry;
  }

  /** Decides what anybody may do; for rims that must know before they ask the core. */
  get authorizer(): Authorizer {
    return this.#api.authorizer;
  }

  /** Knows the bearer tokens that are objects of the cluster: those of service accounts and of new nodes. */
  get tokens(): TokenSource {
    return this.#api.tokens;
  }

  /** Issuer and public keys of service account tokens, for those who check them by themselves. */
  get accountTokens(): Pick<AccountTokens, 'issuer' | 'keys'> | undefined {
    return this.#api.accountTokens;
  }

  /** The revision up to which this server has seen all writes. */
  get revision(): number {
    return this.#api.cache.revision;
  }

  /** Objects of each resource, and watches that are open. */
  counts(): { readonly objects: readonly { readonly group: string; readonly plural: string; readonly count: number }[]; readonly watches: number } {
    return { objects: this.#api.cache.counts(), watches: this.#api.cache.watches };
  }

  /** The API as one user sees it. */
  as(user: UserInfo): Transport {
    if (this.#auditor !== undefined) return auditedTransport(this, this.#auditor, user);
    return {
      send: (request, signal) => this.send(request, user, signal === undefined ? undefined : { signal }),
      watch: (request, signal) => {
        try {
          return this.watch(request, user, signal);
        } catch (error) {
          return failing(error);
        }
      },
    };
  }

  /** Answers every request but a watch. Rejects with ApiError; anything else is logged here and becomes InternalError. */
  async send(request: ApiRequest, user: UserInfo, { signal, audit }: SendOptions = noOptions): Promise<ApiAnswer> {
    try {
      return await dispatch(this.#api, callFor(this.#api, this.#api.authorizer, { request, user, signal, audit }));
    } catch (error) {
      throw this.#asApiError(error, request);
    }
  }

  /**
   * Throws ApiError at once when the watch is refused, so that a server can answer with it before it begins a stream.
   * What goes wrong later (Expired, for one) comes from the iteration.
   */
  watch(request: ApiRequest, user: UserInfo, signal: AbortSignal): AsyncIterable<readonly WatchEvent[]> {
    return watch(this.#api, callFor(this.#api, this.#api.authorizer, { request: { ...request, verb: 'watch' }, user, signal }), signal);
  }

  /** Where the node agent is that serves a log, exec, attach or port-forward, once the user may have it and the pod can give it. */
  async connect(request: ConnectRequest, user: UserInfo): Promise<NodeTarget> {
    await catchUp(this.#api, undefined);
    const target = nodeTarget(this.#api, this.#api.authorizer, request, user);
    await permitStream(this.#api, request, user);
    return target;
  }

  /** Where a request through `proxy` of a pod, service or node goes, once the user may send it there. */
  async proxy(request: ProxyRequest, user: UserInfo): Promise<ProxyTarget> {
    await catchUp(this.#api, undefined);
    const target = proxyTarget(this.#api, this.#api.authorizer, request, user);
    await permitProxy(this.#api, request, user);
    return target;
  }

  /** Ends all watches and stops following the store. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#webhooks.close();
    await this.#api.cache.close();
    await this.#following;
  }

  #asApiError(error: unknown, { verb, group, version, resource, subresource, namespace, name }: ApiRequest): ApiError {
    if (error instanceof ApiError) return error;
    if (error instanceof StorageUnavailable || error instanceof TransactionTooLarge) return storageError(error);
    this.#api.log.error('a request failed for a reason that is not the client\'s', { error, verb, group, version, resource, subresource, namespace, name });
    return new ApiError('InternalError', 'Internal error occurred: the server could not carry out the request; its log says why', undefined, { cause: error });
  }
}

/** A watch that was refused: its first read throws. */
const failing = (error: unknown): AsyncIterable<readonly WatchEvent[]> => {
  const next = async (): Promise<never> => {
    throw error;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
};
