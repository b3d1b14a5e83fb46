import type { CustomSchema } from '../../../schemas/custom/custom-schema.ts';

const step = /\.([A-Za-z_$][-\w$]*)|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y;

/** The path that a rule's fieldPath names from its value on, as errors show it; undefined where it is none or the schema has no such field. */
export const fieldPathOfRule = (path: string, schema: CustomSchema): string | undefined => {
  let at: CustomSchema | undefined = schema;
  let shown = '';
  step.lastIndex = 0;
  while (step.lastIndex < path.length) {
    const match = step.exec(path);
    if (match === null) return undefined;
    const name = match[1] ?? (match[2] ?? match[3])!.replaceAll(/\\(.)/g, '$1');
    if (at?.properties !== undefined && Object.hasOwn(at.properties, name)) {
      at = at.properties[name];
      shown += `.${name}`;
    } else if (at?.additionalProperties !== undefined) {
      at = at.additionalProperties;
      shown += `[${name}]`;
    } else {
      return undefined;
    }
  }
  return shown === '' ? undefined : shown;
};
