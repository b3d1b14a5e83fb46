import test from 'ava';
import * as fc from 'fast-check';
import { containerSpec, sandboxSpec } from '../../kubelet-lite/container-spec.ts';
import { fieldValue, resourceValue } from '../../kubelet-lite/downward.ts';
import { environment, serviceVariables, type Sources } from '../../kubelet-lite/env.ts';
import { expand } from '../../kubelet-lite/expansion.ts';
import { isUnreachable, policyOf, registryOf } from '../../kubelet-lite/images.ts';
import { hostsFile, resolverFile } from '../../kubelet-lite/pod-files.ts';
import { counted, newProbe } from '../../kubelet-lite/probe-state.ts';
import { security } from '../../kubelet-lite/security.ts';
import type { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import type { Secret } from '../../schemas/kinds/core/secret.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import type { Container } from '../../schemas/types/container.ts';
import { podOf } from './views.ts';

const values = new Map([['A', '1'], ['B', '$(A)']]);
for (const [text, expected] of [
  ['$(A)', '1'], ['x$(A)y$(A)', 'x1y1'], ['$(B)', '$(A)'], ['$$(A)', '$(A)'], ['$$$(A)', '$1'], ['$(NO)', '$(NO)'], ['$(A', '$(A'], ['$', '$'], ['$A', '$A'], ['a$', 'a$'], ['', ''], ['$()', '$()'],
] as const) test(`expansion of ${JSON.stringify(text)}`, (t) => t.is(expand(text, (name) => values.get(name)), expected));

test('text without a dollar stays, and escaped text is what it was', (t) => {
  fc.assert(fc.property(fc.string(), (text) => t.is(expand(text.replaceAll('$', '$$$$'), () => 'x'), text)));
});

const meta = (name: string) => ({ apiVersion: 'v1', kind: 'x', metadata: { name, namespace: 'default' } });
const sources: Sources = {
  configMap: (name) => (name === 'cm' ? { ...meta('cm'), data: { a: '1', 'not=a name': '2' } } as ConfigMap : undefined),
  secret: (name) => (name === 's' ? { ...meta('s'), data: { key: Buffer.from('hush').toString('base64') } } as Secret : undefined),
};
const facts = { nodeName: 'n', nodeIp: '192.0.2.1', podIp: '10.0.0.2', allocatable: { cpu: '4', memory: '8Gi' } };
const pod = podOf({ serviceAccountName: 'sa' }, { metadata: { labels: { b: '2', a: '"1"' }, annotations: { note: 'hi' } } });
const env = (container: Partial<Container>, services: readonly Service[] = []) => environment({ pod, container: { name: 'a', ...container }, sources, services, facts });
const service = (name: string, clusterIP: string, ports: readonly object[]): Service => ({ ...meta(name), spec: { clusterIP, ports } } as unknown as Service);

test('environment: later wins, references see what came before, keys that are no names are left out', (t) => {
  const { env: list, skipped } = env({
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }, { secretRef: { name: 's' } }, { configMapRef: { name: 'none', optional: true } }],
    env: [{ name: 'X', value: '$(P_a)$(Y)' }, { name: 'Y', value: '2' }, { name: 'Z', value: '$(Y)' }, { name: 'key', value: 'own' }, { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'key' } } },
      { name: 'O', valueFrom: { configMapKeyRef: { name: 'cm', key: 'no', optional: true } } }],
  });
  t.deepEqual(Object.fromEntries(list.map(({ name, value }) => [name, value])), { P_a: '1', key: 'own', X: '1$(Y)', Y: '2', Z: '2', S: 'hush' });
  t.deepEqual(skipped, ['configmap cm: P_not=a name']);
});

test('a missing source or key is named', (t) => {
  t.throws(() => env({ envFrom: [{ secretRef: { name: 'no' } }] }), { message: 'secret "no" not found' });
  t.throws(() => env({ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'cm', key: 'no' } } }] }), { message: "couldn't find key no in ConfigMap default/cm" });
});

