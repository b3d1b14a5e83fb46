/** Lends the user's terminal to a process in a container: raw keys, sizes, and everything as it was afterwards. */
import { spawnSync } from 'node:child_process';
import { on } from 'node:events';
import type { ProcessStreams } from '../client/streams.ts';
import type { InputStream, OutputStream, World } from './command.ts';

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

/**
 * Keys as they are typed, and output as the container writes it. Node's raw mode goes on turning line feeds into new
 * lines, which breaks programs that draw on the whole screen; only stty can be asked for that. Setting the mode back sets
 * everything back.
 */
const setRaw = (stdin: InputStream, on: boolean): void => {
  stdin.setRawMode?.(on);
  const { fd } = stdin as { readonly fd?: number };
  if (on && fd !== undefined) spawnSync('stty', ['-opost'], { stdio: [fd, 'ignore', 'ignore'] });
};

/** Runs a session with the ends that the options ask for. The terminal is given back whatever happens. */
export const withTerminal = async <T>(world: World, options: TerminalOptions, work: (ends: ProcessStreams) => Promise<T>): Promise<T> => {
  const { stdin, stdout, stderr } = world;
  const tty = options.tty && stdin.isTTY === true;
  if (options.tty && !tty) stderr.write('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  const ended = new AbortController();
  if (tty && options.stdin) setRaw(stdin, true);
  try {
    return await work({
      stdin: options.stdin ? stdin as AsyncIterable<Uint8Array> : undefined,
      stdout: writerTo(stdout), stderr: tty ? undefined : writerTo(stderr), tty,
      sizes: tty ? sizesOf(stdout, ended.signal) : undefined,
    });
  } finally {
    ended.abort();
    if (tty && options.stdin) setRaw(stdin, false);
    // An input that nobody reads any more must not keep the process alive.
    stdin.pause();
    (stdin as { unref?: () => void }).unref?.();
  }
};
