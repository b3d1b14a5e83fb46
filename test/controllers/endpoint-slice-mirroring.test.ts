import assert from 'node:assert/strict';
import test from 'ava';
import { maxAddresses, planMirror } from '../../controllers/endpoint-slice-mirroring/plan.ts';
import { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { controlledCluster } from '../helpers/controlled-cluster.ts';
import { until } from '../helpers/control-plane.ts';

const at = { namespace: 'default', name: 'db' };
const service = (spec: Service['spec'] = { ports: [{ port: 80 }] }): Service => ({ apiVersion: 'v1', kind: 'Service', metadata: at, spec });
const endpoints = (subsets: Endpoints['subsets'], metadata: object = {}): Endpoints => ({ apiVersion: 'v1', kind: 'Endpoints', metadata: { ...at, uid: 'e', ...metadata }, subsets: subsets ?? [] });
const one = { addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 5432 }] };

test('endpoints written by hand are slices: by family and ports, ready or not, with names and nodes', (t) => {
  const steps = planMirror({ service: service(), slices: [], endpoints: endpoints([
    { addresses: [{ ip: '192.0.2.1', hostname: 'a', nodeName: 'n1' }, { ip: 'fd00::1' }], notReadyAddresses: [{ ip: '192.0.2.2' }], ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] },
    { addresses: [{ ip: '192.0.2.3' }], ports: [{ port: 53, protocol: 'UDP', appProtocol: 'dns' }] },
  ], { labels: { team: 'a' } }) });
  t.deepEqual(steps.map((step) => (step.do === 'create' ? [step.slice.addressType, step.slice.ports, step.slice.endpoints] : step.do)), [
    ['IPv4', [{ name: 'sql', port: 5432, protocol: 'TCP' }], [{ addresses: ['192.0.2.1'], conditions: { ready: true }, hostname: 'a', nodeName: 'n1' }, { addresses: ['192.0.2.2'], conditions: { ready: false } }]],
    ['IPv6', [{ name: 'sql', port: 5432, protocol: 'TCP' }], [{ addresses: ['fd00::1'], conditions: { ready: true } }]],
    ['IPv4', [{ name: '', port: 53, protocol: 'UDP', appProtocol: 'dns' }], [{ addresses: ['192.0.2.3'], conditions: { ready: true } }]],
  ]);
  t.like(steps[0], { slice: { metadata: {
    labels: { team: 'a', 'kubernetes.io/service-name': 'db', 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' }, ownerReferences: [{ kind: 'Endpoints', name: 'db', uid: 'e', controller: true }],
  } } });
});

test('no slices are made of what others keep, of what nobody serves, or beyond the limit', (t) => {
  const count = (of: Endpoints, behind: Service | undefined = service()) => planMirror({ service: behind, endpoints: of, slices: [] }).length;
  t.is(count(endpoints([one])), 1);
  t.is(count(endpoints([one], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } })), 0);
  t.is(count(endpoints([one], { labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } })), 0);
  t.is(count(endpoints([one], { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } })), 0);
  t.is(count(endpoints([one]), service({ selector: { app: 'db' }, ports: [{ port: 80 }] })), 0);
  t.is(planMirror({ service: undefined, endpoints: endpoints([one]), slices: [] }).length, 0);
  const many = planMirror({ service: service(), slices: [], endpoints: endpoints([{ ...one, addresses: Array.from({ length: maxAddresses + 1 }, (_, n) => ({ ip: `198.18.${n >> 8}.${n & 255}` })) }]) });
  t.is(many.reduce((sum, step) => sum + (step.slice.endpoints?.length ?? 0), 0), maxAddresses);
});

test('endpoints made, changed and deleted by hand are followed by slices, which go when the Service gets a selector', async (t) => {
  const { client, clock } = await controlledCluster(t);
  const [list, written] = [client.of(EndpointSlice), client.of(Endpoints)];
  const slices = async () => (await list.list({ namespace: 'default', labelSelector: 'kubernetes.io/service-name=db' })).items;
  const become = (expected: readonly string[]) => until(clock, async () => assert.deepEqual((await slices()).flatMap(({ ports, endpoints: some }) => (some ?? []).map(({ addresses }) => `${addresses[0]}:${ports?.[0]?.port}`)), expected));
  await client.of(Service).create({ metadata: at, spec: { ports: [{ port: 80 }] } });
  await written.create({ metadata: at, subsets: [one] });
  await become(['192.0.2.1:5432']);
  const [{ metadata: { name } } = { metadata: {} }] = await slices();
  await written.modify(at, (draft) => void (draft.subsets = [{ addresses: [{ ip: '192.0.2.1' }, { ip: '192.0.2.9' }], ports: [{ port: 5432 }] }]));
  await become(['192.0.2.1:5432', '192.0.2.9:5432']);
  t.is((await slices())[0]?.metadata.name, name, 'the same slice, changed');
  await list.delete({ namespace: 'default', name: name! });
  await become(['192.0.2.1:5432', '192.0.2.9:5432']);
  await written.delete(at);
  await until(clock, async () => assert.deepEqual(await slices(), []));
  await written.create({ metadata: at, subsets: [one] });
  await become(['192.0.2.1:5432']);
  await client.of(Service).modify(at, (draft) => void (draft.spec.selector = { app: 'none' }));
  await until(clock, async () => assert.deepEqual((await slices()).map(({ metadata }) => metadata.labels?.['endpointslice.kubernetes.io/managed-by']), ['endpointslice-controller.k8s.io']));
});
