import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import type { InputStream, OutputStream } from '../../cli/command.ts';
import { runCommandLine } from '../../cli/run-command-line.ts';
import { writeKubeconfig } from '../../client/kubeconfig.ts';
import { FakeClock } from './fake-clock.ts';
import { httpsApi, type HttpsApi, type HttpsApiOptions } from './https-api.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called with all of the standard output so far. */
  readonly onOutput?: (text: string) => void;
}

const sink = (onText: (text: string) => void = () => undefined): { readonly stream: OutputStream; readonly text: () => string } => {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString('utf8');
      onText(text);
      done();
    },
  });
  return { stream: stream as OutputStream, text: () => text };
};

export interface Cli {
  readonly api: HttpsApi;
  /** A folder of the test's own; relative file names are read there. */
  readonly folder: string;
  /** Runs one command line in this process, against the API. */
  barge(words: readonly string[] | string, options?: RunOptions): Promise<Ran>;
  write(file: string, text: string): Promise<string>;
  close(): Promise<void>;
}

/** Command lines in this process: real parsing, HTTPS and a real API server; only the terminal is pretended. */
export const testCli = async ({ clock = new FakeClock(), ...options }: HttpsApiOptions = {}): Promise<Cli> => {
  const [api, folder] = await Promise.all([httpsApi({ ...options, clock, serverClock: clock }), mkdtemp(join(tmpdir(), 'barge-cli-'))]);
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  const { ca, admin, bob } = api.certificates;
  const user = (pair: typeof admin) => ({ 'client-certificate-data': base64(pair.cert), 'client-key-data': base64(pair.key) });
  const kubeconfig = join(folder, 'kubeconfig');
  await writeKubeconfig(kubeconfig, {
    currentContext: 'admin',
    clusters: new Map([['test', { server: `https://127.0.0.1:${api.port}`, 'certificate-authority-data': base64(ca.cert) }]]),
    users: new Map([['admin', user(admin)], ['bob', user(bob)]]),
    contexts: new Map([['admin', { cluster: 'test', user: 'admin' }], ['bob', { cluster: 'test', user: 'bob', namespace: 'default' }]]),
  });
  return {
    api, folder,
    barge: async (words, run = {}) => {
      const out = sink(run.onOutput);
      const err = sink();
      const stdin = (run.stdin === undefined ? new PassThrough() : Readable.from([Buffer.from(run.stdin)])) as InputStream;
      const code = await runCommandLine(typeof words === 'string' ? words.split(' ') : words, {
        stdin, stdout: out.stream, stderr: err.stream, env: { HOME: folder, KUBECONFIG: kubeconfig, PATH: process.env['PATH'], TMPDIR: folder, ...run.env },
        cwd: folder, clock: api.clock, random: () => 0.5, signal: run.signal ?? new AbortController().signal,
      });
      return { code, out: out.text(), err: err.text() };
    },
    write: async (file, text) => {
      await writeFile(join(folder, file), text);
      return file;
    },
    close: async () => {
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
