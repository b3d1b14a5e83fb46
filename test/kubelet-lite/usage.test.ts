import test from 'ava';
import { createAgentReader } from '../../apiserver/http/agent-reader.ts';
import { createNodeClient } from '../../apiserver/http/node-client.ts';
import { readSummary } from '../../apiserver/metrics/node-summary.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { machineSample, placeIn, readCgroup } from '../../kubelet-lite/runtime/cgroup-usage.ts';
import type { StatsSample } from '../../kubelet-lite/runtime/runtime.ts';
import { resourceMetrics, statsSummary } from '../../kubelet-lite/usage/usage-report.ts';
import { UsageSampler } from '../../kubelet-lite/usage/usage-sampler.ts';
import { rateBetween, usageAfter, type NodeUsage, type RunningContainer } from '../../kubelet-lite/usage/usage.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';
import { agentFixture, agentPki, nodeName } from './agent-fixture.ts';

const pki = agentPki();

test('where the files of a container are', (t) => {
  const id = 'c0ffee';
  const v1 = '12:cpu,cpuacct:/docker/c0ffee\n4:memory:/docker/c0ffee\n1:name=systemd:/docker/c0ffee\n';
  t.deepEqual(placeIn(v1, id), { version: 1, cpu: '/sys/fs/cgroup/cpuacct/docker/c0ffee', memory: '/sys/fs/cgroup/memory/docker/c0ffee' });
  t.deepEqual(placeIn('0::/system.slice/docker-c0ffee.scope\n', id), { version: 2, all: '/sys/fs/cgroup/system.slice/docker-c0ffee.scope' });
  // Both at once, as on machines that are on their way: the controllers are still those of v1.
  t.like(placeIn(`${v1}0::/docker/c0ffee\n`, id), { version: 1 });
  // Another process has the number now; a namespace whose paths lead out of it; nothing.
  for (const text of ['0::/user.slice\n', '0::/../../docker/c0ffee\n', '', 'nonsense']) t.is(placeIn(text, id), undefined, text);
});

test('the files of both versions are read alike', (t) => {
  const files: Readonly<Record<string, string>> = {
    '/m/memory.usage_in_bytes': '3000\n', '/m/memory.stat': 'inactive_file 5\ntotal_inactive_file 1000\n', '/c/cpuacct.usage': '7000000\n',
    '/a/memory.current': '3000\n', '/a/memory.stat': 'anon 1\ninactive_file 1000\nactive_file 2\n', '/a/cpu.stat': 'usage_usec 7000\nuser_usec 1\n',
  };
  const read = (file: string): string => files[file]!;
  const expected = { cpuNanoseconds: 7_000_000, memoryBytes: 3_000, workingSetBytes: 2_000, atMs: 5 };
  t.deepEqual(readCgroup({ version: 1, cpu: '/c', memory: '/m' }, 5, read), expected);
  t.deepEqual(readCgroup({ version: 2, all: '/a' }, 5, read), expected);
  t.deepEqual(
    machineSample('cpu  10 1 5 900 50 2 3 4 100 100\ncpu0 10 1 5 900 50 2 3 4 0 0\n', 'MemTotal:  1000 kB\nMemFree:    400 kB\nInactive(file):   100 kB\n', 5),
    { cpuNanoseconds: 25 * 1e7, capacityBytes: 1_000 * 1024, memoryBytes: 600 * 1024, workingSetBytes: 500 * 1024, atMs: 5 },
  );
});

const sample = (cpuNanoseconds: number, atMs: number): StatsSample => ({ cpuNanoseconds, atMs, memoryBytes: 20, workingSetBytes: 10 });

test('rates are averages between two looks', (t) => {
  t.deepEqual(rateBetween(sample(0, 0), sample(5e9, 10_000)), { nanoCores: 5e8, windowMs: 10_000 });
  t.is(rateBetween(sample(0, 0), sample(5, 999)), undefined);
  t.is(rateBetween(sample(10, 0), sample(5, 10_000)), undefined);
  const first = usageAfter(undefined, sample(1e9, 10_000), undefined);
  t.is(first.rate, undefined);
  t.deepEqual(usageAfter(first, sample(2e9, 20_000), undefined).rate, { nanoCores: 1e8, windowMs: 10_000 });
  // Of one that is new it is known that it had used nothing at its start.
  const born = usageAfter(undefined, sample(1e9, 10_000), 8_000);
  t.deepEqual(born.rate, { nanoCores: 5e8, windowMs: 2_000 });
  t.is(usageAfter(born, sample(1e9, 10_100), 8_000), born);
  t.is(usageAfter(born, sample(0, 20_000), 8_000).rate, undefined);
});

