/** url('https://...'): parts of absolute URLs and of absolute paths. */
import type { CelBudget } from '../budget.ts';
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { ArrayList, CelOpaque, EntryMap } from '../values.ts';

class CelUrl extends CelOpaque {
  readonly typeName = 'kubernetes.URL';
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly #text: string;

  constructor(text: string, { scheme = '', host = '', path = '', query = '' }: { readonly scheme?: string | undefined; readonly host?: string | undefined; readonly path?: string | undefined; readonly query?: string | undefined }) {
    super();
    this.#text = text;
    this.scheme = scheme.toLowerCase();
    this.host = host;
    this.path = path;
    this.query = query;
  }

  equals(other: CelOpaque): boolean {
    return other instanceof CelUrl && other.#text === this.#text;
  }
}

// A scheme and a host, or a path from the root; then path, query and no fragment apart.
const whole = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:[^/?@]*@)?([^/?]*))?([^?]*)(?:\?(.*))?$/s;
// oxlint-disable-next-line no-control-regex
const hostRule = /^(?:\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}|[^\x00-\x7f])*)(?::\d*)?$/;
// oxlint-disable-next-line no-control-regex
const unwanted = /[\x00-\x20\x7f]|%(?![0-9A-Fa-f]{2})/;

const parseUrl = (text: string): CelUrl | undefined => {
  const [, scheme, host, path = '', query] = whole.exec(text) ?? [];
  if (text === '' || unwanted.test(text) || (scheme === undefined && !text.startsWith('/')) || (scheme !== undefined && host === undefined && !path.startsWith('/'))) return undefined;
  if (scheme === undefined && host !== undefined && text.startsWith('//')) return new CelUrl(text, { host, path, query });
  if (host !== undefined && !hostRule.test(host)) return undefined;
  return new CelUrl(text, { scheme, host, path, query });
};

const read = (text: string, budget: CelBudget): CelUrl => {
  budget.spendText(text.length);
  const url = parseUrl(text);
  if (url === undefined) throw new CelError('URL parse error during conversion from string: invalid URI for request');
  return url;
};

const hostParts = (host: string): { readonly name: string; readonly port: string } => {
  const [, name = '', port = ''] = /^(.*?)(?::(\d*))?$/.exec(host) ?? [];
  return { name: name.replace(/^\[(.*)\]$/, '$1'), port };
};

const pathSafe = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu;

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
};

const queryOf = ({ query }: CelUrl, budget: CelBudget): EntryMap => {
  budget.spendText(query.length);
  const values = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = pair.split(/=(.*)/s).map(decoded);
    if (pair === '' || pair.includes(';')) continue;
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const map = new EntryMap();
  for (const [name, all] of values) map.put(name, new ArrayList(all));
  return map;
};

export const urls: readonly CelFunction[] = [
  fn('url(string): kubernetes.URL', read),
  fn('isURL(string): bool', (text: string, budget: CelBudget) => (budget.spendText(text.length), parseUrl(text) !== undefined)),
  fn('kubernetes.URL.getScheme(): string', ({ scheme }: CelUrl) => scheme),
  fn('kubernetes.URL.getHost(): string', ({ host }: CelUrl) => host),
  fn('kubernetes.URL.getHostname(): string', ({ host }: CelUrl) => hostParts(host).name),
  fn('kubernetes.URL.getPort(): string', ({ host }: CelUrl) => hostParts(host).port),
  fn('kubernetes.URL.getEscapedPath(): string', ({ path }: CelUrl) => path.replaceAll(pathSafe, encodeURIComponent)),
  fn('kubernetes.URL.getQuery(): map<string, list<string>>', queryOf),
];
