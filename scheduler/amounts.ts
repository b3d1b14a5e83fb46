import { deepEqual } from '../schemas/frozen.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { cpuMilli, memoryBytes, wholeUnits } from '../schemas/quantity.ts';

/** Amounts of resources, as numbers that add up: what a pod asks for, what a node has. */
export interface Amounts {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** ephemeral-storage. */
  readonly storageBytes: number;
  /** Whole units of everything else: huge pages, devices. */
  readonly others: ReadonlyMap<string, number>;
}

const none: ReadonlyMap<string, number> = new Map();
export const noAmounts: Amounts = Object.freeze({ cpuMilli: 0, memoryBytes: 0, storageBytes: 0, others: none });

type ResourceList = Readonly<Record<string, string>>;

/** Reads a resource list. Throws RangeError for what is no quantity. `pods` is a limit of its own and left out. */
export const amountsOf = (list: ResourceList | undefined): Amounts => {
  if (list === undefined) return noAmounts;
  let others: Map<string, number> | undefined;
  for (const name in list) {
    if (name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage' && name !== 'pods') (others ??= new Map()).set(name, wholeUnits(list[name]));
  }
  return { cpuMilli: cpuMilli(list['cpu']), memoryBytes: memoryBytes(list['memory']), storageBytes: memoryBytes(list['ephemeral-storage']), others: others ?? none };
};

const combine = (a: Amounts, b: Amounts, each: (a: number, b: number) => number): Amounts => {
  let others = a.others.size === 0 && b.others.size === 0 ? none : undefined;
  if (others === undefined) {
    const all = new Map<string, number>();
    for (const name of [...a.others.keys(), ...b.others.keys()]) all.set(name, each(a.others.get(name) ?? 0, b.others.get(name) ?? 0));
    others = all;
  }
  return { cpuMilli: each(a.cpuMilli, b.cpuMilli), memoryBytes: each(a.memoryBytes, b.memoryBytes), storageBytes: each(a.storageBytes, b.storageBytes), others };
};

const plus = (a: Amounts, b: Amounts): Amounts => combine(a, b, (x, y) => x + y);
const most = (a: Amounts, b: Amounts): Amounts => combine(a, b, Math.max);

/** A sum of amounts that changes in place. */
export class Tally implements Amounts {
  cpuMilli = 0;
  memoryBytes = 0;
  storageBytes = 0;
  others: ReadonlyMap<string, number> = none;

  /** Counts amounts in (1) or out again (-1). */
  count({ cpuMilli, memoryBytes, storageBytes, others }: Amounts, sign: 1 | -1): void {
    this.cpuMilli += sign * cpuMilli;
    this.memoryBytes += sign * memoryBytes;
    this.storageBytes += sign * storageBytes;
    if (others.size === 0) return;
    const sums = new Map(this.others);
    for (const [name, amount] of others) sums.set(name, (sums.get(name) ?? 0) + sign * amount);
    this.others = sums;
  }
}

/** What a container asks for; a limit without a request is one. */
const containerRequests = ({ resources }: { readonly name: string; readonly resources?: { readonly requests?: ResourceList | undefined; readonly limits?: ResourceList | undefined } | undefined }): Amounts =>
  (resources === undefined ? noAmounts : amountsOf({ ...resources.limits, ...resources.requests }));

interface Given { readonly name: string; readonly resources?: { readonly requests?: ResourceList | undefined } | undefined; readonly allocatedResources?: ResourceList | undefined }

/** What the node says that it gave the containers of a pod. */
const givenTo = ({ status }: Pod): readonly Given[] =>
  [...status?.initContainerStatuses ?? [], ...status?.containerStatuses ?? []].filter(({ resources, allocatedResources }) => resources?.requests !== undefined || allocatedResources !== undefined);

const isInfeasible = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is, reason }) => type === 'PodResizePending' && is === 'True' && reason === 'Infeasible') ?? false;

