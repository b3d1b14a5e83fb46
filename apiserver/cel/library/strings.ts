/** Functions on texts. Places in texts count characters. */
import type { CelBudget } from '../budget.ts';
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { ArrayList, type CelList } from '../values.ts';
import { Characters } from './characters.ts';
import { characterCount } from './conversions.ts';
import { format } from './text-format.ts';

const walked = (text: string, budget: CelBudget): Characters => {
  budget.spendText(text.length);
  const characters = new Characters(text);
  if (!characters.isPlain) budget.spend(text.length);
  return characters;
};

/** No text that a function makes is longer. */
const maxTextLength = 2 ** 24;

/** How often a part is in a text, paid for: whoever cuts the text there knows beforehand how many pieces come out. */
const occurrences = (text: string, part: string, budget: CelBudget): number => {
  budget.spendText(text.length);
  let count = 0;
  if (part === '') count = characterCount(text, budget) + 1;
  else for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  budget.spend(count);
  return count;
};

const replaced = (text: string, { from, to, limit, budget }: { readonly from: string; readonly to: string; readonly limit: number; readonly budget: CelBudget }): string => {
  const found = occurrences(text, from, budget);
  const count = limit < 0 ? found : Math.min(limit, found);
  const length = text.length + count * to.length;
  budget.spendText(length);
  if (length > maxTextLength) throw new CelError('the text would be too long');
  if (from === '') return interspersed(text, to, count);
  const pieces = text.split(from);
  return pieces.slice(0, count + 1).join(to) + pieces.slice(count + 1).map((piece) => from + piece).join('');
};

/** An empty text is before each character and at the end. */
const interspersed = (text: string, to: string, count: number): string => {
  const characters = [...text];
  return characters.map((character, i) => (i < count ? to : '') + character).join('') + (count > characters.length ? to : '');
};

const split = (text: string, separator: string, limit: bigint, budget: CelBudget): ArrayList => {
  occurrences(text, separator, budget);
  const pieces = separator === '' ? [...text] : text.split(separator);
  if (limit === 0n) return new ArrayList([]);
  const count = limit < 0n ? pieces.length : Number(limit);
  return new ArrayList(pieces.length <= count ? pieces : [...pieces.slice(0, count - 1), pieces.slice(count - 1).join(separator)]);
};

const joined = (list: CelList, separator: string, budget: CelBudget): string => {
  const texts: string[] = [];
  let length = 0;
  for (const item of list) {
    if (typeof item !== 'string') throw new CelError('no such overload: join wants a list of strings');
    length += item.length + separator.length;
    budget.spend(1);
    budget.spendText(item.length + separator.length);
    texts.push(item);
  }
  if (length > maxTextLength) throw new CelError('the text would be too long');
  return texts.join(separator);
};

const shift = (text: string, range: RegExp, by: number): string => text.replaceAll(range, (letter) => String.fromCharCode(letter.charCodeAt(0) + by));

const quoteEscapes: Readonly<Record<string, string>> = { '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\', '"': '\\"' };

// oxlint-disable-next-line no-control-regex
const quotable = /[\x07\b\f\n\r\t\v\\"]/g;

// Unicode's white space; a byte order mark is none.
const white = /^[\t-\r\u0085\p{Z}]+|[\t-\r\u0085\p{Z}]+$/gu;

export const strings: readonly CelFunction[] = [
  fn('string.startsWith(string): bool', (text: string, part: string, budget: CelBudget) => (budget.spendText(part.length), text.startsWith(part))),
  fn('string.endsWith(string): bool', (text: string, part: string, budget: CelBudget) => (budget.spendText(part.length), text.endsWith(part))),
  fn('string.contains(string): bool', (text: string, part: string, budget: CelBudget) => (budget.spendText(text.length + part.length), text.includes(part))),
  fn('string.charAt(int): string', (text: string, index: bigint, budget: CelBudget) => {
    const characters = walked(text, budget);
    const at = characters.within(index);
    return characters.slice(at, at + 1);
  }),
  fn('string.indexOf(string): int', (text: string, part: string, budget: CelBudget) => BigInt(walked(text, budget).indexOf(part, 0))),
  fn('string.indexOf(string, int): int', (text: string, part: string, from: bigint, budget: CelBudget) => {
    const characters = walked(text, budget);
    return BigInt(characters.indexOf(part, characters.within(from)));
  }),
  fn('string.lastIndexOf(string): int', (text: string, part: string, budget: CelBudget) => {
    const characters = walked(text, budget);
    return BigInt(characters.lastIndexOf(part, characters.count));
  }),
  fn('string.lastIndexOf(string, int): int', (text: string, part: string, to: bigint, budget: CelBudget) => {
    const characters = walked(text, budget);
    return BigInt(characters.lastIndexOf(part, characters.within(to)));
  }),
  fn('string.substring(int): string', (text: string, from: bigint, budget: CelBudget) => {
    const characters = walked(text, budget);
    return characters.slice(characters.within(from), characters.count);
  }),
  fn('string.substring(int, int): string', (text: string, from: bigint, to: bigint, budget: CelBudget) => {
    const characters = walked(text, budget);
    if (from > to) throw new CelError(`invalid substring range. start: ${from}, end: ${to}`);
    return characters.slice(characters.within(from), characters.within(to));
  }),
  fn('string.lowerAscii(): string', (text: string, budget: CelBudget) => (budget.spendText(text.length), shift(text, /[A-Z]/g, 32))),
  fn('string.upperAscii(): string', (text: string, budget: CelBudget) => (budget.spendText(text.length), shift(text, /[a-z]/g, -32))),
  fn('string.trim(): string', (text: string, budget: CelBudget) => (budget.spendText(text.length), text.replaceAll(white, ''))),
  fn('string.reverse(): string', (text: string, budget: CelBudget) => walked(text, budget).reversed()),
  fn('string.replace(string, string): string', (text: string, from: string, to: string, budget: CelBudget) => replaced(text, { from, to, limit: -1, budget })),
  fn('string.replace(string, string, int): string', (text: string, from: string, to: string, limit: bigint, budget: CelBudget) => replaced(text, { from, to, limit: Number(limit), budget })),
  fn('string.split(string): list<string>', (text: string, separator: string, budget: CelBudget) => split(text, separator, -1n, budget)),
  fn('string.split(string, int): list<string>', (text: string, separator: string, limit: bigint, budget: CelBudget) => split(text, separator, limit, budget)),
  fn('list<string>.join(): string', (list: CelList, budget: CelBudget) => joined(list, '', budget)),
  fn('list<string>.join(string): string', joined),
  fn('strings::quote(string): string', (text: string, budget: CelBudget) => {
    budget.spendText(text.length * 2);
    return `"${text.replaceAll(quotable, (sign) => quoteEscapes[sign]!)}"`;
  }),
  fn('string.format(list<dyn>): string', (text: string, args: CelList, budget: CelBudget) => format(text, args, budget)),
];
