/** The requests that the kinds can be asked, as data; openapi.ts prints them in either version of OpenAPI. */
import { serves, type AnyKind, type ObjectVerb } from '../schemas/kind.ts';
import type { JsonSchema } from '../schemas/schema.ts';
import { DeleteOptions, Scale } from '../schemas/types/bodies.ts';
import { groupVersionKind, kindDefinition, type Json } from './openapi-schemas.ts';
import { Patch, Status, specialBodies, unknownBody } from './openapi-types.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'boolean' | 'integer';
  readonly description: string;
}

/** What a body is: a named definition, or a schema of ours. */
export type BodyType = { readonly definition: string } | { readonly schema: JsonSchema };

export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch';
  readonly path: string;
  readonly id: string;
  readonly description: string;
  readonly tag: string;
  /** `x-kubernetes-action`. */
  readonly action: string;
  readonly groupVersionKind: Json;
  readonly parameters: readonly Parameter[];
  readonly body?: BodyType;
  readonly consumes: readonly string[];
  /** Answer body by code; undefined: text or a stream. */
  readonly answers: Readonly<Record<string, BodyType | undefined>>;
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({ name, in: 'query', type, description });
const inPath = (name: string, description: string): Parameter => ({ name, in: 'path', type: 'string', description });

const namespaceParameter = inPath('namespace', 'Namespace of the object.');
const nameParameter = inPath('name', 'Name of the object.');

const dryRun = query('dryRun', 'string', 'All: run every rule but store nothing.');
const fieldManager = query('fieldManager', 'string', 'Name of the program or person that sets the fields; the first word of the User-Agent where it is absent.');
const fieldValidation = query('fieldValidation', 'string', 'What to do about unknown and duplicate fields: Ignore, Warn or Strict.');
const force = query('force', 'boolean', 'Apply: take fields over from other managers.');
const labelSelector = query('labelSelector', 'string', 'Only objects whose labels match.');
const fieldSelector = query('fieldSelector', 'string', 'Only objects whose fields match.');
const limit = query('limit', 'integer', 'At most so many objects in one answer; the rest by the continue token.');
const continueToken = query('continue', 'string', 'Token of an earlier, limited list: the next page.');
const resourceVersion = query('resourceVersion', 'string', 'Version from which a watch goes on, or that a list must at least (or exactly) show.');
const resourceVersionMatch = query('resourceVersionMatch', 'string', 'How resourceVersion counts for a list: NotOlderThan or Exact.');
const writeParameters = [dryRun, fieldManager, fieldValidation];
const listParameters = [
  query('allowWatchBookmarks', 'boolean', 'A watch may send bookmarks.'), continueToken, fieldSelector, labelSelector, limit, resourceVersion, resourceVersionMatch,
  query('sendInitialEvents', 'boolean', 'A watch begins with what exists, then says so by a bookmark.'), query('timeoutSeconds', 'integer', 'A watch ends after so many seconds.'),
  query('watch', 'boolean', 'Send changes as they happen instead of a list.'),
];
const deleteParameters = [
  dryRun, query('gracePeriodSeconds', 'integer', 'Seconds that the object has to end; 0 deletes at once.'),
  query('orphanDependents', 'boolean', 'Not used any more: propagationPolicy says it better.'),
  query('propagationPolicy', 'string', 'What happens to dependents: Foreground, Background or Orphan.'),
];

export const objectTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
export const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'];

/** Those of kinds whose schema has no words for a strategic merge. */
const customPatchTypes = patchTypes.filter((type) => !type.includes('strategic'));

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const camel = (text: string): string => text.split(/[^A-Za-z0-9]+/).map(capital).join('');

