import test, { type ExecutionContext } from 'ava';
import { ApiError } from '../../schemas/errors.ts';
import { LimitRange } from '../../schemas/kinds/core/limit-range.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { validatePodResize } from '../../schemas/validation/pod-resize.ts';
import { testApi } from '../helpers/api.ts';

const key = (name: string): { readonly namespace: string; readonly name: string } => ({ namespace: 'default', name });
type Spec = Pod['spec'];
type Resources = NonNullable<Spec['containers'][number]['resources']>;

const pod = (resources: Resources, spec: Partial<Spec> = {}, status?: Pod['status']): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: key('p'), spec: { containers: [{ name: 'c', image: 'a', terminationMessagePolicy: 'File', imagePullPolicy: 'Always', resources }], restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', ...spec }, ...(status === undefined ? {} : { status }),
});

const before = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '128Mi', 'example.com/gpu': '1' } };
const requests = { ...before.requests, 'example.com/gpu': '1' };

const cases: readonly [name: string, after: Pod, old: Pod, expected: readonly string[]][] = [
  ['more CPU', pod({ requests: { ...requests, cpu: '150m' }, limits: before.limits }), pod({ ...before, requests }), []],
  ['amounts that were not there', pod({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2' } }), pod({ requests: { cpu: '1' } }), []],
  ['less memory', pod({ requests, limits: { ...before.limits, memory: '100Mi' } }), pod({ ...before, requests }),
    ['spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer']],
  ['nothing is left', pod({}), pod({ requests: { cpu: '1' }, limits: { cpu: '1' } }), [
    'spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
    'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed', 'spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed',
  ]],
  ['another class', pod({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }), pod({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '2Gi' } }), [
    'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing', 'spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer',
  ]],
  ['a device more', pod({ requests: { ...requests, 'example.com/gpu': '2' }, limits: { ...before.limits, 'example.com/gpu': '2' } }), pod({ ...before, requests }), ['spec: Forbidden: only cpu and memory resources of containers and sidecars are mutable']],
  ['containers that differ', pod({}, { containers: [{ name: 'other', image: 'a' }] }), pod({}), ['spec.containers: Forbidden: containers may not be renamed or reordered on resize']],
  ['an init container', pod({}, { initContainers: [{ name: 'i', image: 'a', resources: { requests: { cpu: '2' } } }] }), pod({}, { initContainers: [{ name: 'i', image: 'a', resources: { requests: { cpu: '1' } } }] }),
    ['spec: Forbidden: only cpu and memory resources of containers and sidecars are mutable']],
  ['a sidecar', pod({}, { initContainers: [{ name: 'i', image: 'a', restartPolicy: 'Always', resources: { requests: { cpu: '2' } } }] }), pod({}, { initContainers: [{ name: 'i', image: 'a', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } }] }), []],
  ['a pod for Windows', pod({}), pod({}, { os: { name: 'windows' } }), [': Forbidden: windows pods cannot be resized']],
  ['a node that does not say what it gave', pod({ requests: { cpu: '2' } }), pod({ requests: { cpu: '1' } }, {}, { containerStatuses: [{ name: 'c', image: 'a', imageID: '', ready: true, restartCount: 0, state: { running: {} } }] }),
    ['spec: Forbidden: Pod running on node without support for resize']],
];

for (const [name, after, old, expected] of cases) {
  test(`a resize: ${name}`, (t) => t.deepEqual(validatePodResize(after, old).map(({ field, message }) => `${field}: ${message}`), expected));
}

const refused = async (t: ExecutionContext, work: Promise<unknown>): Promise<ApiError> => t.throwsAsync(work, { instanceOf: ApiError });

test('a pod is resized through its subresource alone, under limits and quotas', async (t) => {
  const { client, close } = await testApi();
  t.teardown(close);
  const pods = client.of(Pod);
  await client.of(ResourceQuota).create({ metadata: key('q'), spec: { hard: { 'requests.cpu': '1' } } });
  const made = await pods.create(pod({ requests: { cpu: '500m' } }));
  const patch = (resources: Resources, more: object = {}, subresource: string | undefined = 'resize') => pods.patch(key('p'), 'strategic', { spec: { containers: [{ name: 'c', resources, ...more }] } }, subresource === '' ? {} : { subresource });
  const now = await patch({ requests: { cpu: '800m' } }, { image: 'another' });
  t.deepEqual(now.spec.containers[0]?.resources, { requests: { cpu: '800m' } });
  t.is(now.spec.containers[0]?.image, 'a', 'nothing else is looked at');
  t.is(now.metadata.generation, (made.metadata.generation ?? 0) + 1);
  t.deepEqual((await client.of(ResourceQuota).get(key('q'))).status?.used, { 'requests.cpu': '800m' });
  t.is((await refused(t, patch({ requests: { cpu: '1100m' } }))).message, 'pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=300m, used: requests.cpu=800m, limited: requests.cpu=1');
  t.is((await refused(t, patch({ requests: { cpu: '900m' } }, {}, ''))).reason, 'Invalid');
  await client.of(LimitRange).create({ metadata: key('l'), spec: { limits: [{ type: 'Pod', min: { cpu: '700m' } }] } });
  t.regex((await refused(t, patch({ requests: { cpu: '600m' } }))).message, /^pods "p" is forbidden: minimum cpu usage per Pod is 700m, but request is 600m$/);
  t.is((await patch({ requests: { cpu: '700m' } })).spec.containers[0]?.resources?.requests?.['cpu'], '700m');
});

test('a Binding of its own puts its pod on a node', async (t) => {
  const { client, transport, close } = await testApi();
  t.teardown(close);
  await client.of(Pod).create(pod({}));
  const bind = (metadata: object, node: string) => transport.send({ verb: 'create', group: '', version: 'v1', resource: 'bindings', namespace: 'default', body: { apiVersion: 'v1', kind: 'Binding', metadata, target: { kind: 'Node', name: node } } });
  t.is((await refused(t, bind({}, 'n1'))).message, 'Binding "" is invalid: metadata.name: Required value: name or generateName is required');
  t.is((await refused(t, bind({ name: 'p', namespace: 'kube-system' }, 'n1'))).reason, 'BadRequest');
  t.is((await refused(t, bind({ name: 'none' }, 'n1'))).message, 'pods "none" not found');
  t.like(await bind({ name: 'p' }, 'n1'), { code: 201, body: { kind: 'Status', status: 'Success' } });
  t.is((await client.of(Pod).get(key('p'))).spec.nodeName, 'n1');
  t.is((await refused(t, bind({ name: 'p' }, 'n2'))).reason, 'Conflict');
  t.is((await refused(t, transport.send({ verb: 'list', group: '', version: 'v1', resource: 'bindings', namespace: 'default' }))).reason, 'MethodNotAllowed');
});
