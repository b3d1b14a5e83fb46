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

export interface Authority {
  /** Signs everything from now on. */
  readonly signer: CertificatePair;
  /** Certificate (PEM) of the one that signed before and is still trusted; undefined where none is being replaced. */
  readonly outgoing: string | undefined;
  /** PEM of all that are trusted, the signer first. */
  readonly trusted: string;
  /** PEM of what is shown after a certificate: whoever trusts any of the authorities finds to it. */
  readonly chain: string;
}

interface Rotation {
  readonly outgoing: string;
  readonly cert: string;
  readonly key: string;
  /** The new authority's certificate, signed by the outgoing one. */
  readonly cross: string;
}

const lifetimeDays = 3_650;

const fileOf = (folder: string): string => join(folder, 'rotation.json');

const alone = (signer: CertificatePair): Authority => ({ signer, outgoing: undefined, trusted: signer.cert, chain: signer.cert });

const replacing = ({ outgoing, cert, key, cross }: Rotation): Authority => ({ signer: { cert, key }, outgoing, trusted: `${cert}${outgoing}`, chain: `${cross}${outgoing}` });

const readRotation = async (folder: string): Promise<Rotation | undefined> => {
  try {
    const { outgoing, cert, key, cross } = JSON.parse(await readFile(fileOf(folder), 'utf8')) as Record<string, unknown>;
    if (typeof outgoing !== 'string' || typeof cert !== 'string' || typeof key !== 'string' || typeof cross !== 'string') throw new Error('outgoing, cert, key and cross must be there');
    return { outgoing, cert, key, cross };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${fileOf(folder)} cannot be read`, { cause: error });
  }
};

/** The authority of a folder; undefined where there has never been one. */
export const readAuthority = async (folder: string): Promise<Authority | undefined> => {
  const rotation = await readRotation(folder);
  if (rotation !== undefined) return replacing(rotation);
  const signer = await readPair(folder, 'ca');
  return signer === undefined ? undefined : alone(signer);
};

const newCa = (nowMs: number): Promise<CertificatePair> => createCa({ commonName: 'barge-ca', lifetimeDays, nowMs });

/** The authority of a folder, made where there is none. */
export const ensureAuthority = async (folder: string, nowMs: number): Promise<Authority> => {
  const kept = await readAuthority(folder);
  if (kept !== undefined) return kept;
  const signer = await newCa(nowMs);
  await writePair(folder, 'ca', signer);
  return alone(signer);
};

/** Makes the authority that comes after this one. Both have one name, by which clients find the certificate to show. */
export const beginReplacing = async (folder: string, { signer }: Authority, nowMs: number): Promise<Authority> => {
  const next = await newCa(nowMs);
  const rotation = { outgoing: signer.cert, ...next, cross: await crossSign({ ca: signer, next: next.cert }) };
  await writePrivate(fileOf(folder), `${JSON.stringify(rotation, undefined, 2)}\n`);
  return replacing(rotation);
};

/** Forgets the one that is being replaced, its key too. */
export const finishReplacing = async (folder: string, { signer }: Authority): Promise<Authority> => {
  // As long as the rotation is there, the pair beside it is not read.
  await writePair(folder, 'ca', signer);
  await rm(fileOf(folder), { force: true });
  return alone(signer);
};
