/**
 * Quotas are counted by the API server, in the transactions that it counts (apiserver/quota). This controller is the
 * second look: it counts again what informers show, and corrects a status that somebody has changed, that a crash of an
 * older version left behind, or that time has made wrong (a pod that should have been gone long ago).
 *
 * Informers of several kinds are never at one revision, so a difference that they show proves nothing. It is believed when
 * it lasts, and then the server is asked for lists that are no older than the quota; the correction is written only if
 * the quota has not changed meanwhile. Whatever was written in between and counts has changed it.
 */
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyText } from '../../client/key.ts';
import type { ApiList } from '../../schemas/api.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { collectionsOf } from '../../schemas/quota/account.ts';
import { collectionOf, type Collection } from '../../schemas/quota/usage.ts';
import type { Registry } from '../../schemas/registry.ts';
import { correction, nextOverdueInMs } from './plan.ts';

/** Kinds that are looked at through informers; of others the server is asked how many there are. */
const watched: readonly AnyKind[] = [Pod, Service, PersistentVolumeClaim, ConfigMap, Secret, ReplicationController, ResourceQuota];

const informed = ({ group, plural }: Collection): AnyKind | undefined => watched.find((kind) => kind.group === group && kind.plural === plural);

const isInformed = (name: string): boolean => {
  const collection = collectionOf(name);
  return collection === undefined || informed(collection) !== undefined;
};

/** As often as Kubernetes' controller counts everything again. */
const resyncMs = 300_000;
/** A difference that lasts this long is not the informers' being apart. */
const patienceMs = 1_000;

/** What is remembered of a quota between two looks. */
interface Memory {
  differentSinceMs: number | undefined;
  /** When, and for which generation, the server was asked about what informers do not show. */
  askedAtMs: number;
  generation: number;
}

export const resourceQuotaController = (registry: Registry): Controller<ResourceQuota> => {
  const memories = new Map<string, Memory>();
  return {
    name: 'resource-quota-controller',
    reconciles: ResourceQuota,
    reads: watched.filter((kind) => kind !== ResourceQuota && kind !== Pod),
    watches: [{
      kind: Pod,
      map: ({ metadata }: Pod, context) => (metadata.deletionTimestamp === undefined ? []
        : context.informer(ResourceQuota).list(metadata.namespace).map((quota) => ({ namespace: metadata.namespace, name: quota.metadata.name ?? '' }))),
    }],
    reconcile: async (quota, key, context) => {
      const id = keyText(key);
      if (quota === undefined) {
        memories.delete(id);
        return undefined;
      }
      const memory = memories.get(id) ?? { differentSinceMs: undefined, askedAtMs: -Infinity, generation: -1 };
      memories.set(id, memory);
      return lookAt(quota, memory, { registry, context });
    },
  };
};

const lookAt = async (quota: ResourceQuota, memory: Memory, { registry, context }: Asking): Promise<{ readonly afterMs: number } | undefined> => {
  const nowMs = context.clock.now();
  const { namespace, generation = 0 } = quota.metadata;
  const seen = correction(quota, (collection) => {
    const kind = informed(collection);
    return kind === undefined ? [] : context.informer(kind).list(namespace);
  }, { nowMs, only: isInformed });
  memory.differentSinceMs = seen === undefined ? undefined : memory.differentSinceMs ?? nowMs;
  const unseen = collectionsOf(quota.spec ?? {}).some((collection) => informed(collection) === undefined);
  const mustAsk = unseen && (memory.generation !== generation || nowMs >= memory.askedAtMs + resyncMs);
  if (memory.differentSinceMs !== undefined && nowMs < memory.differentSinceMs + patienceMs && !mustAsk) {
    return { afterMs: memory.differentSinceMs + patienceMs - nowMs };
  }
  if (memory.differentSinceMs !== undefined || mustAsk) {
    await correct(quota, { registry, context });
    Object.assign(memory, { differentSinceMs: undefined, askedAtMs: nowMs, generation });
  }
  return { afterMs: Math.min(resyncMs, nextOverdueInMs(context.informer(Pod).list(namespace), nowMs) ?? resyncMs) };
};

interface Asking {
  readonly registry: Registry;
  readonly context: ReconcileContext;
}

/** Counts what the server shows, and writes it if the quota is still the one that was looked at. */
const correct = async (quota: ResourceQuota, { registry, context }: Asking): Promise<void> => {
  const lists = new Map<string, readonly ApiObject[]>();
  for (const collection of collectionsOf(quota.spec ?? {})) {
    lists.set(`${collection.group}/${collection.plural}`, await objectsOf(quota, collection, { registry, context }));
  }
  const status = correction(quota, ({ group, plural }) => lists.get(`${group}/${plural}`) ?? [], { nowMs: context.clock.now() });
  if (status === undefined) return;
  context.log.info('corrects what a quota says is used', { namespace: quota.metadata.namespace, name: quota.metadata.name, before: quota.status?.used, after: status.used });
  await context.client.of(ResourceQuota).updateStatus({ ...quota, status });
};

/** The objects of a collection that stand in the quota's namespace, or as many stand-ins where only their number counts. */
const objectsOf = async ({ metadata: { namespace, resourceVersion } }: ResourceQuota, { group, plural }: Collection, { registry, context }: Asking): Promise<readonly ApiObject[]> => {
  const kind = registry.all().find((one) => one.group === group && one.plural === plural && one.scope === 'Namespaced');
  if (kind === undefined) return [];
  const { group: at, version, plural: resource } = kind;
  const counts = informed({ group, plural }) === undefined;
  const answer = await context.transport.send({
    verb: 'list', group: at, version, resource, namespace, options: { resourceVersion, resourceVersionMatch: 'NotOlderThan', ...(counts ? { limit: 1 } : {}) },
  });
  const { items, metadata } = answer.body as ApiList;
  const [first] = items;
  return counts && first !== undefined ? Array.from({ length: 1 + (metadata.remainingItemCount ?? 0) }, () => first) : items;
};
