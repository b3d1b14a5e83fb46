/** An amount that is a number or a percentage of a total (`25%`), rounded as said; 0 for anything else. */
export const amountOf = (value: number | string | undefined, total: number, round: (fraction: number) => number): number => {
  if (value === undefined) return 0;
  if (typeof value === 'number') return Math.max(0, value);
  const match = /^(\d+)%$/.exec(value);
  return match === null ? 0 : round((Number(match[1]) * total) / 100);
};
