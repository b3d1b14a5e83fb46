/**
 * Which links, routes and neighbours make the pods of all nodes one flat network. Pure.
 *
 * A node has one device and each peer three entries: a route (its pods are behind its next hop), a neighbour (the next hop's
 * MAC) and a forwarding entry (the node's address at which that MAC is). So a packet finds its way by three exact look-ups,
 * nothing is asked by ARP, flooded or learnt, and the entries grow with the nodes and not with the pods. flannel came to the
 * same after entries for each pod and ARP answered in user space. Next hop and MAC follow from a node's pod addresses, which
 * no two nodes share: nobody has to publish them. A peer on the node's own link needs only a route to its address.
 */
import type { Peer, Self } from './overlay.ts';
import type { ForwardingState, KernelNetwork, LinkState, NeighbourState, RouteState } from './kernel-network.ts';
import { contains, hexParts, overlaps, parseSubnet } from './subnets.ts';

/**
 * The port that the kernel and flannel use; the number of the network is neither flannel's (1) nor Docker's (4096 and up).
 * `protocol` marks our routes among others (`ip route show proto 97`). Headers of Ethernet, IP, UDP and VXLAN take 50 bytes.
 */
export const vxlan = { device: 'barge-vxlan', vni: 2_794, port: 8_472, protocol: '97', overheadBytes: 50 } as const;

/** Of routes for addresses that no node has: any other route to them goes first. */
const lastMetric = 4_278_198_272;
/** RTN_UNREACHABLE, as `ip -N` shows it. */
const unreachableType = '7';

/** A route that the overlay wants. */
export type RouteWanted =
  | { readonly to: string; readonly via: string; readonly device: string }
  | { readonly to: string; readonly unreachable: true };

export type Step =
  | { readonly do: 'delete-route'; readonly route: RouteWanted }
  | { readonly do: 'delete-device' }
  | { readonly do: 'add-device'; readonly mac: string; readonly mtuBytes: number; readonly localIp: string }
  | { readonly do: 'set-mtu'; readonly mtuBytes: number }
  | { readonly do: 'add-address' | 'delete-address'; readonly address: string }
  | { readonly do: 'up' }
  | { readonly do: 'set-neighbour' | 'delete-neighbour'; readonly neighbour: NeighbourState }
  | { readonly do: 'set-forwarding' | 'delete-forwarding'; readonly forwarding: ForwardingState }
  | { readonly do: 'set-route'; readonly route: RouteWanted };

export interface OverlayPlan {
  readonly steps: readonly Step[];
  /** Peers whose pods are reached when the steps are done. */
  readonly reached: readonly Peer[];
  /** Peers that are left out, with the reason. */
  readonly refused: readonly { readonly nodeName: string; readonly why: string }[];
}

export interface OverlayInput {
  readonly self: Self;
  readonly peers: readonly Peer[];
  /** Of packets between pods. */
  readonly mtuBytes: number;
  /** False where a link may not carry packets of pods as they are, as in clouds that check addresses. */
  readonly direct: boolean;
}

/** The MAC of a node's device: local (its second bit), and the node's own since its pod addresses are. */
export const macOf = (podCidr: string): string => ['0e', 'b1', ...hexParts(parseSubnet(podCidr).firstIp)].join(':');

/** The address of a node's device, and the next hop for its pods: the network's own, which no pod gets. */
export const nextHopOf = (podCidr: string): string => parseSubnet(podCidr).firstIp;

