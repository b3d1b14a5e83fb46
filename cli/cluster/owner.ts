import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPair, writePrivate } from '../../base/pki-files.ts';
import { joinedAuthority } from './join/membership.ts';

/** Marks everything that a cluster makes on an engine: the digest of its CA. Two clusters on one engine stay apart. */
export const ownerOf = (ca: string): string => createHash('sha256').update(ca).digest('hex').slice(0, 16);

const fileOf = (dataDir: string): string => join(dataDir, 'agent', 'owner');

/** Notes whose node keeps its state in this folder, so that it can be reset where the cluster's CA is elsewhere. */
export const noteOwner = async (dataDir: string, owner: string): Promise<void> => {
  await mkdir(join(dataDir, 'agent'), { recursive: true, mode: 0o700 });
  await writePrivate(fileOf(dataDir), `${owner}\n`);
};

/** The owner mark of the cluster that a data folder has, or has joined; undefined where there has never been one. */
export const readOwner = async (dataDir: string): Promise<string | undefined> => {
  const noted = (await readFile(fileOf(dataDir), 'utf8').catch(() => '')).trim();
  if (/^[0-9a-f]{16}$/.test(noted)) return noted;
  const ca = await readPair(join(dataDir, 'pki'), 'ca');
  const cert = ca?.cert ?? await joinedAuthority(dataDir);
  return cert === undefined ? undefined : ownerOf(cert);
};
