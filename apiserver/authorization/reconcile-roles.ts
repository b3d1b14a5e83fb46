/** Brings the default roles and bindings of a cluster up to date, and leaves what its admins have added. */
import type { Core } from '../core.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { ClusterRole } from '../../schemas/kinds/rbac/cluster-role.ts';
import type { ClusterRoleBinding } from '../../schemas/kinds/rbac/cluster-role-binding.ts';
import { rbacGroup, type Subject } from '../../schemas/types/rbac.ts';
import { uncovered } from './covers.ts';
import { defaultClusterRoleBindings, defaultClusterRoles, type DefaultBinding, type DefaultRole } from './default-roles.ts';

/** Says `false` on a default role or binding that its admins keep by themselves. */
const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';
const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };

const metadataOf = (name: string, old: ApiObject | undefined, more: Readonly<Record<string, string>> = {}): ApiObject['metadata'] => ({
  ...old?.metadata, name, labels: { ...old?.metadata.labels, ...labels, ...more }, annotations: { ...old?.metadata.annotations, [autoUpdate]: 'true' },
});

const isKept = (old: ApiObject | undefined): boolean => old?.metadata.annotations?.[autoUpdate] === 'false';

const changed = <T extends ApiObject>(wanted: T, old: T | undefined): T | undefined => (old !== undefined && deepEqual(wanted, old) ? undefined : wanted);

/** The role as it must be written, or undefined when it is right: rules that are missing come in, more than wanted may stay. */
export const roleToWrite = ({ name, rules = [], labels: more, aggregates }: DefaultRole, old: ClusterRole | undefined): ClusterRole | undefined => {
  if (isKept(old)) return undefined;
  const role = { ...old, kind: 'ClusterRole', apiVersion: `${rbacGroup}/v1`, metadata: metadataOf(name, old, more) };
  if (aggregates !== undefined) return changed({ ...role, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: 'true' } }] } }, old);
  const held = old?.rules ?? [];
  return changed({ ...role, rules: [...held, ...(old === undefined ? rules : uncovered(rules, held))] }, old);
};

const sameSubject = (a: Subject, b: Subject): boolean => a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');

/** The binding as it must be written, or undefined when it is right: subjects that are missing come in, others may stay. */
export const bindingToWrite = ({ name, subjects }: DefaultBinding, old: ClusterRoleBinding | undefined): ClusterRoleBinding | undefined => {
  if (isKept(old)) return undefined;
  const there = old?.subjects ?? [];
  const all = [...there, ...subjects.filter((one) => !there.some((other) => sameSubject(one, other)))];
  return changed({
    ...old, kind: 'ClusterRoleBinding', apiVersion: `${rbacGroup}/v1`, metadata: metadataOf(name, old),
    roleRef: old?.roleRef ?? { apiGroup: rbacGroup, kind: 'ClusterRole', name }, ...(all.length === 0 ? {} : { subjects: all }),
  }, old);
};

const server = { name: 'system:apiserver', groups: ['system:masters'] };

/** Called at each start, before anybody is served. What another server writes at the same time is looked at again. */
export const reconcileRoles = async (core: Pick<Core, 'as'>): Promise<void> => {
  const api = core.as(server);
  const apply = async <T extends ApiObject>(resource: string, name: string, toWrite: (old: T | undefined) => T | undefined): Promise<void> => {
    const at = { group: rbacGroup, version: 'v1', resource };
    for (;;) {
      const old = await api.send({ ...at, verb: 'get', name }).then(({ body }) => body as T, (error: unknown) => {
        if (isReason(error, 'NotFound')) return undefined;
        throw error;
      });
      const body = toWrite(old);
      if (body === undefined) return;
      try {
        await api.send(old === undefined ? { ...at, verb: 'create', body } : { ...at, verb: 'update', name, body });
        return;
      } catch (error) {
        if (!isReason(error, 'Conflict', 'AlreadyExists', 'NotFound')) throw error;
      }
    }
  };
  // All at once: they share the store's transactions.
  await Promise.all([
    ...defaultClusterRoles.map((role) => apply<ClusterRole>('clusterroles', role.name, (old) => roleToWrite(role, old))),
    ...defaultClusterRoleBindings.map((binding) => apply<ClusterRoleBinding>('clusterrolebindings', binding.name, (old) => bindingToWrite(binding, old))),
  ]);
};
