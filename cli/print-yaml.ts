/**
 * YAML as kubectl prints it, so that the two can be compared byte for byte: members sorted, lists not indented under
 * their key, plain scalars where they would be read back as the same string, quotes where not, literal blocks for
 * text of several lines, long lines folded at the first space after column 80. Written here because the general
 * emitter of js-yaml lays lists and quotes out in its own way.
 */

const foldAfterColumn = 80;

/** Words that YAML 1.1 readers take for booleans and nulls. */
const reserved = new Set([
  '', '~', 'null', 'Null', 'NULL', 'true', 'True', 'TRUE', 'false', 'False', 'FALSE', 'y', 'Y', 'yes', 'Yes', 'YES', 'n', 'N', 'no', 'No', 'NO',
  'on', 'On', 'ON', 'off', 'Off', 'OFF', '<<', '.nan', '.NaN', '.NAN',
]);

const otherTypes: readonly RegExp[] = [
  /^[-+]?\.(?:inf|Inf|INF)$/,
  // Numbers, with underscores anywhere: decimal, octal, hexadecimal, binary, float.
  /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[\d_]*\d[\d_]*)$/,
  /^[-+]?[\d_]*\.?[\d_]*\d[\d_]*(?:[eE][-+]?[\d_]+)?$/,
  /^[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]?[\d_]+)?$/,
  // Base 60, as YAML 1.1 has it.
  /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/,
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)?$/,
];

const readsAsString = (text: string): boolean =>
  !reserved.has(text) && (!/^[-+.\d]/.test(text) || !otherTypes.some((pattern) => pattern.test(text)));

/** Characters that only double quotes can carry. */
// eslint-disable-next-line no-control-regex
const special = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|[\u0085\u2028\u2029]/;

const plainAllowed = (text: string): boolean =>
  !/^(?:---|\.\.\.)/.test(text)
  && !/^[#,[\]{}&*!|>'"%@`]/.test(text)
  && !/^[?:-](?:\s|$)/.test(text)
  && !/:(?:\s|$)|\s#/.test(text)
  && !/^ | $|\n/.test(text);

const doubleEscapes: Readonly<Record<string, string>> = {
  '"': '\\"', '\\': '\\\\', '\0': '\\0', '\x07': '\\a', '\b': '\\b', '\t': '\\t', '\n': '\\n', '\v': '\\v', '\f': '\\f', '\r': '\\r',
  '\x1b': '\\e', '\u0085': '\\N', '\u2028': '\\L', '\u2029': '\\P',
};

const hex = (code: number): string => {
  const digits = code.toString(16).toUpperCase();
  return code <= 0xff ? `\\x${digits.padStart(2, '0')}` : code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
};

interface Place {
  /** Column at which the scalar begins. */
  readonly column: number;
  /** Column at which a folded line goes on. */
  readonly indent: number;
  readonly isKey: boolean;
}

/** Writes words one after the other and starts a new line at the first single space behind the fold column. */
const fold = (pieces: readonly string[], place: Place, escapeNextSpace: boolean): string => {
  if (place.isKey) return pieces.join('');
  let out = '';
  let column = place.column;
  let afterSpace = false;
  for (const [index, piece] of pieces.entries()) {
    const next = pieces[index + 1];
    const inside = index > 0 && next !== undefined;
    if (piece === ' ' && !afterSpace && column > foldAfterColumn && inside && (escapeNextSpace || next !== ' ')) {
      out += `\n${' '.repeat(place.indent)}${next === ' ' ? '\\' : ''}`;
      column = place.indent;
      afterSpace = true;
    } else {
      out += piece;
      column += piece.length;
      afterSpace = piece === ' ';
    }
  }
  return out;
};

const doubleQuoted = (text: string, place: Place): string => {
  const pieces = Array.from(text, (letter) => doubleEscapes[letter] ?? (special.test(letter) ? hex(letter.codePointAt(0)!) : letter));
  return `"${fold(pieces, { ...place, column: place.column + 1 }, true)}"`;
};

const singleQuoted = (text: string, place: Place): string =>
  `'${fold(Array.from(text, (letter) => (letter === "'" ? "''" : letter)), { ...place, column: place.column + 1 }, false)}'`;

/** A literal block, or undefined when the text cannot stand in one. */
const literal = (text: string, indent: number): string | undefined => {
  if (special.test(text) || / (?:\n|$)/.test(text)) return undefined;
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const body = text.replace(/\n$/, '').split('\n').map((line) => (line === '' ? '' : ' '.repeat(indent) + line)).join('\n');
  return `|${hint}${chomp}\n${body}`;
};

const stringScalar = (text: string, place: Place): string => {
  if (text.includes('\n')) return (place.isKey ? undefined : literal(text, place.indent)) ?? doubleQuoted(text, place);
  if (!readsAsString(text) || special.test(text)) return doubleQuoted(text, place);
  return plainAllowed(text) ? fold(Array.from(text), place, false) : singleQuoted(text, place);
};

const numberScalar = (value: number): string => {
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : value < 0 ? '-.inf' : '.nan';
  return String(value);
};

const isDigit = (letter: string | undefined): boolean => letter !== undefined && letter >= '0' && letter <= '9';
const isLetter = (letter: string): boolean => /\p{L}/u.test(letter);

/** The order of kubectl's YAML members: letters behind other characters, runs of digits by their number. */
const naturalOrder = (left: string, right: string): number => {
  const a = Array.from(left);
  const b = Array.from(right);
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] === b[i]) continue;
    const letters = [isLetter(a[i]!), isLetter(b[i]!)];
    if (letters[0] === true && letters[1] === true) return a[i]! < b[i]! ? -1 : 1;
    if (letters[0] === true || letters[1] === true) return letters[1] === true ? -1 : 1;
    // Digits in the middle of one number go on from the digits before.
    let lead = 0;
    if (a[i] === '0' || b[i] === '0') for (let j = i - 1; j >= 0 && isDigit(a[j]); j--) if (a[j] !== '0') lead = 1;
    const number = (text: readonly string[]): readonly [number, number] => {
      let value = lead;
      let at = i;
      for (; isDigit(text[at]); at++) value = value * 10 + Number(text[at]);
      return [value, at];
    };
    const [an, ai] = number(a);
    const [bn, bi] = number(b);
    if (an !== bn) return an - bn;
    if (ai !== bi) return ai - bi;
    return a[i]! < b[i]! ? -1 : 1;
  }
  return a.length - b.length;
};

