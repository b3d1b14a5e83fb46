/** What the kinds of the API fill in and print. */
import test from 'ava';
import { applyDefaults, decode, validate } from '../../schemas/validate.ts';
import { apiVersionOf, type AnyKind } from '../../schemas/kind.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { ServiceAccount } from '../../schemas/kinds/core/service-account.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { imageTag } from '../../schemas/prepare/pod-spec.ts';
import { qosClassOf } from '../../schemas/qos-class.ts';

const nowMs = Date.parse('2026-01-31T12:00:00Z');
const ago = (seconds: number): string => `${new Date(nowMs - seconds * 1000).toISOString().slice(0, 19)}Z`;

// A test says as much of an object as it needs.
const asBody = (kind: AnyKind, body: object, creationTimestamp = ago(300)): never =>
  ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...body, metadata: { name: 'x', namespace: 'ns', creationTimestamp, ...(body as { metadata?: object }).metadata } }) as never;

const cells = (kind: AnyKind, body: object): readonly unknown[] => kind.columns.map((column) => column.cell(asBody(kind, body), nowMs));

/** The object as it would be stored: decoded, with defaults, prepared. */
const prepared = (kind: AnyKind, body: object, old?: object): never => {
  const { object } = decode(kind, asBody(kind, body));
  applyDefaults(kind.schema, object);
  kind.prepare?.(object as never, old);
  return object as never;
};

test('columns are those of kubectl', (t) => {
  const headers = (kind: AnyKind): string => kind.columns.map((column) => `${column.name}${column.priority === 1 ? '*' : ''}${column.type === 'string' ? '' : `:${column.type}`}`).join(', ');
  t.is(headers(Pod), 'Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*');
  t.is(headers(Deployment), 'Name, Ready, Up-to-date:integer, Available:integer, Age, Containers*, Images*, Selector*');
  t.is(headers(ReplicaSet), 'Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*');
  t.is(headers(Service), 'Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*');
  t.is(headers(Endpoints), 'Name, Endpoints, Age');
  t.is(headers(EndpointSlice), 'Name, AddressType, Ports, Endpoints, Age');
  t.is(headers(ConfigMap), 'Name, Data:integer, Age');
  t.is(headers(Secret), 'Name, Type, Data:integer, Age');
  t.is(headers(ServiceAccount), 'Name, Secrets:integer, Age');
  t.is(headers(Namespace), 'Name, Status, Age');
  t.is(headers(Node), 'Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*');
  t.is(headers(Event), 'Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*:integer, Name*');
  t.is(headers(Lease), 'Name, Holder, Age');
});

const status = (name: string, state: object, more: object = {}): object => ({ name, image: 'i', imageID: '', ready: false, restartCount: 0, state, ...more });
const running = { running: { startedAt: ago(60) } };

