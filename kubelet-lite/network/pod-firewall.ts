/**
 * The rules that let pods of several nodes talk as they are. Pure text; one table of its own (`ip barge_pods`).
 *
 * The engine masquerades what leaves its bridge and drops what comes to it from elsewhere. It is left as it is, so that a
 * cluster of one and its running containers need no change when a second node comes: packets between pods get their own
 * address as source before the engine's rule is asked (the first rule that decides about a connection's source wins), and a
 * mark by which one rule in the chain that Docker leaves to users lets them in.
 */
import type { Peer, Self } from './overlay.ts';
import { vxlan } from './vxlan-plan.ts';

export const podTableName = 'barge_pods';

/** Beside the marks of the proxy (proxy/nftables-rules.ts), kube-proxy and Docker. */
export const podMark = '0x02000000';

export interface PodFirewallInput {
  readonly self: Self;
  readonly peers: readonly Peer[];
  readonly podInterface: string;
}

const setOf = (name: string, type: string, elements: readonly string[]): string => `set ${name} { type ipv4_addr; ${type} elements = { ${elements.join(', ')} }; }`;

/** The whole table for these peers, in place of whatever stands; one transaction. */
export const podFirewallScript = ({ self, peers, podInterface }: PodFirewallInput): string => `
add table ip ${podTableName}
delete table ip ${podTableName}
table ip ${podTableName} {
  ${setOf('pods', 'flags interval;', peers.map(({ podCidr }) => podCidr))}
  ${setOf('nodes', '', [...new Set(peers.map(({ nodeIp }) => nodeIp))])}
  chain input { type filter hook input priority -5;
    udp dport ${vxlan.port} @th,96,24 ${vxlan.vni} ip saddr != @nodes drop
  }
  chain forward { type filter hook forward priority -5;
    oifname "${podInterface}" ip saddr @pods meta mark set meta mark | ${podMark}
    oifname "${podInterface}" ip saddr @nodes meta mark set meta mark | ${podMark}
    oifname "${vxlan.device}" tcp flags syn tcp option maxseg size set rt mtu
  }
  chain postrouting { type nat hook postrouting priority 95;
    ip saddr ${self.podCidr} ip daddr @pods snat ip to ip saddr
  }
}
`;

/** Script for `sh -c` with the bridge as argument: lets marked packets to the pods pass Docker's firewall, where there is one. */
export const admitPods = `
if command -v iptables > /dev/null && iptables -w -n -L DOCKER-USER > /dev/null 2>&1; then
  set -- -o "$1" -m mark --mark ${podMark}/${podMark} -m comment --comment 'barge pods' -j ACCEPT
  iptables -w -C DOCKER-USER "$@" 2> /dev/null || iptables -w -I DOCKER-USER "$@" || exit 1
fi
exit 0`;

export const admitNoPods = `
if command -v iptables > /dev/null && iptables -w -n -L DOCKER-USER > /dev/null 2>&1; then
  set -- -o "$1" -m mark --mark ${podMark}/${podMark} -m comment --comment 'barge pods' -j ACCEPT
  while iptables -w -D DOCKER-USER "$@" 2> /dev/null; do :; done
fi
exit 0`;
