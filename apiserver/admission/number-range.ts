import { isIPv4 } from 'node:net';

/**
 * A range out of which numbers are given, each to one holder. Those asked for by number tend to be low, so the ones that
 * the server picks itself come from above a band that is used up last.
 */
export interface NumberRange {
  readonly first: number;
  readonly count: number;
  /** How many of the lowest numbers are picked only when all others are gone. */
  readonly kept: number;
}

const between = (low: number, value: number, high: number): number => Math.min(Math.max(low, value), high);

/** Addresses of an IPv4 block as numbers, without the block's own and its broadcast address. The kept band is that of Kubernetes: 16 to 256 addresses. */
export const addressRange = (cidr: string): NumberRange => {
  const [address = '', bits = ''] = cidr.split('/');
  const length = Number(bits);
  if (!isIPv4(address) || !/^[0-9]{1,2}$/.test(bits) || length < 8 || length > 30) throw new Error(`the service range must be an IPv4 block of /8 to /30, such as 10.96.0.0/16; it is ${JSON.stringify(cidr)}`);
  const size = 2 ** (32 - length);
  const first = Math.floor(numberOf(address) / size) * size + 1;
  const count = size - 2;
  return { first, count, kept: count <= 16 ? 0 : between(16, Math.floor(size / 16), 256) };
};

/** Ports from one number to another, both included. The kept band is that of Kubernetes: 16 to 128 ports. */
export const portRange = ({ from, to }: { readonly from: number; readonly to: number }): NumberRange => {
  const count = to - from + 1;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 1 || to > 65535 || count < 1) throw new Error(`the node port range must lie within 1 to 65535; it is ${from} to ${to}`);
  return { first: from, count, kept: count <= 16 ? 0 : between(16, Math.floor(count / 32), 128) };
};

export const contains = ({ first, count }: NumberRange, value: number): boolean => Number.isInteger(value) && value >= first && value < first + count;

/** A free number: a random place, and from there the next that is free. Undefined when all are taken. */
export const pick = ({ first, count, kept }: NumberRange, random: () => number, isTaken: (value: number) => boolean): number | undefined =>
  pickWithin(first + kept, count - kept, random, isTaken) ?? pickWithin(first, kept, random, isTaken);

const pickWithin = (first: number, count: number, random: () => number, isTaken: (value: number) => boolean): number | undefined => {
  const start = Math.floor(random() * count);
  for (let step = 0; step < count; step++) {
    const value = first + ((start + step) % count);
    if (!isTaken(value)) return value;
  }
  return undefined;
};

/** An IPv4 address as a number, and back. */
export const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
export const addressOf = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
