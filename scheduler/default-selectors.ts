/**
 * Which pods belong together by what selects them, for the spreading of pods that do not say it themselves; the facts are
 * those of Kubernetes' scheduler: the labels of all services that select a pod, with the selector of the workload that
 * controls it (a ReplicationController, ReplicaSet or StatefulSet).
 */
import { deepEqual } from '../schemas/frozen.ts';
import { mapMatcher, type LabelMatcher, type Labels } from '../schemas/label-selector.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { controllerOf } from '../schemas/owners.ts';
import type { ReplicationController } from '../schemas/kinds/core/replication-controller.ts';
import type { Service } from '../schemas/kinds/core/service.ts';
import type { ReplicaSet } from '../schemas/kinds/apps/replica-set.ts';
import type { StatefulSet } from '../schemas/kinds/apps/stateful-set.ts';
import type { LabelSelector } from '../schemas/types/label-selector.ts';
import type { PodInfo } from './pod-info.ts';

export type SelectingWorkload = ReplicationController | ReplicaSet | StatefulSet;

/** Answers that are kept until something that selects changes: more than the templates of any cluster that this serves. */
const keptAnswers = 10_000;

/** How a workload is named by those that it controls. */
const workloadKey = (apiVersion: string, kind: string, namespace: string, name: string): string => `${apiVersion} ${kind} ${namespace}/${name}`;

const keyOf = ({ apiVersion, kind, metadata: { namespace = '', name = '' } }: ApiObject): string => workloadKey(apiVersion, kind, namespace, name);

const selectorOf = (workload: SelectingWorkload): LabelSelector => {
  const { selector = {} } = workload.spec;
  return workload.kind === 'ReplicationController' ? { matchLabels: selector as Labels } : selector as LabelSelector;
};

/** The conditions of a selector, in a form in which those of several can stand side by side. */
const conditionsOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): NonNullable<LabelSelector['matchExpressions']> =>
  [...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In', values: [value] })), ...matchExpressions];

export class DefaultSelectors {
  /** By namespace and name. */
  readonly #services = new Map<string, Map<string, { readonly labels: Labels; readonly matcher: LabelMatcher }>>();
  readonly #workloads = new Map<string, LabelSelector>();
  readonly #known = new Map<string, LabelSelector | undefined>();

  setService({ metadata: { namespace = '', name = '' }, spec }: Service): void {
    let services = this.#services.get(namespace);
    if (services === undefined) this.#services.set(namespace, services = new Map());
    const labels = spec.selector ?? {};
    if (deepEqual(services.get(name)?.labels, labels)) return;
    services.set(name, { labels, matcher: mapMatcher(labels) });
    this.#known.clear();
  }

  removeService({ metadata: { namespace = '', name = '' } }: Service): void {
    const services = this.#services.get(namespace);
    services?.delete(name);
    if (services?.size === 0) this.#services.delete(namespace);
    this.#known.clear();
  }

  setWorkload(workload: SelectingWorkload): void {
    const [key, selector] = [keyOf(workload), selectorOf(workload)];
    // Most updates are of the status.
    if (deepEqual(this.#workloads.get(key), selector)) return;
    this.#workloads.set(key, selector);
    this.#known.clear();
  }

  removeWorkload(workload: SelectingWorkload): void {
    this.#workloads.delete(keyOf(workload));
    this.#known.clear();
  }

  /** Selects the pods that belong together with this one; undefined where nothing selects it. The same object until something that selects changes. */
  of({ pod }: PodInfo): LabelSelector | undefined {
    const { namespace = '', labels = {} } = pod.metadata;
    const owner = controllerOf(pod);
    const workload = owner === undefined ? undefined : this.#workloads.get(workloadKey(owner.apiVersion, owner.kind, namespace, owner.name));
    const key = JSON.stringify([namespace, labels, workload]);
    if (this.#known.has(key)) return this.#known.get(key);
    const selected: Record<string, string> = {};
    for (const service of this.#services.get(namespace)?.values() ?? []) if (service.matcher.matches(labels)) Object.assign(selected, service.labels);
    const matchExpressions = [...conditionsOf({ matchLabels: selected }), ...(workload === undefined ? [] : conditionsOf(workload))];
    const found = matchExpressions.length === 0 ? undefined : Object.freeze({ matchExpressions });
    if (this.#known.size >= keptAnswers) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }
}
