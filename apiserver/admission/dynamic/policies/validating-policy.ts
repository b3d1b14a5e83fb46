/** A ValidatingAdmissionPolicy that a binding has put into force, as one who is asked. */
import { qualified, type StatusDetails } from '../../../../schemas/errors.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../../../schemas/kinds/admissionregistration/validating-admission-policy-binding.ts';
import type { ValidatingAdmissionPolicy, Validation } from '../../../../schemas/kinds/admissionregistration/validating-admission-policy.ts';
import type { Authorizer } from '../../../authorization/authorizer.ts';
import type { CelProgram } from '../../../cel/cel.ts';
import type { WatchCache } from '../../../watch/watch-cache.ts';
import { annotate } from '../annotate.ts';
import { Denial } from '../denial.ts';
import { compileOrExplain } from '../expressions.ts';
import type { Validator } from '../hook.ts';
import { compileConditions } from '../match-conditions.ts';
import type { View } from '../subject.ts';
import { evaluated, evaluationOf, policyEnvironment, type Evaluation } from './policy-expressions.ts';
import { paramsFor, type ParamState } from './policy-params.ts';
import { scopeOfPolicy } from './policy-scope.ts';

export interface PolicyTools extends ParamState {
  readonly cache: WatchCache;
  readonly authorizer: Authorizer;
}

const codes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, Invalid: 422 };

/** Something that a policy has against a request. */
interface Finding {
  readonly message: string;
  readonly reason: string;
  /** Which of the validations it is about; none where the policy as a whole could not be looked at. */
  readonly index?: number | undefined;
}

/** Longest message that an expression may give, in UTF-16 units. */
const maxMessageLength = 5 * 1024;

interface CompiledValidation {
  readonly validation: Validation;
  readonly program: CelProgram | string;
  readonly message: CelProgram | string | undefined;
}

const messageOf = ({ validation, message }: CompiledValidation, evaluation: Evaluation): string => {
  if (message !== undefined) {
    const outcome = evaluated(message, evaluation);
    if ('value' in outcome && typeof outcome.value === 'string') {
      const text = outcome.value.trim();
      if (text !== '' && text.length <= maxMessageLength && !text.includes('\n')) return text;
    }
  }
  return (validation.message ?? '') === '' ? `failed expression: ${validation.expression.trim()}` : validation.message!.trim();
};

/** What a policy finds, request by request; made once for each version of a policy. */
type Judge = (view: View, params: unknown) => readonly Finding[];

const judgeOf = ({ metadata, spec = {} }: ValidatingAdmissionPolicy, { cache, authorizer }: PolicyTools): Judge => {
  const environment = policyEnvironment(spec, { sort: 'validating' });
  const conditions = compileConditions(spec.matchConditions, environment.conditions);
  const validations = (spec.validations ?? []).map((validation): CompiledValidation => ({
    validation, program: compileOrExplain(validation.expression, environment.whole),
    message: (validation.messageExpression ?? '') === '' ? undefined : compileOrExplain(validation.messageExpression!, environment.whole),
  }));
  const annotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({ key, program: compileOrExplain(valueExpression, environment.whole) }));
  const overlooks = spec.failurePolicy === 'Ignore';

  return (view, params) => {
    const evaluation = evaluationOf(environment, view, { cache, authorizer, params });
    try {
      if (!conditions(evaluation.bindings)) return [];
    } catch (error) {
      return overlooks ? [] : [{ message: (error as Error).message, reason: 'Invalid' }];
    }
    const findings = validations.flatMap((one, index): readonly Finding[] => {
      const outcome = evaluated(one.program, evaluation);
      if ('failure' in outcome) return overlooks ? [] : [{ message: `expression '${one.validation.expression}' resulted in error: ${outcome.failure}`, reason: 'Invalid', index }];
      return outcome.value === true ? [] : [{ message: messageOf(one, evaluation), reason: one.validation.reason ?? 'Invalid', index }];
    });
    for (const { key, program } of annotations) {
      const outcome = evaluated(program, evaluation);
      if ('value' in outcome && typeof outcome.value === 'string' && outcome.value !== '') annotate(view.subject, `${metadata.name}/${key}`, outcome.value);
      else if ('failure' in outcome && !overlooks) return [...findings, { message: `auditAnnotation ${key} resulted in error: ${outcome.failure}`, reason: 'Invalid' }];
    }
    return findings;
  };
};

const judges = new WeakMap<ValidatingAdmissionPolicy, Judge>();

const judgeFor = (policy: ValidatingAdmissionPolicy, tools: PolicyTools): Judge => {
  let judge = judges.get(policy);
  if (judge === undefined) judges.set(policy, judge = judgeOf(policy, tools));
  return judge;
};

/** The refusal of a request in Kubernetes' words, by what a policy says. */
export const refusedBy = ({ form, subject: { name } }: View, message: string, reason: string): Denial => {
  const details: StatusDetails = { name, group: form.group || undefined, kind: form.plural, causes: [{ message }] };
  return new Denial({ message: `${qualified(form.plural, form.group)} ${JSON.stringify(name)} is forbidden: ${message}`, code: codes[reason] ?? 422, reason, details });
};

export const validatingPolicy = (policy: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding, tools: PolicyTools): Validator => {
  const { spec = {}, metadata } = policy;
  const { paramRef, matchResources, validationActions } = binding.spec;
  const judge = judgeFor(policy, tools);
  const [policyName, bindingName] = [metadata.name ?? '', binding.metadata.name ?? ''];

  const findingsFor = (view: View): readonly Finding[] => {
    try {
      return paramsFor(tools, view.subject.namespace, { paramKind: spec.paramKind, paramRef }).flatMap((params) => judge(view, params));
    } catch (error) {
      if (spec.failurePolicy === 'Ignore') return [];
      return [{ message: `failed to configure binding: ${(error as Error).message}`, reason: 'Invalid' }];
    }
  };

  return {
    name: `${policyName}/${bindingName}`,
    scopes: [scopeOfPolicy(spec.matchConstraints ?? {}), ...(matchResources === undefined ? [] : [scopeOfPolicy(matchResources)])],
    validate: async (view) => {
      const findings = findingsFor(view);
      if (findings.length === 0) return;
      if (validationActions.includes('Audit')) {
        const failures = findings.map(({ message, index }) => ({ message, policy: policyName, binding: bindingName, ...(index === undefined ? {} : { expressionIndex: index }), validationActions }));
        annotate(view.subject, 'validation.policy.admission.k8s.io/validation_failure', JSON.stringify(failures));
      }
      if (validationActions.includes('Warn')) {
        for (const { message } of findings) view.subject.call.warnings.add(`Validation failed for ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}': ${message}`);
      }
      const [{ message, reason }] = findings as readonly [Finding, ...Finding[]];
      if (validationActions.includes('Deny')) throw refusedBy(view, `ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}' denied request: ${message}`, reason);
    },
  };
};
