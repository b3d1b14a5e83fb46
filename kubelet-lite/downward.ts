import { parseQuantity } from '../schemas/quantity.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import type { ResourceFieldSelector } from '../schemas/types/references.ts';
import { ConfigError } from './config-error.ts';
import { allContainers } from './pod-view.ts';

/** What a pod may be told about itself that is not in its own object yet. */
export interface PodFacts {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly podIp: string | undefined;
  /** Stand in for limits that a container does not have, by resource. */
  readonly allocatable: Readonly<Record<string, string>>;
}

const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/;

const quoted = (map: Readonly<Record<string, string>> = {}): string =>
  Object.keys(map).sort().map((key) => `${key}=${JSON.stringify(map[key])}`).join('\n');

/** The value of a fieldRef; undefined while it is not known yet. Throws ConfigError for a path that is none. */
export const fieldValue = (pod: Pod, fieldPath: string, facts: PodFacts): string | undefined => {
  const { metadata, spec } = pod;
  const match = keyed.exec(fieldPath);
  if (match !== null) return metadata[match[1] as 'labels' | 'annotations']?.[match[2] ?? ''] ?? '';
  switch (fieldPath) {
    case 'metadata.name': return metadata.name ?? '';
    case 'metadata.namespace': return metadata.namespace ?? '';
    case 'metadata.uid': return metadata.uid ?? '';
    case 'metadata.labels': return quoted(metadata.labels);
    case 'metadata.annotations': return quoted(metadata.annotations);
    case 'spec.nodeName': return facts.nodeName;
    case 'spec.serviceAccountName': return spec?.serviceAccountName ?? 'default';
    case 'status.hostIP': case 'status.hostIPs': return facts.nodeIp;
    case 'status.podIP': case 'status.podIPs': return spec?.hostNetwork === true ? facts.nodeIp : facts.podIp;
    default: throw new ConfigError(`field path ${JSON.stringify(fieldPath)} is none of metadata.name, metadata.namespace, metadata.uid, metadata.labels, metadata.annotations, spec.nodeName, spec.serviceAccountName, status.hostIP, status.podIP`);
  }
};

const resources = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/;

/** The value of a resourceFieldRef in units of its divisor, rounded up. */
export const resourceValue = (pod: Pod, own: Container | undefined, selector: ResourceFieldSelector, facts: PodFacts): string => {
  const container = selector.containerName === undefined || selector.containerName === '' ? own : allContainers(pod).find(({ name }) => name === selector.containerName);
  if (container === undefined) throw new ConfigError(`container ${JSON.stringify(selector.containerName ?? '')} of a resourceFieldRef is not in the pod`);
  const match = resources.exec(selector.resource);
  if (match === null) throw new ConfigError(`resource ${JSON.stringify(selector.resource)} of a resourceFieldRef is none of limits or requests of cpu, memory, ephemeral-storage`);
  const [, list, name = ''] = match as unknown as [string, 'limits' | 'requests', string];
  const text = container.resources?.[list]?.[name] ?? (list === 'limits' ? facts.allocatable[name] : undefined) ?? '0';
  const value = parseQuantity(text)?.nano ?? 0n;
  const divisor = parseQuantity(selector.divisor ?? '1')?.nano ?? 0n;
  const by = divisor > 0n ? divisor : 1_000_000_000n;
  return String((value + by - 1n) / by);
};
