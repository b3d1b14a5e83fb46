import { lstat, mkdir, stat, writeFile } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import type { HostPathVolumeSource } from '../../schemas/types/volume.ts';
import { ConfigError } from '../config-error.ts';

const checks: Readonly<Record<string, readonly [word: string, holds: (stats: Stats) => boolean]>> = {
  Directory: ['a directory', (stats) => stats.isDirectory()],
  DirectoryOrCreate: ['a directory', (stats) => stats.isDirectory()],
  File: ['a file', (stats) => stats.isFile()],
  FileOrCreate: ['a file', (stats) => stats.isFile()],
  Socket: ['a socket', (stats) => stats.isSocket()],
  CharDevice: ['a character device', (stats) => stats.isCharacterDevice()],
  BlockDevice: ['a block device', (stats) => stats.isBlockDevice()],
};

/** The path on the node, made where its type asks for that. Without a type nothing is checked, and a missing folder is made. */
export const hostPath = async ({ path, type = '' }: HostPathVolumeSource): Promise<string> => {
  const check = checks[type];
  if (type !== '' && check === undefined) throw new ConfigError(`hostPath type ${JSON.stringify(type)} is none of ${Object.keys(checks).join(', ')}`);
  const exists = await lstat(path).then(() => true, () => false);
  if (!exists) {
    if (type === '' || type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
    else if (type === 'FileOrCreate') await writeFile(path, '', { mode: 0o644, flag: 'a' });
    else throw new ConfigError(`hostPath type check failed: ${path} does not exist`);
  }
  if (check !== undefined && !check[1](await stat(path))) throw new ConfigError(`hostPath type check failed: ${path} is not ${check[0]}`);
  return path;
};
