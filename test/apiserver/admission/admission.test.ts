import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { addressOf, addressRange, contains, numberOf, pick, portRange } from '../../../apiserver/admission/number-range.ts';
import { advertise, bootstrap } from '../../../apiserver/bootstrap.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { Endpoints } from '../../../schemas/kinds/core/endpoints.ts';
import { Namespace } from '../../../schemas/kinds/core/namespace.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { Service } from '../../../schemas/kinds/core/service.ts';
import { ServiceAccount } from '../../../schemas/kinds/core/service-account.ts';
import { EndpointSlice } from '../../../schemas/kinds/discovery/endpoint-slice.ts';
import type { MemoryStorage } from '../../../apiserver/storage/memory.ts';
import { seededRandom, testApi, type TestApi, type TestApiOptions } from '../../helpers/api.ts';

const withApi = (title: string, body: (t: ExecutionContext, api: TestApi) => Promise<void>, options: TestApiOptions = {}): void => {
  test(title, async (t) => {
    const api = await testApi(options);
    try {
      await body(t, api);
    } finally {
      await api.close();
    }
  });
};

const reserved = async (storage: MemoryStorage): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const rows of storage.load()) keys.push(...rows.map(({ key }) => key).filter((key) => key.startsWith('!')));
  return keys.sort();
};

const key = (name: string): { readonly namespace: string; readonly name: string } => ({ namespace: 'default', name });
const service = (name: string, spec: NonNullable<Service['spec']>): { readonly metadata: { readonly name: string; readonly namespace: string }; readonly spec: Service['spec'] } => ({ metadata: key(name), spec });
const ports = [{ port: 80 }];

// Ranges

test('an address range leaves out the first and last address of its block', (t) => {
  t.deepEqual(addressRange('10.96.0.0/16'), { first: numberOf('10.96.0.1'), count: 65_534, kept: 256 });
  t.deepEqual(addressRange('10.96.3.9/30'), { first: numberOf('10.96.3.9'), count: 2, kept: 0 });
  t.deepEqual(portRange({ from: 30000, to: 32767 }), { first: 30000, count: 2768, kept: 86 });
  for (const cidr of ['', '10.0.0.0', '10.0.0.0/31', '10.0.0.0/4', 'fd00::/64', '1.2.3/16']) t.throws(() => addressRange(cidr), { message: /IPv4 block/ }, cidr);
  for (const range of [{ from: 0, to: 5 }, { from: 5, to: 4 }, { from: 1, to: 70_000 }]) t.throws(() => portRange(range), { message: /node port range/ });
  t.false(contains(addressRange('10.96.0.0/30'), numberOf('10.96.0.3')));
});

test('addresses are numbers and back', (t) => {
  fc.assert(fc.property(fc.ipV4(), (address) => addressOf(numberOf(address)) === address));
  t.pass();
});

test('a number is picked as long as there is one, the kept ones last', (t) => {
  const range = { first: 100, count: 40, kept: 16 };
  const random = seededRandom(7);
  const taken = new Set<number>();
  for (;;) {
    const value = pick(range, random, (one) => taken.has(one));
    if (value === undefined) break;
    t.true(contains(range, value) && !taken.has(value));
    t.is(value >= 116, taken.size < 24, `${value} as number ${taken.size}`);
    taken.add(value);
  }
  t.is(taken.size, 40);
});

// Services

