import { toleratedBy } from '../../schemas/tolerations.ts';
import { namesText, type Remedy } from './remedy.ts';

/** Taints that tell of a state: taking them off helps nobody. */
const states: Readonly<Record<string, string>> = {
  'node.kubernetes.io/not-ready': 'not ready', 'node.kubernetes.io/unreachable': 'not heard of', 'node.kubernetes.io/unschedulable': 'cordoned',
  'node.kubernetes.io/memory-pressure': 'short of memory', 'node.kubernetes.io/disk-pressure': 'short of disk space', 'node.kubernetes.io/pid-pressure': 'short of process ids', 'node.kubernetes.io/network-unavailable': 'without a network',
};

/** Each taint that the pod does not tolerate, with its nodes. */
export const taintsRemedy: Remedy = ({ pod }, refused) => {
  const tolerations = pod.spec?.tolerations ?? [];
  const byTaint = new Map<string, { readonly key: string; readonly nodes: string[] }>();
  for (const { name, node } of refused) for (const taint of node?.spec?.taints ?? []) {
    if (taint.effect === 'PreferNoSchedule' || toleratedBy(tolerations, taint)) continue;
    const text = `${taint.key}${taint.value === undefined || taint.value === '' ? '' : `=${taint.value}`}:${taint.effect}`;
    const known = byTaint.get(text);
    if (known === undefined) byTaint.set(text, { key: taint.key, nodes: [name] });
    else if (!known.nodes.includes(name)) known.nodes.push(name);
  }
  return [...byTaint].map(([text, { key, nodes }]) => {
    const state = states[key];
    const are = nodes.length === 1 ? 'is' : 'are';
    return state === undefined
      ? `let the pod tolerate ${text}, or take that taint off ${namesText(nodes, 'or')}`
      : `${namesText(nodes)} ${are} ${state} (taint ${text}): see to the node${nodes.length === 1 ? '' : 's'}, or let the pod tolerate it`;
  });
};
