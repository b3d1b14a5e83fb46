/**
 * The page of `describe`: lines with tabs, whose columns are as wide as the cells of the lines around them need (elastic
 * tabstops), as kubectl lays them out. A line without a tab ends a column.
 */
const padding = 2;

/** Aligns lines whose cells are parted by tabs. The last cell of a line is never padded. */
export const alignTabs = (lines: readonly string[]): string => {
  const rows = lines.map((line) => line.split('\t'));
  const out: string[] = rows.map(() => '');
  const align = (from: number, to: number, column: number): void => {
    let at = from;
    while (at < to) {
      if (rows[at]!.length - 1 <= column) {
        out[at] += rows[at]![column] ?? '';
        at++;
        continue;
      }
      // A block of lines in which this cell is ended by a tab.
      let end = at;
      let width = padding;
      while (end < to && rows[end]!.length - 1 > column) width = Math.max(width, [...rows[end++]![column]!].length + padding);
      for (let row = at; row < end; row++) out[row] += rows[row]![column]! + ' '.repeat(width - [...rows[row]![column]!].length);
      align(at, end, column + 1);
      at = end;
    }
  };
  align(0, rows.length, 0);
  return out.map((line) => `${line}\n`).join('');
};

export class Page {
  readonly #lines: string[] = [];

  /** One line, two spaces in for each level. Cells are parted by tabs. */
  line(level: number, text: string): this {
    this.#lines.push(`${'  '.repeat(level)}${text}`);
    return this;
  }

  /** `Name:  value`. */
  field(level: number, name: string, value: unknown): this {
    return this.line(level, `${name}:\t${value === undefined || value === null || value === '' ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  }

  /** `key=value` lines below each other, or `<none>`. */
  pairs(level: number, name: string, map: Readonly<Record<string, unknown>> | undefined, separator = '='): this {
    const entries = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) return this.line(level, `${name}:\t<none>`);
    for (const [at, [key, value]] of entries.entries()) {
      const [first = '', ...more] = String(value).split('\n');
      this.line(level, `${at === 0 ? `${name}:` : ''}\t${key}${separator}${more.length > 0 && first === '' ? '' : first}`);
      for (const line of more) if (line !== '') this.line(level, `\t  ${line}`);
    }
    return this;
  }

  text(): string {
    return alignTabs(this.#lines);
  }
}

/** A time as describe shows it: `Thu, 01 Jan 2026 00:00:00 +0000`. */
export const shownTime = (timestamp: string | undefined): string => {
  const ms = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(ms) ? '<unset>' : new Date(ms).toUTCString().replace('GMT', '+0000');
};

/** Annotations that only tools read are not shown. */
export const shownAnnotations = (annotations: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration'));
