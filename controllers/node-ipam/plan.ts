/** Address ranges of pods: every node gets one subnet of the cluster's range. IPv4. */
import { isIPv4 } from 'node:net';
import { addressNumber, addressText } from '../ipv4.ts';

export interface Ipv4Range {
  readonly first: number;
  readonly bits: number;
}

export const rangeText = ({ first, bits }: Ipv4Range): string => `${addressText(first)}/${bits}`;

/** Reads `10.1.0.0/16`; undefined when the text is no IPv4 range. */
export const readRange = (text: string): Ipv4Range | undefined => {
  const [address = '', bitsText = '', ...more] = text.split('/');
  const bits = Number(bitsText);
  if (!isIPv4(address) || more.length > 0 || !/^\d{1,2}$/.test(bitsText) || bits > 32) return undefined;
  const value = addressNumber(address);
  const size = 2 ** (32 - bits);
  return { first: Math.floor(value / size) * size, bits };
};

/** The same for text that must be one: throws what would be right. */
export const parseRange = (text: string): Ipv4Range => {
  const range = readRange(text);
  if (range === undefined) throw new Error(`${JSON.stringify(text)} is not an IPv4 range such as 10.1.0.0/16`);
  return range;
};

const sizeOf = ({ bits }: Ipv4Range): number => 2 ** (32 - bits);

/** The lowest free subnet of the cluster's range, or undefined when all are taken. Ranges that are taken may be of any size. */
export const freeSubnet = (cluster: Ipv4Range, subnetBits: number, taken: Iterable<Ipv4Range>): Ipv4Range | undefined => {
  const size = 2 ** (32 - subnetBits);
  const count = 2 ** (subnetBits - cluster.bits);
  const used = new Set<number>();
  for (const range of taken) {
    const from = Math.floor((range.first - cluster.first) / size);
    const to = Math.floor((range.first + sizeOf(range) - 1 - cluster.first) / size);
    for (let index = Math.max(0, from); index <= Math.min(to, count - 1); index++) used.add(index);
  }
  for (let index = 0; index < count; index++) if (!used.has(index)) return { first: cluster.first + index * size, bits: subnetBits };
  return undefined;
};
