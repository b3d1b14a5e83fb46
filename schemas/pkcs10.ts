/**
 * Just enough of DER to see whether bytes are a PKCS#10 certificate request whose signature is right, and of which
 * organizations its subject wants to be.
 */
import { createPublicKey, verify } from 'node:crypto';

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** The element with its tag and length. */
  readonly whole: Buffer;
}

const sequence = 0x30;
const bitString = 0x03;
const objectIdentifier = 0x06;

/** The elements that stand one after the other in the bytes; undefined when they are no DER. */
const elementsIn = (bytes: Buffer): readonly Element[] | undefined => {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1];
    if (first === undefined || (tag & 0x1f) === 0x1f) return undefined;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) return undefined;
    const start = at + 2 + lengthBytes;
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    if (start + length > bytes.length) return undefined;
    found.push({ tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return found;
};

/** Digests of the signature algorithms, by the bytes of their identifier; null where the algorithm has its own. */
const digests: Readonly<Record<string, string | null>> = {
  '2a864886f70d010105': 'sha1', '2a864886f70d01010b': 'sha256', '2a864886f70d01010c': 'sha384', '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha1', '2a8648ce3d040302': 'sha256', '2a8648ce3d040303': 'sha384', '2a8648ce3d040304': 'sha512',
  '2b6570': null, '2b6571': null,
};

const malformed = 'asn1: the block is no PKCS#10 certificate request';

/** Why the bytes are no certificate request, or one that its key has not signed. */
const whyNotRequest = (der: Buffer): string | undefined => {
  const [request, ...rest] = elementsIn(der) ?? [];
  if (request?.tag !== sequence || rest.length > 0) return malformed;
  const [info, algorithm, signature, ...more] = elementsIn(request.content) ?? [];
  if (info?.tag !== sequence || algorithm?.tag !== sequence || signature?.tag !== bitString || signature.content[0] !== 0 || more.length > 0) return malformed;
  const [, , publicKey] = elementsIn(info.content) ?? [];
  const identifier = elementsIn(algorithm.content)?.[0];
  if (publicKey?.tag !== sequence || identifier?.tag !== objectIdentifier) return malformed;
  const name = identifier.content.toString('hex');
  if (!Object.hasOwn(digests, name)) return 'x509: the algorithm of the signature is not known';
  try {
    const key = createPublicKey({ key: publicKey.whole, format: 'der', type: 'spki' });
    return verify(digests[name] ?? null, info.whole, key, signature.content.subarray(1)) ? undefined : 'x509: the signature of the request is wrong';
  } catch {
    return 'x509: the public key of the request cannot be used';
  }
};

const pemBlock = /-----BEGIN ([^\n-]+)-----\r?\n([A-Za-z0-9+/=\s]*)-----END \1-----/;

/** The bytes of the first PEM block of a text, if it is one of the type. */
export const pemContent = (text: string, type: string): Buffer | undefined => {
  const [, found, base64 = ''] = pemBlock.exec(text) ?? [];
  return found === type ? Buffer.from(base64, 'base64') : undefined;
};

/** Why the text is not a certificate request in PEM, signed by the key that it names; undefined when it is. */
export const whyNotPkcs10 = (text: string): string | undefined => {
  const der = pemContent(text, 'CERTIFICATE REQUEST');
  return der === undefined ? 'PEM block type must be CERTIFICATE REQUEST' : whyNotRequest(der);
};

/** The attribute of a name that says of which organization its bearer is (2.5.4.10). */
const organization = '55040a';
const bmpString = 0x1e;

const textOf = ({ tag, content }: Element): string =>
  (tag === bmpString && content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : content.toString('utf8'));

/** The organizations in the subject of a request that `whyNotPkcs10` has nothing against. */
export const organizationsIn = (text: string): readonly string[] => {
  const within = (element: Element | undefined): readonly Element[] => (element === undefined ? [] : elementsIn(element.content) ?? []);
  const [request] = elementsIn(pemContent(text, 'CERTIFICATE REQUEST') ?? Buffer.alloc(0)) ?? [];
  const [info] = within(request);
  const [, subject] = within(info);
  return within(subject).flatMap(within).flatMap((attribute) => {
    const [type, value] = within(attribute);
    return value !== undefined && type?.content.toString('hex') === organization ? [textOf(value)] : [];
  });
};
