/** What a CustomResourceDefinition looks like; the kind itself is in schemas/kinds. */
import { topLevel, type ApiObject } from '../kind.ts';
import { as, boolean, bytes, int32, int64, list, object, string, time, type Schema, type Static } from '../schema.ts';
import { JsonSchemaProps } from './json-schema-props.ts';

const names = object('apiextensions.v1.CustomResourceDefinitionNames', 'How the objects are called.', {
  categories: list(string('Name of a category.'), 'Groups of resources, such as all, by which get finds the objects too.', { listType: 'atomic' }),
  kind: string('Name of the kind, as in kind of a manifest.'),
  listKind: string('Name of a list of the kind; the kind and List where it is absent.'),
  plural: string('Name in URLs, in small letters; the name of the definition begins with it.'),
  shortNames: list(string('A short name.'), 'Short names for the command line.', { listType: 'atomic' }),
  singular: string('Name of one object on the command line; the kind in small letters where it is absent.'),
}, ['kind', 'plural']);

const ServiceReference = object('apiextensions.v1.ServiceReference', 'Names a service at which a webhook answers.', {
  name: string('Name of the service.'),
  namespace: string('Namespace of the service.'),
  path: string('Path of the URL.'),
  port: int32('Port of the service; 443 where it is absent.'),
}, ['name', 'namespace']);

const WebhookClientConfig = object('apiextensions.v1.WebhookClientConfig', 'How a webhook is called: by URL or by service, and whom to trust.', {
  caBundle: bytes('PEM of the authorities that may have signed the certificate of the webhook.'),
  service: as(ServiceReference, 'Service at which the webhook answers; excludes url.'),
  url: string('URL of the webhook, with https; excludes service.'),
});

const WebhookConversion = object('apiextensions.v1.WebhookConversion', 'The webhook that turns objects of one version into another.', {
  clientConfig: as(WebhookClientConfig, 'How the webhook is called.'),
  conversionReviewVersions: list(string('Version of ConversionReview.'), 'Versions of ConversionReview that the webhook knows.', { listType: 'atomic' }),
}, ['conversionReviewVersions']);

const Conversion = object('apiextensions.v1.CustomResourceConversion', 'How objects of one version are turned into another.', {
  strategy: string('None: only apiVersion changes. Webhook: a webhook does it.'),
  webhook: as(WebhookConversion, 'The webhook, for the strategy Webhook.'),
}, ['strategy']);

const Column = object('apiextensions.v1.CustomResourceColumnDefinition', 'A column of get.', {
  description: string('What the column shows.'),
  format: string('How numbers and strings are meant, as in OpenAPI.'),
  jsonPath: string('JSON path, from the object on, of what the cell shows.'),
  name: string('Title of the column.'),
  priority: int32('0 is always shown, more only in wide output.'),
  type: string('integer, number, string, boolean or date.'),
}, ['jsonPath', 'name', 'type']);

const Scale = object('apiextensions.v1.CustomResourceSubresourceScale', 'Where the numbers of a Scale stand.', {
  labelSelectorPath: string('JSON path, under .status or .spec, of a string with the label selector of the pods.'),
  specReplicasPath: string('JSON path, under .spec, of the number of replicas that is wanted.'),
  statusReplicasPath: string('JSON path, under .status, of the number of replicas that is there.'),
}, ['specReplicasPath', 'statusReplicasPath']);

/** It says all by being there. */
const statusWord: Schema<object> = {
  type: 'object', 'x-barge-type': 'apiextensions.v1.CustomResourceSubresourceStatus', description: 'The objects have a status that is written through an address of its own.',
};

const Subresources = object('apiextensions.v1.CustomResourceSubresources', 'The subresources that the objects have.', {
  scale: as(Scale, 'The objects have a scale.'),
  status: statusWord,
});

const SelectableField = object('apiextensions.v1.SelectableField', 'A field that field selectors may name.', {
  jsonPath: string('JSON path of the field, without lists.'),
}, ['jsonPath']);

const Validation = object('apiextensions.v1.CustomResourceValidation', 'The schema of the objects.', {
  openAPIV3Schema: as(JsonSchemaProps, 'The schema, which must be structural.'),
});

const Version = object('apiextensions.v1.CustomResourceDefinitionVersion', 'One version of the kind.', {
  additionalPrinterColumns: list(Column, 'Columns of get after the name; the age where there are none.', { listType: 'atomic' }),
  deprecated: boolean('Requests for this version are answered with a warning.'),
  deprecationWarning: string('What that warning says.'),
  name: string('Name of the version, such as v1 or v1beta1.'),
  schema: as(Validation, 'What objects of this version look like.'),
  selectableFields: list(SelectableField, 'Fields that field selectors may name.', { listType: 'atomic' }),
  served: boolean('Whether the version can be asked for.'),
  storage: boolean('Whether objects are stored in this version; just one is.'),
  subresources: as(Subresources, 'Subresources of this version.'),
}, ['name', 'served', 'storage']);

const spec = object('apiextensions.v1.CustomResourceDefinitionSpec', 'What the kind is.', {
  conversion: as(Conversion, 'How objects of one version are turned into another.'),
  group: string('API group of the kind.'),
  names: as(names, 'How the objects are called.'),
  preserveUnknownFields: boolean('Not allowed to be true: the schema says where unknown fields are kept.'),
  scope: string('Namespaced, or Cluster for objects of the whole cluster.'),
  versions: list(Version, 'The versions of the kind.', { listType: 'atomic' }),
}, ['group', 'names', 'scope', 'versions']);

const Condition = object('apiextensions.v1.CustomResourceDefinitionCondition', 'One aspect of where a definition stands.', {
  lastTransitionTime: time('When the status of the condition last changed.'),
  message: string('Why, for people.'),
  observedGeneration: int64('Generation of the definition that the condition is about.'),
  reason: string('Why, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Established, NamesAccepted, Terminating, KubernetesAPIApprovalPolicyConformant, ...'),
}, ['status', 'type']);

const status = object('apiextensions.v1.CustomResourceDefinitionStatus', 'Where the definition stands.', {
  acceptedNames: as(names, 'The names that are in use.'),
  conditions: list(Condition, 'Where the definition stands, in aspects.', { mapKeys: ['type'] }),
  observedGeneration: int64('Generation of the definition that was last looked at.'),
  storedVersions: list(string('Name of a version.'), 'Versions in which objects were ever stored.', { listType: 'atomic' }),
});

export const definitionSchema = topLevel('apiextensions.v1.CustomResourceDefinition', 'Defines a kind of objects that the API serves like any other.', {
  spec: as(spec, 'What the kind is.'),
  status: as(status, 'Where the definition stands.'),
}, ['spec']);

export type CustomResourceDefinition = Static<typeof definitionSchema> & ApiObject;
export type DefinitionVersion = Static<typeof Version>;
export type DefinitionNames = Static<typeof names>;
export type DefinitionStatus = Static<typeof status>;
