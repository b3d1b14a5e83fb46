/**
 * Puts values for `$(NAME)`; `$$` is a dollar. A name that is not known, and anything else that begins with a dollar,
 * stays as it is written.
 */
export const expand = (text: string, value: (name: string) => string | undefined): string => {
  let out = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char !== '$' || at + 1 >= text.length) {
      out += char;
      continue;
    }
    const next = text[at + 1];
    if (next === '$') {
      out += '$';
      at++;
      continue;
    }
    const end = next === '(' ? text.indexOf(')', at + 2) : -1;
    if (end < 0) {
      out += char;
      continue;
    }
    const name = text.slice(at + 2, end);
    out += value(name) ?? `$(${name})`;
    at = end;
  }
  return out;
};
