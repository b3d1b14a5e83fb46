import { toleratedBy } from '../../schemas/tolerations.ts';
import type { Filter } from '../framework.ts';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

/** Keeps pods off cordoned nodes, unless they tolerate the taint of cordoned nodes. */
export const unschedulable: Filter = {
  name: 'Unschedulable',
  isLocal: () => true,
  wokenBy: ['nodeAdded', 'nodeUnschedulable'],
  prepare: ({ pod }) => (toleratedBy(pod.spec?.tolerations ?? [], taint)
    ? undefined
    : ({ isCordoned }) => (isCordoned ? 'node(s) were unschedulable' : undefined)),
};
