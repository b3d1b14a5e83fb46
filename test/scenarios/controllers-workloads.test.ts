// Deployments and ReplicaSets on simulated nodes, against a real API server in this process.
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import { createBuiltinAuthorizer } from '../../apiserver/authorization/builtin-grants.ts';
import { templateHash } from '../../controllers/deployment/template-hash.ts';
import type { Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { testApi } from '../helpers/api.ts';
import { controllersUser, rest, startControllers, until, type RunningControllers } from '../helpers/control-plane.ts';
import { SimulatedNodes, type SimulatedNodesOptions } from '../helpers/simulated-node.ts';
import { template } from '../helpers/workloads.ts';

const key = { namespace: 'default', name: 'web' };

const cluster = async (t: ExecutionContext, options: Partial<SimulatedNodesOptions> = {}, through: (own: Transport) => Transport = (own) => own) => {
  const api = await testApi({ authorizer: createBuiltinAuthorizer() });
  const over = new AbortController();
  const nodes = new SimulatedNodes({ transport: api.transport, clock: api.clock, names: ['n1', 'n2'], ...options });
  const running = nodes.run(over.signal);
  const transport = through(api.core.as(controllersUser));
  let controllers: RunningControllers = await startControllers(api, { transport });
  t.teardown(async () => {
    await controllers.stop();
    over.abort();
    await running;
    await api.close();
  });
  const { client, clock } = api;
  const pods = async () => (await client.of(Pod).list({ namespace: 'default' })).items;
  const sets = async () => (await client.of(ReplicaSet).list({ namespace: 'default' })).items;
  return {
    api, client, clock, nodes, pods, sets,
    restart: async () => {
      await controllers.stop();
      controllers = await startControllers(api, { transport });
    },
    deploy: (spec: Partial<Deployment['spec']> = {}) => client.of(Deployment).create({ metadata: key, spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('v1'), ...spec } }),
    change: (spec: Partial<Deployment['spec']>) => client.of(Deployment).modify(key, (draft) => void Object.assign(draft.spec, structuredClone(spec))),
    deployed: () => client.of(Deployment).get(key),
    /** Waits until a rollout of an image is complete. */
    rolledOut: (image: string, replicas: number, forMs?: number) => until(clock, async () => {
      const { status, metadata } = await client.of(Deployment).get(key);
      assert.partialDeepStrictEqual(status, { observedGeneration: metadata.generation!, replicas, updatedReplicas: replicas, availableReplicas: replicas });
      assert.equal(status?.conditions?.find(({ type }) => type === 'Progressing')?.reason, 'NewReplicaSetAvailable');
      const running = (await pods()).filter((pod) => pod.metadata.deletionTimestamp === undefined);
      assert.deepEqual(running.map((pod) => pod.spec.containers[0]?.image), Array.from({ length: replicas }, () => image));
    }, forMs),
    reasons: async (name: string) => (await client.of(Event).list({ namespace: 'default' })).items.filter((event) => event.involvedObject.name === name).map(({ reason, message }) => `${reason} ${message}`),
  };
};

test('a Deployment brings up its pods, tells of it, and keeps their number', async (t) => {
  const { deploy, rolledOut, pods, sets, client, clock, reasons } = await cluster(t);
  await deploy();
  await rolledOut('v1', 3);
  const [set] = await sets();
  const name = set!.metadata.name!;
  t.regex(name, /^web-[a-z0-9]+$/);
  t.like(set!.status, { replicas: 3, readyReplicas: 3, availableReplicas: 3, fullyLabeledReplicas: 3 });
  for (const pod of await pods()) {
    t.true(pod.metadata.name!.startsWith(`${name}-`));
    t.is(pod.metadata.labels?.['pod-template-hash'], name.slice(4));
  }
  t.deepEqual(await reasons('web'), [`ScalingReplicaSet Scaled up replica set ${name} from 0 to 3`]);
  t.is((await reasons(name)).filter((line) => line.startsWith('SuccessfulCreate Created pod: web-')).length, 3);

  const [victim] = await pods();
  await client.of(Pod).delete({ namespace: 'default', name: victim!.metadata.name! });
  await until(clock, async () => {
    const now = await pods();
    assert.equal(now.length, 3);
    assert.equal(false, now.some(({ metadata }) => metadata.uid === victim!.metadata.uid));
  });
  await rolledOut('v1', 3);
});