withApi('a service gets an address and node ports, and gives them back', async (t, { client, storage }) => {
  const services = client.of(Service);
  const made = await services.create(service('a', { type: 'NodePort', ports: [{ name: 'web', port: 80 }, { name: 'dns', port: 53, protocol: 'TCP' }, { name: 'dns-udp', port: 53, protocol: 'UDP' }] }));
  const { clusterIP = '', clusterIPs, ports: given = [] } = made.spec;
  t.true(contains(addressRange('10.96.0.0/16'), numberOf(clusterIP)));
  t.deepEqual(clusterIPs, [clusterIP]);
  t.is(given[1]?.nodePort, given[2]?.nodePort, 'one number for both protocols of a port');
  t.true(given.every(({ nodePort = 0 }) => nodePort >= 30000 && nodePort <= 32767));
  t.deepEqual(await reserved(storage), [`!ip/${clusterIP}`, ...given.map(({ protocol, nodePort }) => `!port/${protocol}/${nodePort}`)].sort());

  const kept = await services.modify(key('a'), (draft) => {
    delete draft.spec.clusterIP;
    delete draft.spec.clusterIPs;
    for (const port of draft.spec.ports ?? []) delete port.nodePort;
    draft.metadata.labels = { changed: 'yes' };
  });
  t.deepEqual(kept.spec, made.spec, 'an update that does not speak of them keeps them');

  const inside = await services.modify(key('a'), (draft) => {
    draft.spec.type = 'ClusterIP';
  });
  t.is(inside.spec.clusterIP, clusterIP);
  t.deepEqual(await reserved(storage), [`!ip/${clusterIP}`]);
  const named = await services.modify(key('a'), (draft) => {
    draft.spec.type = 'ExternalName';
    draft.spec.externalName = 'example.com';
  });
  t.is(named.spec.clusterIP, undefined);
  t.deepEqual(await reserved(storage), []);
  const back = await services.patch(key('a'), 'merge', { spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', externalName: null } });
  t.true((back.spec.healthCheckNodePort ?? 0) >= 30000);
  t.is((await reserved(storage)).length, 5);
  await services.delete(key('a'));
  t.deepEqual(await reserved(storage), []);
});

withApi('headless and external services hold nothing', async (t, { client, storage }) => {
  const services = client.of(Service);
  t.is((await services.create(service('headless', { clusterIP: 'None', ports }))).spec.clusterIP, 'None');
  t.is((await services.create(service('named', { type: 'ExternalName', externalName: 'example.com' }))).spec.clusterIP, undefined);
  t.deepEqual(await reserved(storage), []);
});

withApi('what is asked for is given, or the refusal says why not', async (t, { client, storage }) => {
  const services = client.of(Service);
  const made = await services.create(service('a', { type: 'NodePort', clusterIP: '10.96.0.10', ports: [{ port: 80, nodePort: 30001 }] }));
  t.like(made.spec, { clusterIP: '10.96.0.10', ports: [{ nodePort: 30001 }] });
  const refusals: readonly [Service['spec'], string][] = [
    [{ clusterIP: '10.96.0.10', ports }, 'spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated'],
    [{ clusterIP: '10.97.0.1', ports }, 'spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided IP (10.97.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16'],
    [{ type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] }, 'spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated'],
    [{ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }, 'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767'],
    [{ ipFamilyPolicy: 'RequireDualStack', ports }, 'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'],
    [{ ipFamilies: ['IPv6'], ports }, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster; it has IPv4'],
  ];
  for (const [spec, why] of refusals) {
    const error = await t.throwsAsync(services.create(service('b', spec)), { instanceOf: ApiError, message: `Service "b" is invalid: ${why}` });
    t.is(error.code, 422);
  }
  t.deepEqual(await reserved(storage), ['!ip/10.96.0.10', '!port/TCP/30001']);
  await t.throwsAsync(services.modify(key('a'), (draft) => {
    draft.spec.clusterIP = '10.96.0.11';
    draft.spec.clusterIPs = ['10.96.0.11'];
  }), { instanceOf: ApiError, message: /may not change once set/ });
  t.deepEqual(await reserved(storage), ['!ip/10.96.0.10', '!port/TCP/30001']);
});

withApi('a dry run reserves nothing', async (t, { transport, storage }) => {
  await transport.send({ verb: 'create', group: '', version: 'v1', resource: 'services', namespace: 'default', body: service('a', { type: 'NodePort', ports }), options: { dryRun: true } });
  t.deepEqual(await reserved(storage), []);
});

withApi('an address that two servers pick at once goes to one of them', async (t, { client, storage, registry }) => {
  // The same chance always and on both sides: everybody picks the same address first.
  const other = await testApi({ storage, registry, random: () => 0.5 });
  const names = Array.from({ length: 10 }, (_, index) => `s${index}`);
  const made = await Promise.all(names.flatMap((name) => [client, other.client].map((one, side) => one.of(Service).create(service(`${name}-${side}`, { type: 'NodePort', ports })))));
  t.is(new Set(made.map(({ spec }) => spec.clusterIP)).size, 20);
  t.is(new Set(made.map(({ spec }) => spec.ports?.[0]?.nodePort)).size, 20);
  const wanted = await Promise.allSettled([client, other.client].map((one, side) => one.of(Service).create(service(`wanted-${side}`, { clusterIP: '10.96.0.77', ports }))));
  t.deepEqual(wanted.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  t.regex(String((wanted.find(({ status }) => status === 'rejected') as PromiseRejectedResult).reason), /already allocated/);
  await other.close();
}, { random: () => 0.5 });

withApi('a range that is used up is an error until something comes back', async (t, { client }) => {
  const services = client.of(Service);
  for (const name of ['a', 'b']) await services.create(service(name, { type: 'NodePort', ports }));
  await t.throwsAsync(services.create(service('c', { type: 'NodePort', ports })), { message: /a node port of 30000-30001: range is full/ });
  await services.delete(key('a'));
  await t.notThrowsAsync(services.create(service('c', { type: 'NodePort', ports })));
}, { nodePortRange: { from: 30000, to: 30001 } });

withApi('a service that waits for a finalizer keeps its address until it goes', async (t, { client, storage }) => {
  const services = client.of(Service);
  await services.create({ metadata: { ...key('a'), finalizers: ['example.com/x'] }, spec: { ports } });
  await services.delete(key('a'));
  t.is((await reserved(storage)).length, 1);
  await services.patch(key('a'), 'merge', { metadata: { finalizers: [] }, spec: { type: 'NodePort' } });
  t.deepEqual(await reserved(storage), []);
});

// The cluster's own objects

withApi('the server itself is a service, and says where it is from start to start', async (t, { core, client }) => {
  const serviceCidr = '10.96.0.0/16';
  await bootstrap(core, { serviceCidr });
  const before = await client.of(Service).get(key('kubernetes'));
  t.like(before.spec, { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 'https' }] });
  await bootstrap(core, { serviceCidr });
  t.is((await client.of(Service).get(key('kubernetes'))).metadata.resourceVersion, before.metadata.resourceVersion);
  await advertise(core, [{ address: '192.0.2.7', port: 6443 }]);
  await advertise(core, [{ address: '192.0.2.8', port: 7443 }]);
  t.deepEqual((await client.of(Endpoints).get(key('kubernetes'))).subsets, [{ addresses: [{ ip: '192.0.2.8' }], ports: [{ name: 'https', port: 7443, protocol: 'TCP' }] }]);
  const slice = await client.of(EndpointSlice).get(key('kubernetes'));
  t.like(slice, { addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.8'], conditions: { ready: true } }], ports: [{ port: 7443 }] });
  t.is(slice.metadata.labels?.['kubernetes.io/service-name'], 'kubernetes');
  await advertise(core, []);
  t.deepEqual((await client.of(Endpoints).get(key('kubernetes'))).subsets ?? [], []);
  t.deepEqual((await client.of(EndpointSlice).get(key('kubernetes'))).endpoints, []);
  t.deepEqual((await client.of(Namespace).list()).items.map(({ metadata }) => metadata.name), ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
});

withApi('namespaces keep their name as a label and their finalizer', async (t, { client }) => {
  const spaces = client.of(Namespace);
  const made = await spaces.create({ metadata: { name: 'x', labels: { mine: 'yes' } } });
  t.deepEqual(made.metadata.labels, { mine: 'yes', 'kubernetes.io/metadata.name': 'x' });
  t.deepEqual(made.spec, { finalizers: ['kubernetes'] });
  t.deepEqual(made.status, { phase: 'Active' });
  const after = await spaces.update({ ...made, metadata: { name: 'x' }, spec: {} });
  t.deepEqual(after.spec, { finalizers: ['kubernetes'] });
  t.deepEqual(after.metadata.labels, { 'kubernetes.io/metadata.name': 'x' });
});

// Pods

const pod = (name: string, spec: Partial<Pod['spec']> = {}): { readonly metadata: { readonly name: string; readonly namespace: string }; readonly spec: Pod['spec'] } =>
  ({ metadata: key(name), spec: { containers: [{ name: 'main', image: 'example/app:1' }], ...spec } });

withApi('a new pod gets an account, a priority and patience with its node', async (t, { client }) => {
  const pods = client.of(Pod);
  const { spec } = await pods.create(pod('a'));
  t.like(spec, { serviceAccountName: 'default', serviceAccount: 'default', priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
  t.deepEqual(spec.tolerations, ([['not-ready', 300], ['unreachable', 5]] as const).map(([word, tolerationSeconds]) => ({ key: `node.kubernetes.io/${word}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds })));
  const patient = await pods.create(pod('b', { tolerations: [{ operator: 'Exists' }], priorityClassName: 'system-node-critical', serviceAccountName: 'robot' }));
  t.deepEqual(patient.spec.tolerations, [{ operator: 'Exists' }]);
  t.like(patient.spec, { priority: 2_000_001_000, serviceAccountName: 'robot' });
  const half = await pods.create(pod('c', { tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 7 }] }));
  t.deepEqual(half.spec.tolerations?.map(({ tolerationSeconds }) => tolerationSeconds), [7, 5]);
  for (const spec of [{ priorityClassName: 'none' }, { priority: 5 }]) t.is((await t.throwsAsync(pods.create(pod('d', spec)), { instanceOf: ApiError })).reason, 'Forbidden');
});

withApi("a pod takes over its account's pull secrets", async (t, { client }) => {
  await client.of(ServiceAccount).create({ metadata: key('robot'), imagePullSecrets: [{ name: 'registry' }] });
  t.deepEqual((await client.of(Pod).create(pod('a', { serviceAccountName: 'robot' }))).spec.imagePullSecrets, [{ name: 'registry' }]);
  t.deepEqual((await client.of(Pod).create(pod('b', { serviceAccountName: 'robot', imagePullSecrets: [{ name: 'mine' }] }))).spec.imagePullSecrets, [{ name: 'mine' }]);
});
