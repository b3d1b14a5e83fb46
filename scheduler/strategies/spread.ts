import type { Scorer, Strategy } from '../framework.ts';
import { preferences } from '../scorers/preferences.ts';
import { crowding, step, utilisation } from './utilisation.ts';

/** The emptiest node: lowest utilisation, and among those the one with the fewest containers. */
export const emptiest: Scorer = {
  name: 'Emptiest',
  prepare: ({ requests }) => (node) => (100 - step) * (1 - utilisation(node, requests) / 200) + step * 0.9 * (1 - crowding(node)),
};

/** Spreads pods over all nodes, so that the loss of one takes few of them. What a pod prefers goes before. */
export const spread: Strategy = {
  name: 'spread',
  scorers: [{ scorer: emptiest, weight: 1 }, ...preferences],
};