/** Steps from what the kernel has to what these peers need; none when all is right. Without peers nothing of ours is left. */
export const planOverlay = ({ self, peers, mtuBytes, direct }: OverlayInput, kernel: KernelNetwork): OverlayPlan => {
  const { reached, refused } = accept(self, peers, kernel);
  const device = kernel.links.find(({ name }) => name === vxlan.device);
  const wantsDevice = reached.length > 0;
  const fresh = wantsDevice && (device === undefined || !isRight(device, self));
  const gone = device !== undefined && (fresh || !wantsDevice);
  // With the device go its entries and routes.
  const has = gone ? { neighbours: [], forwarding: [], routes: kernel.routes.filter((route) => route.device !== vxlan.device) } : kernel;

  const ways = reached.map((peer) => ({ peer, link: direct ? linkTo(peer.nodeIp, kernel) : undefined }));
  const tunnelled = ways.flatMap(({ peer, link }) => (link === undefined ? [peer] : []));
  const routes: readonly RouteWanted[] = reached.length === 0 ? [] : [
    ...ways.map(({ peer, link }) => (link === undefined
      ? { to: peer.podCidr, via: nextHopOf(peer.podCidr), device: vxlan.device }
      : { to: peer.podCidr, via: peer.nodeIp, device: link.name })),
    // Packets to pods of a node that has gone must not leave by the default route.
    { to: self.clusterCidr, unreachable: true },
  ];
  const neighbours = tunnelled.map(({ podCidr }) => ({ ip: nextHopOf(podCidr), mac: macOf(podCidr) }));
  const forwarding = tunnelled.map(({ podCidr, nodeIp }) => ({ mac: macOf(podCidr), nodeIp }));
  const own = has.routes.filter(isOurs);
  return {
    reached, refused,
    steps: [
      ...own.filter((route) => !routes.some(({ to }) => to === route.to)).map((route): Step => ({ do: 'delete-route', route: wantedOf(route) })),
      ...(gone ? [{ do: 'delete-device' } as const] : []),
      ...(wantsDevice ? deviceSteps(fresh ? undefined : device, self, mtuBytes) : []),
      // What replaces an entry has its key; only keys that nobody wants any more are deleted.
      ...has.neighbours.filter(({ ip }) => !neighbours.some((one) => one.ip === ip)).map((neighbour): Step => ({ do: 'delete-neighbour', neighbour })),
      ...neighbours.filter(({ ip, mac }) => !has.neighbours.some((one) => one.ip === ip && one.mac === mac)).map((neighbour): Step => ({ do: 'set-neighbour', neighbour })),
      ...has.forwarding.filter(({ mac }) => !forwarding.some((one) => one.mac === mac)).map((one): Step => ({ do: 'delete-forwarding', forwarding: one })),
      ...forwarding.filter(({ mac, nodeIp }) => !has.forwarding.some((one) => one.mac === mac && one.nodeIp === nodeIp)).map((one): Step => ({ do: 'set-forwarding', forwarding: one })),
      ...routes.filter((route) => !own.some((one) => isSame(one, route))).map((route): Step => ({ do: 'set-route', route })),
    ],
  };
};

/** Steps after which nothing of ours is left in the kernel. */
export const planRemoval = (kernel: KernelNetwork): readonly Step[] =>
  planOverlay({ self: { nodeName: '', nodeIp: '', podCidr: '', clusterCidr: '', serviceCidr: '' }, peers: [], mtuBytes: 0, direct: true }, kernel).steps;

const accept = (self: Self, peers: readonly Peer[], kernel: KernelNetwork): Pick<OverlayPlan, 'reached' | 'refused'> => {
  const reached: Peer[] = [];
  const refused: { nodeName: string; why: string }[] = [];
  for (const peer of peers) {
    const why = whyNot(peer, { self, reached, kernel });
    if (why === undefined) reached.push(peer);
    else refused.push({ nodeName: peer.nodeName, why });
  }
  return { reached, refused };
};

interface Around { readonly self: Self; readonly reached: readonly Peer[]; readonly kernel: KernelNetwork }

/** A node's object may say anything; it must not draw traffic to itself that is not its pods'. */
const whyNot = ({ podCidr, nodeIp }: Peer, { self, reached, kernel }: Around): string | undefined => {
  try {
    parseSubnet(podCidr);
  } catch (error) {
    return (error as Error).message;
  }
  if (!contains(self.clusterCidr, podCidr)) return `its pod addresses ${podCidr} are none of the cluster's ${self.clusterCidr}`;
  if (overlaps(podCidr, self.podCidr)) return `its pod addresses ${podCidr} overlap this node's ${self.podCidr}`;
  const other = reached.find((one) => overlaps(one.podCidr, podCidr));
  if (other !== undefined) return `its pod addresses ${podCidr} overlap those of node ${other.nodeName}, ${other.podCidr}`;
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(nodeIp)) return `its address ${nodeIp} is not of IPv4`;
  if (nodeIp.startsWith('127.') || kernel.links.some(({ addresses }) => addresses.some((one) => one.startsWith(`${nodeIp}/`)))) return `its address ${nodeIp} is this machine's own`;
  const foreign = kernel.routes.find((route) => route.to === podCidr && !isOurs(route) && route.metric === 0);
  if (foreign !== undefined) return `there is a route to ${podCidr} already that is not barge's (dev ${foreign.device ?? '-'}, protocol ${foreign.protocol})`;
  return undefined;
};