test('the status of a pod in one word, with its restarts', (t) => {
  const one = { containers: [{ name: 'a' }] };
  const two = { containers: [{ name: 'a' }, { name: 'b' }] };
  const init = { containers: [{ name: 'a' }], initContainers: [{ name: 'i' }, { name: 'j' }] };
  const sidecar = { containers: [{ name: 'a' }], initContainers: [{ name: 's', restartPolicy: 'Always' }] };
  const died = { terminated: { exitCode: 1, finishedAt: ago(12) } };
  const table: readonly (readonly [name: string, pod: object, ready: string, word: string, restarts: string])[] = [
    ['new', { spec: one, status: { phase: 'Pending' } }, '0/1', 'Pending', '0'],
    ['evicted', { spec: one, status: { phase: 'Failed', reason: 'Evicted' } }, '0/1', 'Evicted', '0'],
    ['gated', { spec: one, status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] } }, '0/1', 'SchedulingGated', '0'],
    ['creating', { spec: one, status: { phase: 'Pending', containerStatuses: [status('a', { waiting: { reason: 'ContainerCreating' } })] } }, '0/1', 'ContainerCreating', '0'],
    ['running', { spec: two, status: { phase: 'Running', containerStatuses: [status('a', running, { ready: true }), status('b', running)] } }, '1/2', 'Running', '0'],
    ['crashing', { spec: one, status: { phase: 'Running', containerStatuses: [status('a', { waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 2, lastState: died })] } }, '0/1', 'CrashLoopBackOff', '2 (12s ago)'],
    ['restarted', { spec: one, status: { phase: 'Running', containerStatuses: [status('a', running, { ready: true, restartCount: 3 })] } }, '1/1', 'Running', '3'],
    ['done', { spec: one, status: { phase: 'Succeeded', containerStatuses: [status('a', { terminated: { exitCode: 0, reason: 'Completed' } })] } }, '0/1', 'Completed', '0'],
    ['half done', { spec: two, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [status('a', { terminated: { exitCode: 0, reason: 'Completed' } }), status('b', running, { ready: true })] } }, '1/2', 'Running', '0'],
    ['half done, not ready', { spec: two, status: { phase: 'Running', containerStatuses: [status('a', { terminated: { exitCode: 0, reason: 'Completed' } }), status('b', running, { ready: true })] } }, '1/2', 'NotReady', '0'],
    ['failed', { spec: one, status: { phase: 'Failed', containerStatuses: [status('a', { terminated: { exitCode: 3 } })] } }, '0/1', 'ExitCode:3', '0'],
    ['killed', { spec: one, status: { phase: 'Failed', containerStatuses: [status('a', { terminated: { exitCode: 137, signal: 9 } })] } }, '0/1', 'Signal:9', '0'],
    ['initializing', { spec: init, status: { phase: 'Pending', initContainerStatuses: [status('i', { terminated: { exitCode: 0 } }), status('j', running)] } }, '0/1', 'Init:1/2', '0'],
    ['init waits', { spec: init, status: { phase: 'Pending', initContainerStatuses: [status('i', { waiting: { reason: 'PodInitializing' } })] } }, '0/1', 'Init:0/2', '0'],
    ['init cannot start', { spec: init, status: { phase: 'Pending', initContainerStatuses: [status('i', { waiting: { reason: 'ErrImagePull' } })] } }, '0/1', 'Init:ErrImagePull', '0'],
    ['init failed', { spec: init, status: { phase: 'Pending', initContainerStatuses: [status('i', { terminated: { exitCode: 1, reason: 'Error' } }, { restartCount: 4, lastState: died })] } }, '0/1', 'Init:Error', '4 (12s ago)'],
    ['init failed without a word', { spec: init, status: { phase: 'Pending', initContainerStatuses: [status('i', { terminated: { exitCode: 5 } })] } }, '0/1', 'Init:ExitCode:5', '0'],
    ['sidecar', { spec: sidecar, status: { phase: 'Running', initContainerStatuses: [status('s', running, { ready: true, started: true, restartCount: 1, lastState: died })], containerStatuses: [status('a', running, { ready: true })] } }, '2/2', 'Running', '1 (12s ago)'],
    ['deleted', { metadata: { deletionTimestamp: ago(1) }, spec: one, status: { phase: 'Running', containerStatuses: [status('a', running, { ready: true })] } }, '1/1', 'Terminating', '0'],
    ['deleted and done', { metadata: { deletionTimestamp: ago(1) }, spec: one, status: { phase: 'Succeeded', containerStatuses: [status('a', { terminated: { exitCode: 0, reason: 'Completed' } })] } }, '0/1', 'Completed', '0'],
    ['lost', { metadata: { deletionTimestamp: ago(1) }, spec: one, status: { phase: 'Running', reason: 'NodeLost' } }, '0/1', 'Unknown', '0'],
  ];
  for (const [name, pod, ready, word, restarts] of table) t.deepEqual(cells(Pod, pod).slice(0, 5), ['x', ready, word, restarts, '5m'], name);
  t.deepEqual(cells(Pod, { spec: { ...one, nodeName: 'n', readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] }, status: { podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'a', status: 'True' }] } }).slice(5), ['10.0.0.1', 'n', '<none>', '1/2']);
});

