// What Deployments can ask for beyond Kubernetes: rollback, rollouts for configuration, an order of start.
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import { rfc3339 } from '../../base/clock.ts';
import type { NewObject } from '../../client/client.ts';
import { keyOf } from '../../client/key.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import type { SimulatedNodesOptions } from '../helpers/simulated-node.ts';
import { rest, until } from '../helpers/control-plane.ts';
import { controlledCluster } from '../helpers/controlled-cluster.ts';
import { template } from '../helpers/workloads.ts';

const key = { namespace: 'default', name: 'web' };
const selector = { matchLabels: { app: 'web' } };

const world = async (t: ExecutionContext, options: Partial<SimulatedNodesOptions> = {}) => {
  const cluster = await controlledCluster(t, options);
  const { client, clock } = cluster;
  const deployments = client.of(Deployment);
  return {
    ...cluster,
    deploy: (annotations: Readonly<Record<string, string>>, spec: Partial<Deployment['spec']> = {}) => deployments.create({
      metadata: { ...key, annotations: Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`barge.dev/${name}`, value])) }, spec: { replicas: 4, selector, template: template('v1'), ...spec },
    }),
    image: (image: string) => deployments.modify(key, (draft) => void (draft.spec.template.spec.containers[0]!.image = image)),
    deployed: () => deployments.get(key),
    condition: async (type: string) => (await deployments.get(key)).status?.conditions?.find((one) => one.type === type),
    images: async () => (await cluster.pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined).map((pod) => pod.spec.containers[0]!.image).sort().join(' '),
    rolledOut: (image: string, replicas = 4, forMs = 60_000) => until(clock, async () => {
      const { status, spec, metadata } = await deployments.get(key);
      assert.partialDeepStrictEqual(status, { observedGeneration: metadata.generation!, replicas, updatedReplicas: replicas, availableReplicas: replicas });
      assert.equal(spec.template.spec.containers[0]!.image, image);
    }, forMs),
    sets: async () => (await client.of(ReplicaSet).list({ namespace: 'default' })).items,
    /** The container of a pod ends after a while, and waits for its next start. */
    crash: async (image: string, ranSeconds: number) => {
      for (const pod of (await cluster.pods()).filter(({ spec, metadata }) => spec.containers[0]!.image === image && metadata.deletionTimestamp === undefined)) {
        const nowMs = clock.now();
        const terminated = { exitCode: 3, startedAt: rfc3339(nowMs - ranSeconds * 1_000), finishedAt: rfc3339(nowMs) };
        await client.of(Pod).modifyStatus(keyOf(pod), (draft) => {
          draft.status = { ...draft.status, containerStatuses: [{ name: 'c', image, imageID: '', ready: true, restartCount: 1, state: { running: { startedAt: rfc3339(nowMs) } }, lastState: { terminated } }] };
        });
      }
    },
  };
};

const never = (bad: string): NonNullable<SimulatedNodesOptions['outcome']> => (pod) => (pod.spec.containers[0]!.image === bad ? 'never' : 0);

test('an update that makes no progress in its time goes back, says why, and the next one begins afresh', async (t) => {
  const { clock, deploy, image, deployed, condition, rolledOut, reasons, images } = await world(t, { outcome: never('bad') });
  await deploy({ 'update-failure-action': 'rollback' }, { progressDeadlineSeconds: 60 });
  await rolledOut('v1');
  await image('bad');
  await until(clock, async () => assert.equal((await condition('UpdateFailed'))?.reason, 'RolledBack'), 120_000);
  await rolledOut('v1');
  t.is(await images(), 'v1 v1 v1 v1');
  const message = 'update to revision 2 rolled back to revision 1: no progress in 60 s';
  t.like(await condition('UpdateFailed'), { status: 'True', message });
  t.true((await reasons('web')).includes(`DeploymentRollback ${message}`));
  t.is((await deployed()).metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  await image('v2');
  await rolledOut('v2');
  t.is(await condition('UpdateFailed'), undefined);
});

test('failures of more than their share go back; others, and late ones, do not', async (t) => {
  const { clock, client, deploy, image, deployed, condition, rolledOut, crash, images } = await world(t);
  await deploy({ 'update-failure-action': 'rollback', 'update-max-failure-ratio': '0.25', 'update-monitor': '10s' }, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }, minReadySeconds: 5 });
  await rolledOut('v1');
  await clock.advance(11_000);
  await crash('v1', 4);
  await clock.advance(5_000);
  t.is(await condition('UpdateFailed'), undefined, 'the update had been over for more than 10 s');

  await image('v2');
  await until(clock, async () => assert.match(await images(), /v2/), 10_000);
  await crash('v2', 4);
  await clock.advance(1_000);
  t.is(await condition('UpdateFailed'), undefined, 'one of four is not more than a quarter');
  await until(clock, async () => {
    await crash('v2', 4);
    assert.equal((await condition('UpdateFailed'))?.reason, 'RolledBack');
  }, 60_000);
  t.regex((await condition('UpdateFailed'))?.message ?? '', /^update to revision 2 rolled back to revision 1: [2-4] of 4 pods failed, more than a share of 0\.25: pod web-\S+: container c ended with exit code 3 after 4 s$/);
  await rolledOut('v1');

  await image('v3');
  await rolledOut('v3');
  await clock.advance(20_000);
  await crash('v3', 4);
  await clock.advance(5_000);
  t.is((await deployed()).spec.template.spec.containers[0]!.image, 'v3', 'the watch was over');
  t.is((await client.of(Deployment).get(key)).spec.paused, undefined);
});

