/**
 * What each part of barge may do: no more than its work needs. A component that needs more gets a line here, so that
 * the table stays the whole answer to "what could it do if it went wrong?".
 */
import type { UserInfo } from '../../schemas/api.ts';
import type { Authorizer } from './authorizer.ts';
import { createRulesAuthorizer, type Grant, type PolicyRule } from './rules.ts';

const read = ['get', 'list', 'watch'] as const;
const change = ['update', 'patch'] as const;

const on = (apiGroup: string, resources: readonly string[], verbs: readonly string[], resourceNames?: readonly string[]): PolicyRule => ({
  apiGroups: [apiGroup], resources, verbs, resourceNames,
});

const writeEvents = on('', ['events'], ['create', 'patch', 'update']);
const holdLeases = on('coordination.k8s.io', ['leases'], ['get', 'create', 'update', 'patch']);

const healthPaths = ['/healthz', '/healthz/*', '/livez', '/livez/*', '/readyz', '/readyz/*', '/version', '/version/'] as const;
const discoveryPaths = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'] as const;

/** The user name of a node's agent is this and the node's name. */
export const nodeUserPrefix = 'system:node:';

const nodeRules = (user: UserInfo): readonly PolicyRule[] => {
  if (!user.name.startsWith(nodeUserPrefix)) return [];
  const self = [user.name.slice(nodeUserPrefix.length)];
  return [
    on('', ['nodes'], [...read, 'create']),
    on('', ['nodes', 'nodes/status'], change, self),
    on('', ['pods', 'services', 'configmaps', 'secrets', 'namespaces'], read),
    on('', ['pods/status'], ['get', ...change]),
    on('', ['pods'], ['delete']),
    on('discovery.k8s.io', ['endpointslices'], read),
    on('coordination.k8s.io', ['leases'], ['create']),
    on('coordination.k8s.io', ['leases'], ['get', ...change, 'delete'], self),
    writeEvents,
  ];
};

const controllerRules: readonly PolicyRule[] = [
  // The garbage collector and the namespace controller look at and remove objects of every kind.
  { apiGroups: ['*'], resources: ['*'], verbs: [...read, ...change, 'delete', 'deletecollection'] },
  on('', ['pods', 'endpoints', 'serviceaccounts', 'configmaps', 'namespaces'], ['create']),
  on('apps', ['replicasets'], ['create']),
  on('discovery.k8s.io', ['endpointslices'], ['create']),
  on('', ['pods/eviction'], ['create']),
  holdLeases,
  writeEvents,
  { nonResourceURLs: discoveryPaths, verbs: ['get'] },
];

const schedulerRules: readonly PolicyRule[] = [
  on('', ['pods', 'nodes', 'namespaces', 'services'], read),
  on('apps', ['replicasets'], read),
  on('', ['pods/binding'], ['create']),
  on('', ['pods/status'], change),
  on('', ['pods'], ['delete']),
  holdLeases,
  writeEvents,
];

const proxyRules: readonly PolicyRule[] = [
  on('', ['services', 'endpoints', 'nodes', 'namespaces', 'pods'], read),
  on('discovery.k8s.io', ['endpointslices'], read),
  writeEvents,
];

/** The grants that every cluster has. `system:masters` needs none. */
export const builtinGrants: readonly Grant[] = [
  { users: ['system:anonymous'], groups: ['system:authenticated', 'system:nodes'], rules: [{ nonResourceURLs: healthPaths, verbs: ['get', 'head'] }] },
  { groups: ['system:authenticated'], rules: [{ nonResourceURLs: discoveryPaths, verbs: ['get', 'head'] }] },
  { users: ['system:barge:controllers'], rules: controllerRules },
  { users: ['system:barge:scheduler'], rules: schedulerRules },
  { users: ['system:barge:proxy'], rules: proxyRules },
  { groups: ['system:nodes'], rules: nodeRules },
];

/** The authorizer of a cluster whose only rules are the built-in ones. */
export const createBuiltinAuthorizer = (): Authorizer => createRulesAuthorizer(builtinGrants);