const running = (name: string, startedAtMs = 0): RunningContainer => ({ id: name, name, startedAtMs, pod: { name: 'web', namespace: 'default', uid: 'u1', startedAtMs: 0 } });

test('the sampler looks every fifteen seconds, and when somebody wants it newer', async (t) => {
  const clock = new FakeClock();
  const start = clock.now();
  const asked: number[] = [];
  const now = [running('old', start - 60_000), running('broken')];
  const sampler = new UsageSampler({
    clock, log: silentLog, running: () => now,
    stats: {
      stats: async (id) => {
        asked.push(clock.now() - start);
        if (id === 'broken') throw new Error('gone');
        return { cpuNanoseconds: (clock.now() - start) * 200_000, memoryBytes: 20, workingSetBytes: 10, atMs: clock.now() };
      },
      machineStats: async () => ({ cpuNanoseconds: (clock.now() - start) * 1_000_000, memoryBytes: 20, workingSetBytes: 10, atMs: clock.now() }),
    },
  });
  const stop = new AbortController();
  const done = sampler.run(stop.signal);
  await settle(5);
  t.is((await sampler.usage()).containers[0]?.rate, undefined);
  await clock.advance(2_000);
  await settle(5);
  const { node, containers } = await sampler.usage();
  t.deepEqual(containers.map(({ name, rate }) => [name, rate]), [['old', { nanoCores: 2e8, windowMs: 2_000 }]]);
  t.deepEqual(node?.rate, { nanoCores: 1e9, windowMs: 2_000 });
  // A container that starts now is measured as soon as somebody asks.
  await clock.advance(6_000);
  now.push(running('new', clock.now() - 2_000));
  const [first] = await Promise.all([sampler.usage(), sampler.usage()]);
  t.deepEqual(first.containers.map(({ name, rate }) => [name, rate?.windowMs]), [['old', 6_000], ['new', 2_000]]);
  await clock.advance(30_000);
  await settle(5);
  t.deepEqual([...new Set(asked)], [0, 2_000, 8_000, 17_000, 32_000]);
  stop.abort();
  await done;
});

const nodeUsage: NodeUsage = {
  node: { sample: sample(9e9, 15_000), rate: { nanoCores: 3e8, windowMs: 15_000 } },
  containers: [
    { ...running('a', 5_000), sample: sample(2e9, 15_000), rate: { nanoCores: 1e8, windowMs: 15_000 } },
    { ...running('b', 5_000), sample: sample(1e9, 15_000), rate: { nanoCores: 5e7, windowMs: 10_000 } },
    { ...running('c'), pod: { name: 'young"\n', namespace: 'x', uid: 'u2', startedAtMs: undefined }, sample: sample(1, 15_000), rate: undefined },
  ],
};

test('the two forms in which a node tells what it uses', (t) => {
  const summary = statsSummary(nodeUsage, { nodeName: 'n1', startedAtMs: 0, memoryBytes: 100 }) as { node: object; pods: readonly { podRef: object; containers: readonly object[] }[] };
  const time = '1970-01-01T00:00:15Z';
  t.deepEqual(summary.node, {
    nodeName: 'n1', startTime: '1970-01-01T00:00:00Z', cpu: { time, usageNanoCores: 3e8, windowSeconds: 15, usageCoreNanoSeconds: 9e9 },
    memory: { time, usageBytes: 20, workingSetBytes: 10, availableBytes: 90 },
  });
  t.is(summary.pods.length, 2);
  t.like(summary.pods[0], { podRef: { name: 'web', namespace: 'default', uid: 'u1' }, cpu: { usageNanoCores: 15e7, usageCoreNanoSeconds: 3e9 }, memory: { workingSetBytes: 20 } });
  const read = readSummary(JSON.stringify(summary));
  t.deepEqual(read.node, { nanoCores: 3e8, memoryBytes: 10, windowMs: 15_000, atMs: 15_000 });
  // A pod of which a part could not be measured is none.
  t.deepEqual([...read.pods.keys()], ['u1']);
  t.deepEqual(read.pods.get('u1')?.containers[1], { name: 'b', nanoCores: 5e7, memoryBytes: 10, windowMs: 10_000, atMs: 15_000 });
  const lines = resourceMetrics(nodeUsage).split('\n');
  for (const line of [
    'container_cpu_usage_seconds_total{container="a",namespace="default",pod="web"} 2 15000', 'container_memory_working_set_bytes{container="b",namespace="default",pod="web"} 10 15000',
    'container_start_time_seconds{container="a",namespace="default",pod="web"} 5 15000', 'node_cpu_usage_seconds_total 9 15000', 'node_memory_working_set_bytes 10 15000',
    'pod_cpu_usage_seconds_total{namespace="default",pod="web"} 3 15000', 'pod_memory_working_set_bytes{namespace="x",pod="young\\"\\n"} 10 15000', 'resource_scrape_error 0',
    '# TYPE container_cpu_usage_seconds_total counter', '# TYPE node_memory_working_set_bytes gauge',
  ]) t.true(lines.includes(line), line);
  t.true(resourceMetrics({ node: undefined, containers: [] }).includes('resource_scrape_error 1\n'));
});

