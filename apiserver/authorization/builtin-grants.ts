/**
 * What each part of barge may do: no more than its work needs. A component that needs more gets a line here, so that
 * the table stays the whole answer to "what could it do if it went wrong?".
 */
import { clusterInfoAt } from '../../schemas/cluster-info.ts';
import type { Authorizer } from './authorizer.ts';
import { createRulesAuthorizer, type Grant, type PolicyRule } from './rules.ts';

const read = ['get', 'list', 'watch'] as const;
const change = ['update', 'patch'] as const;

const on = (apiGroup: string, resources: readonly string[], verbs: readonly string[], resourceNames?: readonly string[]): PolicyRule => ({
  apiGroups: [apiGroup], resources, verbs, resourceNames,
});

const writeEvents = on('', ['events'], ['create', 'patch', 'update']);
const holdLeases = on('coordination.k8s.io', ['leases'], ['get', 'create', 'update', 'patch']);

export const healthPaths = ['/healthz', '/healthz/*', '/livez', '/livez/*', '/readyz', '/readyz/*', '/version', '/version/'] as const;
export const discoveryPaths = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'] as const;

const nodeSigners = ['kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving'] as const;

const controllerRules: readonly PolicyRule[] = [
  // The garbage collector and the namespace controller look at and remove objects of every kind.
  { apiGroups: ['*'], resources: ['*'], verbs: [...read, ...change, 'delete', 'deletecollection'] },
  on('', ['pods', 'persistentvolumes', 'persistentvolumeclaims', 'endpoints', 'serviceaccounts', 'configmaps', 'namespaces'], ['create']),
  on('apps', ['replicasets', 'controllerrevisions'], ['create']),
  on('batch', ['jobs'], ['create']),
  on('discovery.k8s.io', ['endpointslices'], ['create']),
  on('', ['pods/eviction'], ['create']),
  // Tokens of the old sort are kept in Secrets.
  on('', ['serviceaccounts/token'], ['create']),
  // New nodes' certificates are approved, which takes the word of the roles on who may ask; the authority's key signs elsewhere.
  on('certificates.k8s.io', ['signers'], ['approve'], nodeSigners),
  on('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
  // Aggregated roles hold what others hold, whatever that is.
  on('rbac.authorization.k8s.io', ['clusterroles'], ['escalate']),
  holdLeases,
  writeEvents,
  { nonResourceURLs: discoveryPaths, verbs: ['get'] },
];

const schedulerRules: readonly PolicyRule[] = [
  on('', ['pods', 'nodes', 'namespaces', 'services', 'replicationcontrollers'], read),
  on('apps', ['replicasets', 'statefulsets'], read),
  on('policy', ['poddisruptionbudgets'], read),
  // A volume is promised to a claim before the claim's pod is bound.
  on('', ['persistentvolumes', 'persistentvolumeclaims'], [...read, ...change]),
  on('storage.k8s.io', ['storageclasses'], read),
  // Which servers there are, where it runs in a process of its own.
  on('discovery.k8s.io', ['endpointslices'], read),
  on('', ['pods/binding'], ['create']),
  on('', ['pods/status'], change),
  on('', ['pods'], ['delete']),
  holdLeases,
  writeEvents,
];

const proxyRules: readonly PolicyRule[] = [
  on('', ['configmaps'], read, [clusterInfoAt.name]),
  on('', ['services', 'endpoints', 'nodes', 'namespaces', 'pods'], read),
  on('discovery.k8s.io', ['endpointslices'], read),
  on('networking.k8s.io', ['networkpolicies'], read),
  writeEvents,
];

const signerRules: readonly PolicyRule[] = [
  on('certificates.k8s.io', ['certificatesigningrequests'], read),
  on('certificates.k8s.io', ['certificatesigningrequests/status'], change),
  on('certificates.k8s.io', ['signers'], ['sign'], [...nodeSigners, 'kubernetes.io/kube-apiserver-client']),
  writeEvents,
];

/** What anybody may ask about himself. */
const selfReviews: readonly PolicyRule[] = [
  on('authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
  on('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
];

/** What barge's own components may do in every cluster. `system:masters` needs no grant; agents have an authorizer of their own. */
export const componentGrants: readonly Grant[] = [
  { users: ['system:barge:controllers'], rules: controllerRules },
  { users: ['system:barge:scheduler'], rules: schedulerRules },
  { users: ['system:barge:proxy'], rules: proxyRules },
  { users: ['system:barge:certificate-signer'], rules: signerRules },
];

/** What a cluster's default roles give to everybody, for a server that goes by no roles. */
const publicGrants: readonly Grant[] = [
  { users: ['system:anonymous'], groups: ['system:authenticated'], rules: [{ nonResourceURLs: healthPaths, verbs: ['get', 'head'] }] },
  { groups: ['system:authenticated'], rules: [{ nonResourceURLs: discoveryPaths, verbs: ['get', 'head'] }, ...selfReviews] },
];

/** An authorizer that knows barge's components, health checks and discovery, and no roles. */
export const createBuiltinAuthorizer = (): Authorizer => createRulesAuthorizer([...componentGrants, ...publicGrants]);
