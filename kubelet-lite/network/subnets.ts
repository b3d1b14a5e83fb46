/** IPv4 networks as the node's network needs them. Pure. */
export interface Subnet {
  /** `10.244.0.0/24`, written by its first address. */
  readonly cidr: string;
  /** The network's own address: never a pod's. */
  readonly firstIp: string;
  /** The first address that can be given out: the node's own on the pods' bridge. */
  readonly gatewayIp: string;
  readonly bits: number;
}

/** Reads an IPv4 network that has room for a gateway and a pod; throws with what would be right. */
export const parseSubnet = (cidr: string): Subnet => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  const parts = match === null ? [] : match.slice(1, 5).map(Number);
  const bits = Number(match?.[5] ?? 33);
  const first = parts.reduce((sum, part) => sum * 256 + part, 0);
  if (match === null || parts.some((part) => part > 255) || bits > 30 || bits < 8) throw new Error(`${JSON.stringify(cidr)} is no pod network; write one such as 10.244.0.0/24, from /8 to /30`);
  if (first % 2 ** (32 - bits) !== 0) throw new Error(`${cidr} does not start its network; write ${addressText(first - first % 2 ** (32 - bits))}/${bits}`);
  return { cidr, firstIp: addressText(first), gatewayIp: addressText(first + 1), bits };
};

/** True when two networks share an address. */
export const overlaps = (a: string, b: string): boolean => {
  const [x, y] = [rangeOf(a), rangeOf(b)];
  return x.start < y.start + y.size && y.start < x.start + x.size;
};

/** True when the inner network, or address, is part of the outer one. */
export const contains = (outer: string, inner: string): boolean => {
  const [x, y] = [rangeOf(outer), rangeOf(inner)];
  return x.start <= y.start && y.start + y.size <= x.start + x.size;
};

/** The hexadecimal digits of an address, two for each part. */
export const hexParts = (address: string): readonly string[] => address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));

/** `10.1.0.0/16`, or one address. */
const rangeOf = (cidr: string): { readonly start: number; readonly size: number } => {
  const [address = '', bits = '32'] = cidr.split('/');
  const start = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return { start: start - start % size, size };
};

const addressText = (address: number): string => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
