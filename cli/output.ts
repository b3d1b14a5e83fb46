import { flag } from './flags.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { CommandError } from './command.ts';
import { parseCustomColumns, parseCustomColumnsFile, type CustomColumn } from './custom-columns.ts';
import { parseJsonPath, type JsonPath } from '../schemas/jsonpath.ts';
import { renderJsonPath, selectValues } from '../schemas/jsonpath-evaluate.ts';
import { prettyJson } from '../schemas/print-json.ts';
import { toYaml } from './print-yaml.ts';

/** What -o asks for. */
export type OutputFormat =
  | { readonly type: 'table'; readonly wide: boolean }
  | { readonly type: 'name' }
  | { readonly type: 'json' }
  | { readonly type: 'yaml' }
  | { readonly type: 'jsonpath'; readonly template: JsonPath; readonly asJson: boolean }
  | { readonly type: 'custom-columns'; readonly columns: readonly CustomColumn[] };

const words = 'json, yaml, name, wide, jsonpath=..., jsonpath-file=..., jsonpath-as-json=..., custom-columns=..., custom-columns-file=...';

export const outputFlags = {
  output: flag.text(`Output format: ${words}.`, { short: 'o', value: 'FORMAT' }),
  'show-managed-fields': flag.on('Keep managedFields in JSON and YAML.'),
};

/** Reads the value of -o. `readText` gives the text of a file. */
export const parseOutput = async (text: string | undefined, readText: (file: string) => Promise<string>): Promise<OutputFormat> => {
  if (text === undefined || text === '') return { type: 'table', wide: false };
  const equals = text.indexOf('=');
  const name = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? undefined : text.slice(equals + 1);
  if (value === undefined) {
    if (name === 'wide') return { type: 'table', wide: true };
    if (name === 'json' || name === 'yaml' || name === 'name') return { type: name };
  }
  const needed = (): string => {
    if (value === undefined || value === '') throw new CommandError(`template format specified but no template given: write -o ${name}=...`);
    return value;
  };
  if (name === 'jsonpath' || name === 'jsonpath-as-json') return { type: 'jsonpath', template: parseJsonPath(needed()), asJson: name === 'jsonpath-as-json' };
  if (name === 'jsonpath-file') return { type: 'jsonpath', template: parseJsonPath((await readText(needed())).trimEnd()), asJson: false };
  if (name === 'custom-columns') return { type: 'custom-columns', columns: parseCustomColumns(needed()) };
  if (name === 'custom-columns-file') return { type: 'custom-columns', columns: parseCustomColumnsFile(await readText(needed())) };
  throw new CommandError(`unable to match a printer suitable for the output format "${text}", allowed formats are: ${words}`);
};

const withoutManagedFields = (object: ApiObject): ApiObject => {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};

/** One object as -o json, yaml or jsonpath has it. */
export const formatObject = (format: Extract<OutputFormat, { type: 'json' | 'yaml' | 'jsonpath' }>, value: unknown): string => {
  if (format.type === 'json') return prettyJson(value);
  if (format.type === 'yaml') return toYaml(value);
  if (!format.asJson) return renderJsonPath(format.template, value);
  return renderJsonPathAsJson(format.template, value);
};

const renderJsonPathAsJson = (template: JsonPath, value: unknown): string => prettyJson(selectValues(template, value).flat());

/** The object, or all objects as a List, as kubectl prints what a command found. */
export const printable = (objects: readonly ApiObject[], { single, managedFields }: { readonly single: boolean; readonly managedFields: boolean }): unknown => {
  const shown = managedFields ? objects : objects.map(withoutManagedFields);
  return single ? shown[0] : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: shown };
};
