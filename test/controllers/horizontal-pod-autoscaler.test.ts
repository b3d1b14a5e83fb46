import test from 'ava';
import * as fc from 'fast-check';
import { rfc3339 } from '../../base/clock.ts';
import { byBounds, planAutoscaler, type AutoscalerState } from '../../controllers/horizontal-pod-autoscaler/plan.ts';
import { propose, type ProposalState } from '../../controllers/horizontal-pod-autoscaler/proposal.ts';
import { windowMs } from '../../controllers/horizontal-pod-autoscaler/samples.ts';
import { atSpeed, firstHistory, withChange, type History } from '../../controllers/horizontal-pod-autoscaler/speed.ts';
import { defaultTimes } from '../../controllers/horizontal-pod-autoscaler/times.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodMetrics } from '../../schemas/kinds/metrics/pod-metrics.ts';
import type { MetricSpec } from '../../schemas/types/metric.ts';
import { at, pod, startMs } from '../helpers/workloads.ts';

/** An hour after the start, when pods of the start are long past their first minutes. */
const nowMs = startMs + 3_600_000;
const now = 3_600;

const cpu = (averageUtilization: number): MetricSpec => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } });
const cpuValue = (averageValue: string): MetricSpec => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue } } });
const memory = (averageUtilization: number): MetricSpec => ({ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization } } });
const ofContainer = (container: string, averageUtilization: number): MetricSpec => ({ type: 'ContainerResource', containerResource: { container, name: 'cpu', target: { type: 'Utilization', averageUtilization } } });

/** How a pod is: what it uses, in the words of the tables. */
interface One {
  /** Thousandths of a core by container, `c` and `side`; absent: nothing was measured. */
  readonly uses?: number;
  readonly side?: number;
  readonly asks?: string | undefined;
  readonly phase?: string;
  readonly is?: 'ready' | 'unready' | 'going';
  /** Seconds of its start and of the last change of its readiness. */
  readonly started?: number;
  readonly since?: number;
}

const podOf = (one: One, index: number): Pod => {
  const { asks = '100m', phase = 'Running', is = 'ready', started = 0, since = 5, side } = one;
  const requests = 'asks' in one && one.asks === undefined ? {} : { resources: { requests: { cpu: asks, memory: '100Mi' } } };
  return pod(`p${index}`, {
    phase, metadata: is === 'going' ? { deletionTimestamp: at(now) } : {},
    spec: { containers: [{ name: 'c', image: 'i', ...requests }, ...(side === undefined ? [] : [{ name: 'side', image: 'i', ...requests }])] },
    status: { startTime: at(started), conditions: [{ type: 'Ready', status: is === 'unready' ? 'False' : 'True', lastTransitionTime: at(since) }] },
  });
};

const metricsOf = ({ uses, side }: One, index: number): readonly PodMetrics[] => (uses === undefined ? [] : [{
  apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics', metadata: { name: `p${index}`, namespace: 'default' }, timestamp: at(now - 5), window: '15s',
  containers: [{ name: 'c', usage: { cpu: `${uses}m`, memory: '50Mi' } }, ...(side === undefined ? [] : [{ name: 'side', usage: { cpu: `${side}m`, memory: '10Mi' } }])],
}]);

const stateOf = (ones: readonly One[], more: Partial<ProposalState> = {}): ProposalState => ({
  pods: ones.map(podOf), usage: ones.flatMap(metricsOf), currentReplicas: ones.length, tolerance: { up: 0.1, down: 0.1 }, nowMs, times: defaultTimes, ...more,
});

const times = (count: number, one: One): readonly One[] => Array.from({ length: count }, () => one);

/** The number of replicas, or the message of the condition. */
const said = (metric: MetricSpec, ones: readonly One[], more: Partial<ProposalState> = {}): number | string => {
  const found = propose(metric, stateOf(ones, more));
  return 'error' in found ? found.message : found.replicas;
};

