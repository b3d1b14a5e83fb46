/** Columns that many kinds have. */
import type { ApiObject, Column } from '../kind.ts';
import { selectorText } from '../label-selector.ts';
import { age, joined, orNone } from '../table-cells.ts';
import type { Container } from '../types/container.ts';
import type { LabelSelector } from '../types/label-selector.ts';

/** Where a column is shown: always, or only with -o wide. */
export type Shown = 'always' | 'wide';

export const column = <Body>(name: string, description: string, cell: Column<Body>['cell'], options: { readonly shown?: Shown; readonly type?: Column<Body>['type'] } = {}): Column<Body> => ({
  name, type: options.type ?? 'string', description, priority: options.shown === 'wide' ? 1 : 0, cell,
});

export const nameColumn: Column<ApiObject> = {
  name: 'Name', type: 'string', format: 'name', description: 'Name of the object.', priority: 0, cell: (object) => object.metadata.name ?? '',
};

export const ageColumn: Column<ApiObject> = {
  name: 'Age', type: 'string', description: 'Time since the object was created.', priority: 0,
  cell: (object, nowMs) => age(object.metadata.creationTimestamp, nowMs),
};

/** When the object was made, as a time: for kinds that kubectl shows so. */
export const createdAtColumn: Column<ApiObject> = {
  name: 'Created At', type: 'date', description: 'Time at which the object was created.', priority: 0,
  cell: (object) => object.metadata.creationTimestamp ?? '',
};

interface Templated {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

/** Containers and images of a kind that keeps pods, for -o wide. */
export const templateColumns: readonly Column<Templated>[] = [
  column('Containers', 'Names of the containers of each pod.', ({ spec }) => joined(spec.template.spec.containers.map((one) => one.name)), { shown: 'wide' }),
  column('Images', 'Images of the containers.', ({ spec }) => joined(spec.template.spec.containers.map((one) => one.image ?? '')), { shown: 'wide' }),
];

interface Workload extends Templated {
  readonly spec: Templated['spec'] & { readonly selector?: LabelSelector | undefined };
}

/** Containers, images and selector of a kind that keeps pods, for -o wide. */
export const workloadColumns: readonly Column<Workload>[] = [
  ...templateColumns,
  column('Selector', 'Labels of the pods that belong to the object.', ({ spec }) => orNone(selectorText(spec.selector)), { shown: 'wide' }),
];
