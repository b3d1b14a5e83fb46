import type { Strategy } from '../framework.ts';

/** Any node that passes the filters: all score alike, and chance decides among equals. */
export const random: Strategy = { name: 'random', scorers: [] };
