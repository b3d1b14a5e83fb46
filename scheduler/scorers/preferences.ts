import type { Strategy } from '../framework.ts';
import { nodeAffinityScore } from './node-affinity-score.ts';
import { podAffinityScore } from './pod-affinity-score.ts';
import { spreadScore } from './spread-score.ts';
import { taintScore } from './taint-score.ts';

/** What pods and nodes prefer, with Kubernetes' weights: it goes before how full a node is. */
export const preferences: Strategy['scorers'] = [
  { scorer: nodeAffinityScore, weight: 2 }, { scorer: podAffinityScore, weight: 2 }, { scorer: spreadScore, weight: 2 }, { scorer: taintScore, weight: 3 },
];
