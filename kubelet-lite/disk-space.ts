import { stat, statfs } from 'node:fs/promises';

/** The file system of a folder: what all of it holds, and what is left for who is not root. */
export interface DiskSpace {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  /** 0 where the file system does not count them. */
  readonly inodes: number;
  readonly inodesFree: number;
  /** The same for two folders of one file system. */
  readonly device: number;
}

/** Rejects with the system's error where the folder is not there. */
export const diskSpaceOf = async (folder: string): Promise<DiskSpace> => {
  const [{ blocks, bsize, bavail, files, ffree }, { dev: device }] = await Promise.all([statfs(folder), stat(folder)]);
  return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize, inodes: files, inodesFree: ffree, device };
};
