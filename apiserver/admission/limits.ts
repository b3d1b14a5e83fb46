/** The rules of a LimitRange, purely: what containers get that ask for nothing, and what is wrong with what they ask for. */
import type { Draft } from '../../schemas/frozen.ts';
import type { LimitRange, LimitRangeItem } from '../../schemas/kinds/core/limit-range.ts';
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { podLimits, podRequests } from '../../schemas/pod-resources.ts';
import { formatQuantity, type Quantity } from '../../schemas/quantity.ts';
import { noAmounts, readAmounts, type ResourceAmounts } from '../../schemas/resource-amounts.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';

type List = Readonly<Record<string, string>>;

/** Where a pod notes what it was given. */
const noteAnnotation = 'kubernetes.io/limit-ranger';

/** Fills in what is missing; the names of what was. */
const fill = (list: Record<string, string>, defaults: List): readonly string[] => {
  const missing = Object.keys(defaults).filter((name) => !Object.hasOwn(list, name)).sort();
  for (const name of missing) list[name] = defaults[name]!;
  return missing;
};

const fillContainer = (container: Draft<PodSpec['containers'][number]>, word: string, item: { readonly requests: List; readonly limits: List }): readonly string[] => {
  const resources = container.resources ??= {};
  const limits = fill(resources.limits ??= {}, item.limits);
  const requests = fill(resources.requests ??= {}, item.requests);
  for (const side of ['limits', 'requests'] as const) if (Object.keys(resources[side] ?? {}).length === 0) delete resources[side];
  return [
    ...(requests.length === 0 ? [] : [`${requests.join(', ')} request for ${word} ${container.name}`]),
    ...(limits.length === 0 ? [] : [`${limits.join(', ')} limit for ${word} ${container.name}`]),
  ];
};

/** Gives the containers of a new pod the requests and limits that they do not name. */
export const fillPod = (pod: Draft<Pod>, { spec }: LimitRange): void => {
  const items = spec.limits.filter(({ type }) => type === 'Container');
  const defaults = { limits: Object.assign({}, ...items.map((item) => item.default)) as List, requests: Object.assign({}, ...items.map((item) => item.defaultRequest)) as List };
  const notes = [
    ...((pod.spec as Partial<typeof pod.spec>).containers ?? []).flatMap((container) => fillContainer(container, 'container', defaults)),
    ...(pod.spec.initContainers ?? []).flatMap((container) => fillContainer(container, 'init container', defaults)),
  ];
  if (notes.length > 0) pod.metadata.annotations = { ...pod.metadata.annotations, [noteAnnotation]: `LimitRanger plugin set: ${notes.join('; ')}` };
};

interface Asked {
  readonly type: string;
  readonly requests: ResourceAmounts;
  /** Undefined for objects that have no limits. */
  readonly limits: ResourceAmounts | undefined;
}

const below = (name: string, least: Quantity, { type, requests, limits = noAmounts }: Asked): string | undefined => {
  const [request, limit] = [requests.get(name), limits.get(name)];
  const words = `minimum ${name} usage per ${type} is ${formatQuantity(least)}`;
  if (request === undefined) return `${words}.  No request is specified`;
  if (request.nano < least.nano) return `${words}, but request is ${formatQuantity(request)}`;
  return limit !== undefined && limit.nano < least.nano ? `${words}, but limit is ${formatQuantity(limit)}` : undefined;
};

const above = (name: string, most: Quantity, { type, requests, limits }: Asked): string | undefined => {
  const [request, limit] = [requests.get(name), limits?.get(name)];
  const words = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
  if (limits === undefined && request === undefined) return `${words}.  No request is specified`;
  if (limits !== undefined && limit === undefined) return `${words}.  No limit is specified`;
  if (limit !== undefined && limit.nano > most.nano) return `${words}, but limit is ${formatQuantity(limit)}`;
  return request !== undefined && request.nano > most.nano ? `${words}, but request is ${formatQuantity(request)}` : undefined;
};

const tooWide = (name: string, ratio: Quantity, { type, requests, limits = noAmounts }: Asked): string | undefined => {
  const [request, limit] = [requests.get(name)?.nano ?? 0n, limits.get(name)?.nano ?? 0n];
  const words = `${name} max limit to request ratio per ${type} is ${formatQuantity(ratio)}`;
  if (request === 0n) return `${words}, but no request is specified or request is 0`;
  if (limit === 0n) return `${words}, but no limit is specified or limit is 0`;
  return limit * 1_000_000_000n > ratio.nano * request ? `${words}, but provided ratio is ${(Number(limit) / Number(request)).toFixed(6)}` : undefined;
};

const violations = (item: LimitRangeItem, asked: Asked): readonly string[] => {
  const each = (list: List | undefined, rule: typeof below): readonly (string | undefined)[] =>
    [...readAmounts(list)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, amount]) => rule(name, amount, asked));
  // A claim has a size and nothing that it may grow to.
  const ratios = asked.limits === undefined ? [] : each(item.maxLimitRequestRatio, tooWide);
  return [...each(item.min, below), ...each(item.max, above), ...ratios].filter((why) => why !== undefined);
};

const ofContainer = ({ resources }: PodSpec['containers'][number]): Asked => ({ type: 'Container', requests: readAmounts(resources?.requests), limits: readAmounts(resources?.limits) });

const once = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/** Everything that a pod asks for and a LimitRange does not allow, each sentence once. */
export const podViolations = ({ spec }: Pod, { spec: { limits } }: LimitRange): readonly string[] => once(limits.flatMap((item) => {
  if (item.type === 'Container') return [...spec.containers, ...(spec.initContainers ?? [])].flatMap((container) => violations(item, ofContainer(container)));
  return item.type === 'Pod' ? violations(item, { type: 'Pod', requests: podRequests(spec), limits: podLimits(spec) }) : [];
}));

/** The same for a claim. */
export const claimViolations = ({ spec }: PersistentVolumeClaim, { spec: { limits } }: LimitRange): readonly string[] => once(limits.flatMap((item) =>
  (item.type === 'PersistentVolumeClaim' ? violations(item, { type: item.type, requests: readAmounts(spec.resources?.requests), limits: undefined }) : [])));
