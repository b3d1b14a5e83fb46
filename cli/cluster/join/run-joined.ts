import type { Clock } from '../../../base/clock.ts';
import type { Component } from '../../../base/component.ts';
import { LivePair } from '../../../base/live-pair.ts';
import { LiveValue } from '../../../base/live-value.ts';
import type { Log } from '../../../base/log.ts';
import { createClient } from '../../../client/client.ts';
import { createHttpTransport } from '../../../client/http-transport.ts';
import { Outage } from '../../../client/outage.ts';
import { ServerChoice } from '../../../client/server-choice.ts';
import type { ClusterConfig } from '../../config.ts';
import { runComponents } from '../../run-components.ts';
import { createNode } from '../node.ts';
import { createPromotion } from '../servers/promotion.ts';
import type { ServerFiles } from '../servers/server-files.ts';
import { followServers, probeAs, readServers } from '../servers/follow-servers.ts';
import { createAuthorityFollower } from './follow-authorities.ts';
import type { KeptMembership, MembershipFiles } from './membership.ts';
import { createNodeRenewal } from './node-renewal.ts';

export interface JoinedOptions {
  readonly membership: KeptMembership;
  readonly files: MembershipFiles;
  readonly serverFiles: ServerFiles;
  readonly config: ClusterConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Called once, when all parts of the node do their work. */
  readonly onReady: () => void;
}

/**
 * Runs the node that this machine has become until the signal aborts, and renews its certificates meanwhile. Resolves with `promoted`
 * when the machine has become a server instead; its pods go on.
 */
export const runJoined = async ({ membership, files, serverFiles, config, clock, random, log, onReady }: JoinedOptions, signal: AbortSignal): Promise<'stopped' | 'promoted'> => {
  const { server, ca, nodeName, nodeIp, cluster } = membership;
  const [identity, serving, trust] = [new LivePair(membership.client), new LivePair(membership.serving), new LiveValue(ca)];
  const servers = new ServerChoice({ first: { url: server }, others: await readServers(files.servers), clock, random });
  const transport = createHttpTransport({ server, servers, outage: new Outage({ clock, log }), ca, ...membership.client, userAgent: 'barge-node' });
  identity.onReplaced(() => transport.useTls(identity.pair));
  trust.onReplaced((ca) => transport.useTls({ ca }));
  const renewal = createNodeRenewal({ client: createClient(transport), clock, random, log: log.with({ component: 'renewal' }), nodeName, nodeIp, identity, serving, files, trust });
  const follower = createAuthorityFollower({ transport, clock, random, log: log.with({ component: 'authority' }) }, { trust, files });
  const others = followServers({ transport, clock, random, log: log.with({ component: 'servers' }) }, {
    servers, file: files.servers, probe: probeAs(() => ({ ca: trust.current, ...identity.pair, userAgent: 'barge-node' })),
  });
  const promoted = new AbortController();
  const promotion = createPromotion({ transport, clock, random, log: log.with({ component: 'promotion' }) }, {
    nodeName, nodeIp, given: config.given, trust, files: serverFiles, onPromoted: () => promoted.abort(),
  });
  const surroundings = (component: string) => ({ transport, clock, random, log: log.with({ component }) });
  try {
    const node = await createNode({
      config: { ...config, nodeName, clusterCidr: cluster.clusterCidr, serviceCidr: cluster.serviceCidr, overlay: cluster.overlay, nodes: { ...config.nodes, leaseSeconds: cluster.nodeLeaseSeconds } }, clusterDomain: cluster.clusterDomain, nodeIp, clock,
      credentials: { trust, agent: serving, identity }, agent: surroundings('agent'), proxy: surroundings('proxy'),
    });
    let waiting = node.length;
    const told = node.map((component): Component => ({
      name: component.name, after: component.after,
      run: (until, ready) => component.run(until, () => {
        ready();
        if (--waiting === 0) onReady();
      }),
    }));
    await runComponents([...told, renewal, follower, others, promotion], AbortSignal.any([signal, promoted.signal]), log);
    return promoted.signal.aborted ? 'promoted' : 'stopped';
  } finally {
    transport.close();
  }
};
