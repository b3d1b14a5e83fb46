import type { Clock } from '../../base/clock.ts';
import type { Secret } from '../../schemas/kinds/core/secret.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import { tokenDigest, unauthorized, type TokenSource } from './tokens.ts';

/** What every user by bootstrap token is in, and the start of all further groups that a token may name. */
const group = 'system:bootstrappers';
/** The name of such a user is this and the token's id. */
export const bootstrapUserPrefix = 'system:bootstrap:';

/**
 * Tokens by which new nodes introduce themselves: Secrets `bootstrap-token-<id>` of kube-system, of type
 * bootstrap.kubernetes.io/token. A token is `<id>.<secret>`; its user is `system:bootstrap:<id>`.
 */
export const bootstrapTokens = (state: Pick<WatchCache, 'get'>, clock: Pick<Clock, 'now'>): TokenSource => ({
  bearerOf: (token, audiences) => {
    const [, id = '', part = ''] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token) ?? [];
    if (id === '' || audiences.length > 0) return undefined;
    const secret = state.get(`/secrets/kube-system/bootstrap-token-${id}`) as Secret | undefined;
    if (secret === undefined || secret.type !== 'bootstrap.kubernetes.io/token' || secret.metadata.deletionTimestamp !== undefined) throw unauthorized('there is no such bootstrap token');
    const value = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
    if (value('token-id') !== id || tokenDigest(value('token-secret')) !== tokenDigest(part)) throw unauthorized('there is no such bootstrap token');
    const expiration = value('expiration');
    // A date that cannot be read is one that has passed.
    if (expiration !== '' && !(clock.now() < Date.parse(expiration))) throw unauthorized('the bootstrap token has expired');
    if (value('usage-bootstrap-authentication') !== 'true') throw unauthorized('the bootstrap token is not meant to authenticate');
    const extra = value('auth-extra-groups').split(',').map((one) => one.trim()).filter((one) => one !== '');
    if (extra.some((one) => !/^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(one))) throw unauthorized('the bootstrap token names groups that it may not');
    return { user: { name: `${bootstrapUserPrefix}${id}`, groups: [...new Set([group, ...extra, 'system:authenticated'])] }, audiences: [] };
  },
});
