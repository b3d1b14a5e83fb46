/** Entry of the program: finds the command, reads its flags, runs it and turns what it throws into words and an exit code. */
import { systemClock } from '../base/clock.ts';
import { runCommandLine } from './run-command-line.ts';

// For this process alone (bin/barge sets it), not for an editor or another program that it starts.
delete process.env['NODE_COMPILE_CACHE'];

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
// Whoever asked for the end does not wait for requests that nobody needs any more, such as an engine's slow stop.
if (controller.signal.aborted) process.exit();
