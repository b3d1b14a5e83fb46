/**
 * Label selectors in both their forms: the text of a query (`app=web,tier in (a, b),!old`) and the LabelSelector object
 * of a spec. Both become a LabelMatcher, which is compiled once and asked often.
 */
import { badRequest, forbidden, required, wrong, type FieldError } from './errors.ts';
import { whyNotLabelValue, whyNotQualifiedName } from './names.ts';
import type { LabelSelector } from './types/label-selector.ts';

export type Labels = Readonly<Record<string, string>>;

export type SelectorOperator = 'Equals' | 'NotEquals' | 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'GreaterThan' | 'LessThan';

/** One condition on one label. Equals and NotEquals, which have one value, differ from In and NotIn in how they are printed. */
export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

export interface LabelMatcher {
  readonly requirements: readonly Requirement[];
  /** True when there is no condition. */
  readonly everything: boolean;
  matches(labels: Labels | undefined): boolean;
  /** The canonical text: conditions sorted by key, values sorted. */
  toString(): string;
}

const labelOf = (labels: Labels | undefined, key: string): string | undefined =>
  labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;

const holds = ({ operator, values }: Requirement, value: string | undefined): boolean => {
  switch (operator) {
    case 'Equals': case 'In': return value !== undefined && values.includes(value);
    case 'NotEquals': case 'NotIn': return value === undefined || !values.includes(value);
    case 'Exists': return value !== undefined;
    case 'DoesNotExist': return value === undefined;
    default: {
      if (value === undefined || !/^-?\d+$/.test(value)) return false;
      const difference = BigInt(value) - BigInt(values[0] ?? '0');
      return operator === 'GreaterThan' ? difference > 0n : difference < 0n;
    }
  }
};

const printed = ({ key, operator, values }: Requirement): string => {
  const sorted = values.toSorted();
  switch (operator) {
    case 'Equals': return `${key}=${sorted[0]}`;
    case 'NotEquals': return `${key}!=${sorted[0]}`;
    case 'In': return `${key} in (${sorted.join(',')})`;
    case 'NotIn': return `${key} notin (${sorted.join(',')})`;
    case 'Exists': return key;
    case 'DoesNotExist': return `!${key}`;
    case 'GreaterThan': return `${key}>${sorted[0]}`;
    case 'LessThan': return `${key}<${sorted[0]}`;
  }
};

const matcherOf = (requirements: readonly Requirement[]): LabelMatcher => {
  const sorted = requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  let text: string | undefined;
  return Object.freeze({
    requirements: Object.freeze(sorted),
    everything: sorted.length === 0,
    matches: (labels: Labels | undefined) => sorted.every((requirement) => holds(requirement, labelOf(labels, requirement.key))),
    toString: () => (text ??= sorted.map(printed).join(',')),
  });
};

export const everything: LabelMatcher = matcherOf([]);

/** Selects no object, as a LabelSelector that is absent does. */
export const nothing: LabelMatcher = Object.freeze({ requirements: [], everything: false, matches: () => false, toString: () => '<nothing>' });

/** Longest text of a selector that is taken. */
const maxTextLength = 64 * 1024;

const token = /\s*(?:(==|!=|[=!(),<>])|([^\s=!(),<>]+))\s*/y;

const tokens = (text: string): readonly string[] => {
  const found: string[] = [];
  token.lastIndex = 0;
  const body = text.trim();
  while (token.lastIndex < body.length) {
    const match = token.exec(body);
    if (match === null) break;
    found.push(match[1] ?? match[2] ?? '');
  }
  return found;
};

const isWord = (text: string | undefined): text is string => text !== undefined && !/^(==|!=|[=!(),<>])$/.test(text);

