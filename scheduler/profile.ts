import { nodeAffinity } from './filters/node-affinity.ts';
import { nodeName } from './filters/node-name.ts';
import { podAffinity } from './filters/pod-affinity.ts';
import { ports } from './filters/ports.ts';
import { resources } from './filters/resources.ts';
import { taints } from './filters/taints.ts';
import { topologySpread } from './filters/topology-spread.ts';
import { unschedulable } from './filters/unschedulable.ts';
import type { Filter, Profile, Strategy } from './framework.ts';
import { binpack } from './strategies/binpack.ts';
import { random } from './strategies/random.ts';
import { spread } from './strategies/spread.ts';

/** All filters, the cheap and the lasting reasons first: a node is named with the first reason only. */
export const filters: readonly Filter[] = [unschedulable, nodeName, taints, nodeAffinity, ports, resources, topologySpread, podAffinity];

export const strategies: Readonly<Record<'spread' | 'binpack' | 'random', Strategy>> = { spread, binpack, random };
export type StrategyName = keyof typeof strategies;

export const profileOf = (strategy: StrategyName): Profile => ({ filters, strategy: strategies[strategy] });
