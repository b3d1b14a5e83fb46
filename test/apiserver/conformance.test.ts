/**
 * What Kubernetes' conformance tests ask of the API of workloads, quotas and classes, kind by kind: its life through every verb.
 * docs/design/conformance.md names the assertions.
 */
import test, { type ExecutionContext } from 'ava';
import type { ApiObject, Kind } from '../../schemas/kind.ts';
import { ApiError } from '../../schemas/errors.ts';
import { ControllerRevision } from '../../schemas/kinds/apps/controller-revision.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { CronJob } from '../../schemas/kinds/batch/cron-job.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { LimitRange } from '../../schemas/kinds/core/limit-range.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { PriorityClass } from '../../schemas/kinds/scheduling/priority-class.ts';
import { testApi, type TestApi } from '../helpers/api.ts';
import { template } from '../helpers/workloads.ts';

interface Life {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly kind: Kind<any>;
  /** Everything but metadata. */
  readonly body: object;
  /** Two statuses, of which the second is written over the first; undefined where the kind has none. */
  readonly statuses?: readonly [object, object];
  /** True where the kind has a scale. */
  readonly scales?: boolean;
}

type Body = ApiObject & { readonly spec?: object; readonly status?: object };

const selector = { matchLabels: { app: 'web' } };
const condition = (type: string): object => ({ conditions: [{ type, status: 'True', reason: 'E2E', message: 'set by a test' }] });
const conditions = [condition('StatusPatched'), condition('StatusUpdate')] as const;
const counted = (more: object): object => ({ replicas: 1, ...more });
const job = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } };
const budget = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 2 };

const lives: readonly Life[] = [
  { kind: Deployment, body: { spec: { replicas: 1, selector, template: template('v1') } }, statuses: conditions, scales: true },
  { kind: ReplicaSet, body: { spec: { replicas: 1, selector, template: template('v1') } }, statuses: [counted(conditions[0]), counted(conditions[1])], scales: true },
  { kind: ReplicationController, body: { spec: { replicas: 1, selector: { app: 'web' }, template: template('v1') } }, statuses: [counted(conditions[0]), counted(conditions[1])], scales: true },
  { kind: StatefulSet, body: { spec: { replicas: 1, serviceName: 'web', selector, template: template('v1') } }, statuses: [counted(conditions[0]), counted(conditions[1])], scales: true },
  { kind: DaemonSet, body: { spec: { selector, template: template('v1') } }, statuses: [1, 2].map((numberReady) => ({ currentNumberScheduled: 2, desiredNumberScheduled: 2, numberMisscheduled: 0, numberReady, ...conditions[numberReady - 1] })) as unknown as readonly [object, object] },
  { kind: Job, body: { spec: job }, statuses: conditions },
  { kind: CronJob, body: { spec: { schedule: '* * * * *', jobTemplate: { spec: job } } }, statuses: [{ lastScheduleTime: '2026-01-01T00:00:00Z' }, { lastScheduleTime: '2026-01-01T00:01:00Z' }] },
  { kind: PodDisruptionBudget, body: { spec: { minAvailable: 1, selector } }, statuses: [{ ...budget, disruptionsAllowed: 1, disruptedPods: { one: '2026-01-01T00:00:00Z' } }, { ...budget, disruptionsAllowed: 0, disruptedPods: { two: '2026-01-01T00:01:00Z' } }] },
  { kind: ResourceQuota, body: { spec: { hard: { cpu: '500m', memory: '500Mi' } } }, statuses: [{ hard: { cpu: '750m' } }, { hard: { cpu: '1500m', memory: '1000Mi' } }] },
  { kind: LimitRange, body: { spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '100m' } }] } } },
  { kind: ControllerRevision, body: { revision: 1, data: { spec: {} } } },
];

const withApi = async (t: ExecutionContext): Promise<TestApi> => {
  const api = await testApi({ namespaces: ['other'] });
  t.teardown(api.close);
  return api;
};

