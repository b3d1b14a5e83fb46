/** What the kernel says of links, routes and neighbours, read from `ip` and `bridge` of iproute2. */
import { CommandFailed, type RunCommand } from '../../base/commands.ts';

export interface VxlanState {
  readonly vni: number;
  readonly port: number;
  readonly localIp: string;
  readonly learning: boolean;
}

export interface LinkState {
  readonly name: string;
  readonly mac: string;
  readonly mtuBytes: number;
  readonly up: boolean;
  /** True where neighbours are found by ARP, as on Ethernet; a tunnel or a point-to-point link has none. */
  readonly hasNeighbours: boolean;
  /** IPv4, with the length of their network: `192.0.2.11/24`. */
  readonly addresses: readonly string[];
  readonly vxlan?: VxlanState | undefined;
}

export interface RouteState {
  /** `10.244.1.0/24`; `0.0.0.0/0` for the default. */
  readonly to: string;
  readonly type: string;
  readonly via?: string | undefined;
  readonly device?: string | undefined;
  readonly protocol: string;
  readonly metric: number;
}

/** At which MAC a next hop of the overlay's device is. */
export interface NeighbourState { readonly ip: string; readonly mac: string }
/** At which node a MAC of the overlay's device is. */
export interface ForwardingState { readonly mac: string; readonly nodeIp: string }

/** IPv4 only. Neighbours and forwarding are the permanent entries of the overlay's own device. */
export interface KernelNetwork {
  readonly links: readonly LinkState[];
  readonly routes: readonly RouteState[];
  readonly neighbours: readonly NeighbourState[];
  readonly forwarding: readonly ForwardingState[];
}

interface AddressJson {
  readonly ifname: string;
  readonly address?: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly link_type: string;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { readonly id?: number; readonly port?: number; readonly local?: string; readonly learning?: boolean } };
  readonly addr_info?: readonly { readonly family?: string; readonly local?: string; readonly prefixlen?: number }[];
}
interface RouteJson { readonly dst: string; readonly type?: string; readonly gateway?: string; readonly dev?: string; readonly protocol?: string; readonly metric?: number }
interface NeighbourJson { readonly dst: string; readonly lladdr?: string; readonly state?: readonly string[] }
interface ForwardingJson { readonly mac: string; readonly dst?: string; readonly state?: string }

const json = async <T>(run: RunCommand, command: string, args: readonly string[]): Promise<readonly T[]> => {
  const result = await run(command, args);
  if (result.code !== 0) throw new CommandFailed(`${command} ${args.join(' ')}`, result);
  // Nothing to show is shown as nothing by some versions.
  const items = JSON.parse(result.stdout.trim() || '[]') as readonly T[];
  // Some versions leave an empty object where they show an object of another kind.
  return items.filter((item) => Object.keys(item as object).length > 0);
};

const linkOf = ({ ifname, address = '', mtu, flags, link_type, linkinfo, addr_info = [] }: AddressJson): LinkState => {
  const data = linkinfo?.info_kind === 'vxlan' ? linkinfo.info_data : undefined;
  return {
    name: ifname, mac: address, mtuBytes: mtu, up: flags.includes('UP'),
    hasNeighbours: link_type === 'ether' && !flags.includes('NOARP') && !flags.includes('POINTOPOINT'),
    addresses: addr_info.flatMap(({ family, local, prefixlen }) => (family === 'inet' && local !== undefined ? [`${local}/${prefixlen ?? 32}`] : [])),
    vxlan: data === undefined ? undefined : { vni: data.id ?? 0, port: data.port ?? 0, localIp: data.local ?? '', learning: data.learning ?? true },
  };
};

const routeOf = ({ dst, type = 'unicast', gateway, dev, protocol = 'boot', metric = 0 }: RouteJson): RouteState => ({
  to: dst === 'default' ? '0.0.0.0/0' : dst.includes('/') ? dst : `${dst}/32`, type, via: gateway, device: dev, protocol, metric,
});

/** The machine's links with their addresses. Rejects where `ip` is not installed. */
export const readLinks = async (run: RunCommand): Promise<readonly LinkState[]> => (await json<AddressJson>(run, 'ip', ['-json', '-details', 'address', 'show'])).map(linkOf);

/** Reads all that the overlay decides by. */
export const readKernelNetwork = async (run: RunCommand, device: string): Promise<KernelNetwork> => {
  const [links, routes] = await Promise.all([readLinks(run), json<RouteJson>(run, 'ip', ['-json', '-N', '-4', 'route', 'show', 'table', 'main'])]);
  const known = { links, routes: routes.map(routeOf) };
  if (!links.some(({ name }) => name === device)) return { ...known, neighbours: [], forwarding: [] };
  const [neighbours, forwarding] = await Promise.all([
    json<NeighbourJson>(run, 'ip', ['-json', '-4', 'neighbour', 'show', 'dev', device, 'nud', 'permanent']),
    json<ForwardingJson>(run, 'bridge', ['-json', 'fdb', 'show', 'dev', device]),
  ]);
  return {
    ...known,
    neighbours: neighbours.flatMap(({ dst, lladdr }) => (lladdr === undefined ? [] : [{ ip: dst, mac: lladdr }])),
    forwarding: forwarding.flatMap(({ mac, dst, state }) => (dst === undefined || state !== 'permanent' ? [] : [{ mac, nodeIp: dst }])),
  };
};
