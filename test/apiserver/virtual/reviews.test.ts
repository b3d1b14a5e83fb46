import test from 'ava';
import { createClusterAuthorizer } from '../../../apiserver/authorization/cluster-authorizer.ts';
import { reconcileRoles } from '../../../apiserver/authorization/reconcile-roles.ts';
import { answererOf } from '../../../apiserver/virtual/virtual.ts';
import type { UserInfo } from '../../../schemas/api.ts';
import { serves } from '../../../schemas/kind.ts';
import { testApi, testRegistry, type TestApi } from '../../helpers/api.ts';

const known = (name: string, ...groups: readonly string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'] });

const ask = async (api: TestApi, user: UserInfo, resource: string, body: object, namespace?: string): Promise<Record<string, unknown>> => {
  const group = resource.includes('access') || resource.includes('rules') ? 'authorization.k8s.io' : 'authentication.k8s.io';
  const answer = await api.core.send({ verb: 'create', group, version: 'v1', resource, namespace, body }, user);
  return (answer.body as unknown as { status: Record<string, unknown> }).status;
};

const open = async (t: { teardown(fn: () => unknown): void }): Promise<TestApi> => {
  const api = await testApi({ authorizer: createClusterAuthorizer });
  t.teardown(() => api.close());
  await reconcileRoles(api.core);
  return api;
};

test('anybody known may ask about himself, and is told what his roles give', async (t) => {
  const api = await open(t);
  await api.transport.send({ verb: 'create', group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'roles', namespace: 'default', body: { metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] } });
  await api.transport.send({ verb: 'create', group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'rolebindings', namespace: 'default', body: { metadata: { name: 'bob' }, roleRef: { kind: 'Role', name: 'reader' }, subjects: [{ kind: 'User', name: 'bob' }] } });
  const may = (user: UserInfo, spec: object) => ask(api, user, 'selfsubjectaccessreviews', { spec });
  const pods = { resource: 'pods', verb: 'get', namespace: 'default' };
  t.deepEqual(await may(known('bob'), { resourceAttributes: pods }), { allowed: true });
  t.deepEqual(await may(known('bob'), { resourceAttributes: { ...pods, verb: 'delete' } }), { allowed: false });
  t.deepEqual(await may(known('bob'), { resourceAttributes: { ...pods, namespace: '' } }), { allowed: false });
  t.deepEqual(await may(known('bob'), { resourceAttributes: { verb: '*', group: '*', resource: '*' } }), { allowed: false });
  t.deepEqual(await may(known('root', 'system:masters'), { resourceAttributes: { verb: '*', group: '*', resource: '*' } }), { allowed: true });
  t.deepEqual(await may(known('bob'), { nonResourceAttributes: { path: '/version', verb: 'get' } }), { allowed: true });
  t.deepEqual(await may(known('bob'), { nonResourceAttributes: { path: '/metrics', verb: 'get' } }), { allowed: false });
  await t.throwsAsync(may({ name: 'system:anonymous', groups: ['system:unauthenticated'] }, { resourceAttributes: pods }), { message: /selfsubjectaccessreviews.authorization.k8s.io is forbidden/ });

  const rules = await ask(api, known('bob'), 'selfsubjectrulesreviews', { spec: { namespace: 'default' } }) as { resourceRules: object[]; nonResourceRules: object[]; incomplete: boolean };
  t.true(rules.resourceRules.some((rule) => JSON.stringify(rule) === JSON.stringify({ verbs: ['get'], apiGroups: [''], resources: ['pods'] })));
  t.false(rules.incomplete);
  t.truthy(await ask(api, known('bob'), 'selfsubjectrulesreviews', { spec: { namespace: 'default' }, status: { resourceRules: null, nonResourceRules: null, incomplete: false } }), 'kubectl 1.20 sends an empty answer along');
  const elsewhere = await ask(api, known('bob'), 'selfsubjectrulesreviews', { spec: { namespace: 'kube-system' } }) as typeof rules;
  t.false(JSON.stringify(elsewhere).includes('pods'));
  t.deepEqual((await ask(api, known('root', 'system:masters'), 'selfsubjectrulesreviews', { spec: { namespace: 'x' } }) as typeof rules).resourceRules[0], { verbs: ['*'], apiGroups: ['*'], resources: ['*'] });
});

test('who one is', async (t) => {
  const api = await open(t);
  t.deepEqual(await ask(api, { ...known('bob', 'dev'), uid: 'u1', extra: { a: ['b'] } }, 'selfsubjectreviews', {}), { userInfo: { username: 'bob', uid: 'u1', groups: ['dev', 'system:authenticated'], extra: { a: ['b'] } } });
});

test('only who may ask about others is told about them', async (t) => {
  const api = await open(t);
  const root = known('root', 'system:masters');
  const spec = { user: 'eve', groups: ['system:masters'], resourceAttributes: { verb: 'delete', resource: 'nodes' } };
  t.deepEqual(await ask(api, root, 'subjectaccessreviews', { spec }), { allowed: true });
  t.deepEqual(await ask(api, root, 'subjectaccessreviews', { spec: { ...spec, groups: [] } }), { allowed: false });
  await t.throwsAsync(ask(api, known('bob'), 'subjectaccessreviews', { spec }), { message: /cannot create resource "subjectaccessreviews"/ });
  await t.throwsAsync(ask(api, known('bob'), 'tokenreviews', { spec: { token: 'x' } }), { message: /cannot create resource "tokenreviews"/ });
  const local = { ...spec, resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } };
  t.deepEqual(await ask(api, root, 'localsubjectaccessreviews', { spec: local }, 'default'), { allowed: true });
  await t.throwsAsync(ask(api, root, 'localsubjectaccessreviews', { spec: local }, 'kube-system'), { message: /spec.resourceAttributes.namespace.*must match metadata.namespace/ });
  await t.throwsAsync(ask(api, root, 'localsubjectaccessreviews', { metadata: { namespace: 'default' }, spec: local }, 'kube-system'), { message: /does not match the namespace sent/ });
});

test('a review asks one thing, of somebody', async (t) => {
  const api = await open(t);
  const root = known('root', 'system:masters');
  await t.throwsAsync(ask(api, root, 'selfsubjectaccessreviews', { spec: {} }), { message: /exactly one of nonResourceAttributes or resourceAttributes/ });
  await t.throwsAsync(ask(api, root, 'selfsubjectaccessreviews', { spec: { resourceAttributes: {}, nonResourceAttributes: {} } }), { message: /cannot be specified in combination/ });
  await t.throwsAsync(ask(api, root, 'subjectaccessreviews', { spec: { resourceAttributes: {} } }), { message: /at least one of user or group/ });
  await t.throwsAsync(ask(api, root, 'selfsubjectrulesreviews', { spec: {} }), { message: /spec.namespace: Required/ });
  await t.throwsAsync(ask(api, root, 'tokenreviews', { spec: {} }), { message: /spec.token: Required/ });
});

test('questions are not stored, cannot be read back, and all have somebody who answers', async (t) => {
  const api = await open(t);
  await t.throwsAsync(api.core.send({ verb: 'list', group: 'authorization.k8s.io', version: 'v1', resource: 'subjectaccessreviews' }, known('root', 'system:masters')), { message: /does not allow this method/ });
  const questions = (await testRegistry()).all().filter((kind) => kind.group === 'authorization.k8s.io' || kind.group === 'authentication.k8s.io');
  t.is(questions.length, 6);
  for (const kind of questions) {
    t.deepEqual(kind.verbs, ['create'], kind.kind);
    t.truthy(answererOf(kind), kind.kind);
    t.false(serves(kind, 'get'));
  }
});