test('service variables', (t) => {
  const variables = serviceVariables([service('redis-main', '10.96.0.9', [{ port: 6379, name: 'db' }, { port: 53, protocol: 'UDP' }]), service('headless', 'None', [{ port: 1 }])]);
  t.deepEqual(Object.fromEntries(variables), {
    REDIS_MAIN_SERVICE_HOST: '10.96.0.9', REDIS_MAIN_SERVICE_PORT: '6379', REDIS_MAIN_SERVICE_PORT_DB: '6379', REDIS_MAIN_PORT: 'tcp://10.96.0.9:6379',
    REDIS_MAIN_PORT_6379_TCP: 'tcp://10.96.0.9:6379', REDIS_MAIN_PORT_6379_TCP_PROTO: 'tcp', REDIS_MAIN_PORT_6379_TCP_PORT: '6379', REDIS_MAIN_PORT_6379_TCP_ADDR: '10.96.0.9',
    REDIS_MAIN_PORT_53_UDP: 'udp://10.96.0.9:53', REDIS_MAIN_PORT_53_UDP_PROTO: 'udp', REDIS_MAIN_PORT_53_UDP_PORT: '53', REDIS_MAIN_PORT_53_UDP_ADDR: '10.96.0.9',
  });
});

for (const [path, expected] of [
  ['metadata.name', 'p'], ['metadata.namespace', 'default'], ['metadata.uid', 'u'], ["metadata.labels['b']", '2'], ["metadata.annotations['no']", ''], ['metadata.labels', 'a="\\"1\\""\nb="2"'],
  ['spec.nodeName', 'n'], ['spec.serviceAccountName', 'sa'], ['status.hostIP', '192.0.2.1'], ['status.podIP', '10.0.0.2'],
] as const) test(`fieldRef ${path}`, (t) => t.is(fieldValue(pod, path, facts), expected));
test('an unknown fieldRef is refused with what would be right', (t) => { t.throws(() => fieldValue(pod, 'spec.secret', facts), { message: /is none of metadata\.name/ }); });

const sized: Container = { name: 'a', resources: { limits: { cpu: '250m' }, requests: { memory: '100Mi' } } };
for (const [resource, divisor, expected] of [
  ['limits.cpu', undefined, '1'], ['limits.cpu', '1m', '250'], ['limits.memory', '1Gi', '8'], ['requests.memory', '1Mi', '100'], ['requests.memory', '3Mi', '34'], ['requests.cpu', '1m', '0'],
] as const) test(`resourceFieldRef ${resource} in ${divisor ?? 'whole units'}`, (t) => t.is(resourceValue(pod, sized, { resource, divisor }, facts), expected));

const secure = (own: Container['securityContext'], ofPod: NonNullable<ReturnType<typeof podOf>['spec']>['securityContext'] = {}, imageUser = '') =>
  security(podOf({ securityContext: ofPod }), { name: 'a', securityContext: own }, { imageUser: async () => imageUser, seccompProfile: async (path) => `profile ${path}` });

