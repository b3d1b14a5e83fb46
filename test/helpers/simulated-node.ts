import { rfc3339, rfc3339Micro, sleep, type Clock } from '../../base/clock.ts';
import type { Surroundings } from '../../base/component.ts';
import { silentLog } from '../../base/log.ts';
import { createClient, type Client, type ResourceClient } from '../../client/client.ts';
import { runControllers, type Controller } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { planReclaim } from '../../kubelet-lite/volumes/reclaim.ts';
import { isConditionTrue } from '../../schemas/conditions.ts';
import { isReason } from '../../schemas/errors.ts';
import { namesOf } from '../../schemas/node-selector.ts';
import type { Transport } from '../../schemas/api.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { hostnameLabel, localPathDir, localPathFinalizer, localPathNode } from '../../schemas/volumes/volume-words.ts';

export interface SimulatedNodesOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly names: readonly string[];
  /** Labels of each node, by name. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What each node has for pods, such as `{ cpu: '1', pods: '110' }`. */
  readonly allocatable?: Readonly<Record<string, string>>;
  /** What becomes of a pod: ready after so many milliseconds, never ready, failed, or ended after a while with an exit code. Ready at once where absent. */
  readonly outcome?: (pod: Pod) => number | 'never' | 'failed' | { readonly endsAfterMs: number; readonly exitCode: number };
  /** True where a real scheduler binds pods. */
  readonly bindsNone?: boolean;
  /** How long a pod takes to stop; 0 where absent. */
  readonly stopMs?: number;
  /** Where the nodes say that they keep volumes of the class local-path; none where absent. */
  readonly volumesDir?: string;
}

/**
 * Nodes without containers, and the simplest of schedulers: pods are bound in turn to nodes that are alive and ready,
 * become ready, and go when they are deleted. Leases are renewed every 5 s for nodes that are alive.
 */
export class SimulatedNodes {
  readonly #options: SimulatedNodesOptions;
  readonly #client: Client;
  readonly #alive: Set<string>;
  readonly #addresses = new Map<string, string>();
  #turn = 0;

  constructor(options: SimulatedNodesOptions) {
    this.#options = options;
    this.#client = createClient(options.transport);
    this.#alive = new Set(options.names);
  }

  /** The node no longer does or says anything. */
  kill(name: string): void {
    this.#alive.delete(name);
  }

  isAlive(name: string): boolean {
    return this.#alive.has(name);
  }

  /** The node speaks again, and says that it is ready. */
  async revive(name: string): Promise<void> {
    await this.#register(name);
    this.#alive.add(name);
  }

