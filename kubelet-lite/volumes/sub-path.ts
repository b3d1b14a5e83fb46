/**
 * subPath without a way out. A container may put a link into its volume, also between a check and the engine's mount, and
 * so have a part of the node mounted. Therefore: links are resolved first and must stay inside; then every part of the
 * result is opened without following links; and what is given to the engine is a bind mount of that open file, at a place
 * that no container can write.
 */
import { constants, type PathLike } from 'node:fs';
import { mkdir, open, realpath, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { ConfigError } from '../config-error.ts';
import type { Mounts } from './mounts.ts';

const code = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const inside = (root: string, path: string): boolean => path === root || path.startsWith(root + sep);

const opened = (path: PathLike): Promise<FileHandle> => open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);

/** False where there is something already. */
const makeFolder = async (path: string): Promise<boolean> => {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (code(error) === 'EEXIST') return false;
    throw error;
  }
};

/**
 * What is at the path; folders that are missing are made, one by one, through open folders. They are open to whom the
 * volume is: a user other than root writes to a part of it as to the whole.
 */
const openWithin = async (root: string, subPath: string): Promise<FileHandle> => {
  const base = await realpath(root);
  const wanted = join(base, subPath);
  let known = wanted;
  let missing: string[] = [];
  let real: string | undefined;
  while (real === undefined) {
    try {
      real = await realpath(known);
    } catch (error) {
      if (code(error) !== 'ENOENT') throw error;
      missing = [relative(dirname(known), known), ...missing];
      known = dirname(known);
    }
  }
  if (!inside(base, real)) throw new ConfigError(`subPath ${JSON.stringify(subPath)} leads out of the volume`);
  let handle = await opened(base);
  const mode = (await handle.stat()).mode & 0o7777;
  for (const [part, make] of [...relative(base, real).split(sep).filter((part) => part !== '').map((part) => [part, false] as const), ...missing.map((part) => [part, true] as const)]) {
    const path = `/proc/self/fd/${handle.fd}/${part}`;
    try {
      const made = make && await makeFolder(path);
      const next = await opened(path);
      await handle.close();
      handle = next;
      if (made) await handle.chmod(mode);
    } catch (error) {
      await handle.close();
      if (code(error) === 'ELOOP') throw new ConfigError(`subPath ${JSON.stringify(subPath)} was changed into a link while it was being mounted`);
      throw error;
    }
  }
  return handle;
};

/** Binds a part of a volume to `target`, and gives the target back. */
export const bindSubPath = async (mounts: Mounts, volume: string, subPath: string, target: string): Promise<string> => {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) throw new ConfigError(`subPath ${JSON.stringify(subPath)} must be a relative path without ".."`);
  if (!mounts.allowed) throw new ConfigError(`subPath ${JSON.stringify(subPath)} needs a bind mount, and so root`);
  const handle = await openWithin(volume, subPath);
  try {
    const found = await handle.stat();
    if ((await mounts.under(target)).length > 0) {
      // An update in place, or a container, may have put another file there: what was bound before is gone then.
      const bound = await stat(target);
      if (bound.dev === found.dev && bound.ino === found.ino) return target;
      await mounts.unmount(target);
    }
    const isDirectory = found.isDirectory();
    await mkdir(isDirectory ? target : dirname(target), { recursive: true });
    if (!isDirectory && !await stat(target).then(() => true, () => false)) await writeFile(target, '');
    await mounts.bind(`/proc/${process.pid}/fd/${handle.fd}`, target);
  } finally {
    await handle.close();
  }
  return target;
};
