import { parseFieldSelector } from '../../schemas/field-selector.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import { parseLabelSelector } from '../../schemas/label-selector.ts';
import { keyOf, prefixOf } from '../keys.ts';
import { servedForm } from '../served-form.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { Call } from './call.ts';

/** What a list or watch is about. */
export interface Selection {
  /** Where the objects stand: the collection, one namespace of it, or the key of the one object that a selector names. */
  readonly prefix: string;
  /** A selectable field with a value that must hold and by which the cache is indexed. */
  readonly field: { readonly path: string; readonly value: string } | undefined;
  /** All that must hold besides; undefined when everything under the prefix is wanted. */
  readonly matches: ((object: ApiObject) => boolean) | undefined;
  /** True where `matches` looks at fields that only the kind's own form has: the objects must have been read in it. */
  readonly needsForm: boolean;
  /** True when no selector was given. */
  readonly everything: boolean;
}

/** Reads the selectors of a request, which speak of the fields of the served kind. Throws BadRequest for one that cannot be read. */
export const selectionOf = ({ kind, served, namespace, options }: Pick<Call, 'kind' | 'served' | 'namespace' | 'options'>): Selection => {
  const prefix = prefixOf(kind, namespace);
  const labels = parseLabelSelector(options.labelSelector ?? '');
  const fields = parseFieldSelector(served ?? kind, options.fieldSelector ?? '');
  if (labels.everything && fields.everything) return { prefix, field: undefined, matches: undefined, needsForm: false, everything: true };

  const name = fields.exact('metadata.name');
  const place = kind.scope === 'Cluster' ? '' : namespace || fields.exact('metadata.namespace');
  const whole = name !== undefined && name !== '' && !name.includes('/') && place !== undefined && !place.includes('/') && (kind.scope === 'Cluster' || place !== '');
  const { stored } = kind;
  const shown = (object: ApiObject): ApiObject => (stored === undefined ? servedForm(served, object) : stored.readNow(object) ?? object);
  // The cache indexes fields of the stored form.
  const indexed = whole || served !== undefined || stored !== undefined ? undefined : fields.requirements.find(({ path, equal }) => equal && !path.startsWith('metadata.'));
  return {
    prefix: whole ? keyOf(kind, place, name) : prefix,
    field: indexed === undefined ? undefined : { path: indexed.path, value: indexed.value },
    matches: (object) => (labels.everything || labels.matches(object.metadata.labels)) && (fields.everything || fields.matches(shown(object))),
    needsForm: stored !== undefined && fields.requirements.some(({ path }) => !path.startsWith('metadata.')),
    everything: false,
  };
};

/** The objects of a selection as they stand now, by key. */
export const selectNow = (cache: WatchCache, kind: AnyKind, { prefix, field, matches }: Selection): readonly ApiObject[] => {
  if (field === undefined) {
    const all = cache.list(prefix);
    return matches === undefined ? all : all.filter(matches);
  }
  const inPlace = prefix === prefixOf(kind, '') ? undefined : prefix.split('/')[2];
  return cache.byField(kind, field.path, field.value)
    .filter((object) => (inPlace === undefined || object.metadata.namespace === inPlace) && (matches === undefined || matches(object)));
};
