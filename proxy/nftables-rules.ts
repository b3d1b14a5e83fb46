/**
 * The rules of the nftables backend as text, and the difference between two tables as one transaction. Pure.
 *
 * A packet costs the same however many services there are: one lookup of (address, protocol, port) leads to the
 * service's own chain, which picks an endpoint. All of it stands in one table that nobody else touches.
 */
import { createHash } from 'node:crypto';
import { sameEndpoints } from './table.ts';
import type { Endpoint, ServicePort, ServiceTable } from './backend.ts';

export interface NftablesSettings {
  /** Addresses of services; what no service takes is refused. */
  readonly serviceCidr: string;
  /** The bridge on which this node's pods are. */
  readonly podInterface: string;
  /**
   * True when replies between two pods of the bridge bypass connection tracking (bridge-nf-call-iptables is off). Such
   * connections are masqueraded, so that replies come back through the node.
   */
  readonly masqueradeOnBridge: boolean;
}

export const tableName = 'barge';
const family = `ip ${tableName}`;

/** Marks packets of one bridge's pods to each other, and those that came from outside, for the masquerade rules. Bits that kube-proxy and Docker leave alone. */
const marks = { onBridge: '0x08000000', outside: '0x04000000' } as const;
const unmarked = '0xfbffffff';

/** Rules that do not depend on services; replaces whatever table of ours there is. */
export const baseScript = ({ serviceCidr, podInterface, masqueradeOnBridge }: NftablesSettings): string => `
add table ${family}
delete table ${family}
table ${family} {
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  map outside { type ipv4_addr . inet_proto . inet_service : verdict; }
  map guarded { type ipv4_addr . inet_proto . inet_service : verdict; }
  set refused { type ipv4_addr . inet_proto . inet_service; }
  map node_ports { type inet_proto . inet_service : verdict; }
  map outside_ports { type inet_proto . inet_service : verdict; }
  set refused_ports { type inet_proto . inet_service; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  set public { type ipv4_addr; }
  chain from_outside {
    meta mark set meta mark | ${marks.outside}
    ip daddr . meta l4proto . th dport vmap @outside
    fib daddr type local meta l4proto . th dport vmap @outside_ports
    meta mark set meta mark & ${unmarked}
  }
  chain dispatch {
    ip daddr . meta l4proto . th dport vmap @services
    meta mark set meta mark | ${marks.outside}
    fib daddr type local meta l4proto . th dport vmap @node_ports
    meta mark set meta mark & ${unmarked}
  }
  chain prerouting { type nat hook prerouting priority -110;
    ip daddr . meta l4proto . th dport vmap @guarded
    iifname != "${podInterface}" jump from_outside
    jump dispatch
  }
  chain output { type nat hook output priority -110;
    ip daddr . meta l4proto . th dport vmap @guarded
    jump dispatch
  }
  chain postrouting { type nat hook postrouting priority 90;
    ct status & dnat == 0 return
    ip saddr 127.0.0.0/8 oifname != "lo" masquerade
    ip saddr . ip daddr @hairpin masquerade
    ${masqueradeOnBridge ? `meta mark & ${marks.onBridge} != 0 masquerade` : ''}
    meta mark & ${marks.outside} != 0 oifname != "${podInterface}" masquerade
  }
  chain guard { type filter hook prerouting priority -300;
    iifname "${podInterface}" ip daddr 127.0.0.0/8 drop
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmp type port-unreachable
  }
  chain forward { type filter hook forward priority -10;
    iifname "${podInterface}" oifname "${podInterface}" ct status & dnat != 0 meta mark set meta mark | ${marks.onBridge}
    ip daddr ${serviceCidr} goto refuse
    ip daddr . meta l4proto . th dport @refused goto refuse
    iifname != "${podInterface}" ip daddr @public goto refuse
  }
  chain refuse_output { type filter hook output priority -10;
    ip daddr ${serviceCidr} goto refuse
    ip daddr . meta l4proto . th dport @refused goto refuse
  }
  chain refuse_input { type filter hook input priority -10;
    ip daddr . meta l4proto . th dport @refused goto refuse
    fib daddr type local meta l4proto . th dport @refused_ports goto refuse
  }
}
`;

