import { mapMatcher, type LabelMatcher } from '../schemas/label-selector.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Service } from '../schemas/kinds/core/service.ts';

/** Stored selectors are frozen and shared, so each is compiled once for as long as its Service does not change. */
const compiled = new WeakMap<object, LabelMatcher>();

/** Whether a pod has all the labels that a Service asks for. One that asks for none has no pods. */
export const selectsAll = (service: Service, pod: Pod): boolean => {
  const selector = service.spec?.selector;
  if (selector === undefined || service.metadata.namespace !== pod.metadata.namespace) return false;
  let matcher = compiled.get(selector);
  if (matcher === undefined) compiled.set(selector, matcher = mapMatcher(selector));
  return matcher.matches(pod.metadata.labels);
};
