import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { signingKey } from '../../../apiserver/authentication/jwt.ts';
import { createTokenAuthenticator } from '../../../apiserver/authentication/tokens.ts';
import { createClusterAuthorizer } from '../../../apiserver/authorization/cluster-authorizer.ts';
import { reconcileRoles } from '../../../apiserver/authorization/reconcile-roles.ts';
import type { UserInfo } from '../../../schemas/api.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { Secret } from '../../../schemas/kinds/core/secret.ts';
import { ServiceAccount } from '../../../schemas/kinds/core/service-account.ts';
import { admin, testApi, type TestApi } from '../../helpers/api.ts';

const newKey = (): string => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = newKey();
const issuer = 'https://kubernetes.default.svc.cluster.local';

const open = async (t: { teardown(fn: () => unknown): void }): Promise<TestApi> => {
  const api = await testApi({ authorizer: createClusterAuthorizer, accountTokens: { key, issuer } });
  t.teardown(() => api.close());
  await reconcileRoles(api.core);
  await api.client.of(ServiceAccount).create({ metadata: { name: 'default', namespace: 'default' } });
  await api.client.of(ServiceAccount).create({ metadata: { name: 'robot', namespace: 'default' } });
  return api;
};

interface Wish { readonly audiences?: readonly string[]; readonly expirationSeconds?: number; readonly boundObjectRef?: object }

const request = async (api: TestApi, spec: Wish = {}, { user = admin, name = 'robot' }: { readonly user?: UserInfo; readonly name?: string } = {}) => {
  const answer = await api.core.send({ verb: 'create', group: '', version: 'v1', resource: 'serviceaccounts', namespace: 'default', name, subresource: 'token', body: { spec } }, user);
  return (answer.body as unknown as { readonly status: { readonly token: string; readonly expirationTimestamp: string } }).status;
};

const pod = (name: string, more: object = {}) => ({ metadata: { name, namespace: 'default' }, spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }], ...more } });

const userOf = (api: TestApi, token: string): UserInfo | string => {
  try {
    return createTokenAuthenticator(api.core.tokens).authenticate({ authorization: `Bearer ${token}` })!;
  } catch (error) {
    return (error as Error).message;
  }
};
const why = (api: TestApi, token: string, audiences: readonly string[] = []): string => {
  try {
    return `taken: ${api.core.tokens.bearerOf(token, audiences)?.user.name}`;
  } catch (error) {
    return (error as Error).message;
  }
};
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claimsOf = (token: string): Record<string, unknown> => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

