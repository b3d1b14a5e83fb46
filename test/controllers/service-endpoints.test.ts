import test from 'ava';
import * as fc from 'fast-check';
import { maxEndpoints, planEndpointSlices, type EndpointSliceStep } from '../../controllers/endpoint-slice/plan.ts';
import { maxAddresses, planEndpoints, saysAlready } from '../../controllers/endpoints/plan.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import type { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { at, pod, service, type PodWords } from '../helpers/workloads.ts';

const ready = (name: string, ip: string, more: PodWords = {}): Pod => pod(name, { ip, readySince: 1, node: 'n1', ...more });
const going = { deletionTimestamp: at(5) };
const webPort = (containerPort: number) => ({ containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort, protocol: 'TCP' as const }] }] });

const slices = (of: Service, pods: readonly Pod[], existing: readonly EndpointSlice[] = []): readonly EndpointSliceStep[] =>
  planEndpointSlices({ service: of, pods, slices: existing, zoneOf: (name) => (name === 'n1' ? 'east' : undefined) });

let made = 0;
/** The slices after the steps. */
const carried = (existing: readonly EndpointSlice[], steps: readonly EndpointSliceStep[]): readonly EndpointSlice[] => {
  let after = [...existing];
  for (const step of steps) {
    if (step.do === 'create') after.push({ ...step.slice, apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { ...step.slice.metadata, name: `web-${String(made++).padStart(6, '0')}` } });
    else if (step.do === 'delete') after = after.filter(({ metadata }) => metadata.name !== step.slice.metadata.name);
    else after = after.map((one) => (one.metadata.name === step.slice.metadata.name ? step.slice : one));
  }
  return after;
};

test('a slice has all that its readers need', (t) => {
  const steps = slices(service({ ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'h2c' }] }, { labels: { team: 'a' } }), [ready('a', '10.0.0.1', { spec: webPort(8080) })]);
  t.is(steps.length, 1);
  const slice = steps[0]!.slice;
  t.like(slice.metadata, { generateName: 'web-', namespace: 'default' });
  t.deepEqual(slice.metadata.labels, { team: 'a', 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' });
  t.deepEqual(slice.metadata.ownerReferences, [{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'uid-web', controller: true, blockOwnerDeletion: true }]);
  t.is(slice.addressType, 'IPv4');
  t.deepEqual(slice.ports, [{ name: 'http', port: 8080, protocol: 'TCP', appProtocol: 'h2c' }]);
  t.deepEqual(slice.endpoints, [{
    addresses: ['10.0.0.1'], conditions: { ready: true, serving: true, terminating: false }, nodeName: 'n1', zone: 'east',
    targetRef: { kind: 'Pod', namespace: 'default', name: 'a', uid: 'uid-a' },
  }]);
});

for (const [what, spec, words, conditions] of [
  ['ready', {}, {}, { ready: true, serving: true, terminating: false }],
  ['not ready', {}, { status: { conditions: [] } }, { ready: false, serving: false, terminating: false }],
  ['on its way out, it is not ready at once', {}, { metadata: going }, { ready: false, serving: true, terminating: true }],
  ['not ready but wanted', { publishNotReadyAddresses: true }, { status: { conditions: [] } }, { ready: true, serving: false, terminating: false }],
  ['on its way out but wanted', { publishNotReadyAddresses: true }, { metadata: going }, { ready: true, serving: true, terminating: true }],
] as const) {
  test(`endpoint conditions: ${what}`, (t) => {
    t.deepEqual(slices(service(spec), [ready('a', '10.0.0.1', words)])[0]?.slice.endpoints?.[0]?.conditions, conditions);
  });
}

test('pods that have ended or have no address are no endpoints; a Service without any has one empty slice', (t) => {
  const steps = slices(service(), [ready('a', '10.0.0.1', { phase: 'Succeeded' }), pod('b', { readySince: 1 })]);
  t.deepEqual(steps.map((step) => [step.do, step.slice.endpoints]), [['create', []]]);
});

test('the slice of a Service that loses its last pod stays', (t) => {
  const first = carried([], slices(service(), [ready('a', '10.0.0.1')]));
  t.deepEqual(slices(service(), [], first).map((step) => [step.do, step.slice.endpoints]), [['update', []]]);
});

test('pods that serve a named port at different numbers stand in different slices; one without it has none', (t) => {
  const named = service({ ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }] });
  const steps = slices(named, [ready('a', '10.0.0.1', { spec: webPort(80) }), ready('b', '10.0.0.2', { spec: webPort(8080) })]);
  t.deepEqual(steps.map(({ slice }) => [slice.ports?.[0]?.port, slice.endpoints?.[0]?.addresses[0]]), [[80, '10.0.0.1'], [8080, '10.0.0.2']]);
});

test('headless: the label, host names of its own subdomain, and no ports needed', (t) => {
  const headless = service({ clusterIP: 'None', ports: [] });
  const steps = slices(headless, [ready('a', '10.0.0.1', { spec: { hostname: 'db-0', subdomain: 'web' } }), ready('b', '10.0.0.2', { spec: { hostname: 'db-0', subdomain: 'other' } })]);
  t.is(steps[0]?.slice.metadata.labels?.['service.kubernetes.io/headless'], '');
  t.deepEqual(steps[0]?.slice.endpoints?.map(({ hostname }) => hostname), ['db-0', undefined]);
  t.deepEqual(steps[0]?.slice.ports, []);
});

