import { quantityOfBytes, quantityOfMilli } from '../../schemas/quantity.ts';
import type { NodeInfo } from '../node-info.ts';
import { nodesText, type Remedy } from './remedy.ts';

interface Measure {
  readonly name: string;
  readonly wanted: number;
  readonly free: (node: NodeInfo) => number;
  readonly whole: (node: NodeInfo) => number;
  readonly text: (amount: number) => string;
}

const greatest = (nodes: readonly NodeInfo[], amount: (node: NodeInfo) => number): NodeInfo =>
  nodes.reduce((best, node) => (amount(node) > amount(best) ? node : best));

const lackText = ({ name, wanted, free, whole, text }: Measure, lacking: readonly NodeInfo[]): string => {
  const largest = greatest(lacking, whole);
  const best = greatest(lacking, free);
  const left = Math.max(0, free(best));
  const lead = `${nodesText(lacking.length)} ${lacking.length === 1 ? 'lacks' : 'lack'} ${text(wanted)} ${name}`;
  const less = left > 0 ? `ask for at most ${text(left)}` : `ask for no ${name}`;
  if (whole(largest) < wanted) return `${lead}: none has that much at all, the largest has ${text(whole(largest))} of which ${text(Math.max(0, free(largest)))} is free (${largest.name}); ${less}, or add a larger node`;
  const room = lacking.filter((node) => whole(node) >= wanted);
  const nearest = greatest(room, free);
  return `${lead}: the most that is free is ${text(left)} (${best.name}); ${less}, or free ${text(wanted - free(nearest))} on ${nearest.name}`;
};

/** How much of what is missing, and the node that is nearest to having it. */
export const resourcesRemedy: Remedy = ({ requests }, refused) => {
  const measures: readonly Measure[] = [
    { name: 'cpu', wanted: requests.cpuMilli, free: ({ allocatable, used }) => allocatable.cpuMilli - used.cpuMilli, whole: ({ allocatable }) => allocatable.cpuMilli, text: quantityOfMilli },
    { name: 'memory', wanted: requests.memoryBytes, free: ({ allocatable, used }) => allocatable.memoryBytes - used.memoryBytes, whole: ({ allocatable }) => allocatable.memoryBytes, text: quantityOfBytes },
    { name: 'ephemeral-storage', wanted: requests.storageBytes, free: ({ allocatable, used }) => allocatable.storageBytes - used.storageBytes, whole: ({ allocatable }) => allocatable.storageBytes, text: quantityOfBytes },
    ...[...requests.others].map(([name, wanted]): Measure => ({
      name, wanted, free: ({ allocatable, used }) => (allocatable.others.get(name) ?? 0) - (used.others.get(name) ?? 0), whole: ({ allocatable }) => allocatable.others.get(name) ?? 0, text: String,
    })),
  ];
  const full = refused.filter((node) => node.podCount + 1 > node.allowedPods);
  return [
    ...(full.length === 0 ? [] : [`${nodesText(full.length)} ${full.length === 1 ? 'has' : 'have'} as many pods as allowed (${[...new Set(full.map(({ allowedPods }) => allowedPods))].join(', ')}): remove a pod from ${full[0]!.name}, or add a node`]),
    ...measures.flatMap((measure) => {
      const lacking = measure.wanted > 0 ? refused.filter((node) => measure.free(node) < measure.wanted) : [];
      return lacking.length === 0 ? [] : [lackText(measure, lacking)];
    }),
  ];
};
