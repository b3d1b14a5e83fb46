/** Which pods a word means: `web-1`, `pod/web-1`, `deployment/web`, `svc/web`. */
import { labelMatcher, mapMatcher, type Labels } from '../schemas/label-selector.ts';
import type { LabelSelector } from '../schemas/types/label-selector.ts';
import type { ApiObject, BodyOf } from '../schemas/kind.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { CommandError } from './command.ts';
import type { Resource } from './discovery.ts';
import { parseTargets } from './resource-args.ts';
import { at } from './selection.ts';
import type { Session } from './session.ts';

export type PodBody = BodyOf<typeof Pod>;

export const podResource = (discovery: { named(word: string): Resource }): Resource => discovery.named('pods');

interface Selecting extends ApiObject {
  readonly spec?: { readonly selector?: Readonly<Record<string, unknown>> };
}

/** The label selector of a workload or service, as the API takes it. */
export const selectorOf = (object: ApiObject): string | undefined => {
  const selector = (object as Selecting).spec?.selector;
  if (selector === undefined || Object.keys(selector).length === 0) return undefined;
  if ('matchLabels' in selector || 'matchExpressions' in selector) return labelMatcher(selector as LabelSelector).toString();
  return mapMatcher(selector as Labels).toString();
};

const isReady = (pod: PodBody): boolean => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** Pods that are better to talk to come first: scheduled, running, ready, then the oldest. */
export const byUsefulness = (a: PodBody, b: PodBody): number => {
  const rank = (pod: PodBody): readonly number[] => [
    pod.spec?.nodeName === undefined ? 1 : 0, pod.status?.phase === 'Running' ? 0 : pod.status?.phase === 'Pending' ? 2 : 1, isReady(pod) ? 0 : 1,
    pod.metadata.deletionTimestamp === undefined ? 0 : 1,
  ];
  const [left, right] = [rank(a), rank(b)];
  const differs = left.findIndex((value, index) => value !== right[index]);
  if (differs !== -1) return left[differs]! - right[differs]!;
  return (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1;
};

/** What a word selects: one pod by name, or the pods of a selector. */
export type PodChoice = { readonly name: string } | { readonly selector: string; readonly of: string };

export const choosePods = async (session: Session, word: string, signal: AbortSignal): Promise<PodChoice> => {
  const discovery = await session.discovery();
  const target = word.includes('/') ? parseTargets([word], discovery)[0]! : { resource: podResource(discovery), name: word };
  const name = target.name!;
  if (target.resource.plural === 'pods' && target.resource.group === '') return { name };
  const object = await session.api.get({ ...at(target.resource, session.namespace), name }, signal);
  const selector = selectorOf(object);
  if (selector === undefined) throw new CommandError(`${word} selects no pods: it has no selector`);
  return { selector, of: word };
};

/** The one pod that a word means; of several the most useful. Throws CommandError when there is none. */
export const onePod = async (session: Session, word: string, signal: AbortSignal): Promise<{ readonly pod: PodBody; readonly others: number }> => {
  const pods = at(podResource(await session.discovery()), session.namespace);
  const choice = await choosePods(session, word, signal);
  if ('name' in choice) return { pod: await session.api.get({ ...pods, name: choice.name }, signal) as PodBody, others: 0 };
  const found = (await session.api.list(pods, { labelSelector: choice.selector }, signal)).items as readonly PodBody[];
  const [first, ...others] = [...found].sort(byUsefulness);
  if (first === undefined) throw new CommandError(`no pods found for ${word}`);
  return { pod: first, others: others.length };
};

/** The container of a pod that a command means: the one named, the one the pod's annotation names, or the first. */
export const chooseContainer = (pod: PodBody, named: string | undefined): { readonly name: string; readonly isDefault: boolean } => {
  const spec = pod.spec;
  const all = [...spec?.containers ?? [], ...spec?.initContainers ?? []].map(({ name }) => name);
  if (named !== undefined) {
    if (!all.includes(named)) throw new CommandError(`container ${named} is not valid for pod ${pod.metadata.name}, it has: ${all.join(', ')}`);
    return { name: named, isDefault: false };
  }
  const annotated = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (annotated !== undefined && all.includes(annotated)) return { name: annotated, isDefault: false };
  const first = spec?.containers?.[0]?.name;
  if (first === undefined) throw new CommandError(`pod ${pod.metadata.name} has no containers`);
  return { name: first, isDefault: all.length > 1 };
};

/** Says which container was taken where nobody named one. */
export const defaultedLine = (pod: PodBody, name: string): string => {
  const all = [...(pod.spec?.containers ?? []).map((one) => one.name), ...(pod.spec?.initContainers ?? []).map((one) => `${one.name} (init)`)];
  return `Defaulted container "${name}" out of: ${all.join(', ')}\n`;
};
