import type { PodInfo } from '../pod-info.ts';

const hashLabel = 'pod-template-hash';

/**
 * What stands for SwarmKit's service: all pods of one controller; of a Deployment those of all its ReplicaSets, whose
 * names end with a hash that is also a label. A pod without a controller is a service of its own.
 */
export const serviceOf = ({ pod, key }: PodInfo): string => {
  const { namespace = '', labels, ownerReferences = [] } = pod.metadata;
  const owner = ownerReferences.find(({ controller }) => controller === true);
  if (owner === undefined) return `Pod/${key}`;
  const hash = labels?.[hashLabel];
  const ofDeployment = owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`);
  return ofDeployment ? `Deployment/${namespace}/${owner.name.slice(0, -hash.length - 1)}` : `${owner.kind}/${namespace}/${owner.name}`;
};
