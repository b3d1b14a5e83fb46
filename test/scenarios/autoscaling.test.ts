// Autoscalers over a real API server, controllers and simulated nodes whose agents measure what the test says.
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import type { NewObject } from '../../client/client.ts';
import { isConditionTrue } from '../../schemas/conditions.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { HorizontalPodAutoscalerV1 } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler-v1.ts';
import { HorizontalPodAutoscaler, type HorizontalPodAutoscalerSpec } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { rest, until } from '../helpers/control-plane.ts';
import { controlledCluster } from '../helpers/controlled-cluster.ts';
import { define, specSchema, widgetDefinition, widgets, type CustomObject } from '../helpers/custom.ts';
import { MeasuredLoad } from '../helpers/measured-load.ts';

const key = { namespace: 'default', name: 'web' };
const selector = { matchLabels: { app: 'web' } };
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m', memory: '100Mi' } } }] } };

const world = async (t: ExecutionContext) => {
  const load = new MeasuredLoad();
  const cluster = await controlledCluster(t, { agents: load.agents });
  const { client, clock } = cluster;
  await rest();
  await load.begin(client, ['n1', 'n2', 'n3'], () => clock.now());
  const autoscalers = client.of(HorizontalPodAutoscaler);
  let readyPods = 1;
  await cluster.watchPods((pods) => {
    readyPods = pods.filter(({ status, metadata }) => metadata.deletionTimestamp === undefined && isConditionTrue(status?.conditions, 'Ready')).length;
  });
  return {
    ...cluster, load,
    /** Shares an amount of CPU among the pods that are ready. */
    cpu: (milli: number) => void (load.usage = () => ({ cpuMilli: milli / Math.max(1, readyPods), memoryBytes: 2 ** 20 })),
    autoscale: (kind: string, apiVersion: string, more: Partial<HorizontalPodAutoscalerSpec> = {}) => autoscalers.create({
      metadata: key, spec: {
        scaleTargetRef: { kind, apiVersion, name: 'web' }, minReplicas: 1, maxReplicas: 10,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }], ...more,
      },
    } as NewObject<HorizontalPodAutoscaler>),
    autoscaler: () => autoscalers.get(key),
    condition: async (type: string) => (await autoscalers.get(key)).status?.conditions?.find((one) => one.type === type),
  };
};

test.serial('a Deployment grows with its load, as fast as it may, and shrinks five minutes after it', async (t) => {
  const { client, clock, cpu, autoscale, autoscaler, condition, reasons } = await world(t);
  const replicas = async () => (await client.of(Deployment).get(key)).spec.replicas;
  cpu(40);
  await client.of(Deployment).create({ metadata: key, spec: { replicas: 1, selector, template } } as NewObject<Deployment>);
  await autoscale('Deployment', 'apps/v1');
  await until(clock, async () => assert.equal((await condition('ScalingActive'))?.reason, 'ValidMetricFound'), 120_000);
  t.like((await autoscaler()).status, { currentReplicas: 1, desiredReplicas: 1, currentMetrics: [{ resource: { name: 'cpu', current: { averageUtilization: 40, averageValue: '40m' } } }] });
  t.is((await condition('ScalingLimited'))?.reason, 'DesiredWithinRange', 'two pods would be wanted from 55 % on');

  cpu(400);
  await until(clock, async () => assert.equal(await replicas(), 4), 60_000);
  t.like(await condition('ScalingLimited'), { status: 'True', reason: 'ScaleUpLimit' });
  t.like(await condition('AbleToScale'), { status: 'True', reason: 'SucceededRescale', message: 'the HPA controller was able to update the target scale to 4' });
  await until(clock, async () => assert.equal(await replicas(), 8), 120_000);
  await until(clock, async () => assert.equal((await autoscaler()).status?.currentMetrics?.[0]?.resource?.current.averageUtilization, 50), 120_000);
  t.is(await replicas(), 8);

  cpu(8);
  const idleMs = clock.now();
  await until(clock, async () => assert.equal((await condition('AbleToScale'))?.reason, 'ScaleDownStabilized'), 60_000);
  t.is(await replicas(), 8);
  await until(clock, async () => assert.equal(await replicas(), 1), 400_000);
  const tookMs = clock.now() - idleMs;
  t.true(tookMs >= 285_000 && tookMs <= 340_000, `it took ${tookMs} ms`);
  const told = (await reasons('web')).filter((one) => one.startsWith('SuccessfulRescale'));
  t.deepEqual(told, [4, 8].map((size) => `SuccessfulRescale New size: ${size}; reason: cpu resource utilization (percentage of request) above target`).concat('SuccessfulRescale New size: 1; reason: All metrics below target'));
});

