/**
 * Takes a folder away with all that is in it, and nothing else, whatever somebody puts there in the meantime. A path that
 * is walked by name can be turned aside by a link that takes the place of a folder between two looks. Here every folder is
 * opened without following links, and what is in it is named through the open folder. A folder that is found is moved up
 * to the top before it is looked into: so no depth is too deep, none of it is left behind by an interruption, and a file
 * system that is mounted inside is never entered, for mount points cannot be moved.
 */
import { constants } from 'node:fs';
import { open, opendir, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

const code = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const opened = (path: string): Promise<FileHandle> => open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);

const within = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

const withFolder = async <T>(path: string, work: (folder: FileHandle) => Promise<T>): Promise<T> => {
  const folder = await opened(path);
  try {
    return await work(folder);
  } finally {
    await folder.close();
  }
};

/** Removes a file or link; false: it is a folder. */
const unlinked = async (path: string): Promise<boolean> => {
  try {
    await unlink(path);
  } catch (error) {
    if (code(error) === 'EISDIR') return false;
    if (code(error) !== 'ENOENT') throw error;
  }
  return true;
};

const namesIn = async function* (folder: FileHandle): AsyncIterable<string> {
  for await (const { name } of await opendir(`/proc/self/fd/${folder.fd}`, { bufferSize: 256 })) yield name;
};

/** Moves a folder up under a name that nothing has yet, and gives the name. */
const lifted = async (top: FileHandle, folder: FileHandle, name: string, next: () => string): Promise<string> => {
  for (;;) {
    const free = next();
    try {
      await rename(within(folder, name), within(top, free));
      return free;
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code(error) ?? '')) throw error;
    }
  }
};

/**
 * Removes the folder at the path. One that is not there is as good. Rejects when something stays, such as a mount point
 * or, without root, another user's file; what could be removed is gone then.
 */
export const removeTree = async (path: string): Promise<void> => {
  const absent = await withFolder(dirname(path), async (parent) => {
    let count = 0;
    const next = (): string => `.removing-${count++}`;
    try {
      await withFolder(within(parent, basename(path)), async (top) => {
        for await (const name of namesIn(top)) if (!await unlinked(within(top, name))) await emptied(top, name, next);
        // What was moved up while the listing went on may not have been listed.
        for (let left = await firstIn(top); left !== undefined; left = await firstIn(top)) if (!await unlinked(within(top, left))) await emptied(top, left, next);
      });
      return false;
    } catch (error) {
      if (code(error) === 'ENOENT') return true;
      throw error;
    }
  });
  if (!absent) await withFolder(dirname(path), (parent) => rmdir(within(parent, basename(path))));
};

const firstIn = async (folder: FileHandle): Promise<string | undefined> => {
  for await (const name of namesIn(folder)) return name;
  return undefined;
};

/** Empties one folder of the top, whose own folders go to the top, and removes it. */
const emptied = async (top: FileHandle, name: string, next: () => string): Promise<void> => {
  await withFolder(within(top, name), async (folder) => {
    for await (const inner of namesIn(folder)) if (!await unlinked(within(folder, inner))) await lifted(top, folder, inner, next);
  });
  await rmdir(within(top, name));
};
