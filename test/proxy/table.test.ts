import test from 'ava';
import * as fc from 'fast-check';
import type { ServiceTable } from '../../proxy/backend.ts';
import { changeScript } from '../../proxy/nftables-rules.ts';
import { serviceTable, steadyAddresses } from '../../proxy/table.ts';
import type { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';

type EndpointSpec = NonNullable<EndpointSlice['endpoints']>[number];

const service = (spec: Service['spec'], name = 'web'): Service => ({ kind: 'Service', apiVersion: 'v1', metadata: { name, namespace: 'ns' }, spec });
const slice = (endpoints: readonly EndpointSpec[], ports: EndpointSlice['ports'] = [{ name: '', port: 8080, protocol: 'TCP' }], more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1', metadata: { name: 'web-1', namespace: 'ns', labels: { 'kubernetes.io/service-name': 'web' } }, addressType: 'IPv4', endpoints, ports, ...more,
});
const endpoint = (n: number, conditions: EndpointSpec['conditions'] = { ready: true }, more: Partial<EndpointSpec> = {}): EndpointSpec => ({ addresses: [`10.244.0.${n}`], conditions, ...more });
const plain: Service['spec'] = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ port: 80, protocol: 'TCP' }] };
const tableOf = (spec: Service['spec'], ...slices: readonly EndpointSlice[]): ServiceTable => serviceTable({ services: [service(spec)], slices, nodeName: 'n1', externalIps: 'served' });
const ips = (table: ServiceTable, name = 'ns/web:'): readonly string[] | undefined => table.get(name)?.endpoints.map(({ ip, port }) => `${ip}:${port}`);

test('a port has its addresses, its numbers and its ready endpoints, by address and each once', (t) => {
  const table = tableOf({ ...plain, ports: [{ name: 'http', port: 80, nodePort: 30_001 }] },
    slice([endpoint(3), endpoint(2), endpoint(4, { ready: false })], [{ name: 'http', port: 8080 }]), slice([endpoint(2)], [{ name: 'http', port: 8080, protocol: 'TCP' }]));
  t.deepEqual([...table], [['ns/web:http', {
    name: 'ns/web:http', protocol: 'TCP', clusterIps: ['10.96.0.1'], port: 80, insideNodePort: 30_001, nodePort: 30_001, affinitySeconds: 0, insideIps: [], outsideIps: [], guard: undefined,
    endpoints: [{ ip: '10.244.0.2', port: 8080 }, { ip: '10.244.0.3', port: 8080 }],
  }]]);
});

test('endpoints of unknown readiness count as ready', (t) => {
  t.deepEqual(ips(tableOf(plain, slice([endpoint(2, {}), { addresses: ['10.244.0.3'] }]))), ['10.244.0.2:8080', '10.244.0.3:8080']);
});

test('those that end but still serve are the last resort', (t) => {
  const ending = endpoint(2, { ready: false, serving: true, terminating: true });
  const broken = endpoint(3, { ready: false, serving: false, terminating: true });
  t.deepEqual(ips(tableOf(plain, slice([ending, broken]))), ['10.244.0.2:8080']);
  t.deepEqual(ips(tableOf(plain, slice([ending, broken, endpoint(4)]))), ['10.244.0.4:8080']);
  t.deepEqual(ips(tableOf(plain, slice([endpoint(3, { ready: false, serving: true, terminating: false })]))), []);
  t.deepEqual([...steadyAddresses([slice([ending, broken, endpoint(4), endpoint(5, { ready: true, terminating: true })])])], ['10.244.0.4']);
});

test('a named port is a different number in different slices; names and protocols must agree', (t) => {
  const spec: Service['spec'] = { ...plain, ports: [{ name: 'http', port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }] };
  const table = tableOf(spec, slice([endpoint(2)], [{ name: 'http', port: 8080 }, { name: 'dns', port: 5353, protocol: 'TCP' }]), slice([endpoint(3)], [{ name: 'http', port: 9090 }, { name: 'dns', port: 5353, protocol: 'UDP' }]));
  t.deepEqual(ips(table, 'ns/web:http'), ['10.244.0.2:8080', '10.244.0.3:9090']);
  t.deepEqual(ips(table, 'ns/web:dns'), ['10.244.0.3:5353']);
});

