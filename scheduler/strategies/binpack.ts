import type { Scorer, Strategy } from '../framework.ts';
import { preferences } from '../scorers/preferences.ts';
import { crowding, step, utilisation } from './utilisation.ts';

/** The fullest node: highest utilisation, and among those the one with the most containers. */
export const fullest: Scorer = {
  name: 'Fullest',
  prepare: ({ requests }) => (node) => (100 - step) * utilisation(node, requests) / 200 + step * 0.9 * crowding(node),
};

/** Fills one node after the other, so that large pods find room on the rest. */
export const binpack: Strategy = {
  name: 'binpack',
  scorers: [{ scorer: fullest, weight: 1 }, ...preferences],
};
