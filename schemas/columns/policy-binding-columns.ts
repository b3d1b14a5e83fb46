import type { ApiObject, Column } from '../kind.ts';
import type { ParamRef } from '../types/admission-rules.ts';
import { ageColumn, column, nameColumn } from './columns.ts';

interface PolicyBinding extends ApiObject {
  readonly spec?: { readonly policyName?: string | undefined; readonly paramRef?: ParamRef | undefined } | undefined;
}

const paramText = (ref: ParamRef | undefined): string => {
  if (ref === undefined) return '<unset>';
  const { namespace = '', name = '' } = ref;
  return namespace === '' ? name || '*' : `${namespace}/${name || '*'}`;
};

/** What `get` prints of a binding of an admission policy. */
export const policyBindingColumns: readonly Column<PolicyBinding>[] = [
  nameColumn,
  column('PolicyName', 'Policy that is in force.', ({ spec }) => spec?.policyName ?? ''),
  column('ParamRef', 'Objects that parametrize the policy.', ({ spec }) => paramText(spec?.paramRef)),
  ageColumn,
];
