import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotPathSegment } from '../../names.ts';
import { as, boolean, bytes, int32, list, object, string, time, type Static } from '../../schema.ts';
import { validateApiService } from '../../validation/api-service.ts';

export const ServiceReference = object('apiregistration.v1.ServiceReference', 'Names a service at which another API server answers.', {
  name: string('Name of the service.'),
  namespace: string('Namespace of the service.'),
  port: int32('Port of the service.', { default: 443, 'x-barge-zero-is-unset': true }),
});
export type ServiceReference = Static<typeof ServiceReference>;

export const APIServiceSpec = object('apiregistration.v1.APIServiceSpec', 'Who serves a version of an API group.', {
  caBundle: { ...bytes("Certificates in PEM that vouch for the server's own; those of the system where absent."), 'x-kubernetes-list-type': 'atomic' },
  group: string('The API group.'),
  groupPriorityMinimum: int32('How far in front the group stands among all groups, 1 to 20000; higher comes first.'),
  insecureSkipTLSVerify: boolean("True to trust the server without looking at its certificate."),
  service: as(ServiceReference, 'Service at which the server answers; absent means this server itself.'),
  version: string('The version of the group, such as v1.'),
  versionPriority: int32('How far in front the version stands in its group, 1 to 1000; higher comes first.'),
}, ['groupPriorityMinimum', 'versionPriority']);
export type APIServiceSpec = Static<typeof APIServiceSpec>;

export const APIServiceCondition = object('apiregistration.v1.APIServiceCondition', 'One aspect of the state of an API service.', {
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect, such as Available.'),
}, ['status', 'type']);
export type APIServiceCondition = Static<typeof APIServiceCondition>;

export const APIServiceStatus = object('apiregistration.v1.APIServiceStatus', 'Whether a version of an API group is served.', {
  conditions: list(APIServiceCondition, 'Aspects of the state.', { mapKeys: ['type'], mergeKey: 'type' }),
});
export type APIServiceStatus = Static<typeof APIServiceStatus>;

const schema = topLevel('apiregistration.v1.APIService', 'A version of an API group and who serves it; its name is the version, a dot and the group.', {
  spec: as(APIServiceSpec, 'Who serves the version.'),
  status: as(APIServiceStatus, 'Whether it is served.'),
});

const availability = (status: APIServiceStatus | undefined): string => {
  const available = (status?.conditions ?? []).find((condition) => condition.type === 'Available');
  if (available === undefined) return 'Unknown';
  return available.status === 'True' || (available.reason ?? '') === '' ? available.status : `${available.status} (${available.reason})`;
};

export const APIService = defineKind(schema, {
  group: 'apiregistration.k8s.io', version: 'v1', kind: 'APIService', plural: 'apiservices', scope: 'Cluster',
  generationCounts: [],
  updateNamesVersion: true,
  statusKeeps: 'metadata',
  categories: ['api-extensions'],
  subresources: { status: true },
  nameRule: whyNotPathSegment,
  columns: [
    nameColumn,
    column('Service', 'Service at which the server answers.', ({ spec }) => (spec?.service === undefined ? 'Local' : `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}`)),
    column('Available', 'Whether the version is served.', ({ status }) => availability(status)),
    ageColumn,
  ],
  initialStatus: ({ spec }) => (spec?.service === undefined
    ? { conditions: [{ type: 'Available', status: 'True', reason: 'Local', message: 'This server itself answers for the version.' }] } : {}),
  validate: ({ metadata, spec }) => validateApiService(metadata.name ?? '', spec ?? { groupPriorityMinimum: 0, versionPriority: 0 }),
});
export type APIService = BodyOf<typeof APIService>;