test('containers that end because their pod was told to are no failures', async (t) => {
  const { clock, client, pods, deploy, condition, rolledOut } = await world(t, { stopMs: 20_000 });
  await deploy({ 'update-failure-action': 'rollback', 'update-monitor': '60s' });
  await rolledOut('v1');
  const [pod] = await pods();
  await client.of(Pod).delete(keyOf(pod!), { gracePeriodSeconds: 30 });
  await clock.advance(2_000);
  const terminated = { exitCode: 0, startedAt: rfc3339(clock.now() - 4_000), finishedAt: rfc3339(clock.now()) };
  await client.of(Pod).modifyStatus(keyOf(pod!), (draft) => {
    draft.status = { ...draft.status, containerStatuses: [{ name: 'c', image: 'v1', imageID: '', ready: false, restartCount: 0, state: { terminated } }] };
  });
  await clock.advance(3_000);
  t.not((await client.of(Pod).get(keyOf(pod!))).metadata.deletionTimestamp, undefined, 'it is still there to be looked at');
  t.is(await condition('UpdateFailed'), undefined);
  await rolledOut('v1');
});

test('a pause stops the update once: who goes on is not stopped again, and a new template lifts it', async (t) => {
  const { clock, client, deploy, image, deployed, condition, rolledOut, images } = await world(t, { outcome: (pod) => (pod.spec.containers[0]!.image!.startsWith('bad') ? 'never' : 0) });
  await deploy({ 'update-failure-action': 'pause' }, { progressDeadlineSeconds: 30 });
  await rolledOut('v1');
  await image('bad');
  await until(clock, async () => assert.equal((await deployed()).spec.paused, true), 60_000);
  t.like(await condition('UpdateFailed'), { reason: 'Paused', message: 'update to revision 2 paused: no progress in 30 s' });
  await client.of(Deployment).modify(key, (draft) => void delete draft.spec.paused);
  await clock.advance(120_000);
  t.is((await deployed()).spec.paused, undefined, 'the person went on');
  await image('bad2');
  await until(clock, async () => assert.equal((await deployed()).spec.paused, true), 120_000);
  await image('v2');
  await rolledOut('v2');
  t.is((await deployed()).spec.paused, undefined);
  t.is(await condition('UpdateFailed'), undefined);
  t.is(await images(), 'v2 v2 v2 v2');
});

test('a rollback that fails is paused and not rolled back in turn; without an earlier template there is a pause', async (t) => {
  let isBad: (image: string) => boolean = (image) => image === 'v0';
  const { clock, deploy, image, deployed, condition, rolledOut, client } = await world(t, { outcome: (pod) => (isBad(pod.spec.containers[0]!.image!) ? 'never' : 0) });
  await deploy({ 'update-failure-action': 'rollback' }, { progressDeadlineSeconds: 30, template: template('v0') });
  await until(clock, async () => assert.equal((await deployed()).spec.paused, true), 60_000);
  await image('v1');
  await rolledOut('v1');
  isBad = () => true;
  await image('v2');
  await until(clock, async () => assert.equal((await condition('UpdateFailed'))?.reason, 'RolledBack'), 90_000);
  // What ran before does not run any more either.
  for (const pod of (await client.of(Pod).list({ namespace: 'default' })).items) await client.of(Pod).delete(keyOf(pod), { gracePeriodSeconds: 0 });
  await until(clock, async () => assert.equal((await condition('UpdateFailed'))?.reason, 'Paused'), 120_000);
  t.regex((await condition('UpdateFailed'))?.message ?? '', /^rollback to revision \d paused: no progress in 30 s$/);
});

