import { sleep } from '../../base/clock.ts';
import type { ResourcePath } from '../../schemas/api.ts';
import { isReason } from '../../schemas/errors.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { World } from '../command.ts';
import type { Session } from '../session.ts';
import { untilAmong } from '../until.ts';

export interface PodRemovalOptions {
  readonly session: Session;
  /** Its signal ends the work, also where time is up. */
  readonly world: Pick<World, 'clock' | 'signal' | 'stdout' | 'stderr'>;
  /** Seconds that a pod gets to stop; undefined takes its own. */
  readonly graceSeconds: number | undefined;
  /** `evict` asks the budgets, `delete` does not. */
  readonly by: 'evict' | 'delete';
  /** The server only checks. */
  readonly dryRun: boolean;
}

/** How long a pod that its budget keeps is left alone before it is asked for again; kubectl's own. */
export const retryAfterMs = 5_000;

const place = ({ metadata }: Pod): ResourcePath & { readonly name: string } => ({ group: '', version: 'v1', resource: 'pods', namespace: metadata.namespace, name: metadata.name! });

/** Asks for the end of one pod; one that its budget keeps is asked for again until it may go. */
const request = async (pod: Pod, { session, world, graceSeconds, by, dryRun }: PodRemovalOptions): Promise<void> => {
  const { name, namespace, uid } = pod.metadata;
  const deleteOptions = { ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }), preconditions: { uid } };
  for (;;) {
    try {
      if (by === 'delete') {
        await session.api.send({ ...place(pod), verb: 'delete', options: { gracePeriodSeconds: graceSeconds, preconditions: { uid }, dryRun } }, world.signal);
      } else {
        await session.api.send({
          ...place(pod), verb: 'create', subresource: 'eviction', options: { dryRun },
          body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions },
        }, world.signal);
      }
      return;
    } catch (error) {
      // Gone, or another one of that name by now.
      if (isReason(error, 'NotFound', 'Conflict')) return;
      if (!isReason(error, 'TooManyRequests')) throw error;
      world.stderr.write(`error when evicting pods/"${name}" -n "${namespace}" (will retry after ${retryAfterMs / 1_000}s): ${error.message}\n`);
      await sleep(world.clock, retryAfterMs, world.signal);
      if (world.signal.aborted) throw new Error(`pod ${namespace}/${name} was not evicted`, { cause: error });
    }
  }
};

/**
 * Has the pods of a node removed, all at the same time, and resolves when they are gone. Says on standard output which
 * are asked for and which are gone. What fails is thrown when the others are over, as an AggregateError.
 */
export const removePods = async (nodeName: string, pods: readonly Pod[], options: PodRemovalOptions): Promise<void> => {
  const { session, world, by } = options;
  const suffix = options.dryRun ? ' (server dry run)' : '';
  for (const { metadata } of pods) world.stdout.write(`${by === 'evict' ? 'evicting' : 'deleting'} pod ${metadata.namespace}/${metadata.name}${suffix}\n`);
  const outcomes = await Promise.allSettled(pods.map((pod) => request(pod, options)));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (!options.dryRun) {
    const waited = new Map(pods.flatMap((pod, index) => (outcomes[index]!.status === 'fulfilled' ? [[pod.metadata.uid ?? '', pod] as const] : [])));
    try {
      if (waited.size > 0) await untilAmong(session, world, {
        collection: { group: '', version: 'v1', resource: 'pods' }, selectors: { fieldSelector: `spec.nodeName=${nodeName}` }, timeoutMs: undefined,
        look: (there) => {
          for (const [uid, { metadata }] of waited) {
            if (there.has(uid)) continue;
            waited.delete(uid);
            world.stdout.write(`pod/${metadata.name} ${by === 'evict' ? 'evicted' : 'deleted'}\n`);
          }
          return waited.size === 0 ? true : undefined;
        },
      });
    } catch (error) {
      failures.push(world.signal.aborted ? new Error(`still running: ${[...waited.values()].map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ')}`, { cause: error }) : error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${pods.length} pods of ${nodeName} could not be removed`);
};
