/**
 * What a machine is given to join: `BARGE-1-<authority>-<id>-<secret>`. The 1 is the version of this form. `authority` is the
 * SHA-256 of the public key of the cluster's authority, written to the base 36 in 50 digits: by it the machine knows the
 * server before it tells it anything. `id` and `secret` are a bootstrap token of Kubernetes, which would be written `id.secret`.
 */
import { createHash, randomInt, X509Certificate } from 'node:crypto';

export interface JoinToken {
  readonly authority: string;
  readonly id: string;
  readonly secret: string;
}

const digits = 'abcdefghijklmnopqrstuvwxyz0123456789';
const authorityLength = 50;

const random = (length: number): string => Array.from({ length }, () => digits[randomInt(digits.length)]).join('');

/** The pin of an authority: of its public key, so that a certificate which is written anew for the same key keeps it. */
export const authorityHash = (cert: string | Buffer | X509Certificate): string => {
  const { publicKey } = cert instanceof X509Certificate ? cert : new X509Certificate(cert);
  const digest = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex');
  return BigInt(`0x${digest}`).toString(36).padStart(authorityLength, '0');
};

/** An id and a secret of the length and letters that Kubernetes asks for: 31 and 82 bits. */
export const newBootstrapToken = (): Pick<JoinToken, 'id' | 'secret'> => ({ id: random(6), secret: random(16) });

export const printJoinToken = ({ authority, id, secret }: JoinToken): string => `BARGE-1-${authority}-${id}-${secret}`;

const form = /^BARGE-(\d+)-([a-z0-9]+)-([a-z0-9]+)-([a-z0-9]+)$/;

/** Reads a token. Throws an Error that says what is wrong with it, without repeating the secret. */
export const parseJoinToken = (text: string): JoinToken => {
  const [, version, authority = '', id = '', secret = ''] = form.exec(text.trim()) ?? [];
  if (version === undefined) throw new Error("the token is not of the form BARGE-1-AUTHORITY-ID-SECRET; 'barge token create' prints one");
  if (version !== '1') throw new Error(`the token is of version ${version}, and this barge knows version 1`);
  for (const [what, part, length] of [['authority', authority, authorityLength], ['id', id, 6], ['secret', secret, 16]] as const) {
    if (part.length !== length) throw new Error(`the token is not whole: its ${what} has ${part.length} letters, not ${length}`);
  }
  return { authority, id, secret };
};