test('headless, external and unaddressed services are left out; other slices and families too', (t) => {
  const left: readonly Service['spec'][] = [{ ...plain, clusterIP: 'None', clusterIPs: ['None'] }, { type: 'ExternalName', externalName: 'x.test' }, { ports: [{ port: 80 }] }, { ...plain, clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] }];
  for (const spec of left) t.is(tableOf(spec).size, 0);
  t.deepEqual(tableOf({ ...plain, clusterIPs: ['10.96.0.1', 'fd00::1'] }).get('ns/web:')?.clusterIps, ['10.96.0.1']);
  const other = slice([endpoint(2)], undefined, { metadata: { name: 'x', namespace: 'ns', labels: { 'kubernetes.io/service-name': 'other' } } });
  const elsewhere = slice([endpoint(2)], undefined, { metadata: { name: 'x', namespace: 'other', labels: { 'kubernetes.io/service-name': 'web' } } });
  t.deepEqual(ips(tableOf(plain, other, elsewhere, slice([endpoint(2)], undefined, { addressType: 'IPv6' }))), []);
});

test('a service that a label leaves to another proxy has no entry, until the label goes', (t) => {
  const labelled = (labels: Record<string, string>) => tableWith([{ ...service(plain), metadata: { name: 'web', namespace: 'ns', labels } }], slice([endpoint(2)])).size;
  t.deepEqual([{ 'service.kubernetes.io/service-proxy-name': 'mine' }, { 'service.kubernetes.io/headless': '' }, { app: 'web' }].map(labelled), [0, 0, 1]);
});

test('addresses that are not ready are published where the service asks for it', (t) => {
  t.deepEqual(ips(tableOf({ ...plain, publishNotReadyAddresses: true }, slice([endpoint(2, { ready: false })]))), ['10.244.0.2:8080']);
});

test('affinity has its time, or three hours', (t) => {
  t.is(tableOf({ ...plain, sessionAffinity: 'ClientIP' }).get('ns/web:')?.affinitySeconds, 10_800);
  t.is(tableOf({ ...plain, sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }).get('ns/web:')?.affinitySeconds, 60);
});

