/** Command lines of barge that run for a while in this process, as those of a terminal each would: real TLS, real files, pretended containers. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import type { ExecutionContext } from 'ava';
import { systemClock } from '../../base/clock.ts';
import type { InputStream, OutputStream } from '../../cli/command.ts';
import { runCommandLine } from '../../cli/run-command-line.ts';
import { eventually } from './eventually.ts';

export interface Running {
  readonly out: () => string;
  readonly err: () => string;
  /** Exit code. */
  readonly ended: Promise<number>;
  /** Ends it as SIGTERM does. */
  stop(): Promise<number>;
}

export interface BargeProcesses {
  /** A folder of the test's own, written `@/` in command lines; the admin's kubeconfig is `@/data/admin.kubeconfig`. */
  readonly folder: string;
  /** Starts a command that serves; resolves when it says that it is Ready. */
  begin(words: string): Promise<Running>;
  /** Starts a command and does not wait. */
  start(words: string): Running;
  /** Runs a command to its end; gives what it printed, or its error where another code than 0 is wanted. */
  barge(words: string, wanted?: number): Promise<string>;
}

const sink = (): { readonly stream: OutputStream; readonly text: () => string } => {
  let text = '';
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => { text += chunk.toString(); done(); } });
  return { stream: stream as OutputStream, text: () => text };
};

/** All that was started ends with the test, the last first. */
export const bargeProcesses = async (t: ExecutionContext): Promise<BargeProcesses> => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-run-'));
  const running: Running[] = [];
  t.teardown(async () => {
    for (const one of running.reverse()) await one.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const start = (words: string): Running => {
    const [out, err, stop] = [sink(), sink(), new AbortController()];
    const ended = runCommandLine(words.replaceAll('@/', `${folder}/`).split(' '), {
      stdin: new PassThrough() as InputStream, stdout: out.stream, stderr: err.stream,
      env: { HOME: folder, KUBECONFIG: join(folder, 'data/admin.kubeconfig') }, cwd: folder, clock: systemClock, random: Math.random, signal: stop.signal,
    });
    const one = { out: out.text, err: err.text, ended, stop: () => { stop.abort(); return ended; } };
    running.push(one);
    return one;
  };
  return {
    folder, start,
    begin: async (words) => {
      const one = start(words);
      await Promise.race([eventually(() => assert.match(one.out(), /Ready: https:/, one.err()), 60_000), one.ended.then((code) => assert.fail(`${words}: ended with ${code}: ${one.err()}`))]);
      return one;
    },
    barge: async (words, wanted = 0) => {
      const ran = start(words);
      assert.equal(await ran.ended, wanted, `${words}: ${ran.err()}${ran.out()}`);
      return wanted === 0 ? ran.out() : ran.err();
    },
  };
};
