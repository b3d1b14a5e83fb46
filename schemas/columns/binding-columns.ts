import type { ApiObject, Column } from '../kind.ts';
import type { RoleRef, Subject } from '../types/rbac.ts';
import { ageColumn, column, nameColumn } from './columns.ts';

interface Binding extends ApiObject {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[] | undefined;
}

const named = ({ subjects }: Binding, kind: string): string =>
  (subjects ?? []).filter((subject) => subject.kind === kind)
    .map(({ namespace = '', name }) => (kind === 'ServiceAccount' && namespace !== '' ? `${namespace}/${name}` : name)).join(', ');

/** What `get` prints of a RoleBinding or ClusterRoleBinding. */
export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  column('Role', 'Role that is granted.', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  column('Users', 'Users to whom it is granted.', (binding) => named(binding, 'User'), { shown: 'wide' }),
  column('Groups', 'Groups to whom it is granted.', (binding) => named(binding, 'Group'), { shown: 'wide' }),
  column('ServiceAccounts', 'Service accounts to whom it is granted.', (binding) => named(binding, 'ServiceAccount'), { shown: 'wide' }),
];
