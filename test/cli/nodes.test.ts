// Nodes from the command line, against real controllers and API server over HTTPS; pods only pretend to run.
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import { silentLog } from '../../base/log.ts';
import { planDrain } from '../../cli/nodes/drain-plan.ts';
import { changedTaints, splitTaints } from '../../cli/nodes/taints.ts';
import type { NewObject } from '../../client/client.ts';
import { createSchedulerComponent } from '../../scheduler/component.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { testCli, type Ran } from '../helpers/cli.ts';
import { controllersUser, startControllers } from '../helpers/control-plane.ts';
import { SimulatedNodes } from '../helpers/simulated-node.ts';
import { until } from '../helpers/whole-cluster.ts';

const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }], terminationGracePeriodSeconds: 0 } };

/** Two nodes with a Deployment of four pods, two on each. */
const begun = async (t: ExecutionContext) => {
  const cli = await testCli();
  const { client, clock, core } = cli.api;
  const names = ['n1', 'n2'];
  for (const name of names) {
    await client.of(Node).create({ metadata: { name } } as NewObject<Node>);
    await client.of(Node).modifyStatus({ name }, (draft) => void (draft.status = { ...draft.status, allocatable: { cpu: '4', memory: '8Gi', pods: '110' } }));
  }
  const over = new AbortController();
  const nodes = new SimulatedNodes({ transport: cli.api.transport, clock, names, bindsNone: true }).run(over.signal);
  const controllers = await startControllers(cli.api, { transport: core.as(controllersUser) });
  const scheduling = createSchedulerComponent({ transport: core.as({ name: 'system:barge:scheduler', groups: ['system:authenticated'] }), clock, random: () => 0, log: silentLog }, {}).run(over.signal, () => undefined);
  t.teardown(async () => {
    await controllers.stop();
    over.abort();
    await Promise.all([nodes, scheduling]);
    await cli.close();
  });
  const counts = async (): Promise<Readonly<Record<string, number>>> => {
    const found: Record<string, number> = { n1: 0, n2: 0 };
    for (const { spec, status, metadata } of (await client.of(Pod).list({ namespace: 'default' })).items) {
      if (metadata.deletionTimestamp === undefined && status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')) found[spec.nodeName!]!++;
    }
    return found;
  };
  await client.of(Deployment).create({ metadata: { name: 'web', namespace: 'default' }, spec: { replicas: 4, selector: { matchLabels: labels }, template } } as NewObject<Deployment>);
  await until(clock, async () => assert.deepEqual(await counts(), { n1: 2, n2: 2 }));
  /** Runs the command while the fake clock goes on. */
  const run = async (line: string): Promise<Ran> => {
    let ran: Ran | undefined;
    const done = cli.barge(line).then((result) => void (ran = result));
    await until(clock, () => assert.ok(ran !== undefined), { forMs: 600_000, stepMs: 1_000 });
    await done;
    return ran!;
  };
  return { client, clock, counts, run, barge: cli.barge };
};

test('a drain moves all pods of a node elsewhere, and uncordon lets new ones come', async (t) => {
  const { run, barge, counts, clock } = await begun(t);
  const dry = await run('drain n1 --dry-run');
  t.regex(dry.out, /^node\/n1 cordoned \(dry run\)\n(evicting pod default\/web-\S+ \(dry run\)\n){2}node\/n1 drained \(dry run\)\n$/, dry.err);
  t.deepEqual(await counts(), { n1: 2, n2: 2 });
  const { code, out, err } = await run('drain n1');
  t.is(code, 0, err);
  t.regex(out, /^node\/n1 cordoned\n(evicting pod default\/web-\S+\n){2}(pod\/web-\S+ evicted\n){2}node\/n1 drained\n$/);
  await until(clock, async () => assert.deepEqual(await counts(), { n1: 0, n2: 4 }));
  t.regex((await barge('node ls')).out, /^NAME +STATUS +ROLES +MANAGER STATUS +AGE +VERSION\nn1 +\S+,SchedulingDisabled /);
  t.is((await barge('node cordon n1')).out, 'node/n1 already cordoned\n');
  t.is((await barge('uncordon n1')).out, 'node/n1 uncordoned\n');
  t.is((await barge('node uncordon n1')).out, 'node/n1 already uncordoned\n');
});

test('a budget is waited for, and a drain that takes too long says what still runs', async (t) => {
  const { run, client, counts, clock } = await begun(t);
  await client.of(PodDisruptionBudget).create({ metadata: { name: 'web', namespace: 'default' }, spec: { minAvailable: 4, selector: { matchLabels: labels } } } as NewObject<PodDisruptionBudget>);
  await until(clock, async () => assert.equal((await client.of(PodDisruptionBudget).get({ namespace: 'default', name: 'web' })).status?.currentHealthy, 4));
  const late = await run('drain n1 --timeout=12s');
  t.is(late.code, 1);
  t.regex(late.err, /error when evicting pods\/"web-\S+" -n "default" \(will retry after 5s\): Cannot evict pod as it would violate the pod's disruption budget\./);
  t.regex(late.err, /pod default\/web-\S+ was not evicted: /);
  t.regex(late.err, /error: node "n1" was not drained within 12s/);
  t.deepEqual(await counts(), { n1: 2, n2: 2 });
  await client.of(PodDisruptionBudget).modify({ namespace: 'default', name: 'web' }, (draft) => void (draft.spec!.minAvailable = 3));
  const { code, out, err } = await run('drain n1');
  t.is(code, 0, err);
  t.regex(out, /^node\/n1 already cordoned\n[^]*node\/n1 drained\n$/);
  await until(clock, async () => assert.deepEqual(await counts(), { n1: 0, n2: 4 }));
});

test('what a flag must allow is in the way until it is given', async (t) => {
  const { run, client, counts, clock } = await begun(t);
  await client.of(Pod).create({ metadata: { name: 'lonely', namespace: 'default' }, spec: { ...template.spec, nodeName: 'n1', volumes: [{ name: 'scratch', emptyDir: {} }] } } as NewObject<Pod>);
  await client.of(DaemonSet).create({ metadata: { name: 'eyes', namespace: 'default' }, spec: { selector: { matchLabels: { app: 'eyes' } }, template: { ...template, metadata: { labels: { app: 'eyes' } } } } } as NewObject<DaemonSet>);
  await until(clock, async () => assert.deepEqual(await counts(), { n1: 4, n2: 3 }));
  const refused = await run('drain n1');
  t.is(refused.code, 1);
  t.regex(refused.err, /^error: unable to drain node "n1": cannot delete DaemonSet-managed Pods \(use --ignore-daemonsets to ignore\): default\/eyes-\S+; cannot delete Pods with local storage \(use --delete-emptydir-data to override\): default\/lonely; cannot delete Pods that declare no controller \(use --force to override\): default\/lonely\n$/);
  t.deepEqual(await counts(), { n1: 4, n2: 3 });
  const { code, err } = await run('drain n1 --ignore-daemonsets --delete-emptydir-data --force');
  t.is(code, 0, err);
  t.regex(err, /^Warning: ignoring DaemonSet-managed Pods: default\/eyes-\S+; deleting Pods with local storage: default\/lonely; deleting Pods that declare no controller: default\/lonely\n$/);
  await until(clock, async () => assert.deepEqual(await counts(), { n1: 1, n2: 5 }));
});

test('taints are set, changed and removed, and a node that runs is not removed by mistake', async (t) => {
  const { barge, api: { client }, close } = await testCli();
  t.teardown(close);
  await client.of(Node).create({ metadata: { name: 'n1' } } as NewObject<Node>);
  const taints = async () => (await client.of(Node).get({ name: 'n1' })).spec?.taints ?? [];
  t.is((await barge('taint nodes n1 gpu=yes:NoSchedule')).out, 'node/n1 tainted\n');
  t.is((await barge('taint nodes n1 gpu=no:NoSchedule')).err, 'error: node n1 already has gpu taint(s) with same effect(s) and --overwrite is false\n');
  t.is((await barge('node taint n1 gpu=no:NoSchedule --overwrite')).out, 'node/n1 tainted\n');
  t.deepEqual(await taints(), [{ key: 'gpu', value: 'no', effect: 'NoSchedule' }]);
  t.is((await barge('taint nodes n1 gpu-')).out, 'node/n1 untainted\n');
  t.deepEqual(await taints(), []);
  t.is((await barge('taint nodes n1 gpu-')).err, 'error: taint "gpu" not found\n');
  t.regex((await barge('taint pods web gpu=yes:NoSchedule')).err, /^error: only nodes have taints, not "pods"/);
  t.is((await barge('node label n1 disk=ssd')).out, 'node/n1 labeled\n');
  t.regex((await barge('node describe n1')).out, /^Name: +n1\n[^]*disk=ssd/);
  await client.of(Node).modifyStatus({ name: 'n1' }, (draft) => void (draft.status = { ...draft.status, conditions: [{ type: 'Ready', status: 'True' }] }));
  t.is((await barge('node rm n1')).err, "error: node n1 is Ready: drain it ('barge drain n1') and stop its agent, or use --force\n");
  await client.of(Node).modifyStatus({ name: 'n1' }, (draft) => void (draft.status = { ...draft.status, conditions: [{ type: 'Ready', status: 'Unknown' }] }));
  t.is((await barge('node rm n1')).out, 'node/n1 removed\n');
  t.is((await barge('node')).code, 1);
});

test('taint arguments', (t) => {
  t.deepEqual(splitTaints(['n1', 'a=b:NoSchedule', 'c:NoExecute', 'd-', 'e:NoSchedule-', 'f=g:NoExecute-']), {
    names: ['n1'],
    changes: {
      set: [{ key: 'a', value: 'b', effect: 'NoSchedule' }, { key: 'c', effect: 'NoExecute' }],
      remove: [{ key: 'd', effect: undefined }, { key: 'e', effect: 'NoSchedule' }, { key: 'f', effect: 'NoExecute' }],
    },
  });
  for (const [args, says] of [
    [['n1'], /at least one taint update is required/], [['n1', 'a=b'], /invalid taint spec: a=b: write/], [['n1', 'a=b:Never'], /the effect "Never" is none of NoSchedule, PreferNoSchedule, NoExecute/],
    [['n1', 'a:NoSchedule', 'n2'], /invalid taint spec: n2/], [['n1', 'a:NoSchedule', 'a=1:NoSchedule'], /duplicated taints/], [['n1', 'a:NoSchedule', 'a-'], /both modify and remove/],
  ] as const) t.throws(() => splitTaints(args), { message: says });
  const before = [{ key: 'a', value: '1', effect: 'NoSchedule' }, { key: 'a', value: '1', effect: 'NoExecute' }];
  t.deepEqual(changedTaints('n', before, { set: [{ key: 'b', effect: 'NoExecute' }], remove: [{ key: 'a', effect: 'NoExecute' }] }, false), {
    taints: [{ key: 'b', effect: 'NoExecute' }, { key: 'a', value: '1', effect: 'NoSchedule' }], verb: 'modified',
  });
});

test('of a drain, ended pods go without a flag, mirrors of files stay, and pods that have been leaving for long are not waited for', (t) => {
  const pod = (name: string, more: Partial<Omit<Pod, 'metadata'>> & { readonly metadata?: object }): Pod => ({
    apiVersion: 'v1', kind: 'Pod', spec: { containers: [] }, ...more, metadata: { name, namespace: 'd', ...more.metadata },
  } as unknown as Pod);
  const rules = { ignoreDaemonSets: false, deleteEmptyDirData: false, force: false, skipLeavingForMs: 60_000 };
  const plan = planDrain([
    pod('ended', { status: { phase: 'Succeeded' } }), pod('mirror', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }),
    pod('stuck', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
  ], rules, Date.parse('2026-01-01T00:02:00Z'));
  t.deepEqual({ ...plan, leaving: plan.leaving.map(({ metadata }) => metadata.name) }, { leaving: ['ended'], warnings: [], refusals: [] });
});
