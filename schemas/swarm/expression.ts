/**
 * Expressions of Docker Swarm: `key==value`, `key!=value`, soft with `~` before the value. Classic Swarm and SwarmKit read
 * them differently; the key says whose they are. Keys that SwarmKit knows (`node.labels.rack`) compare whole values
 * without regard to case; all others are classic ones, whose values are globs or `/regular expressions/`.
 */
import { compilePattern } from '../custom/patterns.ts';
import { whyNotCidr, whyNotIp } from '../names.ts';

/** Longest expression that is taken, in UTF-16 units. */
export const maxExpressionLength = 1_024;

export interface SwarmExpression {
  /** As it was written, without spaces around it. */
  readonly text: string;
  readonly key: string;
  readonly operator: '==' | '!=';
  readonly value: string;
  /** Nodes that meet it are preferred, not required. */
  readonly soft: boolean;
}

/** The operator, and the value as a text or what it is searched with. */
export interface ValueMatch {
  /** Whether any of the values is the one meant, or with `!=` none of them. */
  matches(values: readonly string[]): boolean;
}

const keyForm = /^[A-Za-z_][A-Za-z0-9_./-]*$/;
// eslint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** Keys that SwarmKit looks up on a node; labels follow the last two. */
const swarmKitKeys = ['node.id', 'node.hostname', 'node.ip', 'node.role', 'node.platform.os', 'node.platform.arch'] as const;
export const nodeLabelPrefix = 'node.labels.';
export const engineLabelPrefix = 'engine.labels.';

export type SwarmKitKey = (typeof swarmKitKeys)[number];

/** The part of a node that a key of SwarmKit names; undefined for keys of classic Swarm. Only names of labels mind case. */
export const swarmKitKey = (key: string): SwarmKitKey | { readonly label: string; readonly of: 'node' | 'engine' } | undefined => {
  const lower = key.toLowerCase();
  for (const [prefix, of] of [[nodeLabelPrefix, 'node'], [engineLabelPrefix, 'engine']] as const) {
    if (lower.startsWith(prefix) && key.length > prefix.length) return { label: key.slice(prefix.length), of };
  }
  return swarmKitKeys.find((one) => one === lower);
};

/** The expression, or why the text is none and what would be right. */
export const parseExpression = (written: string): SwarmExpression | string => {
  const text = written.trim();
  if (text.length > maxExpressionLength) return `must have at most ${maxExpressionLength} characters`;
  const operator = text.includes('==') ? '==' : text.includes('!=') ? '!=' : undefined;
  if (operator === undefined) return 'must have one of the operators == and != (for example storage==ssd)';
  const at = text.indexOf(operator);
  const key = text.slice(0, at).trimEnd();
  if (!keyForm.test(key)) return `the key ${JSON.stringify(key)} must begin with a letter or '_' and have only letters, digits, '-', '_', '.' and '/' (for example storage==ssd)`;
  const given = text.slice(at + operator.length).trimStart();
  const soft = given.startsWith('~');
  const value = soft ? given.slice(1).trimStart() : given;
  if (value === '') return `must have a value after ${operator}${soft ? '~' : ''} (for example ${key}${operator}${soft ? '~' : ''}ssd)`;
  if (value.includes('~')) return "must have '~' at the beginning of the value only, where it makes the expression soft (for example storage==~ssd)";
  if (controlCharacter.test(value)) return 'must have no control characters in its value';
  return { text, key, operator, value, soft };
};

/** Why the value of an expression cannot be searched for, or undefined. */
export const whyNotPatternValue = (value: string): string | undefined => {
  try {
    compiled(value);
    return undefined;
  } catch (error) {
    return `must have a value that is a glob or a /regular expression/ of RE2: ${(error as Error).message}`;
  }
};

/** Why an expression about nodes can never do what it says, or undefined. SwarmKit takes such ones and never places the task. */
export const whyNotConstraint = ({ key, value }: SwarmExpression): string | undefined => {
  const known = swarmKitKey(key);
  if (known === 'node.role') return /^(manager|worker)$/i.test(value) ? undefined : 'node.role is manager or worker';
  if (known === 'node.ip') return whyNotIp(value) === undefined || whyNotCidr(value) === undefined ? undefined : 'node.ip must be compared with an address or a range (for example node.ip==10.0.0.0/8)';
  if (known !== undefined) return undefined;
  if (/^(node|engine)\./i.test(key)) return `must name one of ${swarmKitKeys.join(', ')}, ${nodeLabelPrefix}NAME, ${engineLabelPrefix}NAME, or a label that does not begin with node. or engine.`;
  return whyNotPatternValue(value);
};

const literal = /^[A-Za-z0-9_:\-\s/@,%#=]+$/;

/** What classic Swarm searches with: a regular expression between slashes, else the whole value with `*` for any text. */
const compiled = (value: string): ((text: string) => boolean) => {
  const isRegex = value.length > 1 && value.startsWith('/') && value.endsWith('/');
  if (!isRegex && literal.test(value)) return (text) => text === value;
  const pattern = compilePattern(isRegex ? value.slice(1, -1) : `^${value.replaceAll('*', '.*')}$`);
  return (text) => pattern.matcher(text).find();
};

/** How classic Swarm compares: any of the values is enough for `==`, none may be the one for `!=`. Throws Error when the value is no pattern. */
export const patternMatch = ({ operator, value }: Pick<SwarmExpression, 'operator' | 'value'>): ValueMatch => {
  const isMeant = compiled(value);
  return { matches: (values) => values.some(isMeant) === (operator === '==') };
};

/** How SwarmKit compares: the whole value, in either case. */
export const wholeMatch = ({ operator, value }: Pick<SwarmExpression, 'operator' | 'value'>): ValueMatch => {
  const wanted = value.toLowerCase();
  return { matches: (values) => values.some((one) => one.toLowerCase() === wanted) === (operator === '==') };
};
