import { nodeAffinity } from './filters/node-affinity.ts';
import { nodeName } from './filters/node-name.ts';
import { podAffinity } from './filters/pod-affinity.ts';
import { ports } from './filters/ports.ts';
import { resources } from './filters/resources.ts';
import { taints } from './filters/taints.ts';
import { topologySpread } from './filters/topology-spread.ts';
import { unschedulable } from './filters/unschedulable.ts';
import type { Filter, Profile } from './framework.ts';
import { strategies, type StrategyName } from './strategies.ts';

/** All filters, the cheap and the lasting reasons first: a node is named with the first reason only. */
export const filters: readonly Filter[] = [unschedulable, nodeName, taints, nodeAffinity, ports, resources, topologySpread, podAffinity];

/** All filters, and one of the strategies that have a name. */
export const profileOf = (strategy: StrategyName): Profile => ({ filters, strategy: strategies[strategy] });
