/**
 * What a container uses, read where the kernel counts it: three small files, where the engine's own statistics cost a
 * request, and a second in their usual form. cgroup v1 and v2.
 */
import { readFileSync } from 'node:fs';
import type { StatsSample } from './runtime.ts';

const root = '/sys/fs/cgroup';

/** Where the files of one container are. */
export type CgroupPlace =
  | { readonly version: 1; readonly cpu: string; readonly memory: string }
  | { readonly version: 2; readonly all: string };

/**
 * The place in the text of `/proc/<pid>/cgroup` of a container's first process; undefined where that process is not the
 * container's (any more), or is in a namespace whose paths mean nothing here.
 */
export const placeIn = (text: string, containerId: string): CgroupPlace | undefined => {
  const paths = new Map(text.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    return controllers === undefined || path === undefined || !path.includes(containerId) || path.includes('/../') ? [] : controllers.split(',').map((one) => [one, path] as const);
  }));
  const cpu = paths.get('cpuacct');
  const memory = paths.get('memory');
  if (cpu !== undefined && memory !== undefined) return { version: 1, cpu: `${root}/cpuacct${cpu}`, memory: `${root}/memory${memory}` };
  const all = paths.get('');
  return all === undefined ? undefined : { version: 2, all: `${root}${all}` };
};

const counter = (text: string, name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);

/** The working set is what is in use less the file pages that the kernel may drop at once, as Kubernetes counts it. */
export const workingSet = (usedBytes: number, inactiveFileBytes: number): number => Math.max(0, usedBytes - inactiveFileBytes);

const readText = (file: string): string => readFileSync(file, 'latin1');

/** A sample of now. Throws when the container has gone, or the files are not here. */
export const readCgroup = (place: CgroupPlace, atMs: number, read: (file: string) => string = readText): StatsSample => {
  if (place.version === 1) {
    const memoryBytes = Number(read(`${place.memory}/memory.usage_in_bytes`));
    return {
      cpuNanoseconds: Number(read(`${place.cpu}/cpuacct.usage`)), memoryBytes,
      workingSetBytes: workingSet(memoryBytes, counter(read(`${place.memory}/memory.stat`), 'total_inactive_file')), atMs,
    };
  }
  const memoryBytes = Number(read(`${place.all}/memory.current`));
  return {
    cpuNanoseconds: counter(read(`${place.all}/cpu.stat`), 'usage_usec') * 1_000, memoryBytes,
    workingSetBytes: workingSet(memoryBytes, counter(read(`${place.all}/memory.stat`), 'inactive_file')), atMs,
  };
};

/** A tick of /proc/stat: Linux shows hundredths of a second to every program. */
const tickNanoseconds = 10_000_000;

type MachineSample = StatsSample & { readonly capacityBytes: number };

/** What the whole machine uses, from the texts of /proc/stat and /proc/meminfo. */
export const machineSample = (stat: string, meminfo: string, atMs: number): MachineSample => {
  // user, nice, system, idle, iowait, irq, softirq, steal; the two after them are part of the first two.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number);
  const bytes = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  const capacityBytes = bytes('MemTotal');
  const memoryBytes = Math.max(0, capacityBytes - bytes('MemFree'));
  return {
    cpuNanoseconds: (user + nice + system + irq + softirq + steal) * tickNanoseconds,
    memoryBytes, workingSetBytes: workingSet(memoryBytes, bytes('Inactive\\(file\\)')), capacityBytes, atMs,
  };
};

/** A sample of this machine. */
export const readMachine = (atMs: number): MachineSample => machineSample(readText('/proc/stat'), readText('/proc/meminfo'), atMs);