  /** Registers the nodes and works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { transport, clock } = this.#options;
    for (const name of this.#options.names) await this.#register(name);
    const surroundings: Surroundings = { transport, clock, log: silentLog, random: () => 0.5 };
    await Promise.all([runControllers(this.#options.volumesDir === undefined ? [this.#pods()] : [this.#pods(), this.#volumes()], surroundings, signal, () => undefined), this.#renew(signal)]);
  }

  async #register(name: string): Promise<void> {
    const nodes = this.#client.of(Node);
    const { volumesDir, labels } = this.#options;
    if (await nodes.find({ name }) === undefined) await nodes.create({ metadata: { name, labels: { [hostnameLabel]: name, ...labels?.[name] }, ...(volumesDir === undefined ? {} : { annotations: { [localPathDir]: volumesDir } }) } });
    await this.#sayReady(name);
    await this.#renewOne(name);
  }

  /** As an agent does with every renewal: should somebody have taken the node for lost, its own word stands against it. */
  async #sayReady(name: string): Promise<void> {
    const now = rfc3339(this.#options.clock.now());
    await this.#client.of(Node).modifyStatus({ name }, (draft) => {
      const { allocatable } = this.#options;
      if (isConditionTrue(draft.status?.conditions, 'Ready')) return;
      draft.status = { ...draft.status, ...(allocatable === undefined ? {} : { allocatable: { ...allocatable }, capacity: { ...allocatable } }), conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }] };
    });
  }

  async #renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.clock, 5_000, signal);
      for (const name of this.#alive) {
        if (signal.aborted) return;
        await this.#renewOne(name);
        // A node whose object was deleted has nothing to say.
        await this.#sayReady(name).catch((error: unknown) => {
          if (!isReason(error, 'NotFound')) throw error;
        });
      }
    }
  }

  async #renewOne(name: string): Promise<void> {
    const leases = this.#client.of(Lease);
    const key = { namespace: 'kube-node-lease', name };
    const renewTime = rfc3339Micro(this.#options.clock.now());
    if (await leases.find(key) === undefined) await leases.create({ metadata: key, spec: { holderIdentity: name, leaseDurationSeconds: 20, renewTime } });
    else await leases.modify(key, (draft) => void (draft.spec = { ...draft.spec, renewTime }));
  }

  #pods(): Controller<Pod> {
    return {
      name: 'simulated-nodes', reconciles: Pod, workers: 16, reads: [Node],
      reconcile: async (pod, key, context) => {
        if (pod === undefined) return undefined;
        const client = context.client.of(Pod);
        const nodeName = pod.spec.nodeName;
        try {
          if (!nodeName && this.#options.bindsNone === true) return undefined;
          if (!nodeName) {
            const fit = context.informer(Node).list().filter(({ metadata, spec }) => this.#alive.has(metadata.name!) && (spec?.taints ?? []).length === 0).map(({ metadata }) => metadata.name!).sort();
            // Daemons name their node.
            const wanted = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.flatMap((term) => namesOf(term) ?? [])[0];
            const target = wanted ?? fit[this.#turn++ % Math.max(1, fit.length)];
            if (pod.metadata.deletionTimestamp !== undefined) await client.delete(key, { gracePeriodSeconds: 0 });
            else if (target === undefined) return { afterMs: 1000 };
            else await client.createSub(key, 'binding', { apiVersion: 'v1', kind: 'Binding', metadata: { name: key.name, namespace: key.namespace }, target: { kind: 'Node', name: target } });
            return undefined;
          }
          if (!this.#alive.has(nodeName)) return { afterMs: 1000 };
          return await this.#live(pod, client, context.clock.now());
        } catch (error) {
          if (isReason(error, 'NotFound')) return undefined;
          throw error;
        }
      },
    };
  }

  /** Lets go of volumes that are being deleted, as an agent does when it has removed their folders. */
  #volumes(): Controller<PersistentVolume> {
    return {
      name: 'simulated-volumes', reconciles: PersistentVolume,
      reconcile: async (volume, key, context) => {
        const node = volume?.metadata.annotations?.[localPathNode] ?? '';
        if (volume === undefined || planReclaim(volume, node) === undefined) return undefined;
        if (!this.#alive.has(node)) return { afterMs: 1000 };
        try {
          await context.client.of(PersistentVolume).modify(key, (draft) => void (draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((one) => one !== localPathFinalizer)), { hint: volume });
        } catch (error) {
          if (!isReason(error, 'NotFound')) throw error;
        }
        return undefined;
      },
    };
  }

  async #live(pod: Pod, client: ResourceClient<Pod>, nowMs: number): Promise<{ afterMs: number } | undefined> {
    const key = keyOf(pod);
    const outcome = this.#options.outcome?.(pod) ?? 0;
    const { deletionTimestamp, deletionGracePeriodSeconds, creationTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      const stopAtMs = Date.parse(deletionTimestamp) - (deletionGracePeriodSeconds ?? 0) * 1000 + (this.#options.stopMs ?? 0);
      if (stopAtMs > nowMs) return { afterMs: stopAtMs - nowMs };
      await client.delete(key, { gracePeriodSeconds: 0 });
      return undefined;
    }
    if (typeof outcome === 'object') return this.#end(pod, client, outcome, nowMs);
    const readyAtMs = outcome === 'never' || outcome === 'failed' ? Infinity : Date.parse(creationTimestamp!) + outcome;
    const isReady = nowMs >= readyAtMs;
    const phase = outcome === 'failed' ? 'Failed' : 'Running';
    const old = pod.status?.conditions?.find(({ type }) => type === 'Ready');
    if (pod.status?.phase !== phase || old?.status !== (isReady ? 'True' : 'False')) {
      const podIP = this.#address(pod.metadata.uid!);
      await client.modifyStatus(key, (draft) => {
        draft.status = { ...draft.status, phase, startTime: draft.status?.startTime ?? rfc3339(nowMs), podIP, podIPs: [{ ip: podIP }], conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: rfc3339(nowMs) }] };
      });
    }
    return readyAtMs === Infinity || isReady ? undefined : { afterMs: readyAtMs - nowMs };
  }

  /** A pod that does its work and ends. */
  async #end(pod: Pod, client: ResourceClient<Pod>, { endsAfterMs, exitCode }: { readonly endsAfterMs: number; readonly exitCode: number }, nowMs: number): Promise<{ afterMs: number } | undefined> {
    const endsAtMs = Date.parse(pod.metadata.creationTimestamp!) + endsAfterMs;
    const phase = nowMs < endsAtMs ? 'Running' : exitCode === 0 ? 'Succeeded' : 'Failed';
    if (pod.status?.phase !== phase) {
      const state = phase === 'Running' ? { running: { startedAt: rfc3339(nowMs) } } : { terminated: { exitCode, finishedAt: rfc3339(nowMs) } };
      await client.modifyStatus(keyOf(pod), (draft) => {
        draft.status = {
          ...draft.status, phase, conditions: [{ type: 'Ready', status: phase === 'Running' ? 'True' : 'False', lastTransitionTime: rfc3339(nowMs) }],
          containerStatuses: pod.spec.containers.map(({ name, image = '' }) => ({ name, image, imageID: '', ready: phase === 'Running', restartCount: 0, state })),
        };
      });
    }
    return phase === 'Running' ? { afterMs: endsAtMs - nowMs } : undefined;
  }

  #address(uid: string): string {
    const known = this.#addresses.get(uid);
    if (known !== undefined) return known;
    const index = this.#addresses.size + 1;
    const address = `10.244.${index >> 8}.${index & 255}`;
    this.#addresses.set(uid, address);
    return address;
  }
}
