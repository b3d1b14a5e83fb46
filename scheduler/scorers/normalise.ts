/** How scores that mean something only beside each other come to 0 to 100, over the nodes that fit; Kubernetes' formulas. */
import type { Normalise } from '../framework.ts';

const best = 100;

/** From the lowest to the highest; 0 for all where they are equal. */
export const stretched: Normalise = (scores) => {
  let [least, most] = [Infinity, -Infinity];
  for (const score of scores) {
    if (score < least) least = score;
    if (score > most) most = score;
  }
  const span = most - least;
  for (let at = 0; at < scores.length; at++) scores[at] = span > 0 ? best * (scores[at]! - least) / span : 0;
};

/** The share of the highest, in whole percent. */
export const shareOfMost: Normalise = (scores) => {
  let most = 0;
  for (const score of scores) if (score > most) most = score;
  if (most > 0) for (let at = 0; at < scores.length; at++) scores[at] = Math.floor(best * scores[at]! / most);
};

/** What the share of the highest leaves of 100: the fewer the better, and 100 for none. */
export const fewerIsBetter: Normalise = (scores) => {
  shareOfMost(scores);
  for (let at = 0; at < scores.length; at++) scores[at] = best - scores[at]!;
};

/** The emptiest gets 100, and others the less the fuller they are beside the fullest; NaN (no place at all) gets 0. */
export const emptiestOfPlaces: Normalise = (scores) => {
  let [least, most] = [Infinity, 0];
  for (const score of scores) {
    if (score < least) least = score;
    if (score > most) most = score;
  }
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at]!;
    scores[at] = Number.isNaN(score) ? 0 : most === 0 ? best : Math.floor(best * (most + least - score) / most);
  }
};
