/**
 * What the node has set aside for a pod, and whether it can set aside more. A pod that is new on the node is given what it
 * asks for (the scheduler has seen to the room); one whose resources change later is given them when there is room. Pure.
 */
import { requestsWithOverhead } from '../../schemas/pod-resources.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { readAmounts, type ResourceAmounts } from '../../schemas/resource-amounts.ts';
import type { Container } from '../../schemas/types/container.ts';
import type { ResourceRequirements } from '../../schemas/types/resources.ts';
import { appContainers, initContainers, recordedStatuses, type PendingResize } from '../pod-view.ts';

/** Resources by container. */
export type Allocation = ReadonlyMap<string, ResourceRequirements>;

type Amounts = Readonly<Record<string, string>> | undefined;

const resizable = ['cpu', 'memory'] as const;
const isResizable = (name: string): boolean => (resizable as readonly string[]).includes(name);

/** The wanted amounts, with those that can be resized as somebody else has them. */
const withAmounts = (wanted: Amounts, given: Amounts): Amounts => {
  const merged = {
    ...Object.fromEntries(Object.entries(wanted ?? {}).filter(([name]) => !isResizable(name))),
    ...Object.fromEntries(Object.entries(given ?? {}).filter(([name]) => isResizable(name))),
  };
  return Object.keys(merged).length === 0 ? undefined : merged;
};

const given = ({ requests, limits, ...rest }: ResourceRequirements, has: ResourceRequirements): ResourceRequirements => {
  const [asked, bound] = [withAmounts(requests, has.requests), withAmounts(limits, has.limits)];
  return { ...rest, ...(asked === undefined ? {} : { requests: asked }), ...(bound === undefined ? {} : { limits: bound }) };
};

/** What a pod asks for. */
export const wantedAllocation = (pod: Pod): Allocation => new Map([...initContainers(pod), ...appContainers(pod)].map(({ name, resources = {} }) => [name, resources]));

/** What a pod was given as far as its status tells, by which an agent that was started again goes on; what it asks for where it does not. */
export const recordedAllocation = (pod: Pod): Allocation => {
  const recorded = new Map(recordedStatuses(pod).map(({ name, resources }) => [name, resources]));
  return new Map([...wantedAllocation(pod)].map(([name, wanted]) => {
    const has = recorded.get(name);
    return [name, has === undefined ? wanted : given(wanted, has)];
  }));
};

/** The pod with the resources that it was given in the place of those that it asks for; itself where they are the same. */
export const withAllocation = (pod: Pod, allocation: Allocation): Pod => {
  const { initContainers: inits, containers } = pod.spec;
  const changed = (container: Container): Container => {
    const resources = allocation.get(container.name);
    return resources === undefined || deepEqual(resources, container.resources ?? {}) ? container : { ...container, resources };
  };
  const [newInits, newContainers] = [inits?.map(changed), containers.map(changed)];
  const same = newContainers.every((one, index) => one === containers[index]) && (newInits ?? []).every((one, index) => one === inits?.[index]);
  return same ? pod : { ...pod, spec: { ...pod.spec, containers: newContainers, ...(newInits === undefined ? {} : { initContainers: newInits }) } };
};

/** What a pod takes of the node with what it was given. */
export const allocatedAmounts = (pod: Pod, allocation: Allocation): ResourceAmounts => requestsWithOverhead(withAllocation(pod, allocation).spec);

export interface Room {
  readonly allocatable: Readonly<Record<string, string>>;
  /** What all other pods of the node have been given. */
  readonly others: ResourceAmounts;
  /** What the pod has been given so far. */
  readonly has: ResourceAmounts;
}

/** Thousandths of a core, or bytes, as Kubernetes says them. */
const shown = (name: string, nano: bigint): string => String(name === 'cpu' ? nano / 1_000_000n : nano / 1_000_000_000n);

/** Why the pod cannot have what it asks for; undefined when it can. Less than it has it can always have. */
export const whyPending = (wanted: ResourceAmounts, { allocatable, others, has }: Room): PendingResize | undefined => {
  const room = readAmounts(allocatable);
  const amount = (amounts: ResourceAmounts, name: string): bigint => amounts.get(name)?.nano ?? 0n;
  const grown = resizable.filter((name) => amount(wanted, name) > amount(has, name));
  const tooMuch = grown.find((name) => amount(wanted, name) > amount(room, name));
  if (tooMuch !== undefined) {
    return { reason: 'Infeasible', message: `Node didn't have enough capacity: ${tooMuch}, requested: ${shown(tooMuch, amount(wanted, tooMuch))}, capacity: ${shown(tooMuch, amount(room, tooMuch))}` };
  }
  const short = grown.find((name) => amount(wanted, name) + amount(others, name) > amount(room, name));
  if (short === undefined) return undefined;
  return { reason: 'Deferred', message: `Node didn't have enough resource: ${short}, requested: ${shown(short, amount(wanted, short))}, used: ${shown(short, amount(others, short))}, capacity: ${shown(short, amount(room, short))}` };
};
