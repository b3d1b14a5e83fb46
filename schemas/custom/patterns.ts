/**
 * Regular expressions that users write, for `pattern` and for rules. They are those of RE2, as in Kubernetes: matching
 * takes time linear in the text, whatever the expression, so that nobody can stop the server with one.
 */
import { RE2JS, RE2JSException } from 're2js';

/** Longest expression that is taken. */
export const maxPatternLength = 4_096;

/** Expressions that were compiled last; schemas hold on to their own. */
const maxKnown = 256;
const known = new Map<string, RE2JS>();

/** The compiled expression. Throws Error that says what is wrong with it. */
export const compilePattern = (pattern: string): RE2JS => {
  const have = known.get(pattern);
  if (have !== undefined) return have;
  if (pattern.length > maxPatternLength) throw new Error(`must be no longer than ${maxPatternLength} characters`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new Error(error.message, { cause: error });
  }
  if (known.size >= maxKnown) for (const oldest of known.keys()) { known.delete(oldest); break; }
  known.set(pattern, compiled);
  return compiled;
};

/** Why the text is no regular expression, or undefined. */
export const whyNotPattern = (pattern: string): string | undefined => {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    return `must be a valid regular expression, but ${(error as Error).message}`;
  }
};
