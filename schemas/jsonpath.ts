/**
 * kubectl's JSONPath: text with actions in braces, `{range .items[*]}{.metadata.name}{"\n"}{end}`. A template is parsed
 * once into nodes (this file) and evaluated over any JSON value (jsonpath-evaluate.ts). The dialect is that of
 * kubectl, with its quirks where a template could depend on them; its messages too. Cost: one pass over the template,
 * and as many values as the template selects, bounded by `maxValues`.
 */

/** A step or a text. The value list that one node gives is the input of the next. */
export type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'value'; readonly value: number | boolean }
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'wildcard' }
  | { readonly type: 'recursive' }
  | { readonly type: 'slice'; readonly from: number | undefined; readonly to: number | undefined; readonly step: number; readonly single: boolean }
  | { readonly type: 'union'; readonly members: readonly (readonly Node[])[] }
  | { readonly type: 'filter'; readonly left: readonly Node[]; readonly operator: Operator; readonly right: readonly Node[] }
  | { readonly type: 'word'; readonly word: string };

export type Operator = 'exists' | '==' | '!=' | '<' | '<=' | '>' | '>=';

/** What stands between two braces, or the text between two actions. */
export type Action = readonly Node[];

export interface JsonPath {
  readonly source: string;
  readonly actions: readonly Action[];
}

/** Longer templates are refused. */
const maxTemplateLength = 64 * 1024;
/** Filters and unions inside each other. */
const maxDepth = 20;

