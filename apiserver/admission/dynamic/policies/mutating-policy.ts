/** A MutatingAdmissionPolicy that a binding has put into force, as one who is asked. */
import { ApiError } from '../../../../schemas/errors.ts';
import type { MutatingAdmissionPolicyBinding } from '../../../../schemas/kinds/admissionregistration/mutating-admission-policy-binding.ts';
import type { MutatingAdmissionPolicy, Mutation } from '../../../../schemas/kinds/admissionregistration/mutating-admission-policy.ts';
import type { ApiObject } from '../../../../schemas/kind.ts';
import type { JsonSchema } from '../../../../schemas/schema.ts';
import type { CelProgram } from '../../../cel/cel.ts';
import { CelError } from '../../../cel/errors.ts';
import { toJson } from '../../../cel/json.ts';
import { CelList, CelStruct, type CelValue } from '../../../cel/values.ts';
import { applyJsonPatch, readJsonPatch } from '../../../patch/json-patch.ts';
import { merge } from '../../../patch/apply/merge.ts';
import { shapeOf } from '../../../patch/apply/shape.ts';
import { compileOrExplain } from '../expressions.ts';
import type { Mutator } from '../hook.ts';
import { compileConditions } from '../match-conditions.ts';
import type { View } from '../subject.ts';
import { evaluated, evaluationOf, policyEnvironment } from './policy-expressions.ts';
import { paramsFor } from './policy-params.ts';
import { scopeOfPolicy } from './policy-scope.ts';
import { refusedBy, type PolicyTools } from './validating-policy.ts';

/** Why a policy could not be carried out; the failure policy decides what that means. */
class MutationError extends Error {}

/** Turns an object; throws MutationError. */
type Change = (view: View, params: unknown) => ApiObject;

export const expressionOf = ({ patchType, applyConfiguration, jsonPatch }: Mutation): string => (patchType === 'JSONPatch' ? jsonPatch?.expression : applyConfiguration?.expression) ?? '';

/** What a mutation's value makes of an object. Throws MutationError, and ApiError for a patch that does not fit. */
const changed = (object: ApiObject, value: CelValue, { patchType }: Mutation, schema: JsonSchema): ApiObject => {
  if (patchType === 'JSONPatch') {
    if (!(value instanceof CelList)) throw new MutationError('a JSON patch must be a list of JSONPatch');
    return applyJsonPatch(object, readJsonPatch([...value].map(toJson))) as ApiObject;
  }
  if (!(value instanceof CelStruct) || value.typeName !== 'Object') throw new MutationError('an apply configuration must be an Object{..}');
  return merge(shapeOf(schema), object, toJson(value)) as ApiObject;
};

const changeOf = ({ spec = {} }: MutatingAdmissionPolicy, { cache, authorizer }: PolicyTools): Change => {
  const environment = policyEnvironment(spec, { sort: 'mutating' });
  const conditions = compileConditions(spec.matchConditions, environment.conditions);
  const mutations = (spec.mutations ?? []).map((mutation) => ({ mutation, program: compileOrExplain(expressionOf(mutation), environment.whole) }));

  return (view, params) => {
    let object = view.object!;
    const first = evaluationOf(environment, view, { cache, authorizer, params });
    try {
      if (!conditions(first.bindings)) return object;
    } catch (error) {
      throw new MutationError((error as Error).message);
    }
    for (const { mutation, program } of mutations) object = mutated({ ...view, object }, { mutation, program, params, first });
    return object;
  };

  function mutated(view: View, { mutation, program, params, first }: { readonly mutation: Mutation; readonly program: CelProgram | string; readonly params: unknown; readonly first: ReturnType<typeof evaluationOf> }): ApiObject {
    // Each sees what those before it have made of the object; all share one budget.
    const outcome = evaluated(program, evaluationOf(environment, view, { cache, authorizer, params }, first.budget));
    if ('failure' in outcome) throw new MutationError(`expression '${expressionOf(mutation)}' resulted in error: ${outcome.failure}`);
    try {
      return changed(view.object!, outcome.value, mutation, view.form.schema);
    } catch (error) {
      if (error instanceof ApiError || error instanceof CelError) throw new MutationError(error.message);
      throw error;
    }
  }
};

const changes = new WeakMap<MutatingAdmissionPolicy, Change>();

const changeFor = (policy: MutatingAdmissionPolicy, tools: PolicyTools): Change => {
  let change = changes.get(policy);
  if (change === undefined) changes.set(policy, change = changeOf(policy, tools));
  return change;
};

export const mutatingPolicy = (policy: MutatingAdmissionPolicy, binding: MutatingAdmissionPolicyBinding, tools: PolicyTools): Mutator => {
  const { spec = {}, metadata } = policy;
  const { paramRef, matchResources } = binding.spec ?? {};
  const change = changeFor(policy, tools);
  return {
    name: `${metadata.name}/${binding.metadata.name}`, again: spec.reinvocationPolicy === 'IfNeeded',
    scopes: [scopeOfPolicy(spec.matchConstraints ?? {}), ...(matchResources === undefined ? [] : [scopeOfPolicy(matchResources)])],
    mutate: async (view) => {
      if (view.object === undefined) return undefined;
      try {
        let { object } = view;
        for (const params of paramsFor(tools, view.subject.namespace, { paramKind: spec.paramKind, paramRef })) object = change({ ...view, object }, params);
        return object === view.object ? undefined : object;
      } catch (error) {
        if (error instanceof ApiError || !(error instanceof Error)) throw error;
        if (spec.failurePolicy === 'Ignore') return undefined;
        throw refusedBy(view, `MutatingAdmissionPolicy '${metadata.name}' with binding '${binding.metadata.name}' denied request: ${error.message}`, 'Invalid');
      }
    },
  };
};
