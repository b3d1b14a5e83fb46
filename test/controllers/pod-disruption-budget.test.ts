import assert from 'node:assert/strict';
import test from 'ava';
import { standing, type Look } from '../../controllers/pod-disruption-budget/plan.ts';
import { ApiError } from '../../schemas/errors.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { testApi } from '../helpers/api.ts';
import { startControllers, until } from '../helpers/control-plane.ts';
import { SimulatedNodes } from '../helpers/simulated-node.ts';
import { at, pod, startMs, template } from '../helpers/workloads.ts';

type Spec = NonNullable<PodDisruptionBudget['spec']>;
type Status = NonNullable<PodDisruptionBudget['status']>;

const budget = (spec: Spec, status?: Status): PodDisruptionBudget => ({
  apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'web', namespace: 'default', generation: 2 }, spec: { selector: { matchLabels: { app: 'web' } }, ...spec }, ...(status === undefined ? {} : { status }),
});
const ready = (name: string): Pod => pod(name, { readySince: 0 });
const look = (spec: Spec, more: Partial<Look>, status?: Status) => standing(budget(spec, status), { pods: [ready('a'), ready('b'), ready('c')], scale: 3, nowMs: startMs, ...more });

const cases: readonly [name: string, spec: Spec, more: Partial<Look>, expected: Partial<Status>][] = [
  ['a number that must be there', { minAvailable: 2 }, {}, { expectedPods: 3, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 }],
  ['a number that must be there, of few', { minAvailable: 5 }, {}, { expectedPods: 3, desiredHealthy: 5, disruptionsAllowed: 0 }],
  ['a share, rounded up', { minAvailable: '50%' }, {}, { expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 1 }],
  ['a share of what is asked for and not of what is there', { minAvailable: '50%' }, { scale: 10 }, { expectedPods: 10, desiredHealthy: 5, currentHealthy: 3, disruptionsAllowed: 0 }],
  ['a number that may be missing', { maxUnavailable: 1 }, {}, { expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 1 }],
  ['a share that may be missing', { maxUnavailable: '50%' }, {}, { expectedPods: 3, desiredHealthy: 1, disruptionsAllowed: 2 }],
  ['more may be missing than there are', { maxUnavailable: 9 }, {}, { desiredHealthy: 0, disruptionsAllowed: 3 }],
  ['pods that are not ready, or go', { maxUnavailable: 1 }, { pods: [ready('a'), pod('b'), pod('c', { readySince: 0, metadata: { deletionTimestamp: at(5) } })] }, { currentHealthy: 1, disruptionsAllowed: 0 }],
  ['nothing is expected', { maxUnavailable: 1 }, { pods: [], scale: 0 }, { expectedPods: 0, disruptionsAllowed: 0 }],
  ['nothing is said', {}, {}, { desiredHealthy: 0, disruptionsAllowed: 3 }],
];

for (const [name, spec, more, expected] of cases) {
  test(`a budget: ${name}`, (t) => {
    const { status } = look(spec, more);
    t.like(status, { ...expected, observedGeneration: 2 });
    const allowed = (status?.disruptionsAllowed ?? 0) > 0;
    t.like(status?.conditions, [{ type: 'DisruptionAllowed', status: allowed ? 'True' : 'False', reason: allowed ? 'SufficientPods' : 'InsufficientPods' }]);
    t.is(look(spec, more, status).status, undefined, 'the second look has nothing to do');
  });
}

test('a pod that was let go does not count, until it goes or time shows that it stays', (t) => {
  const before = look({ minAvailable: 1 }, {}).status;
  const charged: Status = { ...before!, disruptionsAllowed: 1, disruptedPods: { a: at(0), gone: at(0) } };
  const soon = look({ minAvailable: 1 }, { nowMs: startMs + 1_000 }, charged);
  t.like(soon.status, { currentHealthy: 2, disruptionsAllowed: 1, disruptedPods: { a: at(0) } });
  t.is(soon.againInMs, 119_001);
  const going = look({ minAvailable: 1 }, { pods: [pod('a', { readySince: 0, metadata: { deletionTimestamp: at(1) } }), ready('b'), ready('c')] }, charged);
  t.is(going.status?.disruptedPods, undefined);
  t.like(going.status, { currentHealthy: 2, disruptionsAllowed: 1 });
  const late = look({ minAvailable: 1 }, { nowMs: startMs + 121_000 }, charged);
  t.like(late.status, { currentHealthy: 3, disruptionsAllowed: 2 });
  t.deepEqual(late.stayed.map(({ metadata }) => metadata.name), ['a']);
});

test('a budget that cannot be counted allows nothing and says why', (t) => {
  const { status } = look({ maxUnavailable: 1 }, { scale: { unknown: 'jobs.batch does not implement the scale subresource' } }, { disruptionsAllowed: 3, expectedPods: 4 } as Status);
  t.like(status, { disruptionsAllowed: 0, expectedPods: 4, conditions: [{ status: 'False', reason: 'SyncFailed', message: 'jobs.batch does not implement the scale subresource' }] });
});

// With the server

const key = (name: string): { readonly namespace: string; readonly name: string } => ({ namespace: 'default', name });

