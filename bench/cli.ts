/**
 * How long one command takes from its start to its end: `get pods` of 3 pods by barge out of a checkout (TypeScript),
 * by barge as it is packed (JavaScript), and by kubectl, in turn, beside the bare start of Node. The cluster pretends its
 * containers. The column CPU is the time of all the command's threads. Medians.
 *
 * usage: node bench/cli.ts [ROUNDS]      kubectl is the one on the PATH, or BARGE_TEST_KUBECTLS' first
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, root, run } from '../test/helpers/e2e.ts';
import { median, percentile, table } from './table.ts';

const rounds = Number(process.argv[2] ?? 21);
const folder = await mkdtemp(join(tmpdir(), 'barge-bench-cli-'));
const node = process.execPath;
const checkout = join(root, 'bin/barge');

/** The package as npm makes it, unpacked; its dependencies are the checkout's. */
const unpack = async (): Promise<string> => {
  await must('npm', ['pack', '--loglevel=error', '--pack-destination', folder], { cwd: root, timeoutMs: 300_000 });
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'))!;
  await must('tar', ['-xzf', archive], { cwd: folder });
  const modules = join(folder, 'package/node_modules');
  await mkdir(modules);
  for (const name of await readdir(join(root, 'node_modules'))) if (!name.startsWith('.')) await symlink(join(root, 'node_modules', name), join(modules, name));
  return join(folder, 'package/bin/barge');
};

const started = async (): Promise<{ readonly kubeconfig: string; stop(): Promise<void> }> => {
  const dataDir = join(folder, 'data');
  const child = spawn(checkout, ['up', '--runtime', 'simulated', '--data-dir', dataDir, '--listen', '127.0.0.1:0', '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const text of child.stdout.setEncoding('utf8')) if (String(text).includes('Ready')) break;
  return {
    kubeconfig: join(dataDir, 'admin.kubeconfig'),
    stop: async () => {
      const closed = once(child, 'close');
      child.kill();
      await closed;
    },
  };
};

interface Subject { readonly name: string; readonly command: string; readonly args: readonly string[]; readonly wallMs: number[]; readonly cpuMs: number[] }

/** One run through `time`, which counts the CPU of everything that the command started. */
const measure = async ({ command, args, wallMs, cpuMs }: Subject, env: Readonly<Record<string, string>>): Promise<void> => {
  const { code, stderr } = await run('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$0" "$@"', command, ...args], { env });
  const [wall, user, system] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map((text) => Number(text) * 1000);
  if (code !== 0 || system === undefined) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  wallMs.push(wall!);
  cpuMs.push(user! + system);
};

try {
  const packed = await unpack();
  const cluster = await started();
  try {
    const env = { KUBECONFIG: cluster.kubeconfig, HOME: folder };
    await must(checkout, ['create', 'deployment', 'web', '--image=web:1', '--replicas=3'], { env });
    await must(checkout, ['rollout', 'status', 'deployment/web', '--timeout=60s'], { env });
    const kubectl = process.env['BARGE_TEST_KUBECTLS']?.split(':')[0] ?? 'kubectl';
    const subject = (name: string, command: string, args: readonly string[] = ['get', 'pods']): Subject => ({ name, command, args, wallMs: [], cpuMs: [] });
    const subjects = [
      subject('barge get pods, a checkout', checkout), subject('barge get pods, the package', packed),
      ...((await run(kubectl, ['version', '--client'])).code === 0 ? [subject('kubectl get pods', kubectl)] : []),
      subject('barge version --client', checkout, ['version', '--client']), subject('node -e 0', node, ['-e', '0']),
    ];
    // The first runs fill the caches: compiled code, kubectl's discovery.
    for (const one of subjects) await measure({ ...one, wallMs: [], cpuMs: [] }, env);
    for (let round = 0; round < rounds; round++) for (const one of subjects) await measure(one, env);
    const ms = (value: number): string => `${value.toFixed(0)} ms`;
    table(['command', 'median', 'fastest', 'p90', 'CPU'], subjects.map(({ name, wallMs, cpuMs }) =>
      [name, ms(median(wallMs)), ms(Math.min(...wallMs)), ms(percentile(wallMs, 0.9)), ms(median(cpuMs))]));
  } finally {
    await cluster.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