test.serial('the form of kubectl autoscale, on a StatefulSet and a ReplicationController; bounds hold without metrics', async (t) => {
  const { client, clock, load } = await world(t);
  load.usage = () => undefined;
  await client.of(StatefulSet).create({ metadata: key, spec: { replicas: 1, serviceName: 'web', selector, template } } as NewObject<StatefulSet>);
  await client.of(ReplicationController).create({ metadata: { ...key, name: 'old' }, spec: { replicas: 9, selector: { app: 'old' }, template: { ...template, metadata: { labels: { app: 'old' } } } } } as NewObject<ReplicationController>);
  for (const [name, apiVersion, kind] of [['web', 'apps/v1', 'StatefulSet'], ['old', 'v1', 'ReplicationController']] as const) {
    await client.of(HorizontalPodAutoscalerV1).create({ metadata: { namespace: 'default', name }, spec: { scaleTargetRef: { apiVersion, kind, name }, minReplicas: 2, maxReplicas: 3, targetCPUUtilizationPercentage: 50 } });
  }
  await until(clock, async () => {
    assert.equal((await client.of(StatefulSet).get(key)).spec.replicas, 2);
    assert.equal((await client.of(ReplicationController).get({ namespace: 'default', name: 'old' })).spec?.replicas, 3);
  }, 60_000);
  await until(clock, async () => {
    const { status } = await client.of(HorizontalPodAutoscaler).get(key);
    assert.equal(status?.conditions?.find(({ type }) => type === 'ScalingActive')?.message, 'the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API');
    assert.equal(status.currentReplicas, 2);
  }, 60_000);
  t.pass();
});

test.serial('a target that is not there, one that cannot be scaled, and one of no pods', async (t) => {
  const { client, clock, autoscale, condition, reasons } = await world(t);
  await autoscale('Deployment', 'apps/v1');
  await until(clock, async () => assert.equal((await condition('AbleToScale'))?.message, `the HPA controller was unable to get the target's current scale: deployments.apps "web" not found`), 30_000);
  t.deepEqual(await reasons('web'), ['FailedGetScale deployments.apps "web" not found']);
  const aim = (apiVersion: string, kind: string) => client.of(HorizontalPodAutoscaler).modify(key, (draft) => void (draft.spec.scaleTargetRef = { apiVersion, kind, name: 'web' }));
  await aim('apps/v1', 'DaemonSet');
  await until(clock, async () => assert.match((await condition('AbleToScale'))?.message ?? '', /daemonsets\.apps does not implement the scale subresource$/), 0);
  await aim('example.org/v1', 'Thing');
  await until(clock, async () => assert.match((await condition('AbleToScale'))?.message ?? '', /no matches for kind "Thing" in group "example\.org"$/), 0);
  await client.of(Deployment).create({ metadata: key, spec: { replicas: 0, selector, template } } as NewObject<Deployment>);
  await aim('apps/v1', 'Deployment');
  await until(clock, async () => assert.equal((await condition('ScalingActive'))?.reason, 'ScalingDisabled'), 0);
  t.like(await condition('AbleToScale'), { status: 'True', reason: 'SucceededGetScale' });
  await clock.advance(60_000);
  t.is((await client.of(Deployment).get(key)).spec.replicas, 0);
});

test.serial('a custom object is scaled through its scale, and two autoscalers of the same pods pull at neither', async (t) => {
  const { client, clock, api, load, autoscale, condition } = await world(t);
  await define(api, widgetDefinition({
    schema: specSchema({ replicas: { type: 'integer' } }),
    version: { subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' } } },
  }));
  await api.transport.send({ ...widgets, verb: 'create', body: { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'web' }, spec: { replicas: 2 } } });
  const widget = async () => (await api.transport.send({ ...widgets, verb: 'get', name: 'web' })).body as CustomObject;
  await autoscale('Widget', 'example.com/v1');
  await until(clock, async () => assert.equal((await condition('ScalingActive'))?.message, "the HPA target's scale is missing a selector"), 60_000);
  await api.transport.send({ ...widgets, verb: 'update', subresource: 'status', name: 'web', body: { ...await widget(), status: { replicas: 2, selector: 'app=web' } } });
  load.usage = () => ({ cpuMilli: 100, memoryBytes: 1 });
  for (const name of ['a', 'b']) await client.of(Pod).create({ metadata: { name, namespace: 'default', labels: { app: 'web' } }, spec: template.spec } as NewObject<Pod>);
  await until(clock, async () => assert.equal((await widget()).spec?.['replicas'], 4), 120_000);

  await client.of(HorizontalPodAutoscaler).create({ metadata: { ...key, name: 'other' }, spec: { scaleTargetRef: { kind: 'Widget', apiVersion: 'example.com/v1', name: 'web' }, minReplicas: 1, maxReplicas: 20 } } as NewObject<HorizontalPodAutoscaler>);
  await until(clock, async () => assert.equal((await condition('ScalingActive'))?.message, 'pods by selector app=web are controlled by multiple HPAs: [default/other default/web]'), 60_000);
  const before = (await widget()).spec?.['replicas'];
  await clock.advance(60_000);
  t.is((await widget()).spec?.['replicas'], before);
});

test.serial('an autoscaler at rest asks for figures every 15 s and writes nothing', async (t) => {
  const { client, clock, load, autoscale, autoscaler, condition } = await world(t);
  let asked = 0;
  load.usage = () => {
    asked++;
    return { cpuMilli: 50, memoryBytes: 1 };
  };
  await client.of(Deployment).create({ metadata: key, spec: { replicas: 1, selector, template } } as NewObject<Deployment>);
  await autoscale('Deployment', 'apps/v1');
  await until(clock, async () => assert.equal((await condition('ScalingActive'))?.reason, 'ValidMetricFound'), 120_000);
  await clock.advance(60_000);
  const { resourceVersion } = (await autoscaler()).metadata;
  asked = 0;
  await clock.advance(150_000);
  t.is((await autoscaler()).metadata.resourceVersion, resourceVersion);
  t.true(asked >= 9 && asked <= 11, `${asked} looks`);
});
