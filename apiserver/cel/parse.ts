/**
 * Reads an expression by recursive descent, as the grammar of CEL says. Long chains of `&&` and `||` are one node; all
 * else that is nested is bounded in depth, so that nothing that walks the tree runs out of stack.
 */
import { CelCompileError } from './errors.ts';
import { expandMacro } from './macros.ts';
import type { Entry, Expression, Field, Item } from './syntax.ts';
import { tokensOf, type Token } from './tokens.ts';
import { CelUint, type CelValue } from './values.ts';

/** Longest expression, in UTF-16 units. */
export const maxExpressionLength = 100_000;
/** How deep expressions may be nested; a chain such as a.b.c or a + b + c counts one level a link. */
export const maxExpressionDepth = 250;

const reserved: ReadonlySet<string> = new Set([
  'as', 'break', 'const', 'continue', 'else', 'false', 'for', 'function', 'if', 'import', 'in', 'let', 'loop', 'package',
  'namespace', 'null', 'return', 'true', 'var', 'void', 'while',
]);
/** These are no names of members either. */
const keywords: ReadonlySet<string> = new Set(['false', 'in', 'null', 'true']);

const relations: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!=', 'in']);
const sums: ReadonlySet<string> = new Set(['+', '-']);
const products: ReadonlySet<string> = new Set(['*', '/', '%']);

const maxInt = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;

