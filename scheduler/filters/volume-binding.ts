import type { Filter } from '../framework.ts';

/** Keeps a pod to nodes that reach the volumes of its claims, or where its claims can get volumes. */
export const volumeBinding: Filter = {
  name: 'VolumeBinding',
  wokenBy: ['nodeAdded', 'nodeLabels', 'volumes'],
  preclude: (pod, cluster) => (pod.claims.length === 0 ? undefined : cluster.volumes.whyNowhere(pod)),
  prepare: (pod, cluster) => (pod.claims.length === 0 ? undefined : (node) => {
    const plan = cluster.volumes.plan(pod, node);
    return typeof plan === 'string' ? plan : undefined;
  }),
};
