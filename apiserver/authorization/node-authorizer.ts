/**
 * What a node's agent may do. It goes by the state of the cluster: an agent reads the pods on its node, the Secrets, ConfigMaps and claims that
 * these name, gets tokens for their accounts, and writes the status of no other pods, so that a node that
 * was broken into gives away what runs on it and nothing else. Where there are network policies it sees all pods, for it holds its own to these by the others' labels and addresses. There is no graph beside the cache: a decision looks at the
 * node's pods, which the cache indexes, and what a pod names is worked out once for each stored pod.
 */
import type { UserInfo } from '../../schemas/api.ts';
import { clusterInfoAt, promotionAnnotation, serverMaterialPath } from '../../schemas/cluster-info.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PolicyRule } from '../../schemas/types/rbac.ts';
import { parseFieldRequirements } from '../../schemas/field-selector.ts';
import { NetworkPolicy } from '../../schemas/kinds/networking/network-policy.ts';
import { podClaims } from '../../schemas/volumes/pod-claims.ts';
import { localPathNode } from '../../schemas/volumes/volume-words.ts';
import { prefixOf } from '../keys.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AccessRequest, Authorizer } from './authorizer.ts';
import { ruleAllows } from './rules.ts';

/** The user name of a node's agent is this and the node's name. */
export const nodeUserPrefix = 'system:node:';
export const nodesGroup = 'system:nodes';
export const nodeLeaseNamespace = 'kube-node-lease';

/** The node whose agent a user is, or undefined. */
export const nodeOfUser = ({ name, groups }: UserInfo): string | undefined =>
  name.startsWith(nodeUserPrefix) && name.length > nodeUserPrefix.length && groups.includes(nodesGroup) ? name.slice(nodeUserPrefix.length) : undefined;

const read = ['get', 'list', 'watch'] as const;

const rulesOfAll: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['nodes'], verbs: [...read, 'create'] },
  // Admission lets only mirrors of its own static pods through.
  { apiGroups: [''], resources: ['pods'], verbs: ['create'] },
  { apiGroups: [''], resources: ['services', 'namespaces', 'persistentvolumes'], verbs: read },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'update', 'patch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: read },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  // For certificates of their own; what is approved without a person is for the controllers to say.
  { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: [...read, 'create'] },
];

type At = NonNullable<AccessRequest['resource']>;

interface Named {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
}

const namesOf = new WeakMap<Pod, Named>();

/** The Secrets, ConfigMaps and claims of its namespace that a pod names anywhere. */
const namedBy = (pod: Pod): Named => {
  const known = namesOf.get(pod);
  if (known !== undefined) return known;
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  const note = (set: Set<string>, name: string | undefined): void => {
    if (name !== undefined && name !== '') set.add(name);
  };
  const { spec } = pod;
  for (const volume of spec.volumes ?? []) {
    note(secrets, volume.secret?.secretName);
    note(configMaps, volume.configMap?.name);
    for (const { secret, configMap } of volume.projected?.sources ?? []) {
      note(secrets, secret?.name);
      note(configMaps, configMap?.name);
    }
  }
  for (const { env = [], envFrom = [] } of [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]) {
    for (const { valueFrom } of env) {
      note(secrets, valueFrom?.secretKeyRef?.name);
      note(configMaps, valueFrom?.configMapKeyRef?.name);
    }
    for (const { secretRef, configMapRef } of envFrom) {
      note(secrets, secretRef?.name);
      note(configMaps, configMapRef?.name);
    }
  }
  for (const { name } of spec.imagePullSecrets ?? []) note(secrets, name);
  const named = { secrets, configMaps, claims: new Set(podClaims(pod).map(({ claimName }) => claimName)) };
  namesOf.set(pod, named);
  return named;
};

/** What agents read by name only, where a pod of theirs names it. */
const readByName: Readonly<Record<string, keyof Named>> = { secrets: 'secrets', configmaps: 'configMaps', persistentvolumeclaims: 'claims' };

const quoted = (text: string): string => JSON.stringify(text);

/** Whether a selector leaves the pods of this node alone. */
const selectsNode = (fieldSelector: string | undefined, node: string): boolean => {
  try {
    return parseFieldRequirements(fieldSelector ?? '').some(({ path, equal, value }) => equal && path === 'spec.nodeName' && value === node);
  } catch {
    return false;
  }
};

