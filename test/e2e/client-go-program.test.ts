/**
 * A program that is built on client-go, from the sources that Debian ships: BARGE_TEST_CLIENT_GO names a Go path in which
 * src/k8s.io/kubernetes holds them (.ci/run lays them out). What it does is in client-go/main.go.
 */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { E2eCluster, must, run } from '../helpers/e2e.ts';

const goPath = process.env['BARGE_TEST_CLIENT_GO'] ?? '';
const steps = ['typed', 'pages', 'informs', 'retries', 'records', 'elects'];

/** Compiles the program; Go keeps what it compiled, so that only the first time takes long. */
const compiled = async (folder: string): Promise<string> => {
  const source = join(goPath, 'src/k8s.io/kubernetes/cmd/barge-client');
  await mkdir(source, { recursive: true });
  await copyFile(join(import.meta.dirname, 'client-go/main.go'), join(source, 'main.go'));
  const program = join(folder, 'barge-client');
  // Go comes with its library compiled for machines that have a C compiler; elsewhere it compiles more of it by itself.
  const hasCompiler = (await run('gcc', ['--version']).catch(() => undefined))?.code === 0;
  await must('go', ['build', '-ldflags=-s -w', '-o', program, 'k8s.io/kubernetes/cmd/barge-client'], { env: { GO111MODULE: 'off', GOPATH: goPath, CGO_ENABLED: hasCompiler ? '1' : '0' }, timeoutMs: 600_000 });
  return program;
};

if (goPath === '' && process.env['CI'] === undefined) {
  test.skip('a program on client-go (BARGE_TEST_CLIENT_GO names no sources)', () => undefined);
} else {
  test('a program on client-go: typed requests, an informer through a restart, retried watches, events, leader election', async (t) => {
    t.timeout(900_000);
    if ((await run('go', ['version']).catch(() => undefined))?.code !== 0 || goPath === '') {
      t.fail('needs golang-go, and BARGE_TEST_CLIENT_GO');
      return;
    }
    const folder = await mkdtemp(join(tmpdir(), 'barge-client-go-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const started = Date.now();
    const program = await compiled(folder);
    t.log(`compiled in ${((Date.now() - started) / 1000).toFixed(1)} s`);

    let cluster = await E2eCluster.start({ args: ['--no-agent'] });
    t.teardown(() => cluster.remove());
    const listen = /https:\/\/(\S+)/.exec(cluster.readyLine)![1]!;
    const child = spawn(program, [cluster.kubeconfig], { stdio: 'pipe' });
    t.teardown(() => void child.kill('SIGKILL'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text; });
    const held: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'restart the server') {
        await cluster.end('SIGTERM');
        cluster = await E2eCluster.start({ dataDir: cluster.dataDir, args: ['--no-agent', '--listen', listen] });
        child.stdin.write('go on\n');
      } else held.push(line);
    }
    t.deepEqual(held, steps.map((step) => `ok ${step}`), said);
  });
}
