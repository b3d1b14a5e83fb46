/** What real containers use, as every program shows it. */
import assert from 'node:assert/strict';
import test from 'ava';
import { E2eCluster, ensureImages, kubectls, within } from '../helpers/e2e.ts';

const image = 'barge/hello:1';
const busy = 'while :; do :; done';

test('top shows that a busy container uses CPU, one that holds memory memory, and one at rest neither', async (t) => {
  await ensureImages();
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const pod = (name: string, containers: readonly object[]): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { containers, terminationGracePeriodSeconds: 0 } });
  await cluster.with('sh', ['-c', 'cat > pods.json'], { cwd: cluster.dataDir, input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [
    pod('busy', [{ name: 'works', image, command: ['sh', '-c', busy], resources: { limits: { cpu: '300m' } } }, { name: 'rests', image, command: ['sleep', '3600'] }]),
    // A volume in memory counts for the container that filled it.
    { ...pod('holds', []), spec: { terminationGracePeriodSeconds: 0, volumes: [{ name: 'm', emptyDir: { medium: 'Memory' } }], containers: [{ name: 'main', image, command: ['sh', '-c', 'head -c 40000000 /dev/zero > /m/x; sleep 3600'], volumeMounts: [{ name: 'm', mountPath: '/m' }] }] } },
  ] }) });
  await cluster.barge('apply', '-f', `${cluster.dataDir}/pods.json`);
  for (const name of ['busy', 'holds']) await cluster.barge('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s');

  const rows = (text: string): readonly (readonly string[])[] => text.trim().split('\n').map((line) => line.trim().split(/ +/));
  for (const [what, program] of [['barge', undefined], ...[...await kubectls()].map(([minor, file]) => [`kubectl 1.${minor}`, file] as const)] as const) {
    const top = async (...args: readonly string[]): Promise<readonly (readonly string[])[]> => rows(program === undefined ? await cluster.barge('top', ...args) : await cluster.with(program, ['top', ...args]));
    await within(60, async () => {
      const containers = new Map((await top('pod', '--containers', '--no-headers')).map(([, name, cpu, memory]) => [name, { cpuMilli: Number.parseInt(cpu!, 10), memoryMebi: Number.parseInt(memory!, 10) }]));
      const [works, rests, holds] = [containers.get('works'), containers.get('rests'), containers.get('main')];
      assert.ok(works !== undefined && rests !== undefined && holds !== undefined, what);
      assert.ok(works.cpuMilli >= 50 && works.cpuMilli <= 400, `${what}: ${works.cpuMilli}m`);
      assert.ok(rests.cpuMilli < works.cpuMilli / 5, `${what}: ${rests.cpuMilli}m`);
      assert.ok(holds.memoryMebi >= 38 && holds.memoryMebi < 60, `${what}: ${holds.memoryMebi}Mi`);
    });
    t.is((await top('pod', '--sort-by=cpu', '--no-headers'))[0]?.[0], 'busy', what);
    t.is((await top('pod', '--sort-by=memory', '--no-headers'))[0]?.[0], 'holds', what);
    t.deepEqual((await top('pod', '-l', 'app=holds', '-A', '--no-headers')).map(([namespace, name]) => [namespace, name]), [['default', 'holds']], what);
    const [node] = await top('node', '--no-headers');
    t.true(Number.parseInt(node![1]!, 10) >= 50, what);
    t.regex(node![4]!, /^\d+%$/, what);
  }
});