/** Throws CelCompileError for what is no expression, is too long or nested too deep. */
export const parse = (expression: string): Expression => {
  if (expression.length > maxExpressionLength) throw new CelCompileError('', [{ message: `expression code point size exceeds limit: size: ${expression.length}, limit ${maxExpressionLength}`, at: 0 }]);
  return new Parser(expression).whole();
};

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #depths = new Map<Expression, number>();
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  whole(): Expression {
    const all = this.#expression();
    if (this.#token.kind !== 'end') this.#unexpected();
    return all;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #is(text: string): boolean {
    const { kind, text: found } = this.#token;
    return found === text && (kind === 'operator' || (kind === 'identifier' && text === 'in'));
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#next++;
    return true;
  }

  #need(text: string): void {
    if (!this.#take(text)) this.#unexpected(`expecting '${text}'`);
  }

  #fail = (message: string, at: number): never => {
    throw new CelCompileError(this.#text, [{ message, at }]);
  };

  #unexpected(wanted = 'expecting an expression'): never {
    const { text, at, kind } = this.#token;
    return this.#fail(`Syntax error: mismatched input '${kind === 'string' ? '"' : ''}${text}' ${wanted}`, at);
  }

  /** Notes how deep the node is, by its deepest part. */
  #node(node: Expression, parts: readonly (Expression | undefined)[]): Expression {
    let depth = 1;
    for (const part of parts) if (part !== undefined) depth = Math.max(depth, (this.#depths.get(part) ?? 0) + 1);
    if (depth > maxExpressionDepth) this.#tooDeep(node.at);
    this.#depths.set(node, depth);
    return node;
  }

  #tooDeep(at: number): never {
    return this.#fail(`expression recursion limit exceeded: ${maxExpressionDepth}`, at);
  }

  #expression(): Expression {
    if (++this.#depth > maxExpressionDepth) this.#tooDeep(this.#token.at);
    const when = this.#chain('or');
    const { at } = this.#token;
    let all = when;
    if (this.#take('?')) {
      const chosen = this.#chain('or');
      this.#need(':');
      const otherwise = this.#expression();
      all = this.#node({ op: 'choose', at, when, chosen, otherwise }, [when, chosen, otherwise]);
    }
    this.#depth--;
    return all;
  }

  #chain(op: 'or' | 'and'): Expression {
    const part = (): Expression => (op === 'or' ? this.#chain('and') : this.#binary(relations, () => this.#sum()));
    const first = part();
    const { at } = this.#token;
    const args = [first];
    while (this.#take(op === 'or' ? '||' : '&&')) args.push(part());
    return args.length === 1 ? first : this.#node({ op, at, args }, args);
  }

  #sum(): Expression {
    return this.#binary(sums, () => this.#binary(products, () => this.#unary()));
  }

  #binary(operators: ReadonlySet<string>, part: () => Expression): Expression {
    let left = part();
    for (;;) {
      const { text, at } = this.#token;
      if (!operators.has(text) || !this.#take(text)) return left;
      const right = part();
      left = this.#node({ op: 'call', at, name: `_${text}_`, args: [left, right] }, [left, right]);
    }
  }

  #unary(): Expression {
    const { text, at } = this.#token;
    if (!this.#is('!') && !this.#is('-')) return this.#member(this.#primary());
    let count = 0;
    while (this.#take(text)) count++;
    const negative = text === '-' && (this.#token.kind === 'int' || this.#token.kind === 'double');
    const inner = this.#member(negative ? this.#literal('-') : this.#primary());
    const odd = (count - (negative ? 1 : 0)) % 2 === 1;
    const even = count > (negative ? 1 : 0) && !odd;
    // Two signs still want a value that can have one.
    let all = inner;
    for (let i = even ? 2 : odd ? 1 : 0; i > 0; i--) all = this.#node({ op: 'call', at, name: `${text}_`, args: [all] }, [all]);
    return all;
  }

  #member(first: Expression): Expression {
    let of = first;
    for (;;) {
      const { at } = this.#token;
      if (this.#take('.')) {
        const optional = this.#take('?');
        const { text: member, kind } = this.#token;
        if (kind !== 'quoted' && (kind !== 'identifier' || keywords.has(member))) this.#unexpected('expecting a name');
        this.#next++;
        if (kind === 'identifier' && !optional && this.#is('(')) of = this.#call({ name: member, target: of, at });
        else of = this.#node({ op: 'select', at, of, member, optional }, [of]);
      } else if (this.#take('[')) {
        const optional = this.#take('?');
        const index = this.#expression();
        this.#need(']');
        of = this.#node({ op: 'index', at, of, index, optional }, [of, index]);
      } else if (this.#is('{')) {
        const name = qualifiedName(of);
        if (name === undefined) return of;
        of = this.#struct(name, at);
      } else {
        return of;
      }
    }
  }

  #primary(): Expression {
    const { kind, text, at } = this.#token;
    if (kind === 'operator') {
      if (this.#take('(')) {
        const inner = this.#expression();
        this.#need(')');
        return inner;
      }
      if (this.#take('[')) return this.#list(at);
      if (this.#take('{')) return this.#map(at);
      if (this.#take('.')) return this.#name({ absolute: true });
      return this.#unexpected();
    }
    if (kind === 'identifier' && !keywords.has(text)) return this.#name({ absolute: false });
    return this.#literal('');
  }

  #name({ absolute }: { readonly absolute: boolean }): Expression {
    const { kind, text: name, at } = this.#token;
    if (kind !== 'identifier') this.#unexpected('expecting a name');
    if (reserved.has(name)) this.#fail(`Syntax error: reserved identifier: ${name}`, at);
    this.#next++;
    if (this.#is('(')) return this.#call({ name, at });
    return this.#node({ op: 'name', at, name, ...(absolute ? { absolute } : {}) }, []);
  }

  #call({ name, target, at }: { readonly name: string; readonly target?: Expression; readonly at: number }): Expression {
    this.#need('(');
    const args: Expression[] = [];
    if (!this.#is(')')) {
      do args.push(this.#expression()); while (this.#take(','));
    }
    this.#need(')');
    const macro = expandMacro({ at, name, target, args, fail: this.#fail });
    return this.#node(macro ?? { op: 'call', at, name, target, args }, [target, ...args]);
  }

  #list(at: number): Expression {
    const items: Item[] = [];
    while (!this.#is(']')) {
      const optional = this.#take('?');
      items.push({ value: this.#expression(), optional });
      if (!this.#take(',')) break;
    }
    this.#need(']');
    return this.#node({ op: 'list', at, items }, items.map(({ value }) => value));
  }

  #map(at: number): Expression {
    const entries: Entry[] = [];
    while (!this.#is('}')) {
      const optional = this.#take('?');
      const key = this.#expression();
      this.#need(':');
      entries.push({ key, value: this.#expression(), optional });
      if (!this.#take(',')) break;
    }
    this.#need('}');
    return this.#node({ op: 'map', at, entries }, entries.flatMap(({ key, value }) => [key, value]));
  }

  #struct(name: string, at: number): Expression {
    this.#need('{');
    const fields: Field[] = [];
    while (!this.#is('}')) {
      const optional = this.#take('?');
      const { kind, text: field, at } = this.#token;
      if (kind !== 'identifier' && kind !== 'quoted') this.#unexpected('expecting a name');
      this.#next++;
      this.#need(':');
      fields.push({ name: field, at, value: this.#expression(), optional });
      if (!this.#take(',')) break;
    }
    this.#need('}');
    return this.#node({ op: 'struct', at, name, fields }, fields.map(({ value }) => value));
  }

  #literal(sign: '' | '-'): Expression {
    const { kind, text, bytes, at } = this.#token;
    this.#next++;
    const node = (value: CelValue): Expression => this.#node({ op: 'literal', at, value }, []);
    switch (kind) {
      case 'int': {
        const value = sign === '-' ? -BigInt(text) : BigInt(text);
        return value > maxInt || value < -maxInt - 1n ? this.#fail('invalid int literal', at) : node(value);
      }
      case 'uint': {
        const value = BigInt(text.slice(0, -1));
        return value > maxUint ? this.#fail('invalid uint literal', at) : node(new CelUint(value));
      }
      case 'double': {
        const value = Number(sign + text);
        return Number.isFinite(value) ? node(value) : this.#fail('invalid double literal', at);
      }
      case 'string': return node(text);
      case 'bytes': return node(bytes!);
      default:
        if (kind === 'identifier' && text === 'null') return node(null);
        if (kind === 'identifier' && text === 'true') return node(true);
        if (kind === 'identifier' && text === 'false') return node(false);
        this.#next--;
        return this.#unexpected();
    }
  }
}

/** The name that a chain of plain members spells, such as `Object.spec`. */
export const qualifiedName = (expression: Expression): string | undefined => {
  if (expression.op === 'name') return expression.name;
  if (expression.op !== 'select' || expression.optional) return undefined;
  const front = qualifiedName(expression.of);
  return front === undefined ? undefined : `${front}.${expression.member}`;
};
