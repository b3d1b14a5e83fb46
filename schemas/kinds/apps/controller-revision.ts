import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { required, wrong } from '../../errors.ts';
import { deepEqual } from '../../frozen.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { controllerOf } from '../../owners.ts';
import { anything, int64 } from '../../schema.ts';
import type { ObjectMeta } from '../../types/object-meta.ts';

const schema = topLevel('apps.v1.ControllerRevision', 'A state of the spec of an object that its controller can go back to.', {
  data: anything('The state, in a form that the controller understands; cannot be changed.'),
  revision: int64('Number of the state; a higher one is later.', { minimum: 0 }),
}, ['revision']);

/** `statefulset.apps/web`. */
const ownerText = (metadata: ObjectMeta): string => {
  const owner = controllerOf({ apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata });
  if (owner === undefined) return '<none>';
  const [group = '', version] = owner.apiVersion.split('/');
  return `${owner.kind.toLowerCase()}${version === undefined ? '' : `.${group}`}/${owner.name}`;
};

export const ControllerRevision = defineKind(schema, {
  group: 'apps', version: 'v1', kind: 'ControllerRevision', plural: 'controllerrevisions', scope: 'Namespaced',
  columns: [
    nameColumn,
    column('Controller', 'The object whose state it is.', ({ metadata }) => ownerText(metadata)),
    column('Revision', 'Number of the state.', ({ revision }) => String(revision)),
    ageColumn,
  ],
  validate: ({ data }, old) => [
    ...(data === undefined ? [required('data', 'data is mandatory')] : []),
    ...(old !== undefined && !deepEqual(data, old.data) ? [wrong('data', data, 'field is immutable')] : []),
  ],
});
export type ControllerRevision = BodyOf<typeof ControllerRevision>;
