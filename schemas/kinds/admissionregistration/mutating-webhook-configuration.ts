import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { list, object, oneOf, type Static } from '../../schema.ts';
import { webhookFields } from '../../types/admission-rules.ts';
import { validateWebhooks } from '../../validation/webhooks.ts';

export const MutatingWebhook = object('admissionregistration.v1.MutatingWebhook', 'A service that may change or refuse requests.', {
  ...webhookFields,
  reinvocationPolicy: oneOf(['Never', 'IfNeeded'], 'Whether it is called once more when others have changed the object after it.', { default: 'Never' }),
}, ['admissionReviewVersions', 'clientConfig', 'name', 'sideEffects']);
export type MutatingWebhook = Static<typeof MutatingWebhook>;

const schema = topLevel('admissionregistration.v1.MutatingWebhookConfiguration', 'Webhooks that may change requests before they are checked.', {
  webhooks: list(MutatingWebhook, 'The webhooks.', { mapKeys: ['name'], mergeKey: 'name' }),
});

export const MutatingWebhookConfiguration = defineKind(schema, {
  group: 'admissionregistration.k8s.io', version: 'v1', kind: 'MutatingWebhookConfiguration', plural: 'mutatingwebhookconfigurations', scope: 'Cluster',
  generationCounts: ['webhooks'],
  updateNamesVersion: true,
  columns: [nameColumn, column('Webhooks', 'Number of webhooks.', ({ webhooks }) => webhooks?.length ?? 0, { type: 'integer' }), ageColumn],
  validate: ({ webhooks }) => validateWebhooks(webhooks ?? []),
});
export type MutatingWebhookConfiguration = BodyOf<typeof MutatingWebhookConfiguration>;
