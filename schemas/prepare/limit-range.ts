import type { Draft } from '../frozen.ts';
import type { LimitRangeItem } from '../kinds/core/limit-range.ts';

/** For containers: a limit that is not said is the most, a request that is not said the limit, else the least. */
export const prepareLimitRangeItem = (item: Draft<LimitRangeItem>): void => {
  if (item.type !== 'Container') return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
};
