/**
 * Tokens of service accounts. A token says for which account it is, for which audiences, until when, and (if it is bound)
 * with which Pod, Secret or Node it ends. All of that is looked at in each use: a signature alone lets nobody in whose
 * account, pod or secret is gone. The signature is checked once and remembered by the token's digest.
 */
import type { Clock } from '../../base/clock.ts';
import type { UserInfo } from '../../schemas/api.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { accountGroups, accountUserName } from '../authorization/service-account-user.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import { signingKey, uncheckedClaims, type Claims, type JsonWebKey, type SigningKey } from './jwt.ts';
import { tokenDigest, unauthorized, type Bearer, type TokenSource } from './tokens.ts';

export interface AccountTokenOptions {
  /** PEM of the private key (P-256) that signs. */
  readonly key: string;
  /** URL by which the tokens name this cluster; also the audience of the API server itself. */
  readonly issuer: string;
}

/** An object as a token names it. */
export interface Reference {
  readonly name: string;
  readonly uid: string;
}

export interface TokenWish {
  readonly namespace: string;
  readonly account: Reference;
  /** Those of the API server where empty. */
  readonly audiences: readonly string[];
  readonly seconds: number;
  /** Says by the word of the claim what the token is bound to. */
  readonly bound?: Readonly<Partial<Record<'pod' | 'secret' | 'node', Reference>>> | undefined;
  /** Unique name of the token. */
  readonly id: string;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Clocks of issuer and user may differ by so much. */
const leewayMs = 10_000;
/** What is on its way out may still use its token for so long after its grace period. */
const goneLeewayMs = 60_000;
/** Checked signatures that are remembered. */
const maxRemembered = 8_192;

const claim = 'kubernetes.io';

type Where = Readonly<Record<string, unknown>>;
const objectAt = (value: unknown): Where | undefined => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Where : undefined);
const textAt = (value: unknown): string => (typeof value === 'string' ? value : '');

const referenceAt = (value: unknown): Reference | undefined => {
  const at = objectAt(value);
  return at === undefined ? undefined : { name: textAt(at['name']), uid: textAt(at['uid']) };
};

export class AccountTokens implements TokenSource {
  readonly issuer: string;
  readonly #key: SigningKey;
  readonly #state: Pick<WatchCache, 'get'>;
  readonly #clock: Pick<Clock, 'now'>;
  /** Claims by digest of the token, oldest first. */
  readonly #checked = new Map<string, Claims>();

  constructor({ key, issuer }: AccountTokenOptions, state: Pick<WatchCache, 'get'>, clock: Pick<Clock, 'now'>) {
    this.issuer = issuer;
    this.#key = signingKey(key);
    this.#state = state;
    this.#clock = clock;
  }

  /** The public keys by which others can check tokens. */
  get keys(): readonly JsonWebKey[] {
    return [this.#key.jwk];
  }

  issue({ namespace, account, audiences, seconds, bound, id }: TokenWish): IssuedToken {
    const now = Math.floor(this.#clock.now() / 1_000);
    const token = this.#key.sign({
      aud: audiences.length === 0 ? [this.issuer] : audiences, exp: now + seconds, iat: now, iss: this.issuer, jti: id,
      [claim]: { namespace, ...bound, serviceaccount: account }, nbf: now, sub: accountUserName(namespace, account.name),
    });
    return { token, expiresAtMs: (now + seconds) * 1_000 };
  }

  bearerOf(token: string, audiences: readonly string[]): Bearer | undefined {
    if (uncheckedClaims(token)?.['iss'] !== this.issuer) return undefined;
    const claims = this.#signed(token);
    const nowMs = this.#clock.now();
    const { exp, nbf, iat } = claims;
    if (typeof exp !== 'number' || nowMs >= exp * 1_000) throw unauthorized('service account token has expired');
    if ([nbf, iat].some((from) => typeof from !== 'number' || nowMs + leewayMs < from * 1_000)) throw unauthorized('service account token is not valid yet');
    const meantFor = this.#audiences(claims['aud'], audiences.length === 0 ? [this.issuer] : audiences);
    return { user: this.#userOf(claims, nowMs), audiences: meantFor };
  }

  #signed(token: string): Claims {
    const digest = tokenDigest(token);
    const known = this.#checked.get(digest);
    if (known !== undefined) return known;
    const claims = this.#key.verify(token);
    if (typeof claims === 'string') throw unauthorized(`invalid bearer token: ${claims}`);
    if (this.#checked.size >= maxRemembered) this.#checked.delete(this.#checked.keys().next().value!);
    this.#checked.set(digest, claims);
    return claims;
  }

  #audiences(said: unknown, wanted: readonly string[]): readonly string[] {
    const own = Array.isArray(said) ? said.filter((one) => typeof one === 'string') : [textAt(said)];
    const both = wanted.filter((one) => own.includes(one));
    if (both.length === 0) throw unauthorized(`token audiences ${JSON.stringify(own)} is invalid for the target audiences ${JSON.stringify(wanted)}`);
    return both;
  }

  #userOf(claims: Claims, nowMs: number): UserInfo {
    const about = objectAt(claims[claim]) ?? {};
    const namespace = textAt(about['namespace']);
    const account = referenceAt(about['serviceaccount']);
    if (namespace === '' || account === undefined || claims['sub'] !== accountUserName(namespace, account.name)) throw unauthorized('service account token has the wrong claims');
    this.#assertThere(`/serviceaccounts/${namespace}/${account.name}`, account.uid, nowMs);
    const [pod, secret, node] = [referenceAt(about['pod']), referenceAt(about['secret']), referenceAt(about['node'])];
    if (pod !== undefined) this.#assertThere(`/pods/${namespace}/${pod.name}`, pod.uid, nowMs);
    if (secret !== undefined) this.#assertThere(`/secrets/${namespace}/${secret.name}`, secret.uid, nowMs);
    // The node of a bound pod is told, but the token ends with the pod.
    if (node !== undefined && pod === undefined) this.#assertThere(`/nodes//${node.name}`, node.uid, nowMs);
    const extra = {
      ...(pod === undefined ? {} : { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] }),
      ...(node === undefined ? {} : { 'authentication.kubernetes.io/node-name': [node.name], 'authentication.kubernetes.io/node-uid': [node.uid] }),
      ...(textAt(claims['jti']) === '' ? {} : { 'authentication.kubernetes.io/credential-id': [`JTI=${textAt(claims['jti'])}`] }),
    };
    return { name: accountUserName(namespace, account.name), uid: account.uid, groups: [...accountGroups(namespace), 'system:authenticated'], extra };
  }

  /** What the token hangs on must be the same object still, and not gone for all but its name. */
  #assertThere(key: string, uid: string, nowMs: number): void {
    const object: ApiObject | undefined = this.#state.get(key);
    if (object === undefined || uid === '' || object.metadata.uid !== uid) throw unauthorized(`service account token has been invalidated: ${key.slice(1)} is gone`);
    const { deletionTimestamp } = object.metadata;
    if (deletionTimestamp !== undefined && nowMs > Date.parse(deletionTimestamp) + goneLeewayMs) throw unauthorized(`service account token has been invalidated: ${key.slice(1)} is being deleted`);
  }
}
