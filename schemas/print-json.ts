/** A copy whose members stand in the order of their names, as kubectl prints objects. Undefined members are left out. */
export const sortKeys = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const members = value as Readonly<Record<string, unknown>>;
  const entries = Object.keys(members).filter((key) => members[key] !== undefined).sort().map((key) => [key, sortKeys(members[key])] as const);
  return Object.fromEntries(entries);
};

const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', '\u2028': '\\u2028', '\u2029': '\\u2029' };

/** Go's JSON encoder writes these characters as escapes; scripts that compare output see the same bytes. */
const escapeHtml = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, (letter) => escapes[letter]!);

/** JSON on one line, members sorted. */
export const compactJson = (value: unknown): string => escapeHtml(JSON.stringify(sortKeys(value)));

/** `-o json`: four spaces, members sorted, a newline at the end. */
export const prettyJson = (value: unknown): string => `${escapeHtml(JSON.stringify(sortKeys(value), null, 4))}\n`;
