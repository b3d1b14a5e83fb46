import { parseRelaxedPath, type JsonPath } from '../schemas/jsonpath.ts';
import { selectValues, valueText } from '../schemas/jsonpath-evaluate.ts';
import { CommandError } from './command.ts';

export interface CustomColumn {
  readonly header: string;
  readonly path: JsonPath;
}

/** Parses `NAME:.metadata.name,NODE:.spec.nodeName`. Throws CommandError that names the wrong part. */
export const parseCustomColumns = (spec: string): readonly CustomColumn[] => {
  if (spec === '') throw new CommandError('custom-columns format specified but no custom columns given');
  // A comma inside brackets, quotes or parentheses belongs to its path.
  const parts = spec.match(/(?:\[[^\]]*\]|\([^)]*\)|"[^"]*"|'[^']*'|[^,])+/g) ?? [];
  return parts.map((part) => {
    const colon = part.indexOf(':');
    if (colon === -1) throw new CommandError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return { header: part.slice(0, colon), path: parseRelaxedPath(part.slice(colon + 1)) };
  });
};

/** Parses a file of two lines: the headers, and below each its path. */
export const parseCustomColumnsFile = (text: string): readonly CustomColumn[] => {
  const [headers, paths] = text.split('\n').map((line) => line.trim().split(/\s+/));
  if (headers === undefined || paths === undefined || headers.length !== paths.length) {
    throw new CommandError(`number of headers (${headers?.length ?? 0}) and field specifications (${paths?.length ?? 0}) don't match`);
  }
  return headers.map((header, at) => ({ header, path: parseRelaxedPath(paths[at]!) }));
};

/** One row: what the paths select in an object, `<none>` where nothing. */
export const customCells = (columns: readonly CustomColumn[], object: unknown): readonly string[] => columns.map(({ path }) => {
  const values = selectValues(path, object).flat().filter((value) => value !== null);
  return values.length === 0 ? '<none>' : values.map(valueText).join(',');
});