/** Commands that lead from one table to the other; an empty string when nothing is to be done. One transaction. */
export const changeScript = (before: ServiceTable, after: ServiceTable): string => {
  const gone: string[] = [];
  const made: string[] = [];
  const dropped: string[] = [];
  for (const [name, port] of before) {
    const next = after.get(name);
    const keep = next === undefined ? new Set<string>() : new Set(elementsOf(next));
    for (const element of elementsOf(port)) if (!keep.has(element)) gone.push(`delete element ${family} ${keyOf(element)}`);
    if (port.endpoints.length > 0 && (next === undefined || next.endpoints.length === 0 || chainOf(next) !== chainOf(port))) {
      dropped.push(`flush chain ${family} ${chainOf(port)}`, `delete chain ${family} ${chainOf(port)}`);
    }
    const kept = new Set(next === undefined ? [] : stickyOf(next).map(({ set }) => set));
    for (const sticky of stickyOf(port)) if (!kept.has(sticky.set)) dropped.push(...stickyGone(sticky));
    const guard = guardOf(port);
    if (guard !== undefined && (next === undefined || guardOf(next)?.chain !== guard.chain)) dropped.push(`flush chain ${family} ${guard.chain}`, `delete chain ${family} ${guard.chain}`);
  }
  for (const [name, port] of after) {
    const old = before.get(name);
    const have = new Set(old === undefined ? [] : elementsOf(old));
    const stood = new Set(old === undefined ? [] : stickyOf(old).map(({ set }) => set));
    if (port.endpoints.length > 0) {
      const changed = old === undefined || !sameEndpoints(old.endpoints, port.endpoints) || old.affinitySeconds !== port.affinitySeconds || old.protocol !== port.protocol;
      if (changed) {
        made.push(`add chain ${family} ${chainOf(port)}`, `flush chain ${family} ${chainOf(port)}`);
        for (const sticky of stickyOf(port)) if (!stood.has(sticky.set)) made.push(...stickyMade(sticky, port));
        made.push(...rulesOf(port).map((rule) => `add rule ${family} ${chainOf(port)} ${rule}`));
      }
    }
    const guard = guardOf(port);
    if (guard !== undefined && (old === undefined || guardOf(old)?.chain !== guard.chain)) {
      made.push(`add chain ${family} ${guard.chain}`, ...guard.rules.map((rule) => `add rule ${family} ${guard.chain} ${rule}`));
    }
    for (const element of elementsOf(port)) if (!have.has(element)) made.push(`add element ${family} ${element}`);
  }
  const sharedBefore = sharedElementsOf(before);
  const sharedAfter = sharedElementsOf(after);
  for (const element of sharedAfter) if (!sharedBefore.has(element)) made.push(`add element ${family} ${element}`);
  for (const element of sharedBefore) if (!sharedAfter.has(element)) gone.push(`delete element ${family} ${element}`);
  // What is no longer pointed at can go, and it goes last: the elements and rules that pointed at it are gone by then.
  const lines = [...gone, ...made, ...dropped];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
};

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 10);

/** Readable in `nft list`, unique by its hash; a new protocol is a new chain, for its rules differ. */
const chainOf = ({ name, protocol }: ServicePort): string => `svc-${hash(`${name}/${protocol}`)}-${name.replaceAll(/[^a-zA-Z0-9/-]/g, '_').slice(0, 80)}`;

const protocolOf = ({ protocol }: ServicePort): string => protocol.toLowerCase();

/** `<map> { <key> : <verdict> }` for each address of the service. */
const elementsOf = (port: ServicePort): readonly string[] => {
  const { clusterIps, insideIps, outsideIps, insideNodePort, nodePort, endpoints } = port;
  const protocol = protocolOf(port);
  const at = (ip: string): string => `${ip} . ${protocol} . ${port.port}`;
  const guard = guardOf(port);
  // What is asked first for strangers has only what is not the same for all.
  const outsidePort = nodePort === insideNodePort ? 0 : nodePort;
  const guarded = guard === undefined ? [] : guard.ips.map((ip) => `guarded { ${at(ip)} : jump ${guard.chain} }`);
  if (endpoints.length === 0) {
    return [
      ...guarded,
      ...insideIps.map((ip) => `refused { ${at(ip)} }`),
      ...outsideIps.filter((ip) => !insideIps.includes(ip)).map((ip) => `outside { ${at(ip)} : drop }`),
      ...(insideNodePort === 0 ? [] : [`refused_ports { ${protocol} . ${insideNodePort} }`]),
      ...(outsidePort === 0 ? [] : [`outside_ports { ${protocol} . ${outsidePort} : drop }`]),
    ];
  }
  const verdict = `goto ${chainOf(port)}`;
  return [
    ...guarded,
    ...[...clusterIps, ...insideIps].map((ip) => `services { ${at(ip)} : ${verdict} }`),
    ...outsideIps.map((ip) => `outside { ${at(ip)} : ${verdict} }`),
    ...(insideNodePort === 0 ? [] : [`node_ports { ${protocol} . ${insideNodePort} : ${verdict} }`]),
    ...(outsidePort === 0 ? [] : [`outside_ports { ${protocol} . ${outsidePort} : ${verdict} }`]),
  ];
};

