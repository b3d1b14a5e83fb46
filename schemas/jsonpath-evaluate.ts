import { JsonPathError, type Action, type JsonPath, type Node, type Operator } from './jsonpath.ts';
import { compactJson } from './print-json.ts';

/** A template may select this many values at most. */
const maxValues = 1_000_000;

/** `missing: 'ignore'` gives nothing for fields that are not there; `'fail'` throws. */
export interface EvaluateOptions {
  readonly missing: 'ignore' | 'fail';
}

type Values = readonly unknown[];

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

const children = (value: unknown): Values =>
  (Array.isArray(value) ? value as Values : isMap(value) ? Object.keys(value).sort().map((key) => value[key]) : []);

const bounded = (values: unknown[]): Values => {
  if (values.length > maxValues) throw new JsonPathError(`the template selects more than ${maxValues} values`);
  return values;
};

/** flatMap without spread arguments, so that long lists do not overflow the stack. */
const each = (values: Values, pick: (value: unknown) => Values): Values => {
  const out: unknown[] = [];
  for (const value of values) for (const found of pick(value)) out.push(found);
  return bounded(out);
};

const field = (values: Values, name: string, options: EvaluateOptions): Values => {
  const found = each(values, (value) => (isMap(value) && Object.hasOwn(value, name) ? [value[name]] : []));
  if (found.length === 0 && options.missing === 'fail') throw new JsonPathError(`${name} is not found`);
  return found;
};

const slice = (list: Values, node: Extract<Node, { type: 'slice' }>): Values => {
  const length = list.length;
  const absolute = (index: number): number => (index < 0 ? index + length : index);
  if (node.single) {
    const index = absolute(node.from ?? 0);
    if (index < 0 || index >= length) throw new JsonPathError(`array index out of bounds: index ${node.from}, length ${length}`);
    return [list[index]];
  }
  if (node.step <= 0) throw new JsonPathError('step must be > 0');
  const from = absolute(node.from ?? 0);
  const to = absolute(node.to ?? length);
  if (from > to) {
    // A range that begins behind the end of a list is empty; one that is written backwards is a mistake.
    if (node.to === undefined) return [];
    throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
  }
  if (from < 0) throw new JsonPathError(`array index out of bounds: index ${node.from}, length ${length}`);
  if (to > length) throw new JsonPathError(`array index out of bounds: index ${to - 1}, length ${length}`);
  return list.slice(from, to).filter((_, index) => index % node.step === 0);
};

const descend = (values: Values): Values => {
  const out: unknown[] = [];
  const visit = (value: unknown): void => {
    out.push(value);
    bounded(out);
    for (const child of children(value)) visit(child);
  };
  for (const value of values) visit(value);
  return out;
};

const compare = (left: unknown, operator: Exclude<Operator, 'exists'>, right: unknown): boolean => {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false;
  const order = left === right ? 0 : left < (right as typeof left) ? -1 : 1;
  return operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : operator === '>' ? order > 0 : order >= 0;
};

const filter = (values: Values, node: Extract<Node, { type: 'filter' }>): Values => each(values, (value) => children(value).filter((item) => {
  const left = path(node.left, [item], { missing: 'ignore' });
  if (node.operator === 'exists') return left.length > 0;
  const right = path(node.right, [item], { missing: 'ignore' });
  if (left.length === 0) return false;
  if (left.length > 1 || right.length > 1) throw new JsonPathError('can only compare one element at a time');
  return compare(left[0], node.operator, right[0]);
}));

const step = (node: Node, values: Values, options: EvaluateOptions): Values => {
  switch (node.type) {
    case 'text': return [node.text];
    case 'value': return [node.value];
    case 'field': return field(values, node.name, options);
    case 'wildcard': return each(values, children);
    case 'recursive': return descend(values);
    case 'slice': return each(values, (value) => {
      if (Array.isArray(value)) return slice(value, node);
      if (value === null || value === undefined) return [];
      throw new JsonPathError(`${isMap(value) ? 'a map' : typeof value} is not array or slice`);
    });
    case 'union': return bounded(node.members.flatMap((member) => path(member, values, options)));
    case 'filter': return filter(values, node);
    case 'word': throw new JsonPathError(`unrecognized identifier ${node.word}`);
  }
};

const path = (nodes: readonly Node[], values: Values, options: EvaluateOptions): Values =>
  nodes.reduce<Values>((found, node) => step(node, found, options), values);

const isWord = (action: Action, word: string): boolean => action[0]?.type === 'word' && action[0].word === word;

/** The action after the `{end}` that closes a range whose body begins at `from`. */
const endOfRange = (actions: readonly Action[], from: number): number => {
  let depth = 1;
  for (let at = from; at < actions.length; at++) {
    if (isWord(actions[at]!, 'range')) depth++;
    if (isWord(actions[at]!, 'end') && --depth === 0) return at;
  }
  return actions.length;
};

const results = (actions: readonly Action[], root: unknown, options: EvaluateOptions): readonly Values[] => {
  const out: Values[] = [];
  for (let at = 0; at < actions.length; at++) {
    const action = actions[at]!;
    if (isWord(action, 'range')) {
      const end = endOfRange(actions, at + 1);
      const body = actions.slice(at + 1, end);
      for (const item of path(action.slice(1), [root], options)) for (const values of results(body, item, options)) out.push(values);
      at = end;
    } else if (isWord(action, 'end')) {
      throw new JsonPathError('not in range, nothing to end');
    } else {
      out.push(path(action, [root], options));
    }
  }
  return out;
};

const explained = <T>(template: JsonPath, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new JsonPathError(`error executing jsonpath "${template.source}": ${error.message}`);
  }
};

/** The values that a template's actions select, one list for each time an action was reached. */
export const selectValues = (template: JsonPath, root: unknown, options: EvaluateOptions = { missing: 'ignore' }): readonly Values[] =>
  explained(template, () => results(template.actions, root, options));

/** A value as text: strings as they are, everything else as JSON. */
export const valueText = (value: unknown): string => (typeof value === 'string' ? value : compactJson(value ?? null));

/** What `-o jsonpath=` prints. */
export const renderJsonPath = (template: JsonPath, root: unknown, options: EvaluateOptions = { missing: 'ignore' }): string =>
  selectValues(template, root, options).map((values) => values.map(valueText).join(' ')).join('');
