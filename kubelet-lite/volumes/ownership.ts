import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Gives a volume to a group (fsGroup): files become readable and writable for it, and folders hand the group on to what
 * is made in them. Links are not followed.
 */
export const giveToGroup = async (path: string, groupId: number): Promise<void> => {
  const stats = await lstat(path);
  if (stats.gid !== groupId) await lchown(path, stats.uid, groupId);
  if (stats.isSymbolicLink()) return;
  const mode = stats.mode & 0o7777;
  const wanted = stats.isDirectory() ? mode | 0o2770 : mode | 0o660;
  // A change of owner may take the set-group bit away, so the mode is written after it.
  if (wanted !== mode || stats.gid !== groupId) await chmod(path, wanted);
  if (stats.isDirectory()) for (const entry of await readdir(path)) await giveToGroup(join(path, entry), groupId);
};

/** Whether the folder itself, and so presumably all in it, was given to the group before. */
export const isGivenTo = async (path: string, groupId: number): Promise<boolean> => {
  const { gid, mode } = await lstat(path);
  return gid === groupId && (mode & 0o2770) === 0o2770;
};
