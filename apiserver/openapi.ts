/**
 * OpenAPI 2 and 3 of the whole API, derived from the kinds. kubectl reads them for `explain`, to see whether the server
 * validates fields and knows dry runs, and (old ones) to validate manifests itself.
 */
import type { AnyKind } from '../schemas/kind.ts';
import type { Registry } from '../schemas/registry.ts';
import { DeleteOptions, Scale } from '../schemas/types/bodies.ts';
import { objectTypes, operationsOf, rootOf, type BodyType, type Operation, type Parameter } from './openapi-operations.ts';
import { Definitions, groupVersionKind, type Json, type OpenApiVersion } from './openapi-schemas.ts';
import { Status } from './openapi-types.ts';

/** The path of a group version's document under /openapi/v3, `api/v1` or `apis/apps/v1`. */
const documentPath = (kind: AnyKind): string => rootOf(kind).slice(1);

const info = { title: 'Barge', version: 'v1.32.0' };

const defineAll = (version: OpenApiVersion, kinds: readonly AnyKind[], every: readonly AnyKind[]): Definitions => {
  const definitions = new Definitions(version);
  for (const kind of kinds) definitions.addKind(kind);
  const groupVersions = new Map(every.map((kind) => [rootOf(kind), kind]));
  definitions.addMarked(DeleteOptions.schema, [...groupVersions.values()].map((kind) => groupVersionKind({ ...kind, kind: 'DeleteOptions' })));
  definitions.addMarked(Status, [{ group: '', kind: 'Status', version: 'v1' }]);
  if (kinds.some((kind) => kind.subresources.scale !== undefined)) definitions.addMarked(Scale.schema, [{ group: 'autoscaling', kind: 'Scale', version: 'v1' }]);
  return definitions;
};

const refTo = (definitions: Definitions, body: BodyType): Json => ('definition' in body ? definitions.ref(body.definition) : definitions.refTo(body.schema));

const described: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

const marks = (operation: Operation): Json => ({ 'x-kubernetes-action': operation.action, 'x-kubernetes-group-version-kind': operation.groupVersionKind });

/** Paths with their operations, in the order of the paths. */
const pathsOf = (kinds: readonly AnyKind[], print: (operation: Operation) => Json): Json => {
  const paths = new Map<string, Record<string, Json>>();
  for (const operation of kinds.flatMap((kind) => operationsOf(kind))) {
    const path = paths.get(operation.path) ?? {};
    paths.set(operation.path, path);
    path[operation.method] = print(operation);
  }
  return Object.fromEntries([...paths].sort(([a], [b]) => (a < b ? -1 : 1)));
};

const parameterV3 = ({ name, in: place, type, description }: Parameter): Json =>
  ({ name, in: place, description, ...(place === 'path' ? { required: true } : {}), schema: { type, uniqueItems: true } });

const operationV3 = (definitions: Definitions) => (operation: Operation): Json => ({
  tags: [operation.tag], description: operation.description, operationId: operation.id,
  parameters: operation.parameters.map((one) => parameterV3(one)),
  ...(operation.body === undefined ? {} : {
    requestBody: {
      content: Object.fromEntries(operation.consumes.map((type) => [type, { schema: refTo(definitions, operation.body!) }])),
      ...(operation.method === 'delete' ? {} : { required: true }),
    },
  }),
  responses: Object.fromEntries(Object.entries(operation.answers).map(([code, body]) => [code, {
    description: described[code], content: body === undefined ? { '*/*': { schema: { type: 'string' } } } : { 'application/json': { schema: refTo(definitions, body) } },
  }])),
  ...marks(operation),
});

/** The kinds that a document is about, and all that it depends on. */
export const kindsAt = (registry: Registry, path: string): readonly AnyKind[] => registry.all().filter((kind) => documentPath(kind) === path);

/** The document of one group version (`apis/apps/v1`), or undefined when there is none. */
export const openApiV3 = (registry: Registry, path: string): Json | undefined => {
  const kinds = kindsAt(registry, path);
  if (kinds.length === 0) return undefined;
  // The document of a group does not change with kinds that are defined elsewhere.
  const definitions = defineAll('v3', kinds, registry.all().filter((kind) => kind.custom === undefined || kinds.includes(kind)));
  const paths = pathsOf(kinds, operationV3(definitions));
  return { openapi: '3.0.0', info, paths, components: { schemas: definitions.all() } };
};

/** The index of all documents. Clients keep a document as long as its URL stays the same, so the URL holds its hash. */
export const openApiV3Index = (registry: Registry, hashOf: (path: string) => string): Json => ({
  paths: Object.fromEntries([...new Set(registry.all().map((kind) => documentPath(kind)))].sort().map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(path)}` }])),
});

const parameterV2 = ({ name, in: place, type, description }: Parameter): Json => ({ uniqueItems: true, type, description, name, in: place, ...(place === 'path' ? { required: true } : {}) });

const operationV2 = (definitions: Definitions) => (operation: Operation): Json => ({
  tags: [operation.tag], description: operation.description, operationId: operation.id, consumes: operation.consumes, produces: ['application/json'], schemes: ['https'],
  parameters: [
    ...(operation.body === undefined ? [] : [{ name: 'body', in: 'body', ...(operation.method === 'delete' ? {} : { required: true }), schema: refTo(definitions, operation.body) }]),
    ...operation.parameters.map((one) => parameterV2(one)),
  ],
  responses: Object.fromEntries(Object.entries(operation.answers).map(([code, body]) => [code, {
    description: described[code], schema: body === undefined ? { type: 'string' } : refTo(definitions, body),
  }])),
  ...marks(operation),
});

/** The one document of OpenAPI 2. */
export const openApiV2 = (registry: Registry): Json => {
  const definitions = defineAll('v2', registry.all(), registry.all());
  const paths = pathsOf(registry.all(), operationV2(definitions));
  return { swagger: '2.0', info, consumes: objectTypes, produces: ['application/json'], paths, definitions: definitions.all() };
};
