/** On which nodes the pod of a DaemonSet belongs. Resources do not count: a pod that finds no room waits on its node. */
import type { NewObject } from '../../client/client.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { namesOf, nodeMatchOf } from '../../schemas/node-selector.ts';
import { toleratedBy } from '../../schemas/tolerations.ts';
import type { Toleration } from '../../schemas/types/affinity.ts';
import { podOf } from '../pod-control.ts';
import { revisionHashLabel } from '../revisions.ts';

/** What daemons tolerate whatever their template says: troubles of a node are what many of them are for. */
const daemonTolerations = (hostNetwork: boolean): readonly Toleration[] => [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
  ...(hostNetwork ? [{ key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' } as const] : []),
];

const tolerationsOf = ({ spec }: DaemonSet): readonly Toleration[] => {
  const own = spec.template.spec.tolerations ?? [];
  const same = (a: Toleration, b: Toleration): boolean => a.key === b.key && a.effect === b.effect && a.operator === b.operator;
  return [...own, ...daemonTolerations(spec.template.spec.hostNetwork === true).filter((one) => !own.some((other) => same(one, other)))];
};

export interface NodeFit {
  /** A pod belongs there. */
  readonly run: boolean;
  /** A pod that is there may stay: a NoSchedule taint does not drive it away. */
  readonly stay: boolean;
}

/** The test of a DaemonSet, to be asked for each node. */
export const nodeFitOf = (daemonSet: DaemonSet): ((node: Node) => NodeFit) => {
  const { spec } = daemonSet.spec.template;
  const matches = nodeMatchOf(spec);
  const tolerations = tolerationsOf(daemonSet);
  return ({ metadata, spec: nodeSpec }) => {
    const { name = '', labels = {} } = metadata;
    if ((spec.nodeName && spec.nodeName !== name) || matches?.({ name, labels }) === false) return { run: false, stay: false };
    const bad = (nodeSpec?.taints ?? []).filter((taint) => taint.effect !== 'PreferNoSchedule' && !toleratedBy(tolerations, taint));
    return { run: bad.length === 0, stay: bad.every(({ effect }) => effect !== 'NoExecute') };
  };
};

/** The pod for one node: the scheduler binds it there, and only there. */
export const daemonPod = (daemonSet: DaemonSet, nodeName: string, hash: string): NewObject<Pod> => {
  const { template } = daemonSet.spec;
  const nodeAffinity = template.spec.affinity?.nodeAffinity;
  return podOf({
    metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [revisionHashLabel]: hash } },
    spec: {
      ...template.spec, tolerations: tolerationsOf(daemonSet),
      affinity: { ...template.spec.affinity, nodeAffinity: {
        ...nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }] },
      } },
    },
  }, { object: daemonSet, kind: DaemonSet }, { prefix: `${daemonSet.metadata.name}-` });
};

/** The node of a daemon's pod: where it is, or else where it is meant to be. */
export const nodeNameOf = ({ spec }: Pod): string | undefined => {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.length === 1 ? namesOf(terms[0]!)?.[0] : undefined;
};
