import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EtcdStorage, type EtcdOptions } from '../../apiserver/storage/etcd.ts';
import { SqliteStorage } from '../../apiserver/storage/sqlite.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { CommandError } from '../command.ts';
import type { ClusterConfig } from '../config.ts';
import type { EtcdConfig } from '../etcd-config.ts';

const pem = async (flag: string, file: string | undefined): Promise<string | undefined> => {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(`--${flag}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};

/** How the etcd of these settings is reached. Throws a CommandError that names the flag of a file that cannot be read. */
export const etcdOptions = async ({ endpoints, prefix, caFile, certFile, keyFile }: EtcdConfig): Promise<Pick<EtcdOptions, 'endpoints' | 'prefix' | 'tls'>> => {
  const [ca, cert, key] = await Promise.all([pem('etcd-cafile', caFile), pem('etcd-certfile', certFile), pem('etcd-keyfile', keyFile)]);
  return { endpoints, prefix, tls: { ca, cert, key } };
};

/** Opens the store that the settings name. Throws a CommandError when it cannot be had. */
export const openStorage = async ({ dataDir, etcd }: Pick<ClusterConfig, 'dataDir' | 'etcd'>, { clock, log }: { readonly clock: Clock; readonly log: Log }): Promise<Storage> => {
  if (etcd === undefined) return SqliteStorage.open({ file: join(dataDir, 'store.db'), log });
  return EtcdStorage.open({ ...await etcdOptions(etcd), clock, log });
};
