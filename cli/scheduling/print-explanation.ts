import type { SchedulingExplanation } from '../../scheduler/explanation.ts';
import { ColumnLayout } from '../print-table.ts';

/** What is printed of one pod. */
export interface Explained extends SchedulingExplanation {
  /** `namespace/name`. */
  readonly pod: string;
  /** Where it is. */
  readonly node?: string;
  /** What could not be read or known, and what that means. */
  readonly notes: readonly string[];
}

const shownNodes = 10;

const list = (names: readonly string[]): string => (names.length > shownNodes ? `${names.slice(0, shownNodes).join(', ')} and ${names.length - shownNodes} more` : names.join(', '));

const heading = ({ pod, node, message, ranking, nodeCount, strategy }: Explained): string => {
  const fits = `${ranking.length} of ${nodeCount} node${nodeCount === 1 ? '' : 's'} fit${ranking.length === 1 ? 's' : ''}`;
  if (node === undefined) return message === undefined ? `Pod ${pod} has no node yet, and ${fits}: it will be placed by strategy ${strategy}.` : `Pod ${pod} cannot be placed: ${message}`;
  const best = ranking[0];
  if (message !== undefined) return `Pod ${pod} is on node ${node}. As the cluster is now it could not be placed: ${message}`;
  const still = ranking.find((one) => one.node === node);
  if (best === undefined || still === undefined) return `Pod ${pod} is on node ${node}, which would not be chosen as the cluster is now; ${fits}.`;
  const equals = ranking.filter(({ total, passedOver }) => passedOver === undefined && total === best.total);
  if (!equals.some((one) => one.node === node)) return `Pod ${pod} is on node ${node}. As the cluster is now, strategy ${strategy} would choose ${best.node}; ${fits}.`;
  return `Pod ${pod} is on node ${node}: ${fits}, and of them strategy ${strategy} ranks ${node} ${equals.length === 1 ? 'first' : `first, with ${equals.length - 1} more: chance decides among equals`}.`;
};

const rankingLines = ({ ranking, node }: Explained): string => {
  const shown = ranking.filter((one, index) => index < shownNodes || one.node === node);
  if (shown.length === 0) return '';
  const scorers = [...new Set(shown.flatMap(({ scores }) => Object.keys(scores)))];
  const rows = shown.map((one) => [
    one.node, ...scorers.map((scorer) => (one.scores[scorer] ?? 0).toFixed(1)), one.total.toFixed(1),
    one.passedOver === undefined ? one.node === node ? 'the pod is here' : '' : `passed over by ${one.passedOver}`,
  ]);
  const more = ranking.length - shown.length;
  return `\nNodes that fit, best first (scores by scorer, weighed):\n${new ColumnLayout().lines([['NODE', ...scorers.map((scorer) => scorer.toUpperCase()), 'TOTAL', ''], ...rows].map((row) => trimmed(row)))}${more > 0 ? `and ${more} more\n` : ''}`;
};

const trimmed = (row: readonly string[]): readonly string[] => (row.at(-1) === '' ? row.slice(0, -1) : row);

/** The explanation for people: what was decided, each filter that refuses nodes, what would have to change, and the ranking. */
export const explanationText = (explained: Explained): string => {
  const { filters, nearest, notes } = explained;
  const rows = filters.flatMap(({ filter, nodeCount, reasons }) => reasons.map(({ reason, nodes }, index) => [index === 0 ? filter : '', index === 0 ? String(nodeCount) : '', `${reason}: ${list(nodes)}`]));
  const changes = filters.flatMap(({ filter, remedies }) => remedies.map((remedy) => `  ${filter}: ${remedy}\n`));
  const byFilter = Map.groupBy(nearest, ({ filter }) => filter);
  const near = [...byFilter].map(([filter, all]) => `  ${list(all.map(({ node }) => node))}: ${filter} alone is in the way\n`);
  return [
    `${heading(explained)}\n`,
    rows.length === 0 ? '' : `\n${new ColumnLayout().lines([['FILTER', 'NODES', 'REFUSED BECAUSE'], ...rows])}`,
    explained.message === undefined || changes.length === 0 ? '' : `\nWhat would have to change${filters.length > 1 ? ' (all that refuse one and the same node)' : ''}:\n${changes.join('')}`,
    explained.message === undefined || near.length === 0 || filters.length === 1 ? '' : `\nNearest to fitting:\n${near.join('')}`,
    rankingLines(explained),
    notes.length === 0 ? '' : `\n${notes.map((note) => `Note: ${note}.\n`).join('')}`,
  ].join('');
};
