/**
 * How full a node would be, as classic Docker Swarm weighs nodes: the share of CPU and of memory that is taken with the
 * new pod on it, in whole percent each; a resource of which the pod asks for nothing counts as 100 for every node, so that
 * the number of containers decides alone.
 */
import type { Amounts } from '../amounts.ts';
import type { NodeInfo } from '../node-info.ts';

const percent = (used: number, wanted: number, available: number): number =>
  (wanted === 0 || available === 0 ? 100 : Math.min(100, Math.floor((used + wanted) * 100 / available)));

/** 0 (empty) to 200 (full). */
export const utilisation = (node: NodeInfo, wanted: Amounts): number =>
  percent(node.used.cpuMilli, wanted.cpuMilli, node.allocatable.cpuMilli) + percent(node.used.memoryBytes, wanted.memoryBytes, node.allocatable.memoryBytes);

/** 0 for no containers, and ever nearer to 1 the more there are: among equals in percent it decides, and never over one percent. */
export const crowding = ({ containers }: NodeInfo): number => containers / (containers + 1);

/** The step between two values of `utilisation` on a scale of 0 to 100. */
export const step = 0.5;
