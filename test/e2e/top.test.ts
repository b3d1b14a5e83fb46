/** What real containers use, as every program shows it, and what they may use, as every program changes it. */
import assert from 'node:assert/strict';
import test from 'ava';
import { E2eCluster, ensureImages, kubectls, within } from '../helpers/e2e.ts';

const image = 'barge/hello:1';
const busy = 'while :; do :; done';

let cluster: E2eCluster;

test.before(async () => {
  await ensureImages();
  cluster = await E2eCluster.start();
});
test.after.always(() => cluster?.remove());

const created = async (...pods: readonly object[]): Promise<void> => {
  await cluster.with('sh', ['-c', 'cat > pods.json'], { cwd: cluster.dataDir, input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods }) });
  await cluster.barge('apply', '-f', `${cluster.dataDir}/pods.json`);
};
const pod = (name: string, containers: readonly object[], spec: object = {}): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { containers, terminationGracePeriodSeconds: 0, ...spec } });

test.serial('top shows that a busy container uses CPU, one that holds memory memory, and one at rest neither', async (t) => {
  await created(
    pod('busy', [{ name: 'works', image, command: ['sh', '-c', busy], resources: { limits: { cpu: '300m' } } }, { name: 'rests', image, command: ['sleep', '3600'] }]),
    // A volume in memory counts for the container that filled it.
    pod('holds', [{ name: 'main', image, command: ['sh', '-c', 'head -c 40000000 /dev/zero > /m/x; sleep 3600'], volumeMounts: [{ name: 'm', mountPath: '/m' }] }], { volumes: [{ name: 'm', emptyDir: { medium: 'Memory' } }] }),
  );
  for (const name of ['busy', 'holds']) await cluster.barge('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s');

  const rows = (text: string): readonly (readonly string[])[] => text.trim().split('\n').map((line) => line.trim().split(/ +/));
  for (const [what, program] of [['barge', undefined], ...[...await kubectls()].map(([minor, file]) => [`kubectl 1.${minor}`, file] as const)] as const) {
    const top = async (...args: readonly string[]): Promise<readonly (readonly string[])[]> => rows(program === undefined ? await cluster.barge('top', ...args) : await cluster.with(program, ['top', ...args]));
    await within(180, async () => {
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

test.serial('the resources of a running container change without a restart, and inside it the kernel shows it', async (t) => {
  await created(pod('grows', [{ name: 'main', image, command: ['sleep', '3600'], resources: { requests: { cpu: '50m', memory: '16Mi' }, limits: { cpu: '100m', memory: '32Mi' } } }]));
  await cluster.barge('wait', '--for=condition=Ready', 'pod/grows', '--timeout=60s');
  const containerId = (): Promise<string> => cluster.barge('get', 'pod', 'grows', '-o', 'jsonpath={.status.containerStatuses[0].containerID}');
  const before = await containerId();
  // Both versions of cgroups, each with its own files.
  const files = 'cd /sys/fs/cgroup; cat memory.max memory/memory.limit_in_bytes cpu.max cpu/cpu.cfs_quota_us 2>/dev/null; true';
  const changing = [['barge', (...args: readonly string[]) => cluster.barge(...args)] as const,
    ...[...await kubectls()].filter(([minor]) => minor >= 32).map(([minor, file]) => [`kubectl 1.${minor}`, (...args: readonly string[]) => cluster.with(file, args)] as const)];
  for (const [index, [what, change]] of changing.entries()) {
    const factor = index + 2;
    const resources = { requests: { cpu: `${50 * factor}m`, memory: `${16 * factor}Mi` }, limits: { cpu: `${100 * factor}m`, memory: `${32 * factor}Mi` } };
    await change('patch', 'pod', 'grows', '--subresource', 'resize', '-p', JSON.stringify({ spec: { containers: [{ name: 'main', resources }] } }));
    await within(60, async () => {
      assert.deepEqual(JSON.parse(await cluster.barge('get', 'pod', 'grows', '-o', 'jsonpath={.status.containerStatuses[0].resources}')), resources, what);
      const [memory, cpu] = (await cluster.barge('exec', 'grows', '--', 'sh', '-c', files)).trim().split('\n');
      assert.deepEqual([memory, cpu?.split(' ')[0]], [String(32 * factor * 2 ** 20), String(10_000 * factor)], what);
    });
  }
  t.is(await containerId(), before);
  t.is(await cluster.barge('get', 'pod', 'grows', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'), '0');
});
