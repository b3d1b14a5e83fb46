import { invalid, type FieldError } from '../../schemas/errors.ts';
import { deepEqual, draftOf, type Draft } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { MutatingAdmissionPolicy } from '../../schemas/kinds/admissionregistration/mutating-admission-policy.ts';
import type { ValidatingAdmissionPolicy } from '../../schemas/kinds/admissionregistration/validating-admission-policy.ts';
import type { ValidatingWebhookConfiguration } from '../../schemas/kinds/admissionregistration/validating-webhook-configuration.ts';
import type { Registry } from '../../schemas/registry.ts';
import type { AdmissionPlugin } from './admission.ts';
import { typeCheckingOf } from './dynamic/policies/type-checking.ts';
import { mutatingExpressionErrors, validatingExpressionErrors, webhookExpressionErrors } from './dynamic/policies/expression-checks.ts';

/** What is looked at in the objects of each kind, and what is wrong with it. */
const checks: Readonly<Record<string, { readonly part: string; readonly errors: (object: ApiObject) => readonly FieldError[] }>> = {
  ValidatingAdmissionPolicy: { part: 'spec', errors: (object) => validatingExpressionErrors((object as ValidatingAdmissionPolicy).spec ?? {}) },
  MutatingAdmissionPolicy: { part: 'spec', errors: (object) => mutatingExpressionErrors((object as MutatingAdmissionPolicy).spec ?? {}) },
  ValidatingWebhookConfiguration: { part: 'webhooks', errors: (object) => webhookExpressionErrors((object as ValidatingWebhookConfiguration).webhooks ?? []) },
  MutatingWebhookConfiguration: { part: 'webhooks', errors: (object) => webhookExpressionErrors((object as ValidatingWebhookConfiguration).webhooks ?? []) },
};

const partOf = (object: ApiObject | undefined, part: string): unknown => (object as Readonly<Record<string, unknown>> | undefined)?.[part];

/** Policies and webhooks are stored only with expressions that compile. Those that stand there already may stay, so that labels of old objects can be changed. */
export const policyExpressions = (registry: Registry): AdmissionPlugin => ({
  name: 'PolicyExpressions',
  complete: (draft, { kind, old }) => {
    if (kind.group !== 'admissionregistration.k8s.io' || kind.kind !== 'ValidatingAdmissionPolicy') return;
    const policy = draft as Draft<ValidatingAdmissionPolicy>;
    const { spec = {} } = policy as ValidatingAdmissionPolicy;
    const isNew = old === undefined || !deepEqual(spec, (old as ValidatingAdmissionPolicy).spec);
    if (!isNew) return;
    const observedGeneration = old === undefined ? 1 : (old.metadata.generation ?? 0) + 1;
    policy.status = { ...policy.status, observedGeneration, typeChecking: draftOf(typeCheckingOf(registry, spec)) };
  },
  admit: (object, { kind, name, old }) => {
    if (kind.group !== 'admissionregistration.k8s.io' || !Object.hasOwn(checks, kind.kind)) return;
    const { part, errors } = checks[kind.kind]!;
    if (old !== undefined && deepEqual(partOf(object, part), partOf(old, part))) return;
    const found = errors(object);
    if (found.length > 0) throw invalid(kind, name, found);
  },
});