for (const { kind, body, statuses, scales } of lives) {
  test(`the life of a ${kind.kind}: made, listed, watched, patched, updated, reported on and deleted with others`, async (t) => {
    const { client, transport } = await withApi(t);
    const resource = client.of(kind) as ReturnType<typeof client.of<Body>>;
    const at = { group: kind.group, version: kind.version, resource: kind.plural, namespace: 'default', name: 'one' };
    const key = { namespace: 'default', name: 'one' };
    const labels = { life: kind.plural };
    const other = await resource.create({ ...body, metadata: { namespace: 'other', name: 'two', labels } });
    const made = await resource.create({ ...body, metadata: { ...key, labels } });
    await resource.create({ ...body, metadata: { namespace: 'default', name: 'unlabelled' } });
    const all = async () => (await resource.list({ labelSelector: `life=${kind.plural}` })).items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    t.deepEqual(await all(), ['default/one', 'other/two']);
    t.is((await resource.get({ namespace: 'other', name: 'two' })).metadata.uid, other.metadata.uid);

    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const events of resource.watch({ namespace: 'default', resourceVersion: made.metadata.resourceVersion, labelSelector: `life=${kind.plural}` }, stop.signal)) {
        for (const { type, object } of events) {
          seen.push(`${type} ${object.metadata.name}`);
          if (type === 'DELETED') stop.abort();
        }
      }
    })();

    t.is((await resource.patch(key, kind.group === '' || kind.group === 'apps' ? 'strategic' : 'merge', { metadata: { labels: { patched: 'yes' } } })).metadata.labels?.['patched'], 'yes');
    const read = await resource.get(key);
    t.is((await resource.update({ ...read, metadata: { ...read.metadata, annotations: { updated: 'yes' } } })).metadata.annotations?.['updated'], 'yes');
    if (statuses !== undefined) {
      const [first, second] = statuses;
      const status = async () => ((await transport.send({ ...at, verb: 'get', subresource: 'status' })).body as Body).status;
      const spec = (await resource.get(key)).spec;
      const patched = await resource.patch(key, 'merge', { metadata: { annotations: { patchedstatus: 'true' } }, status: first }, { subresource: 'status' });
      t.like(patched, { status: first, metadata: { annotations: { updated: 'yes', patchedstatus: 'true' } } } as never);
      t.like(await status(), first as never);
      await resource.updateStatus({ ...patched, status: second, spec: {} });
      t.like(await status(), second as never);
      t.deepEqual((await resource.get(key)).spec, spec, 'a report changes no spec');
    }
    if (scales === true) {
      const scale = async () => (await transport.send({ ...at, verb: 'get', subresource: 'scale' })).body as Body & { readonly spec: { readonly replicas?: number } };
      t.is((await scale()).spec.replicas, 1);
      const scaled = { ...await scale(), spec: { replicas: 2 } };
      await transport.send({ ...at, verb: 'update', subresource: 'scale', body: scaled });
      t.like((await resource.get(key)).spec, { replicas: 2 } as never);
      await transport.send({ ...at, verb: 'patch', patchType: 'merge', subresource: 'scale', body: { spec: { replicas: 4 } } });
      t.is((await scale()).spec.replicas, 4);
    }
    await resource.deleteCollection({ namespace: 'default', labelSelector: `life=${kind.plural}`, propagationPolicy: 'Background' });
    t.deepEqual(await all(), ['other/two'], 'of one namespace, and by its label');
    t.truthy(await resource.find({ namespace: 'default', name: 'unlabelled' }));
    await resource.delete({ namespace: 'other', name: 'two' }, { propagationPolicy: 'Background' });
    t.deepEqual(await all(), []);
    await watching;
    t.true(seen.length >= 3 && seen.slice(0, -1).every((line) => line === 'MODIFIED one') && seen.at(-1) === 'DELETED one', seen.join(', '));
  });
}

test('of a PriorityClass all may change but what pods have been promised', async (t) => {
  const { client } = await withApi(t);
  const classes = client.of(PriorityClass);
  const key = { name: 'p' };
  await classes.create({ metadata: key, value: 7, description: 'first' });
  t.true((await classes.list()).items.some(({ metadata, value }) => metadata.name === 'p' && value === 7));
  t.is((await classes.patch(key, 'strategic', { description: 'second' })).description, 'second');
  t.is((await classes.modify(key, (draft) => void (draft.metadata.labels = { l: '1' }))).metadata.labels?.['l'], '1');
  for (const change of [{ value: 8 }, { preemptionPolicy: 'Never' }]) {
    t.is((await t.throwsAsync(classes.patch(key, 'merge', change), { instanceOf: ApiError })).code, 422, Object.keys(change)[0]);
  }
  t.is((await t.throwsAsync(classes.modify(key, (draft) => void (draft.value = 9)), { instanceOf: ApiError })).code, 422);
  await classes.deleteCollection({ labelSelector: 'l=1' });
  t.is(await classes.find(key), undefined);
});