test('Services without a selector and external names are left alone', (t) => {
  for (const spec of [{ selector: {} }, { type: 'ExternalName' as const, externalName: 'x.example' }]) {
    t.deepEqual(slices(service(spec), [ready('a', '10.0.0.1')]), []);
    t.is(planEndpoints(service(spec), [ready('a', '10.0.0.1')]), undefined);
  }
});

test('both families: one slice each', (t) => {
  const both = ready('a', '10.0.0.1', { status: { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] } });
  const steps = slices(service({ ipFamilies: ['IPv4', 'IPv6'] }), [both]);
  t.deepEqual(steps.map(({ slice }) => [slice.addressType, slice.endpoints?.length]), [['IPv4', 1], ['IPv6', 1]]);
});

const many = (count: number, from = 0): readonly Pod[] => Array.from({ length: count }, (_, index) => ready(`p${from + index}`, `10.0.${Math.floor((from + index) / 250)}.${((from + index) % 250) + 1}`));

test('slices are filled to 100 and changed as little as can be', (t) => {
  const all = carried([], slices(service(), many(250)));
  t.deepEqual(all.map(({ endpoints }) => endpoints!.length).sort((a, b) => a - b), [50, 100, 100]);
  t.deepEqual(slices(service(), many(250), all), []);
  t.deepEqual(slices(service(), many(251), all).map((step) => [step.do, step.slice.endpoints!.length]), [['update', 51]], 'one more touches one slice');
  const one = all.find(({ endpoints }) => endpoints!.length === 100)!.endpoints![0]!.targetRef!.name;
  const gone = many(250).filter(({ metadata }) => metadata.name !== one);
  t.deepEqual(slices(service(), gone, all).map((step) => [step.do, step.slice.endpoints!.length]), [['update', 99]], 'one less touches one slice');
  const replaced = [...gone, ...many(1, 300)];
  t.deepEqual(slices(service(), replaced, all).map((step) => [step.do, step.slice.endpoints!.length]), [['update', 100]], 'a new one takes the place of the one that went');
});

test('whatever changes, the slices have each endpoint once, and then there is nothing to do', (t) => {
  const states = fc.array(fc.uniqueArray(fc.nat(330), { maxLength: 320 }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(states, (rows) => {
    let existing: readonly EndpointSlice[] = [];
    for (const row of rows) {
      const pods = row.map((index) => ready(`p${index}`, `10.1.${Math.floor(index / 250)}.${(index % 250) + 1}`));
      const steps = slices(service(), pods, existing);
      existing = carried(existing, steps);
      const names = existing.flatMap(({ endpoints }) => endpoints!.map(({ targetRef }) => targetRef!.name!));
      t.deepEqual(names.sort(), row.map((index) => `p${index}`).sort());
      t.true(existing.every(({ endpoints }) => endpoints!.length <= maxEndpoints));
      t.deepEqual(slices(service(), pods, existing), []);
    }
  }), { numRuns: 40 });
});

test('endpoints: ready and not ready apart, none that is on its way out', (t) => {
  const wanted = planEndpoints(service(), [
    ready('b', '10.0.0.2'), ready('a', '10.0.0.1'), ready('c', '10.0.0.3', { status: { conditions: [] } }), ready('d', '10.0.0.4', { metadata: going }),
  ]);
  t.deepEqual(wanted?.subsets, [{
    addresses: ['a', 'b'].map((name, index) => ({ ip: `10.0.0.${index + 1}`, nodeName: 'n1', targetRef: { kind: 'Pod', namespace: 'default', name, uid: `uid-${name}` } })),
    notReadyAddresses: [{ ip: '10.0.0.3', nodeName: 'n1', targetRef: { kind: 'Pod', namespace: 'default', name: 'c', uid: 'uid-c' } }],
    ports: [{ port: 80, protocol: 'TCP' }],
  }]);
});

test('endpoints: one subset for each set of ports, and everybody where the Service wants them', (t) => {
  const named = service({ publishNotReadyAddresses: true, ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }] });
  const wanted = planEndpoints(named, [
    ready('a', '10.0.0.1', { spec: webPort(80) }), ready('b', '10.0.0.2', { spec: webPort(8080), metadata: going }), ready('c', '10.0.0.3'),
  ]);
  t.deepEqual(wanted?.subsets.map((subset) => [subset.addresses?.map(({ ip }) => ip), subset.ports]), [
    [['10.0.0.1'], [{ name: 'http', port: 80, protocol: 'TCP' }]], [['10.0.0.2'], [{ name: 'http', port: 8080, protocol: 'TCP' }]],
  ]);
});

test('endpoints: at most 1,000, the ready ones first, and it says that some are missing', (t) => {
  const pods = [...many(3).map((one) => ({ ...one, status: { ...one.status, conditions: [] } })), ...many(maxAddresses - 1, 10)];
  const wanted = planEndpoints(service(), pods)!;
  t.is(wanted.subsets[0]?.addresses?.length, maxAddresses - 1);
  t.is(wanted.subsets[0]?.notReadyAddresses?.length, 1);
  t.true(wanted.isTruncated);
});

test('endpoints: what is there already is not written again', (t) => {
  const wanted = planEndpoints(service(), [ready('a', '10.0.0.1')])!;
  const there = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'web', labels: wanted.labels }, subsets: wanted.subsets };
  t.true(saysAlready(there, wanted));
  t.false(saysAlready({ ...there, subsets: [] }, wanted));
  t.false(saysAlready(there, { ...wanted, isTruncated: true }));
});
