/**
 * What a pod says in Docker Swarm's language, in annotations below `swarm.barge.dev/`. Lists are one entry a line, or a
 * JSON array of strings as classic Swarm keeps them in labels.
 */
import { refused, unsupported, type FieldError } from '../errors.ts';
import type { ObjectMeta } from '../types/object-meta.ts';
import { engineLabelPrefix, nodeLabelPrefix, parseExpression, swarmKitKey, whyNotConstraint, whyNotPatternValue, type SwarmExpression } from './expression.ts';

export const swarmPrefix = 'swarm.barge.dev/';

/** Most entries of one list. */
export const maxEntries = 64;

const mostReplicas = 2 ** 31 - 1;

/** A label of nodes or of their engines over whose values pods are spread. */
export interface SpreadLabel {
  readonly of: 'node' | 'engine';
  readonly label: string;
}

/** All that one pod says. Absent annotations are empty lists. */
export interface SwarmPlacement {
  readonly constraints: readonly SwarmExpression[];
  readonly whitelists: readonly SwarmExpression[];
  readonly affinities: readonly SwarmExpression[];
  /** Names of the pods, or containers of pods, beside which this one must run. */
  readonly dependencies: readonly string[];
  /** From the outermost to the innermost. */
  readonly preferences: readonly SpreadLabel[];
  readonly maxReplicasPerNode: number | undefined;
}

const listOf = (text: string): readonly string[] | string => {
  let entries: readonly string[];
  if (text.trimStart().startsWith('[')) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return 'must be one entry a line, or a JSON array of strings';
    }
    if (!Array.isArray(parsed) || !parsed.every((one) => typeof one === 'string')) return 'must be one entry a line, or a JSON array of strings';
    entries = parsed;
  } else {
    entries = text.split('\n').filter((line) => line.trim() !== '');
  }
  return entries.length > maxEntries ? `must have at most ${maxEntries} entries` : entries;
};

/** The list of what `parse` makes of every entry, or the first reason why not, with its entry. */
const parsedList = <T>(text: string, parse: (entry: string) => T | string): readonly T[] | string => {
  const entries = listOf(text);
  if (typeof entries === 'string') return entries;
  const found: T[] = [];
  for (const entry of entries) {
    const one = parse(entry);
    if (typeof one === 'string') return `${JSON.stringify(entry.trim().slice(0, 100))}: ${one}`;
    found.push(one);
  }
  return found;
};

const expression = (text: string, whyNot: (parsed: SwarmExpression) => string | undefined): SwarmExpression | string => {
  const parsed = parseExpression(text);
  return typeof parsed === 'string' ? parsed : whyNot(parsed) ?? parsed;
};

/** Classic Swarm does not look at the operator of a whitelist and reads `!=` as `==`: better to say so. */
const whyNotWhitelist = ({ operator }: SwarmExpression): string | undefined =>
  (operator === '==' ? undefined : 'a whitelist must have the operator == (for example node==worker-1|worker-2)');

const dependency = (text: string): { readonly name: string } | string => {
  const [, kind, rest = ''] = /^(volumes-from|link|net)\s*=\s*(.*)$/.exec(text.trim()) ?? [];
  // link=NAME:ALIAS and volumes-from=NAME:MODE mean NAME; a net that is no container's is no dependency.
  const name = kind === 'net' ? /^container:(.+)$/.exec(rest)?.[1] : rest.split(':')[0];
  if (kind === undefined || name === undefined || name === '') return 'must be volumes-from=NAME, link=NAME or net=container:NAME (for example volumes-from=db)';
  return { name };
};

const preference = (text: string): SpreadLabel | string => {
  const [, descriptor = ''] = /^(?:spread\s*=\s*)?(\S+)$/.exec(text.trim()) ?? [];
  const key = swarmKitKey(descriptor);
  return typeof key === 'object' ? key : `must be spread=${nodeLabelPrefix}NAME or spread=${engineLabelPrefix}NAME (for example spread=node.labels.rack)`;
};

const count = (text: string): number | string => {
  const digits = text.trim();
  return /^\d{1,10}$/.test(digits) && Number(digits) <= mostReplicas ? Number(digits) : `must be a number from 0 (no limit) to ${mostReplicas}`;
};

/** How each annotation is read; a text says why it cannot be. */
const readers = {
  constraints: (text: string) => parsedList(text, (one) => expression(one, whyNotConstraint)),
  whitelists: (text: string) => parsedList(text, (one) => expression(one, whyNotWhitelist)),
  affinities: (text: string) => parsedList(text, (one) => expression(one, ({ value }) => whyNotPatternValue(value))),
  dependencies: (text: string) => parsedList(text, dependency),
  preferences: (text: string) => parsedList(text, preference),
  'max-replicas-per-node': count,
} as const;

type Name = keyof typeof readers;

const names = Object.keys(readers) as readonly Name[];

const read = (annotations: Readonly<Record<string, string>>): SwarmPlacement => {
  const value = <K extends Name>(name: K, absent: Exclude<ReturnType<(typeof readers)[K]>, string>): Exclude<ReturnType<(typeof readers)[K]>, string> => {
    const text = annotations[swarmPrefix + name];
    if (text === undefined) return absent;
    const parsed = readers[name](text);
    return typeof parsed === 'string' ? absent : parsed as Exclude<ReturnType<(typeof readers)[K]>, string>;
  };
  const constraints = value('constraints', []);
  const whitelists = value('whitelists', []);
  const affinities = value('affinities', []);
  const dependencies = value('dependencies', []).map(({ name }) => name);
  const preferences = value('preferences', []);
  const most = value('max-replicas-per-node', 0);
  return { constraints, whitelists, affinities, dependencies, preferences, maxReplicasPerNode: most === 0 ? undefined : most };
};

/** The annotations of Swarm's language among these; undefined where there is none. */
export const swarmAnnotations = (annotations: ObjectMeta['annotations']): Readonly<Record<string, string>> | undefined => {
  let found: Record<string, string> | undefined;
  for (const key in annotations) if (key.startsWith(swarmPrefix)) (found ??= {})[key] = annotations[key]!;
  return found;
};

const known = new WeakMap<Readonly<Record<string, string>>, SwarmPlacement>();

/** What an object's annotations say in Swarm's language; undefined when nothing. What cannot be read counts as absent: `validateSwarmAnnotations` tells. */
export const swarmPlacement = (annotations: ObjectMeta['annotations']): SwarmPlacement | undefined => {
  if (annotations === undefined || swarmAnnotations(annotations) === undefined) return undefined;
  let placement = known.get(annotations);
  if (placement === undefined) known.set(annotations, placement = read(annotations));
  return placement;
};

/** Every annotation of Swarm's language on a pod or a template of pods that cannot be read, and those that nobody knows. */
export const validateSwarmAnnotations = (annotations: ObjectMeta['annotations'], field: string): readonly FieldError[] => {
  let errors: FieldError[] | undefined;
  for (const key in annotations) {
    if (!key.startsWith(swarmPrefix)) continue;
    const name = key.slice(swarmPrefix.length);
    const reader = Object.hasOwn(readers, name) ? readers[name as Name] : undefined;
    if (reader === undefined) {
      (errors ??= []).push(unsupported(field, key, names.map((one) => swarmPrefix + one)));
      continue;
    }
    const text = annotations[key]!;
    const parsed: unknown = reader(text);
    if (typeof parsed === 'string') (errors ??= []).push(...refused(`${field}[${key}]`, text, parsed));
  }
  return errors ?? none;
};

const none: readonly FieldError[] = Object.freeze([]);
