import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { customCells } from '../custom-columns.ts';
import { shownKind, shownName } from '../discovery.ts';
import { flag, UsageError } from '../flags.ts';
import { collectTables, type Collected } from '../get-tables.ts';
import { formatObject, outputFlags, parseOutput, printable, type OutputFormat } from '../output.ts';
import { ColumnLayout, tableText, type TableOptions } from '../print-table.ts';
import { fileFlags, select, selectorFlags } from '../selection.ts';
import { withSession, type Session } from '../session.ts';
import { sortBy } from '../sort-by.ts';

const flags = {
  ...clusterFlags, ...selectorFlags, ...fileFlags, ...outputFlags,
  watch: flag.on('After listing, keep watching for changes.', { short: 'w' }),
  'watch-only': flag.on('Watch for changes without listing first.'),
  'output-watch-events': flag.on('Show the type of each event (with --watch).'),
  'sort-by': flag.text('Sort by a field, such as .metadata.creationTimestamp.', { value: 'PATH' }),
  'show-labels': flag.on('Show all labels in the last column.'),
  'label-columns': flag.commaList('Show these labels as columns.', { short: 'L', value: 'LABEL,...' }),
  'show-kind': flag.on('Write the kind before each name.'),
  'no-headers': flag.on('Leave the headers out.'),
  'ignore-not-found': flag.on('An object that does not exist is no failure.'),
  subresource: flag.text('Subresource to get: status, scale.', { value: 'NAME' }),
  'chunk-size': flag.integerOr(500, 'Objects asked for at a time.', { hidden: true }),
  raw: flag.text('Print the answer to a GET of this path.', { value: 'PATH' }),
};
export type GetContext = CommandContext<typeof flags>;
type Context = GetContext;

const tableOptions = (context: Context, format: Extract<OutputFormat, { type: 'table' }>): Omit<TableOptions, 'kindPrefix' | 'withNamespace'> => ({
  wide: format.wide, headers: !context.flags['no-headers'], showLabels: context.flags['show-labels'],
  labelColumns: context.flags['label-columns'], nowMs: context.clock.now(),
});

const noneFound = (context: Context, session: Session, found: readonly Collected[]): void => {
  const namespaced = found.some(({ resource }) => resource.namespaced);
  context.stderr.write(namespaced && !context.flags['all-namespaces'] ? `No resources found in ${session.namespace} namespace.\n` : 'No resources found\n');
};

const printTables = (context: Context, session: Session, found: readonly Collected[], format: Extract<OutputFormat, { type: 'table' }>): void => {
  const filled = found.filter(({ table }) => (table.rows ?? []).length > 0);
  if (filled.length === 0) {
    if (!context.flags['ignore-not-found']) noneFound(context, session, found);
    return;
  }
  const withKind = context.flags['show-kind'] || new Set(found.map(({ resource }) => resource)).size > 1;
  const texts = filled.map(({ resource, table }) => tableText(
    { ...table, rows: context.flags['sort-by'] === undefined ? table.rows : sortBy(table.rows ?? [], context.flags['sort-by'], (row) => row.object) },
    { ...tableOptions(context, format), withNamespace: context.flags['all-namespaces'] && resource.namespaced, kindPrefix: withKind ? shownKind(resource) : undefined },
  ));
  context.stdout.write(texts.join('\n'));
};

const printObjects = (context: Context, session: Session, found: readonly Collected[], format: Exclude<OutputFormat, { type: 'table' }>): void => {
  const all = found.flatMap(({ resource, table }) => (table.rows ?? []).flatMap(({ object }) => (object === undefined ? [] : [{ resource, object }])));
  const path = context.flags['sort-by'];
  const items = path === undefined ? all : sortBy(all, path, ({ object }) => object);
  if (format.type === 'name') {
    context.stdout.write(items.map(({ resource, object }) => `${shownName(resource, object.metadata.name ?? '')}\n`).join(''));
  } else if (format.type === 'custom-columns') {
    const rows = items.map(({ object }) => customCells(format.columns, object));
    context.stdout.write(new ColumnLayout().lines(context.flags['no-headers'] ? rows : [format.columns.map(({ header }) => header), ...rows]));
  } else {
    const single = found.length === 1 && found[0]!.name !== undefined;
    if (single && items.length === 0) return;
    context.stdout.write(formatObject(format, printable(items.map(({ object }) => object), { single, managedFields: context.flags['show-managed-fields'] })));
  }
  if (items.length === 0 && format.type !== 'json' && format.type !== 'yaml' && format.type !== 'jsonpath' && !context.flags['ignore-not-found']) noneFound(context, session, found);
};

