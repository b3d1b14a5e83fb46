import type { ExecSession, LogOptions } from './runtime.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);

/** A session whose program reads all of its input, answers once and ends. */
export const simulatedSession = (stdin: boolean, run: (input: string) => { readonly stdout?: string; readonly stderr?: string; readonly code: number }): ExecSession => {
  const input: Uint8Array[] = [];
  const closed = Promise.withResolvers<void>();
  const exit = Promise.withResolvers<number>();
  if (!stdin) closed.resolve();
  const output = async function* (): AsyncGenerator<{ readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }> {
    await closed.promise;
    const { stdout = '', stderr = '', code } = run(Buffer.concat(input).toString());
    if (stdout !== '') yield { stream: 'stdout', data: encode(stdout) };
    if (stderr !== '') yield { stream: 'stderr', data: encode(stderr) };
    exit.resolve(code);
  };
  return {
    output: output(),
    write: async (data) => { input.push(data); },
    closeInput: () => closed.resolve(),
    resize: async () => undefined,
    exit: exit.promise,
    close: () => closed.resolve(),
  };
};

export interface LogEntry { readonly stream: 'stdout' | 'stderr'; readonly line: string; readonly atMs: number }

/** What a log has now, as far as it is asked for. */
export const linesShown = (log: readonly LogEntry[], { sinceMs = 0, tailLines, timestamps }: LogOptions): readonly { readonly stream: LogEntry['stream']; readonly data: Uint8Array }[] => {
  const since = log.filter((entry) => entry.atMs >= sinceMs);
  const shown = tailLines === undefined ? since : since.slice(Math.max(0, since.length - tailLines));
  return shown.map(({ stream, line, atMs }) => ({ stream, data: encode(`${timestamps ? `${new Date(atMs).toISOString().replace('Z', '000000Z')} ` : ''}${line}\n`) }));
};
