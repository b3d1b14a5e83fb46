import type { ApiObject } from '../schemas/kind.ts';
import { CommandError } from './command.ts';

/** What `key=value` and `key-` arguments ask for. */
export interface KeyValueChanges {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** Parts arguments into resources (the first ones) and changes (`a=b`, `c-`). Throws CommandError for one that is neither. */
export const splitKeyValues = (args: readonly string[], word: string): { readonly resources: readonly string[]; readonly changes: KeyValueChanges } => {
  const isChange = (arg: string): boolean => arg.includes('=') || (arg.endsWith('-') && arg.length > 1);
  const first = args.findIndex(isChange);
  if (first === -1) throw new CommandError(`at least one ${word} update is required`);
  const set: Record<string, string> = {};
  const remove: string[] = [];
  for (const arg of args.slice(first)) {
    if (!isChange(arg)) throw new CommandError(`all resources must be specified before ${word} changes: ${arg}`);
    const equals = arg.indexOf('=');
    if (equals === -1) remove.push(arg.slice(0, -1));
    else if (equals === 0) throw new CommandError(`invalid ${word} spec: ${arg}`);
    else set[arg.slice(0, equals)] = arg.slice(equals + 1);
  }
  const both = remove.filter((key) => key in set);
  if (both.length > 0) throw new CommandError(`can not both modify and remove ${word === 'label' ? 'a label' : 'an annotation'} in the same command`);
  return { resources: args.slice(0, first), changes: { set, remove } };
};

/** The merge patch of metadata.labels or metadata.annotations; undefined when nothing changes. Throws CommandError for a value that is there already. */
export const keyValuePatch = (object: ApiObject, field: 'labels' | 'annotations', changes: KeyValueChanges, overwrite: boolean): Readonly<Record<string, string | null>> | undefined => {
  const before = object.metadata[field] ?? {};
  const patch: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(changes.set)) {
    const has = Object.hasOwn(before, key) ? before[key] : undefined;
    if (has === value) continue;
    if (has !== undefined && !overwrite) throw new CommandError(`'${key}' already has a value (${has}), and --overwrite is false`);
    patch[key] = value;
  }
  for (const key of changes.remove) if (Object.hasOwn(before, key)) patch[key] = null;
  return Object.keys(patch).length === 0 ? undefined : patch;
};

/** The object with the patch in it, for --dry-run=client. */
export const previewKeyValues = (object: ApiObject, field: 'labels' | 'annotations', patch: Readonly<Record<string, string | null>>): ApiObject => {
  const merged = Object.fromEntries(Object.entries({ ...object.metadata[field], ...patch }).filter((entry): entry is [string, string] => entry[1] !== null));
  return { ...object, metadata: { ...object.metadata, [field]: merged } };
};
