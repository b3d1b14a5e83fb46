/**
 * `npm test`: types, lint, unit tests and scenarios, then end to end. Ends with one line `N passed, N failed`.
 * The e2e tests need root and a Docker Engine; elsewhere they are left out, and said to be. In CI that is a failure.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createInterface } from 'node:readline';

interface Count { passed: number; failed: number }

const count: Count = { passed: 0, failed: 0 };
/** The first lines of what failed, told again at the end: what was printed when it did may be far up, or cut. */
const failures: string[] = [];

const fail = (line: string): void => {
  count.failed++;
  failures.push(line);
};

const ava = ['--no-memory-protection-keys', 'test/ava.ts'];

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs a program with its output shown; resolves with its exit code. */
const run = (command: string, args: readonly string[], onLine?: (line: string) => void): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', onLine === undefined ? 'inherit' : 'pipe', 'inherit'] });
    if (onLine !== undefined) createInterface({ input: child.stdout! }).on('line', onLine);
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });

/** A step that either passes or fails as a whole. */
const step = async (name: string, command: string, args: readonly string[]): Promise<void> => {
  const code = await run(command, args);
  say(`${code === 0 ? 'ok' : 'not ok'} - ${name}`);
  if (code === 0) count.passed++;
  else fail(`not ok - ${name}`);
};

const summarize = async (name: string, args: readonly string[]): Promise<void> => {
  const before = { ...count };
  const started = Date.now();
  let detail = false;
  const code = await run(process.execPath, [...ava, '--tap', ...args], (line) => {
    if (/^ok \d+/.test(line)) {
      count.passed += /# (SKIP|TODO)/i.test(line) ? 0 : 1;
      detail = false;
      if (process.env['CI'] !== undefined && /# SKIP/i.test(line) && name === 'e2e') fail(line);
      if (/# SKIP/i.test(line) || name === 'e2e') say(line);
    } else if (/^not ok \d+/.test(line)) {
      fail(line);
      detail = true;
      say(line);
    } else if (detail || line.startsWith('Bail out')) say(line);
  });
  const failed = count.failed - before.failed;
  if (code !== 0 && failed === 0) {
    fail(`not ok - ${name}: ava ended with ${code}`);
    say(failures.at(-1)!);
  }
  say(`# ${name}: ${count.passed - before.passed} passed, ${count.failed - before.failed} failed, ${((Date.now() - started) / 1000).toFixed(1)} s`);
};

/** Why the e2e tests cannot run here, or undefined. */
const whyNoE2e = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'not root';
  if (!['/usr/bin/dockerd', '/usr/sbin/dockerd', '/usr/local/bin/dockerd'].some((file) => existsSync(file))) return 'no Docker Engine (dockerd) is installed';
  return undefined;
};

const engineAnswers = async (): Promise<boolean> => (await run('docker', ['version'], () => undefined)) === 0;

/** Stops the engine that the e2e tests started. */
const stopEngine = async (): Promise<void> => {
  const pid = Number(readFileSync('/var/run/docker.pid', 'utf8'));
  process.kill(pid, 'SIGTERM');
  for (let attempt = 0; attempt < 150 && existsSync('/var/run/docker.pid'); attempt++) await delay(200);
};

const only = process.argv[2];
if (only === undefined || only === 'check') {
  await step('types (tsc)', 'tsc', []);
  await step('lint (oxlint)', 'oxlint', []);
}
if (only === undefined || only === 'unit') await summarize('unit', []);
if (only === undefined || only === 'e2e') {
  const why = whyNoE2e();
  if (why === undefined) {
    const answered = await engineAnswers();
    await summarize('e2e', ['--config', 'ava.e2e.config.js']);
    if (!answered && existsSync('/var/run/docker.pid')) await stopEngine();
  }
  else if (process.env['CI'] === undefined) say(`# e2e left out: ${why}`);
  else {
    fail(`not ok - e2e must run in CI: ${why}`);
  }
}
for (const line of failures) say(`# failed: ${line}`);
say(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1;
