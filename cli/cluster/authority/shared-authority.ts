/**
 * The authority of servers that share an etcd, as one note there: the certificates and the key of the authority that signs
 * now, sealed with a key that is derived from the one of service account tokens, which all servers of a cluster have and
 * nobody else. docs/design/authority.md says why it is that one.
 */
import { createCipheriv, createDecipheriv, createPrivateKey, hkdfSync, randomBytes } from 'node:crypto';
import type { NoteValue } from '../../../apiserver/storage/etcd/note.ts';
import { foreignCluster } from '../same-cluster.ts';
import { authorityOf, type Authority, type AuthorityData } from './authority-files.ts';

/** What is needed of the store. */
export interface Note {
  read(): Promise<NoteValue | undefined>;
  write(value: string, revision: number): Promise<boolean>;
  follow(signal: AbortSignal): AsyncIterable<NoteValue>;
}

export interface SharedAuthorityOptions {
  readonly note: Note;
  /** Private key (PEM, P-256) of service account tokens. */
  readonly accountKey: string;
  /** For messages: where the note is. */
  readonly where: string;
}

/** An authority as it stood at a revision of the note. */
export interface StandingAuthority {
  readonly authority: Authority;
  readonly revision: number;
}

const algorithm = 'aes-256-gcm';

const sealingKey = (accountKey: string): Buffer => {
  const { d } = createPrivateKey(accountKey).export({ format: 'jwk' });
  if (d === undefined) throw new Error('service-account.key is no private key of an elliptic curve');
  return Buffer.from(hkdfSync('sha256', Buffer.from(d, 'base64url'), Buffer.alloc(0), 'barge: authority of the cluster', 32));
};

/** Words that only who has the key can read, or write. */
export const seal = (text: string, key: Buffer): string => {
  const iv = randomBytes(12);
  const cipher = createCipheriv(algorithm, key, iv);
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return JSON.stringify({ iv: iv.toString('base64'), tag: cipher.getAuthTag().toString('base64'), data: data.toString('base64') });
};

/** Throws where they were sealed with another key, or changed since. */
export const unseal = (sealed: string, key: Buffer): string => {
  const { iv, tag, data } = JSON.parse(sealed) as Record<'iv' | 'tag' | 'data', string>;
  const decipher = createDecipheriv(algorithm, key, Buffer.from(iv, 'base64'), { authTagLength: 16 }).setAuthTag(Buffer.from(tag, 'base64'));
  return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]).toString('utf8');
};

export class SharedAuthority {
  readonly #options: SharedAuthorityOptions;
  readonly #key: Buffer;

  constructor(options: SharedAuthorityOptions) {
    this.#options = options;
    this.#key = sealingKey(options.accountKey);
  }

  /** Undefined as long as the authority is the one that was made first, which each server has in its folder. */
  async read(): Promise<StandingAuthority | undefined> {
    const standing = await this.#options.note.read();
    return standing === undefined ? undefined : this.#open(standing);
  }

  /** Makes it the authority of all servers where it stands at that revision (0: where there is none). False where another server was faster. */
  replace({ data }: Authority, revision: number): Promise<boolean> {
    return this.#options.note.write(seal(JSON.stringify(data), this.#key), revision);
  }

  /** The authority as it is, and each that comes after it. */
  async *follow(signal: AbortSignal): AsyncGenerator<StandingAuthority, void> {
    for await (const standing of this.#options.note.follow(signal)) yield this.#open(standing);
  }

  #open({ value, revision }: NoteValue): StandingAuthority {
    try {
      return { authority: authorityOf(JSON.parse(unseal(value, this.#key)) as AuthorityData), revision };
    } catch (error) {
      throw foreignCluster(this.#options.where, error);
    }
  }
}
