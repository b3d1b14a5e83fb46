import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { createClusterAuthorizer } from '../../../apiserver/authorization/cluster-authorizer.ts';
import { reconcileRoles } from '../../../apiserver/authorization/reconcile-roles.ts';
import { ClusterRole } from '../../../schemas/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../../schemas/kinds/rbac/cluster-role-binding.ts';
import { ServiceAccount } from '../../../schemas/kinds/core/service-account.ts';
import { httpsApi, type CallOptions, type HttpsApi } from '../../helpers/https-api.ts';

const whoami = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

const asSomebody = async (api: HttpsApi, headers: NonNullable<CallOptions['headers']>, as: CallOptions['as'] = 'admin') => {
  const answer = await api.call(whoami, { as, headers, body: { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' } });
  const body = answer.json<{ readonly message?: string; readonly status: { readonly userInfo?: unknown } }>();
  return answer.code === 201 ? body.status.userInfo : `${answer.code} ${body.message}`;
};

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const issuer = 'https://kubernetes.default.svc.cluster.local';

test('who may, is somebody else; each thing that is taken on is asked for by itself', async (t) => {
  const api = await httpsApi({ authorizer: createClusterAuthorizer, accountTokens: { key: pem, issuer } });
  t.teardown(() => api.close());
  await reconcileRoles(api.core);
  t.deepEqual(await asSomebody(api, { 'Impersonate-User': 'eve', 'Impersonate-Group': ['a', 'b'], 'Impersonate-Uid': 'u', 'Impersonate-Extra-Team%2fName': ['x', 'y'] }), {
    username: 'eve', uid: 'u', groups: ['a', 'b', 'system:authenticated'], extra: { 'team/name': ['x', 'y'] },
  });
  t.deepEqual(await asSomebody(api, { 'Impersonate-User': 'system:serviceaccount:default:robot' }), {
    username: 'system:serviceaccount:default:robot', groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
  });
  t.regex(String(await asSomebody(api, { 'Impersonate-User': 'system:anonymous' })), /403 .*User "system:anonymous" cannot create/);
  t.regex(String(await asSomebody(api, { 'Impersonate-Group': 'system:masters' })), /^400 .*without impersonating a user/);
  t.regex(String(await asSomebody(api, { 'Impersonate-User': ['a', 'b'] })), /^400 .*once only/);

  t.is(await asSomebody(api, { 'Impersonate-User': 'eve' }, 'bob'), '403 users "eve" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope');
  await api.client.of(ClusterRole).create({ metadata: { name: 'be-eve' }, rules: [{ apiGroups: [''], resources: ['users'], resourceNames: ['eve'], verbs: ['impersonate'] }] });
  await api.client.of(ClusterRoleBinding).create({ metadata: { name: 'be-eve' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'be-eve' }, subjects: [{ kind: 'User', name: 'bob' }] });
  t.deepEqual(await asSomebody(api, { 'Impersonate-User': 'eve' }, 'bob'), { username: 'eve', groups: ['system:authenticated'] });
  for (const more of [{ 'Impersonate-Group': 'system:masters' }, { 'Impersonate-Uid': 'u' }, { 'Impersonate-Extra-a': 'b' }, { 'Impersonate-User': 'admin' }, { 'Impersonate-User': 'system:serviceaccount:default:robot' }]) {
    t.regex(String(await asSomebody(api, { 'Impersonate-User': 'eve', ...more }, 'bob')), /^403 .*cannot impersonate/, JSON.stringify(more));
  }
  // Upgrades act as the same user: a watch that eve may not open is refused although admin might.
  const watch = await api.call('/api/v1/namespaces/default/pods?watch=true', { headers: { 'Impersonate-User': 'eve', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version': '13' } });
  t.is(watch.code, 403);
  t.regex(watch.text, /User \\"eve\\" cannot watch/);
});

test('a token of a service account works over HTTP, and its issuer shows how to check it', async (t) => {
  const api = await httpsApi({ authorizer: createClusterAuthorizer, accountTokens: { key: pem, issuer } });
  t.teardown(() => api.close());
  await reconcileRoles(api.core);
  await api.client.of(ServiceAccount).create({ metadata: { name: 'robot', namespace: 'default' } });
  const made = await api.call('/api/v1/namespaces/default/serviceaccounts/robot/token', { body: { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1' } });
  t.is(made.code, 201);
  const headers = { Authorization: `Bearer ${made.json<{ status: { token: string } }>().status.token}` };
  t.like(await asSomebody(api, headers, null), { username: 'system:serviceaccount:default:robot' });
  t.regex(String(await asSomebody(api, { Authorization: `${headers.Authorization}x` }, null)), /^401 Unauthorized/);
  const jwks = await api.call('/openid/v1/jwks', { as: null, headers });
  t.like(jwks.json<{ keys: object[] }>().keys[0], { kty: 'EC', alg: 'ES256', crv: 'P-256' });
  t.false(jwks.text.includes('"d"'));
  t.is((await api.call('/.well-known/openid-configuration', { as: null, headers })).json()['issuer'], issuer);
  t.is((await api.call('/openid/v1/jwks', { as: null })).code, 403);
});
