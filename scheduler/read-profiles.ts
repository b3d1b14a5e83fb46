/** Profiles as an administrator writes them down: by schedulerName a strategy, or scorers with weights. */
import { whyNotQualifiedName } from '../schemas/names.ts';
import type { Profile, Scorer, Strategy } from './framework.ts';
import { filters, profileOf, sieves } from './profile.ts';
import { balancedAllocation } from './scorers/balanced-allocation.ts';
import { cpuAndMemory, type ResourceWeights } from './scorers/allocation.ts';
import { imageLocality } from './scorers/image-locality.ts';
import { leastAllocated } from './scorers/least-allocated.ts';
import { mostAllocated } from './scorers/most-allocated.ts';
import { nodeAffinityScore } from './scorers/node-affinity-score.ts';
import { podAffinityScore } from './scorers/pod-affinity-score.ts';
import { requestedToCapacityRatio, type RatioPoint } from './scorers/requested-to-capacity-ratio.ts';
import { spreadScoreWith } from './scorers/spread-score.ts';
import { taintScore } from './scorers/taint-score.ts';
import { systemSpread, type DefaultSpread } from './spread-constraints.ts';
import { strategies, type StrategyName } from './strategies.ts';

/** What is wrong in the profiles, with the path of the field and what would be right. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
}

/** At most so many profiles: each keeps what it prepared for the pods that it saw. */
const mostProfiles = 32;
const mostWeight = 100;

interface ScorerArguments {
  readonly resources: ResourceWeights;
  readonly shape: readonly RatioPoint[] | undefined;
  readonly defaultConstraints: DefaultSpread;
}

/** Scorers that a profile can name, by Kubernetes' words, and the arguments that they take. */
const scorers: Readonly<Record<string, { readonly takes: readonly (keyof ScorerArguments)[]; readonly make: (given: ScorerArguments, path: string) => Scorer }>> = {
  leastAllocated: { takes: ['resources'], make: ({ resources }) => leastAllocated(resources) },
  mostAllocated: { takes: ['resources'], make: ({ resources }) => mostAllocated(resources) },
  requestedToCapacityRatio: { takes: ['resources', 'shape'], make: ({ resources, shape }, path) => requestedToCapacityRatio(resources, shape ?? fail(`${path}.shape`, 'is needed: the points of the line from utilization (0 to 100) to score (0 to 10)')) },
  balancedAllocation: { takes: ['resources'], make: ({ resources }) => balancedAllocation(resources) },
  nodeAffinity: { takes: [], make: () => nodeAffinityScore },
  taintToleration: { takes: [], make: () => taintScore },
  interPodAffinity: { takes: [], make: () => podAffinityScore },
  topologySpread: { takes: ['defaultConstraints'], make: (given) => spreadScoreWith(given.defaultConstraints) },
  imageLocality: { takes: [], make: () => imageLocality },
};

/** Reads `{profiles: [...]}`; the map is by schedulerName. Throws ProfileError for the first thing that is wrong. */
export const readProfiles = (document: unknown): ReadonlyMap<string, Profile> => {
  const { profiles } = fieldsOf(document, '', ['profiles']);
  if (!Array.isArray(profiles) || profiles.length === 0 || profiles.length > mostProfiles) fail('profiles', `must be a list of 1 to ${mostProfiles} profiles, each with a schedulerName and a strategy or scorers`);
  const found = new Map<string, Profile>();
  for (const [at, one] of (profiles as readonly unknown[]).entries()) {
    const path = `profiles[${at}]`;
    const { schedulerName, strategy, scorers: wanted } = fieldsOf(one, path, ['schedulerName', 'strategy', 'scorers']);
    if (typeof schedulerName !== 'string' || !/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(schedulerName)) fail(`${path}.schedulerName`, 'must be a name of small letters, digits, "-" and ".", such as default-scheduler');
    const name = schedulerName as string;
    if (found.has(name)) fail(`${path}.schedulerName`, `${JSON.stringify(name)} is there twice`);
    if ((strategy === undefined) === (wanted === undefined)) fail(path, 'needs either a strategy or scorers');
    found.set(name, strategy === undefined ? { filters, sieves, strategy: weighted(name, wanted, `${path}.scorers`) } : profileOf(strategyNamed(strategy, `${path}.strategy`)));
  }
  return found;
};

const fail = (path: string, problem: string): never => {
  throw new ProfileError(`${path === '' ? 'the scheduler\'s config' : path}: ${problem}`);
};

const fieldsOf = (value: unknown, path: string, names: readonly string[]): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, `must be a map of: ${names.join(', ')}`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) fail(path, `unknown field ${JSON.stringify(unknown)}; there are: ${names.join(', ')}`);
  return value as Readonly<Record<string, unknown>>;
};

