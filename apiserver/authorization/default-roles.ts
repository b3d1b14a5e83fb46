/**
 * The roles and bindings that every cluster has, under the names that Kubernetes' users and tools know. `admin`, `edit`
 * and `view` hold nothing by themselves: they take in what is labelled for them, so that whoever brings a kind of its own
 * can add to them.
 */
import { rbacGroup, type PolicyRule, type Subject } from '../../schemas/types/rbac.ts';
import { serverMaterialPath } from '../../schemas/cluster-info.ts';
import { discoveryPaths, healthPaths } from './builtin-grants.ts';

export interface DefaultRole {
  readonly name: string;
  readonly rules?: readonly PolicyRule[];
  readonly labels?: Readonly<Record<string, string>>;
  /** The label by which it takes in others. */
  readonly aggregates?: string;
}

export interface DefaultBinding {
  /** Name of the binding and of the role. */
  readonly name: string;
  readonly subjects: readonly Subject[];
}

const aggregateTo = (role: 'admin' | 'edit' | 'view'): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;
const labelled = (role: 'admin' | 'edit' | 'view'): Readonly<Record<string, string>> => ({ [aggregateTo(role)]: 'true' });

const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const on = (apiGroup: string, resources: readonly string[], verbs: readonly string[]): PolicyRule => ({ apiGroups: [apiGroup], resources, verbs });
const paths = (nonResourceURLs: readonly string[]): PolicyRule => ({ nonResourceURLs, verbs: ['get'] });

const apps = ['daemonsets', 'deployments', 'deployments/scale', 'replicasets', 'replicasets/scale', 'statefulsets', 'statefulsets/scale'];
const shownApps = ['controllerrevisions', ...apps, 'daemonsets/status', 'deployments/status', 'replicasets/status', 'statefulsets/status'];
const batch = ['cronjobs', 'jobs'];
const inside = ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'];

const viewRules: readonly PolicyRule[] = [
  on('', [
    'configmaps', 'endpoints', 'persistentvolumeclaims', 'persistentvolumeclaims/status', 'pods', 'replicationcontrollers', 'replicationcontrollers/scale',
    'serviceaccounts', 'services', 'services/status',
  ], read),
  on('', [
    'bindings', 'events', 'limitranges', 'namespaces/status', 'pods/log', 'pods/status', 'replicationcontrollers/status', 'resourcequotas', 'resourcequotas/status',
  ], read),
  on('', ['namespaces'], read),
  on('discovery.k8s.io', ['endpointslices'], read),
  on('events.k8s.io', ['events'], read),
  on('apps', shownApps, read),
  on('autoscaling', ['horizontalpodautoscalers', 'horizontalpodautoscalers/status'], read),
  on('batch', [...batch, 'cronjobs/status', 'jobs/status'], read),
  on('policy', ['poddisruptionbudgets', 'poddisruptionbudgets/status'], read),
  on('networking.k8s.io', ['ingresses', 'ingresses/status', 'networkpolicies'], read),
];

const editRules: readonly PolicyRule[] = [
  on('', [...inside, 'secrets', 'services/proxy'], read),
  on('', ['serviceaccounts'], ['impersonate']),
  on('', ['pods', ...inside], write),
  on('', ['pods/eviction', 'serviceaccounts/token'], ['create']),
  on('', [
    'configmaps', 'events', 'persistentvolumeclaims', 'replicationcontrollers', 'replicationcontrollers/scale', 'secrets', 'serviceaccounts', 'services', 'services/proxy',
  ], write),
  on('apps', [...apps, 'deployments/rollback'], write),
  on('autoscaling', ['horizontalpodautoscalers'], write),
  on('batch', batch, write),
  on('coordination.k8s.io', ['leases'], [...read, ...write]),
  on('networking.k8s.io', ['ingresses', 'networkpolicies'], write),
  on('policy', ['poddisruptionbudgets'], write),
];

const nodeRules: readonly PolicyRule[] = [
  on('', ['services'], read), on('', ['nodes'], ['create', ...read]), on('', ['nodes', 'nodes/status'], ['patch', 'update']),
  on('', ['pods'], [...read, 'create', 'delete']), on('', ['pods/status'], ['patch', 'update']), on('', ['pods/eviction'], ['create']),
  on('', ['configmaps', 'secrets'], read), on('', ['events'], ['create', 'patch', 'update']),
  on('', ['serviceaccounts/token'], ['create']), on('coordination.k8s.io', ['leases'], ['create', 'delete', 'get', 'patch', 'update']),
];