test('cells of the other kinds', (t) => {
  const spec = { replicas: 3, selector: { matchLabels: { b: 'c', a: 'b' }, matchExpressions: [{ key: 'z', operator: 'In', values: ['y'] }] }, template: { spec: { containers: [{ name: 'a', image: 'i' }, { name: 'b', image: 'j:1' }] } } };
  t.deepEqual(cells(Deployment, { spec, status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 } }), ['x', '2/3', 3, 1, '5m', 'a,b', 'i,j:1', 'a=b,b=c,z in (y)']);
  t.deepEqual(cells(ReplicaSet, { spec, status: { replicas: 2, readyReplicas: 1 } }).slice(0, 5), ['x', 3, 2, 1, '5m']);
  const service = (more: object, serviceStatus: object = {}): readonly unknown[] => cells(Service, { spec: more, status: serviceStatus });
  t.deepEqual(service({ type: 'ClusterIP', clusterIP: '10.0.0.1', ports: [{ port: 80, protocol: 'TCP' }, { port: 53, protocol: 'UDP', nodePort: 30053 }], selector: { b: '1', a: '2' } }),
    ['x', 'ClusterIP', '10.0.0.1', '<none>', '80/TCP,53:30053/UDP', '5m', 'a=2,b=1']);
  t.deepEqual(service({ type: 'LoadBalancer', clusterIP: '10.0.0.1', externalIPs: ['9.9.9.9'] }, { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'h' }] } })[3], '1.2.3.4,h,9.9.9.9');
  t.is(service({ type: 'LoadBalancer' })[3], '<pending>');
  t.deepEqual(service({ type: 'ExternalName', externalName: 'example.com' }), ['x', 'ExternalName', '<none>', 'example.com', '<none>', '5m', '<none>']);
  t.is(service({ type: 'ClusterIP', clusterIP: 'None' })[2], 'None');
  const addresses = ['1', '2', '3', '4'].map((end) => ({ ip: `10.0.0.${end}` }));
  t.is(cells(Endpoints, { subsets: [{ addresses, ports: [{ port: 80 }] }] })[1], '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...');
  t.is(cells(Endpoints, { subsets: [{ addresses: [{ ip: '::1' }], ports: [{ port: 80 }] }, { addresses: [{ ip: '10.0.0.9' }] }] })[1], '[::1]:80,10.0.0.9');
  t.is(cells(Endpoints, {})[1], '<none>');
  t.deepEqual(cells(EndpointSlice, { addressType: 'IPv4', ports: [{ port: 80 }, { name: 'any' }, {}], endpoints: [{ addresses: ['a'] }, { addresses: ['b'] }, { addresses: ['c', 'd'] }] }).slice(1, 4), ['IPv4', '80,any,*', 'a,b,c + 1 more...']);
  t.deepEqual(cells(EndpointSlice, { addressType: 'IPv4' }).slice(2, 4), ['<unset>', '<unset>']);
  t.is(cells(ConfigMap, { data: { a: '', b: '' }, binaryData: { c: '' } })[1], 3);
  t.deepEqual(cells(Secret, { type: 't', data: { a: '' } }).slice(1, 3), ['t', 1]);
  t.is(cells(ServiceAccount, {})[1], 0);
  t.is(cells(Namespace, { status: { phase: 'Active' } })[1], 'Active');
  t.is(cells(Lease, { spec: { holderIdentity: 'me' } })[1], 'me');
});

test('cells of nodes', (t) => {
  const ready = (word: string): object => ({ conditions: [{ type: 'Ready', status: word }] });
  const info = { kubeletVersion: 'v1', osImage: 'Debian', kernelVersion: '6', containerRuntimeVersion: 'docker://20' };
  t.deepEqual(cells(Node, { metadata: { labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '', 'kubernetes.io/role': 'edge' } }, status: { ...ready('True'), nodeInfo: info, addresses: [{ type: 'InternalIP', address: '10.1.1.1' }] } }),
    ['x', 'Ready', 'control-plane,edge,worker', '5m', 'v1', '10.1.1.1', '<none>', 'Debian', '6', 'docker://20']);
  t.is(cells(Node, { spec: { unschedulable: true }, status: ready('True') })[1], 'Ready,SchedulingDisabled');
  t.is(cells(Node, { status: ready('Unknown') })[1], 'NotReady');
  t.deepEqual(cells(Node, {}).slice(1, 3), ['Unknown', '<none>']);
});

