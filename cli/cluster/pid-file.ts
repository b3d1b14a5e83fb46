import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What keeps its state in a data folder: a cluster, or a node of one that is elsewhere. */
export type Keeper = 'barge' | 'agent';

const fileOf = (dataDir: string, keeper: Keeper): string => join(dataDir, `${keeper}.pid`);

/** When a process began, in the kernel's ticks: a process id alone may have been given to another by now. */
const startOf = async (pid: number): Promise<string | undefined> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; what follows is field 3 (state) on. Field 22 is the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
};

/** Notes this process as the one that runs the cluster, or the node, of a data folder. */
export const writePid = async (dataDir: string, keeper: Keeper = 'barge'): Promise<void> => {
  await writeFile(fileOf(dataDir, keeper), `${process.pid} ${await startOf(process.pid)}\n`, { mode: 0o600 });
};

export const removePid = (dataDir: string, keeper: Keeper = 'barge'): Promise<void> => rm(fileOf(dataDir, keeper), { force: true });

/** The process that was noted and still runs, or undefined when none does. */
export const runningPid = async (dataDir: string, keeper: Keeper = 'barge'): Promise<number | undefined> => {
  const text = await readFile(fileOf(dataDir, keeper), 'utf8').catch(() => '');
  const [pid, start] = text.trim().split(' ');
  if (pid === undefined || !/^\d+$/.test(pid)) return undefined;
  const now = await startOf(Number(pid));
  return now !== undefined && now === start ? Number(pid) : undefined;
};

/** Asks it to end by SIGTERM and waits. False when it still runs after the time. */
export const stopRunning = async (dataDir: string, pid: number, { timeoutMs, keeper = 'barge' }: { readonly timeoutMs: number; readonly keeper?: Keeper }): Promise<boolean> => {
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += 50) {
    if (await runningPid(dataDir, keeper) !== pid) return true;
    await delay(50);
  }
  return await runningPid(dataDir, keeper) !== pid;
};
