/**
 * Which addresses the API server may be sent to by an object of the cluster. Status fields are written by agents and by
 * whoever was given that right: what they say is believed only as far as the cluster gave it out.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';

type Family = 'ipv4' | 'ipv6';

const listOf = (family: Family, ranges: readonly (readonly [string, number])[]): BlockList => {
  const list = new BlockList();
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, family);
  return list;
};

/** One list for each family: Node takes an IPv4 address for part of `::ffff:0:0/96`. */
type Lists = Readonly<Record<Family, BlockList>>;

/** Never a target, whoever says so: what means no single other machine, and where clouds keep credentials. */
const never: Lists = {
  ipv4: listOf('ipv4', [
    ['0.0.0.0', 8], ['169.254.0.0', 16], ['224.0.0.0', 4], ['240.0.0.0', 4],
    // Metadata services that have no link-local address.
    ['100.100.100.200', 32], ['192.0.0.0', 24],
  ]),
  ipv6: listOf('ipv6', [
    ['::', 128], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8], ['fd00:ec2::', 32],
    // IPv4 in the clothes of IPv6.
    ['::', 96], ['::ffff:0:0', 96], ['64:ff9b::', 96], ['2002::', 16],
  ]),
};
const loopback: Lists = { ipv4: listOf('ipv4', [['127.0.0.0', 8]]), ipv6: listOf('ipv6', [['::1', 128]]) };

const familyOf = (address: string): Family => (isIPv4(address) ? 'ipv4' : 'ipv6');

const isIn = (lists: Lists, address: string): boolean => lists[familyOf(address)].check(address, familyOf(address));

/**
 * Why a node's agent may not be looked for at an address; undefined when it may. Loopback is allowed: an agent shows a
 * certificate of the cluster's CA, and nothing else that listens there does.
 */
export const whyNoAgentAddress = (address: string): string | undefined => {
  if (isIP(address) === 0) return `${JSON.stringify(address.slice(0, 64))} is no IP address`;
  if (isIn(loopback, address)) return undefined;
  return isIn(never, address) ? `${address} is link-local, multicast, unspecified or reserved` : undefined;
};

/** Why nothing may be proxied to an address; undefined when it may. */
export const whyNoProxyAddress = (address: string): string | undefined =>
  whyNoAgentAddress(address) ?? (isIn(loopback, address) ? `${address} is a loopback address` : undefined);

const within = (cidr: string, address: string): boolean => {
  const [base = '', bits = ''] = cidr.split('/');
  if (isIP(base) === 0 || isIP(address) !== isIP(base) || !/^\d{1,3}$/.test(bits) || Number(bits) > (isIPv4(base) ? 32 : 128)) return false;
  return listOf(familyOf(base), [[base, Number(bits)]]).check(address, familyOf(address));
};

const declares = ({ spec }: Pod, port: number): boolean =>
  [...spec.containers, ...(spec.initContainers ?? [])].some(({ ports = [] }) => ports.some(({ containerPort, protocol = 'TCP' }) => containerPort === port && protocol === 'TCP'));

/**
 * Why an address and port are not a pod's; undefined when they are. A pod's own address lies in the range that the cluster
 * gave to its node. A pod on the network of its node has the node's address, of which only the ports are the pod's that it
 * declares: what else listens on the node is no part of it.
 */
export const whyNotOfPod = (pod: Pod, node: Node | undefined, { address, port }: { readonly address: string; readonly port: number }): string | undefined => {
  const why = whyNoProxyAddress(address);
  if (why !== undefined) return why;
  const name = JSON.stringify(pod.metadata.name);
  if (pod.spec.hostNetwork === true) {
    if (node?.status?.addresses?.some((one) => one.address === address) !== true) return `${address} is no address of the node of pod ${name}`;
    return declares(pod, port) ? undefined : `pod ${name} is on the network of its node and declares no port ${port}`;
  }
  const ranges = node?.spec?.podCIDRs ?? [];
  return ranges.some((range) => within(range, address)) ? undefined : `${address} is not in the address range of the node of pod ${name}`;
};
