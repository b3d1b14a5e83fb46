/**
 * Those whom the users of a cluster have asked to look at requests: webhooks, and policies in CEL. Their configurations
 * are objects like others; they are read when they change, and a request only looks up who is meant by its kind and
 * operation. Where that is nobody, nothing is made and nobody waits.
 */
import type { AnyKind, ApiObject } from '../../../schemas/kind.ts';
import type { MutatingAdmissionPolicyBinding } from '../../../schemas/kinds/admissionregistration/mutating-admission-policy-binding.ts';
import type { MutatingAdmissionPolicy } from '../../../schemas/kinds/admissionregistration/mutating-admission-policy.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../../schemas/kinds/admissionregistration/validating-admission-policy-binding.ts';
import type { ValidatingAdmissionPolicy } from '../../../schemas/kinds/admissionregistration/validating-admission-policy.ts';
import type { MutatingWebhookConfiguration } from '../../../schemas/kinds/admissionregistration/mutating-webhook-configuration.ts';
import type { ValidatingWebhookConfiguration } from '../../../schemas/kinds/admissionregistration/validating-webhook-configuration.ts';
import type { Registry } from '../../../schemas/registry.ts';
import type { Call } from '../../verbs/call.ts';
import type { WatchCache } from '../../watch/watch-cache.ts';
import { formsOf } from './forms.ts';
import type { Hooks, Mutator, Validator } from './hook.ts';
import { formFor, isExempt } from './matching.ts';
import { mutatingPolicy } from './policies/mutating-policy.ts';
import { validatingPolicy } from './policies/validating-policy.ts';
import { Review, type Candidates } from './review.ts';
import { requestedOf, subjectOf, type Operation, type Question } from './subject.ts';
import { mutatingWebhook, validatingWebhook, type WebhookTools } from './webhook-hooks.ts';

export interface DynamicAdmission {
  /** True while nobody has asked to look at anything: then there is nothing to review. */
  readonly isIdle: boolean;
  /** How the request gets past those who want to be asked about it; undefined where that is nobody. */
  review(call: Call, question: Question): Review | undefined;
}

export interface DynamicAdmissionOptions extends WebhookTools {
  readonly cache: WatchCache;
  readonly registry: Registry;
}

const group = 'admissionregistration.k8s.io';

/** Makes hooks of the objects of a collection, by name, each once for each of its versions. */
const hooksFrom = <T extends ApiObject, H>(cache: WatchCache, plural: string, make: (object: T) => readonly H[]): (() => readonly H[]) => {
  const made = new WeakMap<ApiObject, readonly H[]>();
  return () => (cache.list(`${group}/${plural}/`) as readonly T[]).flatMap((object) => {
    let hooks = made.get(object);
    if (hooks === undefined) made.set(object, hooks = make(object));
    return hooks;
  });
};

/** Makes hooks of bindings and the policies that they name. A binding without its policy puts nothing into force. */
const hooksOfBindings = <B extends ApiObject & { readonly spec?: { readonly policyName?: string | undefined } | undefined }, P extends ApiObject, H>(cache: WatchCache, [policies, bindings]: readonly [string, string], make: (policy: P, binding: B) => H): (() => readonly H[]) => {
  const made = new WeakMap<ApiObject, { readonly policy: ApiObject; readonly hook: H }>();
  return () => (cache.list(`${group}/${bindings}/`) as readonly B[]).flatMap((binding) => {
    const policy = cache.get(`${group}/${policies}//${binding.spec?.policyName ?? ''}`) as P | undefined;
    if (policy === undefined) return [];
    const known = made.get(binding);
    if (known?.policy === policy) return [known.hook];
    const hook = make(policy, binding);
    made.set(binding, { policy, hook });
    return [hook];
  });
};

const webhookCollections = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;
const mutatingPolicies = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'] as const;
const validatingPolicies = ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'] as const;

/** Those without which nobody is asked: policies alone put nothing into force. */
const counted: ReadonlySet<string> = new Set([...webhookCollections, mutatingPolicies[1], validatingPolicies[1]]);

export const createDynamicAdmission = (options: DynamicAdmissionOptions): DynamicAdmission => {
  const { cache, registry } = options;
  const mutatingWebhooks = hooksFrom<MutatingWebhookConfiguration, Mutator>(cache, webhookCollections[0], ({ webhooks = [] }) => webhooks.map((one) => mutatingWebhook(one, options)));
  const validatingWebhooks = hooksFrom<ValidatingWebhookConfiguration, Validator>(cache, webhookCollections[1], ({ webhooks = [] }) => webhooks.map((one) => validatingWebhook(one, options)));

  const mutatingHooks = hooksOfBindings<MutatingAdmissionPolicyBinding, MutatingAdmissionPolicy, Mutator>(cache, mutatingPolicies, (policy, binding) => mutatingPolicy(policy, binding, options));
  const validatingHooks = hooksOfBindings<ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicy, Validator>(cache, validatingPolicies, (policy, binding) => validatingPolicy(policy, binding, options));

  let count = 0;
  let hooks: Hooks | undefined;
  let known: { readonly kinds: readonly AnyKind[]; readonly candidates: Map<AnyKind, Map<string, Partial<Record<Operation, Candidates>>>> } | undefined;
  for (const plural of [...webhookCollections, ...mutatingPolicies, ...validatingPolicies]) {
    cache.follow(`${group}/${plural}/`, (before, after) => {
      if (counted.has(plural)) count += Number(after !== undefined) - Number(before !== undefined);
      hooks = undefined;
    });
  }

  const candidatesFor = (call: Call, operation: Operation, subresource: string): Candidates | undefined => {
    if (hooks === undefined) {
      hooks = { mutators: [...mutatingHooks(), ...mutatingWebhooks()], validators: [...validatingHooks(), ...validatingWebhooks()] };
      known = undefined;
    }
    const kinds = registry.all();
    if (known?.kinds !== kinds) known = { kinds, candidates: new Map() };
    const kind = requestedOf(call);
    let ofKind = known.candidates.get(kind);
    if (ofKind === undefined) known.candidates.set(kind, ofKind = new Map());
    let bySubresource = ofKind.get(subresource);
    if (bySubresource === undefined) ofKind.set(subresource, bySubresource = {});
    const found = bySubresource[operation] ??= meant(hooks, { kind, operation, subresource, registry });
    return found === nobody ? undefined : found;
  };

  return {
    get isIdle() {
      return count === 0;
    },
    review: (call, question) => {
      if (count === 0 || isExempt(call.kind)) return undefined;
      const candidates = candidatesFor(call, question.operation, call.request.subresource ?? '');
      if (candidates === undefined) return undefined;
      const review = new Review({ cache, candidates, subject: subjectOf(call, question), old: question.old });
      return review.isWanted(question.object) ? review : undefined;
    },
  };
};

const nobody: Candidates = { forms: [], mutators: [], validators: [] };

const meant = ({ mutators, validators }: Hooks, { kind, operation, subresource, registry }: { readonly kind: AnyKind; readonly operation: Operation; readonly subresource: string; readonly registry: Registry }): Candidates => {
  const forms = formsOf(registry, kind);
  const isMeant = ({ scopes }: Pick<Mutator, 'scopes'>): boolean => scopes.every((scope) => formFor(scope, { operation, subresource }, forms) !== undefined);
  const found = { forms, mutators: mutators.filter(isMeant), validators: validators.filter(isMeant) };
  return found.mutators.length === 0 && found.validators.length === 0 ? nobody : found;
};
