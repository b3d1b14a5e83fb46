/** What a client finds in an object that it has just made. */
import test from 'ava';
import type { ApiObject } from '../../schemas/kind.ts';
import { testApi } from '../helpers/api.ts';

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } };
const selector = { matchLabels: { a: 'b' } };

/** Bodies by group, version and resource, each with a status that does not count, and the status that the new object has. */
const made: readonly (readonly [group: string, version: string, resource: string, namespaced: boolean, body: object, status: unknown])[] = [
  ['', 'v1', 'pods', true, { spec: template.spec, status: { phase: 'Running' } }, { phase: 'Pending', qosClass: 'BestEffort' }],
  ['', 'v1', 'services', true, { spec: { ports: [{ port: 80 }] } }, { loadBalancer: {} }],
  ['', 'v1', 'resourcequotas', true, { spec: { hard: { pods: '1' } }, status: { used: { pods: '9' } } }, { hard: { pods: '1' }, used: { pods: '1' } }],
  ['', 'v1', 'nodes', false, { status: { capacity: { cpu: '2' } } }, { capacity: { cpu: '2' }, allocatable: { cpu: '2' } }],
  ['apps', 'v1', 'deployments', true, { spec: { selector, template }, status: { replicas: 3 } }, {}],
  ['apps', 'v1', 'statefulsets', true, { spec: { selector, template, serviceName: 's' } }, { replicas: 0, availableReplicas: 0 }],
  ['batch', 'v1', 'jobs', true, { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } }, {}],
  ['networking.k8s.io', 'v1', 'servicecidrs', false, { spec: { cidrs: ['10.0.0.0/16'] } }, {}],
];

test('a new object has the status of its kind, so that clients need not ask whether it has one', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  for (const [group, version, resource, namespaced, body, status] of made) {
    const answer = await api.transport.send({ verb: 'create', group, version, resource, namespace: namespaced ? 'default' : undefined, body: { metadata: { name: 'x' }, ...body } });
    const object = answer.body as ApiObject & { readonly status?: unknown };
    if (resource === 'nodes') t.like(object.status, status as object);
    else t.deepEqual(object.status, status, resource);
  }
  for (const kind of api.registry.all()) {
    if (kind.subresources.status === true && kind.storedAs === undefined) t.truthy(kind.initialStatus, `${kind.plural} have a status from the start`);
  }
});
