import { baselineChecks } from './baseline.ts';
import type { Check, Subject, Violation } from './check.ts';
import type { Standard } from './policy.ts';
import { restrictedChecks } from './restricted.ts';

const ruleAt = ({ versions }: Check, minor: number): Check['versions'][number]['violation'] | undefined => versions.findLast(({ from }) => from <= minor)?.violation;

/** Everything in which a pod falls short of a standard, in a fixed order; nothing where it meets it. */
export const violationsOf = ({ level, minor }: Standard, subject: Subject): readonly Violation[] => {
  if (level === 'privileged') return [];
  const further = level === 'baseline' ? [] : restrictedChecks.filter((check) => ruleAt(check, minor) !== undefined);
  const replaced = new Set(further.flatMap(({ replaces = [] }) => replaces));
  return [...baselineChecks.filter(({ id }) => !replaced.has(id)), ...further].map((check) => ruleAt(check, minor)?.(subject)).filter((found) => found !== undefined);
};

/** `host namespaces (hostNetwork=true), privileged (container "c" must not set ...)`. */
export const violationText = (violations: readonly Violation[]): string => violations.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');

/** The reasons alone, for lists of many pods. */
export const reasonsText = (violations: readonly Violation[]): string => violations.map(({ reason }) => reason).join(', ');
