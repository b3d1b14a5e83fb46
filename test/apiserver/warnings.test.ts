/** What the writers of objects are told beside the answer. */
import test from 'ava';
import type { ApiObject } from '../../schemas/kind.ts';
import { httpsApi, type HttpsApi } from '../helpers/https-api.ts';

let api: HttpsApi;
test.before(async () => { api = await httpsApi(); });
test.after.always(() => api.close());

type Json = Record<string, unknown>;

const container = (more: Json = {}): Json => ({ name: 'c', image: 'a:1', ...more });
const template = (container: Json, spec: Json = {}): Json => ({ metadata: { labels: { a: 'b' } }, spec: { containers: [container], ...spec } });
const doubled = container({ env: [{ name: 'A', value: '1' }, { name: 'B' }, { name: 'A', value: '2' }, { name: 'A', value: '$(A)' }, { name: 'A', value: '$(A),3' }, { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] });
const hidden = (at: string): readonly string[] => [2, 3, 5].map((index) => `${at}.containers[0].env[${index}]: hides previous definition of "A", which may be dropped when using apply`);
const dots = (use: string): string => `metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]`;
const inPods = dots('Pod names and hostnames');
const never = (spec: Json): Json => ({ ...spec, spec: { ...spec['spec'] as Json, restartPolicy: 'Never' } });

const cases: readonly (readonly [title: string, path: string, body: Json, warnings: readonly string[]])[] = [
  ['a plain pod', '/api/v1/namespaces/default/pods', { spec: { containers: [container()] } }, []],
  ['variables that hide others', '/api/v1/namespaces/default/pods', { spec: { containers: [doubled] } }, hidden('spec')],
  ['a pod that cannot be a host', '/api/v1/namespaces/default/pods', { metadata: { name: 'a.b' }, spec: { containers: [container()] } }, [dots("the Pod's hostname")]],
  ['amounts', '/api/v1/namespaces/default/pods', { spec: { terminationGracePeriodSeconds: -1, containers: [container({ resources: { limits: { memory: '1Gi', cpu: '100m' }, requests: { 'memory': '100m', 'ephemeral-storage': '1' } }, ports: [{ containerPort: 1 }, { containerPort: 2 }, { containerPort: 1, name: 'x' }] })] } },
    ['spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1', 'spec.containers[0].ports[2]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer']],
  ['old names', '/api/v1/namespaces/default/pods', { spec: { containers: [container()], nodeSelector: { 'beta.kubernetes.io/os': 'linux' }, volumes: [{ name: 'g', gitRepo: { repository: 'x' } }], imagePullSecrets: [{ name: 's' }, { name: 't' }],
    hostAliases: [{ ip: '1.1.1.1' }], topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'failure-domain.beta.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' }],
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z' }] }, nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: 'beta.kubernetes.io/arch', operator: 'Exists' }] } }] } } } },
  ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: deprecated since v1.14; use "kubernetes.io/arch" instead',
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
    'spec.topologySpreadConstraints[0].topologyKey: deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod', 'spec.volumes[0].gitRepo: deprecated in v1.11']],
  ['a deployment', '/apis/apps/v1/namespaces/default/deployments', { metadata: { name: 'a.b' }, spec: { selector: { matchLabels: { a: 'b' } }, template: template(doubled) } }, [inPods, ...hidden('spec.template.spec')]],
  ['a job', '/apis/batch/v1/namespaces/default/jobs', { metadata: { name: 'a.b' }, spec: { template: never(template(doubled)) } }, [inPods, ...hidden('spec.template.spec')]],
  ['a cron job', '/apis/batch/v1/namespaces/default/cronjobs', { metadata: { name: 'a.b' }, spec: { schedule: '@daily', jobTemplate: { spec: { template: never(template(doubled)) } } } }, [inPods, ...hidden('spec.jobTemplate.spec.template.spec')]],
  ['a headless service', '/api/v1/namespaces/default/services', { spec: { clusterIP: 'None', sessionAffinity: 'ClientIP', externalIPs: ['1.2.3.4'], ports: [{ port: 1 }], externalName: 'x.y' } },
    ['spec.externalIPs is ignored when spec.clusterIP is "None"', 'spec.SessionAffinity is ignored when spec.clusterIP is "None"', 'spec.externalName is ignored when spec.type is not "ExternalName"']],
  ['a name for something outside', '/api/v1/namespaces/default/services', { spec: { type: 'ExternalName', externalName: 'x.y', externalIPs: ['1.2.3.4'] } }, ['spec.externalIPs is ignored when spec.type is "ExternalName"']],
  ['the old class of an ingress', '/apis/networking.k8s.io/v1/namespaces/default/ingresses', { metadata: { annotations: { 'kubernetes.io/ingress.class': 'n' } }, spec: { defaultBackend: { service: { name: 's', port: { number: 1 } } } } },
    ['annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead']],
  ['a volume that is wiped', '/api/v1/persistentvolumes', { spec: { capacity: { storage: '100m' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' }, persistentVolumeReclaimPolicy: 'Recycle' } },
    ['spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.', 'spec.capacity[storage]: fractional byte value "100m" is invalid, must be an integer']],
  ['a pull secret without a name', '/api/v1/namespaces/default/pods', { spec: { containers: [container()], imagePullSecrets: [{ name: '' }] } }, ['spec.imagePullSecrets[0].name: invalid empty name ""']],
  ['annotations that are fields now', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'old', annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x', 'container.seccomp.security.alpha.kubernetes.io/c': 'x', 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined', 'scheduler.alpha.kubernetes.io/critical-pod': '' } },
    spec: { containers: [container()] },
  }, ['metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
    'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
    'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the "seccompProfile" field instead',
    'metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead']],
  ['annotations of a template', '/apis/apps/v1/namespaces/default/daemonsets', { spec: { selector: { matchLabels: { a: 'b' } }, template: {
    metadata: { labels: { a: 'b' }, annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x', 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' } },
    spec: { securityContext: { seccompProfile: { type: 'RuntimeDefault' } }, containers: [container()] } } } },
  ['spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead']],
  ['a hint of a service', '/api/v1/namespaces/default/services', { metadata: { annotations: { 'service.kubernetes.io/topology-aware-hints': 'auto' } }, spec: { ports: [{ port: 1 }] } },
    ['annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead']],
  ['an account that keeps to its secrets', '/api/v1/namespaces/default/serviceaccounts', { metadata: { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } } },
    ['metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets']],
  ['the old class and labels of a volume', '/api/v1/persistentvolumes', { metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'x' } }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }] }] } } } },
    ['metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead', 'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: deprecated since v1.14; use "kubernetes.io/os" instead']],
  ['old labels of a storage class', '/apis/storage.k8s.io/v1/storageclasses', { provisioner: 'example.com/x', allowedTopologies: [{ matchLabelExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', values: ['a'] }] }] },
    ['allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead']],
  ['old labels of a runtime class', '/apis/node.k8s.io/v1/runtimeclasses', { handler: 'x', scheduling: { nodeSelector: { 'beta.kubernetes.io/arch': 'x' } } }, ['scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/arch" instead']],
  ['old labels of a capacity', '/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities', { storageClassName: 'x', nodeTopology: { matchLabels: { 'beta.kubernetes.io/os': 'x' } } }, ['nodeTopology.matchLabels[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']],
  ['a claim', '/api/v1/namespaces/default/persistentvolumeclaims', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1500m' } } } }, ['spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer']],
];

/** The texts of the Warning headers of an answer. */
const warningsOf = (header: string | undefined): readonly string[] => [...(header ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));

for (const [index, [title, path, body, warnings]] of cases.entries()) {
  test(`a warning: ${title}`, async (t) => {
    const name = (body['metadata'] as { name?: string } | undefined)?.name ?? `w${index}`;
    const answer = await api.call(`${path}?dryRun=All`, { body: { ...body, metadata: { ...body['metadata'] as Json, name } } });
    t.is(answer.code, 201, answer.text);
    t.deepEqual(warningsOf(answer.headers['warning'] as string | undefined), warnings);
  });
}

test('who looks at the state of components is told that it is no more', async (t) => {
  t.deepEqual(warningsOf((await api.call('/api/v1/componentstatuses')).headers['warning'] as string | undefined), ['v1 ComponentStatus is deprecated in v1.19+']);
});

test('an update warns of what it changes, not of what has been there', async (t) => {
  const path = '/apis/apps/v1/namespaces/default/deployments';
  const made = await api.call(path, { body: { metadata: { name: 'old.name' }, spec: { selector: { matchLabels: { a: 'b' } }, template: template(doubled) } } });
  t.is(warningsOf(made.headers['warning'] as string).length, 4);
  const patch = async (body: Json): Promise<readonly string[]> =>
    warningsOf((await api.call(`${path}/old.name`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body })).headers['warning'] as string | undefined);
  t.deepEqual(await patch({ spec: { replicas: 3 }, metadata: { labels: { x: 'y' } } }), []);
  t.deepEqual(await patch({ spec: { template: { metadata: { annotations: { x: 'y' } } } } }), hidden('spec.template.spec'));
  const { spec } = (await api.call(`${path}/old.name`)).json<ApiObject & { spec: Json }>();
  t.is(spec['replicas'], 3);
});