/** True when two states of a pod with one spec take the same of its node. */
export const isGivenTheSame = (pod: Pod, other: Pod): boolean => {
  const read = (one: Pod): unknown => givenTo(one).map(({ name, resources, allocatedResources }) => [name, resources?.requests, allocatedResources]);
  return isInfeasible(pod) === isInfeasible(other) && deepEqual(read(pod), read(other));
};

/**
 * What a container takes of its node: what it asks for, or what it was given or still has where that is more, while its
 * resources are being changed. What its node can never give does not count. All as in Kubernetes.
 */
const takenBy = (pod: Pod): typeof containerRequests => {
  const given = givenTo(pod);
  if (given.length === 0) return containerRequests;
  const infeasible = isInfeasible(pod);
  return (container) => {
    const status = given.find(({ name }) => name === container.name);
    const wanted = containerRequests(container);
    if (status === undefined) return wanted;
    const has = most(amountsOf(status.resources?.requests), amountsOf(status.allocatedResources));
    return infeasible ? has : most(wanted, has);
  };
};

/**
 * What a pod takes of a node: its containers together with its sidecars (init containers that restart always), or more
 * where an init container needs more beside the sidecars that started before it; requests of the pod as a whole go before
 * both; the overhead of its runtime comes on top.
 */
export const requestsOf = (pod: Pod): Amounts => sumOf(pod, takenBy(pod));

const sumOf = ({ spec }: Pod, requestsOfContainer: typeof containerRequests): Amounts => {
  let sidecars = noAmounts;
  let peak = noAmounts;
  for (const container of spec?.initContainers ?? []) {
    const own = requestsOfContainer(container);
    if (container.restartPolicy === 'Always') {
      sidecars = plus(sidecars, own);
      peak = most(peak, sidecars);
    } else {
      peak = most(peak, plus(sidecars, own));
    }
  }
  let running = sidecars;
  for (const container of spec?.containers ?? []) running = plus(running, requestsOfContainer(container));
  let total = most(running, peak);
  const whole = spec?.resources === undefined ? undefined : { ...spec.resources.limits, ...spec.resources.requests };
  if (whole !== undefined) {
    const given = amountsOf(whole);
    total = {
      cpuMilli: whole['cpu'] === undefined ? total.cpuMilli : given.cpuMilli,
      memoryBytes: whole['memory'] === undefined ? total.memoryBytes : given.memoryBytes,
      storageBytes: total.storageBytes,
      others: given.others.size === 0 ? total.others : new Map([...total.others, ...given.others]),
    };
  }
  return spec?.overhead === undefined ? total : plus(total, amountsOf(spec.overhead));
};

/** What Kubernetes' scorers assume of a container that asks for no CPU or no memory: 100m and 200Mi. */
const assumedAmounts: Pick<Amounts, 'cpuMilli' | 'memoryBytes'> = { cpuMilli: 100, memoryBytes: 200 * 1024 * 1024 };
const nothingAssumed = Object.freeze({ cpuMilli: 0, memoryBytes: 0 });

/** What scorers count for a pod beside its requests, for its containers that ask for no CPU or no memory. Filters do not look at it. */
export const assumedOf = (pod: Pod, requests: Amounts): { readonly cpuMilli: number; readonly memoryBytes: number } => {
  const asks = ({ resources }: Parameters<typeof containerRequests>[0], name: 'cpu' | 'memory'): boolean => (resources?.requests?.[name] ?? resources?.limits?.[name]) !== undefined;
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  if (containers.every((one) => asks(one, 'cpu') && asks(one, 'memory')) && initContainers.every((one) => asks(one, 'cpu') && asks(one, 'memory'))) return nothingAssumed;
  const taken = takenBy(pod);
  const sum = sumOf(pod, (container) => ({
    ...taken(container),
    ...(asks(container, 'cpu') ? {} : { cpuMilli: assumedAmounts.cpuMilli }), ...(asks(container, 'memory') ? {} : { memoryBytes: assumedAmounts.memoryBytes }),
  }));
  return { cpuMilli: sum.cpuMilli - requests.cpuMilli, memoryBytes: sum.memoryBytes - requests.memoryBytes };
};
