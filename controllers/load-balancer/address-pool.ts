import { isIPv4 } from 'node:net';
import { addressNumber, addressText } from '../ipv4.ts';

export interface AddressSpan {
  readonly first: number;
  readonly last: number;
}

/** Addresses that may be given to Services of type LoadBalancer. */
export class AddressPool {
  /** As it was written. */
  readonly text: string;
  readonly spans: readonly AddressSpan[];

  /** Reads networks and ranges with commas between them. Throws an Error that says what would be right. */
  constructor(text: string) {
    this.text = text;
    this.spans = text.split(',').map((part) => spanOf(part.trim()));
  }

  has(ip: string): boolean {
    if (!isIPv4(ip)) return false;
    const address = addressNumber(ip);
    return this.spans.some(({ first, last }) => address >= first && address <= last);
  }

  /** The first address that nobody holds; undefined when there is none. */
  free(isHeld: (ip: string) => boolean): string | undefined {
    for (const { first, last } of this.spans) {
      for (let address = first; address <= last; address++) {
        const ip = addressText(address);
        if (!isHeld(ip)) return ip;
      }
    }
    return undefined;
  }
}

/** `192.0.2.0/24` without the addresses of the network and of its broadcasts, which hosts of a link cannot have, or `192.0.2.10-192.0.2.20`. */
const spanOf = (text: string): AddressSpan => {
  const [start = '', end = '', ...more] = text.split(/[-/]/);
  const wrong = new Error(`${JSON.stringify(text)} is neither an IPv4 network written by its first address, such as 192.0.2.0/24, nor a range such as 192.0.2.10-192.0.2.20`);
  if (!isIPv4(start) || more.length > 0) throw wrong;
  const first = addressNumber(start);
  if (text.includes('-')) {
    if (!isIPv4(end) || addressNumber(end) < first) throw wrong;
    return { first, last: addressNumber(end) };
  }
  const size = 2 ** (32 - Number(end));
  if (!/^\d{1,2}$/.test(end) || Number(end) < 8 || size < 1 || first % size !== 0) throw wrong;
  return size <= 2 ? { first, last: first + size - 1 } : { first: first + 1, last: first + size - 2 };
};