test('a namespace: labels, conditions of its own in the status, and finalizers through /finalize', async (t) => {
  const { client, transport } = await withApi(t);
  const namespaces = client.of(Namespace);
  const key = { name: 'shop' };
  const at = { group: '', version: 'v1', resource: 'namespaces', name: 'shop' };
  await namespaces.create({ metadata: key });
  t.is((await namespaces.patch(key, 'strategic', { metadata: { labels: { patched: 'yes' } } })).metadata.labels?.['patched'], 'yes');
  t.is((await namespaces.modify(key, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, updated: 'yes' }))).metadata.labels?.['updated'], 'yes');

  t.is(((await transport.send({ ...at, verb: 'get', subresource: 'status' })).body as Namespace).status?.phase, 'Active');
  const patched = await namespaces.patch(key, 'merge', { metadata: { annotations: { noted: 'yes' } }, status: condition('StatusPatch') }, { subresource: 'status' });
  t.like(patched, { status: { phase: 'Active', conditions: [{ type: 'StatusPatch' }] }, metadata: { annotations: { noted: 'yes' } } } as never);
  await namespaces.modifyStatus(key, (draft) => void draft.status!.conditions!.push({ type: 'StatusUpdate', status: 'True', reason: 'E2E', message: '' }));
  t.deepEqual((await namespaces.get(key)).status?.conditions?.map(({ type }) => type), ['StatusPatch', 'StatusUpdate']);

  const finalize = async (finalizers: readonly string[]) => ((await transport.send({ ...at, verb: 'update', subresource: 'finalize', body: { ...await namespaces.get(key), spec: { finalizers } } })).body as Namespace).spec?.finalizers;
  t.deepEqual(await finalize(['kubernetes', 'e2e.example.com/fakeFinalizer']), ['kubernetes', 'e2e.example.com/fakeFinalizer']);
  t.deepEqual((await namespaces.get(key)).spec?.finalizers, ['kubernetes', 'e2e.example.com/fakeFinalizer']);
  t.deepEqual(await finalize(['kubernetes']), ['kubernetes']);
});

test('a quota follows sets, secrets and all that a pod asks for, and what a pod asks for stays', async (t) => {
  const { client } = await withApi(t);
  const at = (name: string) => ({ namespace: 'default', name });
  const hard = { 'count/replicasets.apps': '1', replicationcontrollers: '1', secrets: '1', pods: '5', cpu: '1', memory: '500Mi', 'ephemeral-storage': '50Gi', 'requests.example.com/dongle': '3' };
  const quota = await client.of(ResourceQuota).create({ metadata: at('q'), spec: { hard } });
  t.deepEqual(quota.status?.hard, hard, 'at once');
  t.deepEqual(quota.status?.used, Object.fromEntries(Object.keys(hard).map((name) => [name, '0'])));
  const used = async (name: string) => (await client.of(ResourceQuota).get(at('q'))).status?.used?.[name];

  const spec = { replicas: 0, template: template('v1') };
  await client.of(ReplicaSet).create({ metadata: at('rs'), spec: { ...spec, selector } });
  await client.of(ReplicationController).create({ metadata: at('rc'), spec: { ...spec, selector: { app: 'web' } } });
  await client.of(Secret).create({ metadata: at('s'), data: {} });
  t.deepEqual(await Promise.all(['count/replicasets.apps', 'replicationcontrollers', 'secrets'].map(used)), ['1', '1', '1']);
  await client.of(ReplicaSet).delete(at('rs'), { propagationPolicy: 'Background' });
  await client.of(ReplicationController).delete(at('rc'), { propagationPolicy: 'Background' });
  await client.of(Secret).delete(at('s'));
  t.deepEqual(await Promise.all(['count/replicasets.apps', 'replicationcontrollers', 'secrets'].map(used)), ['0', '0', '0']);

  const pods = client.of(Pod);
  const pod = (name: string, cpu: string, dongles = '2') => ({ metadata: at(name), spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu, memory: '252Mi', 'ephemeral-storage': '30Gi', 'example.com/dongle': dongles }, limits: { 'example.com/dongle': dongles } } }] } });
  await pods.create(pod('p', '500m'));
  t.deepEqual(await Promise.all(['pods', 'cpu', 'memory', 'ephemeral-storage', 'requests.example.com/dongle'].map(used)), ['1', '500m', '252Mi', '30Gi', '2']);
  for (const [cpu, dongles, what] of [['600m', '0', 'cpu'], ['100m', '2', 'dongle']] as const) {
    const refused = await t.throwsAsync(pods.create(pod('more', cpu, dongles)), { instanceOf: ApiError });
    t.is(refused.code, 403);
    t.regex(refused.message, new RegExp(`exceeded quota: q, requested: .*${what}`));
  }
  const changed = await t.throwsAsync(pods.modify(at('p'), (draft) => void (draft.spec.containers[0]!.resources!.requests!['cpu'] = '100m')), { instanceOf: ApiError });
  t.is(changed.code, 422);
  t.is(await used('cpu'), '500m');
  await pods.delete(at('p'), { gracePeriodSeconds: 0 });
  t.deepEqual(await Promise.all(['pods', 'cpu', 'requests.example.com/dongle'].map(used)), ['0', '0', '0']);
});

