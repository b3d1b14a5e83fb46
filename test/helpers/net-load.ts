/** Load from a machine of a lab: `startLoad` as a process inside the machine's network namespace, where this file is the program. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { startLoad, type LoadResult } from './load.ts';

export interface NetLoad {
  /** Ends the calls; gives what each URL answered, in their order. */
  stop(): Promise<readonly LoadResult[]>;
}

/** No machine is so slow that it answers later: what has no answer by then was lost. */
const lostMs = 120_000;

interface Said extends Omit<LoadResult, 'answers'> {
  readonly answers: readonly (readonly [string, number])[];
}

/** Calls each URL on and on, one call at a time, every call on a new connection. `at` turns a program into one that runs on the machine. */
export const startLoadAt = (at: (command: string, args: readonly string[]) => readonly [string, readonly string[]], urls: readonly string[]): NetLoad => {
  const child = spawn(...at(process.execPath, ['--no-memory-protection-keys', import.meta.filename, 'load', ...urls]), { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = text(child.stdout);
  // A process that broke off before its end says so by what it left unsaid.
  child.stdin.on('error', () => undefined);
  return {
    stop: async () => {
      child.stdin.end();
      return (JSON.parse(await said) as readonly Said[]).map((result) => ({ ...result, answers: new Map(result.answers) }));
    },
  };
};

if (process.argv[2] === 'load' && process.argv[1] === import.meta.filename) {
  const loads = process.argv.slice(3).map((url) => startLoad(url, { workers: 1, timeoutMs: lostMs, pauseMs: 20 }));
  process.stdin.resume().on('end', () => void Promise.all(loads.map((load) => load.stop())).then((results) => {
    process.stdout.write(JSON.stringify(results.map((result) => ({ ...result, answers: [...result.answers] }))));
  }));
}
