import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Informer } from '../../client/informer.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Overlay, Peer } from './overlay.ts';

export const peerTimes = {
  /** While there are peers, a look this often whether what was applied stands; a link that went down takes routes with it. */
  lookMs: 10_000,
  /** The same list is applied again this often, whatever the look says. */
  againMs: 60_000,
  /** Wait after a failure, doubling up to the longest. */
  retryMs: 1_000, longestRetryMs: 30_000,
} as const;

export interface FollowOptions {
  readonly overlay: Pick<Overlay, 'apply' | 'isUndisturbed'>;
  /** The node that these are peers of. */
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What the others have to know of a node; undefined until it has pod addresses and an address of its own. Ready or not: what runs there runs on. */
const peerOf = (node: Node): Peer | undefined => {
  const podCidr = node.spec?.podCIDR;
  const nodeIp = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  return podCidr === undefined || podCidr === '' || nodeIp === undefined ? undefined : { nodeName: node.metadata.name ?? '', nodeIp, podCidr };
};

/**
 * Tells the overlay of all other nodes (by name) until the signal aborts: at the start, also of none, whenever they change, and
 * again where what it made was disturbed, and now and then. One call at a time, always with the newest list. Nodes write their status all the time; each such change
 * comes to every node, so that it must not cost a look at all of them.
 */
export const followPeers = async (nodes: Pick<Informer<Node>, 'on' | 'whenSynced'>, { overlay, nodeName, clock, log, signal }: FollowOptions): Promise<void> => {
  const peers = new Map<string, Peer>();
  let due = true;
  let wake = Promise.withResolvers<void>();
  const tell = (): void => {
    due = true;
    wake.resolve();
  };
  const look = (node: Node): void => {
    const name = node.metadata.name ?? '';
    const peer = peerOf(node);
    if (name === nodeName || deepEqual(peer, peers.get(name))) return;
    if (peer === undefined) peers.delete(name);
    else peers.set(name, peer);
    tell();
  };
  const stop = nodes.on({ added: look, updated: look, deleted: ({ metadata: { name = '' } }) => (peers.delete(name) ? tell() : undefined) });
  signal.addEventListener('abort', tell, { once: true });
  let failures = 0;
  let appliedAtMs = -Infinity;
  try {
    await nodes.whenSynced(signal).catch(() => undefined);
    while (!signal.aborted) {
      if (due) {
        due = false;
        try {
          await overlay.apply([...peers.values()].sort((a, b) => (a.nodeName < b.nodeName ? -1 : 1)));
          failures = 0;
          appliedAtMs = clock.now();
        } catch (error) {
          due = true;
          log.warn('the overlay could not take the list of nodes, trying again', { error });
          await sleep(clock, Math.min(peerTimes.longestRetryMs, peerTimes.retryMs * 2 ** failures++), signal);
        }
        continue;
      }
      wake = Promise.withResolvers();
      const cancel = peers.size === 0 ? undefined : clock.after(peerTimes.lookMs, wake.resolve);
      await wake.promise;
      cancel?.();
      // What wakes without a cause is the time to look.
      due ||= clock.now() - appliedAtMs >= peerTimes.againMs || !await overlay.isUndisturbed();
    }
  } finally {
    stop();
  }
};
