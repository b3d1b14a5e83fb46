import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { list, object, type Static } from '../../schema.ts';
import { webhookFields } from '../../types/admission-rules.ts';
import { validateWebhooks } from '../../validation/webhooks.ts';

export const ValidatingWebhook = object('admissionregistration.v1.ValidatingWebhook', 'A service that may refuse requests.', webhookFields, ['admissionReviewVersions', 'clientConfig', 'name', 'sideEffects']);
export type ValidatingWebhook = Static<typeof ValidatingWebhook>;

const schema = topLevel('admissionregistration.v1.ValidatingWebhookConfiguration', 'Webhooks that are asked whether requests may go on.', {
  webhooks: list(ValidatingWebhook, 'The webhooks.', { mapKeys: ['name'], mergeKey: 'name' }),
});

export const ValidatingWebhookConfiguration = defineKind(schema, {
  group: 'admissionregistration.k8s.io', version: 'v1', kind: 'ValidatingWebhookConfiguration', plural: 'validatingwebhookconfigurations', scope: 'Cluster',
  generationCounts: ['webhooks'],
  updateNamesVersion: true,
  columns: [nameColumn, column('Webhooks', 'Number of webhooks.', ({ webhooks }) => webhooks?.length ?? 0, { type: 'integer' }), ageColumn],
  validate: ({ webhooks }) => validateWebhooks(webhooks ?? []),
});
export type ValidatingWebhookConfiguration = BodyOf<typeof ValidatingWebhookConfiguration>;
