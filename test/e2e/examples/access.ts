import assert from 'node:assert/strict';
import type { Example, Place } from '../../helpers/example.ts';

/** Whether somebody may: `auth can-i` says it in a word and in its exit code. */
const may = async (at: Place, what: string, expected: 'yes' | 'no'): Promise<void> => {
  const { code, stdout, stderr } = await at.try(`auth can-i ${what}`);
  assert.deepEqual([stdout.trim().split(' ')[0], code], [expected, expected === 'yes' ? 0 : 1], `${what}: ${stderr}`);
};

/** examples/access: who may do what. */
export const access: readonly Example[] = [
  {
    file: 'access/role',
    shows: async (at) => {
      const librarian = `--as=system:serviceaccount:${at.namespace}:librarian`;
      await may(at, `list configmaps ${librarian}`, 'yes');
      await may(at, `delete configmaps ${librarian}`, 'no');
      await may(at, `get secrets/card-index ${librarian}`, 'yes');
      await may(at, `get secrets ${librarian}`, 'no');
      await at.seesByKubectl(`get configmaps ${librarian}`, /^kube-root-ca\.crt /m);
      await at.refuses(`get pods ${librarian}`, new RegExp(`pods is forbidden: User "system:serviceaccount:${at.namespace}:librarian" cannot list resource "pods" in API group "" in the namespace "${at.namespace}"`));
      await at.refuses(`get configmaps --namespace=default ${librarian}`, /forbidden/);
    },
  },
  {
    file: 'access/cluster-role',
    shows: async (at) => {
      await at.seesByKubectl('get nodes --as=ann --as-group=example:surveyors', new RegExp(`^${at.nodes[0]!} +Ready `, 'm'));
      await may(at, 'list nodes --as=ann --as-group=example:surveyors', 'yes');
      await may(at, 'list nodes --as=ann', 'no');
      await may(at, 'delete nodes --as=ann --as-group=example:surveyors', 'no');
    },
  },
];
