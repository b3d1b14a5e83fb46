/**
 * Writes a set of files so that a reader sees all of the old ones or all of the new ones: the files lie in a folder of
 * their own, `..data` links to it, and what users see are links through `..data`. An update makes a new folder and moves
 * the one link.
 */
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Payload } from './payload.ts';

const dataLink = '..data';
/** For chown: leaves the user, or the group, as it is. */
const unchanged = -1 >>> 0;

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

const linkTarget = async (path: string): Promise<string | undefined> => {
  try {
    return await readlink(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

/** Whether the folder holds exactly these files with these modes, of these users. */
const holds = async (dir: string, payload: Payload, groupId: number | undefined): Promise<boolean> => {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  if (entries.filter((entry) => !entry.isDirectory()).length !== payload.size) return false;
  for (const [path, { data, mode, owner }] of payload) {
    try {
      const file = join(dir, path);
      const [have, stat] = await Promise.all([readFile(file), lstat(file)]);
      if (!have.equals(data) || (stat.mode & 0o777) !== wantedMode(mode, groupId) || stat.uid !== (owner ?? stat.uid)) return false;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }
  return true;
};

/** A group of the pod's must be able to read what is written for it. */
const wantedMode = (mode: number, groupId: number | undefined): number => (groupId === undefined ? mode : mode | 0o440) & 0o777;

/** Makes the folder show this payload. Answers whether anything changed. */
export const writeAtomically = async (dir: string, payload: Payload, groupId: number | undefined): Promise<boolean> => {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const old = await linkTarget(join(dir, dataLink));
  if (old !== undefined && await holds(join(dir, old), payload, groupId)) return false;
  // Not join: it would take the dots for the parent.
  const fresh = await mkdtemp(`${dir}/..`);
  await chmod(fresh, 0o755);
  for (const [path, { data, mode, owner }] of payload) {
    const file = join(fresh, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, data, { mode: 0o600, flag: 'wx' });
    if (owner !== undefined || groupId !== undefined) await chown(file, owner ?? unchanged, groupId ?? unchanged);
    await chmod(file, wantedMode(mode, groupId));
  }
  const name = fresh.slice(dir.length + 1);
  await symlink(name, join(dir, `${dataLink}_tmp`));
  await rename(join(dir, `${dataLink}_tmp`), join(dir, dataLink));
  const tops = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path));
  const shown = await readdir(dir);
  for (const top of tops) if (!shown.includes(top)) await symlink(join(dataLink, top), join(dir, top));
  for (const entry of shown) if (!entry.startsWith('..') && !tops.has(entry)) await rm(join(dir, entry), { recursive: true, force: true });
  // Leftovers of a write that was cut off go, too.
  for (const entry of await readdir(dir)) if (entry.startsWith('..') && entry !== dataLink && entry !== name) await rm(join(dir, entry), { recursive: true, force: true });
  return true;
};