test('cells of events', (t) => {
  const involvedObject = { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{a}' };
  t.deepEqual(cells(Event, { involvedObject, type: 'Normal', reason: 'Pulled', message: ' done \n', firstTimestamp: ago(90), lastTimestamp: ago(10), count: 4, source: { component: 'kubelet', host: 'n' } }),
    ['10s', 'Normal', 'Pulled', 'pod/p', 'spec.containers{a}', 'kubelet, n', 'done', '90s', 4, 'x']);
  t.deepEqual(cells(Event, { involvedObject: { kind: 'Node' }, eventTime: ago(30), reportingComponent: 'c', series: { count: 9, lastObservedTime: ago(5) } }), ['5s', '', '', 'node', '', 'c', '', '30s', 9, 'x']);
  t.deepEqual(cells(Event, { involvedObject }).filter((_, index) => [0, 7, 8].includes(index)), ['<unknown>', '<unknown>', 1]);
});

test('pods are filled in as Kubernetes does', (t) => {
  const tags: Readonly<Record<string, string>> = { 'a': 'latest', 'a:1': '1', 'r:5000/a': 'latest', 'r:5000/a:2': '2', 'a@sha256:0': '', 'a:latest@sha256:0': 'latest' };
  for (const [image, tag] of Object.entries(tags)) t.is(imageTag(image), tag, image);
  const pod = prepared(Pod, {
    spec: {
      hostNetwork: true, serviceAccount: 'old', volumes: [{ name: 'v' }, { name: 'i', image: { reference: 'a:1' } }],
      containers: [{ name: 'a', image: 'a', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, ports: [{ containerPort: 80 }] }],
      initContainers: [{ name: 'b', image: 'b:1' }],
    },
  });
  t.like(pod, {
    spec: {
      enableServiceLinks: true, serviceAccountName: 'old', serviceAccount: 'old',
      volumes: [{ name: 'v', emptyDir: {} }, { image: { pullPolicy: 'IfNotPresent' } }],
      containers: [{ imagePullPolicy: 'Always', resources: { requests: { cpu: '500m', memory: '1Gi' } }, ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] }],
      initContainers: [{ imagePullPolicy: 'IfNotPresent' }],
    },
  });
  t.deepEqual(Pod.initialStatus?.(pod), { phase: 'Pending', qosClass: 'Burstable' });
  t.is(Pod.defaultGraceSeconds?.(pod), 30);
});

test('quality of service by requests and limits', (t) => {
  const qos = (...resources: readonly object[]): string => qosClassOf({ containers: resources.map((one, index) => ({ name: `c${index}`, resources: one })) });
  const full = { limits: { cpu: '1', memory: '1Gi' } };
  t.is(qos({}), 'BestEffort');
  t.is(qos({ requests: { cpu: '0' } }), 'BestEffort');
  t.is(qos({ requests: { 'ephemeral-storage': '1Gi' } }), 'BestEffort');
  t.is(qos(full), 'Guaranteed');
  t.is(qos({ ...full, requests: { cpu: '1000m', memory: '1Gi' } }, full), 'Guaranteed');
  t.is(qos({ ...full, requests: { cpu: '500m', memory: '1Gi' } }), 'Burstable');
  t.is(qos(full, {}), 'Burstable');
  t.is(qos({ limits: { cpu: '1' } }), 'Burstable');
});

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } };

test('deployments roll a quarter at a time, unless they are told otherwise', (t) => {
  const deployment = (strategy: object | undefined): { readonly spec: object } => prepared(Deployment, { spec: { selector: { matchLabels: { a: 'b' } }, template, ...(strategy === undefined ? {} : { strategy }) } });
  t.like(deployment(undefined).spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } } });
  t.like(deployment({ rollingUpdate: { maxSurge: 1 } }).spec, { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } } });
  t.deepEqual((deployment({ type: 'Recreate' }).spec as { readonly strategy: unknown }).strategy, { type: 'Recreate' });
  t.false('enableServiceLinks' in template.spec);
});

