/** Number of letters to insert, delete, replace or swap to get from one word to the other; at most `limit` + 1. */
const distance = (a: string, b: string, limit: number): number => {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      next.push(best);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
};

/** The word that was probably meant: at most two letters away, or one that begins with what was typed. */
export const closest = (typed: string, words: readonly string[]): string | undefined => {
  const limit = typed.length < 4 ? 1 : 2;
  let found: string | undefined;
  let least = limit + 1;
  for (const word of words) {
    const far = distance(typed, word, limit);
    if (far < least) {
      least = far;
      found = word;
    }
  }
  return found ?? (typed.length < 3 ? undefined : words.find((word) => word.startsWith(typed)));
};
