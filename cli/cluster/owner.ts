import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPair, writePrivate } from '../../base/pki-files.ts';
import { joinedAuthority } from './join/membership.ts';

/**
 * Marks everything that a cluster makes on an engine: the digest of its first CA. Two clusters on one engine stay apart. The mark
 * is noted at the first start and stays: CAs are replaced, and what was made under an earlier one is still the cluster's.
 */
export const ownerOf = (ca: string): string => createHash('sha256').update(ca).digest('hex').slice(0, 16);

const fileOf = (dataDir: string): string => join(dataDir, 'agent', 'owner');

/**
 * The owner mark of the node that keeps its state in this folder: the one that is noted there, else that of the CA. It is noted,
 * so that it lasts, and that the node can be reset where the cluster's CA is elsewhere.
 */
export const keepOwner = async (dataDir: string, ca: string): Promise<string> => {
  const owner = await readOwner(dataDir) ?? ownerOf(ca);
  await mkdir(join(dataDir, 'agent'), { recursive: true, mode: 0o700 });
  await writePrivate(fileOf(dataDir), `${owner}\n`);
  return owner;
};

/** The owner mark of the cluster that a data folder has, or has joined; undefined where there has never been one. */
export const readOwner = async (dataDir: string): Promise<string | undefined> => {
  const noted = (await readFile(fileOf(dataDir), 'utf8').catch(() => '')).trim();
  if (/^[0-9a-f]{16}$/.test(noted)) return noted;
  const ca = await readPair(join(dataDir, 'pki'), 'ca');
  const cert = ca?.cert ?? await joinedAuthority(dataDir);
  return cert === undefined ? undefined : ownerOf(cert);
};
