/** Whether some rules allow all that others do: asked before anybody may hand rules on. */
import type { PolicyRule } from '../../schemas/types/rbac.ts';

const within = (wanted: readonly string[] = [], held: readonly string[] = []): boolean => held.includes('*') || wanted.every((one) => held.includes(one));

const coversResources = (wanted: readonly string[] = [], held: readonly string[] = []): boolean => held.includes('*') || wanted.every((one) => {
  const slash = one.indexOf('/');
  return held.includes(one) || (slash > 0 && held.includes(`*${one.slice(slash)}`));
});

const coversNames = (wanted: readonly string[] = [], held: readonly string[] = []): boolean =>
  held.length === 0 || (wanted.length > 0 && wanted.every((one) => held.includes(one)));

const coversPaths = (wanted: readonly string[], held: readonly string[]): boolean =>
  wanted.every((path) => held.some((one) => one === path || (one.endsWith('*') && path.startsWith(one.slice(0, -1)))));

/** True when one rule by itself allows all that another does. */
export const ruleCovers = (held: PolicyRule, wanted: PolicyRule): boolean => {
  if (!within(wanted.verbs, held.verbs)) return false;
  const paths = wanted.nonResourceURLs ?? [];
  if (paths.length > 0 && !coversPaths(paths, held.nonResourceURLs ?? [])) return false;
  if ((wanted.resources ?? []).length === 0) return paths.length > 0;
  return within(wanted.apiGroups, held.apiGroups) && coversResources(wanted.resources, held.resources) && coversNames(wanted.resourceNames, held.resourceNames);
};

/** A rule that takes more single permissions than this apart must be covered by one rule as a whole. */
const maxParts = 10_000;

/** The rule as rules of one verb on one resource (or path) each. */
function* partsOf({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): Generator<PolicyRule, void> {
  for (const verb of new Set(verbs)) {
    for (const path of new Set(nonResourceURLs)) yield { verbs: [verb], nonResourceURLs: [path] };
    for (const group of new Set(apiGroups)) {
      for (const resource of new Set(resources)) {
        if (resourceNames.length === 0) yield { verbs: [verb], apiGroups: [group], resources: [resource] };
        else for (const name of new Set(resourceNames)) yield { verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: [name] };
      }
    }
  }
}

const countOf = ({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): number =>
  verbs.length * (nonResourceURLs.length + apiGroups.length * resources.length * Math.max(1, resourceNames.length));

/** Parts that differ in their verb only, as one rule. */
const merged = (parts: readonly PolicyRule[]): readonly PolicyRule[] => {
  const rules = new Map<string, PolicyRule>();
  for (const part of parts) {
    const { verbs, ...rest } = part;
    const key = JSON.stringify(rest);
    rules.set(key, { ...rest, verbs: [...rules.get(key)?.verbs ?? [], ...verbs] });
  }
  return [...rules.values()];
};

/** What of the wanted rules no held rule allows; empty when all of it is held. */
export const uncovered = (wanted: readonly PolicyRule[], held: readonly PolicyRule[]): readonly PolicyRule[] => merged(wanted.flatMap((rule) => {
  if (held.some((one) => ruleCovers(one, rule))) return [];
  if (countOf(rule) > maxParts) return [rule];
  return [...partsOf(rule)].filter((part) => !held.some((one) => ruleCovers(one, part)));
}));
