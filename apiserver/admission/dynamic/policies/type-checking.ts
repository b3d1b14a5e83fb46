/** Looks at the expressions of a policy with the schemas of the kinds that it means: what cannot be right for them is a warning in its status. */
import { apiVersionOf, type AnyKind } from '../../../../schemas/kind.ts';
import type { ExpressionWarning, TypeChecking, ValidatingAdmissionPolicySpec } from '../../../../schemas/kinds/admissionregistration/validating-admission-policy.ts';
import type { Registry } from '../../../../schemas/registry.ts';
import { celTypeOf } from '../../../cel/schema-type.ts';
import { validatingExpressionErrors } from './expression-checks.ts';

/** Kinds that one policy is checked with. */
const maxKinds = 10;

/** The kinds that the rules of a policy name; a star may mean any kind and is checked with none. */
const kindsOf = (registry: Registry, { matchConstraints }: ValidatingAdmissionPolicySpec): readonly AnyKind[] => {
  const found = new Set<AnyKind>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of matchConstraints?.resourceRules ?? []) {
    for (const group of apiGroups) for (const version of apiVersions) for (const resource of resources) {
      const kind = registry.resource(group, version, resource);
      if (kind !== undefined && found.size < maxKinds) found.add(kind);
    }
  }
  return [...found];
};

/** Fields that are about the objects of the request. */
const shown = /^spec\.(?:validations|variables)\[/;

export const typeCheckingOf = (registry: Registry, spec: ValidatingAdmissionPolicySpec): TypeChecking => {
  const warnings = new Map<string, string[]>();
  for (const kind of kindsOf(registry, spec)) {
    for (const { field, message } of validatingExpressionErrors(spec, celTypeOf(kind.schema, kind.kind))) {
      if (!shown.test(field)) continue;
      const why = message.slice(message.indexOf('ERROR:'));
      warnings.set(field, [...(warnings.get(field) ?? []), `${apiVersionOf(kind)}, Kind=${kind.kind}: ${why}`]);
    }
  }
  const expressionWarnings = [...warnings].map(([fieldRef, texts]): ExpressionWarning => ({ fieldRef, warning: texts.join('\n') }));
  return expressionWarnings.length === 0 ? {} : { expressionWarnings };
};
