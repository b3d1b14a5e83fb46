import type { NodeSelectorRequirement, NodeSelectorTerm } from './types/affinity.ts';
import type { PodSpec } from './types/pod-spec.ts';

/** What node selectors look at. */
export interface NodeIdentity {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type NodeMatch = (node: NodeIdentity) => boolean;

const integer = /^[+-]?\d+$/;

/** Whether one requirement holds for a value; undefined is a label that is not there. */
const holds = ({ operator, values = [] }: NodeSelectorRequirement): ((value: string | undefined) => boolean) => {
  switch (operator) {
    case 'In': return (value) => value !== undefined && values.includes(value);
    case 'NotIn': return (value) => value === undefined || !values.includes(value);
    case 'Exists': return (value) => value !== undefined;
    case 'DoesNotExist': return (value) => value === undefined;
    case 'Gt':
    case 'Lt': {
      const text = values[0] ?? '';
      if (values.length !== 1 || !integer.test(text)) return () => false;
      const bound = BigInt(text);
      return (value) => value !== undefined && integer.test(value) && (operator === 'Gt' ? BigInt(value) > bound : BigInt(value) < bound);
    }
    default: return () => false;
  }
};

/** A term: all its requirements hold. One without any matches no node. Of fields there is metadata.name only. */
export const termMatch = ({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): NodeMatch => {
  if (matchExpressions.length === 0 && matchFields.length === 0) return () => false;
  const labels = matchExpressions.map((requirement) => ({ key: requirement.key, test: holds(requirement) }));
  const fields = matchFields.map((requirement) => ({ key: requirement.key, test: holds(requirement) }));
  return (node) => labels.every(({ key, test }) => test(Object.hasOwn(node.labels, key) ? node.labels[key] : undefined))
    && fields.every(({ key, test }) => key === 'metadata.name' && test(node.name));
};

/** The node names that a term admits, where it names them. */
export const namesOf = ({ matchFields = [] }: NodeSelectorTerm): readonly string[] | undefined =>
  matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')?.values;

/** Whether a pod may be on a node by its node selector and its required node affinity; undefined where it has neither. */
export const nodeMatchOf = (spec: Pick<PodSpec, 'nodeSelector' | 'affinity'> | undefined): NodeMatch | undefined => {
  const selector = Object.entries(spec?.nodeSelector ?? {});
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.map(termMatch);
  if (selector.length === 0 && terms === undefined) return undefined;
  return (node) => selector.every(([key, value]) => node.labels[key] === value) && (terms === undefined || terms.some((matches) => matches(node)));
};
