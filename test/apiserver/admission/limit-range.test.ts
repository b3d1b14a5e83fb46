import test from 'ava';
import { claimViolations, fillPod, podViolations } from '../../../apiserver/admission/limits.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { draftOf } from '../../../schemas/frozen.ts';
import { LimitRange } from '../../../schemas/kinds/core/limit-range.ts';
import type { PersistentVolumeClaim } from '../../../schemas/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import type { ResourceRequirements } from '../../../schemas/types/resources.ts';
import { testApi } from '../../helpers/api.ts';

const range = (...limits: LimitRange['spec']['limits']): LimitRange => ({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'limits', namespace: 'default' }, spec: { limits } });

const pod = (resources: ResourceRequirements = {}, init?: ResourceRequirements): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'a', resources }], ...(init === undefined ? {} : { initContainers: [{ name: 'i', image: 'a', resources: init }] }) },
});

test('containers get what they do not name, and the pod says so', (t) => {
  const draft = draftOf(pod({ requests: { memory: '10Mi' } }, {}));
  fillPod(draft, range({ type: 'Container', default: { cpu: '200m', memory: '64Mi' }, defaultRequest: { cpu: '100m', memory: '32Mi' } }, { type: 'Pod', max: { cpu: '1' } }));
  t.deepEqual(draft.spec.containers[0]?.resources, { requests: { memory: '10Mi', cpu: '100m' }, limits: { cpu: '200m', memory: '64Mi' } });
  t.deepEqual(draft.spec.initContainers?.[0]?.resources, { requests: { memory: '32Mi', cpu: '100m' }, limits: { cpu: '200m', memory: '64Mi' } });
  t.is(draft.metadata.annotations?.['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu request for container c; cpu, memory limit for container c; cpu, memory request for init container i; cpu, memory limit for init container i');
  const untouched = draftOf(pod());
  fillPod(untouched, range({ type: 'Pod', max: { cpu: '1' } }));
  t.deepEqual(untouched, draftOf(pod()));
});

const cases: readonly [name: string, limits: LimitRange['spec']['limits'], pod: Pod, expected: readonly string[]][] = [
  ['enough', [{ type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' } }], pod({ requests: { cpu: '100m' }, limits: { cpu: '1' } }), []],
  ['nothing said', [{ type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' } }], pod(),
    ['minimum cpu usage per Container is 100m.  No request is specified', 'maximum cpu usage per Container is 1.  No limit is specified']],
  ['too little and too much', [{ type: 'Container', min: { cpu: '100m', memory: '1Mi' }, max: { cpu: '1' } }], pod({ requests: { cpu: '50m', memory: '512Ki' }, limits: { cpu: '2' } }),
    ['minimum cpu usage per Container is 100m, but request is 50m', 'minimum memory usage per Container is 1Mi, but request is 512Ki', 'maximum cpu usage per Container is 1, but limit is 2']],
  ['a limit below the least', [{ type: 'Container', min: { cpu: '100m' } }], pod({ requests: { cpu: '100m' }, limits: { cpu: '50m' } }), ['minimum cpu usage per Container is 100m, but limit is 50m']],
  ['a ratio', [{ type: 'Container', maxLimitRequestRatio: { cpu: '2' } }], pod({ requests: { cpu: '100m' }, limits: { cpu: '300m' } }), ['cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000']],
  ['a ratio of nothing', [{ type: 'Container', maxLimitRequestRatio: { cpu: '2' } }], pod(), ['cpu max limit to request ratio per Container is 2, but no request is specified or request is 0']],
  ['init containers count by themselves', [{ type: 'Container', max: { cpu: '1' } }], pod({ limits: { cpu: '1' } }, { limits: { cpu: '3' } }), ['maximum cpu usage per Container is 1, but limit is 3']],
  ['the pod as a whole', [{ type: 'Pod', max: { cpu: '1' } }], pod({ limits: { cpu: '600m' }, requests: { cpu: '600m' } }, { limits: { cpu: '1500m' }, requests: { cpu: '1' } }), ['maximum cpu usage per Pod is 1, but limit is 1500m']],
];

for (const [name, limits, object, expected] of cases) {
  test(`a LimitRange and a pod: ${name}`, (t) => t.deepEqual(podViolations(object, range(...limits)), expected));
}

test('a claim is held to its request', (t) => {
  const claim = (storage: string): PersistentVolumeClaim => ({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { resources: { requests: { storage } } } });
  const limits = range({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } });
  t.deepEqual(claimViolations(claim('1Gi'), limits), []);
  t.deepEqual(claimViolations(claim('5Gi'), limits), ['maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi']);
  t.deepEqual(claimViolations(claim('1Mi'), limits), ['minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi']);
});

test('the server gives defaults before it checks, and refuses with all that is wrong', async (t) => {
  const { client, close } = await testApi();
  t.teardown(close);
  await client.of(LimitRange).create(range({ type: 'Container', max: { cpu: '1' }, default: { cpu: '500m' }, defaultRequest: { cpu: '250m' } }));
  const made = await client.of(Pod).create(pod());
  t.deepEqual(made.spec.containers[0]?.resources, { limits: { cpu: '500m' }, requests: { cpu: '250m' } });
  t.is(made.status?.qosClass, 'Burstable');
  await client.of(LimitRange).create({ ...range({ type: 'Pod', min: { memory: '1Gi' } }), metadata: { name: 'more', namespace: 'default' } });
  const error = await t.throwsAsync(client.of(Pod).create({ ...pod({ limits: { cpu: '2' } }), metadata: { name: 'q', namespace: 'default' } }), { instanceOf: ApiError });
  t.is(error.message, 'pods "q" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, minimum memory usage per Pod is 1Gi.  No request is specified]');
  t.is(error.code, 403);
  const labelled = await client.of(Pod).modify({ namespace: 'default', name: 'p' }, (draft) => { draft.metadata.labels = { still: 'there' }; });
  t.is(labelled.metadata.labels?.['still'], 'there', 'pods that are there are left alone');
});
