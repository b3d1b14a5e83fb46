import test from 'ava';
import { configReferences } from '../../schemas/config-references.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { dependenciesOf, updatePolicy } from '../../schemas/rollout-annotations.ts';
import { dependencyCircle } from '../../schemas/dependency-circle.ts';
import { ApiError, isReason } from '../../schemas/errors.ts';
import { testApi } from '../helpers/api.ts';
import { faults } from '../helpers/object-faults.ts';
import { template } from '../helpers/workloads.ts';

const deployment = (annotations: Readonly<Record<string, string>>) => ({ metadata: { name: 'web', annotations }, spec: { selector: { matchLabels: { app: 'web' } }, template: template('i') } });

const wrongs: readonly [name: string, value: string][] = [
  ['update-failure-action', 'Rollback'], ['update-failure-action', ''], ['update-max-failure-ratio', '1.5'], ['update-max-failure-ratio', '-0.1'], ['update-max-failure-ratio', '20%'],
  ['update-monitor', '5'], ['update-monitor', '2h'], ['update-monitor', '-3s'], ['rollout-on-config-change', 'yes'],
  ['depends-on', ''], ['depends-on', 'db'], ['depends-on', 'pod/db'], ['depends-on', 'statefulset/DB'], ['depends-on', 'statefulset/db:healthy'], ['depends-on', 'statefulset/db:completed'],
  ['depends-on', 'statefulset/db,deployment/web'], ['depends-on', Array.from({ length: 65 }, (_, index) => `job/j${index}`).join(',')],
];

for (const [name, value] of wrongs) {
  test(`barge.dev/${name} is refused: ${value.slice(0, 40)}`, (t) => t.deepEqual(faults(Deployment, deployment({ [`barge.dev/${name}`]: value })), [`invalid metadata.annotations[barge.dev/${name}]`]));
}

test('right annotations are taken, and others are nobody\'s business', (t) => {
  t.deepEqual(faults(Deployment, deployment({
    'barge.dev/update-failure-action': 'rollback', 'barge.dev/update-max-failure-ratio': '0.25', 'barge.dev/update-monitor': '1m30s', 'barge.dev/rollout-on-config-change': 'true',
    'barge.dev/depends-on': 'statefulset/db:ready, Job/migrate:completed,daemonset/agent:started,deployment/api', 'barge.dev/other': '', note: '',
  })), []);
  t.deepEqual(dependenciesOf({ 'barge.dev/depends-on': 'statefulset/db:started, Job/migrate:completed,deployment/api' }), [
    { kind: 'StatefulSet', name: 'db', state: 'started' }, { kind: 'Job', name: 'migrate', state: 'completed' }, { kind: 'Deployment', name: 'api', state: 'ready' },
  ]);
  t.deepEqual(updatePolicy({ 'barge.dev/update-monitor': '1m30s' }), { failureAction: 'pause', maxFailureRatio: 0, monitorMs: 90_000 });
  t.is(updatePolicy({ note: 'x' }), undefined);
});

test('what a workload waits for is looked at on all that can wait', (t) => {
  const bad = { metadata: { annotations: { 'barge.dev/depends-on': 'db' } } };
  t.deepEqual(faults(StatefulSet, { ...bad, spec: { serviceName: 's', selector: { matchLabels: { app: 'web' } }, template: template('i') } }), ['invalid metadata.annotations[barge.dev/depends-on]']);
  t.deepEqual(faults(Job, { ...bad, spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } } }).filter((one) => one.includes('annotations')), ['invalid metadata.annotations[barge.dev/depends-on]']);
});

test('the refusal names the annotation and what would be right', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  const error = await api.client.of(Deployment).create({ ...deployment({ 'barge.dev/update-failure-action': 'undo' }), metadata: { name: 'web', namespace: 'default', annotations: { 'barge.dev/update-failure-action': 'undo' } } }).catch((thrown: unknown) => thrown);
  t.true(isReason(error, 'Invalid'));
  t.is((error as Error).message, 'Deployment.apps "web" is invalid: metadata.annotations[barge.dev/update-failure-action]: Invalid value: "undo": must be one of pause, continue, rollback');
});

test('references are found wherever pods read configuration, with the keys that count', (t) => {
  const found = configReferences({
    initContainers: [{ name: 'i', image: 'i', envFrom: [{ secretRef: { name: 'token', optional: true } }] }],
    containers: [{
      name: 'c', image: 'i', envFrom: [{ configMapRef: { name: 'all' } }],
      env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'some', key: 'a' } } }, { name: 'B', valueFrom: { secretKeyRef: { name: 'key', key: 'k', optional: true } } }, { name: 'C', value: 'plain' }],
    }],
    volumes: [
      { name: 'v', configMap: { name: 'some', optional: true, items: [{ key: 'b', path: 'b' }] } }, { name: 'w', secret: { secretName: 'token' } },
      { name: 'p', projected: { sources: [{ configMap: { name: 'all', items: [{ key: 'x', path: 'x' }] } }, { secret: { name: 'tls', optional: true } }, { serviceAccountToken: { path: 't' } }] } }, { name: 'e', emptyDir: {} },
    ],
  });
  t.deepEqual(found.map(({ kind, name, keys, optional }) => `${kind}/${name} ${keys === undefined ? 'all' : [...keys].join('+')}${optional ? ' optional' : ''}`), [
    'ConfigMap/all all', 'ConfigMap/some a+b', 'Secret/key k optional', 'Secret/tls all optional', 'Secret/token all',
  ]);
});