test('quotas for pods with and without a deadline, and with and without requests, count their own', async (t) => {
  const { client } = await withApi(t);
  const at = (name: string) => ({ namespace: 'default', name });
  for (const scope of ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort']) {
    await client.of(ResourceQuota).create({ metadata: at(scope.toLowerCase()), spec: { hard: { pods: '5' }, scopes: [scope] } });
  }
  const counts = async () => Object.fromEntries((await client.of(ResourceQuota).list()).items.map(({ metadata, status }) => [metadata.name, status?.used?.['pods']]));
  const asks = { requests: { cpu: '100m' }, limits: { cpu: '200m' } };
  for (const [resources, more, expected] of [
    [{}, {}, { terminating: '0', notterminating: '1', besteffort: '1', notbesteffort: '0' }],
    [asks, {}, { terminating: '0', notterminating: '1', besteffort: '0', notbesteffort: '1' }],
    [asks, { activeDeadlineSeconds: 3_600 }, { terminating: '1', notterminating: '0', besteffort: '0', notbesteffort: '1' }],
  ] as const) {
    await client.of(Pod).create({ metadata: at('p'), spec: { containers: [{ name: 'c', image: 'i', resources }], ...more } });
    t.deepEqual(await counts(), expected);
    await client.of(Pod).delete(at('p'), { gracePeriodSeconds: 0 });
    t.deepEqual(await counts(), { terminating: '0', notterminating: '0', besteffort: '0', notbesteffort: '0' });
  }
});

test('a LimitRange that changes holds for the next pod', async (t) => {
  const { client } = await withApi(t);
  const at = (name: string) => ({ namespace: 'default', name });
  const limits = (min: string) => [{ type: 'Container', min: { cpu: min }, max: { cpu: '500m' }, default: { cpu: '500m' }, defaultRequest: { cpu: '100m' } }];
  const pods = client.of(Pod);
  const pod = (name: string, cpu?: string) => ({ metadata: at(name), spec: { containers: [{ name: 'c', image: 'i', resources: cpu === undefined ? {} : { requests: { cpu } } }] } });
  await client.of(LimitRange).create({ metadata: at('l'), spec: { limits: limits('50m') } });
  t.deepEqual((await pods.create(pod('defaults'))).spec.containers[0]?.resources, { requests: { cpu: '100m' }, limits: { cpu: '500m' } });
  t.deepEqual((await pods.create(pod('partly', '300m'))).spec.containers[0]?.resources, { requests: { cpu: '300m' }, limits: { cpu: '500m' } });
  await t.throwsAsync(pods.create(pod('small', '10m')), { message: /minimum cpu usage per Container is 50m, but request is 10m/ });
  await t.throwsAsync(pods.create(pod('large', '600m')), { message: /600m|must be less than or equal to cpu limit/ });
  await client.of(LimitRange).modify(at('l'), (draft) => void (draft.spec.limits = limits('10m')));
  await pods.create(pod('small', '10m'));
  await client.of(LimitRange).delete(at('l'));
  t.deepEqual((await pods.create(pod('free'))).spec.containers[0]?.resources ?? {}, {});
});
