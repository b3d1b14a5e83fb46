/** What a process takes, out of /proc. */
import { readFile } from 'node:fs/promises';

/** Resident memory in megabytes. */
export const residentMb = async (pid: number): Promise<number> => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

/** Megabytes of a process: all that is resident, its part of what is shared with others, and what it alone has. */
export interface Memory {
  readonly residentMb: number;
  readonly proportionalMb: number;
  readonly uniqueMb: number;
}

export const memoryOf = async (pid: number): Promise<Memory> => {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const sum = (row: RegExp): number => [...text.matchAll(row)].reduce((total, match) => total + Number(match[1]), 0) / 1024;
  return { residentMb: sum(/^Rss:\s+(\d+)/gm), proportionalMb: sum(/^Pss:\s+(\d+)/gm), uniqueMb: sum(/^Private_\w+:\s+(\d+)/gm) };
};

/** Processor time of all threads since the start, user and system, in microseconds; the kernel counts it in hundredths of a second. */
export const processorUs = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};
