import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Change } from '../change-each.ts';

/** The change that keeps new pods off a node or, with `uncordon`, lets them come. */
export const cordonChange = (node: Node, to: 'cordon' | 'uncordon'): Change => {
  const wanted = to === 'cordon';
  if ((node.spec?.unschedulable === true) === wanted) return { verb: `already ${to}ed` };
  return {
    verb: `${to}ed`, patch: { type: 'merge', body: { spec: { unschedulable: wanted ? true : null } } },
    preview: { ...node, spec: { ...node.spec, unschedulable: wanted } } as Node,
  };
};
