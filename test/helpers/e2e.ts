/** A cluster as a user runs it: the real program, a real engine, real clients. Root only. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export const root = join(import.meta.dirname, '../..');
export const bargeBin = join(root, 'bin/barge');

export interface Result { readonly code: number; readonly stdout: string; readonly stderr: string }

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end; never rejects for its exit code. */
export const run = async (command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> => {
  const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { code: code ?? 128, stdout, stderr: signal === null ? stderr : `${stderr}\n(ended by ${signal})` };
};

/** The same, and throws with everything it said when it fails. */
export const must = async (command: string, args: readonly string[], options: RunOptions = {}): Promise<string> => {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new Error(`${basename(command)} ${args.join(' ')}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
};

const dockerCli = async (): Promise<string> => {
  for (const file of ['/usr/bin/docker', '/usr/local/bin/docker']) {
    if (await access(file).then(() => true, () => false)) return file;
  }
  return 'docker';
};

/** The engine's own command line. */
export const docker = async (...args: readonly string[]): Promise<string> => (await must(await dockerCli(), args)).trim();

/** Containers of pods and of others, without the sandboxes that wait for pods or are spent: those come and go by themselves. Flags of `docker ps`. */
export const containers = async (...flags: readonly string[]): Promise<readonly string[]> => {
  const rows = (await docker('ps', '--no-trunc', '--format', '{{.ID}} {{.Names}}', ...flags)).split('\n').filter((row) => row !== '' && !/ barge_(warm|spent)-/.test(row));
  return rows.map((row) => row.split(' ')[0]!);
};

const engineAnswers = async (): Promise<boolean> => (await run(await dockerCli(), ['version'], { timeoutMs: 10_000 })).code === 0;

/** Starts a Docker Engine where none answers. It goes on running; whoever runs all tests stops it (test/run.ts). */
export const ensureEngine = async (): Promise<void> => {
  if (await engineAnswers()) return;
  spawn('dockerd', [], { detached: true, stdio: 'ignore' }).unref();
  for (let attempt = 0; attempt < 150; attempt++) {
    if (await engineAnswers()) return;
    await delay(200);
  }
  throw new Error('the Docker Engine does not start');
};

/** Tags the example's image with the names that a test needs; makes it first where it is missing. */
export const ensureImages = async (...tags: readonly string[]): Promise<void> => {
  await ensureEngine();
  if ((await run(await dockerCli(), ['image', 'inspect', 'barge/hello:1'])).code !== 0) await must(join(root, 'examples/hello-image/build'), []);
  for (const tag of tags) await docker('tag', 'barge/hello:1', tag);
};

/** Whether this test process can run at all; in CI it must. */
export const isRoot = process.getuid?.() === 0;

/** The kubectl programs to test with, by minor version. Named by BARGE_TEST_KUBECTLS (a path list), else the one on the PATH. */
export const kubectls = async (): Promise<ReadonlyMap<number, string>> => {
  const found = new Map<number, string>();
  for (const file of (process.env['BARGE_TEST_KUBECTLS'] ?? 'kubectl').split(':').filter((one) => one !== '')) {
    const version = await run(file, ['version', '--client', '-o', 'json']).catch(() => undefined);
    const minor = /"minor":\s*"(\d+)/.exec(version?.stdout ?? '')?.[1];
    if (minor !== undefined) found.set(Number(minor), file);
  }
  return found;
};

/** kubectl of a minor version; throws where it is not installed. */
export const kubectlOf = async (minor: number): Promise<string> => {
  const file = (await kubectls()).get(minor);
  if (file === undefined) throw new Error(`no kubectl 1.${minor}: name it in BARGE_TEST_KUBECTLS`);
  return file;
};

/** Whether the disk of the machine that runs the tests is full is no matter of theirs. */
export const noDiskPressure = ['--eviction-hard', 'memory.available<100Mi'] as const;

export interface ClusterOptions {
  readonly args?: readonly string[];
  /** An existing data folder, to start the same cluster again. */
  readonly dataDir?: string;
}

export class E2eCluster {
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly #child: ChildProcess;
  readonly #args: readonly string[];
  readonly readyLine: string;
  log = '';

  private constructor(dataDir: string, child: ChildProcess, readyLine: string, args: readonly string[]) {
    this.dataDir = dataDir;
    this.kubeconfig = join(dataDir, 'admin.kubeconfig');
    this.#child = child;
    this.readyLine = readyLine;
    this.#args = args;
  }

  /** Starts `barge up` and waits for the line that says Ready. */
  static async start(options: ClusterOptions = {}): Promise<E2eCluster> {
    if (options.args?.includes('--no-agent') !== true && options.args?.includes('simulated') !== true) await ensureEngine();
    const dataDir = options.dataDir ?? await mkdtemp(join(tmpdir(), 'barge-e2e-'));
    const args = options.args ?? [];
    const child = spawn(bargeBin, ['up', '--data-dir', dataDir, '--listen', '127.0.0.1:0', ...(args.includes('--eviction-hard') ? [] : noDiskPressure), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    // A test that dies must not leave a cluster behind, for the next would find the engine taken.
    const kill = (): void => {
      child.kill('SIGKILL');
      spawnSync(bargeBin, ['reset', '--yes', '--data-dir', dataDir], { stdio: 'ignore', timeout: 60_000 });
    };
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    let log = '';
    let out = '';
    let cluster: E2eCluster | undefined;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (cluster === undefined) log += text;
      else cluster.log += text;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text; });
    const deadlineMs = Date.now() + 120_000;
    while (!/Ready.*\n/.test(out)) {
      if (child.exitCode !== null || Date.now() > deadlineMs) {
        child.kill('SIGKILL');
        throw new Error(`barge up did not become Ready:\n${out}\n${log}`);
      }
      await delay(20);
    }
    cluster = new E2eCluster(dataDir, child, /.*Ready.*/.exec(out)![0], args);
    cluster.log = log;
    return cluster;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get env(): Readonly<Record<string, string>> {
    return { KUBECONFIG: this.kubeconfig, HOME: this.dataDir };
  }

  /** Runs a client program with this cluster's kubeconfig; throws where it fails. */
  async with(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return must(program, args, { ...options, env: { ...this.env, ...options.env } });
  }

  /** The same without throwing. */
  async try(program: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return run(program, args, { ...options, env: { ...this.env, ...options.env } });
  }

  barge(...args: readonly string[]): Promise<string> {
    return this.with(bargeBin, args);
  }

  /** Ends barge by a signal and waits for it; the pods go on. Resolves with the seconds that took. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    const started = Date.now();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const closed = once(this.#child, 'close');
      this.#child.kill(signal);
      await closed;
    }
    return (Date.now() - started) / 1000;
  }

  /** The same cluster, started again. */
  again(): Promise<E2eCluster> {
    return E2eCluster.start({ dataDir: this.dataDir, args: this.#args });
  }

  /** Ends barge and takes away all that it made. */
  async remove(): Promise<void> {
    await this.end();
    await must(bargeBin, ['reset', '--yes', '--data-dir', this.dataDir]);
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** Tries until the assertion passes; throws its last error after the time. */
export const within = async <T>(seconds: number, assertion: () => T | Promise<T>, everyMs = 250): Promise<T> => {
  const deadlineMs = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await delay(everyMs);
    }
  }
};

/** A file of the manifests that the tests read from beside the checkout; undefined where they are not there. */
export const corpus = async (file: string): Promise<string | undefined> => {
  const path = join(root, '../shared/corpus', file);
  return readFile(path).then(() => path, () => undefined);
};

/** A port of this machine that kubectl forwards to a target such as `pod/web`, for as long as the work takes. */
export const forwarded = async <T>(cluster: E2eCluster, { program, target, port }: { readonly program: string; readonly target: string; readonly port: number }, work: (port: number) => Promise<T>): Promise<T> => {
  const child = spawn(program, ['port-forward', target, `:${port}`], { env: { ...process.env, ...cluster.env }, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const local = /^Forwarding from 127\.0\.0\.1:(\d+) -> /.exec(line)?.[1];
      if (local !== undefined) return await work(Number(local));
    }
    throw new Error('port-forward ended before it listened');
  } finally {
    child.kill('SIGTERM');
  }
};
