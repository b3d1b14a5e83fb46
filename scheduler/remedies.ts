/** What would have to change, by the name of the filter that refuses. A filter without an entry says no more than its reason. */
import { nodeLabelsRemedy } from './remedies/node-labels.ts';
import { podAffinityRemedy, topologySpreadRemedy } from './remedies/neighbours.ts';
import { portsRemedy } from './remedies/ports.ts';
import { namesText, type Remedy } from './remedies/remedy.ts';
import { resourcesRemedy } from './remedies/resources.ts';
import { swarmAffinityRemedy, swarmConstraintRemedy, swarmDependencyRemedy, swarmMaxReplicasRemedy, swarmSlotsRemedy, swarmWhitelistRemedy } from './remedies/swarm.ts';
import { taintsRemedy } from './remedies/taints.ts';
import { volumeBindingRemedy, volumeRestrictionsRemedy } from './remedies/volumes.ts';

const unschedulableRemedy: Remedy = (_, refused) => [`take the cordon off ${namesText(refused.map(({ name }) => name), 'or')} (kubectl uncordon NODE)`];

const nodeNameRemedy: Remedy = ({ pod }, _, cluster) => {
  const name = pod.spec?.nodeName ?? '';
  return [cluster.node(name) === undefined ? `the pod names node ${name}, which does not exist: name another, or none` : `the pod names node ${name}: only that one will do`];
};

export const remedies: ReadonlyMap<string, Remedy> = new Map([
  ['Unschedulable', unschedulableRemedy], ['NodeName', nodeNameRemedy], ['Taints', taintsRemedy], ['NodeAffinity', nodeLabelsRemedy], ['Ports', portsRemedy], ['Resources', resourcesRemedy],
  ['TopologySpread', topologySpreadRemedy], ['PodAffinity', podAffinityRemedy], ['SwarmConstraint', swarmConstraintRemedy], ['SwarmWhitelist', swarmWhitelistRemedy],
  ['SwarmAffinity', swarmAffinityRemedy], ['SwarmDependency', swarmDependencyRemedy], ['SwarmSlots', swarmSlotsRemedy], ['SwarmMaxReplicas', swarmMaxReplicasRemedy],
  ['VolumeBinding', volumeBindingRemedy], ['VolumeRestrictions', volumeRestrictionsRemedy],
]);
