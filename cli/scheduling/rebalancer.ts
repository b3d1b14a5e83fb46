import { isReason } from '../../schemas/errors.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { Budgets } from '../../scheduler/budgets.ts';
import type { Profile } from '../../scheduler/framework.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { isServing, planRebalance, type Move, type RebalancePlan } from '../../scheduler/rebalance.ts';
import { serviceOf } from '../../scheduler/swarm/service.ts';
import { CommandError, type World } from '../command.ts';
import type { Session } from '../session.ts';
import { TimedOut, untilAmong } from '../until.ts';
import { hasEnded, readCluster, type ClusterView } from './cluster-view.ts';

export interface RebalancerOptions {
  readonly session: Session;
  readonly world: Pick<World, 'clock' | 'signal'>;
  readonly profile: Profile;
  /** How long a replacement may take to become Ready. */
  readonly timeoutMs: number;
}

/** What became of a move. */
export type Moved =
  | { readonly outcome: 'moved'; readonly replacement: string; readonly node: string }
  | { readonly outcome: 'refused'; readonly why: string };

const podsOf = (namespace: string | undefined) => ({ group: '', version: 'v1', resource: 'pods', namespace });

/** Carries out moves one at a time: each is planned on the cluster as it has become, and is over when its replacement is Ready. */
export class Rebalancer {
  readonly #o: RebalancerOptions;
  readonly #spared = new Set<string>();

  constructor(options: RebalancerOptions) {
    this.#o = options;
  }

  /** Reads the cluster and plans so many moves. Throws CommandError where it may not be read whole: half of it would mislead. */
  async plan(maxMoves: number): Promise<RebalancePlan & { readonly view: ClusterView }> {
    const { session, world: { signal }, profile } = this.#o;
    const view = await readCluster(session, { namespace: session.namespace, signal });
    if (view.notRead.length > 0) throw new CommandError(`to move pods takes the whole picture, and ${view.notRead[0]}`);
    const budgets = new Budgets();
    for (const one of (await session.api.list({ group: 'policy', version: 'v1', resource: 'poddisruptionbudgets' }, {}, signal)).items) budgets.set(one as PodDisruptionBudget);
    const waiting = view.pods.filter((pod) => (pod.spec.nodeName ?? '') === '' && !hasEnded(pod)).map((pod) => new PodInfo(pod));
    return { ...planRebalance({ cluster: view.cluster, profile, budgets, maxMoves, waiting, spared: this.#spared }), view };
  }

  /** Evicts the pod and waits for its replacement. Rejects with TimedOut when none is Ready in time. */
  async move({ pod: info }: Move): Promise<Moved> {
    const { session, world } = this.#o;
    const { namespace = '', name = '', uid = '' } = info.pod.metadata;
    const service = serviceOf(info);
    const before = await this.#readyPods(namespace, service);
    try {
      await session.api.send({
        ...podsOf(namespace), verb: 'create', name, subresource: 'eviction',
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: { preconditions: { uid } } },
      }, world.signal);
    } catch (error) {
      // A budget has no room, or the pod is gone or another one by now: others may still move.
      if (!isReason(error, 'TooManyRequests', 'NotFound', 'Conflict')) throw error;
      this.#spared.add(service);
      return { outcome: 'refused', why: error.message };
    }
    const replacement = await this.#replacement({ namespace, service, evicted: uid, before });
    return { outcome: 'moved', replacement: `${namespace}/${replacement.metadata.name}`, node: replacement.spec.nodeName ?? '' };
  }

  async #readyPods(namespace: string, service: string): Promise<ReadonlySet<string>> {
    const { items } = await this.#o.session.api.list(podsOf(namespace), {}, this.#o.world.signal);
    return new Set((items as readonly Pod[]).filter((pod) => serviceOf(new PodInfo(pod)) === service && isServing(pod)).map(({ metadata }) => metadata.uid ?? ''));
  }

  /** The pod that came in place of the evicted one: as many of the service are Ready as before, and that one is gone. */
  async #replacement({ namespace, service, evicted, before }: { readonly namespace: string; readonly service: string; readonly evicted: string; readonly before: ReadonlySet<string> }): Promise<Pod> {
    const { session, world, timeoutMs } = this.#o;
    try {
      return await untilAmong(session, world, {
        collection: podsOf(namespace), timeoutMs, look: (objects) => {
          const pods = objects as ReadonlyMap<string, Pod>;
          const ready = [...pods.values()].filter((pod) => !hasEnded(pod) && isServing(pod) && serviceOf(new PodInfo(pod)) === service);
          return pods.has(evicted) || ready.length < before.size ? undefined : ready.find(({ metadata }) => !before.has(metadata.uid ?? ''));
        },
      });
    } catch (error) {
      if (!(error instanceof TimedOut)) throw error;
      throw new TimedOut(`no replacement was Ready within ${timeoutMs / 1_000}s`, { cause: error });
    }
  }
}
