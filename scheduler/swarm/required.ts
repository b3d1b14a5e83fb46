import type { SwarmExpression } from '../../schemas/swarm/expression.ts';
import { swarmPlacement } from '../../schemas/swarm/placement.ts';
import type { Check } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';
import type { NodeMatch } from './node-match.ts';

/** What a pod says in Swarm's language that must be met; soft expressions are a sieve's. */
export const required = ({ pod }: PodInfo, what: 'constraints' | 'whitelists' | 'affinities'): readonly SwarmExpression[] =>
  (swarmPlacement(pod.metadata.annotations)?.[what] ?? []).filter(({ soft }) => !soft);

/** Refuses nodes that the expressions do not mean, each with the first one that it does not meet; undefined where there are none. */
export const refuseUnmet = (expressions: readonly SwarmExpression[], matchOf: (expression: SwarmExpression) => NodeMatch, why: string): Check | undefined => {
  if (expressions.length === 0) return undefined;
  const checks = expressions.map((expression) => ({ text: expression.text, matches: matchOf(expression) }));
  return ({ node }) => {
    const unmet = node === undefined ? undefined : checks.find(({ matches }) => !matches(node));
    return unmet === undefined ? undefined : `${why} ${unmet.text}`;
  };
};