/** `/api/v1` or `/apis/apps/v1`. */
export const rootOf = (kind: { readonly group: string; readonly version: string }): string => (kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`);

/** The verbs that the actions on whole objects stand for. */
const verbOfAction: Readonly<Record<string, ObjectVerb>> = {
  get: 'get', list: 'list', post: 'create', put: 'update', patch: 'patch', delete: 'delete', deletecollection: 'deletecollection',
};

/** A group in names of operations: the first word of a built-in one, all of another, for which two may share their first. */
const groupWord = ({ group, custom }: AnyKind): string =>
  (group === '' ? 'core' : custom === undefined ? group.split('.')[0]! : camel(group.split('.').reverse().join('.')));

/** Every operation of one kind, its subresources included. */
export const operationsOf = (kind: AnyKind): readonly Operation[] => {
  const namespaced = kind.scope === 'Namespaced';
  const root = rootOf(kind);
  const collection = namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
  const item = `${collection}/{name}`;
  const there = namespaced ? [namespaceParameter] : [];
  const one = [nameParameter, ...there];
  const self: BodyType = { definition: kindDefinition(kind) };
  const many: BodyType = { definition: `${kindDefinition(kind)}List` };
  const status: BodyType = { schema: Status };
  const tag = `${groupWord(kind)}_${kind.version}`;
  const idTail = `${capital(tag.split('_')[0]!)}${capital(kind.version)}${namespaced ? 'Namespaced' : ''}${kind.kind}`;
  const common = { tag, groupVersionKind: groupVersionKind(kind), consumes: objectTypes };
  const get = (path: string, parameters: readonly Parameter[], body: BodyType, id: string, description: string): Operation =>
    ({ ...common, method: 'get', path, action: 'get', id, description, parameters, answers: { 200: body } });
  const put = (path: string, body: BodyType, id: string, description: string): Operation =>
    ({ ...common, method: 'put', path, action: 'put', id, description, parameters: [...one, ...writeParameters], body, answers: { 200: body, 201: body } });
  const patch = (path: string, body: BodyType, id: string, description: string): Operation =>
    ({ ...common, method: 'patch', path, action: 'patch', id, description, consumes: kind.custom === undefined ? patchTypes : customPatchTypes, parameters: [...one, ...writeParameters, force], body: { schema: Patch }, answers: { 200: body, 201: body } });
  const trio = (path: string, body: BodyType, word: string, tail: string): readonly Operation[] => [
    get(path, one, body, `read${tail}`, `Read ${word} of one ${kind.kind}.`), put(path, body, `replace${tail}`, `Replace ${word} of one ${kind.kind}.`), patch(path, body, `patch${tail}`, `Change ${word} of one ${kind.kind}.`),
  ];
  const everywhere: readonly Operation[] = namespaced
    ? [{ ...common, method: 'get', path: `${root}/${kind.plural}`, action: 'list', id: `list${idTail.replace('Namespaced', '')}ForAllNamespaces`, description: `List or watch objects of kind ${kind.kind} in all namespaces.`, parameters: listParameters, answers: { 200: many } }]
    : [];
  const whole: readonly Operation[] = [
    ...everywhere,
    { ...common, method: 'get', path: collection, action: 'list', id: `list${idTail}`, description: `List or watch objects of kind ${kind.kind}.`, parameters: [...there, ...listParameters], answers: { 200: many } },
    { ...common, method: 'post', path: collection, action: 'post', id: `create${idTail}`, description: `Create one ${kind.kind}.`, parameters: [...there, ...writeParameters], body: self, answers: { 200: self, 201: self, 202: self } },
    { ...common, method: 'delete', path: collection, action: 'deletecollection', id: `deleteCollection${idTail}`, description: `Delete objects of kind ${kind.kind}.`, parameters: [...there, ...deleteParameters, continueToken, fieldSelector, labelSelector, limit, resourceVersion], body: { schema: DeleteOptions.schema }, answers: { 200: status } },
    get(item, one, self, `read${idTail}`, `Read one ${kind.kind}.`),
    put(item, self, `replace${idTail}`, `Replace one ${kind.kind}.`),
    patch(item, self, `patch${idTail}`, `Change some fields of one ${kind.kind}.`),
    { ...common, method: 'delete', path: item, action: 'delete', id: `delete${idTail}`, description: `Delete one ${kind.kind}.`, parameters: [...one, ...deleteParameters], body: { schema: DeleteOptions.schema }, answers: { 200: status, 202: status } },
  ];
  return [
    ...whole.filter(({ action }) => serves(kind, verbOfAction[action] ?? 'get')),
    ...(kind.subresources.status === undefined ? [] : trio(`${item}/status`, self, 'the status', `${idTail}Status`)),
    ...(kind.subresources.scale === undefined ? [] : trio(`${item}/scale`, { schema: Scale.schema }, 'the scale', `${idTail}Scale`)
      .map((operation) => ({ ...operation, groupVersionKind: groupVersionKind({ group: 'autoscaling', version: 'v1', kind: 'Scale' }) }))),
    ...Object.entries(kind.subresources.special ?? {}).flatMap(([name, part]) => {
      const path = `${item}/${name}`;
      const body = Object.hasOwn(specialBodies, part.kind) ? { schema: specialBodies[part.kind]! } : part.kind === kind.kind ? self : undefined;
      const tail = `${idTail}${camel(name)}`;
      const mark = groupVersionKind({ group: part.group ?? kind.group, version: part.version ?? kind.version, kind: part.kind });
      const verbs = new Set(part.verbs);
      if (body === undefined && verbs.has('delete')) return proxyOperations({ path, tail, parameters: one, common: { ...common, groupVersionKind: mark } });
      return [
        ...(verbs.has('get') ? [{ ...common, method: 'get' as const, path, action: body === undefined ? 'connect' : 'get', id: `${body === undefined ? 'connectGet' : 'read'}${tail}`, description: `Read ${name} of one ${kind.kind}.`, parameters: one, answers: { 200: body } }] : []),
        ...(verbs.has('create') ? [{ ...common, method: 'post' as const, path, action: body === undefined ? 'connect' : 'post', id: `${body === undefined ? 'connectPost' : 'create'}${tail}`, description: `Create ${name} of one ${kind.kind}.`, parameters: [...one, ...(body === undefined ? [] : writeParameters)], ...(body === undefined ? {} : { body }), answers: { 200: body, 201: body } }] : []),
        ...(verbs.has('update') ? [put(path, body ?? { schema: unknownBody }, `replace${tail}`, `Replace ${name} of one ${kind.kind}.`)] : []),
        ...(verbs.has('patch') ? [patch(path, body ?? { schema: unknownBody }, `patch${tail}`, `Change ${name} of one ${kind.kind}.`)] : []),
      ].map((operation): Operation => ({ ...operation, groupVersionKind: mark }));
    }),
  ];
};

const proxyMethods = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** A proxy takes every method and any path behind it; what it answers is the application's affair. */
const proxyOperations = ({ path, tail, parameters, common }: {
  readonly path: string; readonly tail: string; readonly parameters: readonly Parameter[];
  readonly common: Pick<Operation, 'tag' | 'groupVersionKind' | 'consumes'>;
}): readonly Operation[] => ['', '/{path}'].flatMap((rest) => proxyMethods.map((method): Operation => ({
  ...common, method, path: path + rest, action: 'connect', id: `connect${capital(method)}${tail}${rest === '' ? '' : 'WithPath'}`,
  description: 'Pass a request on.', parameters: rest === '' ? parameters : [...parameters, inPath('path', 'Path behind the proxy.')], answers: { 200: undefined },
})));