test('services are filled in by their type', (t) => {
  const service = (spec: object, old?: object): object => (prepared(Service, { spec }, old === undefined ? undefined : prepared(Service, { spec: old })) as { readonly spec: object }).spec;
  t.deepEqual(service({ ports: [{ port: 80 }] }), {
    type: 'ClusterIP', sessionAffinity: 'None', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }], internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack',
  });
  t.like(service({ type: 'NodePort', clusterIP: '10.0.0.1', ports: [{ port: 80, targetPort: 'http' }] }), { clusterIPs: ['10.0.0.1'], externalTrafficPolicy: 'Cluster', ports: [{ targetPort: 'http' }] });
  t.like(service({ clusterIP: 'fd00::1' }), { clusterIPs: ['fd00::1'], ipFamilies: ['IPv6'] });
  t.like(service({ clusterIP: 'None' }), { clusterIP: 'None', clusterIPs: ['None'] });
  t.like(service({ type: 'LoadBalancer' }), { allocateLoadBalancerNodePorts: true, externalTrafficPolicy: 'Cluster' });
  t.like(service({ sessionAffinity: 'ClientIP' }), { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } });
  t.deepEqual(service({ type: 'ExternalName', externalName: 'e.x' }), { type: 'ExternalName', externalName: 'e.x', sessionAffinity: 'None' });
  const before = { type: 'NodePort', clusterIP: '10.0.0.1', ports: [{ port: 80, nodePort: 30080 }] };
  t.like(service({ type: 'NodePort', ports: [{ port: 81 }] }, before), { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] });
  t.deepEqual(service({ type: 'ClusterIP', clusterIP: '10.0.0.1', externalTrafficPolicy: 'Cluster', ports: [{ port: 80, nodePort: 30080 }] }, before), {
    type: 'ClusterIP', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], sessionAffinity: 'None', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }], internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack',
  });
  t.deepEqual(service({ type: 'ExternalName', externalName: 'e.x', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', internalTrafficPolicy: 'Cluster' }, { clusterIP: '10.0.0.1' }),
    { type: 'ExternalName', externalName: 'e.x', sessionAffinity: 'None' });
});

test('secrets, nodes and events are filled in', (t) => {
  const secret = prepared(Secret, { data: { a: 'YQ==', b: 'YQ==' }, stringData: { b: 'ü' } });
  t.like(secret, { type: 'Opaque', data: { a: 'YQ==', b: Buffer.from('ü').toString('base64') } });
  t.false('stringData' in secret);
  t.like(prepared(Node, { spec: { podCIDR: '10.0.0.0/24' }, status: { capacity: { cpu: '1' } } }), { spec: { podCIDRs: ['10.0.0.0/24'] }, status: { allocatable: { cpu: '1' }, daemonEndpoints: {} } });
  t.is((prepared(Event, { involvedObject: {}, source: { component: 'c' } }) as { readonly reportingComponent: string }).reportingComponent, 'c');
});

test('filling in twice changes nothing, and what was filled in is valid', (t) => {
  const bodies: readonly (readonly [AnyKind, object])[] = [
    [Pod, { spec: { containers: [{ name: 'a', image: 'a', ports: [{ containerPort: 80 }], readinessProbe: { tcpSocket: { port: 80 } } }], volumes: [{ name: 'v' }] } }],
    [Deployment, { spec: { selector: { matchLabels: { a: 'b' } }, template } }], [ReplicaSet, { spec: { selector: { matchLabels: { a: 'b' } }, template } }],
    [Service, { spec: { type: 'NodePort', clusterIP: '10.0.0.1', ports: [{ port: 80 }] } }], [Secret, { stringData: { a: 'b' } }], [ConfigMap, { data: { a: 'b' } }],
    [Event, { involvedObject: { namespace: 'ns' } }], [Lease, { spec: { holderIdentity: 'me' } }], [Endpoints, { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 1 }] }] }],
    [EndpointSlice, { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 1 }] }], [ServiceAccount, {}],
  ];
  for (const [kind, body] of bodies) {
    const object = prepared(kind, body) as object;
    t.deepEqual(validate(kind, object as never), [], kind.kind);
    const again = structuredClone(object);
    applyDefaults(kind.schema, again);
    kind.prepare?.(again as never, object);
    t.deepEqual(again, object, kind.kind);
    t.deepEqual(validate(kind, again as never, object as never), [], kind.kind);
  }
});
