import { mapOf, quantity, string, time } from '../schema.ts';
import { cpuMilli, memoryBytes } from '../quantity.ts';

/** When usage was measured: the end of a stretch of time, and how long that was. */
export const measured = {
  timestamp: time('End of the time over which was measured.'),
  window: string('How long that was, such as 15s; the CPU is an average over it.'),
};

/** Quantities by resource: cpu in cores, memory (the working set) in bytes. */
export const Usage = mapOf(quantity('Amount.'), 'What is used: cpu and memory.');

/** A cell with the CPU of several usages, in thousandths of a core: `12m`. */
export const cpuCell = (usages: readonly Readonly<Record<string, string>>[]): string => `${usages.reduce((sum, usage) => sum + cpuMilli(usage['cpu']), 0)}m`;

/** A cell with the memory of several usages, in whole MiB: `17Mi`. */
export const memoryCell = (usages: readonly Readonly<Record<string, string>>[]): string => `${Math.floor(usages.reduce((sum, usage) => sum + memoryBytes(usage['memory']), 0) / 2 ** 20)}Mi`;
