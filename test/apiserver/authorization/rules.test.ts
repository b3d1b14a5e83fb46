import test from 'ava';
import { createBuiltinAuthorizer } from '../../../apiserver/authorization/builtin-grants.ts';
import { forbiddenError, requireAccess } from '../../../apiserver/authorization/forbidden.ts';
import { createRulesAuthorizer, ruleAllows, type PolicyRule } from '../../../apiserver/authorization/rules.ts';
import { anonymous, type UserInfo } from '../../../schemas/api.ts';
import { access } from '../../helpers/access.ts';

const core = (resources: readonly string[], more: Partial<PolicyRule> = {}): PolicyRule => ({ apiGroups: [''], resources, verbs: ['get', 'list'], ...more });

const cases: readonly (readonly [PolicyRule, string, boolean])[] = [
  [core(['pods']), 'get - pods a x', true],
  [core(['pods']), 'list - pods a', true],
  [core(['pods']), 'delete - pods a x', false],
  [core(['pods']), 'get apps pods a x', false],
  [core(['pods']), 'get - pods/log a x', false],
  [core(['pods/log']), 'get - pods/log a x', true],
  [core(['pods/log']), 'get - pods a x', false],
  [core(['*/log']), 'get - pods/log a x', true],
  [core(['*/log']), 'get - pods a x', false],
  [core(['*']), 'get - pods/exec a x', true],
  [core(['pods'], { apiGroups: ['*'] }), 'get apps pods a x', true],
  [core(['pods'], { apiGroups: undefined }), 'get - pods a x', false],
  [core(['pods'], { verbs: ['*'] }), 'delete - pods a x', true],
  [core(['pods'], { resourceNames: ['x'] }), 'get - pods a x', true],
  [core(['pods'], { resourceNames: ['x'] }), 'get - pods a y', false],
  [core(['pods'], { resourceNames: ['x'] }), 'list - pods a', false],
  [core(['pods'], { resourceNames: [] }), 'list - pods a', true],
  [{ nonResourceURLs: ['/version'], verbs: ['get'] }, 'get /version', true],
  [{ nonResourceURLs: ['/version'], verbs: ['get'] }, 'get /versions', false],
  [{ nonResourceURLs: ['/healthz/*'], verbs: ['get'] }, 'get /healthz/etcd', true],
  [{ nonResourceURLs: ['*'], verbs: ['*'] }, 'post /anything', true],
  [{ nonResourceURLs: ['*'], verbs: ['*'] }, 'get - pods a x', false],
  [core(['*'], { verbs: ['*'] }), 'get /version', false],
];

test('a rule allows what it says and nothing else', (t) => {
  for (const [rule, text, allowed] of cases) t.is(ruleAllows(rule, access(text)), allowed, `${JSON.stringify(rule)} ${text}`);
});

test('grants hold for their users and groups, in their namespaces', (t) => {
  const authorizer = createRulesAuthorizer([
    { users: ['bob'], namespaces: ['a'], rules: [core(['pods'])] },
    { groups: ['ops'], rules: (user) => [core(['nodes'], { resourceNames: [user.name] })] },
  ]);
  const ops: UserInfo = { name: 'n1', groups: ['ops'] };
  t.is(authorizer.authorize(access('get - pods a x')), undefined);
  t.is(authorizer.authorize(access('get - pods b x')), '');
  t.is(authorizer.authorize(access('list - pods')), '');
  t.is(authorizer.authorize(access('get - pods a x', ops)), '');
  t.is(authorizer.authorize(access('get - nodes - n1', ops)), undefined);
  t.is(authorizer.authorize(access('get - nodes - n2', ops)), '');
});

test('the built-in identities may do their work and no more', (t) => {
  const authorizer = createBuiltinAuthorizer();
  const user = (name: string, ...groups: readonly string[]): UserInfo => ({ name, groups });
  const may: readonly (readonly [UserInfo, string])[] = [
    [user('admin', 'system:masters'), 'delete - namespaces - kube-system'],
    [user('admin', 'system:masters'), 'post /anything'],
    [anonymous, 'get /version'], [anonymous, 'get /healthz'], [anonymous, 'get /readyz/ping'], [anonymous, 'get /livez'],
    [user('bob', 'system:authenticated'), 'get /apis/apps/v1'], [user('bob', 'system:authenticated'), 'get /openapi/v3'],
    [user('system:barge:controllers'), 'create apps replicasets a'], [user('system:barge:controllers'), 'update - pods/status a x'],
    [user('system:barge:controllers'), 'delete example.org widgets a x'],
    [user('system:barge:scheduler'), 'create - pods/binding a x'], [user('system:barge:scheduler'), 'watch - nodes'],
    [user('system:barge:proxy'), 'watch discovery.k8s.io endpointslices'],
  ];
  const mayNot: readonly (readonly [UserInfo, string])[] = [
    [anonymous, 'get /'], [anonymous, 'get /api'], [anonymous, 'get /openapi/v2'], [anonymous, 'list - pods'], [anonymous, 'post /version'],
    [user('bob', 'system:authenticated'), 'list - pods'],
    [user('system:barge:controllers'), 'create - secrets a'], [user('system:barge:controllers'), 'create - pods/exec a x'],
    [user('system:barge:scheduler'), 'get - secrets a x'], [user('system:barge:scheduler'), 'update - pods a x'],
    [user('system:barge:proxy'), 'get - secrets a x'], [user('system:barge:proxy'), 'update - services a x'],
    [user('system:node:n1', 'system:nodes'), 'list - pods'],
  ];
  for (const [who, what] of may) t.is(authorizer.authorize(access(what, who)), undefined, `${who.name} ${what}`);
  for (const [who, what] of mayNot) t.is(authorizer.authorize(access(what, who)), '', `${who.name} ${what}`);
});

test('a refusal says who may not do what, where', (t) => {
  const words: readonly (readonly [string, string])[] = [
    ['list - pods rec', 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "rec"'],
    ['list apps deployments', 'deployments.apps is forbidden: User "bob" cannot list resource "deployments" in API group "apps" at the cluster scope'],
    ['create - pods/exec rec x', 'pods "x" is forbidden: User "bob" cannot create resource "pods/exec" in API group "" in the namespace "rec"'],
    ['get /', 'forbidden: User "bob" cannot get path "/"'],
  ];
  for (const [what, message] of words) t.is(forbiddenError(access(what), '').message, message);
  t.regex(forbiddenError(access('get /'), 'no rule').message, /path "\/": no rule$/);
  const nobody = createRulesAuthorizer([]);
  t.throws(() => requireAccess(nobody, access('get /')), { message: 'forbidden: User "bob" cannot get path "/"' });
});
