/** Backslashes in the strings and bytes of expressions. */

const plain: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', "'": "'", '"': '"', '`': '`', '?': '?' };

const escape = /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([abfnrtv\\'"`?])|([^]?))/g;

/** The text that a literal means. Throws RangeError for an escape that there is not. */
export const unescapeText = (text: string): string =>
  text.includes('\\') ? text.replaceAll(escape, (all, x?: string, X?: string, u?: string, U?: string, octal?: string, sign?: string) => {
    if (sign !== undefined) return plain[sign]!;
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    const hex = x ?? X ?? u ?? U;
    if (hex === undefined) throw new RangeError(`${JSON.stringify(all)} is no escape`);
    const code = Number.parseInt(hex, 16);
    if (code > 0x10_ff_ff || (code >= 0xd8_00 && code <= 0xdf_ff)) throw new RangeError(`${JSON.stringify(all)} is no Unicode character`);
    return String.fromCodePoint(code);
  }) : text;

/** The bytes that a literal means: characters as UTF-8, escapes of one byte as that byte. Throws RangeError for an escape that there is not. */
export const unescapeBytes = (text: string): Uint8Array => {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const match of text.matchAll(escape)) {
    const [all, x, X, u, U, octal, sign] = match;
    if (u !== undefined || U !== undefined) throw new RangeError(`${JSON.stringify(all)} is no escape in bytes`);
    pieces.push(Buffer.from(text.slice(from, match.index)));
    const hex = x ?? X;
    if (sign !== undefined) pieces.push(Buffer.from(plain[sign]!));
    else if (octal !== undefined) pieces.push(Buffer.from([Number.parseInt(octal, 8)]));
    else if (hex !== undefined) pieces.push(Buffer.from([Number.parseInt(hex, 16)]));
    else throw new RangeError(`${JSON.stringify(all)} is no escape`);
    from = match.index + all.length;
  }
  return new Uint8Array(Buffer.concat([...pieces, Buffer.from(text.slice(from))]));
};
