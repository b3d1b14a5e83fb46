/** Whether a request is meant by a scope, and in which form. */
import type { AnyKind, ApiObject } from '../../../schemas/kind.ts';
import type { LabelMatcher } from '../../../schemas/label-selector.ts';
import type { WatchCache } from '../../watch/watch-cache.ts';
import { namespaceKey } from '../../keys.ts';
import type { Scope } from './hook.ts';
import { ruleMeans, ruleMeansName } from './rules.ts';
import type { Subject } from './subject.ts';

/** Asked about by nobody, so that a mistake in them can always be mended. */
export const isExempt = ({ group }: AnyKind): boolean => group === 'admissionregistration.k8s.io';

/** The form in which a scope's rules mean such requests, by resource and operation alone; undefined where they do not. */
export const formFor = ({ rules, matchPolicy }: Scope, { operation, subresource }: Pick<Subject, 'operation' | 'subresource'>, forms: readonly AnyKind[]): AnyKind | undefined =>
  (matchPolicy === 'Exact' ? forms.slice(0, 1) : forms).find((kind) => rules.some((rule) => ruleMeans(rule, { operation, kind, subresource })));

/** True where the rules by name, what is excluded and both selectors leave a request in that the scope's form means. */
export const isMeant = (scope: Scope, subject: Subject, { form, object, old, cache }: {
  readonly form: AnyKind; readonly object: ApiObject | undefined; readonly old: ApiObject | undefined; readonly cache: Pick<WatchCache, 'get'>;
}): boolean => {
  const target = { operation: subject.operation, kind: form, subresource: subject.subresource };
  return scope.rules.some((rule) => ruleMeans(rule, target) && ruleMeansName(rule, subject.name))
    && !scope.excluded.some((rule) => ruleMeans(rule, target) && ruleMeansName(rule, subject.name))
    && meansNamespace(scope.namespaces, subject, { object, old, cache })
    && meansObject(scope.objects, object, old);
};

/** A namespace counts by its own labels, other objects of the cluster always. */
const meansNamespace = (namespaces: LabelMatcher, { call, namespace, subresource, operation }: Subject, { object, old, cache }: { readonly object: ApiObject | undefined; readonly old: ApiObject | undefined; readonly cache: Pick<WatchCache, 'get'> }): boolean => {
  if (namespaces.everything) return true;
  if (namespace !== '') return namespaces.matches(cache.get(namespaceKey(namespace))?.metadata.labels);
  const isNamespace = call.kind.plural === 'namespaces' && call.kind.group === '';
  if (!isNamespace) return true;
  const itself = subresource === '' && operation !== 'DELETE' ? object : old;
  return namespaces.matches(itself?.metadata.labels);
};

const meansObject = (objects: LabelMatcher, object: ApiObject | undefined, old: ApiObject | undefined): boolean =>
  objects.everything || hasLabels(objects, object) || hasLabels(objects, old);

const hasLabels = (objects: LabelMatcher, object: ApiObject | undefined): boolean => {
  const metadata = object?.metadata as ApiObject['metadata'] | undefined;
  return metadata !== undefined && objects.matches(metadata.labels);
};