/** The element without what it maps to, as a deletion wants it. */
const keyOf = (element: string): string => element.replace(/ : (?:goto |jump |drop)\S*/, '');

const rulesOf = (port: ServicePort): readonly string[] => {
  const { endpoints, affinitySeconds } = port;
  const count = endpoints.length;
  const target = ({ ip, port: number }: Endpoint): string => `${ip} . ${number}`;
  if (affinitySeconds === 0) {
    if (count === 1) return [`meta l4proto ${protocolOf(port)} dnat ip to ${endpoints[0]!.ip}:${endpoints[0]!.port}`];
    return [`meta l4proto ${protocolOf(port)} dnat ip to numgen inc mod ${count} map { ${endpoints.map((endpoint, index) => `${index} : ${target(endpoint)}`).join(', ')} }`];
  }
  const sticky = stickyOf(port);
  return [
    ...sticky.map((one) => `ip saddr @${one.set} goto ${one.chain}`),
    `numgen inc mod ${count} vmap { ${sticky.map((one, index) => `${index} : goto ${one.chain}`).join(', ')} }`,
  ];
};

/** The chain that lets a guard's clients return to what follows. Another list is another chain, so that no packet meets half of one. */
const guardOf = ({ name, protocol, guard }: ServicePort): { readonly ips: readonly string[]; readonly chain: string; readonly rules: readonly string[] } | undefined => (guard === undefined ? undefined : {
  ips: guard.ips, chain: `from-${hash(`${name}/${protocol}/${guard.ranges.join()}`)}`, rules: [...guard.ranges.map((range) => `ip saddr ${range} return`), 'drop'],
});

// Affinity: each endpoint has a set of the clients that are its own and a chain that renews the client's entry. Sets of
// endpoints that stay are kept over a change, and with them their clients.

interface Sticky {
  readonly set: string;
  readonly chain: string;
  readonly endpoint: Endpoint;
}

const stickyOf = (port: ServicePort): readonly Sticky[] => {
  if (port.affinitySeconds === 0) return [];
  return port.endpoints.map((endpoint) => {
    const id = hash(`${port.name}/${port.protocol}/${port.affinitySeconds}/${endpoint.ip}:${endpoint.port}`);
    return { set: `clients-${id}`, chain: `ep-${id}`, endpoint };
  });
};

const stickyMade = ({ set, chain, endpoint }: Sticky, port: ServicePort): readonly string[] => [
  `add set ${family} ${set} { type ipv4_addr; flags dynamic,timeout; timeout ${port.affinitySeconds}s; size 65535; }`,
  `add chain ${family} ${chain}`,
  `add rule ${family} ${chain} update @${set} { ip saddr }`,
  `add rule ${family} ${chain} meta l4proto ${protocolOf(port)} dnat ip to ${endpoint.ip}:${endpoint.port}`,
];

const stickyGone = ({ set, chain }: Sticky): readonly string[] => [
  `flush chain ${family} ${chain}`, `delete chain ${family} ${chain}`, `delete set ${family} ${set}`,
];

/** Elements that stand once however many service ports want them. */
const sharedElementsOf = (table: ServiceTable): ReadonlySet<string> => new Set([...table.values()].flatMap(({ endpoints, outsideIps }) => [
  ...endpoints.map(({ ip }) => `hairpin { ${ip} . ${ip} }`), ...outsideIps.map((ip) => `public { ${ip} }`),
]));
