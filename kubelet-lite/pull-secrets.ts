/**
 * Credentials for pulling an image, out of the secrets that a pod names (`imagePullSecrets`; admission gives a pod without
 * any those of its service account). Which entry is for which image is decided as Kubernetes' agents do it: a key is a
 * registry's host with an optional port and path; `*` stands for a part of the host's name; ports are equal; the path begins
 * the image's. The more a key says, the sooner it is tried.
 */
import type { ImageAuth } from './runtime/runtime.ts';

export interface PullSecret {
  readonly type?: string | undefined;
  /** Base64, as in the API. */
  readonly data?: Readonly<Record<string, string>> | undefined;
}

interface Entry { readonly username?: unknown; readonly password?: unknown; readonly auth?: unknown }

/** What an image without a registry belongs to, and names under which people keep its credentials. */
const hub = 'docker.io';
const hubKeys = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

interface Place { readonly host: readonly string[]; readonly port: string; readonly path: string }

/** A key of a secret, or the registry and repository of an image. */
const placeOf = (text: string): Place => {
  const [, hostPort = '', path = ''] = /^(?:https?:\/\/)?([^/]*)(.*)$/.exec(text) ?? [];
  const [, host = '', port = ''] = /^(.*?)(?::(\d+))?$/.exec(hostPort) ?? [];
  const plain = path.replace(/^\/v[12](?=\/|$)/, '').replace(/\/+$/, '');
  return { host: (hubKeys.has(host) ? hub : host).split('.'), port, path: plain };
};

const imagePlace = (image: string): Place => {
  const first = image.split('/')[0] ?? '';
  const named = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost');
  return placeOf(named ? image : `${hub}/${image}`);
};

const partFits = (pattern: string, part: string): boolean =>
  new RegExp(`^${pattern.split('*').map((literal) => literal.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)).join('[^.]*')}$`).test(part);

const fits = (key: Place, image: Place): boolean =>
  key.port === image.port && image.path.startsWith(key.path) && key.host.length === image.host.length && key.host.every((part, index) => partFits(part, image.host[index] ?? ''));

const parsed = (base64: string): unknown => {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
};

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The entries of a secret by key, in either of Docker's two forms; a secret of another type, or one that does not parse, has none. */
const entriesOf = ({ type, data = {} }: PullSecret): Readonly<Record<string, unknown>> => {
  const config = type === 'kubernetes.io/dockerconfigjson' ? parsed(data['.dockerconfigjson'] ?? '') : undefined;
  const entries = type === 'kubernetes.io/dockercfg' ? parsed(data['.dockercfg'] ?? '') : isMap(config) ? config['auths'] : undefined;
  return isMap(entries) ? entries : {};
};

const authOf = (serverAddress: string, { username, password, auth }: Entry): ImageAuth | undefined => {
  const text = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const at = text.indexOf(':');
  const [user, secret] = typeof username === 'string' && typeof password === 'string' ? [username, password] : at < 0 ? ['', ''] : [text.slice(0, at), text.slice(at + 1)];
  return user === '' && secret === '' ? undefined : { username: user, password: secret, serverAddress };
};

/** Credentials that fit an image, in the order in which to try them. */
export const pullAuths = (image: string, secrets: readonly PullSecret[]): readonly ImageAuth[] => {
  const wanted = imagePlace(image);
  return secrets.flatMap((secret) => Object.entries(entriesOf(secret)))
    .map(([key, entry]) => ({ place: placeOf(key), key, auth: isMap(entry) ? authOf(key, entry) : undefined }))
    .filter(({ place }) => fits(place, wanted))
    .toSorted((a, b) => b.place.path.length - a.place.path.length || wildness(a.place) - wildness(b.place))
    .flatMap(({ auth }) => auth ?? []);
};

const wildness = ({ host }: Place): number => host.filter((part) => part.includes('*')).length;