test('a token is its account, for the server, for its time', async (t) => {
  const api = await open(t);
  const { token, expirationTimestamp } = await request(api, { expirationSeconds: 600 });
  t.is(Date.parse(expirationTimestamp), Math.floor(api.clock.now() / 1000) * 1000 + 600_000);
  t.like(userOf(api, token), { name: 'system:serviceaccount:default:robot', groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'] });
  await api.clock.advance(599_000);
  t.is(typeof userOf(api, token), 'object');
  await api.clock.advance(2_000);
  t.is(userOf(api, token), 'Unauthorized');
  t.regex(why(api, token), /expired/);
});

test('a token for others is none for the server, and the other way round', async (t) => {
  const api = await open(t);
  const { token } = await request(api, { audiences: ['vault', 'db'] });
  t.is(userOf(api, token), 'Unauthorized');
  t.regex(why(api, token), /audiences/);
  t.deepEqual(api.core.tokens.bearerOf(token, ['db', 'x'])?.audiences, ['db']);
  const own = await request(api);
  t.regex(why(api, own.token, ['vault']), /audiences/);
  const review = async (spec: object) => ((await api.transport.send({ verb: 'create', group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews', body: { spec } })).body as unknown as { status: Record<string, unknown> }).status;
  t.like(await review({ token, audiences: ['db'] }), { authenticated: true, audiences: ['db'], user: { username: 'system:serviceaccount:default:robot' } });
  t.like(await review({ token }), { authenticated: false });
  t.like(await review({ token: 'nonsense' }), { authenticated: false });
});

test('forged tokens are refused: no algorithm, another one, the public key as a secret, other keys, changed claims', async (t) => {
  const api = await open(t);
  const { token } = await request(api);
  const [head = '', body = '', signature = ''] = token.split('.');
  const claims = claimsOf(token);
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string };
  const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  const hmac = (secret: string, header: object): string => {
    const text = `${part(header)}.${body}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const other = signingKey(newKey());
  const forged: Readonly<Record<string, string>> = {
    none: `${part({ alg: 'none', kid })}.${body}.`, noneSigned: `${part({ alg: 'none', kid })}.${body}.${signature}`, upper: `${part({ alg: 'NONE', kid })}.${body}.${signature}`,
    noSignature: `${head}.${body}.`, hs256: hmac(publicPem, { alg: 'HS256', kid }), hs256Jwk: hmac(JSON.stringify(api.core.accountTokens?.keys[0]), { alg: 'HS256', kid }),
    es256Hmac: hmac(publicPem, { alg: 'ES256', kid }), otherKey: other.sign(claims), otherKeyOurId: other.sign(claims).replace(/^[^.]+/, head),
    ownJwk: `${part({ alg: 'ES256', kid: 'x', jwk: other.jwk })}.${body}.${signature}`, crit: `${part({ alg: 'ES256', kid, crit: ['exp'] })}.${body}.${signature}`,
    changed: `${head}.${part({ ...claims, sub: 'system:serviceaccount:kube-system:admin' })}.${signature}`, later: `${head}.${part({ ...claims, exp: 9e9 })}.${signature}`,
    padded: `${token}=`, spelled: `${head}.${body}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : 'A'}`, zeros: `${head}.${body}.${'A'.repeat(86)}`,
    fourParts: `${token}.${signature}`, long: `${head}.${part({ ...claims, pad: 'x'.repeat(9_000) })}.${signature}`,
  };
  for (const [name, one] of Object.entries(forged)) t.is(userOf(api, one), 'Unauthorized', name);
  t.is(typeof userOf(api, token), 'object');
});

test('a signature of ours is not enough where the claims are not those of an account', async (t) => {
  const api = await open(t);
  const claims = claimsOf((await request(api)).token);
  const about = claims['kubernetes.io'] as { namespace: string; serviceaccount: object };
  const ours = signingKey(key);
  for (const wrong of [
    { sub: 'system:serviceaccount:default:other' }, { sub: 'admin' }, { 'kubernetes.io': {} }, { 'kubernetes.io': { ...about, namespace: 'kube-system' } },
    { 'kubernetes.io': { ...about, serviceaccount: { name: 'robot', uid: '' } } }, { exp: undefined }, { exp: '9999999999' }, { aud: undefined }, { aud: [] }, { nbf: 9e9 }, { iat: 9e9 },
  ]) t.is(userOf(api, ours.sign({ ...claims, ...wrong })), 'Unauthorized', JSON.stringify(wrong));
  t.is(typeof userOf(api, ours.sign(claims)), 'object');
});

test('a token ends with its account, also when one of the same name comes after it', async (t) => {
  const api = await open(t);
  const { token } = await request(api);
  await api.client.of(ServiceAccount).delete({ namespace: 'default', name: 'robot' });
  t.is(userOf(api, token), 'Unauthorized');
  await api.client.of(ServiceAccount).create({ metadata: { name: 'robot', namespace: 'default' } });
  t.is(userOf(api, token), 'Unauthorized');
  t.regex(why(api, token), /invalidated/);
});

test('a token stolen from a pod ends with the pod; one in a Secret with the Secret', async (t) => {
  const api = await open(t);
  const made = await api.client.of(Pod).create(pod('web'));
  await api.client.of(Secret).create({ metadata: { name: 's', namespace: 'default' } });
  const { token } = await request(api, { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: made.metadata.uid } });
  const secret = await request(api, { boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 's' } });
  t.like((userOf(api, token) as UserInfo).extra, { 'authentication.kubernetes.io/pod-name': ['web'], 'authentication.kubernetes.io/pod-uid': [made.metadata.uid] });
  await api.client.of(Pod).delete({ namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 });
  t.is(userOf(api, token), 'Unauthorized');
  await api.client.of(Pod).create(pod('web'));
  t.is(userOf(api, token), 'Unauthorized', 'a pod of the same name is another pod');
  t.is(typeof userOf(api, secret.token), 'object');
  await api.client.of(Secret).delete({ namespace: 'default', name: 's' });
  t.is(userOf(api, secret.token), 'Unauthorized');
});

test('what a token may be asked for', async (t) => {
  const api = await open(t);
  await api.client.of(Pod).create(pod('other', { serviceAccountName: 'default' }));
  const refused: readonly (readonly [Wish, RegExp])[] = [
    [{ expirationSeconds: 599 }, /may not specify a duration less than 10 minutes/], [{ expirationSeconds: 2 ** 32 + 1 }, /larger than 2\^32/],
    [{ boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' } }, /Unsupported value/], [{ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'x' } }, /pods "x" not found/],
    [{ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'other' } }, /different serviceaccount/], [{ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'other', uid: 'u' } }, /UID in the bound object reference/],
  ];
  for (const [wish, message] of refused) await t.throwsAsync(request(api, wish), { message });
  await t.throwsAsync(request(api, {}, { name: 'nobody' }), { message: /serviceaccounts "nobody" not found/ });
  await t.throwsAsync(request(api, {}, { user: { name: 'bob', groups: ['system:authenticated'] } }), { message: /cannot create resource "serviceaccounts\/token"/ });
});

test('a node gets tokens for pods that are on it, each bound to its pod', async (t) => {
  const api = await open(t);
  const node = (name: string): UserInfo => ({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] });
  const mine = await api.client.of(Pod).create(pod('mine', { nodeName: 'n1' }));
  const theirs = await api.client.of(Pod).create(pod('theirs', { nodeName: 'n2' }));
  const bound = ({ metadata }: Pod, uid = metadata.uid): Wish => ({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: metadata.name, uid } });
  t.truthy((await request(api, bound(mine), { user: node('n1') })).token);
  await t.throwsAsync(request(api, {}, { user: node('n1') }), { message: /not bound to a pod/ });
  await t.throwsAsync(request(api, bound(mine, ''), { user: node('n1') }), { message: /without a uid/ });
  await t.throwsAsync(request(api, bound(theirs), { user: node('n1') }), { message: /different node/ });
  await t.throwsAsync(request(api, bound(mine), { user: node('n3') }), { message: /no relationship found/ });
  await t.throwsAsync(request(api, bound(mine), { user: node('n1'), name: 'default' }), { message: /no relationship found/ });
});

test('new pods get a volume with a token, unless they or their account do not want it', async (t) => {
  const api = await open(t);
  const made = await api.client.of(Pod).create(pod('web', { initContainers: [{ name: 'i', image: 'i' }], containers: [{ name: 'c', image: 'i' }, { name: 'own', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }], volumes: [{ name: 'v', emptyDir: {} }] }));
  const volume = made.spec.volumes?.find(({ name }) => name.startsWith('kube-api-access-'));
  t.regex(volume?.name ?? '', /^kube-api-access-[a-z0-9]{5}$/);
  t.deepEqual(volume?.projected?.sources?.map((source) => Object.keys(source)[0]), ['serviceAccountToken', 'configMap', 'downwardAPI']);
  const mounts = [...made.spec.initContainers ?? [], ...made.spec.containers].map(({ volumeMounts = [] }) => volumeMounts.map(({ name, readOnly }) => `${name === volume?.name ? 'token' : name} ${readOnly === true}`));
  t.deepEqual(mounts, [['token true'], ['token true'], ['v false']]);
  const without = await api.client.of(Pod).create(pod('without', { automountServiceAccountToken: false }));
  t.is(without.spec.volumes, undefined);
  await api.client.of(ServiceAccount).create({ metadata: { name: 'shy', namespace: 'default' }, automountServiceAccountToken: false });
  t.is((await api.client.of(Pod).create(pod('shy', { serviceAccountName: 'shy' }))).spec.volumes, undefined);
  t.is((await api.client.of(Pod).create(pod('bold', { serviceAccountName: 'shy', automountServiceAccountToken: true }))).spec.volumes?.length, 1);
  await t.throwsAsync(api.client.of(Pod).create(pod('lost', { serviceAccountName: 'ghost' })), { message: /error looking up service account default\/ghost/ });
});

test('bootstrap tokens are Secrets of kube-system that are meant to be', async (t) => {
  const api = await open(t);
  const stringData = (more: object = {}) => ({ 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...more });
  const at = { namespace: 'kube-system', name: 'bootstrap-token-abcdef' };
  const put = async (more: object = {}, type = 'bootstrap.kubernetes.io/token'): Promise<void> => {
    await api.client.of(Secret).delete(at).catch(() => undefined);
    await api.client.of(Secret).create({ metadata: at, type, stringData: stringData(more) });
  };
  const user = () => userOf(api, 'abcdef.0123456789abcdef');
  t.is(user(), 'Unauthorized');
  await put({ 'auth-extra-groups': 'system:bootstrappers:workers' });
  t.deepEqual(user(), { name: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', 'system:bootstrappers:workers', 'system:authenticated'] });
  t.is(userOf(api, 'abcdef.0123456789abcdeg'), 'Unauthorized');
  t.is(userOf(api, 'ABCDEF.0123456789abcdef'), 'Unauthorized');
  for (const wrong of [{ 'usage-bootstrap-authentication': 'false' }, { expiration: '2001-01-01T00:00:00Z' }, { expiration: 'soon' }, { 'auth-extra-groups': 'system:masters' }, { 'token-id': 'abcdeg' }]) {
    await put(wrong);
    t.is(user(), 'Unauthorized', JSON.stringify(wrong));
  }
  await put({ expiration: '2999-01-01T00:00:00Z' });
  t.is(typeof user(), 'object');
  await put({}, 'Opaque');
  t.is(user(), 'Unauthorized');
});
