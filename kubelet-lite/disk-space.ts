import { statfs } from 'node:fs/promises';

/** The file system of a folder: what all of it holds, and what is left for who is not root. */
export interface DiskSpace {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  /** 0 where the file system does not count them. */
  readonly inodes: number;
  readonly inodesFree: number;
}

/** Rejects with the system's error where the folder is not there. */
export const diskSpaceOf = async (folder: string): Promise<DiskSpace> => {
  const { blocks, bsize, bavail, files, ffree } = await statfs(folder);
  return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize, inodes: files, inodesFree: ffree };
};
