/** Regular expressions as RE2 has them: they take time in proportion to the text, whatever the pattern. */
import { RE2JS, RE2JSException } from 're2js';
import type { CelBudget } from '../budget.ts';
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction, type LiteralCheck } from '../functions.ts';
import { ArrayList } from '../values.ts';

/** Longest pattern, in UTF-16 units. */
const maxPatternLength = 1_024;
/** Compiled patterns that are kept, the latest. */
const maxKept = 256;

const kept = new Map<string, RE2JS>();

const compiled = (pattern: string, budget?: CelBudget): RE2JS => {
  const known = kept.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > maxPatternLength) throw new CelError(`a regular expression may have at most ${maxPatternLength} characters`);
  budget?.spend(100 + pattern.length * 10);
  try {
    const made = RE2JS.compile(pattern);
    if (kept.size >= maxKept) kept.delete(kept.keys().next().value!);
    kept.set(pattern, made);
    return made;
  } catch (error) {
    if (error instanceof RE2JSException) throw new CelError(error.message);
    throw error;
  }
};

/** Walks of a text cost by its length and by the size of the pattern, as in Kubernetes. */
const prepared = (text: string, pattern: string, budget: CelBudget): RE2JS => {
  const expression = compiled(pattern, budget);
  budget.spend(Math.ceil((text.length + 1) / 10) * Math.ceil((pattern.length + 1) / 4));
  return expression;
};

const literal: LiteralCheck = {
  parameter: 1,
  wrong: (pattern) => {
    try {
      compiled(pattern);
      return undefined;
    } catch (error) {
      if (error instanceof CelError) return error.message;
      throw error;
    }
  },
};

const found = (text: string, pattern: string, { limit, budget }: { readonly limit: bigint; readonly budget: CelBudget }): ArrayList => {
  const matcher = prepared(text, pattern, budget).matcher(text);
  const all: string[] = [];
  const most = limit < 0n ? Infinity : Number(limit);
  for (let i = 0; i < most && matcher.find(); i++) {
    budget.spend(1);
    all.push(matcher.group() ?? '');
  }
  return new ArrayList(all);
};

const matches = (text: string, pattern: string, budget: CelBudget): boolean => prepared(text, pattern, budget).matcher(text).find();

export const regex: readonly CelFunction[] = [
  fn('string.matches(string): bool', matches, literal),
  fn('matches(string, string): bool', matches, literal),
  fn('string.find(string): string', (text: string, pattern: string, budget: CelBudget) => {
    const matcher = prepared(text, pattern, budget).matcher(text);
    return matcher.find() ? matcher.group() ?? '' : '';
  }, literal),
  fn('string.findAll(string): list<string>', (text: string, pattern: string, budget: CelBudget) => found(text, pattern, { limit: -1n, budget }), literal),
  fn('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint, budget: CelBudget) => found(text, pattern, { limit, budget }), literal),
];
