import type { ApiObject, Column } from '../kind.ts';
import { selectValues, valueText } from '../jsonpath-evaluate.ts';
import { parseJsonPath, type JsonPath } from '../jsonpath.ts';
import { age } from '../table-cells.ts';
import type { DefinitionVersion } from '../types/custom-resource-definition.ts';

type Words = NonNullable<DefinitionVersion['additionalPrinterColumns']>[number];
type Cell = string | number | boolean | null;

/** The path of a column. Throws JsonPathError. */
export const columnPath = (jsonPath: string): JsonPath => parseJsonPath(`{${jsonPath}}`);

/** A value as a column of a type shows it; null where it is of another type. */
const shown = (type: Column<ApiObject>['type'], value: unknown, nowMs: number): Cell => {
  switch (type) {
    case 'integer': return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number': return typeof value === 'number' ? value : null;
    case 'boolean': return typeof value === 'boolean' ? value : null;
    case 'date': {
      if (typeof value !== 'string') return null;
      const text = age(value, nowMs);
      return text === '<unknown>' ? '<invalid>' : text;
    }
    case 'string': return valueText(value);
  }
};

/** A column that a definition names. What its path does not find in an object is an empty cell. */
export const customColumn = ({ name, type, format, description = '', priority = 0, jsonPath }: Words): Column<ApiObject> => {
  const path = columnPath(jsonPath);
  const columnType = type as Column<ApiObject>['type'];
  return {
    name, type: columnType, ...(format === undefined ? {} : { format }), priority,
    description: description === '' ? `The value of ${jsonPath}.` : description,
    cell: (object, nowMs) => {
      let value: unknown;
      try {
        // A path finds one value or none; of several, as with [*], text shows all and other types the first.
        const found = selectValues(path, object)[0] ?? [];
        if (found.length === 0 || found[0] === undefined || found[0] === null) return null;
        value = type === 'string' && found.length > 1 ? found.map(valueText).join(' ') : found[0];
      } catch {
        return null;
      }
      return shown(columnType, value, nowMs);
    },
  };
};

/** Where a version names no columns. */
export const defaultColumns: readonly Column<ApiObject>[] = [
  customColumn({ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since the object was created.' }),
];