test('whatever an agent answers, only what has the right form is taken', (t) => {
  const cpu = { time: '2026-01-01T00:00:00Z', usageNanoCores: 1, windowSeconds: 1 };
  const memory = { workingSetBytes: 1 };
  const podRef = { uid: 'u', name: 'p', namespace: 'n' };
  for (const odd of [null, [], 'text', 5, { node: 5, pods: 'x' }, { node: { cpu, memory: { workingSetBytes: -1 } } }, { node: { cpu: { ...cpu, time: 'now' }, memory } }, { node: { cpu: { ...cpu, usageNanoCores: '1' }, memory } }, { node: { cpu: { ...cpu, windowSeconds: null }, memory } }, { pods: [null, {}, { podRef }, { podRef, containers: [] }, { podRef, containers: [{ name: 'c', cpu }] }, { containers: [{ name: 'c', cpu, memory }] }] }]) {
    const { node, pods } = readSummary(JSON.stringify(odd));
    t.is(node, undefined, JSON.stringify(odd));
    t.is(pods.size, 0, JSON.stringify(odd));
  }
  t.throws(() => readSummary('{'), { instanceOf: SyntaxError });
});

test('an agent tells how its node is, over TLS and to the API server alone', async (t) => {
  const agent = await agentFixture(pki);
  t.teardown(agent.close);
  agent.runtime.script('busy:1', { runs: [{ usage: () => ({ cpuMilli: 250, memoryBytes: 2 ** 20 }) }] });
  await agent.start();
  await agent.createPod({ name: 'busy', spec: { containers: [{ name: 'main', image: 'busy:1' }] } });
  await agent.phase('busy', 'Running');
  const port = (await agent.api.client.of(Node).get({ name: nodeName })).status!.daemonEndpoints!.kubeletEndpoint!.Port;
  const { ca, client, stranger } = await pki;
  const readerOf = ({ cert, key }: { readonly cert: string; readonly key: string }) => createAgentReader(createNodeClient({ ca: ca.cert, cert, key }, systemClock), systemClock);
  const get = (path: string): Promise<string> => readerOf(client)({ host: '127.0.0.1', port, path });
  await agent.clock.advance(15_000);
  await eventually(async () => {
    const { node, pods } = readSummary(await get('/stats/summary'));
    t.like([...pods.values()][0], { name: 'busy', namespace: 'default' });
    t.like([...pods.values()][0]?.containers[0], { name: 'main', nanoCores: 250_000_000, memoryBytes: 2 ** 20 });
    t.true(node !== undefined && node.nanoCores > 250_000_000 && node.memoryBytes > 2 ** 20);
  });
  t.regex(await get('/metrics/resource'), /^container_memory_working_set_bytes\{container="main",namespace="default",pod="busy"\} 1048576 \d+$/m);
  t.regex(await get('/metrics'), /^kubelet_running_containers\{container_state="running"\} 1$/m);
  t.is((JSON.parse(await get('/pods')) as { items: readonly { metadata: { name: string } }[] }).items[0]?.metadata.name, 'busy');
  t.like((JSON.parse(await get('/configz')) as { kubeletconfig: object }).kubeletconfig, { kind: 'KubeletConfiguration', maxPods: 110 });
  t.is(await get('/healthz/'), 'ok');
  await t.throwsAsync(get('/stats'), { message: /could not find/ });
  await t.throwsAsync(readerOf(stranger)({ host: '127.0.0.1', port, path: '/stats/summary' }), { message: /only the API server/ });
});