test('a rollout writes a Deployment from what it knows: nothing is refused and asked for again', async (t) => {
  const asked: string[] = [];
  const { deploy, rolledOut, change } = await cluster(t, {}, (own) => ({
    watch: (request, signal) => own.watch(request, signal),
    send: async (request, signal) => {
      const what = `${request.verb} ${request.resource}`;
      if (what === 'get deployments') asked.push(what);
      try {
        return await own.send(request, signal);
      } catch (error) {
        if (request.resource === 'deployments') asked.push(`${what} refused`);
        throw error;
      }
    },
  }));
  await deploy();
  await rolledOut('v1', 3);
  await change({ template: template('v2') });
  await rolledOut('v2', 3);
  t.deepEqual(asked, []);
});

test('a rolling update keeps enough pods available at every moment, and undo takes the earlier ReplicaSet', async (t) => {
  const { api, deploy, change, rolledOut, pods, sets, client, deployed } = await cluster(t, { outcome: () => 2_000, stopMs: 1_000 });
  await deploy({ replicas: 4, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } });
  await rolledOut('v1', 4);
  const first = (await sets())[0]!.metadata.name;
  const seen = new AbortController();
  const counts: { ready: number; present: number }[] = [];
  const { metadata } = await client.of(Pod).list({ namespace: 'default' });
  const present = new Map((await pods()).map((pod) => [pod.metadata.name!, pod]));
  const watching = (async () => {
    for await (const events of client.of(Pod).watch({ namespace: 'default', resourceVersion: metadata.resourceVersion }, seen.signal)) {
      for (const { type, object } of events as readonly { type: string; object: Pod }[]) {
        if (type === 'DELETED') present.delete(object.metadata.name!);
        else if (type !== 'BOOKMARK') present.set(object.metadata.name!, object);
        const active = [...present.values()].filter((pod) => pod.metadata.deletionTimestamp === undefined);
        counts.push({ present: active.length, ready: active.filter((pod) => pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')).length });
      }
    }
  })();
  await change({ template: template('v2') });
  await rolledOut('v2', 4, 60_000);
  await change({ template: template('v1') });
  await rolledOut('v1', 4, 60_000);
  seen.abort();
  await watching;
  t.true(counts.length > 30);
  t.true(Math.min(...counts.map(({ ready }) => ready)) >= 3, 'never fewer than replicas - maxUnavailable');
  t.is(Math.max(...counts.map((one) => one.present)), 5, 'never more than replicas + maxSurge, and as many as that');
  const all = await sets();
  t.is(all.length, 2);
  const now = all.find((set) => set.spec.replicas === 4)!;
  t.is(now.metadata.name, first);
  t.like(now.metadata.annotations, { 'deployment.kubernetes.io/revision': '3', 'deployment.kubernetes.io/revision-history': '1' });
  t.is((await deployed()).metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  await api.clock.advance(1000);
});

test('a rollout that cannot go on reports its deadline, keeps the old pods, and goes on when it is repaired', async (t) => {
  const { deploy, change, rolledOut, pods, clock, deployed } = await cluster(t, { outcome: (pod) => (pod.spec.containers[0]?.image === 'bad' ? 'never' : 0) });
  await deploy({ progressDeadlineSeconds: 30 });
  await rolledOut('v1', 3);
  await change({ template: template('bad') });
  const progressing = async () => (await deployed()).status?.conditions?.find(({ type }) => type === 'Progressing');
  await until(clock, async () => assert.partialDeepStrictEqual(await progressing(), { status: 'False', reason: 'ProgressDeadlineExceeded' }), 60_000);
  t.is((await pods()).filter((pod) => pod.spec.containers[0]?.image === 'v1').length, 3);
  await change({ template: template('v3') });
  await rolledOut('v3', 3);
});

test('rollover: a third template in the middle of a rollout leaves nothing of the second', async (t) => {
  const { deploy, change, rolledOut, clock, pods, sets } = await cluster(t, { outcome: (pod) => (pod.spec.containers[0]?.image === 'v2' ? 'never' : 500) });
  await deploy({ replicas: 4 });
  await rolledOut('v1', 4);
  await change({ template: template('v2') });
  await until(clock, async () => assert.ok((await pods()).some((pod) => pod.spec.containers[0]?.image === 'v2')));
  await change({ template: template('v3') });
  await rolledOut('v3', 4, 60_000);
  t.deepEqual((await sets()).filter((set) => set.spec.replicas! > 0).length, 1);
});

test('Recreate waits until the old pods are gone', async (t) => {
  const { api, deploy, change, rolledOut, pods } = await cluster(t, { stopMs: 5_000 });
  await deploy({ strategy: { type: 'Recreate' } });
  await rolledOut('v1', 3);
  await change({ template: template('v2') });
  await rest();
  await api.clock.advance(4_000);
  const images = (await pods()).map((pod) => pod.spec.containers[0]?.image);
  t.deepEqual(images, ['v1', 'v1', 'v1'], 'they are still stopping');
  await rolledOut('v2', 3);
});

test('paused: it scales but rolls nothing out; resumed, it does', async (t) => {
  const { deploy, change, rolledOut, pods, clock, deployed } = await cluster(t);
  await deploy();
  await rolledOut('v1', 3);
  await change({ paused: true, template: template('v2'), replicas: 5 });
  await until(clock, async () => {
    assert.equal((await deployed()).status?.availableReplicas, 5);
    assert.equal((await deployed()).status?.conditions?.find(({ type }) => type === 'Progressing')?.reason, 'DeploymentPaused');
  });
  t.true((await pods()).every((pod) => pod.spec.containers[0]?.image === 'v1'));
  await change({ paused: false });
  await rolledOut('v2', 5);
});

test('scaled in mid-rollout, both ReplicaSets take their share', async (t) => {
  const { deploy, change, rolledOut, clock, sets } = await cluster(t, { outcome: (pod) => (pod.spec.containers[0]?.image === 'v2' ? 'never' : 0) });
  await deploy({ replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
  await rolledOut('v1', 10);
  const sizes = async () => (await sets()).map(({ spec }) => spec.replicas!).sort((a, b) => a - b);
  await change({ template: template('v2') });
  await until(clock, async () => assert.deepEqual(await sizes(), [5, 8]));
  await change({ replicas: 15 });
  await until(clock, async () => assert.deepEqual(await sizes(), [7, 11]));
  t.pass();
});

test('minReadySeconds: a pod counts as available when it has been ready for so long', async (t) => {
  const { deploy, clock, deployed, rolledOut } = await cluster(t);
  await deploy({ replicas: 1, minReadySeconds: 10 });
  await until(clock, async () => assert.equal((await deployed()).status?.readyReplicas, 1));
  t.is((await deployed()).status?.availableReplicas, undefined);
  const before = clock.now();
  await rolledOut('v1', 1);
  t.true(clock.now() - before > 2_000);
});

test('ReplicaSets: orphans that fit are adopted, pods that no longer fit are let go, failed ones replaced', async (t) => {
  const { client, clock, pods, api } = await cluster(t, { outcome: (pod) => (pod.metadata.labels?.['fate'] === 'fail' ? 'failed' : 0) });
  await client.of(Pod).create({ metadata: { name: 'orphan', namespace: 'default', labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } });
  const set = await client.of(ReplicaSet).create({ metadata: key, spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('v1') } });
  const mine = async () => (await pods()).filter((pod) => pod.metadata.ownerReferences?.[0]?.uid === set.metadata.uid);
  const ready = () => until(clock, async () => {
    const own = (await mine()).filter((pod) => pod.status?.phase === 'Running');
    assert.equal(own.length, 2);
    assert.equal((await client.of(ReplicaSet).get(key)).status?.readyReplicas, 2);
  });
  await ready();
  t.true((await mine()).some(({ metadata }) => metadata.name === 'orphan'), 'adopted, so that only one was made');
  await client.of(Pod).modify({ namespace: 'default', name: 'orphan' }, (draft) => void (draft.metadata.labels = { app: 'debug' }));
  await ready();
  t.is((await client.of(Pod).get({ namespace: 'default', name: 'orphan' })).metadata.ownerReferences, undefined, 'let go');
  const [victim] = await mine();
  await client.of(Pod).modify({ namespace: 'default', name: victim!.metadata.name! }, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, fate: 'fail' }));
  await ready();
  t.is((await mine()).length, 3, 'the failed one is kept for its logs');
  await api.clock.advance(100);
});

test('pods that are refused: the ReplicaSet and its Deployment say why, one request a look and not a hundred; and it goes on', async (t) => {
  let isFull = true;
  let asked = 0;
  const quota = (own: Transport): Transport => ({
    watch: (request, signal) => own.watch(request, signal),
    send: (request, signal) => {
      if (request.verb !== 'create' || request.resource !== 'pods' || !isFull) return own.send(request, signal);
      asked++;
      return Promise.reject(new ApiError('Forbidden', 'exceeded quota: pods=0'));
    },
  });
  const { deploy, clock, deployed, sets, reasons, rolledOut } = await cluster(t, {}, quota);
  await deploy({ replicas: 100 });
  const failure = async () => (await deployed()).status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  await until(clock, async () => assert.partialDeepStrictEqual(await failure(), { status: 'True', reason: 'FailedCreate', message: 'exceeded quota: pods=0' }), 500);
  t.true(asked < 20, `${asked} requests`);
  const name = (await sets())[0]!.metadata.name!;
  await until(clock, async () => assert.ok((await reasons(name)).includes('FailedCreate Error creating: exceeded quota: pods=0')));
  isFull = false;
  await rolledOut('v1', 100, 120_000);
  t.is(await failure(), undefined);
});

test('a template that is refused, and a name that another template took', async (t) => {
  let isRefused = true;
  const picky = (own: Transport): Transport => ({
    watch: (request, signal) => own.watch(request, signal),
    send: (request, signal) => (request.verb === 'create' && request.resource === 'replicasets' && isRefused
      ? Promise.reject(new ApiError('Forbidden', 'not on my watch')) : own.send(request, signal)),
  });
  const { client, deploy, clock, deployed, sets, rolledOut } = await cluster(t, {}, picky);
  await deploy();
  await until(clock, async () => assert.partialDeepStrictEqual((await deployed()).status?.conditions?.find(({ type }) => type === 'Progressing'), { status: 'False', reason: 'ReplicaSetCreateError' }));
  const { spec } = await deployed();
  const name = `web-${templateHash(spec.template)}`;
  await client.of(ReplicaSet).create({ metadata: { name, namespace: 'default' }, spec: { replicas: 0, selector: { matchLabels: { app: 'other' } }, template: template('x', { app: 'other' }) } });
  isRefused = false;
  await rolledOut('v1', 3, 120_000);
  t.is((await deployed()).status?.collisionCount, 1);
  t.is((await sets()).find((set) => set.metadata.ownerReferences !== undefined)?.metadata.name, `web-${templateHash(spec.template, 1)}`);
});

test('Services: readiness and deletion reach slices and Endpoints; both go with the Service', async (t) => {
  const { client, clock, deploy, rolledOut, pods } = await cluster(t, { stopMs: 3_000 });
  await deploy();
  await client.of(Service).create({ metadata: key, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } });
  await rolledOut('v1', 3);
  const slices = async () => (await client.of(EndpointSlice).list({ namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' })).items;
  await until(clock, async () => {
    assert.equal((await slices())[0]?.endpoints?.filter((one) => one.conditions?.ready === true).length, 3);
    assert.equal((await client.of(Endpoints).get(key)).subsets?.[0]?.addresses?.length, 3);
  });
  const [victim] = await pods();
  const beforeMs = clock.now();
  await client.of(Pod).delete({ namespace: 'default', name: victim!.metadata.name! });
  await until(clock, async () => {
    const endpoint = (await slices())[0]?.endpoints?.find((one) => one.targetRef?.uid === victim!.metadata.uid);
    assert.deepEqual(endpoint?.conditions, { ready: false, serving: true, terminating: true });
    assert.equal(false, (await client.of(Endpoints).get(key)).subsets?.[0]?.addresses?.some((one) => one.targetRef?.uid === victim!.metadata.uid));
  });
  t.is(clock.now(), beforeMs, 'at once, while the pod is still stopping');
  await client.of(Service).delete(key);
  await until(clock, async () => {
    assert.deepEqual(await slices(), []);
    assert.equal(await client.of(Endpoints).find(key), undefined);
  });
});

test('history is cut to revisionHistoryLimit; a deleted Deployment takes everything with it', async (t) => {
  const { client, deploy, change, rolledOut, sets, pods, clock } = await cluster(t);
  await deploy({ replicas: 1, revisionHistoryLimit: 1 });
  for (const image of ['v1', 'v2', 'v3', 'v4']) {
    await change({ template: template(image) });
    await rolledOut(image, 1);
  }
  await until(clock, async () => assert.equal((await sets()).length, 2));
  await client.of(Deployment).delete(key, { propagationPolicy: 'Background' });
  await until(clock, async () => assert.deepEqual([(await sets()).length, (await pods()).length], [0, 0]));
  t.pass();
});

test('ReplicaSets of a Deployment that was deleted with orphan are adopted by its successor', async (t) => {
  const { client, deploy, rolledOut, sets, pods, clock, restart } = await cluster(t);
  await deploy();
  await rolledOut('v1', 3);
  const before = (await pods()).map(({ metadata }) => metadata.uid).sort();
  await client.of(Deployment).delete(key, { propagationPolicy: 'Orphan' });
  await until(clock, async () => {
    assert.equal(await client.of(Deployment).find(key), undefined);
    assert.equal((await sets())[0]?.metadata.ownerReferences, undefined);
  });
  await restart();
  await deploy();
  await rolledOut('v1', 3);
  t.is((await sets()).length, 1);
  t.deepEqual((await pods()).map(({ metadata }) => metadata.uid).sort(), before, 'the pods lived on');
});
