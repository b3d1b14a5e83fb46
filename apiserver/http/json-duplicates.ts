/**
 * Finds members that a JSON text names twice in one object. JSON.parse keeps the last one in silence; a person who wrote
 * `replicas` twice wants to know. The text is known to be valid (it was parsed), so this is one pass over characters
 * with a stack; it is only run when the client asked for strict or warning field validation.
 */

interface Level {
  /** Names seen in an object; undefined for a list. */
  readonly names: Set<string> | undefined;
  path: string;
  index: number;
  name: string;
}

const quote = 34, backslash = 92, openBrace = 123, closeBrace = 125, openBracket = 91, closeBracket = 93, comma = 44, colon = 58;

/** Field paths (`spec.containers[0].image`) of the members that stand there twice, at most `limit`. */
export const duplicateFields = (text: string, limit = 16): readonly string[] => {
  const found: string[] = [];
  const stack: Level[] = [];
  let level: Level | undefined;
  let expectName = false;
  const here = (): string => {
    if (level === undefined) return '';
    if (level.names === undefined) return `${level.path}[${level.index}]`;
    return level.path === '' ? level.name : `${level.path}.${level.name}`;
  };
  const open = (names: Set<string> | undefined): void => {
    const path = here();
    if (level !== undefined) stack.push(level);
    level = { names, path, index: 0, name: '' };
    expectName = names !== undefined;
  };
  for (let at = 0; at < text.length && found.length < limit; at++) {
    switch (text.charCodeAt(at)) {
      case openBrace: open(new Set()); break;
      case openBracket: open(undefined); break;
      case closeBrace: case closeBracket: level = stack.pop(); expectName = false; break;
      case colon: expectName = false; break;
      case comma:
        if (level?.names === undefined) { if (level !== undefined) level.index++; } else expectName = true;
        break;
      case quote: {
        const start = at++;
        let escaped = false;
        for (let code = text.charCodeAt(at); at < text.length && code !== quote; code = text.charCodeAt(++at)) {
          if (code === backslash) { escaped = true; at++; }
        }
        if (!expectName || level?.names === undefined) break;
        const name = escaped ? String(JSON.parse(text.slice(start, at + 1))) : text.slice(start + 1, at);
        level.name = name;
        if (level.names.has(name)) {
          const path = here();
          if (!found.includes(path)) found.push(path);
        } else level.names.add(name);
        break;
      }
      default: break;
    }
  }
  return found;
};
