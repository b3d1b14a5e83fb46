/**
 * Whether a pod that named its node itself may be there. What the scheduler has bound was looked at by it, and is not judged
 * again: two looks at two moments would refuse pods that are right. The kubelet judges both. Pure.
 */
import { isConditionTrue } from '../../schemas/conditions.ts';
import { HostPorts, hostPortsOf } from '../../schemas/host-ports.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { nodeMatchOf, type NodeIdentity } from '../../schemas/node-selector.ts';
import { requestsWithOverhead } from '../../schemas/pod-resources.ts';
import { isExtendedResource } from '../../schemas/quota/usage.ts';
import { readAmounts, type ResourceAmounts } from '../../schemas/resource-amounts.ts';
import { timeMs } from '../../schemas/timestamps.ts';
import type { Verdict } from '../pod-view.ts';

export interface NodeRoom {
  readonly node: NodeIdentity;
  readonly allocatable: Readonly<Record<string, string>>;
  /** The pods of the node that have not ended. */
  readonly pods: readonly Pod[];
  /** What these have been given. */
  readonly given: (pods: readonly Pod[]) => ResourceAmounts;
}

const refused = (reason: Verdict['reason'], why: string): Verdict => ({ reason, message: `Pod was rejected: ${why}` });

/** Of two that come at once one has the node's room, the same one whoever asks. */
const isBefore = (a: Pod, b: Pod): boolean => {
  const [made, madeB] = [timeMs(a.metadata.creationTimestamp) ?? 0, timeMs(b.metadata.creationTimestamp) ?? 0];
  return a.status?.startTime !== undefined || made < madeB || (made === madeB && (a.metadata.uid ?? '') < (b.metadata.uid ?? ''));
};

/** Thousandths of a core, or whole units, as Kubernetes says them. */
const shown = (name: string, nano: bigint): string => String(name === 'cpu' ? nano / 1_000_000n : nano / 1_000_000_000n);

const outOf = (name: string, [requested, used, capacity]: readonly [string, string, string]): Verdict =>
  refused(`OutOf${name}`, `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`);

/** Why a pod that is new on the node may not begin there; undefined where it may. */
export const whyDoesNotFit = (pod: Pod, { node, allocatable, pods, given }: NodeRoom): Verdict | undefined => {
  if (isConditionTrue(pod.status?.conditions, 'PodScheduled')) return undefined;
  const others = pods.filter((other) => other.metadata.uid !== pod.metadata.uid && isBefore(other, pod));
  const room = readAmounts(allocatable);
  const most = Number((room.get('pods')?.nano ?? 0n) / 1_000_000_000n);
  if (others.length >= most) return outOf('pods', ['1', String(others.length), String(most)]);
  const used = given(others);
  for (const [name, { nano }] of requestsWithOverhead(pod.spec)) {
    const [has, taken] = [room.get(name)?.nano ?? 0n, used.get(name)?.nano ?? 0n];
    // Devices are told by others, and may not be known yet.
    if (nano > 0n && nano + taken > has && !isExtendedResource(name)) return outOf(name, [shown(name, nano), shown(name, taken), shown(name, has)]);
  }
  if (nodeMatchOf(pod.spec)?.(node) === false) return refused('NodeAffinity', "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector");
  const ports = new HostPorts();
  for (const other of others) ports.add(hostPortsOf(other));
  return ports.conflicts(hostPortsOf(pod)) ? refused('NodePorts', "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports") : undefined;
};
