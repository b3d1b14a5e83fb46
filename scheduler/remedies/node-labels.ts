import { termMatch } from '../../schemas/node-selector.ts';
import type { NodeSelectorRequirement, NodeSelectorTerm } from '../../schemas/types/affinity.ts';
import type { NodeInfo } from '../node-info.ts';
import { namesText, nodesText, type Remedy } from './remedy.ts';

const wordsOf: Readonly<Record<string, string>> = { In: 'in', NotIn: 'not in', Exists: 'exists', DoesNotExist: 'does not exist', Gt: '>', Lt: '<' };

const requirementText = ({ key, operator, values = [] }: NodeSelectorRequirement): string =>
  `${key} ${wordsOf[operator] ?? operator}${values.length === 0 ? '' : operator === 'Gt' || operator === 'Lt' ? ` ${values[0]}` : ` (${values.join(', ')})`}`;

interface Missing {
  readonly what: string;
  readonly isMet: (node: NodeInfo) => boolean;
}

const partsOf = ({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): readonly Missing[] => [
  ...matchExpressions.map((one) => ({ what: requirementText(one), isMet: termMatch({ matchExpressions: [one] }) })),
  ...matchFields.map((one) => ({ what: requirementText(one), isMet: termMatch({ matchFields: [one] }) })),
];

const current = (node: NodeInfo, key: string): string => (node.labels[key] === undefined ? '' : ` (now ${node.labels[key]})`);

/** Labels of the selector that nodes lack, and the term of the affinity that is nearest to being met. */
export const nodeLabelsRemedy: Remedy = ({ pod }, refused) => {
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  const found: string[] = [];
  for (const [key, value] of selector) {
    const lacking = refused.filter(({ labels }) => labels[key] !== value);
    if (lacking.length === 0) continue;
    const [first] = lacking;
    found.push(`${nodesText(lacking.length)} ${lacking.length === 1 ? 'lacks' : 'lack'} the label ${key}=${value}: label one that should have it, such as ${first!.name}${current(first!, key)}, or take it out of spec.nodeSelector`);
  }
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const unmet = refused.filter((node) => terms.length > 0 && !terms.some((term) => termMatch(term)(node)));
  if (unmet.length === 0) return found;
  // The term and node of which the fewest requirements are not met.
  let nearest: { readonly node: NodeInfo; readonly missing: readonly string[] } | undefined;
  for (const parts of terms.map(partsOf)) for (const node of unmet) {
    const missing = parts.filter(({ isMet }) => !isMet(node)).map(({ what }) => what);
    if (missing.length > 0 && (nearest === undefined || missing.length < nearest.missing.length)) nearest = { node, missing };
  }
  if (nearest === undefined) return [...found, 'no term of the required node affinity asks for anything: an empty term matches no node'];
  return [...found, `no term of the required node affinity is met on ${nodesText(unmet.length)}: nearest is ${nearest.node.name}, which does not meet ${namesText(nearest.missing)}; change its labels, or the affinity`];
};
