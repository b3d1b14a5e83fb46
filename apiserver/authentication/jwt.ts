/**
 * JSON Web Tokens, as few of them as possible: one algorithm (ES256), keys by their id, and nothing else in a token's
 * header has a say. Which algorithm checks a signature is ours to know, never the token's to tell, so that neither
 * `alg: none` nor a public key that is passed off as a secret gets anywhere.
 */
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

/** Longer ones are no tokens of ours. */
const maxLength = 8_192;

export type Claims = Readonly<Record<string, unknown>>;

/** A public key as /openid/v1/jwks shows it. */
export interface JsonWebKey {
  readonly use: 'sig';
  readonly kty: 'EC';
  readonly kid: string;
  readonly alg: 'ES256';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

export interface SigningKey {
  readonly id: string;
  readonly jwk: JsonWebKey;
  sign(claims: Claims): string;
  /** The claims of a token that this key has signed, or why it is none. */
  verify(token: string): Claims | string;
}

const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The bytes of one part. Only the one spelling that encoding makes is taken: no padding, no stray bits. */
const bytesOf = (part: string): Buffer | undefined => {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : undefined;
};

const objectOf = (part: string): Readonly<Record<string, unknown>> | undefined => {
  const bytes = bytesOf(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
};

/** The claims of a token that nobody has checked yet, to tell what sort it is of. Undefined for what is no JWT. */
export const uncheckedClaims = (token: string): Claims | undefined => {
  if (token.length > maxLength) return undefined;
  const parts = token.split('.');
  return parts.length === 3 ? objectOf(parts[1]!) : undefined;
};

const thumbprint = ({ crv, kty, x, y }: { readonly crv: string; readonly kty: string; readonly x: string; readonly y: string }): string =>
  createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');

/** A key from its PEM. Throws when it is no private key on the curve P-256. */
export const signingKey = (pem: string): SigningKey => {
  const privateKey: KeyObject = createPrivateKey(pem);
  const { crv, kty, x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) throw new Error('tokens are signed with a private key on the curve P-256');
  const publicKey = createPublicKey(privateKey);
  const id = thumbprint({ crv, kty, x, y });
  const head = json({ alg: 'ES256', kid: id });
  return {
    id,
    jwk: { use: 'sig', kty, kid: id, alg: 'ES256', crv, x, y },
    sign: (claims) => {
      const text = `${head}.${json(claims)}`;
      return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    },
    verify: (token) => {
      const [first = '', second = '', third = ''] = token.split('.');
      const header = objectOf(first);
      if (header === undefined) return 'its header cannot be read';
      if (header['alg'] !== 'ES256') return 'it is not signed with ES256';
      if (header['kid'] !== id) return 'its key is not known';
      if ('crit' in header) return 'its header wants more than is known';
      const signature = bytesOf(third);
      if (signature === undefined || signature.length !== 64) return 'its signature cannot be read';
      if (!verify('sha256', Buffer.from(`${first}.${second}`), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)) return 'its signature is wrong';
      return uncheckedClaims(token) ?? 'its claims cannot be read';
    },
  };
};