test('a circle is found by its shortest way, whoever else waits for whom', (t) => {
  const waits: Readonly<Record<string, string>> = { 'Job/b': 'deployment/c, deployment/long', 'Deployment/c': 'job/b,daemonset/gone,deployment/a', 'Deployment/long': 'deployment/c' };
  const circle = (text: string) => dependencyCircle('Deployment', { name: 'a', annotations: { 'barge.dev/depends-on': text } }, (kind, name) => {
    const found = waits[`${kind}/${name}`];
    return found === undefined ? undefined : { annotations: { 'barge.dev/depends-on': found } };
  })?.join(' ');
  t.is(circle('job/b:completed'), 'deployment/a job/b deployment/c deployment/a');
  t.is(circle('daemonset/gone, deployment/long'), 'deployment/a deployment/long deployment/c deployment/a');
  t.is(circle('daemonset/gone'), undefined);
  t.is(circle('job/c'), undefined, 'a name is of its kind');
});

test('the write that closes a circle is refused and names it, in whatever order the objects come', async (t) => {
  const api = await testApi({ namespaces: ['other'] });
  t.teardown(() => api.close());
  const after = (text: string) => ({ 'barge.dev/depends-on': text });
  const jobs = api.client.of(Job);
  const deployments = api.client.of(Deployment);
  const newJob = (name: string, text: string) => ({ metadata: { namespace: 'default', name, annotations: after(text) }, spec: { template: { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } } } });
  const newDeployment = (name: string, text: string, namespace = 'default') => ({ metadata: { namespace, name, annotations: after(text) }, spec: deployment({}).spec });
  const refused = async (work: Promise<unknown>): Promise<ApiError> => t.throwsAsync(work, { instanceOf: ApiError });
  const at = { namespace: 'default', name: 'a' };

  await deployments.create(newDeployment('a', 'job/b:completed'));
  await jobs.create(newJob('b', 'statefulset/c, deployment/d'));
  const closed = await refused(deployments.create(newDeployment('d', 'job/x,deployment/a')));
  t.is(closed.code, 422);
  t.is(closed.message, 'Deployment.apps "d" is invalid: metadata.annotations[barge.dev/depends-on]: Invalid value: "job/x,deployment/a": must not close a circle, in which none could ever start: deployment/d -> deployment/a -> job/b -> deployment/d');
  t.deepEqual(closed.details?.causes?.map(({ field }) => field), ['metadata.annotations[barge.dev/depends-on]']);
  await deployments.create(newDeployment('d', 'deployment/a', 'other'));
  await deployments.create(newDeployment('d', 'job/x'));
  // By an update, a patch and a dry run as well.
  t.is((await refused(deployments.modify({ namespace: 'default', name: 'd' }, (draft) => void (draft.metadata.annotations = after('deployment/a'))))).code, 422);
  t.is((await refused(deployments.patch({ namespace: 'default', name: 'd' }, 'merge', { metadata: { annotations: after('job/b') } }))).code, 422);
  t.is((await refused(api.transport.send({ verb: 'create', group: 'apps', version: 'v1', resource: 'statefulsets', namespace: 'default', options: { dryRun: true }, body: { metadata: { name: 'c', annotations: after('deployment/a') }, spec: { ...deployment({}).spec, serviceName: 'c' } } }))).code, 422);
  t.is((await refused(deployments.patch({ namespace: 'default', name: 'd' }, 'merge', { metadata: { annotations: after('job/b') } }, { subresource: 'status' }))).code, 422);
  // When the circle would be open again, the same write is taken.
  await deployments.modify(at, (draft) => void (draft.metadata.annotations = {}));
  await deployments.modify({ namespace: 'default', name: 'd' }, (draft) => void (draft.metadata.annotations = after('deployment/a')));
});

test('two writes at the same moment do not close a circle between them', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  const create = (name: string, other: string) => api.client.of(Deployment).create({ metadata: { namespace: 'default', name, annotations: { 'barge.dev/depends-on': `deployment/${other}` } }, spec: deployment({}).spec });
  const ends = await Promise.allSettled([create('a', 'b'), create('b', 'c'), create('c', 'a')]);
  t.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'fulfilled', 'rejected']);
  t.regex(String(ends.find((end) => end.status === 'rejected')?.reason), /must not close a circle/);
});
