/** What of a request's and an answer's headers goes through a proxy, and what is added or turned. Pure. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { ProxyPath } from './proxy-path.ts';

/** Headers between two neighbours (RFC 9110, 7.6.1), and what only this server answers. */
const hopByHop = ['connection', 'proxy-connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'http2-settings'];

/** Who the client is to this server is no business of what is behind the proxy; a forged one must not get there either. */
const credential = /^(?:authorization$|impersonate-|x-remote-(?:user|uid|group|extra-))/;

/** A WebSocket of a browser carries its token as a subprotocol. */
const bearerProtocol = 'base64url.bearer.authorization.k8s.io.';

const listed = (values: readonly string[] | undefined): readonly string[] => (values ?? []).flatMap((value) => value.split(',')).map((one) => one.trim());

const passing = (headers: NodeJS.Dict<string[]>, dropped: (name: string) => boolean): Record<string, string[]> => {
  const named = new Set([...hopByHop, ...listed(headers['connection']).map((name) => name.toLowerCase())]);
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string[]] => entry[1] !== undefined && !named.has(entry[0]) && !dropped(entry[0])));
};

/** The headers with which a request goes on. Cookies do: they are the application's, for this server has none. */
export const requestHeaders = (request: IncomingMessage, { prefix, path }: Pick<ProxyPath, 'prefix' | 'path'>): OutgoingHttpHeaders => {
  const { 'x-forwarded-for': before, 'sec-websocket-protocol': protocols, host: _, ...rest } = passing(request.headersDistinct, (name) => credential.test(name));
  const client = request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '');
  const spoken = listed(protocols).filter((one) => one !== '' && !one.startsWith(bearerProtocol));
  const { host } = request.headers;
  return {
    ...rest,
    ...(host === undefined ? {} : { host, 'x-forwarded-host': host }),
    ...(spoken.length === 0 ? {} : { 'sec-websocket-protocol': spoken.join(', ') }),
    ...(before === undefined && client === undefined ? {} : { 'x-forwarded-for': [...(before ?? []), ...(client === undefined ? [] : [client])].join(', ') }),
    'x-forwarded-proto': 'https', 'x-forwarded-uri': prefix + path,
  };
};

export interface Turned {
  /** Path up to and with `/proxy`. */
  readonly prefix: string;
  /** `host:port` of the target, and the Host that the client asked for: links to these are links to the same place. */
  readonly hosts: readonly string[];
}

/**
 * A link as the client must follow it: an absolute path, alone or at the target's own host, goes through the proxy again;
 * relative links and those to other places stay as they are.
 */
export const turnedLink = (link: string, { prefix, hosts }: Turned): string => {
  const match = /^(?:(https?:)?\/\/([^/?#]*))?(\/[^?#]*)?([?#].*)?$/is.exec(link.trim());
  if (match === null) return link;
  const [, , host, path = '', rest = ''] = match;
  if (host === undefined ? path === '' : !hosts.includes(host)) return link;
  return path === prefix || path.startsWith(`${prefix}/`) ? path + rest : `${prefix}${path === '' ? '/' : path}${rest}`;
};

/** The headers with which an answer goes back. Which other sites may read answers of this server is not for what is behind it to say. */
export const answerHeaders = (answer: IncomingMessage, turned: Turned): OutgoingHttpHeaders => {
  const headers = passing(answer.headersDistinct, (name) => name.startsWith('access-control-'));
  const location = headers['location']?.[0];
  return location === undefined ? headers : { ...headers, location: turnedLink(location, turned) };
};
