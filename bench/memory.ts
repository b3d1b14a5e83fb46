/**
 * What the processes of a one-node cluster keep: a server (with controllers and scheduler) and a node (agent, proxy, DNS), each as
 * users run it, out of a package that is made of this tree. At rest, and at rest again with pods; on pretended containers
 * and, where it runs as root and an engine answers, on Docker. Rest is long enough for V8 to give back what a burst left over.
 *
 * usage: node bench/memory.ts [PODS]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '../client/client.ts';
import { connectDocker } from '../kubelet-lite/runtime/docker-client.ts';
import { Pod } from '../schemas/kinds/core/pod.ts';
import { ensureImages, isRoot, must } from '../test/helpers/e2e.ts';
import { connectByKubeconfig } from './connect.ts';
import { packedBarge } from './packed.ts';
import { memoryOf, type Memory } from './processes.ts';
import { table } from './table.ts';

const count = Number(process.argv[2] ?? 30);
const restMs = 150_000;

const engineAnswers = (): Promise<boolean> => connectDocker(process.env['DOCKER_HOST']).ping().then(() => true, () => false);

/** Starts a command that serves, and waits until it says that it is Ready. */
const begin = async (program: string, args: readonly string[]): Promise<ChildProcess & { readonly pid: number }> => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text; });
  while (!out.includes('Ready: https:')) {
    if (child.exitCode !== null) throw new Error(`${args[0]} ended with ${child.exitCode}`);
    await delay(100);
  }
  return child as ChildProcess & { readonly pid: number };
};

const cells = ({ residentMb, proportionalMb, uniqueMb }: Memory): readonly string[] => [residentMb, proportionalMb, uniqueMb].map((mb) => mb.toFixed(1));

const measured = async (program: string, folder: string, runtime: 'simulated' | 'docker'): Promise<string[][]> => {
  const at = (name: string): string => join(folder, `${runtime}-${name}`);
  const running: ChildProcess[] = [];
  try {
    const server = await begin(program, ['up', '--data-dir', at('server'), '--listen', '127.0.0.1:0', '--components', 'controllers,scheduler', '--log-level', 'error']);
    running.push(server);
    await must(program, ['issue', 'agent', '--data-dir', at('server'), '--node-name', 'n1', '--node-ip', '127.0.0.1', '--out', at('kubeconfig')]);
    const node = await begin(program, ['agent', '--kubeconfig', at('kubeconfig'), '--data-dir', at('node'), '--runtime', runtime, '--log-level', 'error']);
    running.push(node);
    const rows: string[][] = [];
    const look = async (when: string): Promise<void> => {
      await delay(restMs);
      for (const [what, { pid }] of [['server', server], ['node', node]] as const) rows.push([`${what}, ${runtime}, ${when}`, ...cells(await memoryOf(pid))]);
    };
    await look('no pods');
    const pods = createClient(await connectByKubeconfig(join(at('server'), 'admin.kubeconfig'))).of(Pod);
    await Promise.all(Array.from({ length: count }, () => pods.create({
      metadata: { generateName: 'memory-', namespace: 'default' }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'web', image: 'barge/hello:1' }] },
    })));
    while ((await pods.list({ namespace: 'default' })).items.filter(({ status }) => status?.phase === 'Running').length < count) await delay(200);
    await look(`${count} pods`);
    return rows;
  } finally {
    for (const child of running.toReversed()) {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    }
    if (runtime === 'docker') await must(program, ['reset', '--yes', '--data-dir', at('node')]);
  }
};

const folder = await mkdtemp(join(tmpdir(), 'barge-memory-'));
try {
  const program = await packedBarge(folder);
  const withEngine = isRoot && await engineAnswers();
  if (withEngine) await ensureImages();
  // Side by side, for they rest most of the time; each ends what it started before either's failure ends the bench.
  const sides = await Promise.allSettled((['simulated', 'docker'] as const).filter((runtime) => runtime === 'simulated' || withEngine).map((runtime) => measured(program, folder, runtime)));
  const rows = sides.flatMap((side) => {
    if (side.status === 'rejected') throw side.reason;
    return side.value;
  });
  table(['MB', 'resident', 'its part of what is shared', 'alone'], rows);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
