/** The objects that parametrize a policy for one request. */
import { storageKindOf, type ApiObject } from '../../../../schemas/kind.ts';
import { labelMatcher } from '../../../../schemas/label-selector.ts';
import type { Registry } from '../../../../schemas/registry.ts';
import type { ParamKind, ParamRef } from '../../../../schemas/types/admission-rules.ts';
import { keyOf, prefixOf } from '../../../keys.ts';
import type { WatchCache } from '../../../watch/watch-cache.ts';
import { inForm } from '../forms.ts';

export interface ParamState {
  readonly cache: Pick<WatchCache, 'get' | 'list'>;
  readonly registry: Registry;
}

/**
 * With which parameters a policy is looked at, once for each: undefined stands for none, for policies that have none. An
 * empty list means that the policy does not apply. Throws an Error where parameters that must be there are not.
 */
export const paramsFor = ({ cache, registry }: ParamState, namespace: string, { paramKind, paramRef }: { readonly paramKind: ParamKind | undefined; readonly paramRef: ParamRef | undefined }): readonly (ApiObject | undefined)[] => {
  if (paramKind === undefined || paramRef === undefined) return [undefined];
  const { apiVersion = '', kind: word = '' } = paramKind;
  const form = registry.kind(apiVersion, word);
  if (form === undefined) throw new Error(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${word}'`);
  const kind = storageKindOf(form);
  const place = paramRef.namespace ?? '';
  if (kind.scope === 'Cluster' && place !== '') throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const home = kind.scope === 'Cluster' ? '' : place || namespace;
  if (kind.scope === 'Namespaced' && home === '') throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  const found = objectsOf(cache, paramRef, { exact: (name) => keyOf(kind, home, name), all: prefixOf(kind, home) });
  if (found.length === 0 && paramRef.parameterNotFoundAction !== 'Allow') throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
  return found.map((object) => inForm(form, object));
};

const objectsOf = (cache: ParamState['cache'], { name = '', selector }: ParamRef, { exact, all }: { readonly exact: (name: string) => string; readonly all: string }): readonly ApiObject[] => {
  if (name !== '') {
    const object = cache.get(exact(name));
    return object === undefined ? [] : [object];
  }
  const matcher = labelMatcher(selector);
  return cache.list(all).filter(({ metadata }) => matcher.matches(metadata.labels));
};
