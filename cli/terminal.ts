/** Lends the user's terminal to a process in a container: raw keys, sizes, and everything as it was afterwards. */
import { on } from 'node:events';
import type { ProcessStreams } from '../client/streams.ts';
import type { OutputStream, World } from './command.ts';

export interface TerminalOptions {
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** Writes no faster than the reader takes it. */
export const writerTo = (stream: OutputStream) => (bytes: string | Uint8Array): void | Promise<void> =>
  (stream.write(bytes) ? undefined : new Promise((resolve) => stream.once('drain', () => resolve())));

const sizesOf = async function* (stream: OutputStream, signal: AbortSignal): AsyncGenerator<{ readonly columns: number; readonly rows: number }> {
  const size = () => ({ columns: stream.columns ?? 80, rows: stream.rows ?? 24 });
  yield size();
  try {
    for await (const _ of on(stream, 'resize', { signal })) yield size();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};

/** Runs a session with the ends that the options ask for. The terminal is given back whatever happens. */
export const withTerminal = async <T>(world: World, options: TerminalOptions, work: (ends: ProcessStreams) => Promise<T>): Promise<T> => {
  const { stdin, stdout, stderr } = world;
  const tty = options.tty && stdin.isTTY === true;
  if (options.tty && !tty) stderr.write('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  const ended = new AbortController();
  if (tty && options.stdin) stdin.setRawMode?.(true);
  try {
    return await work({
      stdin: options.stdin ? stdin as AsyncIterable<Uint8Array> : undefined,
      stdout: writerTo(stdout), stderr: tty ? undefined : writerTo(stderr), tty,
      sizes: tty ? sizesOf(stdout, ended.signal) : undefined,
    });
  } finally {
    ended.abort();
    if (tty && options.stdin) stdin.setRawMode?.(false);
    // An input that nobody reads any more must not keep the process alive.
    stdin.pause();
    (stdin as { unref?: () => void }).unref?.();
  }
};