/** Decides for the agents of nodes; knows nobody else. */
export const createNodeAuthorizer = (state: Pick<WatchCache, 'get' | 'byField' | 'list'>): Authorizer => {
  const podsOn = (node: string, namespace: string): readonly Pod[] =>
    (state.byField(Pod, 'spec.nodeName', node) as readonly Pod[]).filter(({ metadata }) => metadata.namespace === namespace);

  /** Why a node may not read pods; the words are Kubernetes'. */
  const whyNotRead = (node: string, verb: string, { namespace, name = '', fieldSelector }: At): string | undefined => {
    if (verb === 'get') {
      const pod = state.get(`/pods/${namespace ?? ''}/${name}`) as Pod | undefined;
      return pod === undefined || pod.spec.nodeName === node ? undefined : `no relationship found between node ${quoted(node)} and this object`;
    }
    return selectsNode(fieldSelector, node) || state.list(prefixOf(NetworkPolicy, '')).length > 0 ? undefined : 'can only list/watch pods with spec.nodeName field selector';
  };

  /** Why not, for what depends on the pods that a node has; `none` for what does not. */
  const whyNotByPods = (node: string, verb: string, at: At): string | undefined | 'none' => {
    const { namespace = '', name = '', resource, subresource } = at;
    const kind = Object.hasOwn(readByName, resource) ? readByName[resource] : undefined;
    if (kind !== undefined && subresource === undefined) {
      if (!read.some((one) => one === verb) || name === '' || namespace === '') return `can only read resources of this type by name`;
      return podsOn(node, namespace).some((pod) => namedBy(pod)[kind].has(name)) ? undefined : `no relationship found between node ${quoted(node)} and this object`;
    }
    if (resource === 'serviceaccounts' && subresource === 'token' && verb === 'create') {
      return podsOn(node, namespace).some((pod) => (pod.spec.serviceAccountName || 'default') === name) ? undefined : `no relationship found between node ${quoted(node)} and this object`;
    }
    if (resource === 'persistentvolumes' && subresource === undefined && (verb === 'update' || verb === 'patch') && name !== '') {
      const volume = state.get(`/persistentvolumes//${name}`) as PersistentVolume | undefined;
      return volume === undefined || volume.metadata.annotations?.[localPathNode] === node ? undefined : `node ${quoted(node)} can only change volumes that are on it`;
    }
    if (resource === 'pods' && subresource === undefined && read.some((one) => one === verb)) return whyNotRead(node, verb, at);
    const ofPod = resource === 'pods' && ((subresource === 'status' && ['get', 'update', 'patch'].includes(verb)) || (subresource === undefined && verb === 'delete'));
    if (!ofPod || name === '') return 'none';
    const pod = state.get(`/pods/${namespace}/${name}`) as Pod | undefined;
    // A pod that is not there is answered as such: agents that are behind must learn that it is gone.
    return pod === undefined || pod.spec.nodeName === node ? undefined : `node ${quoted(node)} can only change pods with spec.nodeName set to itself`;
  };

  const isPromoted = (node: string): boolean => (state.get(`/nodes//${node}`) as Node | undefined)?.metadata.annotations?.[promotionAnnotation] !== undefined;

  return {
    authorize: (access) => {
      const node = nodeOfUser(access.user);
      const at = access.resource;
      if (node === undefined) return '';
      if (at === undefined) return access.path === serverMaterialPath && access.verb === 'post' && isPromoted(node) ? undefined : '';
      if (isClusterInfo(access.verb, at)) return undefined;
      if (at.group === '') {
        const why = whyNotByPods(node, access.verb, at);
        if (why !== 'none') return why;
      }
      if (ownObjects(node, access.verb, at)) return undefined;
      return rulesOfAll.some((rule) => ruleAllows(rule, access)) ? undefined : '';
    },
    rulesFor: (user) => (nodeOfUser(user) === undefined ? { rules: [], complete: true } : { rules: rulesOfAll, complete: false }),
  };
};

const isClusterInfo = (verb: string, { group, resource, subresource, namespace, name }: At): boolean =>
  group === '' && resource === 'configmaps' && subresource === undefined && namespace === clusterInfoAt.namespace && name === clusterInfoAt.name && read.some((one) => one === verb);

const ownObjects = (node: string, verb: string, { group, resource, subresource, namespace, name }: At): boolean => {
  if (name !== node) return false;
  const change = verb === 'update' || verb === 'patch';
  if (group === '' && resource === 'nodes') return change && (subresource === undefined || subresource === 'status');
  return group === 'coordination.k8s.io' && resource === 'leases' && subresource === undefined && namespace === nodeLeaseNamespace && (change || verb === 'get' || verb === 'delete');
};
