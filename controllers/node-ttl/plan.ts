/** Where a node reads for how many seconds it may go by its copies of ConfigMaps and Secrets. */
export const ttlAnnotation = 'node.alpha.kubernetes.io/ttl';

/** Kubernetes' table. The ranges overlap, so that a cluster at a border does not write all its nodes again and again. */
const ranges = [
  { least: 0, most: 100, seconds: 0 }, { least: 90, most: 500, seconds: 15 }, { least: 450, most: 1_000, seconds: 30 },
  { least: 900, most: 2_000, seconds: 60 }, { least: 1_800, most: 10_000, seconds: 300 }, { least: 9_000, most: Infinity, seconds: 600 },
] as const;

/** The seconds for a cluster of so many nodes that had `before` until now. */
export const ttlSeconds = (nodes: number, before = 0): number => {
  let at = Math.max(0, ranges.findIndex(({ seconds }) => seconds === before));
  while (nodes > ranges[at]!.most) at++;
  while (nodes < ranges[at]!.least) at--;
  return ranges[at]!.seconds;
};
