import { labelMatcher } from '../schemas/label-selector.ts';
import type { PodDisruptionBudget } from '../schemas/kinds/policy/pod-disruption-budget.ts';
import type { PodInfo } from './pod-info.ts';

interface Budget {
  readonly namespace: string;
  readonly matches: (labels: Readonly<Record<string, string>> | undefined) => boolean;
  readonly allowed: number;
  /** Names of pods whose end is granted and counted already. */
  readonly granted: Readonly<Record<string, unknown>>;
}

/** PodDisruptionBudgets as preemption sees them: it breaks one only where nothing else makes room. */
export class Budgets {
  readonly #budgets = new Map<string, Budget>();

  #version = 0;

  /** Another number for every state. */
  get version(): number {
    return this.#version;
  }

  /** A budget is new or changed. One without a selector means no pod, one with an empty selector all of its namespace. */
  set({ metadata: { namespace = '', name = '' }, spec, status }: PodDisruptionBudget): void {
    const key = `${namespace}/${name}`;
    if (spec?.selector === undefined) return this.#forget(key);
    const matcher = labelMatcher(spec.selector);
    this.#version++;
    this.#budgets.set(key, { namespace, matches: (labels) => matcher.matches(labels), allowed: status?.disruptionsAllowed ?? 0, granted: status?.disruptedPods ?? {} });
  }

  delete({ metadata: { namespace = '', name = '' } }: PodDisruptionBudget): void {
    this.#forget(`${namespace}/${name}`);
  }

  #forget(key: string): void {
    this.#version++;
    this.#budgets.delete(key);
  }

  /** Those of the pods whose end would break a budget, if all before them in the list ended too. */
  broken(pods: readonly PodInfo[]): ReadonlySet<PodInfo> {
    const found = new Set<PodInfo>();
    if (this.#budgets.size === 0) return found;
    const left = new Map([...this.#budgets.values()].map((budget) => [budget, budget.allowed]));
    for (const info of pods) {
      const { namespace, name = '', labels } = info.pod.metadata;
      for (const [budget, allowed] of left) {
        if (budget.namespace !== namespace || Object.hasOwn(budget.granted, name) || !budget.matches(labels)) continue;
        left.set(budget, allowed - 1);
        if (allowed <= 0) found.add(info);
      }
    }
    return found;
  }
}