test('without the annotation nothing is done about a failed update', async (t) => {
  const { clock, deploy, image, deployed, condition, rolledOut } = await world(t, { outcome: never('bad') });
  await deploy({}, { progressDeadlineSeconds: 30 });
  await rolledOut('v1');
  await image('bad');
  await until(clock, async () => assert.equal((await condition('Progressing'))?.reason, 'ProgressDeadlineExceeded'), 60_000);
  await clock.advance(30_000);
  t.is((await deployed()).spec.template.spec.containers[0]!.image, 'bad');
  t.is(await condition('UpdateFailed'), undefined);
});

test('data of a ConfigMap or Secret that pods read rolls out again; labels, other keys and other objects do not', async (t) => {
  const { clock, client, deploy, rolledOut, sets, deployed } = await world(t);
  const maps = client.of(ConfigMap);
  await maps.create({ metadata: { namespace: 'default', name: 'conf' }, data: { a: '1', b: '1' } });
  await client.of(Secret).create({ metadata: { namespace: 'default', name: 'pass' }, data: { p: 'eA==' } } as NewObject<Secret>);
  const spec = {
    containers: [{ name: 'c', image: 'v1', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } }], envFrom: [{ secretRef: { name: 'pass' } }, { configMapRef: { name: 'extra', optional: true } }] }],
  };
  await deploy({ 'rollout-on-config-change': 'true' }, { template: { ...template('v1'), spec } });
  await rolledOut('v1');
  const generation = (await deployed()).metadata.generation;
  const change = async (count: number, what: string, work: Promise<unknown>): Promise<void> => {
    await work;
    await clock.advance(1_000);
    await rest();
    await rolledOut('v1');
    t.is((await sets()).length, count, what);
  };
  const conf = { namespace: 'default', name: 'conf' };
  await change(1, 'a label', maps.modify(conf, (draft) => void (draft.metadata.labels = { l: '1' })));
  await change(1, 'a key that nobody reads', maps.modify(conf, (draft) => void (draft.data = { ...draft.data, b: '2' })));
  await change(1, 'another object', maps.create({ metadata: { namespace: 'default', name: 'other' }, data: { a: '2' } }));
  await change(2, 'a key that is read', maps.modify(conf, (draft) => void (draft.data = { ...draft.data, a: '2' })));
  await change(3, 'a secret', client.of(Secret).modify({ namespace: 'default', name: 'pass' }, (draft) => void (draft.data = { p: 'eQ==' })));
  await change(4, 'an optional object that comes', maps.create({ metadata: { namespace: 'default', name: 'extra' }, data: { x: '1' } }));
  await change(4, 'one that is needed and goes', maps.delete(conf));
  await change(4, 'and comes back as it was', maps.create({ metadata: conf, data: { a: '2' } }));
  const pods = (await client.of(Pod).list({ namespace: 'default' })).items;
  t.is(new Set(pods.map(({ metadata }) => metadata.annotations?.['barge.dev/config-hash'])).size, 1);
  const { metadata, spec: own } = await deployed();
  t.is(metadata.generation, generation, 'the Deployment is as its author wrote it');
  t.is(own.template.metadata?.annotations, undefined);
  await client.of(Deployment).modify(key, (draft) => void (draft.metadata.annotations!['barge.dev/rollout-on-config-change'] = 'false'));
  await change(4, 'turned off', maps.modify(conf, (draft) => void (draft.data = { a: '9' })));
  // As `kubectl rollout undo` does: an old ReplicaSet's template, with its hash.
  const oldest = (await sets()).toSorted((a, b) => Number(a.metadata.annotations?.['deployment.kubernetes.io/revision']) - Number(b.metadata.annotations?.['deployment.kubernetes.io/revision']))[0]!;
  await client.of(Deployment).modify(key, (draft) => {
    draft.metadata.annotations!['barge.dev/rollout-on-config-change'] = 'true';
    draft.spec.template.metadata = { labels: { app: 'web' }, annotations: { ...oldest.spec!.template!.metadata!.annotations } };
  });
  await change(5, 'an old hash in the template counts for nothing; what changed while it was off counts now', Promise.resolve());
});

