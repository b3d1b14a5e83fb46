/** What webhooks and admission policies have in common: which requests they are about. */
import { as, bytes, int32, list, object, oneOf, string, type Static } from '../schema.ts';
import { LabelSelector } from './label-selector.ts';

export const ServiceReference = object('admissionregistration.v1.ServiceReference', 'Names a service at which a webhook answers.', {
  name: string('Name of the service.'),
  namespace: string('Namespace of the service.'),
  path: string('Path of the URL that is called.'),
  port: int32('Port of the service.', { default: 443, 'x-barge-zero-is-unset': true }),
}, ['name', 'namespace']);
export type ServiceReference = Static<typeof ServiceReference>;

export const WebhookClientConfig = object('admissionregistration.v1.WebhookClientConfig', 'How a webhook is called: by URL or by service, and whom to trust.', {
  caBundle: bytes("Certificates in PEM that vouch for the webhook's own; those of the system where absent."),
  service: as(ServiceReference, 'Service at which the webhook answers; excludes url.'),
  url: string('URL of the webhook, https only; excludes service.'),
});
export type WebhookClientConfig = Static<typeof WebhookClientConfig>;

const ruleFields = {
  apiGroups: list(string('API group.'), "API groups of the resources; '*' alone stands for all.", { listType: 'atomic' }),
  apiVersions: list(string('Version.'), "Versions of the resources; '*' alone stands for all.", { listType: 'atomic' }),
  operations: list(string('Operation.'), "CREATE, UPDATE, DELETE or CONNECT; '*' alone stands for all.", { listType: 'atomic' }),
};
const resources = list(string('Resource.'), "Resources in the plural, such as pods, pods/* or */scale; '*' stands for all, but not their subresources.", { listType: 'atomic' });
const scope = oneOf(['Cluster', 'Namespaced', '*'], "Whether objects of the cluster, of namespaces or both ('*') are meant.", { default: '*' });

export const RuleWithOperations = object('admissionregistration.v1.RuleWithOperations', 'Requests that are meant: operations on resources.', { ...ruleFields, resources, scope });
export type RuleWithOperations = Static<typeof RuleWithOperations>;

export const NamedRuleWithOperations = object('admissionregistration.v1.NamedRuleWithOperations', 'Requests that are meant: operations on resources, by name if need be.', {
  ...ruleFields,
  resourceNames: list(string('Name.'), 'Names of the objects that are meant; empty means all.', { listType: 'atomic' }),
  resources,
  scope,
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type NamedRuleWithOperations = Static<typeof NamedRuleWithOperations>;

export const MatchCondition = object('admissionregistration.v1.MatchCondition', 'A condition that a request must meet.', {
  expression: string('The condition, in CEL; must give true or false.'),
  name: string('Name of the condition.'),
}, ['expression', 'name']);
export type MatchCondition = Static<typeof MatchCondition>;

export const failurePolicy = oneOf(['Fail', 'Ignore'], 'What happens to a request when it cannot be judged: it is refused (Fail) or goes on (Ignore).', { default: 'Fail' });
export const matchPolicy = oneOf(['Exact', 'Equivalent'], 'Whether a rule means requests in just the version that it names or in any other version of the same resource too.', { default: 'Equivalent' });
export const namespaceSelector = as(LabelSelector, 'Labels of the namespace of the object; empty means all.', { 'x-barge-default-object': true });
export const objectSelector = as(LabelSelector, 'Labels of the object itself, old or new; empty means all.', { 'x-barge-default-object': true });
export const matchConditions = list(MatchCondition, 'Conditions that must all hold, at most 64.', { mapKeys: ['name'], mergeKey: 'name' });

export const MatchResources = object('admissionregistration.v1.MatchResources', 'Requests that a policy is about. What is excluded wins.', {
  excludeResourceRules: list(NamedRuleWithOperations, 'Requests that are left out.', { listType: 'atomic' }),
  matchPolicy,
  namespaceSelector,
  objectSelector,
  resourceRules: list(NamedRuleWithOperations, 'Requests that are meant; one rule that fits is enough.', { listType: 'atomic' }),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type MatchResources = Static<typeof MatchResources>;

export const ParamKind = object('admissionregistration.v1.ParamKind', 'The kind of the objects that parametrize a policy.', {
  apiVersion: string('API version of the kind, group and version.'),
  kind: string('Name of the kind.'),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type ParamKind = Static<typeof ParamKind>;

export const ParamRef = object('admissionregistration.v1.ParamRef', 'Names the objects that parametrize a policy.', {
  name: string('Name of the object; excludes selector.'),
  namespace: string('Namespace in which it is looked for; that of the request where absent.'),
  parameterNotFoundAction: oneOf(['Allow', 'Deny'], 'What happens when there is no such object: requests go on (Allow) or the failure policy decides (Deny).', { default: 'Deny' }),
  selector: as(LabelSelector, 'Labels of the objects; excludes name.'),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type ParamRef = Static<typeof ParamRef>;

export const Variable = object('admissionregistration.v1.Variable', 'A value that other expressions of the policy can use.', {
  expression: string('The value, in CEL.'),
  name: string('Name by which it is used, as variables.name.'),
}, ['expression', 'name'], { 'x-kubernetes-map-type': 'atomic' });
export type Variable = Static<typeof Variable>;

/** Members that both sorts of webhooks have. */
export const webhookFields = {
  admissionReviewVersions: list(string('Version.'), 'Versions of AdmissionReview that the webhook knows, the best first; one must be v1 or v1beta1.', { listType: 'atomic' }),
  clientConfig: as(WebhookClientConfig, 'How the webhook is called.'),
  failurePolicy,
  matchConditions,
  matchPolicy,
  name: string('Name of the webhook, with a domain of its own, such as images.example.com.'),
  namespaceSelector,
  objectSelector,
  rules: list(RuleWithOperations, 'Requests that it is called for; one rule that fits is enough.', { listType: 'atomic' }),
  sideEffects: oneOf(['None', 'NoneOnDryRun'], 'Whether the call changes anything elsewhere: never, or never for a dry run.'),
  timeoutSeconds: int32('Longest time that the call may take, 1 to 30 seconds.', { default: 10 }),
} as const;
