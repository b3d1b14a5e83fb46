import type { ApiAnswer, ApiList, ApiRequest } from '../../schemas/api.ts';
import { isConditionTrue } from '../../schemas/conditions.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { CustomResourceDefinition } from '../../schemas/types/custom-resource-definition.ts';
import type { TestApi } from './api.ts';
import { eventually } from './eventually.ts';

export type Json = Readonly<Record<string, unknown>>;
export type CustomObject = ApiObject & { readonly spec?: Record<string, unknown>; readonly status?: Record<string, unknown>; readonly [name: string]: unknown };

export const definitions = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' } as const;
export const widgets = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'default' } as const;

/** A schema of a whole object whose spec has these properties. */
export const specSchema = (properties: Json, more: Json = {}): Json => ({ type: 'object', properties: { spec: { type: 'object', properties }, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }, ...more });

export interface WidgetWords {
  readonly schema?: Json;
  /** Members of the one version. */
  readonly version?: Json;
  readonly versions?: readonly Json[];
  readonly spec?: Json;
  readonly names?: Json;
  readonly metadata?: Json;
}

/** A definition of widgets.example.com with one version, v1. */
export const widgetDefinition = ({ schema = specSchema({ size: { type: 'integer' } }), version = {}, versions, spec = {}, names = {}, metadata = {} }: WidgetWords = {}): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'widgets.example.com', ...metadata },
  spec: {
    group: 'example.com', scope: 'Namespaced', names: { plural: 'widgets', kind: 'Widget', ...names },
    versions: versions ?? [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }], ...spec,
  },
});

/** Creates a definition and waits until its kind is served. */
export const define = async (api: TestApi, body: Json): Promise<CustomResourceDefinition> => {
  const { name } = (await api.transport.send({ ...definitions, verb: 'create', body })).body.metadata as { readonly name: string };
  return eventually(async () => {
    const definition = (await api.transport.send({ ...definitions, verb: 'get', name })).body as CustomResourceDefinition;
    if (!isConditionTrue(definition.status?.conditions, 'Established')) throw new Error(`${name} is not established: ${JSON.stringify(definition.status)}`);
    return definition;
  });
};

/** Sends a request and gives what comes back, or the Status of the refusal. */
export const answerOf = async (api: Pick<TestApi, 'transport'>, request: ApiRequest): Promise<ApiAnswer['body'] & Json> => {
  try {
    return (await api.transport.send(request)).body as ApiAnswer['body'] & Json;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.toStatus() as ApiAnswer['body'] & Json;
  }
};

/** Creates a widget and gives it back. Rejects with ApiError. */
export const createWidget = async (api: Pick<TestApi, 'transport'>, body: Json, options: ApiRequest['options'] = {}): Promise<CustomObject> =>
  (await api.transport.send({ ...widgets, verb: 'create', body: { metadata: { name: 'w' }, ...body }, options })).body as CustomObject;

/** Causes of a refusal, as `reason field`. */
export const causesOf = async (answer: Promise<unknown>): Promise<readonly string[]> => {
  try {
    await answer;
    return [];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details?.causes ?? [{ reason: error.reason, field: error.message }]).map(({ reason, field }) => `${reason?.replace('FieldValue', '')} ${field}`);
  }
};

export const namesIn = (list: unknown): readonly string[] => (list as ApiList).items.map(({ metadata }) => metadata.name ?? '');
