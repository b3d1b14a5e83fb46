/** Admission webhooks as those who are asked: when, how, and what becomes of the request when they cannot be. */
import type { Log } from '../../../base/log.ts';
import { ApiError, qualified } from '../../../schemas/errors.ts';
import type { MutatingWebhook } from '../../../schemas/kinds/admissionregistration/mutating-webhook-configuration.ts';
import type { ValidatingWebhook } from '../../../schemas/kinds/admissionregistration/validating-webhook-configuration.ts';
import { labelMatcher } from '../../../schemas/label-selector.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { applyJsonPatch } from '../../patch/json-patch.ts';
import { newUid } from '../../verbs/identity.ts';
import { WebhookCallError, type WebhookClient } from '../../webhooks/webhook-client.ts';
import { readVerdict, reviewOf, reviewVersion, type Verdict } from './admission-review.ts';
import { deniedBy } from './denial.ts';
import { conditionEnvironment, requestBindings } from './expressions.ts';
import type { Mutator, Scope, Validator } from './hook.ts';
import { compileConditions } from './match-conditions.ts';
import { annotate } from './annotate.ts';
import type { View } from './subject.ts';

export interface WebhookTools {
  readonly client: WebhookClient;
  readonly authorizer: Authorizer;
  readonly random: () => number;
  readonly log: Log;
}

/** Annotations for the audit log that one answer may add. */
const maxAnnotations = 32;

export const scopeOf = ({ rules = [], matchPolicy = 'Equivalent', namespaceSelector, objectSelector }: Pick<ValidatingWebhook, 'rules' | 'matchPolicy' | 'namespaceSelector' | 'objectSelector'>): Scope => ({
  rules, excluded: [], matchPolicy, namespaces: labelMatcher(namespaceSelector), objects: labelMatcher(objectSelector),
});

/** One webhook: calls it for a view, unless its conditions leave the request out. Undefined where it was not asked or may be overlooked. */
const caller = (webhook: ValidatingWebhook, sort: 'mutating' | 'validating', { client, authorizer, random, log }: WebhookTools): ((view: View) => Promise<Verdict | undefined>) => {
  const { name, clientConfig, failurePolicy = 'Fail', timeoutSeconds = 10, admissionReviewVersions, matchConditions } = webhook;
  const version = reviewVersion(admissionReviewVersions);
  const conditions = compileConditions(matchConditions, conditionEnvironment);

  const isMeant = (view: View): boolean => {
    if ((matchConditions ?? []).length === 0) return true;
    try {
      return conditions(requestBindings(view, authorizer));
    } catch (error) {
      if (failurePolicy === 'Ignore') return false;
      throw notJudged(view, error instanceof Error ? error.message : String(error));
    }
  };

  return async (view) => {
    if (!isMeant(view)) return undefined;
    const { call } = view.subject;
    const uid = newUid(random);
    let verdict: Verdict;
    try {
      const answer = await client.post({ config: clientConfig, body: reviewOf(view, { uid, version }), timeoutMs: timeoutSeconds * 1_000, signal: call.signal });
      verdict = readVerdict(answer, { uid, version, sort });
    } catch (error) {
      const why = error instanceof WebhookCallError ? `failed to call webhook: ${error.message}` : `received invalid webhook response: ${(error as Error).message}`;
      if (call.signal?.aborted === true) throw new ApiError('Timeout', 'the request was given up while a webhook was asked');
      if (failurePolicy !== 'Ignore') throw new ApiError('InternalError', `Internal error occurred: failed calling webhook ${JSON.stringify(name)}: ${why}`);
      log.warn('a webhook could not be asked; its failure policy lets the request go on', { webhook: name, why });
      return undefined;
    }
    for (const warning of verdict.warnings) call.warnings.add(warning);
    for (const [key, value] of Object.entries(verdict.auditAnnotations).slice(0, maxAnnotations)) annotate(view.subject, `${name}/${key}`, value);
    if (!verdict.allowed) throw deniedBy(name, verdict.status);
    return verdict;
  };
};

const notJudged = ({ form, subject: { name } }: View, why: string): ApiError =>
  new ApiError('Forbidden', `${qualified(form.plural, form.group)} ${JSON.stringify(name)} is forbidden: ${why}`, { name, group: form.group || undefined, kind: form.plural });

export const mutatingWebhook = (webhook: MutatingWebhook, tools: WebhookTools): Mutator => {
  const ask = caller(webhook, 'mutating', tools);
  return {
    name: webhook.name, scopes: [scopeOf(webhook)], again: webhook.reinvocationPolicy === 'IfNeeded',
    mutate: async (view) => {
      const verdict = await ask(view);
      if (verdict?.patch === undefined || verdict.patch.length === 0) return undefined;
      const failed = (why: string): ApiError => new ApiError('InternalError', `Internal error occurred: admission webhook ${JSON.stringify(webhook.name)} ${why}`);
      if (view.object === undefined) throw failed('attempted to modify the object, which is not supported for this operation');
      try {
        return applyJsonPatch(view.object, verdict.patch);
      } catch (error) {
        if (error instanceof ApiError) throw failed(`returned a patch that does not fit: ${error.message}`);
        throw error;
      }
    },
  };
};

export const validatingWebhook = (webhook: ValidatingWebhook, tools: WebhookTools): Validator => {
  const ask = caller(webhook, 'validating', tools);
  return {
    name: webhook.name, scopes: [scopeOf(webhook)],
    validate: async (view) => {
      await ask(view);
    },
  };
};
