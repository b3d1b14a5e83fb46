import { mkdir, open, readFile, writeFile, chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { allContainers } from './pod-view.ts';
import type { ContainerLogs, ContainerState, SandboxState } from './runtime/runtime.ts';

/** Kubernetes' bounds: what a container may leave in its file, and what is taken of its log instead. */
const limits = { messageBytes: 4096, logBytes: 2048, logLines: 80 } as const;

/** Makes the file that a run may write its last words to; any user of the container may. */
export const makeMessageFile = async (path: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '', { flag: 'a' });
  await chmod(path, 0o666);
};

interface LastWords {
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
const lastWords = async (runtime: ContainerLogs, { path, fallBackToLog, containerId }: LastWords, signal: AbortSignal): Promise<string> => {
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

export interface EndedRuns {
  readonly pod: Pod;
  readonly sandboxes: readonly SandboxState[];
  readonly runtime: ContainerLogs;
  /** The file that a run may have written to. */
  readonly pathOf: (run: ContainerState) => string;
}

/** Puts the words of runs that have ended beside their ids, and takes away those of runs that are gone. */
export const collectLastWords = async (messages: Map<string, string>, { pod, sandboxes, runtime, pathOf }: EndedRuns, signal: AbortSignal): Promise<void> => {
  const runs = sandboxes.flatMap(({ containers }) => containers);
  for (const id of messages.keys()) if (!runs.some((run) => run.id === id)) messages.delete(id);
  const ended = runs.filter((run) => run.status === 'exited' && !messages.has(run.id));
  await Promise.all(ended.map(async (run) => {
    const container = allContainers(pod).find(({ name }) => name === run.name);
    const fallBackToLog = container?.terminationMessagePolicy === 'FallbackToLogsOnError' && run.exitCode !== 0;
    messages.set(run.id, await lastWords(runtime, { path: pathOf(run), fallBackToLog, containerId: run.id }, signal));
  }));
};

/** A file of the node as text; empty when there is none. */
export const nodeFile = async (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
