import test from 'ava';
import { ruleMeans, ruleMeansName, type Rule, type RuleTarget } from '../../../../apiserver/admission/dynamic/rules.ts';

const deployment = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', scope: 'Namespaced' } as const;
const node = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', scope: 'Cluster' } as const;
const all: Rule = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] };

const cases: readonly (readonly [string, Partial<Rule>, Partial<RuleTarget>, boolean])[] = [
  ['everything', {}, {}, true],
  ['* is no subresource', {}, { subresource: 'status' }, false],
  ['*/* is any', { resources: ['*/*'] }, { subresource: 'status' }, true],
  ['*/* is the resource too', { resources: ['*/*'] }, {}, true],
  ['*/scale', { resources: ['*/scale'] }, { subresource: 'scale' }, true],
  ['*/scale is no status', { resources: ['*/scale'] }, { subresource: 'status' }, false],
  ['deployments/* is all of it', { resources: ['deployments/*'] }, { subresource: 'scale' }, true],
  ['deployments/* is no other', { resources: ['deployments/*'] }, { kind: node, subresource: 'status' }, false],
  ['deployments is no subresource', { resources: ['deployments'] }, { subresource: 'scale' }, false],
  ['an operation', { operations: ['CREATE', 'UPDATE'] }, { operation: 'UPDATE' }, true],
  ['another operation', { operations: ['CREATE'] }, { operation: 'DELETE' }, false],
  ['a group', { apiGroups: ['apps'] }, {}, true],
  ['the core group is empty', { apiGroups: [''] }, {}, false],
  ['a version', { apiVersions: ['v2'] }, {}, false],
  ['of the cluster', { scope: 'Cluster' }, {}, false],
  ['of namespaces', { scope: 'Namespaced' }, {}, true],
  ['a node is of the cluster', { scope: 'Cluster' }, { kind: node }, true],
  ['nothing said means nothing', { resources: undefined }, {}, false],
];

for (const [name, rule, target, expected] of cases) {
  test(`rules: ${name}`, (t) => {
    t.is(ruleMeans({ ...all, ...rule }, { operation: 'CREATE', kind: deployment, subresource: '', ...target }), expected);
  });
}

test('rules name objects or mean all', (t) => {
  t.true(ruleMeansName({}, ''));
  t.true(ruleMeansName({ resourceNames: ['a', 'b'] }, 'b'));
  t.false(ruleMeansName({ resourceNames: ['a'] }, 'b'));
  t.false(ruleMeansName({ resourceNames: ['a'] }, ''));
});
