import { nodeAffinity } from './filters/node-affinity.ts';
import { nodeName } from './filters/node-name.ts';
import { podAffinity } from './filters/pod-affinity.ts';
import { ports } from './filters/ports.ts';
import { resources } from './filters/resources.ts';
import { taints } from './filters/taints.ts';
import { topologySpread } from './filters/topology-spread.ts';
import { unschedulable } from './filters/unschedulable.ts';
import { swarmAffinity } from './filters/swarm-affinity.ts';
import { swarmConstraint } from './filters/swarm-constraint.ts';
import { swarmDependency } from './filters/swarm-dependency.ts';
import { swarmMaxReplicas } from './filters/swarm-max-replicas.ts';
import { swarmSlots } from './filters/swarm-slots.ts';
import { swarmWhitelist } from './filters/swarm-whitelist.ts';
import { volumeBinding } from './filters/volume-binding.ts';
import { volumeRestrictions } from './filters/volume-restrictions.ts';
import type { Filter, Profile, Sieve } from './framework.ts';
import { swarmPreferences } from './sieves/swarm-preferences.ts';
import { swarmSoft } from './sieves/swarm-soft.ts';
import { strategies, type StrategyName } from './strategies.ts';

/** All filters, the cheap and the lasting reasons first: a node is named with the first reason only. */
export const filters: readonly Filter[] = [
  unschedulable, nodeName, taints, nodeAffinity, swarmConstraint, swarmWhitelist, ports, swarmSlots, resources, volumeRestrictions, volumeBinding, topologySpread, podAffinity, swarmAffinity, swarmDependency, swarmMaxReplicas,
];

/** What a pod wants most goes before how it is spread. */
export const sieves: readonly Sieve[] = [swarmSoft, swarmPreferences];

/** Whether a profile asks for what selects pods, so that services and workloads must be followed. */
export const followsSelectors = ({ strategy }: Profile): boolean => strategy.scorers.some(({ scorer }) => scorer.dependsOn !== undefined);

/** All filters, and one of the strategies that have a name. */
export const profileOf = (strategy: StrategyName): Profile => ({ filters, sieves, strategy: strategies[strategy] });