const proposals: readonly [name: string, metric: MetricSpec, ones: readonly One[], expected: number | string][] = [
  ['twice the target wants twice as many', cpu(50), times(3, { uses: 100 }), 6],
  ['half the target wants half as many, rounded up', cpu(50), times(3, { uses: 25 }), 2],
  ['a tenth above the target is near enough', cpu(50), times(3, { uses: 55 }), 3],
  ['a little more than a tenth is not', cpu(50), times(3, { uses: 56 }), 4],
  ['a tenth below the target is near enough', cpu(50), times(10, { uses: 45 }), 10],
  ['a little more than a tenth below is not', cpu(50), times(10, { uses: 44 }), 9],
  ['percentages lose their fraction', cpu(50), [{ uses: 55 }, { uses: 56 }, { uses: 55 }], 3],
  ['nothing to do wants none, which the bounds mend', cpu(50), times(3, { uses: 0 }), 0],
  ['an amount for each pod', cpuValue('20m'), times(3, { uses: 45 }), 7],
  ['an amount needs no requests', cpuValue('20m'), times(2, { uses: 40, asks: undefined }), 4],
  ['memory', memory(25), times(2, { uses: 1 }), 4],
  ['memory of pods that are not ready counts', memory(25), times(2, { uses: 1, is: 'unready', since: 1 }), 4],
  ['all containers together', cpu(50), times(2, { uses: 100, side: 0 }), 2],
  ['one container of each pod', ofContainer('c', 50), times(2, { uses: 100, side: 0 }), 4],
  ['the other one', ofContainer('side', 50), times(2, { uses: 100, side: 10 }), 1],
  ['pods without figures are idle when pods should come', cpu(50), [...times(2, { uses: 100 }), {}, {}], 4],
  ['and weaken the wish', cpu(50), [...times(3, { uses: 150 }), {}], 9],
  ['pods without figures are busy when pods should go', cpu(50), [...times(3, { uses: 5 }), {}], 3],
  ['with a target above all that is asked for, as busy as that', cpu(200), [...times(3, { uses: 20 }), {}], 2],
  ['what is filled in never turns a wish round', cpu(50), [...times(2, { uses: 30 }), {}], 3],
  ['pending pods are idle when pods should come', cpu(50), [...times(2, { uses: 100 }), ...times(2, { phase: 'Pending' })], 4],
  ['and have no say when pods should go', cpu(50), [...times(4, { uses: 20 }), { phase: 'Pending' }], 2],
  ['pods that go or have failed do not count', cpu(50), [...times(2, { uses: 100 }), { uses: 900, is: 'going' }, { uses: 900, phase: 'Failed' }], 4],
  ['a pod in its first minutes counts when it is ready for a whole window', cpu(50), times(2, { uses: 100, started: now - 60, since: now - 30 }), 4],
  ['and not before', cpu(50), [...times(2, { uses: 100 }), { uses: 900, started: now - 60, since: now - 10 }], 4],
  ['and not while it is not ready', cpu(50), [...times(2, { uses: 100 }), { uses: 900, is: 'unready', started: now - 60, since: now - 50 }], 4],
  ['later one that has never been ready has no say', cpu(50), [...times(2, { uses: 100 }), { uses: 900, is: 'unready', since: 29 }], 4],
  ['and one that has, counts', cpu(50), [...times(2, { uses: 100 }), { uses: 100, is: 'unready', since: 31 }], 6],
  ['no pod at all', cpu(50), [], 'failed to get cpu utilization: no pods returned by selector while calculating replica count'],
  ['only pods that start', cpu(50), times(2, { uses: 100, started: now - 10, since: now - 5 }), 'failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)'],
  ['a pod that asks for nothing', cpu(50), [{ uses: 1 }, { uses: 1, asks: undefined }], 'failed to get cpu utilization: missing request for cpu in container c of Pod p1'],
  ['a container that is not there', ofContainer('db', 50), times(1, { uses: 1 }), 'failed to get cpu utilization: unable to get metrics for resource cpu: container db not present in metrics for pod default/p0'],
  ['metrics that nobody serves', { type: 'Pods', pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '1' } } }, [],
    'unable to get metric hits: unable to fetch metrics from custom metrics API: no known available metric versions found'],
];

for (const [name, metric, ones, expected] of proposals) test(`a metric: ${name}`, (t) => t.is(said(metric, ones), expected));

test('a metric says in the status what it was, and which figures were asked for', (t) => {
  t.like(propose(cpu(50), stateOf(times(2, { uses: 30 }))), { status: { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 30, averageValue: '30m' } } }, name: 'cpu resource utilization (percentage of request)' });
  t.like(propose(cpuValue('20m'), stateOf(times(2, { uses: 30 }))), { status: { resource: { name: 'cpu', current: { averageValue: '30m' } } }, name: 'cpu resource' });
  t.like(propose(ofContainer('side', 50), stateOf(times(2, { uses: 1, side: 7 }))), { status: { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'side', current: { averageUtilization: 7, averageValue: '7m' } } } });
  t.is(said(cpu(50), times(2, { uses: 1 }), { usage: { failed: 'no metrics returned from resource metrics API' } }), 'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API');
  t.is(said(cpu(50), times(4, { uses: 60 }), { tolerance: { up: 0.25, down: 0 } }), 4);
  t.is(said(cpu(50), times(4, { uses: 49 }), { tolerance: { up: 0.25, down: 0 } }), 4, 'half a pod less is no pod less');
  t.is(said(cpu(50), times(40, { uses: 49 }), { tolerance: { up: 0.25, down: 0 } }), 40);
});

