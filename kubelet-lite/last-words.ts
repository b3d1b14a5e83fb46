import { mkdir, open, readFile, writeFile, chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ContainerLogs } from './runtime/runtime.ts';

/** Kubernetes' bounds: what a container may leave in its file, and what is taken of its log instead. */
const limits = { messageBytes: 4096, logBytes: 2048, logLines: 80 } as const;

/** Makes the file that a run may write its last words to; any user of the container may. */
export const makeMessageFile = async (path: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '', { flag: 'a' });
  await chmod(path, 0o666);
};

export interface LastWords {
  readonly path: string;
  /** Take the end of the log when the file is empty and the run failed. */
  readonly fallBackToLog: boolean;
  readonly containerId: string;
}

const readSome = async (path: string): Promise<string> => {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(limits.messageBytes);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead).toString('utf8');
    } finally {
      await file.close();
    }
  } catch {
    // No file, no words.
    return '';
  }
};

/** The termination message of a run that ended; empty when it left none. */
export const lastWords = async (runtime: ContainerLogs, { path, fallBackToLog, containerId }: LastWords, signal: AbortSignal): Promise<string> => {
  const written = await readSome(path);
  if (written !== '' || !fallBackToLog) return written;
  const chunks: Uint8Array[] = [];
  try {
    for await (const { data } of runtime.logs(containerId, { follow: false, timestamps: false, tailLines: limits.logLines }, signal)) chunks.push(data);
  } catch {
    return '';
  }
  return Buffer.concat(chunks).subarray(-limits.logBytes).toString('utf8');
};

/** A file of the node as text; empty when there is none. */
export const nodeFile = async (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
