/**
 * The official Python client as Debian ships it (package python3-kubernetes). The program beside this file does the work;
 * it says what holds, and fails with a traceback at the first thing that does not.
 */
import { join } from 'node:path';
import test from 'ava';
import { bargeBin, E2eCluster, ensureImages, run } from '../helpers/e2e.ts';

/** The distribution's Python: another one on the PATH does not see the distribution's packages. */
const python = '/usr/bin/python3';
const lacks = (await run(python, ['-c', 'import kubernetes'])).code === 0 ? undefined : 'python3-kubernetes is missing: apt-get install python3-kubernetes';

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: tools}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: barge/hello:1
    command: [sh, -c, 'echo begin; exec /bin/serve']
    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
`;

if (lacks !== undefined && process.env['CI'] === undefined) {
  test.skip(`the Python client (${lacks})`, () => undefined);
} else {
  test('the Python client reads, writes, watches and runs commands, and its models accept every object', async (t) => {
    if (lacks !== undefined) {
      t.fail(lacks);
      return;
    }
    await ensureImages();
    const cluster = await E2eCluster.start();
    t.teardown(() => cluster.remove());
    await cluster.with(bargeBin, ['apply', '-f', '-'], { input: pod });
    await cluster.with(bargeBin, ['wait', '--for=condition=Ready', 'pod/tools', '--timeout=60s']);
    const result = await run(python, [join(import.meta.dirname, 'client-python.py'), cluster.kubeconfig, 'tools'], { timeoutMs: 600_000 });
    t.is(result.code, 0, `${result.stdout}\n${result.stderr}`);
    t.log(/models: .*/.exec(result.stdout)?.[0] ?? '');
    t.deepEqual([...result.stdout.matchAll(/^ok (\w+)$/gm)].map((match) => match[1]), ['writes', 'patches', 'watches', 'pages', 'streams', 'follows', 'resumes', 'elects', 'dynamics', 'models']);
  });
}
