import type { Strategy } from '../framework.ts';
import { podAffinityScore } from './pod-affinity-score.ts';
import { preferredAffinity } from './preferred-affinity.ts';
import { preferredTaints } from './preferred-taints.ts';
import { spreadScore } from './spread-score.ts';

/** What pods and nodes prefer, with Kubernetes' weights: it goes before how full a node is. */
export const preferences: Strategy['scorers'] = [
  { scorer: preferredAffinity, weight: 2 }, { scorer: podAffinityScore, weight: 2 }, { scorer: spreadScore, weight: 2 }, { scorer: preferredTaints, weight: 3 },
];
