/**
 * Writes DER, the encoding of X.509: each value is a tag, a length and its bytes. Only what certificates need is here,
 * which is little enough to read in one go and to keep a tree of ASN.1 packages out of every start.
 */

const lengthOf = (length: number): Buffer => {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
};

/** One value: tag, length, contents. */
export const der = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
};

export const sequence = (...items: readonly Buffer[]): Buffer => der(0x30, ...items);
export const setOf = (...items: readonly Buffer[]): Buffer => der(0x31, ...items);
export const octets = (contents: Buffer): Buffer => der(0x04, contents);
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
export const truth: Buffer = der(0x01, Buffer.from([0xff]));
export const small = (value: number): Buffer => der(0x02, Buffer.from([value]));

/** Context-specific tag `[n]`; constructed where it wraps other values. */
export const tagged = (n: number, contents: Buffer, constructed: boolean): Buffer => der((constructed ? 0xa0 : 0x80) | n, contents);

/** A positive integer of any size, from its big-endian bytes. */
export const positive = (bytes: Buffer): Buffer => {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first < 0 ? Buffer.from([0]) : bytes.subarray(first);
  return der(0x02, (shortest[0]! & 0x80) === 0 ? shortest : Buffer.concat([Buffer.from([0]), shortest]));
};

/** Bits with a count of unused ones at the end. */
export const bits = (contents: Buffer, unused = 0): Buffer => der(0x03, Buffer.from([unused]), contents);

/** Named bits (KeyUsage): bit 0 is the highest of the first byte, zeros at the end are left out. Bits up to 7. */
export const namedBits = (numbers: readonly number[]): Buffer => {
  const byte = numbers.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return bits(Buffer.from([byte]), 7 - Math.max(...numbers));
};

/** An object identifier from its dotted form. */
export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let more = arc >>> 7; more > 0; more >>>= 7) groups.unshift(0x80 | (more & 0x7f));
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
};

/** UTCTime up to 2049, GeneralizedTime from 2050 on, as RFC 5280 asks; whole seconds. */
export const timeAt = (ms: number): Buffer => {
  const digits = new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '');
  return Number(digits.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(`${digits.slice(2)}Z`)) : der(0x18, Buffer.from(`${digits}Z`));
};

/** PEM with lines of 64 characters. */
export const pem = (label: string, contents: Buffer): string =>
  `-----BEGIN ${label}-----\n${contents.toString('base64').replaceAll(/(.{64})/g, '$1\n').trimEnd()}\n-----END ${label}-----\n`;