/** A template that cannot be read, or that does not fit the value; the message is kubectl's. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', "'": "'", b: '\b', f: '\f', v: '\v', a: '\x07' };

const isTerminator = (letter: string | undefined): boolean => letter === undefined || /[\s.,[\]$@{}]/.test(letter);

class Parser {
  readonly #source: string;
  readonly #depth: number;
  #at = 0;

  constructor(source: string, depth: number) {
    this.#source = source;
    this.#depth = depth;
  }

  #fail(message: string): never {
    throw new JsonPathError(message);
  }

  template(): readonly Action[] {
    const actions: Action[] = [];
    while (this.#at < this.#source.length) {
      const open = this.#source.indexOf('{', this.#at);
      const end = open === -1 ? this.#source.length : open;
      if (end > this.#at) actions.push([{ type: 'text', text: this.#source.slice(this.#at, end) }]);
      if (open === -1) break;
      this.#at = open + 1;
      actions.push(this.#action());
    }
    return actions;
  }

  #action(): Action {
    const nodes: Node[] = [];
    for (;;) {
      const letter = this.#source[this.#at];
      if (letter === undefined || letter === '\n') return this.#fail('unclosed action');
      if (letter === '}') {
        this.#at++;
        return nodes;
      }
      this.#step(nodes, letter);
    }
  }

  #step(nodes: Node[], letter: string): void {
    const source = this.#source;
    if (/\s/.test(letter) || letter === '@' || letter === '$') {
      this.#at++;
    } else if (source.startsWith('[?(', this.#at)) {
      nodes.push(this.#filter());
    } else if (source.startsWith('..', this.#at)) {
      nodes.push({ type: 'recursive' });
      this.#at++;
      const next = source[this.#at + 1];
      // `..name` goes on as a field; `..` and `..[` stand alone.
      if (next === undefined || next === '}' || next === '[' || next === '.') this.#at++;
    } else if (letter === '[') {
      nodes.push(this.#array());
    } else if (letter === '"' || letter === "'") {
      nodes.push({ type: 'text', text: this.#quoted(letter) });
    } else if (letter === '.') {
      nodes.push(...this.#field());
    } else if (/[-+\d]/.test(letter)) {
      const number = /^[-+]?\d+(?:\.\d*)?/.exec(source.slice(this.#at))?.[0];
      if (number === undefined) this.#fail(`cannot parse number ${letter}`);
      this.#at += number!.length;
      nodes.push({ type: 'value', value: Number(number) });
    } else if (/[\p{L}_]/u.test(letter)) {
      const word = /^[\p{L}\p{N}_]+/u.exec(source.slice(this.#at))![0];
      this.#at += word.length;
      nodes.push(word === 'true' || word === 'false' ? { type: 'value', value: word === 'true' } : { type: 'word', word });
    } else {
      const code = letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      this.#fail(`unrecognized character in action: U+${code} '${letter}'`);
    }
  }

  #field(): readonly Node[] {
    this.#at++;
    let name = '';
    while (!isTerminator(this.#source[this.#at])) {
      if (this.#source[this.#at] === '\\') this.#at++;
      name += this.#source[this.#at++] ?? '';
    }
    if (name === '') return [];
    return [name === '*' ? { type: 'wildcard' } : { type: 'field', name }];
  }

  #quoted(quote: string): string {
    this.#at++;
    let text = '';
    for (;;) {
      const letter = this.#source[this.#at++];
      if (letter === undefined || letter === '\n') return this.#fail('unterminated quoted string');
      if (letter === quote) return text;
      if (letter === '\\') {
        const next = this.#source[this.#at++] ?? '';
        text += escapes[next] ?? `\\${next}`;
      } else {
        text += letter;
      }
    }
  }

  /** The text up to the bracket or parenthesis that ends it, quotes and nesting respected. */
  #until(end: string, what: string): string {
    const from = this.#at;
    let depth = 0;
    let quote: string | undefined;
    for (; this.#at < this.#source.length; this.#at++) {
      const letter = this.#source[this.#at]!;
      if (letter === '\\') this.#at++;
      else if (quote !== undefined) quote = letter === quote ? undefined : quote;
      else if (letter === '"' || letter === "'") quote = letter;
      else if (letter === '[' || letter === '(') depth++;
      else if (letter === end && depth === 0) return this.#source.slice(from, this.#at++);
      else if (letter === ']' || letter === ')') depth--;
    }
    return this.#fail(`unterminated ${what}`);
  }

  #nested(path: string): readonly Node[] {
    if (this.#depth >= maxDepth) this.#fail(`more than ${maxDepth} filters inside each other`);
    const actions = new Parser(`{${path}}`, this.#depth + 1).template();
    return actions.flat();
  }

  #array(): Node {
    this.#at++;
    const text = this.#until(']', 'array');
    if (text === '*') return { type: 'wildcard' };
    const members = splitUnion(text);
    if (members.length > 1) {
      return { type: 'union', members: members.map((member) => this.#nested(/^\s*['"]/.test(member) || /^\s*-?\d/.test(member) ? `[${member.trim()}]` : `.${member.trim()}`)) };
    }
    const key = /^(['"])(.*)\1$/s.exec(text);
    if (key !== null) return { type: 'union', members: [this.#dotted(key[2]!)] };
    const slice = /^(-?\d+)?(?:(:)(-?\d+)?(?::(-?\d+)?)?)?$/.exec(text);
    if (slice === null || text === '') return this.#fail(`invalid array index ${text}`);
    const [, from, colon, to, step] = slice;
    return {
      type: 'slice', single: colon === undefined, step: step === undefined ? 1 : Number(step),
      from: from === undefined ? undefined : Number(from), to: to === undefined ? undefined : Number(to),
    };
  }

  /** A key in quotes is a path: its dots part fields unless they are escaped. */
  #dotted(key: string): readonly Node[] {
    return key.split(/(?<!\\)\./).map((part): Node => {
      const name = part.replace(/\\(.)/g, '$1');
      return name === '*' ? { type: 'wildcard' } : { type: 'field', name };
    });
  }

  #filter(): Node {
    this.#at += 3;
    const text = this.#until(')', 'filter');
    if (this.#source[this.#at] !== ']') this.#fail('unclosed array expect ]');
    this.#at++;
    const at = operatorIn(text);
    if (at === undefined) return { type: 'filter', left: this.#nested(text), operator: 'exists', right: [] };
    const left = text.slice(0, at.index);
    const right = text.slice(at.index + at.operator.length);
    if (left.trim() === '' || right.trim() === '') this.#fail(`incomplete filter ${text}`);
    return { type: 'filter', left: this.#nested(left), operator: at.operator, right: this.#nested(right) };
  }
}

const splitUnion = (text: string): readonly string[] => {
  const members: string[] = [];
  let quote: string | undefined;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (quote !== undefined) quote = letter === quote ? undefined : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === ',') {
      members.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...members, text.slice(from)];
};

const operatorIn = (text: string): { readonly operator: Exclude<Operator, 'exists'>; readonly index: number } | undefined => {
  let quote: string | undefined;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const letter = text[index]!;
    if (quote !== undefined) quote = letter === quote ? undefined : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '[' || letter === '(') depth++;
    else if (letter === ']' || letter === ')') depth--;
    else if (depth === 0) {
      for (const operator of ['==', '!=', '<=', '>=', '<', '>'] as const) if (text.startsWith(operator, index)) return { operator, index };
    }
  }
  return undefined;
};

/** Parses a template. Throws JsonPathError with kubectl's message. */
export const parseJsonPath = (source: string): JsonPath => {
  try {
    if (source.length > maxTemplateLength) throw new JsonPathError(`longer than ${maxTemplateLength} characters`);
    return { source, actions: new Parser(source, 0).template() };
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new JsonPathError(`error parsing jsonpath ${source}, ${error.message}`);
  }
};

/** Takes `metadata.name`, `.metadata.name` and `{.metadata.name}`, as --sort-by and custom-columns do. */
export const parseRelaxedPath = (path: string): JsonPath => {
  const inner = /^\{?\.?(.*?)\}?$/s.exec(path.trim())![1]!;
  if (inner === '') throw new JsonPathError('the path is empty: write something like .metadata.name');
  return parseJsonPath(inner.startsWith('[') ? `{${inner}}` : `{.${inner}}`);
};
