import test from 'ava';
import type { ServicePort, ServiceTable } from '../../proxy/backend.ts';
import { staleFlows } from '../../proxy/udp-flows.ts';
import { servicePort } from '../helpers/service-port.ts';

const [a, b] = [{ ip: '10.244.0.1', port: 5353 }, { ip: '10.244.0.2', port: 5353 }];
const dns = (words: Partial<ServicePort> = {}): ServiceTable => new Map([['ns/dns:', servicePort({ name: 'ns/dns:', protocol: 'UDP', port: 53, clusterIps: ['10.96.0.1'], endpoints: [a, b], ...words })]]);
const none: ServiceTable = new Map();
const stale = (before: ServiceTable, after: ServiceTable): readonly string[] => staleFlows(before, after).map((words) => words.join(' '));

test('flows to endpoints that are gone are stale, those to the others are not', (t) => {
  t.deepEqual(stale(dns(), dns({ endpoints: [b] })), ['--dst-nat 10.244.0.1 --reply-port-src 5353']);
  t.deepEqual(stale(dns(), dns()), []);
  t.deepEqual(stale(dns(), none).length, 2);
  t.deepEqual(stale(dns({ protocol: 'TCP' }), none), []);
});

test('flows to a node port or public address from before a service had it are stale, once', (t) => {
  const open = { nodePort: 30_053, insideNodePort: 30_053, insideIps: ['203.0.113.1'], outsideIps: ['203.0.113.1'] };
  const places = ['--orig-dst 203.0.113.1 --orig-port-dst 53', '--orig-port-dst 30053'];
  t.deepEqual(stale(none, dns(open)), places);
  t.deepEqual(stale(dns({ ...open, endpoints: [] }), dns(open)), places, 'its first endpoint');
  t.deepEqual(stale(dns(open), dns({ ...open, endpoints: [a, b, { ip: '10.244.0.3', port: 5353 }] })), []);
  t.deepEqual(stale(none, dns()), [], 'an address of the cluster');
  t.deepEqual(stale(none, dns({ ...open, endpoints: [] })), [], 'refused, which leaves no flow');
});
