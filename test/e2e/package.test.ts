/** The package as somebody installs it elsewhere: JavaScript only, on the pinned Node. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { must, root, run } from '../helpers/e2e.ts';

test('npm pack makes a package that works when it is installed elsewhere', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-package-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await must('npm', ['pack', '--loglevel=error', '--pack-destination', folder], { cwd: root, timeoutMs: 300_000 });
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'))!;
  await must('npm', ['init', '-y', '--loglevel=error'], { cwd: folder });
  await must('npm', ['install', '--loglevel=error', '--no-fund', '--no-audit', join(folder, archive)], { cwd: folder, timeoutMs: 300_000 });
  const files = await readdir(join(folder, 'node_modules/barge'), { recursive: true });
  t.deepEqual(files.filter((file) => file.endsWith('.ts')), []);

  const version = await must('npx', ['barge', 'version', '--client'], { cwd: folder });
  t.regex(version, /0\.1\.0/);

  // A whole cluster out of the installed package, on containers that are only pretended.
  const script = `
    node_modules/.bin/barge up --runtime simulated --data-dir "$PWD/data" --listen 127.0.0.1:0 > out 2> log &
    pid=$!
    for i in $(seq 100); do grep -q Ready out && break; sleep 0.1; done
    export KUBECONFIG=$PWD/data/admin.kubeconfig
    node_modules/.bin/barge get nodes
    node_modules/.bin/barge create deployment web --image=web:1 --replicas=2
    node_modules/.bin/barge rollout status deployment/web --timeout=60s
    kill $pid; wait $pid`;
  const result = await run('bash', ['-c', script], { cwd: folder, timeoutMs: 120_000 });
  t.regex(result.stdout, /Ready/, result.stdout + result.stderr);
  t.regex(result.stdout, /deployment "web" successfully rolled out/, result.stdout + result.stderr);
});
