/** Cuts an expression into tokens, in one pass. */
import { CelCompileError } from './errors.ts';
import { unescapeBytes, unescapeText } from './escapes.ts';

export interface Token {
  readonly kind: 'identifier' | 'quoted' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'operator' | 'end';
  /** The words themselves; of a string its value. */
  readonly text: string;
  readonly bytes?: Uint8Array | undefined;
  readonly at: number;
}

const space = /(?:[\t\n\f\r ]|\/\/[^\n]*)+/y;
const number = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?|\d+[uU]?/y;
const identifier = /[A-Za-z_]\w*/y;
const quoted = /`([\w./ -]+)`/y;
const quote = /([rR]?[bB]?|[bB][rR])("""|'''|"|')/y;
const beginsText = '\'"rRbB';
const operator = /&&|\|\||<=|>=|==|!=|[-+*/%<>!?:.,()[\]{}]/y;

const matchAt = (rule: RegExp, text: string, at: number): RegExpExecArray | null => {
  rule.lastIndex = at;
  return rule.exec(text);
};

/** Throws CelCompileError at the first sign that is no token. */
export const tokensOf = (expression: string): readonly Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  while (at < expression.length) {
    const gap = matchAt(space, expression, at);
    if (gap !== null) {
      at += gap[0].length;
      continue;
    }
    const { token, length } = next(expression, at);
    tokens.push(token);
    at += length;
  }
  return [...tokens, { kind: 'end', text: '<EOF>', at }];
};

const next = (expression: string, at: number): { readonly token: Token; readonly length: number } => {
  // Most tokens begin with a letter that no text begins with; they are not tried as such.
  const opening = beginsText.includes(expression[at]!) ? matchAt(quote, expression, at) : null;
  if (opening !== null) return literal(expression, { at, prefix: opening[1]!.toLowerCase(), quotes: opening[2]! });
  const digits = matchAt(number, expression, at)?.[0];
  if (digits !== undefined) {
    const kind = /[uU]$/.test(digits) ? 'uint' : /^0[xX]/.test(digits) || /^\d+$/.test(digits) ? 'int' : 'double';
    return { token: { kind, text: digits, at }, length: digits.length };
  }
  const name = matchAt(identifier, expression, at)?.[0];
  if (name !== undefined) return { token: { kind: 'identifier', text: name, at }, length: name.length };
  const escaped = matchAt(quoted, expression, at);
  if (escaped !== null) return { token: { kind: 'quoted', text: escaped[1]!, at }, length: escaped[0].length };
  const sign = matchAt(operator, expression, at)?.[0];
  if (sign !== undefined) return { token: { kind: 'operator', text: sign, at }, length: sign.length };
  throw new CelCompileError(expression, [{ message: `Syntax error: token recognition error at: '${String.fromCodePoint(expression.codePointAt(at)!)}'`, at }]);
};

const literal = (expression: string, { at, prefix, quotes }: { readonly at: number; readonly prefix: string; readonly quotes: string }): { readonly token: Token; readonly length: number } => {
  const from = at + prefix.length + quotes.length;
  const raw = prefix.includes('r');
  const end = endOf(expression, { from, quotes, raw });
  if (end === undefined) throw new CelCompileError(expression, [{ message: 'Syntax error: a string is not ended', at }]);
  const inner = expression.slice(from, end).replaceAll(/\r\n?/g, '\n');
  const length = end + quotes.length - at;
  try {
    if (prefix.includes('b')) return { token: { kind: 'bytes', text: '', bytes: raw ? Buffer.from(inner) : unescapeBytes(inner), at }, length };
    return { token: { kind: 'string', text: raw ? inner : unescapeText(inner), at }, length };
  } catch (error) {
    if (error instanceof RangeError) throw new CelCompileError(expression, [{ message: `Syntax error: ${error.message}`, at }]);
    throw error;
  }
};

const endOf = (expression: string, { from, quotes, raw }: { readonly from: number; readonly quotes: string; readonly raw: boolean }): number | undefined => {
  for (let i = from; i < expression.length; i++) {
    const sign = expression[i];
    if (sign === '\\' && !raw) i++;
    else if (expression.startsWith(quotes, i)) return i;
    else if (quotes.length === 1 && (sign === '\n' || sign === '\r')) return undefined;
  }
  return undefined;
};
