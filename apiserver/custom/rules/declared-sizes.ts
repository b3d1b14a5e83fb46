/**
 * How large the values of a custom schema can be: what it limits, or else what fits into a request. Kubernetes' numbers,
 * for 3 MiB of JSON, whatever this server takes: by them definitions are refused or not.
 */
import type { CustomSchema } from '../../../schemas/custom/custom-schema.ts';
import { joinPath } from '../../../schemas/field-path.ts';
import { escapeName } from '../../cel/escaped-names.ts';
import type { DeclaredSize } from '../../cel/estimate/estimate.ts';

export const requestBytes = 3 * 1024 * 1024;
/** A text, list or map without its quotes or brackets. */
const insideBytes = requestBytes - 2;
/** A limit on the length of texts counts characters; one takes at most so many bytes. */
const bytesPerCharacter = 4;

/** Sizes of a place, and the fewest bytes that a value of it takes in JSON. */
export interface PlaceSize extends DeclaredSize {
  readonly leastBytes: number;
}

interface TextFormat {
  readonly leastBytes: number;
  /** Absent where a limit of the schema counts. */
  readonly max?: number;
}

const formats: Readonly<Record<string, TextFormat>> = {
  'date-time': { leastBytes: 21, max: 32 }, 'datetime': { leastBytes: 21, max: 32 }, 'date': { leastBytes: 12, max: 12 }, 'duration': { leastBytes: 3, max: 32 }, 'byte': { leastBytes: 2 },
};

/** Of values that are always about the same. */
const fixed = (leastBytes: number): PlaceSize => ({ leastBytes, max: 0 });

/** Keys of maps are not counted. */
const keys: DeclaredSize = { max: 0 };

const notNegative = (limit: number): number => Math.max(0, limit);

const textSize = ({ format = '', maxLength, enum: values = [], 'x-kubernetes-int-or-string': intOrString }: CustomSchema, at: string): PlaceSize => {
  const { leastBytes, max } = intOrString === true ? { leastBytes: 1 } : Object.hasOwn(formats, format) ? formats[format]! : { leastBytes: 2 };
  if (max !== undefined) return { leastBytes, max };
  if (maxLength !== undefined) return { leastBytes, max: notNegative(maxLength) * (format === 'byte' ? 1 : bytesPerCharacter) };
  const texts = values.filter((value) => typeof value === 'string');
  if (intOrString !== true && texts.length > 0) return { leastBytes, max: Math.max(...texts.map((text) => Buffer.byteLength(text))) };
  return { leastBytes, max: insideBytes, wanting: `maxLength of ${at}` };
};

/** Whether a schema says all that is known of any object itself; only then do its own limits on a name count. */
const declaresObject = ({ apiVersion, kind, metadata }: Readonly<Record<string, CustomSchema>>): boolean =>
  [apiVersion, kind, metadata?.properties?.['name'], metadata?.properties?.['generateName']].every((one) => one?.type === 'string');

/** The sizes of all places of a schema, each by its own schema. `whole` objects of the API have a name, whatever the schema says. */
export const declaredSizes = (schema: CustomSchema): ReadonlyMap<CustomSchema, PlaceSize> => {
  const sizes = new Map<CustomSchema, PlaceSize>();
  const visit = (one: CustomSchema, at: string, whole: boolean): PlaceSize | undefined => {
    const size = sizeOf(one, at, whole || one['x-kubernetes-embedded-resource'] === true);
    if (size !== undefined) sizes.set(one, size);
    return size;
  };

  const listSize = ({ items, maxItems }: CustomSchema, at: string): PlaceSize | undefined => {
    const item = items === undefined ? undefined : visit(items, `${at}[*]`, false);
    if (item === undefined) return undefined;
    const counted = maxItems === undefined ? { max: Math.floor(insideBytes / (item.leastBytes + 1)), wanting: `maxItems of ${at}` } : { max: notNegative(maxItems) };
    return { ...counted, leastBytes: 2, items: item };
  };

  const mapSize = (values: CustomSchema, { maxProperties }: CustomSchema, at: string): PlaceSize | undefined => {
    const value = visit(values, `${at}[*]`, false);
    if (value === undefined) return undefined;
    // A key, a colon and a comma.
    const counted = maxProperties === undefined ? { max: Math.floor(insideBytes / (value.leastBytes + 6)), wanting: `maxProperties of ${at}` } : { max: notNegative(maxProperties) };
    return { ...counted, leastBytes: 2, items: value, keys };
  };

  const objectSize = ({ properties = {}, required = [] }: CustomSchema, at: string, whole: boolean): PlaceSize => {
    const fields = new Map<string, DeclaredSize>();
    let leastBytes = 2;
    for (const [name, one] of Object.entries(properties)) {
      const size = visit(one, joinPath(at, name), false);
      if (size === undefined) continue;
      const escaped = escapeName(name);
      if (escaped !== undefined) fields.set(escaped, size);
      // Quotes, a colon and a comma. What has a default need not be sent.
      if (required.includes(name) && one.default === undefined) leastBytes += name.length + size.leastBytes + 4;
    }
    if (whole && !declaresObject(properties)) {
      const text = (name: string): DeclaredSize => ({ max: insideBytes, wanting: `maxLength of ${joinPath(at, name)}` });
      fields.set('apiVersion', text('apiVersion')).set('kind', text('kind'));
      fields.set('metadata', { max: 0, fields: new Map([['name', text('metadata.name')], ['generateName', text('metadata.generateName')]]) });
    }
    return { leastBytes, max: 0, fields };
  };

  const sizeOf = (one: CustomSchema, at: string, whole: boolean): PlaceSize | undefined => {
    if (one['x-kubernetes-int-or-string'] === true) return textSize(one, at);
    switch (one.type) {
      case 'string': return textSize(one, at);
      case 'boolean': return fixed(4);
      case 'integer': case 'number': return fixed(1);
      case 'array': return listSize(one, at);
      case 'object': return one.additionalProperties !== undefined && one.properties === undefined ? mapSize(one.additionalProperties, one, at) : objectSize(one, at, whole);
      default: return undefined;
    }
  };

  visit(schema, '', true);
  return sizes;
};
