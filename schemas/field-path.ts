/**
 * Field paths as Kubernetes prints them: `spec.containers[0].name`, `metadata.labels[app]`. They are built only where
 * something is wrong, so a walk carries a chain of steps and not strings.
 */

/** One step of a path. `parent` leads back to the body itself, which has no step. */
export interface FieldPath {
  readonly parent: FieldPath | undefined;
  readonly step: string | number;
  /** True for a key of a map such as labels; false for a named field. */
  readonly key: boolean;
}

export const member = (parent: FieldPath | undefined, name: string): FieldPath => ({ parent, step: name, key: false });
export const item = (parent: FieldPath | undefined, index: number): FieldPath => ({ parent, step: index, key: false });
export const mapKey = (parent: FieldPath | undefined, key: string): FieldPath => ({ parent, step: key, key: true });

/** The path as text; the empty string for the body itself. */
export const pathText = (path: FieldPath | undefined): string => {
  if (path === undefined) return '';
  const before = pathText(path.parent);
  if (typeof path.step === 'number' || path.key) return `${before}[${path.step}]`;
  return before === '' ? path.step : `${before}.${path.step}`;
};

/** `a` and `b` as `a.b`; either may be empty, and an index or key needs no dot. */
export const joinPath = (before: string, after: string): string =>
  before === '' || after === '' || after.startsWith('[') ? before + after : `${before}.${after}`;

/** True when the field is the other one or lies within it. */
export const isWithin = (field: string, outer: string): boolean =>
  outer === '' || (field.startsWith(outer) && (field.length === outer.length || field[outer.length] === '.' || field[outer.length] === '['));
