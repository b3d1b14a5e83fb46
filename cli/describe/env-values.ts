/** What `describe` says of variables whose values come from the pod itself; kubectl resolves metadata and resources. */
import { fieldValue, resourceValue, type PodFacts } from '../../kubelet-lite/downward.ts';
import type { BodyOf } from '../../schemas/kind.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Container } from '../../schemas/types/container.ts';
import type { ResourceFieldSelector } from '../../schemas/types/references.ts';

const noFacts: PodFacts = { nodeName: '', nodeIp: '', podIp: undefined, allocatable: {} };

/** The value of a field of the metadata; nothing for other fields, and for a template, which has no values yet. */
export const shownField = (pod: BodyOf<typeof Pod> | undefined, fieldPath: string): string =>
  (pod === undefined || !fieldPath.startsWith('metadata.') ? '' : fieldValue(pod as Pod, fieldPath, noFacts) ?? '');

export const shownResource = (container: Container, selector: ResourceFieldSelector): string => {
  const value = resourceValue({} as Pod, container, { resource: selector.resource, divisor: selector.divisor }, noFacts);
  return value === '0' && /^limits\.(cpu|memory)$/.test(selector.resource) ? 'node allocatable' : value;
};