const isOurs = ({ protocol }: RouteState): boolean => protocol === vxlan.protocol;

const isRight = ({ mac, vxlan: is }: LinkState, { podCidr, nodeIp }: Self): boolean =>
  is?.vni === vxlan.vni && is.port === vxlan.port && is.localIp === nodeIp && !is.learning && mac === macOf(podCidr);

const deviceSteps = (device: LinkState | undefined, { podCidr, nodeIp }: Self, mtuBytes: number): readonly Step[] => {
  const address = `${nextHopOf(podCidr)}/32`;
  const stands = device?.addresses ?? [];
  return [
    ...(device === undefined ? [{ do: 'add-device', mac: macOf(podCidr), mtuBytes, localIp: nodeIp } as const] : []),
    ...(device !== undefined && device.mtuBytes !== mtuBytes ? [{ do: 'set-mtu', mtuBytes } as const] : []),
    ...stands.filter((one) => one !== address).map((one): Step => ({ do: 'delete-address', address: one })),
    ...(stands.includes(address) ? [] : [{ do: 'add-address', address } as const]),
    ...(device?.up === true ? [] : [{ do: 'up' } as const]),
  ];
};

/** The link on which an address is reached without a router; undefined where there is none, or none that finds neighbours. */
const linkTo = (nodeIp: string, { links, routes }: KernelNetwork): LinkState | undefined => {
  const fitting = routes.filter((route) => !isOurs(route) && contains(route.to, nodeIp));
  const [best] = fitting.toSorted((a, b) => bitsOf(b.to) - bitsOf(a.to) || a.metric - b.metric);
  if (best === undefined || best.type !== 'unicast' || best.via !== undefined) return undefined;
  return links.find(({ name, hasNeighbours }) => name === best.device && hasNeighbours);
};

const bitsOf = (cidr: string): number => Number(cidr.split('/')[1]);

const wantedOf = ({ to, type, via, device }: RouteState): RouteWanted =>
  (type === unreachableType ? { to, unreachable: true } : { to, via: via ?? '', device: device ?? '' });

const isSame = (stands: RouteState, wanted: RouteWanted): boolean => {
  const one = wantedOf(stands);
  if (one.to !== wanted.to) return false;
  return 'unreachable' in one || 'unreachable' in wanted ? 'unreachable' in one && 'unreachable' in wanted : one.via === wanted.via && one.device === wanted.device;
};

/** A step as a line for `ip -batch` or `bridge -batch`. */
export const lineOf = (step: Step): { readonly program: 'ip' | 'bridge'; readonly line: string } => {
  const dev = `dev ${vxlan.device}`;
  const ip = (line: string): { readonly program: 'ip'; readonly line: string } => ({ program: 'ip', line });
  switch (step.do) {
    case 'add-device': return ip(`link add ${vxlan.device} address ${step.mac} mtu ${step.mtuBytes} type vxlan id ${vxlan.vni} dstport ${vxlan.port} local ${step.localIp} nolearning`);
    case 'delete-device': return ip(`link delete ${dev}`);
    case 'set-mtu': return ip(`link set ${dev} mtu ${step.mtuBytes}`);
    case 'add-address': return ip(`address add ${step.address} ${dev}`);
    case 'delete-address': return ip(`address delete ${step.address} ${dev}`);
    case 'up': return ip(`link set ${dev} up`);
    case 'set-neighbour': return ip(`neighbour replace ${step.neighbour.ip} lladdr ${step.neighbour.mac} ${dev} nud permanent`);
    case 'delete-neighbour': return ip(`neighbour delete ${step.neighbour.ip} ${dev}`);
    case 'set-forwarding': return { program: 'bridge', line: `fdb replace ${step.forwarding.mac} ${dev} dst ${step.forwarding.nodeIp} self permanent` };
    case 'delete-forwarding': return { program: 'bridge', line: `fdb delete ${step.forwarding.mac} ${dev} dst ${step.forwarding.nodeIp} self` };
    case 'set-route': return ip(`route replace ${routeText(step.route)}`);
    case 'delete-route': return ip(`route delete ${routeText(step.route)}`);
  }
};

const routeText = (route: RouteWanted): string => ('unreachable' in route
  ? `unreachable ${route.to} proto ${vxlan.protocol} metric ${lastMetric}`
  // `onlink`: the overlay's next hop is in no network of the device.
  : `${route.to} via ${route.via} dev ${route.device} ${route.device === vxlan.device ? 'onlink ' : ''}proto ${vxlan.protocol}`);