const isEmpty = (value: object): boolean => (Array.isArray(value) ? value.length === 0 : Object.values(value).every((member) => member === undefined));

/** Writes the lines of a value. `lead` is what already stands on the first line; nested lines begin at `indent`. */
const write = (out: string[], value: unknown, lead: string, indent: number): void => {
  if (typeof value === 'string') {
    out.push(lead + stringScalar(value, { column: lead.length, indent: indent + 2, isKey: false }));
  } else if (typeof value !== 'object' || value === null) {
    out.push(lead + (typeof value === 'number' ? numberScalar(value) : typeof value === 'boolean' ? String(value) : 'null'));
  } else if (isEmpty(value)) {
    out.push(lead + (Array.isArray(value) ? '[]' : '{}'));
  } else if (Array.isArray(value)) {
    writeList(out, value, lead, indent);
  } else {
    writeMap(out, value as Readonly<Record<string, unknown>>, lead, indent);
  }
};

const writeList = (out: string[], list: readonly unknown[], lead: string, indent: number): void => {
  let first = lead;
  for (const item of list) {
    write(out, item, `${first}- `, isNested(item) ? indent + 2 : indent);
    first = ' '.repeat(indent);
  }
};

const writeMap = (out: string[], map: Readonly<Record<string, unknown>>, lead: string, indent: number): void => {
  let first = lead;
  for (const key of Object.keys(map).sort(naturalOrder)) {
    const value = map[key];
    if (value === undefined) continue;
    const name = `${first}${stringScalar(key, { column: first.length, indent, isKey: true })}:`;
    first = ' '.repeat(indent);
    if (!isNested(value)) {
      write(out, value, `${name} `, indent);
    } else {
      out.push(name);
      const below = Array.isArray(value) ? indent : indent + 2;
      write(out, value, ' '.repeat(below), below);
    }
  }
};

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null && !isEmpty(value);

/** One YAML document, with a newline at its end and no `---`. */
export const toYaml = (value: unknown): string => {
  const out: string[] = [];
  write(out, value, '', 0);
  return `${out.join('\n')}\n`;
};
