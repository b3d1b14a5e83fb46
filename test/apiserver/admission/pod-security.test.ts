import test from 'ava';
import { existingViolations } from '../../../apiserver/admission/pod-security.ts';
import type { ApiAnswer, ApiRequest } from '../../../schemas/api.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { admin, testApi } from '../../helpers/api.ts';
import { pod as storedPod } from '../../helpers/workloads.ts';

const at = 'pod-security.kubernetes.io';
const spec = { containers: [{ name: 'c', image: 'a' }] };
const why = 'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), '
  + 'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
  + 'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
  + 'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';

const template = { metadata: { labels: { a: 'b' } }, spec };
const selector = { matchLabels: { a: 'b' } };
const workloads: readonly [group: string, resource: string, body: Record<string, unknown>][] = [
  ['apps', 'deployments', { spec: { selector, template } }], ['apps', 'replicasets', { spec: { selector, template } }], ['apps', 'daemonsets', { spec: { selector, template } }],
  ['apps', 'statefulsets', { spec: { selector, template, serviceName: 's' } }],
  ['', 'replicationcontrollers', { spec: { selector: { a: 'b' }, template } }], ['', 'podtemplates', { template }],
  ['batch', 'jobs', { spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } } }],
  ['batch', 'cronjobs', { spec: { schedule: '0 * * * *', jobTemplate: { spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } } } } }],
];

test('levels refuse pods, warn of pods and templates, and their change warns of pods that are there', async (t) => {
  const { transport, close } = await testApi();
  t.teardown(close);
  const send = (verb: ApiRequest['verb'], resource: string, more: Partial<ApiRequest>): Promise<ApiAnswer> => transport.send({ verb, group: '', version: 'v1', resource, ...more });
  const refused = async (work: Promise<unknown>): Promise<ApiError> => t.throwsAsync(work, { instanceOf: ApiError });
  const label = (name: string, labels: Record<string, string | null>) => send('patch', 'namespaces', { name, patchType: 'merge', body: { metadata: { labels } } });

  t.is((await refused(send('create', 'namespaces', { body: { metadata: { name: 'x', labels: { [`${at}/warn`]: 'some' } } } }))).message,
    'Namespace "x" is invalid: metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "some": must be one of privileged, baseline, restricted');
  await send('create', 'namespaces', { body: { metadata: { name: 'x', labels: { [`${at}/enforce`]: 'restricted', [`${at}/warn`]: 'restricted' } } } });
  const error = await refused(send('create', 'pods', { namespace: 'x', body: { metadata: { name: 'p' }, spec } }));
  t.like(error, { code: 403, message: `pods "p" is forbidden: violates PodSecurity "restricted:latest": ${why}` });
  for (const [group, resource, body] of workloads) {
    const made = await send('create', resource, { group, namespace: 'x', body: { metadata: { name: 'w' }, ...body } });
    t.deepEqual(made.warnings, [`would violate PodSecurity "restricted:latest": ${why}`], `${resource} are made, with a warning`);
  }

  await label('x', { [`${at}/enforce`]: null, [`${at}/warn`]: 'baseline' });
  t.deepEqual((await send('create', 'pods', { namespace: 'x', body: { metadata: { name: 'p' }, spec } })).warnings, []);
  t.deepEqual((await send('create', 'pods', { namespace: 'x', body: { metadata: { name: 'q' }, spec: { ...spec, hostPID: true } } })).warnings, ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)']);

  t.deepEqual((await label('x', { [`${at}/enforce`]: 'baseline' })).warnings, ['existing pods in namespace "x" violate the new PodSecurity enforce level "baseline:latest"', 'q: host namespaces']);
  t.deepEqual((await label('x', { other: 'label' })).warnings, [], 'only a new level is a reason to look');
  const stricter = await label('x', { [`${at}/enforce`]: 'restricted', [`${at}/enforce-version`]: 'v1.24' });
  t.deepEqual(stricter.warnings, [
    'existing pods in namespace "x" violate the new PodSecurity enforce level "restricted:v1.24"',
    'p: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
    'q: host namespaces, allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
  ]);
  t.like(await refused(label('x', { [`${at}/enforce-version`]: 'newest' })), { code: 422 });

  // A pod that is there stays as it is; what makes it another pod is looked at.
  const patch = (name: string, body: unknown, subresource?: string) => send('patch', 'pods', { namespace: 'x', name, subresource, patchType: 'strategic', body });
  await patch('p', { metadata: { labels: { still: 'there' } } });
  t.regex((await refused(patch('p', { spec: { containers: [{ name: 'c', image: 'b' }] } }))).message, /violates PodSecurity "restricted:v1\.24"/);
  t.regex((await refused(patch('p', { spec: { ephemeralContainers: [{ name: 'debug', image: 'b', securityContext: { privileged: true } }] } }, 'ephemeralcontainers'))).message,
    /violates PodSecurity .*privileged \(container "debug"/);
  await label('x', { [`${at}/enforce`]: 'privileged', [`${at}/enforce-version`]: null });
  await patch('p', { spec: { ephemeralContainers: [{ name: 'debug', image: 'b' }] } }, 'ephemeralcontainers');
});

test('what a namespace wants to be told to the auditor is in the log of the request', async (t) => {
  const { core, transport, close } = await testApi();
  t.teardown(close);
  await transport.send({ verb: 'create', group: '', version: 'v1', resource: 'namespaces', body: { metadata: { name: 'x', labels: { [`${at}/audit`]: 'restricted' } } } });
  const notes: string[] = [];
  const audit = (key: string, value: string): void => void notes.push(`${key}=${value}`);
  const answer = await core.send({ verb: 'create', group: '', version: 'v1', resource: 'pods', namespace: 'x', body: { metadata: { name: 'p' }, spec } }, admin, { audit });
  t.deepEqual(answer.warnings, []);
  t.deepEqual(notes, [`${at}/audit-violations=would violate PodSecurity "restricted:latest": ${why}`, `${at}/enforce-policy=privileged:latest`]);
});

test('many pods with the same faults are one warning', (t) => {
  const pods = ['b', 'a', 'c'].map((name) => storedPod(name, { spec: { hostNetwork: true } }));
  const standard = { level: 'baseline', minor: Infinity } as const;
  t.is(existingViolations(standard, 'x', pods)[1], 'a (and 2 other pods): host namespaces');
  t.is(existingViolations(standard, 'x', pods.slice(0, 2))[1], 'a (and 1 other pod): host namespaces');
  t.deepEqual(existingViolations(standard, 'x', [storedPod('fine')]), []);
  t.is(existingViolations(standard, 'x', Array.from({ length: 3_001 }, (_, index) => storedPod(`p${index}`)))[0], 'new PodSecurity enforce level only checked against the first 3000 of 3001 existing pods');
});
