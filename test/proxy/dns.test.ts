import test from 'ava';
import { isIpv4 } from '../../proxy/cluster-ips.ts';
import { answer, type DnsView } from '../../proxy/dns.ts';
import { rcodes, types, type ResourceRecord } from '../../proxy/dns-message.ts';
import type { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';

const domain = 'cluster.local';
const service = (name: string, spec: Service['spec']): Service => ({ kind: 'Service', apiVersion: 'v1', metadata: { name, namespace: 'shop' }, spec });
const services = [
  service('web', { clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'], ports: [{ name: 'http', port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }, { port: 9 }] }),
  service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 3306 }] }),
  service('empty', { clusterIP: 'None', ports: [{ name: 'sql', port: 3306 }] }),
  service('out', { type: 'ExternalName', externalName: 'example.com' }),
  service('alias', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
  service('loop', { type: 'ExternalName', externalName: 'loop.shop.svc.cluster.local.' }),
];
const slices: readonly EndpointSlice[] = [{
  kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1', metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv4', ports: [{ name: 'sql', port: 3307, protocol: 'TCP' }],
  endpoints: [
    { addresses: ['10.244.0.7'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.0.8'], conditions: {} },
    { addresses: ['10.244.0.9'], hostname: 'db-2', conditions: { ready: false, serving: true } },
  ],
}];
const view: DnsView = {
  service: (namespace, name) => services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  slices: (namespace, name) => slices.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.['kubernetes.io/service-name'] === name),
  hasNamespace: (name) => name === 'shop',
  serviceByIp: (ip) => services.find(({ spec }) => spec?.clusterIP === ip),
  slicesByIp: (ip) => slices.filter(({ endpoints }) => endpoints?.some(({ addresses }) => addresses.includes(ip))),
};

const short = (record: ResourceRecord): string => {
  switch (record.type) {
    case 'A': return `${record.name} A ${record.address}`;
    case 'SRV': return `${record.name} SRV ${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case 'CNAME': case 'PTR': case 'NS': return `${record.name} ${record.type} ${record.target}`;
    default: return record.type;
  }
};
const ask = (name: string, type: keyof typeof types): string => {
  const found = answer({ name, type: types[type], class: 1 }, domain, view);
  if (found === undefined) return 'elsewhere';
  const { rcode, answers, authority, additional, follow } = found;
  if (rcode === rcodes.SERVFAIL) return 'SERVFAIL';
  if (rcode === rcodes.NXDOMAIN || answers.length === 0) return `${rcode === rcodes.NXDOMAIN ? 'NXDOMAIN' : 'NODATA'} ${authority.map(short).join()}`;
  return [answers.map(short).join('; '), ...(additional.length > 0 ? [`+ ${additional.map(short).join('; ')}`] : []), ...(follow === undefined ? [] : [`-> ${follow}`])].join(' ');
};

const nodata = 'NODATA SOA';
const nxdomain = 'NXDOMAIN SOA';
const table: readonly (readonly [name: string, type: keyof typeof types, expected: string])[] = [
  ['web.shop.svc.cluster.local', 'A', 'web.shop.svc.cluster.local A 10.96.0.5'],
  ['WEB.Shop.svc.CLUSTER.local', 'A', 'web.shop.svc.cluster.local A 10.96.0.5'],
  ['web.shop.svc.cluster.local', 'ANY', 'web.shop.svc.cluster.local A 10.96.0.5'],
  ['web.shop.svc.cluster.local', 'AAAA', nodata],
  ['web.shop.svc.cluster.local', 'TXT', nodata],
  ['nothing.shop.svc.cluster.local', 'A', nxdomain],
  ['web.other.svc.cluster.local', 'A', nxdomain],
  ['example.com.shop.svc.cluster.local', 'A', nxdomain],
  ['shop.svc.cluster.local', 'A', nodata],
  ['other.svc.cluster.local', 'A', nxdomain],
  ['svc.cluster.local', 'A', nodata],
  ['cluster.local', 'SOA', 'SOA'],
  ['cluster.local', 'A', nodata],
  ['web.cluster.local', 'A', nxdomain],
  ['xcluster.local', 'A', 'elsewhere'],
  ['example.com', 'A', 'elsewhere'],
  ['web', 'A', 'elsewhere'],
  ['db.shop.svc.cluster.local', 'A', 'db.shop.svc.cluster.local A 10.244.0.7; db.shop.svc.cluster.local A 10.244.0.8'],
  ['db-0.db.shop.svc.cluster.local', 'A', 'db-0.db.shop.svc.cluster.local A 10.244.0.7'],
  ['10-244-0-8.db.shop.svc.cluster.local', 'A', '10-244-0-8.db.shop.svc.cluster.local A 10.244.0.8'],
  ['db-2.db.shop.svc.cluster.local', 'A', nxdomain],
  ['empty.shop.svc.cluster.local', 'A', nodata],
  ['_http._tcp.web.shop.svc.cluster.local', 'SRV', '_http._tcp.web.shop.svc.cluster.local SRV 0 100 80 web.shop.svc.cluster.local + web.shop.svc.cluster.local A 10.96.0.5'],
  ['_dns._udp.web.shop.svc.cluster.local', 'SRV', '_dns._udp.web.shop.svc.cluster.local SRV 0 100 53 web.shop.svc.cluster.local + web.shop.svc.cluster.local A 10.96.0.5'],
  ['_http._udp.web.shop.svc.cluster.local', 'SRV', nxdomain],
  ['_http._tcp.web.shop.svc.cluster.local', 'A', nodata],
  ['_tcp.web.shop.svc.cluster.local', 'A', nodata],
  ['_sctp.web.shop.svc.cluster.local', 'A', nxdomain],
  ['_._tcp.web.shop.svc.cluster.local', 'SRV', nxdomain],
  ['_sql._tcp.db.shop.svc.cluster.local', 'SRV', '_sql._tcp.db.shop.svc.cluster.local SRV 0 50 3307 db-0.db.shop.svc.cluster.local; _sql._tcp.db.shop.svc.cluster.local SRV 0 50 3307 10-244-0-8.db.shop.svc.cluster.local + db-0.db.shop.svc.cluster.local A 10.244.0.7; 10-244-0-8.db.shop.svc.cluster.local A 10.244.0.8'],
  ['out.shop.svc.cluster.local', 'A', 'out.shop.svc.cluster.local CNAME example.com -> example.com'],
  ['out.shop.svc.cluster.local', 'CNAME', 'out.shop.svc.cluster.local CNAME example.com'],
  ['x.out.shop.svc.cluster.local', 'A', nxdomain],
  ['alias.shop.svc.cluster.local', 'A', 'alias.shop.svc.cluster.local CNAME web.shop.svc.cluster.local; web.shop.svc.cluster.local A 10.96.0.5'],
  ['loop.shop.svc.cluster.local', 'A', 'SERVFAIL'],
  ['10-244-0-8.shop.pod.cluster.local', 'A', '10-244-0-8.shop.pod.cluster.local A 10.244.0.8'],
  ['10-244-0-800.shop.pod.cluster.local', 'A', nxdomain],
  ['10-244-0-8.other.pod.cluster.local', 'A', nxdomain],
  ['5.0.96.10.in-addr.arpa', 'PTR', '5.0.96.10.in-addr.arpa PTR web.shop.svc.cluster.local'],
  ['7.0.244.10.in-addr.arpa', 'PTR', '7.0.244.10.in-addr.arpa PTR db-0.db.shop.svc.cluster.local'],
  ['5.0.96.10.in-addr.arpa', 'A', nodata],
  ['8.0.244.10.in-addr.arpa', 'PTR', '8.0.244.10.in-addr.arpa PTR 10-244-0-8.db.shop.svc.cluster.local'],
  ['9.0.244.10.in-addr.arpa', 'PTR', 'elsewhere'],
  ['1.2.3.in-addr.arpa', 'PTR', 'elsewhere'],
];
for (const [name, type, expected] of table) test(`${name} ${type}`, (t) => t.is(ask(name, type), expected));

test('only dotted quads are addresses', (t) => {
  for (const good of ['0.0.0.0', '255.255.255.255', '10.0.1.20']) t.true(isIpv4(good), good);
  for (const bad of ['', 'None', '1.2.3', '1.2.3.4.', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', 'fd00::1', '1.2.3.4 ']) t.false(isIpv4(bad), bad);
});