test('pods that ask for an amount as a whole, and sidecars', (t) => {
  const whole = { ...podOf({ asks: undefined }, 0), spec: { containers: [{ name: 'c', image: 'i' }], resources: { requests: { cpu: '200m' } } } };
  t.is(said(cpu(50), [{ uses: 200 }], { pods: [whole] }), 2);
  const sided = podOf({}, 0);
  const sidecar = { name: 's', image: 'i', restartPolicy: 'Always', resources: { requests: { cpu: '100m' } } } as const;
  t.is(said(cpu(50), [{ uses: 100 }], { pods: [{ ...sided, spec: { ...sided.spec, initContainers: [sidecar, { name: 'once', image: 'i' }] } }] }), 1, '100m of 200m');
});

test('windows are read in the forms of metrics servers', (t) => {
  t.deepEqual(['15s', '14.25s', '1m0.5s', '1h', '500ms', ''].map(windowMs), [15_000, 14_250, 60_500, 3_600_000, 500, 0]);
});

const spec = (more: Partial<HorizontalPodAutoscalerSpec> = {}): HorizontalPodAutoscalerSpec => ({ scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, minReplicas: 1, maxReplicas: 100, metrics: [cpu(50)], ...more });
const wish = (replicas: number, secondsAgo: number) => ({ replicas, atMs: nowMs - secondsAgo * 1_000 });
const past = (words: Partial<History>): History => ({ wishes: [], added: [], removed: [], ...words });
const up = (...policies: readonly (readonly [type: 'Pods' | 'Percent', value: number, periodSeconds: number])[]) => policies.map(([type, value, periodSeconds]) => ({ type, value, periodSeconds }));
const defaultDown = { selectPolicy: 'Max', policies: up(['Percent', 100, 15]) } as const;
const defaultUp = { selectPolicy: 'Max', stabilizationWindowSeconds: 0, policies: up(['Pods', 4, 15], ['Percent', 100, 15]) } as const;
const behaving = (scaleUp: object, scaleDown: object = {}): { readonly behavior: HorizontalPodAutoscalerBehavior } =>
  ({ behavior: { scaleUp: { ...defaultUp, ...scaleUp }, scaleDown: { ...defaultDown, ...scaleDown } } });

