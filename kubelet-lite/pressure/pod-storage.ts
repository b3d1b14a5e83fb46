/** How much of the node's disks a pod has. It is measured when it is asked for, for that may take long. */
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { ContainerStats, SandboxState } from '../runtime/runtime.ts';
import { emptyDirsOnDisk, type PodStorage } from './eviction-plan.ts';

interface TreeSize { readonly bytes: number; readonly inodes: number }

/** What a folder and all in it has on its file system, as `du -x` counts it: a file of several names once. What goes meanwhile is not counted. */
export const treeSize = async (folder: string): Promise<TreeSize> => {
  const linked = new Set<number>();
  let bytes = 0;
  let inodes = 0;
  const add = async (path: string, device: number | undefined): Promise<void> => {
    const found = await lstat(path);
    if (device !== undefined && found.dev !== device) return;
    if (!found.isDirectory() && found.nlink > 1) {
      if (linked.has(found.ino)) return;
      linked.add(found.ino);
    }
    bytes += found.blocks * 512;
    inodes++;
    if (found.isDirectory()) for await (const { name } of await opendir(path)) await add(join(path, name), found.dev).catch(goneOnly);
  };
  await add(folder, undefined).catch(goneOnly);
  return { bytes, inodes };
};

const goneOnly = (error: unknown): void => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
};

export interface StorageOptions {
  readonly runtime: Pick<ContainerStats, 'writtenBytes'>;
  readonly podsDir: string;
}

/** Rejects where a part cannot be measured. */
export const storageOf = async (pod: Pod, sandboxes: readonly SandboxState[], { runtime, podsDir }: StorageOptions): Promise<PodStorage> => {
  const volumes = new Map<string, TreeSize>();
  for (const name of emptyDirsOnDisk(pod)) volumes.set(name, await treeSize(join(podsDir, pod.metadata.uid ?? '', 'volumes', name)));
  const written = new Map<string, number>();
  // Runs that have ended keep what they wrote.
  for (const { id, name } of sandboxes.flatMap(({ containers }) => containers)) written.set(name, (written.get(name) ?? 0) + await runtime.writtenBytes(id));
  return { volumes, written };
};
