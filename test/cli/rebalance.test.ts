// Moves on a live cluster: real controllers, scheduler and API server over HTTPS, pods that only pretend to run, a fake clock.
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import { silentLog } from '../../base/log.ts';
import type { NewObject } from '../../client/client.ts';
import { createSchedulerComponent, type SchedulerComponentOptions } from '../../scheduler/component.ts';
import { readProfiles } from '../../scheduler/read-profiles.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { testCli, type Cli, type Ran } from '../helpers/cli.ts';
import { controllersUser, startControllers } from '../helpers/control-plane.ts';
import { SimulatedNodes, type SimulatedNodesOptions } from '../helpers/simulated-node.ts';
import { until } from '../helpers/whole-cluster.ts';

const names = ['n1', 'n2', 'n3'];

/** Three nodes; the third is cordoned until `join`. */
const begun = async (t: ExecutionContext, { outcome, scheduler = {} }: { readonly outcome?: SimulatedNodesOptions['outcome']; readonly scheduler?: SchedulerComponentOptions } = {}) => {
  const cli = await testCli();
  const { client, clock, core } = cli.api;
  for (const name of names) {
    await client.of(Node).create({ metadata: { name }, spec: { unschedulable: name === 'n3' } } as NewObject<Node>);
    await client.of(Node).modifyStatus({ name }, (draft) => void (draft.status = { ...draft.status, allocatable: { cpu: '4', memory: '8Gi', pods: '110' } }));
  }
  const over = new AbortController();
  const nodes = new SimulatedNodes({ transport: cli.api.transport, clock, names, bindsNone: true, ...(outcome === undefined ? {} : { outcome }) }).run(over.signal);
  const controllers = await startControllers(cli.api, { transport: core.as(controllersUser) });
  const scheduling = createSchedulerComponent({ transport: core.as({ name: 'system:barge:scheduler', groups: ['system:authenticated'] }), clock, random: () => 0, log: silentLog }, scheduler).run(over.signal, () => undefined);
  t.teardown(async () => {
    await controllers.stop();
    over.abort();
    await Promise.all([nodes, scheduling]);
    await cli.close();
  });
  const counts = async (): Promise<Readonly<Record<string, number>>> => {
    const { items } = await client.of(Pod).list({ namespace: 'default' });
    const found: Record<string, number> = { n1: 0, n2: 0, n3: 0 };
    for (const { spec, status, metadata } of items) if (metadata.deletionTimestamp === undefined && status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')) found[spec.nodeName!]!++;
    return found;
  };
  return {
    cli, client, counts,
    deploy: async (replicas: number) => {
      await client.of(Deployment).create({
        metadata: { name: 'web', namespace: 'default' },
        spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }], terminationGracePeriodSeconds: 0 } } },
      } as NewObject<Deployment>);
      await until(clock, async () => {
        const { n1, n2, n3 } = await counts();
        assert.equal(n1! + n2! + n3!, replicas);
      });
    },
    join: () => client.of(Node).modify({ name: 'n3' }, (draft) => void (draft.spec = { ...draft.spec, unschedulable: false })),
    run: (line: string): Promise<Ran> => running(cli, line),
  };
};

/** Runs the command while the fake clock goes on. */
const running = async (cli: Cli, line: string): Promise<Ran> => {
  let ran: Ran | undefined;
  const done = cli.barge(line).then((result) => void (ran = result));
  await until(cli.api.clock, () => assert.ok(ran !== undefined), { forMs: 600_000, stepMs: 1_000 });
  await done;
  return ran!;
};

test('after a node has joined pods move one by one, and no more than are asked for', async (t) => {
  const { deploy, join, run, counts } = await begun(t);
  await deploy(6);
  t.deepEqual(await counts(), { n1: 3, n2: 3, n3: 0 });
  await join();
  const dry = await run('rebalance --dry-run');
  t.is(dry.code, 0, dry.err);
  t.regex(dry.out, /^Now 0\.0 to 0\.0 % of a node is requested, 0 to 3 pods are on one\.\nWould move pod\/web-\S+ -n default from n[12] to n3\.\nWould move pod\/web-\S+ -n default from n[12] to n3\.\n2 pods would be moved; then no move makes nodes more even\.\n$/);
  t.deepEqual(await counts(), { n1: 3, n2: 3, n3: 0 }, 'nothing was moved');
  const one = await run('rebalance --max-moves 1');
  t.is(one.code, 0, one.err);
  t.regex(one.out, /\nMoved pod\/web-\S+ -n default from n[12] to n3: default\/web-\S+ is Ready on n3\.\nStopped after 1 move, the most that --max-moves allows\. Now 0\.0 to 0\.0 % of a node is requested, 1 to 3 pods are on one\.\n$/);
  const rest = await run('rebalance');
  t.regex(rest.out, /\nStopped after 1 move: no move that is allowed makes nodes more even\.\n$/);
  t.deepEqual(await counts(), { n1: 2, n2: 2, n3: 2 });
});

test('budgets are kept, and what stays is said', async (t) => {
  const { cli: { api: { clock } }, client, deploy, join, run, counts } = await begun(t);
  await deploy(4);
  await client.of(PodDisruptionBudget).create({ metadata: { name: 'web', namespace: 'default' }, spec: { minAvailable: 4, selector: { matchLabels: { app: 'web' } } } } as NewObject<PodDisruptionBudget>);
  await until(clock, async () => assert.equal((await client.of(PodDisruptionBudget).get({ namespace: 'default', name: 'web' })).status?.currentHealthy, 4));
  await join();
  const { code, out, err } = await run('rebalance');
  t.is(code, 0, err);
  t.regex(out, /\nStopped after 0 moves: no move that is allowed makes nodes more even\.\n {2}4 pods cannot be moved, as each would break a PodDisruptionBudget\n$/);
  t.deepEqual(await counts(), { n1: 2, n2: 2, n3: 0 });
});

test('a replacement that does not become Ready ends the moves', async (t) => {
  const { deploy, join, run, counts } = await begun(t, { outcome: ({ spec }) => (spec.nodeName === 'n3' ? 'never' : 0) });
  await deploy(6);
  await join();
  const { code, out, err } = await run('rebalance --timeout 30s');
  t.is(code, 1, out);
  t.regex(err, /^error: stopped after 0 moves: default\/web-\S+ was evicted from n[12], and no replacement was Ready within 30s\n$/);
  const { n1, n2, n3 } = await counts();
  t.deepEqual([n1! + n2!, n3], [5, 0], 'one pod was moved and no other');
});

test('a scheduler that would have it otherwise ends the moves', async (t) => {
  const { client, deploy, join, run } = await begun(t, { scheduler: { profiles: readProfiles({ profiles: [{ schedulerName: 'default-scheduler', strategy: 'binpack' }] }) } });
  await client.of(Node).modify({ name: 'n2' }, (draft) => void (draft.spec = { ...draft.spec, unschedulable: true }));
  await deploy(4);
  await join();
  const { code, err } = await run('rebalance');
  t.is(code, 1);
  t.regex(err, /^error: the replacement came to n1 again: is --strategy=spread the scheduler's\? Stopped after 1 move\n$/);
});

test('wrong arguments are refused', async (t) => {
  const cli = await testCli();
  t.teardown(cli.close);
  t.like(await cli.barge('rebalance web'), { code: 1 });
  t.like(await cli.barge('rebalance --max-moves 0'), { code: 1 });
  t.is((await cli.barge('rebalance --dry-run')).out, 'Now 0.0 to 0.0 % of a node is requested, 0 to 0 pods are on one.\nNothing would be moved: no move that is allowed makes nodes more even.\n');
});
