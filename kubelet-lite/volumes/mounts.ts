import { readFile } from 'node:fs/promises';
import { runInShell } from '../../base/command-shells.ts';
import { CommandFailed } from '../../base/commands.ts';

/** The few things that only the kernel's mount table can do. They need root. */
export interface Mounts {
  /** False where this process may not mount anything. */
  readonly allowed: boolean;
  /** A file system in memory; undefined size: the kernel's own bound, half of the memory. */
  tmpfs(dir: string, sizeBytes: number | undefined): Promise<void>;
  /** Makes `target` show what `source` is, whatever later stands at that path. */
  bind(source: string, target: string): Promise<void>;
  /** Mount points at or under a folder, the deepest first. */
  under(dir: string): Promise<readonly string[]>;
  unmount(target: string): Promise<void>;
}

const run = async (command: string, args: readonly string[]): Promise<void> => {
  const result = await runInShell(command, args);
  if (result.code !== 0) throw new CommandFailed(`${command} ${args.join(' ')}`, result);
};

const unescaped = (field: string): string => field.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Mount points of a mountinfo table at or under a folder, the deepest first. */
export const mountsUnder = (mountInfo: string, dir: string): readonly string[] => mountInfo.split('\n')
  .map((line) => unescaped(line.split(' ')[4] ?? ''))
  .filter((point) => point === dir || point.startsWith(`${dir}/`))
  .sort((a, b) => b.length - a.length);

export const linuxMounts: Mounts = {
  allowed: process.getuid?.() === 0,
  tmpfs: async (dir, sizeBytes) => {
    const options = ['mode=0777', ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])].join(',');
    await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]);
  },
  bind: async (source, target) => {
    await run('mount', ['--bind', source, target]);
  },
  under: async (dir) => mountsUnder(await readFile('/proc/self/mountinfo', 'utf8'), dir),
  unmount: async (target) => {
    await run('umount', ['-l', target]);
  },
};
