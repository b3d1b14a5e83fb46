import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { linuxMounts } from '../../kubelet-lite/volumes/mounts.ts';
import type { ClusterConfig } from '../config.ts';
import type { EtcdConfig } from '../etcd-config.ts';
import { nodeRemovals } from './node.ts';
import { readOwner } from './owner.ts';
import { runningPid, stopRunning, type Keeper } from './pid-file.ts';
import { readStoreNote, type StoreNote } from './store-note.ts';

/** Names in a data folder that barge makes; whatever else is in it stays. */
const ownNames = /^(store\.(db(-wal|-shm|\.lock)?|json)|pki|node|server|agent(\.pid)?|admin\.kubeconfig|barge\.(pid|log|out))$/;

const stopTimeoutMs = 15_000;

/** One thing to take away. `run` gives the words for what it did, or undefined where there was nothing. */
export interface Removal {
  readonly what: string;
  run(): Promise<string | undefined>;
}

export interface ResetOptions {
  readonly config: ClusterConfig;
  /** Also the objects in an etcd, which other servers could share. */
  readonly store: boolean;
  readonly say: (line: string) => void;
}

const stopProcess = ({ dataDir }: ClusterConfig, keeper: Keeper): Removal => ({
  what: 'the running barge',
  run: async () => {
    const pid = await runningPid(dataDir, keeper);
    if (pid === undefined) return undefined;
    if (!await stopRunning(dataDir, pid, { timeoutMs: stopTimeoutMs, keeper })) throw new Error(`process ${pid} did not end within ${stopTimeoutMs / 1000} s`);
    return `stopped barge (process ${pid})`;
  },
});

const unmountVolumes = ({ dataDir }: ClusterConfig): Removal => ({
  what: 'memory volumes',
  run: async () => {
    const points = await linuxMounts.under(join(dataDir, 'agent'));
    for (const point of points) await linuxMounts.unmount(point);
    return points.length === 0 ? undefined : `unmounted ${points.length} volume${points.length === 1 ? '' : 's'}`;
  },
});

const leaving = (note: StoreNote, say: (line: string) => void): Removal => ({
  what: 'the cluster in etcd',
  run: async () => {
    const { leaveStore } = await import('./leave-store.ts');
    try {
      return await leaveStore(note);
    } catch (error) {
      // An etcd that is gone for good must not hold up the rest: the server's own entry ends by itself.
      say(`the cluster in etcd (${note.etcd.endpoints.join(',')}) could not be told: ${error instanceof Error ? error.message : String(error)}; where it still runs, 'barge node rm ${note.nodeName}' removes the node`);
      return undefined;
    }
  },
});

const erasing = (etcd: EtcdConfig): Removal => ({ what: 'the objects in etcd', run: async () => (await import('./leave-store.ts')).eraseStore(etcd) });

const removeFiles = ({ dataDir, kubeconfig }: ClusterConfig): Removal => ({
  what: 'files',
  run: async () => {
    await rm(kubeconfig, { force: true });
    const names = await readdir(dataDir).catch(() => []);
    for (const name of names.filter((one) => ownNames.test(one))) await rm(join(dataDir, name), { recursive: true, force: true });
    await rmdir(dataDir).catch(() => undefined);
    return names.length === 0 ? undefined : `removed barge's files in ${dataDir}`;
  },
});

/**
 * Removes everything that the cluster, or the node, of a data folder made, and nothing else. Every step is tried; the words of those that
 * failed are given back. The files go last and only when the rest is gone: they hold what a second try needs.
 */
export const resetCluster = async ({ config, store, say }: ResetOptions): Promise<readonly string[]> => {
  const failures: string[] = [];
  const note = await readStoreNote(config.dataDir);
  const etcd = note?.etcd ?? config.etcd;
  if (store) {
    if (etcd === undefined) return [`--store: ${config.dataDir} names no etcd; without one the objects go with the files. Say where they are by --etcd-servers, if they are in one`];
    const others = await (await import('./leave-store.ts')).otherServers({ ...config, etcd, nodeName: note?.nodeName });
    if (others.length > 0) return [`--store: other servers of the cluster run on its objects: ${others.join(', ')}; reset them first, or leave --store away`];
  }
  const attempt = async (removal: Removal): Promise<void> => {
    try {
      const done = await removal.run();
      if (done !== undefined) say(done);
    } catch (error) {
      failures.push(`${removal.what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const keeper of ['agent', 'barge'] as const) await attempt(stopProcess(config, keeper));
  if (failures.length > 0) return failures;
  const owner = await readOwner(config.dataDir);
  if (owner !== undefined && config.runtime === 'docker') for (const removal of nodeRemovals(config, owner)) await attempt(removal);
  await attempt(unmountVolumes(config));
  if (failures.length === 0 && store && etcd !== undefined) await attempt(erasing(etcd));
  else if (failures.length === 0 && note !== undefined) await attempt(leaving(note, say));
  if (failures.length === 0) await attempt(removeFiles(config));
  return failures;
};