const speeds: readonly [name: string, spec: Partial<HorizontalPodAutoscalerSpec>, from: number, wished: number, history: Partial<History>, to: number, able: string, limited: string, is: boolean][] = [
  ['as it is', {}, 3, 3, {}, 3, 'ReadyForNewScale', 'DesiredWithinRange', false],
  ['up', {}, 3, 5, {}, 5, 'ReadyForNewScale', 'DesiredWithinRange', false],
  ['up, at most twice as many at once', {}, 3, 50, {}, 6, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['up, at least to four', {}, 1, 50, {}, 4, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['up to the bound', { maxReplicas: 5 }, 3, 50, {}, 5, 'ReadyForNewScale', 'TooManyReplicas', true],
  ['down', {}, 9, 2, {}, 2, 'ReadyForNewScale', 'DesiredWithinRange', false],
  ['down to the bound', { minReplicas: 3 }, 9, 0, {}, 3, 'ReadyForNewScale', 'TooFewReplicas', true],
  ['down only as far as all wishes of five minutes', {}, 9, 2, { wishes: [wish(8, 301), wish(7, 300), wish(4, 10)] }, 7, 'ScaleDownStabilized', 'DesiredWithinRange', false],
  ['not down while the size of now was wished for', {}, 9, 2, { wishes: [wish(9, 60)] }, 9, 'ScaleDownStabilized', 'DesiredWithinRange', false],
  ['behavior: four more or twice as many', behaving({}), 10, 50, {}, 20, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['behavior: four more of few', behaving({}), 1, 50, {}, 5, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['behavior: those that just came count', behaving({}), 5, 50, { added: [{ pods: 4, atMs: nowMs - 14_000 }] }, 5, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['behavior: those that came before the period do not', behaving({}), 5, 50, { added: [{ pods: 4, atMs: nowMs - 15_000 }] }, 10, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['behavior: the policy that allows least', behaving({ selectPolicy: 'Min' }), 10, 50, {}, 14, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['behavior: a percentage is rounded up', behaving({ policies: up(['Percent', 10, 60]) }), 1, 9, {}, 2, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['behavior: never up', behaving({ selectPolicy: 'Disabled' }), 3, 9, {}, 3, 'ReadyForNewScale', 'ScaleUpLimit', true],
  ['behavior: up to the bound', { ...behaving({}), maxReplicas: 5 }, 3, 9, {}, 5, 'ReadyForNewScale', 'TooManyReplicas', true],
  ['behavior: up only as far as all wishes of the window', behaving({ stabilizationWindowSeconds: 60 }), 3, 9, { wishes: [wish(2, 61), wish(5, 59)] }, 5, 'ScaleUpStabilized', 'DesiredWithinRange', false],
  ['behavior: not up while less was wished for', behaving({ stabilizationWindowSeconds: 60 }), 3, 9, { wishes: [wish(1, 30)] }, 3, 'ScaleUpStabilized', 'DesiredWithinRange', false],
  ['behavior: down by a share', behaving({}, { policies: up(['Percent', 10, 60]) }), 99, 1, {}, 89, 'ReadyForNewScale', 'ScaleDownLimit', true],
  ['behavior: down by a number', behaving({}, { policies: up(['Pods', 3, 60]) }), 99, 1, {}, 96, 'ReadyForNewScale', 'ScaleDownLimit', true],
  ['behavior: down by the number, less those that just went', behaving({}, { policies: up(['Pods', 3, 60]) }), 97, 1, { removed: [{ pods: 2, atMs: nowMs - 30_000 }] }, 96, 'ReadyForNewScale', 'ScaleDownLimit', true],
  ['behavior: down by the policy that takes least', behaving({}, { selectPolicy: 'Min', policies: up(['Pods', 3, 60], ['Percent', 50, 60]) }), 10, 1, {}, 7, 'ReadyForNewScale', 'ScaleDownLimit', true],
  ['behavior: never down', behaving({}, { selectPolicy: 'Disabled' }), 10, 1, {}, 10, 'ReadyForNewScale', 'ScaleDownLimit', true],
  ['behavior: down to the bound', { ...behaving({}), minReplicas: 4 }, 10, 1, {}, 4, 'ReadyForNewScale', 'TooFewReplicas', true],
  ['behavior: five minutes where it does not say', behaving({}), 10, 1, { wishes: [wish(6, 299)] }, 6, 'ScaleDownStabilized', 'DesiredWithinRange', false],
  ['behavior: down at once where it says so', behaving({}, { stabilizationWindowSeconds: 0 }), 10, 1, { wishes: [wish(6, 0.5)] }, 1, 'ReadyForNewScale', 'DesiredWithinRange', false],
];

for (const [name, more, from, wished, history, to, able, limited, is] of speeds) {
  test(`speed: ${name}`, (t) => {
    const speed = atSpeed({ spec: spec(more), currentReplicas: from, wishedReplicas: wished, history: past(history), nowMs, times: defaultTimes });
    t.deepEqual([speed.replicas, speed.able.reason, speed.limited.reason, speed.limited.is], [to, able, limited, is]);
    t.deepEqual(speed.history.wishes.at(-1), { replicas: wished, atMs: nowMs });
  });
}

test('speed: whatever is wished for, the bounds hold, a stable wish is reached, and what is remembered stays bounded', (t) => {
  const rules = fc.record({
    selectPolicy: fc.constantFrom('Max', 'Min'), stabilizationWindowSeconds: fc.integer({ min: 0, max: 600 }),
    policies: fc.array(fc.record({ type: fc.constantFrom('Pods', 'Percent'), value: fc.integer({ min: 1, max: 200 }), periodSeconds: fc.integer({ min: 1, max: 120 }) }), { minLength: 1, maxLength: 3 }),
  });
  const behavior = fc.option(fc.record({ scaleUp: rules, scaleDown: rules }), { nil: undefined });
  fc.assert(fc.property(behavior, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 5, max: 60 }), fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 20 }), (one, minReplicas, maxReplicas, wishes) => {
    const whole = spec({ minReplicas, maxReplicas, ...(one === undefined ? {} : { behavior: one as HorizontalPodAutoscalerBehavior }) });
    let replicas = minReplicas;
    let clock = nowMs;
    let history = firstHistory(replicas, clock);
    const step = (wishedReplicas: number): void => {
      const speed = atSpeed({ spec: whole, currentReplicas: replicas, wishedReplicas, history, nowMs: clock, times: defaultTimes });
      history = speed.replicas === replicas ? speed.history : withChange(speed.history, replicas, speed.replicas, clock);
      replicas = speed.replicas;
      if (replicas < minReplicas || replicas > maxReplicas) throw new Error(`${replicas} replicas`);
      clock += 15_000;
    };
    for (const wished of wishes) step(wished);
    const last = wishes.at(-1)!;
    for (let looks = 0; looks < 700; looks++) step(last);
    if (replicas !== Math.min(Math.max(last, minReplicas), maxReplicas)) throw new Error(`${replicas} replicas where ${last} are wished for`);
    if (history.wishes.length > 42 || history.added.length + history.removed.length > 250) throw new Error('too much is remembered');
  }), { numRuns: 25, seed: 5 });
  t.pass();
});

const autoscaler = (more: Partial<HorizontalPodAutoscalerSpec> = {}, status?: HorizontalPodAutoscaler['status']): HorizontalPodAutoscaler => ({
  apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'web', namespace: 'default', generation: 3 }, spec: spec(more), ...(status === undefined ? {} : { status }),
});
const plan = (ones: readonly One[], more: Partial<HorizontalPodAutoscalerSpec> = {}, state: Partial<AutoscalerState> = {}) => planAutoscaler({
  autoscaler: autoscaler(more), currentReplicas: ones.length, measured: stateOf(ones), history: firstHistory(ones.length, nowMs - 1_000_000), nowMs, times: defaultTimes, ...state,
});
const conditions = ({ status }: ReturnType<typeof plan>) => status.conditions?.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`);

test('plan: bounds go before metrics, and a target of no pods is left alone', (t) => {
  t.deepEqual(byBounds(spec({ minReplicas: 2, maxReplicas: 4 }), 1), { replicas: 2, reason: 'Current number of replicas below Spec.MinReplicas' });
  t.deepEqual(byBounds(spec({ minReplicas: 2, maxReplicas: 4 }), 5), { replicas: 4, reason: 'Current number of replicas above Spec.MaxReplicas' });
  t.is(byBounds(spec(), 0), 'disabled');
  const off = plan([]);
  t.is(off.rescale, undefined);
  t.deepEqual(conditions(off), ['AbleToScale True SucceededGetScale', 'ScalingActive False ScalingDisabled']);
});

test('plan: the metric that wants most decides, and says so', (t) => {
  const { rescale, status, events } = plan(times(3, { uses: 100 }), { metrics: [memory(50), cpu(50)] });
  t.deepEqual(rescale, { replicas: 6, reason: 'cpu resource utilization (percentage of request) above target' });
  t.like(status, { currentReplicas: 3, desiredReplicas: 6, observedGeneration: 3 });
  t.deepEqual(status.currentMetrics?.map(({ resource }) => [resource?.name, resource?.current.averageUtilization]), [['memory', 50], ['cpu', 100]]);
  t.deepEqual(events, []);
});

test('plan: a metric that is unknown holds pods back from going, not from coming', (t) => {
  const hits: MetricSpec = { type: 'Pods', pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '1' } } };
  const coming = plan(times(3, { uses: 100 }), { metrics: [hits, cpu(50)] });
  t.is(coming.rescale?.replicas, 6);
  t.deepEqual(coming.events.map(({ reason }) => reason), ['FailedGetPodsMetric']);
  const going = plan(times(3, { uses: 10 }), { metrics: [hits, cpu(50)] });
  t.is(going.rescale, undefined);
  t.deepEqual(conditions(going), ['AbleToScale True SucceededGetScale', 'ScalingActive False FailedGetPodsMetric']);
  t.deepEqual(going.events.map(({ reason, message }) => `${reason} ${message}`), [
    'FailedGetPodsMetric unable to get metric hits: unable to fetch metrics from custom metrics API: no known available metric versions found',
    'FailedComputeMetricsReplicas invalid metrics (1 invalid out of 2), first error is: failed to get pods metric value: unable to get metric hits: unable to fetch metrics from custom metrics API: no known available metric versions found',
  ]);
});

test('plan: with nothing known the status keeps what it said, and a second look changes nothing', (t) => {
  const before = plan(times(3, { uses: 50 })).status;
  const lost = plan(times(3, {}), {}, { autoscaler: autoscaler({}, before) });
  t.like(lost.status, { currentReplicas: 3, desiredReplicas: 3 });
  t.deepEqual(lost.status.currentMetrics, before.currentMetrics);
  t.like(lost.status.conditions?.[1], { type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric', message: 'the HPA was unable to compute the replica count: failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)' });
  const again = plan(times(3, { uses: 50 }), {}, { autoscaler: autoscaler({}, before), nowMs: nowMs + 15_000 });
  t.deepEqual(again.status, before);
  t.is(again.status.conditions?.[0]?.lastTransitionTime, rfc3339(nowMs));
});