const strategyNamed = (name: unknown, path: string): StrategyName =>
  (typeof name === 'string' && Object.hasOwn(strategies, name) ? name as StrategyName : fail(path, `${JSON.stringify(name)} is not one of ${Object.keys(strategies).join(', ')}`));

const wholeNumber = (value: unknown, path: string, { least, most }: { readonly least: number; readonly most: number }): number =>
  (Number.isInteger(value) && (value as number) >= least && (value as number) <= most ? value as number : fail(path, `must be a whole number from ${least} to ${most}`));

const weighted = (name: string, wanted: unknown, path: string): Strategy => {
  if (!Array.isArray(wanted) || wanted.length === 0) return fail(path, `must be a list of scorers: ${Object.keys(scorers).join(', ')}`);
  const seen = new Set<unknown>();
  return {
    name,
    scorers: wanted.map((one: unknown, at) => {
      const here = `${path}[${at}]`;
      const named = fieldsOf(one, here, ['name', 'weight', 'resources', 'shape', 'defaultConstraints']);
      const kind = typeof named['name'] === 'string' && Object.hasOwn(scorers, named['name']) ? scorers[named['name']]! : fail(`${here}.name`, `${JSON.stringify(named['name'])} is not one of ${Object.keys(scorers).join(', ')}`);
      if (seen.has(named['name'])) fail(`${here}.name`, `${JSON.stringify(named['name'])} is there twice`);
      seen.add(named['name']);
      for (const argument of ['resources', 'shape', 'defaultConstraints'] as const) if (named[argument] !== undefined && !kind.takes.includes(argument)) fail(`${here}.${argument}`, `${String(named['name'])} takes none`);
      const given = {
        resources: named['resources'] === undefined ? cpuAndMemory : resourcesOf(named['resources'], `${here}.resources`),
        shape: named['shape'] === undefined ? undefined : shapeOf(named['shape'], `${here}.shape`),
        defaultConstraints: named['defaultConstraints'] === undefined ? systemSpread : spreadOf(named['defaultConstraints'], `${here}.defaultConstraints`),
      };
      return { scorer: kind.make(given, here), weight: wholeNumber(named['weight'] ?? 1, `${here}.weight`, { least: 1, most: mostWeight }) };
    }),
  };
};

const resourcesOf = (value: unknown, path: string): ResourceWeights => {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length === 0) return fail(path, 'must be a map from resources to weights, such as {cpu: 1, memory: 1}');
  return Object.fromEntries(entries.map(([name, weight]) => [name, wholeNumber(weight, `${path}[${name}]`, { least: 1, most: mostWeight })]));
};

/** Constraints that an administrator lists; all keys must be there then, as for those of a pod. An empty list: pods without constraints are not spread. */
const spreadOf = (value: unknown, path: string): DefaultSpread => {
  if (!Array.isArray(value)) return fail(path, 'must be a list of constraints, such as [{maxSkew: 3, topologyKey: kubernetes.io/hostname}]');
  const constraints = value.map((one: unknown, at) => {
    const here = `${path}[${at}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable = 'ScheduleAnyway' } = fieldsOf(one, here, ['maxSkew', 'topologyKey', 'whenUnsatisfiable']);
    if (typeof topologyKey !== 'string' || whyNotQualifiedName(topologyKey) !== undefined) return fail(`${here}.topologyKey`, 'must be the key of a node label, such as topology.kubernetes.io/zone');
    if (whenUnsatisfiable !== 'ScheduleAnyway') fail(`${here}.whenUnsatisfiable`, 'must be ScheduleAnyway: defaults rank nodes and refuse none');
    return { maxSkew: wholeNumber(maxSkew, `${here}.maxSkew`, { least: 1, most: 2 ** 31 - 1 }), topologyKey };
  });
  for (const [at, { topologyKey }] of constraints.entries()) if (constraints.findIndex((one) => one.topologyKey === topologyKey) < at) fail(`${path}[${at}].topologyKey`, `${JSON.stringify(topologyKey)} is there twice`);
  return { constraints, needsAllKeys: true };
};

const shapeOf = (value: unknown, path: string): readonly RatioPoint[] => {
  if (!Array.isArray(value) || value.length === 0) return fail(path, 'must be a list of points, such as [{utilization: 0, score: 0}, {utilization: 100, score: 10}]');
  const points = value.map((one: unknown, at) => {
    const { utilization, score } = fieldsOf(one, `${path}[${at}]`, ['utilization', 'score']);
    return { utilization: wholeNumber(utilization, `${path}[${at}].utilization`, { least: 0, most: 100 }), score: wholeNumber(score, `${path}[${at}].score`, { least: 0, most: 10 }) };
  });
  for (const [at, { utilization }] of points.entries()) if (at > 0 && utilization <= points[at - 1]!.utilization) fail(`${path}[${at}].utilization`, 'must be above the one before');
  return points;
};
