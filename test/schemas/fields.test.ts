/** The shapes of all types against the published facts of the Kubernetes API, where these are at hand. */
import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import type { JsonSchema } from '../../schemas/schema.ts';
import { builtinKinds } from '../../schemas/registry.ts';
import * as bodies from '../../schemas/types/bodies.ts';

type Facts = Readonly<Record<string, Readonly<Record<string, string>>>>;

const file = new URL('../../../shared/api/fields.json', import.meta.url);

/** Fields that are always there here, because they are filled in before anything reads them. */
const alwaysThere: ReadonlySet<string> = new Set([
  'core.v1.Pod.spec', 'core.v1.Service.spec', 'core.v1.PodTemplateSpec.spec', 'apps.v1.Deployment.spec', 'apps.v1.ReplicaSet.spec',
  'apps.v1.ReplicaSetSpec.template', 'autoscaling.v1.Scale.spec', 'apps.v1.DaemonSet.spec', 'apps.v1.StatefulSet.spec', 'batch.v1.Job.spec',
  'batch.v1.JobTemplateSpec.spec', 'core.v1.LimitRange.spec', 'core.v1.PersistentVolume.spec', 'core.v1.PersistentVolumeClaim.spec',
  'core.v1.PodTemplate.template', 'core.v1.ReplicationController.spec', 'core.v1.ReplicationControllerSpec.template',
]);

/** Named types that kinds and bodies reach, each once. */
const namedTypes = (roots: readonly JsonSchema[]): ReadonlyMap<string, JsonSchema> => {
  const found = new Map<string, JsonSchema>();
  const visit = (schema: JsonSchema): void => {
    const name = schema['x-barge-type'];
    if (name !== undefined) {
      if (found.has(name)) return;
      found.set(name, schema);
    }
    for (const one of Object.values(schema.properties ?? {})) visit(one);
    if (schema.items !== undefined) visit(schema.items);
    if (schema.additionalProperties !== undefined) visit(schema.additionalProperties);
  };
  for (const root of roots) visit(root);
  return found;
};