test('evictions go as far as the budget, in whatever number they come, and go on when others have taken over', async (t) => {
  const api = await testApi();
  const nodes = new SimulatedNodes({ transport: api.transport, clock: api.clock, names: ['n1', 'n2'], stopMs: 1_000 });
  const stop = new AbortController();
  const running = nodes.run(stop.signal);
  const controllers = await startControllers(api);
  t.teardown(async () => {
    await controllers.stop();
    stop.abort();
    await running;
    await api.close();
  });
  const budgets = api.client.of(PodDisruptionBudget);
  const pods = async (): Promise<readonly Pod[]> => (await api.client.of(Pod).list({ namespace: 'default' })).items;
  await api.client.of(Deployment).create({ metadata: key('web'), spec: { replicas: 6, selector: { matchLabels: { app: 'web' } }, template: template('v1') } });
  await budgets.create({ metadata: key('web'), spec: { maxUnavailable: '33%', selector: { matchLabels: { app: 'web' } } } });
  const allowed = (count: number) => until(api.clock, async () => assert.equal((await budgets.get(key('web'))).status?.disruptionsAllowed, count));
  await allowed(2);
  t.like((await budgets.get(key('web'))).status, { expectedPods: 6, currentHealthy: 6, desiredHealthy: 4 });

  const evict = (name: string, options: { readonly dryRun?: boolean } = {}) => api.transport.send({
    verb: 'create', group: '', version: 'v1', resource: 'pods', namespace: 'default', name, subresource: 'eviction', body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } }, options,
  });
  const all = (await pods()).map(({ metadata }) => metadata.name ?? '');
  await evict(all[0]!, { dryRun: true });
  t.is((await budgets.get(key('web'))).status?.disruptionsAllowed, 2, 'a dry run charges nothing');
  const outcomes = await Promise.allSettled(all.map((name) => evict(name)));
  const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as ApiError] : []));
  t.is(refusals.length, 4);
  for (const error of refusals) {
    t.like(error, { code: 429, reason: 'TooManyRequests', message: "Cannot evict pod as it would violate the pod's disruption budget." });
    // The controller may have seen those go that were evicted first.
    const [cause, ...others] = error.details?.causes ?? [];
    t.is(cause?.reason, 'DisruptionBudget');
    t.regex(cause?.message ?? '', /^The disruption budget web needs 4 healthy pods and has [456] currently$/);
    t.is(others.length, 0);
    t.is(error.details?.retryAfterSeconds, undefined, 'clients decide themselves when to ask again');
  }
  const leaving = (await pods()).filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  t.is(leaving.length, 2);
  for (const { status } of leaving) t.like(status?.conditions?.find(({ type }) => type === 'DisruptionTarget'), { status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' });
  await allowed(2);
  t.deepEqual((await budgets.get(key('web'))).status?.disruptedPods ?? {}, {});
});

test('what budgets say to an eviction', async (t) => {
  const api = await testApi();
  t.teardown(api.close);
  const pods = api.client.of(Pod);
  const budgets = api.client.of(PodDisruptionBudget);
  const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'a' }] };
  const make = async (name: string, app: string, status: Partial<NonNullable<Pod['status']>>): Promise<void> => {
    await pods.create({ metadata: { ...key(name), labels: { app } }, spec });
    await pods.modifyStatus(key(name), (draft) => { draft.status = { ...draft.status, ...status } as typeof draft.status; });
  };
  const isReady = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  const isNotReady = { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] };
  const evict = (name: string, deleteOptions?: object) => pods.createSub(key(name), 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, deleteOptions });
  const refused = async (name: string, deleteOptions?: object): Promise<ApiError> => t.throwsAsync(evict(name, deleteOptions), { instanceOf: ApiError });
  const budgetOf = async (name: string, app: string, more: Partial<Spec>, status: Partial<Status> = {}): Promise<void> => {
    await budgets.create({ metadata: key(name), spec: { minAvailable: 1, selector: { matchLabels: { app } }, ...more } });
    await budgets.modifyStatus(key(name), (draft) => { draft.status = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, observedGeneration: 1, conditions: [], ...status } as typeof draft.status; });
  };

  await make('free', 'none', isReady);
  t.like(await evict('free'), { code: 201, body: { status: 'Success' } });

  await budgetOf('one', 'one', {});
  await make('guarded', 'one', isReady);
  t.is((await refused('guarded')).reason, 'TooManyRequests');
  await make('pending', 'one', { phase: 'Pending' });
  await make('ended', 'one', { phase: 'Failed' });
  await make('sick', 'one', isNotReady);
  for (const name of ['pending', 'ended', 'sick']) await evict(name);
  await evict('pending');
  t.is((await budgets.get(key('one'))).status?.disruptedPods, undefined, 'none of these was charged');

  await budgets.modifyStatus(key('one'), (draft) => { draft.status!.disruptionsAllowed = 1; });
  t.is((await refused('guarded', { preconditions: { uid: 'another' } })).reason, 'Conflict');
  t.is((await budgets.get(key('one'))).status?.disruptionsAllowed, 1, 'a delete that is refused is not charged');
  await evict('guarded');
  t.like((await budgets.get(key('one'))).status, { disruptionsAllowed: 0, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }] });
  t.deepEqual(Object.keys((await budgets.get(key('one'))).status?.disruptedPods ?? {}), ['guarded']);

  await budgetOf('strict', 'weak', {}, { currentHealthy: 0 });
  await make('weak', 'weak', isNotReady);
  t.is((await refused('weak')).details?.causes?.[0]?.message, 'The disruption budget strict needs 1 healthy pods and has 0 currently');
  await budgets.modify(key('strict'), (draft) => { draft.spec!.unhealthyPodEvictionPolicy = 'AlwaysAllow'; });
  await evict('weak');

  await make('new', 'weak', isReady);
  const early = await refused('new');
  t.is(early.details?.causes?.[0]?.message, 'The disruption budget strict is still being processed by the server.');
  t.is(early.details?.retryAfterSeconds, 10);

  await budgetOf('another', 'weak', {}, {});
  t.like(await refused('new'), { code: 500, message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.' });
});
