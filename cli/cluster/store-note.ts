import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivate } from '../../base/pki-files.ts';
import type { ClusterConfig } from '../config.ts';
import type { EtcdConfig } from '../etcd-config.ts';

/** Where a server keeps objects outside its data folder, and by which name it is known there: who resets it has to know. */
export interface StoreNote {
  readonly nodeName: string;
  /** Whether the machine is a node of that name too; else a node of that name is another's. */
  readonly agent: boolean;
  readonly serviceCidr: string;
  readonly etcd: EtcdConfig;
}

const fileOf = (dataDir: string): string => join(dataDir, 'store.json');

/** Notes it in the data folder; nothing where the objects are in a file there. */
export const keepStoreNote = async ({ dataDir, nodeName, agent, serviceCidr, etcd }: ClusterConfig): Promise<void> => {
  if (etcd === undefined) return;
  const note: StoreNote = { nodeName, agent, serviceCidr, etcd };
  await writePrivate(fileOf(dataDir), `${JSON.stringify(note, undefined, 2)}\n`);
};

/** What is noted in a data folder; undefined where the objects are in a file there, or nowhere. */
export const readStoreNote = async (dataDir: string): Promise<StoreNote | undefined> => {
  const file = fileOf(dataDir);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as StoreNote;
  } catch (error) {
    throw new Error(`${file} cannot be read`, { cause: error });
  }
};
