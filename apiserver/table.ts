/**
 * Tables are how `get` shows objects: the server makes the cells, so that clients need to know no kind. Columns come
 * from the kind; a kind that lists none gets Name and Age.
 */
import type { ApiList, WatchEvent } from '../schemas/api.ts';
import type { AnyKind, ApiObject, Column } from '../schemas/kind.ts';
import { age } from '../schemas/table-cells.ts';

type MetaVersion = 'v1' | 'v1beta1';
/** What stands beside the cells of a row: nothing, the metadata, or the whole object. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  readonly version: MetaVersion;
  readonly includeObject: IncludeObject;
  readonly nowMs: number;
}

const nameColumn: Column<ApiObject> = {
  name: 'Name', type: 'string', format: 'name', priority: 0,
  description: 'Name of the object, unique within its kind and namespace.', cell: (object) => object.metadata.name ?? '',
};
const ageColumn: Column<ApiObject> = {
  name: 'Age', type: 'string', priority: 0, description: 'Time since the server created the object.', cell: (object, nowMs) => age(object.metadata.creationTimestamp, nowMs),
};

/** The columns of an autoscaling/v1 Scale, which is no kind of its own. */
const scaleColumns: readonly Column<ScaleObject>[] = [
  nameColumn,
  { name: 'Desired', type: 'integer', priority: 0, description: 'Number of replicas asked for.', cell: (scale) => scale.spec?.replicas ?? 0 },
  { name: 'Available', type: 'integer', priority: 0, description: 'Number of replicas seen.', cell: (scale) => scale.status?.replicas ?? 0 },
  ageColumn,
];
interface ScaleObject extends ApiObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number };
}

/** Columns for the objects that a request is about. */
export const columnsFor = (kind: AnyKind, subresource: string | undefined): readonly Column<ApiObject>[] => {
  if (subresource === 'scale') return scaleColumns as readonly Column<ApiObject>[];
  const columns = kind.columns as readonly Column<ApiObject>[];
  if (columns.length === 0) return [nameColumn, ageColumn];
  return columns.some((column) => column.format === 'name') ? columns : [nameColumn, ...columns];
};

const definitions = (columns: readonly Column<ApiObject>[]): readonly object[] =>
  columns.map(({ name, type, format, description, priority }) => ({ name, type, format: format ?? '', description, priority }));

/** The metadata of an object as an object of its own. */
export const metadataOf = (object: ApiObject, version: MetaVersion): ApiObject => ({
  kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata,
});

const rowOf = (object: ApiObject, columns: readonly Column<ApiObject>[], options: TableOptions): object => {
  const cells = columns.map((column) => column.cell(object, options.nowMs));
  if (options.includeObject === 'None') return { cells };
  return { cells, object: options.includeObject === 'Object' ? object : metadataOf(object, options.version) };
};

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: string;
  readonly metadata: object;
  readonly columnDefinitions: readonly object[] | null;
  readonly rows: readonly object[];
}

const tableOf = (metadata: object, columns: readonly Column<ApiObject>[] | undefined, rows: readonly object[], version: MetaVersion): Table => ({
  kind: 'Table', apiVersion: `meta.k8s.io/${version}`, metadata, columnDefinitions: columns === undefined ? null : definitions(columns), rows,
});

/** A list, or one object, as a table. */
export const toTable = (body: ApiObject | ApiList, columns: readonly Column<ApiObject>[], options: TableOptions): Table => {
  if ('items' in body) return tableOf(body.metadata, columns, body.items.map((item) => rowOf(item, columns, options)), options.version);
  return tableOf({ resourceVersion: body.metadata.resourceVersion }, columns, [rowOf(body, columns, options)], options.version);
};

/** One event of a watch that shows tables; only the first event of a stream says what the columns are. */
export const toTableEvent = (event: WatchEvent, columns: readonly Column<ApiObject>[], first: boolean, options: TableOptions): object => {
  const rows = event.type === 'BOOKMARK' ? [] : [rowOf(event.object, columns, options)];
  const { resourceVersion, annotations } = event.object.metadata;
  const metadata = event.type === 'BOOKMARK' ? { resourceVersion, annotations } : { resourceVersion };
  return { type: event.type, object: tableOf(metadata, first ? columns : undefined, rows, options.version) };
};
