/** Completion indexes: of pods, and as the status writes them (`1,3-5`). */
import type { Pod } from '../../schemas/kinds/core/pod.ts';

/** On pods of an indexed Job, as annotation and as label: which completion they work on. */
export const indexKey = 'batch.kubernetes.io/job-completion-index';
/** On pods of a Job that counts failures by index: how many of the index failed before. */
export const failureCountKey = 'batch.kubernetes.io/job-index-failure-count';

const wholeNumber = (text: string | undefined): number | undefined => (text !== undefined && /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined);

/** The index of a pod; undefined where it has none that can be read. */
export const indexOf = ({ metadata }: Pod): number | undefined => wholeNumber(metadata.annotations?.[indexKey]);

/** The same for failures that the failure policy does not count. */
export const ignoredCountKey = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** How often the pods of an index failed, counted and ignored. */
export interface Failures { readonly counted: number; readonly ignored: number }

/** How often the index had failed before this pod. */
export const failuresBefore = ({ metadata }: Pod): Failures => ({
  counted: wholeNumber(metadata.annotations?.[failureCountKey]) ?? 0, ignored: wholeNumber(metadata.annotations?.[ignoredCountKey]) ?? 0,
});

/** Whether the first of two counts of one index is the later one. */
export const isLater = (a: Failures, b: Failures): boolean => a.counted + a.ignored > b.counted + b.ignored;

/** The numbers of a text such as `1,3-5` that are below a bound. */
export const parseIndexes = (text: string | undefined, below: number): Set<number> => {
  const numbers = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (match === null) continue;
    const last = Math.min(Number(match[2] ?? match[1]), below - 1);
    for (let index = Number(match[1]); index <= last; index++) numbers.add(index);
  }
  return numbers;
};

/** The text of the numbers, such as `1,3-5`: runs of three and more as a range, as in Kubernetes; undefined where there are none. */
export const indexesText = (numbers: ReadonlySet<number>): string | undefined => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length;) {
    let end = at;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    const [first, last] = [sorted[at]!, sorted[end]!];
    parts.push(first === last ? String(first) : last === first + 1 ? `${first},${last}` : `${first}-${last}`);
    at = end + 1;
  }
  return parts.length === 0 ? undefined : parts.join(',');
};