test('security contexts', async (t) => {
  t.like(await secure({ capabilities: { drop: ['all'], add: ['CAP_net_admin', 'chown'] } }), { capabilitiesDrop: ['ALL'], capabilitiesAdd: ['NET_ADMIN', 'CHOWN'], user: undefined, noNewPrivileges: false });
  t.like(await secure({ runAsUser: 5 }, { runAsUser: 4, runAsGroup: 6, supplementalGroups: [7, 8], fsGroup: 8 }), { user: '5:6', supplementalGroups: [7, 8] });
  t.is((await secure({ runAsGroup: 6 }, {}, 'web')).user, 'web:6');
  t.like(await secure({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, seccompProfile: { type: 'Unconfined' } }), { noNewPrivileges: true, readOnlyRootFilesystem: true, seccomp: 'unconfined' });
  await t.throwsAsync(secure({ runAsNonRoot: true }), { message: /image will run as root/ });
  await t.throwsAsync(secure({ runAsNonRoot: true }, {}, 'app'), { message: /non-numeric user \(app\)/ });
  await t.throwsAsync(secure({ runAsUser: 0 }, { runAsNonRoot: true }), { message: /breaks non-root policy/ });
  await t.notThrowsAsync(secure({ runAsNonRoot: true }, {}, '1000:1000'));
  const profiles = async (...contexts: Parameters<typeof secure>) => { const { seccomp, appArmor } = await secure(...contexts); return [seccomp, appArmor]; };
  t.deepEqual(await profiles({}), [undefined, undefined]);
  t.deepEqual(await profiles({ privileged: true }), ['unconfined', undefined], 'a privileged container is not filtered where nothing is said');
  t.deepEqual(await profiles({ seccompProfile: { type: 'RuntimeDefault' }, appArmorProfile: { type: 'RuntimeDefault' } }, { seccompProfile: { type: 'Unconfined' }, appArmorProfile: { type: 'Unconfined' } }), [undefined, undefined]);
  t.deepEqual(await profiles({}, { seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' }, appArmorProfile: { type: 'Localhost', localhostProfile: 'web' } }), ['profile a/b.json', 'web']);
  t.deepEqual(await profiles({ appArmorProfile: { type: 'Unconfined' } }), [undefined, 'unconfined']);
});

test('hosts and resolv.conf', (t) => {
  const named = podOf({ hostname: 'h', subdomain: 'sub', hostAliases: [{ ip: '1.2.3.4', hostnames: ['x', 'y'] }] });
  t.regex(hostsFile(named, { podIp: '10.0.0.2', clusterDomain: 'c.l', nodeHosts: '' }), /^127\.0\.0\.1\tlocalhost\n[^]*\n10\.0\.0\.2\th\.sub\.default\.svc\.c\.l\th\n\n# Entries added by HostAliases\.\n1\.2\.3\.4\tx\ty\n$/);
  t.regex(hostsFile(podOf({ hostNetwork: true }), { podIp: undefined, clusterDomain: 'c.l', nodeHosts: '127.0.0.1 node\n' }), /^127\.0\.0\.1 node\n$/);
  t.regex(hostsFile(podOf({ hostname: 'h', subdomain: 'sub', hostnameOverride: 'shop.example.com' }), { podIp: '10.0.0.2', clusterDomain: 'c.l', nodeHosts: '' }), /\n10\.0\.0\.2\tshop\.example\.com\n$/);
  const resolver = (spec: Parameters<typeof podOf>[0]) => resolverFile(podOf(spec), { clusterDomain: 'c.l', dnsIp: '10.1.0.1', nodeResolver: 'search lan\nnameserver 9.9.9.9\n' });
  t.is(resolver({}), 'nameserver 10.1.0.1\nsearch default.svc.c.l svc.c.l c.l lan\noptions ndots:5\n');
  t.is(resolver({ dnsPolicy: 'Default' }), 'nameserver 9.9.9.9\nsearch lan\n');
  t.is(resolver({ hostNetwork: true }), 'nameserver 9.9.9.9\nsearch lan\n');
  t.regex(resolver({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), /^nameserver 10\.1\.0\.1\n/);
  t.is(resolver({ dnsPolicy: 'None', dnsConfig: { nameservers: ['8.8.8.8'], searches: ['a'], options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }] } }), 'nameserver 8.8.8.8\nsearch a\noptions ndots:2 rotate\n');
  t.regex(resolver({ dnsConfig: { options: [{ name: 'ndots', value: '1' }] } }), /options ndots:1\n$/);
});

test('pull policies and registries', (t) => {
  t.deepEqual(['a', 'a:latest', 'a:1', 'r.io:5000/a', 'a@sha256:x'].map((image) => policyOf(image, undefined)), ['Always', 'Always', 'IfNotPresent', 'Always', 'IfNotPresent']);
  t.is(policyOf('a', 'Never'), 'Never');
  t.deepEqual(['a', 'lib/a', 'r.io/a', 'localhost/a', 'r:5000/x/a'].map(registryOf), ['docker.io', 'docker.io', 'r.io', 'localhost', 'r:5000']);
  for (const words of ['Get "https://r/v2/": dial tcp: lookup r on 1.1.1.1:53: no such host', 'dial tcp 1.2.3.4:443: connect: connection refused', 'net/http: TLS handshake timeout', 'context deadline exceeded']) t.true(isUnreachable(words), words);
  for (const words of ['manifest for a:1 not found', 'pull access denied for a', 'unauthorized: authentication required', 'toomanyrequests: slow down']) t.false(isUnreachable(words), words);
});

test('probe results turn at their thresholds', (t) => {
  const after = (outcomes: string, probe = {}): string => {
    let state = newProbe;
    return [...outcomes].map((one) => { state = counted(state, one === '+', probe); return state.result === undefined ? '?' : state.result ? '+' : '-'; }).join('');
  };
  t.is(after('+---+'), '+++-+');
  t.is(after('--+--+', { failureThreshold: 2 }), '?-++-+');
  t.is(after('+-++', { successThreshold: 2, failureThreshold: 1 }), '?--+');
});

const specOf = (container: Container, spec = {}) => containerSpec({
  pod: podOf({ volumes: [{ name: 'cm', configMap: { name: 'cm' } }, { name: 'v', emptyDir: {} }], ...spec }), container, attempt: 2, env: [{ name: 'A', value: '1' }],
  security: { user: undefined, supplementalGroups: [], privileged: false, readOnlyRootFilesystem: false, capabilitiesAdd: [], capabilitiesDrop: [], noNewPrivileges: false },
  devices: [], clusterDomain: 'cluster.local', files: { '/etc/hosts': '/home/hosts' }, volumePath: async (volume, { subPath }) => `/volumes/${volume}/${subPath}`,
});

test('a container as the engine is asked for it', async (t) => {
  const spec = await specOf({
    name: 'a', image: 'i', command: ['run', '$(A)'], args: ['$$(A)'], resources: { limits: { cpu: '500m', memory: '64Mi' } },
    volumeMounts: [{ name: 'cm', mountPath: '/cm' }, { name: 'v', mountPath: '/v', subPathExpr: 'x/$(A)' }],
  });
  t.like(spec, { attempt: 2, command: ['run', '1'], args: ['$(A)'], limits: { cpuShares: 512, cpuQuotaMicros: 50_000, memoryBytes: 64 * 2 ** 20 } });
  t.deepEqual(spec.mounts, [
    { hostPath: '/volumes/cm/', containerPath: '/cm', readOnly: true }, { hostPath: '/volumes/v/x/1', containerPath: '/v', readOnly: false }, { hostPath: '/home/hosts', containerPath: '/etc/hosts', readOnly: false },
  ]);
  t.like(await specOf({ name: 'a', lifecycle: { stopSignal: 'SIGUSR1' } }, { hostname: 'h', hostnameOverride: 'shop.example.com' }), { stopSignal: 'SIGUSR1', hostname: 'shop.example.com' });
  await t.throwsAsync(specOf({ name: 'a', volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' }] }), { message: /privileged containers only/ });
  await t.throwsAsync(specOf({ name: 'a', volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: '$(NO)' }] }), { message: /names NO/ });
});

test('a sandbox as the engine is asked for it', (t) => {
  const spec = sandboxSpec(podOf({
    hostname: 'h', shareProcessNamespace: true, securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '0' }] },
    containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }, { containerPort: 81 }] }],
  }), 3, 'c.l');
  t.like(spec, { attempt: 3, hostname: 'h', sharePid: true, sysctls: { 'net.ipv4.tcp_syncookies': '0' } });
  t.deepEqual(spec.portMappings, [{ containerPort: 80, hostPort: 8080, hostIp: '', protocol: 'TCP' }]);
});
