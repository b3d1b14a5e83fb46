import { age } from '../schemas/table-cells.ts';
import type { Table, TableColumn, TableRow } from './api.ts';

const paddingColumns = 3;
const minWidthColumns = 6;

/**
 * Lays rows out in columns as kubectl does: three spaces between, six at least, nothing behind the last cell. It
 * remembers widths, so that rows of a watch stay under their headers.
 */
export class ColumnLayout {
  #widths: number[] = [];

  lines(rows: readonly (readonly string[])[]): string {
    for (const row of rows) {
      for (const [at, cell] of row.slice(0, -1).entries()) {
        this.#widths[at] = Math.max(this.#widths[at] ?? minWidthColumns, [...cell].length + paddingColumns);
      }
    }
    return rows.map((row) => `${row.map((cell, at) => (at === row.length - 1 ? cell : cell + ' '.repeat(this.#widths[at]! - [...cell].length))).join('')}\n`).join('');
  }
}

export interface TableOptions {
  readonly wide: boolean;
  readonly headers: boolean;
  /** Column NAMESPACE in front. */
  readonly withNamespace: boolean;
  /** `pod` makes `pod/web` of every name. */
  readonly kindPrefix?: string | undefined;
  readonly showLabels: boolean;
  readonly labelColumns: readonly string[];
  /** Column EVENT in front, with this event's type. */
  readonly eventType?: string | undefined;
  readonly nowMs: number;
}

const cellText = (cell: unknown, column: TableColumn | undefined, nowMs: number): string => {
  if (cell === undefined || cell === null) return column?.type === 'date' ? '<unknown>' : '<none>';
  if (column?.type === 'date' && typeof cell === 'string' && /^\d{4}-/.test(cell)) return column.name === 'Created At' ? cell : age(cell, nowMs);
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell);
  const end = text.search(/[\f\n\r]/);
  return end === -1 ? text : `${text.slice(0, end)}...`;
};

const labelsText = (labels: Readonly<Record<string, string>> | undefined): string => {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? '<none>' : pairs.join(',');
};

/** The cells of a table, headers first where they are wanted. */
export const tableCells = (columns: readonly TableColumn[], rows: readonly TableRow[], options: TableOptions): readonly (readonly string[])[] => {
  const shown = columns.flatMap((column, at) => ((column.priority ?? 0) === 0 || options.wide ? [{ column, at }] : []));
  const header = [
    ...(options.eventType === undefined ? [] : ['EVENT']),
    ...(options.withNamespace ? ['NAMESPACE'] : []),
    ...shown.map(({ column }) => column.name.toUpperCase()),
    ...options.labelColumns.map((label) => label.slice(label.lastIndexOf('/') + 1).toUpperCase()),
    ...(options.showLabels ? ['LABELS'] : []),
  ];
  const cells = rows.map((row) => {
    const meta = row.object?.metadata;
    return [
      ...(options.eventType === undefined ? [] : [options.eventType]),
      ...(options.withNamespace ? [meta?.namespace ?? ''] : []),
      ...shown.map(({ column, at }) => {
        const text = cellText(row.cells[at], column, options.nowMs);
        return options.kindPrefix !== undefined && column.format === 'name' ? `${options.kindPrefix}/${text}` : text;
      }),
      ...options.labelColumns.map((label) => meta?.labels?.[label] ?? ''),
      ...(options.showLabels ? [labelsText(meta?.labels)] : []),
    ];
  });
  return options.headers ? [header, ...cells] : cells;
};

/** A whole table as text. */
export const tableText = (table: Table, options: TableOptions): string =>
  new ColumnLayout().lines(tableCells(table.columnDefinitions ?? [], table.rows ?? [], options));
