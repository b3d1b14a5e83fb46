/**
 * Quotas are counted where objects are written: the new `status.used` of each quota that a write concerns is part of the
 * write's own transaction, with a check of the quota's revision. So nothing can pass a limit, whoever writes at the same
 * time, and a crash leaves no half of it. Every write is seen, whatever verb or subresource it came by: a create, a pod
 * that ends, the last finalizer that goes.
 *
 * Writers of one namespace with quotas stand in a line from the counting to the commit; a failed check would only send
 * them round again. Where there is no quota in a namespace, a write costs one look into a map.
 */
import type { Clock } from '../../base/clock.ts';
import { ApiError, qualified } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { entered, namesFor, whyNotCountable } from '../../schemas/quota/account.ts';
import { inScopes } from '../../schemas/quota/scopes.ts';
import type { Collection } from '../../schemas/quota/usage.ts';
import { namespaceKey } from '../keys.ts';
import type { Attempt, Ledger } from '../verbs/object-writer.ts';
import type { WatchCache } from '../watch/watch-cache.ts';

const quotas = '/resourcequotas/';

export class QuotaLedger implements Ledger {
  readonly #cache: Pick<WatchCache, 'get'>;
  readonly #clock: Clock;
  /** Namespaces with quotas, and their quotas by key. */
  readonly #namespaces = new Map<string, Map<string, ResourceQuota>>();

  constructor(cache: Pick<WatchCache, 'get' | 'follow'>, clock: Clock) {
    this.#cache = cache;
    this.#clock = clock;
    cache.follow(quotas, (before, after) => this.#see(before as ResourceQuota | undefined, after as ResourceQuota | undefined));
  }

  lineOf(key: string, before: ApiObject | undefined, after: ApiObject | undefined): string | undefined {
    if (this.#namespaces.size === 0) return undefined;
    const { namespace = '' } = (after ?? before)?.metadata ?? {};
    const quotasHere = this.#namespaces.get(namespace);
    if (quotasHere === undefined || !mayChangeUsage(key, before, after)) return undefined;
    const collection = collectionOfKey(key);
    for (const { spec = {} } of quotasHere.values()) {
      // Nothing comes into a namespace that is going: there is nothing left to guard, and much to remove.
      if (namesFor(spec, collection).length > 0) return this.#isGoing(namespace) ? undefined : `quotas of ${namespace}`;
    }
    return undefined;
  }

  enter(key: string, { before, after }: { readonly before: ApiObject | undefined; readonly after: ApiObject | undefined }, attempt: Attempt): void {
    const { namespace = '', name = '' } = (after ?? before)?.metadata ?? {};
    const collection = collectionOfKey(key);
    const nowMs = this.#clock.now();
    const here = [...this.#namespaces.get(namespace) ?? []].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [quotaKey, quota] of here) {
      // A quota that is itself being written says how it stands by the same write.
      if (quotaKey === key) continue;
      const silent = before === undefined && after !== undefined ? whyNotCounted(quota, collection, after) : undefined;
      if (silent !== undefined) throw refusal(collection, name, silent);
      const entry = entered(quota, collection, { before, after, nowMs });
      if (entry === undefined) continue;
      if ('refused' in entry) throw refusal(collection, name, entry.refused);
      attempt.put(quotaKey, quota, { ...quota, status: { ...quota.status, used: entry.used } } as ResourceQuota);
    }
  }

  #isGoing(namespace: string): boolean {
    return this.#cache.get(namespaceKey(namespace))?.metadata.deletionTimestamp !== undefined;
  }

  #see(before: ResourceQuota | undefined, after: ResourceQuota | undefined): void {
    const { namespace = '', name = '' } = (after ?? before)?.metadata ?? {};
    const key = `${quotas}${namespace}/${name}`;
    const here = this.#namespaces.get(namespace);
    if (after !== undefined) {
      if (here === undefined) this.#namespaces.set(namespace, new Map([[key, after]]));
      else here.set(key, after);
      return;
    }
    here?.delete(key);
    if (here?.size === 0) this.#namespaces.delete(namespace);
  }
}

const collectionOfKey = (key: string): Collection => {
  const [group = '', plural = ''] = key.split('/', 2);
  return { group, plural };
};

/** Kinds of whose objects quotas count more than that they are there. */
const measured: ReadonlySet<string> = new Set(['/pods', '/services', '/persistentvolumeclaims']);

const phaseOf = (object: ApiObject): string | undefined => (object as Pod).status?.phase;

/** False for updates that cannot change what quotas count: of other kinds, and of a pod's status while it goes on running. */
const mayChangeUsage = (key: string, before: ApiObject | undefined, after: ApiObject | undefined): boolean => {
  if (before === undefined || after === undefined) return true;
  const { group, plural } = collectionOfKey(key);
  if (!measured.has(`${group}/${plural}`)) return false;
  return plural !== 'pods' || (before as Pod).spec !== (after as Pod).spec || phaseOf(before) !== phaseOf(after);
};

/** A new pod must say how much it takes of what a quota limits. */
const whyNotCounted = ({ metadata, spec = {} }: ResourceQuota, collection: Collection, object: ApiObject): string | undefined => {
  if (collection.group !== '' || collection.plural !== 'pods' || namesFor(spec, collection).length === 0 || !inScopes(spec, 'pods', object)) return undefined;
  const why = whyNotCountable(spec, object as Pod);
  return why === undefined ? undefined : `failed quota: ${metadata.name ?? ''}: ${why}`;
};

const refusal = ({ group, plural }: Collection, name: string, why: string): ApiError =>
  new ApiError('Forbidden', `${qualified(plural, group)} ${JSON.stringify(name)} is forbidden: ${why}`, { name, group: group || undefined, kind: plural });
