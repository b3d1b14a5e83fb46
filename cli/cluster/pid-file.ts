import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const fileOf = (dataDir: string): string => join(dataDir, 'barge.pid');

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

/** Notes this process as the one that runs the cluster of a data folder. */
export const writePid = async (dataDir: string): Promise<void> => {
  await writeFile(fileOf(dataDir), `${process.pid} ${await startOf(process.pid)}\n`, { mode: 0o600 });
};

export const removePid = (dataDir: string): Promise<void> => rm(fileOf(dataDir), { force: true });

/** The process that runs the cluster of a data folder, or undefined when none does. */
export const runningPid = async (dataDir: string): Promise<number | undefined> => {
  const text = await readFile(fileOf(dataDir), 'utf8').catch(() => '');
  const [pid, start] = text.trim().split(' ');
  if (pid === undefined || !/^\d+$/.test(pid)) return undefined;
  const now = await startOf(Number(pid));
  return now !== undefined && now === start ? Number(pid) : undefined;
};

/** Asks it to end by SIGTERM and waits. False when it still runs after the time. */
export const stopRunning = async (dataDir: string, pid: number, timeoutMs: number): Promise<boolean> => {
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += 50) {
    if (await runningPid(dataDir) !== pid) return true;
    await delay(50);
  }
  return await runningPid(dataDir) !== pid;
};
