/**
 * The authority of a cluster as its data folder keeps it. While it is being replaced, all that there is to know of that is in
 * one file, `rotation.json`, which appears and goes as a whole: with it the cluster has two authorities, without it one, and a
 * process that is killed in between any two steps starts again on one side or the other.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crossSign } from '../../../base/cross-signing.ts';
import { readPair, writePair, writePrivate } from '../../../base/pki-files.ts';
import { createCa, type CertificatePair } from '../../../base/pki.ts';

/** All that there is to know of an authority. */
export interface AuthorityData {
  readonly cert: string;
  readonly key: string;
  /** Certificate (PEM) of the one that signed before and is still trusted, and that of this one which it has signed; neither where none is being replaced. */
  readonly outgoing?: string | undefined;
  readonly cross?: string | undefined;
}

export interface Authority {
  readonly data: AuthorityData;
  /** Signs everything from now on. */
  readonly signer: CertificatePair;
  /** Certificate (PEM) of the one that signed before and is still trusted; undefined where none is being replaced. */
  readonly outgoing: string | undefined;
  /** PEM of all that are trusted, the signer first. */
  readonly trusted: string;
  /** PEM of what is shown after a certificate: whoever trusts any of the authorities finds to it. */
  readonly chain: string;
}

const lifetimeDays = 3_650;

const fileOf = (folder: string): string => join(folder, 'rotation.json');

/** Throws a TypeError for what is no authority, as when it comes from a file or another server. */
export const authorityOf = (data: AuthorityData): Authority => {
  const { cert, key, outgoing, cross } = data;
  if ([cert, key, outgoing ?? '', cross ?? ''].some((part) => typeof part !== 'string') || (outgoing === undefined) !== (cross === undefined)) {
    throw new TypeError('an authority has cert and key and, while another is being replaced, outgoing and cross');
  }
  const signer = { cert, key };
  if (outgoing === undefined || cross === undefined) return { data: signer, signer, outgoing: undefined, trusted: cert, chain: cert };
  return { data, signer, outgoing, trusted: `${cert}${outgoing}`, chain: `${cross}${outgoing}` };
};

const readRotation = async (folder: string): Promise<Authority | undefined> => {
  try {
    const authority = authorityOf(JSON.parse(await readFile(fileOf(folder), 'utf8')) as AuthorityData);
    if (authority.outgoing === undefined) throw new TypeError('outgoing and cross must be there');
    return authority;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${fileOf(folder)} cannot be read`, { cause: error });
  }
};

/** The authority of a folder; undefined where there has never been one. */
export const readAuthority = async (folder: string): Promise<Authority | undefined> => {
  const rotation = await readRotation(folder);
  if (rotation !== undefined) return rotation;
  const signer = await readPair(folder, 'ca');
  return signer === undefined ? undefined : authorityOf(signer);
};

/** Makes an authority the folder's. A process that is killed meanwhile leaves the one from before, or this one. */
export const keepAuthority = async (folder: string, { data, signer, outgoing }: Authority): Promise<void> => {
  if (outgoing !== undefined) {
    await writePrivate(fileOf(folder), `${JSON.stringify(data, undefined, 2)}\n`);
    return;
  }
  // As long as a rotation is there, the pair beside it is not read. Then the key of the one from before goes too.
  await writePair(folder, 'ca', signer);
  await rm(fileOf(folder), { force: true });
};

const newCa = (nowMs: number): Promise<CertificatePair> => createCa({ commonName: 'barge-ca', lifetimeDays, nowMs });

/** The authority of a folder, made where there is none. */
export const ensureAuthority = async (folder: string, nowMs: number): Promise<Authority> => {
  const kept = await readAuthority(folder);
  if (kept !== undefined) return kept;
  const made = authorityOf(await newCa(nowMs));
  await keepAuthority(folder, made);
  return made;
};

/** Makes the authority that comes after this one. Both have one name, by which clients find the certificate to show. */
export const nextAuthority = async ({ signer }: Authority, nowMs: number): Promise<Authority> => {
  const next = await newCa(nowMs);
  return authorityOf({ outgoing: signer.cert, ...next, cross: await crossSign({ ca: signer, next: next.cert }) });
};

/** The same without the one that is being replaced. */
export const aloneOf = ({ signer }: Authority): Authority => authorityOf(signer);