/** Reads the conditions of one text, left to right. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokens(text);
  }

  all(): readonly Requirement[] {
    const found: Requirement[] = [];
    if (this.#tokens.length === 0) return found;
    for (;;) {
      found.push(this.#one());
      const next = this.#next();
      if (next === undefined) return found;
      if (next !== ',') throw this.#wrong(`found ${JSON.stringify(next)} where ',' or the end was wanted`);
    }
  }

  #next(): string | undefined {
    return this.#tokens[this.#at++];
  }

  #wrong(why: string): Error {
    return badRequest(`unable to parse requirement: ${why} in the selector ${JSON.stringify(this.#text)}`);
  }

  #key(): string {
    const key = this.#next();
    if (!isWord(key)) throw this.#wrong(key === undefined ? 'a label key is missing at the end' : `found ${JSON.stringify(key)} where a label key was wanted`);
    const why = whyNotQualifiedName(key);
    if (why !== undefined) throw this.#wrong(`the label key ${JSON.stringify(key)} ${why}`);
    return key;
  }

  #value(allowEmpty: boolean): string {
    const value = this.#tokens[this.#at];
    if (!isWord(value)) {
      if (allowEmpty && (value === undefined || value === ',' || value === ')')) return '';
      throw this.#wrong(value === undefined ? 'a value is missing at the end' : `found ${JSON.stringify(value)} where a value was wanted`);
    }
    this.#at++;
    const why = whyNotLabelValue(value);
    if (why !== undefined) throw this.#wrong(`the label value ${JSON.stringify(value)} ${why}`);
    return value;
  }

  #values(): readonly string[] {
    const open = this.#next();
    if (open !== '(') throw this.#wrong(`found ${open === undefined ? 'the end' : JSON.stringify(open)} where '(' was wanted`);
    const values: string[] = [];
    for (;;) {
      values.push(this.#value(true));
      const next = this.#next();
      if (next === ')') return [...new Set(values)];
      if (next !== ',') throw this.#wrong(`found ${next === undefined ? 'the end' : JSON.stringify(next)} where ',' or ')' was wanted`);
    }
  }

  #one(): Requirement {
    if (this.#tokens[this.#at] === '!') {
      this.#at++;
      return { key: this.#key(), operator: 'DoesNotExist', values: [] };
    }
    const key = this.#key();
    const next = this.#tokens[this.#at];
    switch (next) {
      case undefined: case ',':
        return { key, operator: 'Exists', values: [] };
      case '=': case '==':
        this.#at++;
        return { key, operator: 'Equals', values: [this.#value(true)] };
      case '!=':
        this.#at++;
        return { key, operator: 'NotEquals', values: [this.#value(true)] };
      case 'in': case 'notin':
        this.#at++;
        return { key, operator: next === 'in' ? 'In' : 'NotIn', values: this.#values() };
      case '>': case '<': {
        this.#at++;
        const value = this.#value(false);
        if (!/^-?\d+$/.test(value)) throw this.#wrong(`${JSON.stringify(value)} must be an integer after ${JSON.stringify(next)}`);
        return { key, operator: next === '>' ? 'GreaterThan' : 'LessThan', values: [value] };
      }
      default:
        throw this.#wrong(`found ${JSON.stringify(next)} where one of '=', '==', '!=', 'in', 'notin', '<', '>' was wanted`);
    }
  }
}

/** Parses the text of a `labelSelector` parameter; empty selects everything. Throws BadRequest that says what is wrong where. */
export const parseLabelSelector = (text: string): LabelMatcher => {
  if (text.length > maxTextLength) throw badRequest(`the label selector is longer than ${maxTextLength} characters`);
  return matcherOf(new Parser(text).all());
};

const compiled = new WeakMap<LabelSelector, LabelMatcher>();

/**
 * The matcher of a LabelSelector object that has been validated. An absent selector selects nothing, an empty one
 * everything, as in Kubernetes. Frozen selectors are compiled once.
 */
export const labelMatcher = (selector: LabelSelector | undefined): LabelMatcher => {
  if (selector === undefined) return nothing;
  const known = compiled.get(selector);
  if (known !== undefined) return known;
  const matcher = matcherOf([
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => ({ key, operator: 'Equals', values: [value] })),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values }): Requirement => ({ key, operator: operator as SelectorOperator, values: values ?? [] })),
  ]);
  if (Object.isFrozen(selector)) compiled.set(selector, matcher);
  return matcher;
};

/** The matcher of a plain map of labels, such as a service's selector: all must be equal. Absent or empty selects nothing. */
export const mapMatcher = (labels: Labels | undefined): LabelMatcher =>
  labels === undefined || Object.keys(labels).length === 0 ? nothing : labelMatcher({ matchLabels: labels });

/** Every wrong field of a LabelSelector object. */
export const validateLabelSelector = (selector: LabelSelector | undefined, field: string): readonly FieldError[] => {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    const wrongKey = whyNotQualifiedName(key);
    const wrongValue = whyNotLabelValue(value);
    if (wrongKey !== undefined) errors.push(wrong(`${field}.matchLabels`, key, wrongKey));
    if (wrongValue !== undefined) errors.push(wrong(`${field}.matchLabels`, value, wrongValue));
  }
  for (const [index, { key, operator, values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${index}]`;
    const wrongKey = whyNotQualifiedName(key);
    if (wrongKey !== undefined) errors.push(wrong(`${at}.key`, key, wrongKey));
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else {
      errors.push(wrong(`${at}.operator`, operator, 'not a valid selector operator: must be In, NotIn, Exists or DoesNotExist'));
    }
    for (const [place, value] of values.entries()) {
      const why = whyNotLabelValue(value);
      if (why !== undefined) errors.push(wrong(`${at}.values[${place}]`, value, why));
    }
  }
  return errors;
};

/** A LabelSelector object as the text that a `labelSelector` parameter takes; undefined when it selects nothing. */
export const selectorText = (selector: LabelSelector | undefined): string | undefined =>
  selector === undefined ? undefined : String(labelMatcher(selector));