test('a local policy keeps to the node, for inside and outside apart', (t) => {
  const slices = slice([endpoint(2, {}, { nodeName: 'n1' }), endpoint(3, {}, { nodeName: 'n2' })]);
  const ports = [{ port: 80, nodePort: 30_001 }];
  const both = tableOf({ ...plain, ports, internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' }, slices);
  t.deepEqual([ips(both), ips(both, 'ns/web:#inside')], [['10.244.0.2:8080'], ['10.244.0.2:8080', '10.244.0.3:8080']]);
  t.like(both.get('ns/web:'), { nodePort: 30_001, insideNodePort: 0 });
  const outside = tableOf({ ...plain, ports, externalTrafficPolicy: 'Local' }, slices);
  t.deepEqual(ips(outside), ['10.244.0.2:8080', '10.244.0.3:8080']);
  t.like(outside.get('ns/web:'), { nodePort: 0, insideNodePort: 30_001 }, 'those of the node reach all endpoints at its port');
  t.like(outside.get('ns/web:#outside'), { nodePort: 30_001, clusterIps: [], endpoints: [{ ip: '10.244.0.2' }] });
});

const balanced = (ingress: NonNullable<NonNullable<Service['status']>['loadBalancer']>['ingress'], spec: Partial<Service['spec']> = {}, name = 'web', createdAt = '2026-01-01T00:00:00Z'): Service => ({
  ...service({ ...plain, type: 'LoadBalancer', ...spec }, name), metadata: { name, namespace: 'ns', creationTimestamp: createdAt }, status: { loadBalancer: { ingress } },
});
const tableWith = (services: readonly Service[], ...slices: readonly EndpointSlice[]): ServiceTable => serviceTable({ services, slices, nodeName: 'n1', externalIps: 'served' });

test("a load balancer's addresses are taken, but for those of other types, families and modes", (t) => {
  const open = tableWith([balanced([{ ip: '203.0.113.1' }, { ip: '203.0.113.2', ipMode: 'VIP' }, { ip: '203.0.113.1' }, { ip: '203.0.113.3', ipMode: 'Proxy' }, { ip: 'fd00::1' }, { hostname: 'lb.test' }])], slice([endpoint(2)]));
  t.is(open.size, 1);
  t.like(open.get('ns/web:'), { clusterIps: ['10.96.0.1'], insideIps: ['203.0.113.1', '203.0.113.2'], outsideIps: ['203.0.113.1', '203.0.113.2'], guard: undefined });
  for (const type of ['ClusterIP', 'NodePort'] as const) t.deepEqual(tableWith([balanced([{ ip: '203.0.113.1' }], { type })]).get('ns/web:')?.outsideIps, [], type);
});

test('each policy keeps its own side to the node; pods reach all endpoints at a public address', (t) => {
  const slices = slice([endpoint(2, {}, { nodeName: 'n1' }), endpoint(3, {}, { nodeName: 'n2' })]);
  const sides = (spec: Partial<Service['spec']>, endpoints = slices) => [...tableWith([balanced([{ ip: '203.0.113.1' }], { ports: [{ port: 80, nodePort: 30_001 }], ...spec })], endpoints).values()].map(({ name, clusterIps, insideIps, outsideIps, insideNodePort, nodePort, endpoints: taken }) =>
    [name.slice(7), [...clusterIps, ...insideIps.map(() => 'in'), ...(insideNodePort === 0 ? [] : ['30001in']), ...outsideIps.map(() => 'out'), ...(nodePort === 0 ? [] : [nodePort])].join(' '), taken.map(({ ip }) => ip.slice(9)).join()]);
  t.deepEqual(sides({}), [['', '10.96.0.1 in 30001in out 30001', '2,3']]);
  t.deepEqual(sides({ externalTrafficPolicy: 'Local' }), [['', '10.96.0.1 in 30001in', '2,3'], ['#outside', 'out 30001', '2']]);
  t.deepEqual(sides({ internalTrafficPolicy: 'Local' }), [['', '10.96.0.1', '2'], ['#inside', 'in 30001in out 30001', '2,3']]);
  t.deepEqual(sides({ internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' }), [['', '10.96.0.1 out 30001', '2'], ['#inside', 'in 30001in', '2,3']]);
  t.deepEqual(sides({ externalTrafficPolicy: 'Local' }, slice([endpoint(3, {}, { nodeName: 'n2' })])), [['', '10.96.0.1 in 30001in', '3'], ['#outside', 'out 30001', '']]);
  t.deepEqual(sides({ externalTrafficPolicy: 'Local' }, slice([])), [['', '10.96.0.1 in 30001in out 30001', '']]);
});

test('external addresses are taken of every type, where they are served at all', (t) => {
  const web = service({ ...plain, externalIPs: ['203.0.113.1', 'fd00::1', '203.0.113.1'], externalTrafficPolicy: 'Local' });
  const slices = slice([endpoint(2, {}, { nodeName: 'n1' }), endpoint(3, {}, { nodeName: 'n2' })]);
  const table = tableWith([web], slices);
  t.like(table.get('ns/web:'), { insideIps: ['203.0.113.1'], outsideIps: [] });
  t.like(table.get('ns/web:#outside'), { insideIps: [], outsideIps: ['203.0.113.1'], endpoints: [{ ip: '10.244.0.2' }] });
  t.deepEqual([...serviceTable({ services: [web], slices: [slices], nodeName: 'n1', externalIps: 'ignored' }).values()].map(({ insideIps, outsideIps }) => [...insideIps, ...outsideIps]), [[]]);
  const both = tableWith([balanced([{ ip: '203.0.113.1' }], { externalIPs: ['203.0.113.1', '203.0.113.2'], loadBalancerSourceRanges: ['192.0.2.0/24'] })], slices).get('ns/web:');
  t.deepEqual([both?.outsideIps, both?.guard?.ips], [['203.0.113.1', '203.0.113.2'], ['203.0.113.1']], 'ranges are for the load balancer alone');
});

test("a load balancer's address is no older service's by naming it", (t) => {
  const old = { ...service({ ...plain, externalIPs: ['203.0.113.1'] }, 'old'), metadata: { name: 'old', namespace: 'ns', creationTimestamp: '2025-01-01T00:00:00Z' } };
  const table = tableWith([old, balanced([{ ip: '203.0.113.1' }], { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] })]);
  t.deepEqual([table.get('ns/old:')?.outsideIps, table.get('ns/web:')?.outsideIps], [[], ['203.0.113.1']]);
});

test('ranges of clients guard the addresses; those of IPv6 alone let nobody in', (t) => {
  const guard = (...loadBalancerSourceRanges: readonly string[]) => tableWith([balanced([{ ip: '203.0.113.1' }], { loadBalancerSourceRanges })], slice([endpoint(2)])).get('ns/web:')?.guard;
  t.deepEqual(guard(' 192.0.2.0/24', 'fd00::/8'), { ips: ['203.0.113.1'], ranges: ['192.0.2.0/24'] });
  t.deepEqual(guard('fd00::/8'), { ips: ['203.0.113.1'], ranges: [] });
  t.is(guard(), undefined);
});

test('an address, protocol and port that several services claim is the oldest one\'s; the address of a service in the cluster is nobody else\'s', (t) => {
  const ingress = [{ ip: '203.0.113.1' }];
  const late = balanced(ingress, { ports: [{ port: 80 }, { name: 'other', port: 81 }, { name: 'udp', port: 80, protocol: 'UDP' }] }, 'a', '2026-01-02T00:00:00Z');
  const early = balanced([...ingress, { ip: '10.96.0.7' }], { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }, 'z');
  const third = service({ ...plain, clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'] }, 'third');
  const table = tableWith([late, early, third]);
  t.deepEqual([...table.values()].map(({ name, outsideIps, insideIps }) => [name, outsideIps.join(), insideIps.join()]), [
    ['ns/a:', '', ''], ['ns/a:other', '203.0.113.1', '203.0.113.1'], ['ns/a:udp', '203.0.113.1', '203.0.113.1'], ['ns/third:', '', ''], ['ns/z:', '203.0.113.1', '203.0.113.1'],
  ]);
});

// The kernel's answer to these commands is tried in test/e2e/network; here, that they only do what is needed.

const portArb = fc.record({
  protocol: fc.constantFrom('TCP' as const, 'UDP' as const), ip: fc.constantFrom('10.96.0.1', '10.96.0.2'), port: fc.constantFrom(80, 81), insideNodePort: fc.constantFrom(0, 30_001), nodePort: fc.constantFrom(0, 30_001),
  endpoints: fc.uniqueArray(fc.constantFrom(1, 2, 3), { maxLength: 3 }), affinitySeconds: fc.constantFrom(0, 60),
  insideIps: fc.subarray(['203.0.113.1']), outsideIps: fc.subarray(['203.0.113.1']),
  guard: fc.constantFrom(undefined, { ips: ['203.0.113.1'], ranges: ['198.51.100.0/24'] }, { ips: ['203.0.113.1'], ranges: [] }),
});
const tableArb = fc.dictionary(fc.constantFrom('ns/a:', 'ns/b:', 'ns/c:'), portArb).map((ports): ServiceTable => new Map(Object.entries(ports).map(([name, { ip, endpoints, ...rest }]) =>
  [name, { name, ...rest, clusterIps: [ip], endpoints: endpoints.map((n) => ({ ip: `10.244.0.${n}`, port: 8080 })) }])));

test('what is as it should be needs no command', (t) => {
  fc.assert(fc.property(tableArb, (table) => t.is(changeScript(table, new Map(table)), '')));
});

test('every name that is used was made before, and what is made is removed once', (t) => {
  fc.assert(fc.property(fc.array(tableArb, { maxLength: 6 }), (tables) => {
    const things = new Set<string>();
    let before: ServiceTable = new Map();
    for (const table of [...tables, new Map() as ServiceTable]) {
      for (const line of changeScript(before, table).split('\n')) {
        const made = /^add (?:chain|set) ip barge (\S+)/.exec(line)?.[1];
        const gone = /^delete (?:chain|set) ip barge (\S+)/.exec(line)?.[1];
        if (made !== undefined) things.add(made);
        else if (gone !== undefined) t.true(things.delete(gone), line);
        else for (const [, used] of line.matchAll(/(?:goto |jump |@|rule ip barge |flush chain ip barge )([a-z]+-[^\s,}]+)/g)) t.true(things.has(used!), line);
      }
      before = table;
    }
    t.is(things.size, 0);
  }), { numRuns: 300 });
});
