/** Names of JSON members as CEL can write them, by the rules of Kubernetes for custom resources. */

const keywords: ReadonlySet<string> = new Set([
  'as', 'break', 'const', 'continue', 'else', 'false', 'for', 'function', 'if', 'import', 'in', 'let', 'loop', 'package',
  'namespace', 'null', 'return', 'true', 'var', 'void', 'while',
]);

const accessible = /^[A-Za-z_./-][A-Za-z0-9_./-]*$/;

const words: Readonly<Record<string, string>> = { __: 'underscores', '.': 'dot', '-': 'dash', '/': 'slash' };
const signs: Readonly<Record<string, string>> = { underscores: '__', dot: '.', dash: '-', slash: '/' };

/** `foo-bar` becomes `foo__dash__bar`, `namespace` becomes `__namespace__`; undefined for a name that expressions cannot reach. */
export const escapeName = (name: string): string | undefined => {
  if (!accessible.test(name)) return undefined;
  if (keywords.has(name)) return `__${name}__`;
  return name.replaceAll(/__|[./-]/g, (sign) => `__${words[sign]}__`);
};

/** The member that an escaped name means; a name without escapes stays as it is. */
export const unescapeName = (name: string): string => {
  if (!name.includes('__')) return name;
  const keyword = /^__(\w+)__$/.exec(name)?.[1];
  if (keyword !== undefined && keywords.has(keyword)) return keyword;
  return name.replaceAll(/__(underscores|dot|dash|slash)__/g, (_, word: string) => signs[word]!);
};