/** Types of the API that are any JSON value, or one of two; the facts leave them out. */
const withoutFields: ReadonlySet<string> = new Set(['JSON', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrArray', 'JSONSchemaPropsOrStringArray', 'CustomResourceSubresourceStatus'].map((name) => `apiextensions.v1.${name}`));

const formats: Readonly<Record<string, string>> = {
  'date-time': 'Time', 'micro-time': 'MicroTime', 'quantity': 'Quantity', 'int-or-string': 'IntOrString', 'int32': 'int32', 'int64': 'int64', 'double': 'double', 'byte': 'bytes',
};

const typeWord = (schema: JsonSchema, group: string): string => {
  const name = schema['x-barge-type'];
  if (name !== undefined) {
    if (name === 'meta.v1.ObjectMeta' || name === 'meta.v1.LabelSelector') return name.slice('meta.v1.'.length);
    return name.startsWith(`${group}.`) ? name.slice(group.length + 1) : name;
  }
  if (schema.type === 'array') return `${typeWord(schema.items ?? {}, group)}[]`;
  if (schema.additionalProperties !== undefined) return `map<${typeWord(schema.additionalProperties, group)}>`;
  if (schema['x-kubernetes-preserve-unknown-fields']) return 'any';
  return formats[schema.format ?? ''] ?? schema.type ?? '?';
};

const listWord = (schema: JsonSchema): string => {
  const type = schema['x-kubernetes-list-type'];
  return type === undefined ? '' : type === 'map' ? `list:map(${(schema['x-kubernetes-list-map-keys'] ?? []).join(',')})` : `list:${type}`;
};

const patchWord = (schema: JsonSchema): string => {
  const strategy = schema['x-kubernetes-patch-strategy'];
  const key = schema['x-kubernetes-patch-merge-key'];
  return strategy === undefined ? '' : `patch:${strategy}${key === undefined ? '' : `(${key})`}`;
};

/** The field in the words of the facts. */
const factOf = (schema: JsonSchema, group: string, required: boolean): string => [
  typeWord(schema, group), required ? 'required' : '', listWord(schema), patchWord(schema),
  // A type says for itself that it is atomic; only a field that says otherwise is a fact of its own.
  schema['x-kubernetes-map-type'] !== undefined && (schema['x-barge-type'] === undefined || schema['x-kubernetes-map-type'] === 'granular') ? `map:${schema['x-kubernetes-map-type']}` : '',
].filter((word) => word !== '').join(' ');

const isTopLevel = ({ properties = {} }: JsonSchema): boolean => 'apiVersion' in properties && 'kind' in properties && 'metadata' in properties;

/** What the facts call a type that is written otherwise here, with the same meaning on the wire. */
const sameOnTheWire = (fact: string): string =>
  fact.replace(/^FieldsV1|^meta\.v1\.FieldsV1|^RawExtension/, 'any').replace(/^string\(byte\)/, 'bytes').replace(/^map<string\(byte\)>/, 'map<bytes>');

test('every type has exactly the fields of the API, with their types, list and patch semantics', async (t) => {
  if (!existsSync(file)) {
    t.log('skipped: ../shared/api/fields.json is not there');
    t.pass();
    return;
  }
  const facts = JSON.parse(readFileSync(file, 'utf8')) as Facts;
  const kinds = await builtinKinds();
  const roots = [...kinds.map((kind) => kind.schema as JsonSchema), ...Object.values(bodies).map((one) => ('schema' in one ? one.schema : one) as JsonSchema)];
  const types = namedTypes(roots);
  t.true(types.size > 150, `only ${types.size} types were found`);
  const wrong: string[] = [];
  for (const [name, schema] of types) {
    // The published facts are those of the API server itself; metrics.k8s.io is another one's.
    if (name.startsWith('metrics.')) continue;
    if (withoutFields.has(name)) continue;
    const fact = facts[name];
    if (fact === undefined) {
      wrong.push(`${name} is no type of the API`);
      continue;
    }
    const group = name.split('.').slice(0, 2).join('.');
    const fields = schema.properties ?? {};
    for (const field of new Set([...Object.keys(fact), ...Object.keys(fields)])) {
      if (field === '') continue;
      const mine = fields[field];
      const theirs = fact[field];
      // Whether an object says its version, kind and metadata is for the server to see; here they are always there.
      const identity = isTopLevel(schema) && ['apiVersion', 'kind', 'metadata'].includes(field);
      const required = schema.required?.includes(field) === true && !alwaysThere.has(`${name}.${field}`) && !identity;
      const word = mine === undefined ? 'nothing' : factOf(mine, group, required);
      if (theirs === undefined || word !== sameOnTheWire(identity ? theirs.replace(' required', '') : theirs)) wrong.push(`${name}.${field}: here ${word}, there ${theirs ?? 'nothing'}`);
    }
    const map = schema['x-kubernetes-map-type'];
    if ((map === undefined ? undefined : `map:${map}`) !== fact['']) wrong.push(`${name}: here ${String(map)}, there ${String(fact[''])}`);
  }
  t.deepEqual(wrong, []);
});

test('every type and field is described', async (t) => {
  const kinds = await builtinKinds();
  const bare: string[] = [];
  for (const [name, schema] of namedTypes(kinds.map((kind) => kind.schema as JsonSchema))) {
    if ((schema.description ?? '') === '') bare.push(name);
    for (const [field, one] of Object.entries(schema.properties ?? {})) if ((one.description ?? '').length < 5) bare.push(`${name}.${field}`);
  }
  t.deepEqual(bare, []);
});

test('a kind prints its name first or last, names each column once and describes it', async (t) => {
  for (const kind of await builtinKinds()) {
    const names = kind.columns.map((column) => column.name);
    t.true(names.includes('Name'), kind.kind);
    t.is(new Set(names).size, names.length, kind.kind);
    t.true(kind.columns.every((column) => column.description.endsWith('.')), kind.kind);
  }
});