test('workloads start one after the other, say what they wait for, and those in a circle never', async (t) => {
  const { api, clock, client, deploy, condition, rolledOut, pods, reasons } = await world(t, { outcome: (pod) => (pod.metadata.labels?.['job'] === undefined ? 5_000 : { endsAfterMs: 10_000, exitCode: 0 }) });
  const after = (text: string) => ({ 'barge.dev/depends-on': text });
  const labelled = (app: string) => ({ selector: { matchLabels: { app } }, template: template('i', { app }) });
  await deploy({ 'depends-on': 'job/migrate:completed, daemonset/agent' }, { replicas: 1 });
  await client.of(Job).create({ metadata: { namespace: 'default', name: 'migrate', annotations: after('statefulset/db') }, spec: { template: { metadata: { labels: { job: 'migrate' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } } } as NewObject<Job>);
  await client.of(DaemonSet).create({ metadata: { namespace: 'default', name: 'agent', annotations: after('statefulset/db:started') }, spec: labelled('agent') } as NewObject<DaemonSet>);
  await clock.advance(3_000);
  t.deepEqual(await pods(), []);
  t.like(await condition('WaitingForDependencies'), { status: 'True', reason: 'DependenciesNotMet', message: 'waits for job/migrate to be completed (0 of 1 pods have succeeded), daemonset/agent to be ready (0 of 3 pods are)' });
  t.is((await client.of(Job).get({ namespace: 'default', name: 'migrate' })).status?.conditions?.[0]?.message, 'waits for statefulset/db to be ready (it is not there)');
  t.true((await reasons('agent')).includes('WaitingForDependencies waits for statefulset/db to be started (it is not there)'));

  await client.of(StatefulSet).create({ metadata: { namespace: 'default', name: 'db' }, spec: { replicas: 1, serviceName: 'db', ...labelled('db') } } as NewObject<StatefulSet>);
  const begun = async (app: string) => (await pods()).filter(({ metadata }) => metadata.name?.startsWith(app));
  await until(clock, async () => assert.equal((await begun('agent')).length, 3), 10_000);
  t.is((await begun('migrate')).length, 0, 'the database is not ready yet');
  await until(clock, async () => assert.equal((await begun('migrate')).length, 1), 20_000);
  t.is((await begun('web')).length, 0);
  await rolledOut('v1', 1);
  t.is(await condition('WaitingForDependencies'), undefined);
  t.deepEqual((await client.of(Job).get({ namespace: 'default', name: 'migrate' })).status?.conditions?.map(({ type }) => type), ['SuccessCriteriaMet', 'Complete']);
  // What has started goes on without what it waited for.
  await client.of(DaemonSet).delete({ namespace: 'default', name: 'agent' });
  await clock.advance(10_000);
  t.is((await begun('web')).length, 1);

  for (const [name, other] of [['a', 'b'], ['b', 'c'], ['c', 'z']] as const) {
    await client.of(Deployment).create({ metadata: { namespace: 'default', name, annotations: after(`deployment/${other}`) }, spec: { replicas: 1, ...labelled(name) } } as NewObject<Deployment>);
  }
  // The API refuses to close the circle; one that stands in the store all the same is told of.
  const { metadata: { resourceVersion: _, ...metadata }, ...last } = await client.of(Deployment).get({ namespace: 'default', name: 'c' });
  await api.storage.commit({ checks: [], writes: [{ key: 'apps/deployments/default/c', value: JSON.stringify({ ...last, metadata: { ...metadata, annotations: after('deployment/a') } }) }] });
  await clock.advance(5_000);
  const circle = await client.of(Deployment).get({ namespace: 'default', name: 'b' });
  t.like(circle.status?.conditions?.find(({ type }) => type === 'WaitingForDependencies'), { reason: 'DependencyCycle', message: 'can never start: deployment/b waits for deployment/c waits for deployment/a waits for deployment/b' });
  // Whoever breaks the circle sets all of it going.
  await client.of(Deployment).modify({ namespace: 'default', name: 'c' }, (draft) => void delete draft.metadata.annotations!['barge.dev/depends-on']);
  await until(clock, async () => assert.equal((await client.of(Deployment).get({ namespace: 'default', name: 'a' })).status?.availableReplicas, 1), 60_000);
});
