import { nameColumn } from '../../columns/columns.ts';
import { defineKind } from '../../kind.ts';
import { Binding as BindingBody } from '../../types/bodies.ts';

/** Puts the pod of its own name on a node; the older of two ways, the other being the pod's `binding`. It can only be created, and is not stored. */
export const Binding = defineKind(BindingBody.schema, {
  group: '', version: 'v1', kind: 'Binding', plural: 'bindings', scope: 'Namespaced',
  verbs: ['create'],
  columns: [nameColumn],
});
