/** Scopes: which pods and claims a quota counts. */
import type { ApiObject } from '../kind.ts';
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '../kinds/core/resource-quota.ts';
import { qosClassOf } from '../qos-class.ts';
import type { PodAffinityTerm } from '../types/affinity.ts';
import type { PersistentVolumeClaimSpec } from '../types/persistent-volume-claim-spec.ts';
import type { PodSpec } from '../types/pod-spec.ts';

/** Whether the class that an object names (`''`: none) is one of those that a requirement chooses. */
const chooses = ({ operator, values = [] }: ScopedResourceSelectorRequirement, name: string): boolean => {
  switch (operator) {
    case 'In': return name !== '' && values.includes(name);
    case 'NotIn': return !values.includes(name);
    case 'Exists': return name !== '';
    case 'DoesNotExist': return name === '';
    default: return false;
  }
};

const reachesOut = ({ namespaces = [], namespaceSelector }: PodAffinityTerm): boolean => namespaces.length > 0 || namespaceSelector !== undefined;

/** True where a term of the pod's affinity looks at pods of other namespaces. */
const looksAtOtherNamespaces = ({ affinity }: PodSpec): boolean => [affinity?.podAffinity, affinity?.podAntiAffinity].some((one) =>
  (one?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(reachesOut)
  || (one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).some(({ podAffinityTerm }) => reachesOut(podAffinityTerm)));

const podIn = (requirement: ScopedResourceSelectorRequirement, spec: PodSpec): boolean => {
  switch (requirement.scopeName) {
    case 'Terminating': return (spec.activeDeadlineSeconds ?? -1) >= 0;
    case 'NotTerminating': return (spec.activeDeadlineSeconds ?? -1) < 0;
    case 'BestEffort': return qosClassOf(spec) === 'BestEffort';
    case 'NotBestEffort': return qosClassOf(spec) !== 'BestEffort';
    case 'PriorityClass': return chooses(requirement, spec.priorityClassName ?? '');
    case 'CrossNamespacePodAffinity': return looksAtOtherNamespaces(spec);
    default: return false;
  }
};

const claimIn = (requirement: ScopedResourceSelectorRequirement, spec: PersistentVolumeClaimSpec): boolean =>
  requirement.scopeName === 'VolumeAttributesClass' && chooses(requirement, spec.volumeAttributesClassName ?? '');

/** True where a quota counts the object at all. Only pods and claims have scopes: a quota that names one counts nothing else. */
export const inScopes = ({ scopes = [], scopeSelector }: ResourceQuotaSpec, plural: string, object: ApiObject): boolean => {
  const requirements = [...scopes.map((scopeName) => ({ scopeName, operator: 'Exists' })), ...(scopeSelector?.matchExpressions ?? [])];
  return requirements.every((requirement) =>
    (plural === 'pods' ? podIn(requirement, (object as ApiObject & { readonly spec: PodSpec }).spec)
      : plural === 'persistentvolumeclaims' && claimIn(requirement, (object as ApiObject & { readonly spec: PersistentVolumeClaimSpec }).spec)));
};
