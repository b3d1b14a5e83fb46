/** What a process takes, out of /proc. */
import { readFile } from 'node:fs/promises';

/** Resident memory in megabytes. */
export const residentMb = async (pid: number): Promise<number> => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

/** Processor time of all threads since the start, user and system, in microseconds; the kernel counts it in hundredths of a second. */
export const processorUs = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};