export const defaultClusterRoles: readonly DefaultRole[] = [
  { name: 'cluster-admin', rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, { nonResourceURLs: ['*'], verbs: ['*'] }] },
  { name: 'admin', aggregates: aggregateTo('admin') },
  { name: 'edit', aggregates: aggregateTo('edit'), labels: labelled('admin') },
  { name: 'view', aggregates: aggregateTo('view'), labels: labelled('edit') },
  {
    name: 'system:aggregate-to-admin', labels: labelled('admin'),
    rules: [on('authorization.k8s.io', ['localsubjectaccessreviews'], ['create']), on(rbacGroup, ['rolebindings', 'roles'], [...write, ...read])],
  },
  { name: 'system:aggregate-to-edit', labels: labelled('edit'), rules: editRules },
  { name: 'system:aggregate-to-view', labels: labelled('view'), rules: viewRules },
  {
    name: 'system:aggregated-metrics-reader', labels: { ...labelled('view'), ...labelled('edit'), ...labelled('admin') },
    rules: [on('metrics.k8s.io', ['nodes', 'pods'], ['get', 'list', 'watch'])],
  },
  {
    name: 'system:basic-user',
    rules: [on('authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']), on('authentication.k8s.io', ['selfsubjectreviews'], ['create'])],
  },
  { name: 'system:discovery', rules: [paths([...discoveryPaths, ...healthPaths])] },
  { name: 'system:public-info-viewer', rules: [paths(healthPaths)] },
  { name: 'system:monitoring', rules: [paths(['/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*'])] },
  { name: 'system:service-account-issuer-discovery', rules: [paths(['/.well-known/openid-configuration', '/.well-known/openid-configuration/', '/openid/v1/jwks', '/openid/v1/jwks/'])] },
  { name: 'system:auth-delegator', rules: [on('authentication.k8s.io', ['tokenreviews'], ['create']), on('authorization.k8s.io', ['subjectaccessreviews'], ['create'])] },
  { name: 'system:node', rules: nodeRules },
  { name: 'system:node-bootstrapper', rules: [on('certificates.k8s.io', ['certificatesigningrequests'], ['create', ...read])] },
  { name: 'system:kubelet-api-admin', rules: [on('', ['nodes'], ['get', 'list', 'watch', 'proxy']), on('', ['nodes/log', 'nodes/metrics', 'nodes/proxy', 'nodes/stats'], ['*'])] },
  { name: 'system:kube-dns', rules: [on('', ['endpoints', 'services'], ['list', 'watch'])] },
  { name: 'system:persistent-volume-provisioner', rules: [
    on('', ['persistentvolumes'], [...read, 'create', 'delete']), on('', ['persistentvolumeclaims'], [...read, 'update']), on('storage.k8s.io', ['storageclasses'], read),
    on('', ['events'], ['watch', 'create', 'patch', 'update']),
  ] },
  { name: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient', rules: [on('certificates.k8s.io', ['certificatesigningrequests/nodeclient'], ['create'])] },
  { name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', rules: [on('certificates.k8s.io', ['certificatesigningrequests/selfnodeclient'], ['create'])] },
  { name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeserver', rules: [on('certificates.k8s.io', ['certificatesigningrequests/selfnodeserver'], ['create'])] },
  { name: 'system:barge:server-bootstrapper', rules: [{ nonResourceURLs: [serverMaterialPath], verbs: ['post'] }] },
];

/** The group that a worker's join token puts its bearer in. */
export const workersGroup = 'system:bootstrappers:barge:worker';
/** The same of a further server's. */
export const serversGroup = 'system:bootstrappers:barge:server';

const groups = (...names: readonly string[]): readonly Subject[] => names.map((name) => ({ kind: 'Group', apiGroup: rbacGroup, name }));

export const defaultClusterRoleBindings: readonly DefaultBinding[] = [
  { name: 'cluster-admin', subjects: groups('system:masters') },
  { name: 'system:basic-user', subjects: groups('system:authenticated') },
  { name: 'system:discovery', subjects: groups('system:authenticated') },
  { name: 'system:public-info-viewer', subjects: groups('system:authenticated', 'system:unauthenticated') },
  { name: 'system:monitoring', subjects: groups('system:monitoring') },
  { name: 'system:service-account-issuer-discovery', subjects: groups('system:serviceaccounts') },
  // Agents have an authorizer that goes by their pods; the role says what they may at most.
  { name: 'system:node', subjects: [] },
  // Who holds a worker's join token asks for a certificate of a new node; nodes ask for their own next ones.
  { name: 'system:node-bootstrapper', subjects: groups(workersGroup) },
  { name: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient', subjects: groups(workersGroup) },
  { name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', subjects: groups('system:nodes') },
  { name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeserver', subjects: groups('system:nodes') },
  { name: 'system:barge:server-bootstrapper', subjects: groups(serversGroup) },
];
