/** Entry of the program: finds the command, reads its flags, runs it and turns what it throws into words and an exit code. */
import { enableCompileCache } from 'node:module';
import { systemClock } from '../base/clock.ts';

// Compiled code of earlier runs; a run without the cache is only slower.
enableCompileCache();

const { runCommandLine } = await import('./run-command-line.ts');

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    controller.abort();
    // The second signal finds no handler and ends the process.
  });
}
// A reader that went away (`barge get pods | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env, cwd: process.cwd(),
  clock: systemClock, random: Math.random, signal: controller.signal,
});
