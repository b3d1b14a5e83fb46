/** ip('10.0.0.1') and cidr('10.0.0.0/8'): addresses as numbers. No zones, no IPv4 inside of IPv6, no leading zeros. */
import { isIP } from 'node:net';
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { CelOpaque } from '../values.ts';

type Family = 4 | 6;

const bitsOf: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

class CelIp extends CelOpaque {
  readonly typeName = 'net.IP';
  readonly family: Family;
  readonly number: bigint;

  constructor(family: Family, number: bigint) {
    super();
    this.family = family;
    this.number = number;
  }

  equals(other: CelOpaque): boolean {
    return other instanceof CelIp && other.family === this.family && other.number === this.number;
  }
}

class CelCidr extends CelOpaque {
  readonly typeName = 'net.CIDR';
  readonly ip: CelIp;
  readonly length: number;

  constructor(ip: CelIp, length: number) {
    super();
    this.ip = ip;
    this.length = length;
  }

  equals(other: CelOpaque): boolean {
    return other instanceof CelCidr && other.length === this.length && other.ip.equals(this.ip);
  }

  /** The address without the bits that are the host's. */
  get masked(): bigint {
    const free = BigInt(bitsOf[this.ip.family] - this.length);
    return (this.ip.number >> free) << free;
  }

  contains({ family, number }: CelIp): boolean {
    const free = BigInt(bitsOf[family] - this.length);
    return family === this.ip.family && number >> free === this.ip.number >> free;
  }
}

const fourNumber = (text: string): bigint => text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);

const sixNumber = (text: string): bigint => {
  const tail = /[^:]*$/.exec(text)![0];
  const plain = tail.includes('.') ? `${text.slice(0, -tail.length)}${(fourNumber(tail) >> 16n).toString(16)}:${(fourNumber(tail) & 0xffffn).toString(16)}` : text;
  const [front, back] = plain.split('::') as [string, string | undefined];
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(front), groups(back ?? '')];
  const all = back === undefined ? before : [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return all.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
};

const parseIp = (text: string): CelIp | undefined => {
  const family = isIP(text);
  if (family === 4) return new CelIp(4, fourNumber(text));
  if (family !== 6 || text.includes('%')) return undefined;
  const number = sixNumber(text);
  return number >> 32n === 0xffffn ? undefined : new CelIp(6, number);
};

const sixText = (number: bigint): string => {
  const groups = Array.from({ length: 8 }, (_, i) => ((number >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  const runs = [...groups.join(':').matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)];
  const longest = runs.reduce<RegExpExecArray | undefined>((best, run) => (best === undefined || run[0].length > best[0].length ? run : best), undefined);
  if (longest === undefined) return groups.join(':');
  const all = groups.join(':');
  return `${all.slice(0, longest.index).replace(/:$/, '')}::${all.slice(longest.index + longest[0].length).replace(/^:/, '')}`;
};

const textOf = ({ family, number }: CelIp): string =>
  family === 6 ? sixText(number) : [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');

const readIp = (text: string): CelIp => {
  const ip = parseIp(text);
  if (ip === undefined) throw new CelError(`IP Address ${JSON.stringify(text.slice(0, 64))} parse error during conversion from string`);
  return ip;
};

const parseCidr = (text: string): CelCidr | undefined => {
  const [, address = '', length = ''] = /^(.*)\/(0|[1-9]\d{0,2})$/s.exec(text) ?? [];
  const ip = parseIp(address);
  return ip === undefined || Number(length) > bitsOf[ip.family] ? undefined : new CelCidr(ip, Number(length));
};

const readCidr = (text: string): CelCidr => {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new CelError(`network address parse error during conversion from string: ${JSON.stringify(text.slice(0, 64))}`);
  return cidr;
};

const within = (...ranges: readonly string[]) => {
  const parsed = ranges.map((range) => parseCidr(range)!);
  return (ip: CelIp): boolean => parsed.some((range) => range.contains(ip));
};

const isUnspecified = within('0.0.0.0/32', '::/128');
const isLoopback = within('127.0.0.0/8', '::1/128');
const isLinkLocalUnicast = within('169.254.0.0/16', 'fe80::/10');
const isMulticast = within('224.0.0.0/4', 'ff00::/8');
const isLinkLocalMulticast = (ip: CelIp): boolean => within('224.0.0.0/24')(ip) || (ip.family === 6 && (ip.number >> 112n) & 0xff0fn) === 0xff02n;
const isBroadcast = within('255.255.255.255/32');

const holdsCidr = (outer: CelCidr, inner: CelCidr): boolean => outer.contains(inner.ip) && outer.length <= inner.length;

export const addresses: readonly CelFunction[] = [
  fn('ip(string): net.IP', readIp),
  fn('isIP(string): bool', (text: string) => parseIp(text) !== undefined),
  fn('ip::isCanonical(string): bool', (text: string) => textOf(readIp(text)) === text),
  fn('net.IP.family(): int', ({ family }: CelIp) => BigInt(family)),
  fn('net.IP.isUnspecified(): bool', isUnspecified),
  fn('net.IP.isLoopback(): bool', isLoopback),
  fn('net.IP.isLinkLocalMulticast(): bool', isLinkLocalMulticast),
  fn('net.IP.isLinkLocalUnicast(): bool', isLinkLocalUnicast),
  fn('net.IP.isGlobalUnicast(): bool', (ip: CelIp) => ![isUnspecified, isLoopback, isLinkLocalUnicast, isMulticast, isBroadcast].some((kind) => kind(ip))),
  fn('string(net.IP): string', textOf),
  fn('cidr(string): net.CIDR', readCidr),
  fn('isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined),
  fn('net.CIDR.containsIP(string): bool', (cidr: CelCidr, text: string) => cidr.contains(readIp(text))),
  fn('net.CIDR.containsIP(net.IP): bool', (cidr: CelCidr, ip: CelIp) => cidr.contains(ip)),
  fn('net.CIDR.containsCIDR(string): bool', (cidr: CelCidr, text: string) => holdsCidr(cidr, readCidr(text))),
  fn('net.CIDR.containsCIDR(net.CIDR): bool', holdsCidr),
  fn('net.CIDR.ip(): net.IP', ({ ip }: CelCidr) => ip),
  fn('net.CIDR.masked(): net.CIDR', (cidr: CelCidr) => new CelCidr(new CelIp(cidr.ip.family, cidr.masked), cidr.length)),
  fn('net.CIDR.prefixLength(): int', ({ length }: CelCidr) => BigInt(length)),
  fn('string(net.CIDR): string', ({ ip, length }: CelCidr) => `${textOf(ip)}/${length}`),
];
