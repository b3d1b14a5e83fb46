import type { Component, Surroundings } from '../../base/component.ts';
import { createClient } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import { createInformers } from '../../client/informers.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { NetworkPolicy } from '../../schemas/kinds/networking/network-policy.ts';
import { ApplyLoop } from '../apply-loop.ts';
import type { PolicyEnforcer } from './policy-enforcer.ts';
import { noPolicies, policyTable } from './policy-table.ts';
import { StartingPods } from './starting-pods.ts';

export interface NetworkPolicyOptions {
  readonly nodeName: string;
  readonly enforcer: PolicyEnforcer;
}

export type NetworkPolicyComponent = Component & {
  /** Resolves when the pod at this address is held to the policies that there are; at once where there are none. Rejects when the signal aborts before. */
  held(pod: Pod, podIp: string, signal: AbortSignal): Promise<void>;
};

interface Others { readonly pods: Informer<Pod>; readonly namespaces: Informer<Namespace> }

/** What a table is made of; most changes of pods are of none of it. */
const seen = ({ metadata, spec, status }: Pod): readonly unknown[] =>
  [status?.podIP, status?.phase, spec.nodeName, metadata.deletionTimestamp === undefined, metadata.labels];

/**
 * Holds the pods of a node to the NetworkPolicies. A cluster without policies costs one watch: pods and namespaces are
 * followed from the first policy on to the last.
 */
export const createNetworkPolicyComponent = (surroundings: Surroundings, { nodeName, enforcer }: NetworkPolicyOptions): NetworkPolicyComponent => {
  const { clock, log, random, transport } = surroundings;
  const informers = createInformers({ client: createClient(transport), clock, log, random });
  const policies = informers.informer(NetworkPolicy);
  let others: Others | undefined;
  const starting = new StartingPods();

  const followOthers = (changed: () => void): Others => {
    const found = { pods: informers.informer(Pod), namespaces: informers.informer(Namespace) };
    found.pods.on({ added: changed, deleted: changed, updated: (pod, old) => (deepEqual(seen(pod), seen(old)) ? undefined : changed()) });
    found.namespaces.on({ added: changed, deleted: changed, updated: ({ metadata }, old) => (deepEqual(metadata.labels, old.metadata.labels) ? undefined : changed()) });
    return found;
  };

  /** False where the last policy goes before all of them are in: then nobody gives them to the node any more. */
  const synced = async ({ pods, namespaces }: Others, signal: AbortSignal): Promise<boolean> => {
    const none = new AbortController();
    const off = policies.on({ deleted: () => (policies.list().length === 0 ? none.abort() : undefined) });
    const either = AbortSignal.any([signal, none.signal]);
    try {
      await Promise.all([pods.whenSynced(either), namespaces.whenSynced(either)]);
      return true;
    } catch (error) {
      if (signal.aborted || !none.signal.aborted) throw error;
      return false;
    } finally {
      off();
    }
  };

  const loop: ApplyLoop = new ApplyLoop({
    clock, log, what: 'the network policies',
    apply: async (signal) => {
      if (policies.list().length === 0) {
        // A node may see others' pods only while there are policies.
        if (others !== undefined) for (const kind of [Pod, Namespace]) informers.forget(kind);
        others = undefined;
        starting.applied([]);
        return enforcer.apply(noPolicies);
      }
      const { pods, namespaces } = others ??= followOthers(loop.changed);
      if (!await synced(others, signal)) return;
      const all = starting.among(pods.list());
      await enforcer.apply(policyTable({ policies: policies.list(), pods: all, namespaces: namespaces.list(), nodeName }));
      starting.applied(all);
    },
  });

  return {
    name: 'network-policies', after: [],
    held: async (pod, podIp, signal) => {
      await policies.whenSynced(signal);
      signal.throwIfAborted();
      starting.add(pod, podIp, signal);
      if (policies.list().length > 0 && !starting.isApplied(pod, podIp)) await loop.applied(signal);
    },
    run: async (signal, ready) => {
      const running = informers.run(signal);
      try {
        await policies.whenSynced(signal);
        policies.on({ added: loop.changed, updated: loop.changed, deleted: loop.changed });
        await loop.run(signal, ready);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      await running;
    },
  };
};
