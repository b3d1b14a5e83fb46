/**
 * `npm test`: types, lint, unit tests and scenarios, then end to end. Ends with one line `N passed, N failed`.
 * The e2e tests need root and a Docker Engine; elsewhere they are left out, and said to be. In CI that is a failure.
 * A part of it: `npm test check`, `npm test unit`, `npm test e2e`, and of the last some files: `npm test e2e nodes runtime/agent`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openHome, openLane, takeTurns, type Lane } from './run/lanes.ts';
import { TapReader, type Verdict } from './run/tap.ts';

interface Count { passed: number; failed: number }

const count: Count = { passed: 0, failed: 0 };
/** The first lines of what failed, told again at the end: what was printed when it did may be far up, or cut. */
const failures: string[] = [];

const fail = (line: string): void => {
  count.failed++;
  failures.push(line);
};

const ava = ['--no-memory-protection-keys', 'test/ava.ts', '--tap'];

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const children = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill(signal);
    // Lanes are taken away at the exit.
    process.exit(1);
  });
}

/** Runs a program with its output shown, or given away line by line; resolves with its exit code. */
const run = (command: string, args: readonly string[], { env = {}, onLine }: { readonly env?: Readonly<Record<string, string>>; readonly onLine?: (line: string) => void } = {}): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', onLine === undefined ? 'inherit' : 'pipe', 'inherit'] });
    children.add(child);
    if (onLine !== undefined) createInterface({ input: child.stdout! }).on('line', onLine);
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve(code ?? (signal === null ? 1 : 128));
    });
  });

/** A step that either passes or fails as a whole. */
const step = async (name: string, command: string, args: readonly string[]): Promise<void> => {
  const code = await run(command, args);
  say(`${code === 0 ? 'ok' : 'not ok'} - ${name}`);
  if (code === 0) count.passed++;
  else fail(`not ok - ${name}`);
};

const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

/** Runs ava in a place; counts and says what came of it. */
const summarize = async (name: string, args: readonly string[], { at = (command, rest) => [command, rest], env = {} }: Partial<Pick<Lane, 'at' | 'env'>>, tell: (verdict: Verdict) => void): Promise<void> => {
  const started = Date.now();
  const here: Count = { passed: 0, failed: 0 };
  const reader = new TapReader((verdict) => {
    const { passed, failed } = count;
    tell(verdict);
    here.passed += count.passed - passed;
    here.failed += count.failed - failed;
  });
  const code = await run(...at(process.execPath, [...ava, ...args]), { env, onLine: (line) => reader.read(line) });
  reader.end();
  if (code !== 0 && here.failed === 0) {
    here.failed++;
    fail(`not ok - ${name}: ava ended with ${code}`);
    say(failures.at(-1)!);
  }
  say(`# ${name}: ${here.passed} passed, ${here.failed} failed, ${seconds(started)}`);
};

const unit = (): Promise<void> => summarize('unit', [], {}, ({ outcome, title: full, detail }) => {
  const title = full.replace(/^together › \d+ › /, '');
  if (outcome === 'passed') count.passed++;
  else if (outcome === 'skipped') say(`ok - ${title} # SKIP`);
  else {
    fail(`not ok - ${title}`);
    say([failures.at(-1)!, ...detail].join('\n'));
  }
});

/** Why the e2e tests cannot run here, or undefined. */
const whyNoE2e = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'not root';
  if (!['/usr/bin/dockerd', '/usr/sbin/dockerd', '/usr/local/bin/dockerd'].some((file) => existsSync(file))) return 'no Docker Engine (dockerd) is installed';
  return undefined;
};

/** These install packages from the registry, which only the machine itself reaches; the first one's file says why it is first. */
const atHome: readonly string[] = ['00-quickstart', 'package'];

/** They take minutes, and begin early so that no lane waits for one of them at the end. */
const long: readonly string[] = ['nodes', 'servers-containers', 'kubectl-versions', 'examples', 'autoscaling'];

/** All of them, or those that are named. */
const filesOfE2e = async (named: readonly string[]): Promise<readonly string[]> => {
  const ending = '.test.ts';
  const found = (await readdir('test/e2e', { recursive: true })).filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length)).sort();
  const first = [...atHome, ...long];
  for (const file of [...first, ...named]) if (!found.includes(file)) throw new Error(`there is no test/e2e/${file}${ending}`);
  return [...first, ...found.filter((file) => !first.includes(file))].filter((file) => named.length === 0 || named.includes(file));
};

/** How many files of e2e tests run at once: `BARGE_TEST_LANES`. With one all is as a developer has it, on the engine of the machine. */
const lanes = (): number => {
  const text = process.env['BARGE_TEST_LANES'] ?? String(Math.min(3, availableParallelism()));
  if (!/^[1-9]$/.test(text)) throw new Error(`BARGE_TEST_LANES: ${JSON.stringify(text)} must be a number from 1 to 9`);
  return Number(text);
};

const openLanes = async (): Promise<readonly Lane[]> => {
  const others = await Promise.all(Array.from({ length: lanes() - 1 }, async (_, index) => {
    try {
      return await openLane(index + 1, (file) => !atHome.includes(file));
    } catch (error) {
      say(`# the tests go on without lane ${index + 1}: ${String(error)}`);
      return undefined;
    }
  }));
  return [await openHome(), ...others.filter((lane) => lane !== undefined)];
};

const e2e = async (named: readonly string[]): Promise<void> => {
  const started = Date.now();
  const before = { ...count };
  const files = await filesOfE2e(named);
  const places = await openLanes();
  let number = 0;
  try {
    await takeTurns(places, files, async (lane, file) => {
      const of = file.replaceAll('/', ' › ');
      await summarize(`${of} (${lane.name})`, ['--config', 'ava.e2e.config.js', join('test/e2e', `${file}.test.ts`)], lane, ({ outcome, title, detail }) => {
        const line = `${outcome === 'failed' ? 'not ok' : 'ok'} ${++number} - ${of} › ${title}${outcome === 'skipped' ? ' # SKIP' : ''}`;
        if (outcome === 'passed') count.passed++;
        else if (outcome === 'failed' || process.env['CI'] !== undefined) fail(line);
        say([line, ...detail].join('\n'));
      });
    });
  } finally {
    for (const lane of places) await lane.close();
  }
  say(`# e2e: ${count.passed - before.passed} passed, ${count.failed - before.failed} failed, ${seconds(started)}, ${places.length} lanes`);
};

const only = process.argv[2];
if (only === undefined || only === 'check') {
  await step('types (tsc)', 'tsc', []);
  await step('lint (oxlint)', 'oxlint', []);
}
if (only === undefined || only === 'unit') await unit();
if (only === undefined || only === 'e2e') {
  const why = whyNoE2e();
  if (why === undefined) await e2e(process.argv.slice(3)).catch((error: unknown) => fail(`not ok - e2e: ${String(error)}`));
  else if (process.env['CI'] === undefined) say(`# e2e left out: ${why}`);
  else {
    fail(`not ok - e2e must run in CI: ${why}`);
  }
}
for (const line of failures) say(`# failed: ${line}`);
say(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1;
