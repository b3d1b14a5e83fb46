import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Informer } from '../../client/informer.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Overlay, Peer } from './overlay.ts';

export const peerTimes = {
  /** The same list is applied again this often while there are peers: a link that went down takes routes with it. */
  againMs: 10_000,
  /** Wait after a failure, doubling up to the longest. */
  retryMs: 1_000, longestRetryMs: 30_000,
} as const;

export interface FollowOptions {
  readonly overlay: Overlay;
  /** The node that these are peers of. */
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** All nodes but one that have pod addresses and an address of their own, ready or not: what runs there runs on. By name. */
export const peersOf = (nodes: readonly Node[], nodeName: string): readonly Peer[] => nodes.flatMap((node): readonly Peer[] => {
  const name = node.metadata.name ?? '';
  const podCidr = node.spec?.podCIDR;
  const nodeIp = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  return name === nodeName || podCidr === undefined || podCidr === '' || nodeIp === undefined ? [] : [{ nodeName: name, nodeIp, podCidr }];
}).toSorted((a, b) => (a.nodeName < b.nodeName ? -1 : 1));

/**
 * Tells the overlay of all other nodes until the signal aborts: at the start, also of none, whenever they change, and now and
 * then again. One call at a time, always with the newest list.
 */
export const followPeers = async (nodes: Informer<Node>, { overlay, nodeName, clock, log, signal }: FollowOptions): Promise<void> => {
  let wake = Promise.withResolvers<void>();
  const look = (): void => wake.resolve();
  const stop = nodes.on({ added: look, updated: look, deleted: look });
  signal.addEventListener('abort', look, { once: true });
  let last: string | undefined;
  let failures = 0;
  try {
    await nodes.whenSynced(signal).catch(() => undefined);
    while (!signal.aborted) {
      const peers = peersOf(nodes.list(), nodeName);
      const words = JSON.stringify(peers);
      if (words !== last) {
        try {
          await overlay.apply(peers);
          last = words;
          failures = 0;
        } catch (error) {
          log.warn('the overlay could not take the list of nodes, trying again', { error });
          await sleep(clock, Math.min(peerTimes.longestRetryMs, peerTimes.retryMs * 2 ** failures++), signal);
          continue;
        }
      }
      const cancel = peers.length === 0 ? undefined : clock.after(peerTimes.againMs, () => {
        last = undefined;
        look();
      });
      await wake.promise;
      cancel?.();
      wake = Promise.withResolvers();
    }
  } finally {
    stop();
  }
};
