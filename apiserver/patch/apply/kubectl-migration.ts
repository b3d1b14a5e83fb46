/**
 * From client-side to server-side apply. Who applied with `kubectl apply` has its last configuration in an annotation;
 * the fields of it are owned by an update. When the same person goes on with `kubectl apply --server-side`, those fields
 * are no conflict, as long as they still stand as the annotation says. The annotation is kept up, so that there is a
 * way back.
 */
import { apiVersionOf, type AnyKind, type ApiObject } from '../../../schemas/kind.ts';
import { decode } from '../../../schemas/validate.ts';
import { isObject } from '../json.ts';
import { changedFields, compare } from './compare.ts';
import { difference, type FieldSet } from './field-set.ts';
import { appliedFields } from './fields-of.ts';
import type { Conflict } from './ownership.ts';
import { shapeOf } from './shape.ts';

/** The field manager of kubectl's server-side apply; others are not known to have used the annotation. */
export const kubectlApplier = 'kubectl';

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

const annotationOf = (object: ApiObject): string => object.metadata.annotations?.[lastAppliedAnnotation] ?? '';

/** Fields that client-side apply has set and that nobody has changed since. */
const setByLastApplied = (kind: AnyKind, live: ApiObject): FieldSet | undefined => {
  let said: unknown;
  try {
    said = JSON.parse(annotationOf(live));
    if (!isObject(said) || said['apiVersion'] !== apiVersionOf(kind)) return undefined;
    said = decode(kind, said).object;
  } catch {
    return undefined;
  }
  const shape = shapeOf(kind.schema);
  const comparison = compare(shape, said, live);
  return difference(difference(appliedFields(shape, said), changedFields(comparison)), comparison.removed);
};

/** The conflicts that are left once what client-side apply had set is taken over. */
export const afterTakeover = (kind: AnyKind, live: ApiObject, conflicts: readonly Conflict[]): readonly Conflict[] => {
  if (annotationOf(live) === '') return conflicts;
  const allowed = setByLastApplied(kind, live);
  return conflicts.flatMap(({ manager, fields }) => {
    const left = difference(fields, allowed);
    return left === undefined ? [] : [{ manager, fields: left }];
  });
};

const inOrder = (object: Readonly<Record<string, unknown>>): object => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The configuration as `kubectl apply` would write it into the annotation. */
export const lastAppliedText = (configuration: Readonly<Record<string, unknown>>): string => {
  const metadata = { ...(configuration['metadata'] as Record<string, unknown> | undefined) };
  const annotations = { ...(metadata['annotations'] as Record<string, unknown> | undefined) };
  delete annotations[lastAppliedAnnotation];
  delete metadata['managedFields'];
  return `${JSON.stringify(inOrder({ ...configuration, metadata: inOrder({ ...metadata, annotations }) }))}\n`;
};

/** The text that the annotation of a merged object must have after an apply; undefined where there is no annotation to keep up. */
export const keptUpAnnotation = (manager: string, live: ApiObject | undefined, configuration: Readonly<Record<string, unknown>>): string | undefined =>
  (manager === kubectlApplier && live !== undefined && annotationOf(live) !== '' ? lastAppliedText(configuration) : undefined);