/** Shows objects; `change` may add to the tables that are shown, where they are shown once and as tables. */
export const getObjects = (context: Context, change: (session: Session, found: readonly Collected[]) => Promise<readonly Collected[]> = async (_session, found) => found): Promise<number> => withSession(context.flags, context, async (session) => {
  const { flags, args } = context;
  if (flags.raw !== undefined) {
    context.stdout.write(await session.api.getText(flags.raw, context.signal));
    return 0;
  }
  const format = await parseOutput(flags.output, (file) => readFile(resolve(context.cwd, file), 'utf8'));
  if (args.length === 0 && flags.filename.length === 0) {
    throw new UsageError('you must specify the type of resource to get. Use "barge api-resources" for a complete list of supported resources.');
  }
  const targets = flags.filename.length > 0
    ? (await select(session, context, { args, filenames: flags.filename, recursive: flags.recursive }))
    : undefined;
  const { found, failures } = await collectTables(session, context, {
    args, targets, selector: flags.selector, fieldSelector: flags['field-selector'], allNamespaces: flags['all-namespaces'],
    subresource: flags.subresource, ignoreNotFound: flags['ignore-not-found'],
    objects: format.type !== 'table' || flags['sort-by'] !== undefined, plain: format.type !== 'table',
    listFirst: !flags['watch-only'],
  });
  const watches = flags.watch || flags['watch-only'];
  if (watches) {
    if (found.length !== 1) throw new CommandError('watch is only supported on individual resources and resource collections - more than 1 resource was found');
    const { followTables } = await import('../get-watch.ts');
    await followTables(session, context, {
      collected: found[0]!, format, listed: !flags['watch-only'], selector: flags.selector, fieldSelector: flags['field-selector'],
      allNamespaces: flags['all-namespaces'], showEvents: flags['output-watch-events'], managedFields: flags['show-managed-fields'],
      table: { ...tableOptions(context, format.type === 'table' ? format : { type: 'table', wide: false }), withNamespace: flags['all-namespaces'] && found[0]!.resource.namespaced, kindPrefix: flags['show-kind'] ? shownKind(found[0]!.resource) : undefined },
    });
  } else if (format.type === 'table') {
    if (found.length > 0 || failures.length === 0) printTables(context, session, await change(session, found), format);
  } else if (found.length > 0 || failures.length === 0) {
    printObjects(context, session, found, format);
  }
  if (failures.length === 0) return 0;
  const { failureLine } = await import('../errors.ts');
  context.stderr.write(failures.map((error) => `${failureLine(error)}\n`).join(''));
  return 1;
});

export const command = defineCommand({
  name: 'get', group: 'Basic', summary: 'Show objects, in tables or as YAML, JSON or any text.',
  usage: 'get (TYPE[,TYPE...] [NAME... | -l SELECTOR] | TYPE/NAME... | -f FILE) [flags]',
  examples: [
    { note: 'All pods of the namespace', line: 'get pods' },
    { note: 'Pods with node and address, as they change', line: 'get pods -o wide -w' },
    { note: 'A deployment as YAML', line: 'get deployment web -o yaml' },
    { note: 'Name and image of every pod everywhere', line: "get pods -A -o jsonpath='{range .items[*]}{.metadata.name}{\"\\t\"}{.spec.containers[0].image}{\"\\n\"}{end}'" },
    { note: 'Pods and services with a label', line: 'get pods,services -l app=web' },
  ],
  flags, run: (context) => getObjects(context),
});
