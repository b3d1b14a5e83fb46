import type { ApiRequest } from '../schemas/api.ts';
import { isReason } from '../schemas/errors.ts';
import type { ApiObject } from '../schemas/kind.ts';
import type { Table, TableColumn } from './api.ts';
import type { World } from './command.ts';
import { customCells } from './custom-columns.ts';
import { shownName } from './discovery.ts';
import type { Collected } from './get-tables.ts';
import { formatObject, printable, type OutputFormat } from './output.ts';
import { ColumnLayout, tableCells, type TableOptions } from './print-table.ts';
import { at } from './selection.ts';
import type { Session } from './session.ts';

export interface FollowOptions {
  readonly collected: Collected;
  readonly format: OutputFormat;
  /** False for --watch-only. */
  readonly listed: boolean;
  readonly selector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly allNamespaces: boolean;
  readonly showEvents: boolean;
  readonly managedFields: boolean;
  readonly table: TableOptions;
}

/**
 * Prints what was listed and then every change until the signal aborts. A stream that the server ends (they have a time
 * limit) is taken up again after the last change that was seen, so that nothing is shown twice or left out.
 */
export const followTables = async (session: Session, world: World, options: FollowOptions): Promise<void> => {
  const { collected: { resource, name, namespace, table }, format } = options;
  const asTable = format.type === 'table';
  const layout = new ColumnLayout();
  let columns: readonly TableColumn[] = table.columnDefinitions ?? [];
  let headers = options.table.headers;
  let seen = options.listed ? options.collected.resourceVersion : undefined;

  const print = (type: string, rows: NonNullable<Table['rows']>): void => {
    if (rows.length === 0) return;
    const eventType = options.showEvents ? type : undefined;
    if (asTable) {
      world.stdout.write(layout.lines(tableCells(columns, rows, { ...options.table, headers, eventType, nowMs: world.clock.now() })));
      headers = false;
      return;
    }
    for (const { object } of rows) {
      if (object === undefined) continue;
      if (format.type === 'name') world.stdout.write(`${shownName(resource, object.metadata.name ?? '')}\n`);
      else if (format.type === 'custom-columns') {
        const cells = customCells(format.columns, object);
        world.stdout.write(layout.lines(headers ? [format.columns.map(({ header }) => header), cells] : [cells]));
        headers = false;
      } else {
        const value = printable([object], { single: true, managedFields: options.managedFields });
        const shown = eventType === undefined ? value : { type: eventType, object: value };
        world.stdout.write((format.type === 'yaml' ? '---\n' : '') + formatObject(format, shown));
      }
    }
  };

  print('ADDED', table.rows ?? []);
  const fieldSelector = name === undefined ? options.fieldSelector : `metadata.name=${name}`;
  if (!options.listed) {
    // Only what changes from now on: the list tells where now is.
    seen = (await session.api.list(at(resource, namespace), { limit: 1, fieldSelector, labelSelector: options.selector }, world.signal)).resourceVersion;
  }
  while (!world.signal.aborted) {
    const request: ApiRequest = {
      ...at(resource, namespace), verb: 'watch',
      options: { labelSelector: options.selector, fieldSelector, resourceVersion: seen },
    };
    try {
      for await (const event of session.api.watch(request, { table: asTable, signal: world.signal })) {
        if (event.type === 'BOOKMARK') continue;
        const body = event.object as Table & ApiObject;
        const rows = asTable ? body.rows ?? [] : [{ cells: [], object: body }];
        if (asTable && (body.columnDefinitions ?? []).length > 0) columns = body.columnDefinitions!;
        print(event.type, rows);
        seen = rows.at(-1)?.object?.metadata.resourceVersion ?? body.metadata?.resourceVersion ?? seen;
      }
    } catch (error) {
      if (!isReason(error, 'Expired', 'Gone')) throw error;
      seen = (await session.api.list(at(resource, namespace), { limit: 1, fieldSelector, labelSelector: options.selector }, world.signal)).resourceVersion;
      world.stderr.write('Warning: the watch fell behind; changes in between are not shown\n');
    }
  }
};
