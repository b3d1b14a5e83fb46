import test from 'ava';
import { serves } from '../../schemas/kind.ts';
import { openApiV2, openApiV3, openApiV3Index } from '../../apiserver/openapi.ts';
import { openApiV2Protobuf } from '../../apiserver/openapi-protobuf.ts';
import { wireFields } from '../../apiserver/protobuf/wire.ts';
import { testRegistry } from '../helpers/api.ts';

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any
const registry = await testRegistry();
const paths = Object.keys((openApiV3Index(registry, () => 'h') as Json)['paths']);
const v2 = JSON.parse(JSON.stringify(openApiV2(registry))) as Json;
const v3 = new Map(paths.map((path) => [path, JSON.parse(JSON.stringify(openApiV3(registry, path))) as Json]));

const refsOf = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => (name === '$ref' && typeof member === 'string' ? [member] : refsOf(member)));
};

test('every reference leads to a definition', (t) => {
  for (const [document, prefix, definitions] of [
    [v2, '#/definitions/', v2['definitions']],
    ...[...v3.values()].map((one) => [one, '#/components/schemas/', one['components'].schemas] as const),
  ] as const) {
    const refs = new Set(refsOf(document));
    t.true(refs.size > 5);
    for (const ref of refs) t.true(ref.startsWith(prefix) && Object.hasOwn(definitions, ref.slice(prefix.length)), ref);
  }
});

test('every kind has its definition, marked with what it is, and its list', (t) => {
  for (const kind of registry.all()) {
    const mark = { group: kind.group, kind: kind.kind, version: kind.version };
    const document = v3.get(kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`)!;
    for (const definitions of [v2['definitions'], document['components'].schemas] as Json[]) {
      const found = Object.entries(definitions).filter(([, schema]) => (schema['x-kubernetes-group-version-kind'] ?? []).some((one: Json) => JSON.stringify(one) === JSON.stringify(mark)));
      t.is(found.length, 1, kind.kind);
      const [name, schema] = found[0]!;
      t.regex(name, new RegExp(`^io\\.k8s\\.api\\.[a-z]+\\.${kind.version}\\.${kind.kind}$`));
      t.is(schema.type, 'object');
      t.truthy(schema.properties.metadata);
      t.truthy(definitions[`${name}List`]);
    }
  }
});

test('every kind that takes patches says so, with the parameters that kubectl looks for', (t) => {
  const operations = (document: Json): Json[] => Object.values(document['paths']).flatMap((path) => Object.entries(path as Json).filter(([method]) => method === 'patch').map(([, one]) => one));
  for (const kind of registry.all()) {
    const mark = { group: kind.group, kind: kind.kind, version: kind.version };
    const document = v3.get(kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`)!;
    for (const one of [v2, document]) {
      const patch = operations(one).filter((operation) => JSON.stringify(operation['x-kubernetes-group-version-kind']) === JSON.stringify(mark));
      t.is(patch.length > 0, serves(kind, 'patch'), kind.kind);
      for (const operation of patch) {
        const names = new Set(operation['parameters'].map((parameter: Json) => parameter['name']));
        t.true(names.has('dryRun') && names.has('fieldValidation'), kind.kind);
      }
    }
  }
});

test('operations have names of their own, and paths say all their parameters', (t) => {
  for (const document of [v2, ...v3.values()]) {
    const ids = Object.values(document['paths']).flatMap((path) => Object.values(path as Json).map((operation) => operation.operationId));
    t.is(new Set(ids).size, ids.length);
    for (const [path, operations] of Object.entries(document['paths'])) {
      for (const operation of Object.values(operations as Json)) {
        const said = operation.parameters.filter((one: Json) => one['in'] === 'path').map((one: Json) => `{${one['name']}}`).toSorted();
        t.deepEqual(said, [...path.matchAll(/\{\w+\}/g)].map(([name]) => name).toSorted(), path);
      }
    }
  }
});

test('fields keep what apply and explain need', (t) => {
  const podSpec = v3.get('api/v1')!['components'].schemas['io.k8s.api.core.v1.PodSpec'].properties;
  t.like(podSpec.containers, { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'name' });
  t.deepEqual(podSpec.containers.items, { $ref: '#/components/schemas/io.k8s.api.core.v1.Container' });
  t.deepEqual(podSpec.securityContext.allOf, [{ $ref: '#/components/schemas/io.k8s.api.core.v1.PodSecurityContext' }]);
  const spec = v3.get('apis/apps/v1')!['components'].schemas['io.k8s.api.apps.v1.DeploymentSpec'];
  t.like(spec.properties.strategy, { 'x-kubernetes-patch-strategy': 'retainKeys' });
  t.deepEqual(spec.required.toSorted(), ['selector', 'template']);
  t.is(v3.get('apis/apps/v1')!['components'].schemas['io.k8s.api.apps.v1.DeploymentStrategy']['x-kubernetes-patch-strategy'], undefined);
  t.deepEqual(v2['definitions']['io.k8s.apimachinery.pkg.util.intstr.IntOrString'].type, 'string');
  t.deepEqual(v3.get('api/v1')!['components'].schemas['io.k8s.apimachinery.pkg.util.intstr.IntOrString'].oneOf, [{ type: 'integer' }, { type: 'string' }]);
  t.false(JSON.stringify(v2).includes('x-barge'));
  t.false([...v3.values()].some((document) => JSON.stringify(document).includes('x-barge')));
});

test('there is no document for a group that there is not', (t) => {
  t.is(openApiV3(registry, 'apis/none/v1'), undefined);
  t.is(openApiV3(registry, 'constructor'), undefined);
});

// A reader of openapi.v2.Document that shares nothing with the writer but the reader of the wire format. It knows the
// messages by the numbers of gnostic's OpenAPIv2.proto.

const fields = (bytes: Buffer): Map<number, (bigint | Buffer)[]> => {
  const found = new Map<number, (bigint | Buffer)[]>();
  for (const { number, value } of wireFields(bytes)) found.set(number, [...(found.get(number) ?? []), value]);
  return found;
};
const buffers = (of: Map<number, (bigint | Buffer)[]>, number: number): Buffer[] => (of.get(number) ?? []) as Buffer[];
const text = (of: Map<number, (bigint | Buffer)[]>, number: number): string | undefined => buffers(of, number)[0]?.toString();
const named = (bytes: Buffer, number: number): [string, Buffer][] => buffers(fields(bytes), number).map((entry) => {
  const parts = fields(entry);
  return [text(parts, 1)!, buffers(parts, 2)[0] ?? Buffer.alloc(0)];
});
const any = (bytes: Buffer): unknown => JSON.parse(text(fields(bytes), 2)!);
const extensions = (of: Map<number, (bigint | Buffer)[]>, number: number): Json => Object.fromEntries(buffers(of, number).map((entry) => {
  const parts = fields(entry);
  return [text(parts, 1), any(buffers(parts, 2)[0]!)];
}));
const defined = (value: Json): Json => Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));

const schemaOf = (bytes: Buffer): Json => {
  const at = fields(bytes);
  const inner = (number: number): Buffer | undefined => buffers(at, number)[0];
  const wrapped = (number: number): Buffer | undefined => (inner(number) === undefined ? undefined : buffers(fields(inner(number)!), 1)[0]);
  const double = (number: number): number | undefined => {
    const value = at.get(number)?.[0];
    if (typeof value !== 'bigint') return undefined;
    const eight = Buffer.alloc(8);
    eight.writeBigUInt64LE(value);
    return eight.readDoubleLE();
  };
  const count = (number: number): number | undefined => (at.has(number) ? Number(at.get(number)![0]) : undefined);
  return defined({
    $ref: text(at, 1), format: text(at, 2), description: text(at, 4), default: inner(5) === undefined ? undefined : any(inner(5)!), maximum: double(7), minimum: double(9),
    maxLength: count(11), minLength: count(12), pattern: text(at, 13), maxItems: count(14), minItems: count(15),
    required: at.has(19) ? buffers(at, 19).map(String) : undefined, enum: at.has(20) ? buffers(at, 20).map((one) => any(one)) : undefined,
    additionalProperties: wrapped(21) === undefined ? undefined : schemaOf(wrapped(21)!), type: wrapped(22)?.toString(), items: wrapped(23) === undefined ? undefined : schemaOf(wrapped(23)!),
    properties: inner(25) === undefined ? undefined : Object.fromEntries(named(inner(25)!, 1).map(([name, value]) => [name, schemaOf(value)])), ...extensions(at, 31),
  });
};

const parameterOf = (bytes: Buffer): Json => {
  const parameter = fields(buffers(fields(bytes), 1)[0]!);
  if (parameter.has(1)) {
    const body = fields(buffers(parameter, 1)[0]!);
    return defined({ name: text(body, 2), in: text(body, 3), required: body.has(4) ? true : undefined, schema: schemaOf(buffers(body, 5)[0]!) });
  }
  const other = fields(buffers(parameter, 2)[0]!);
  const query = other.has(3);
  const at = fields(buffers(other, query ? 3 : 4)[0]!);
  return defined({ required: at.has(1) ? true : undefined, in: text(at, 2), description: text(at, 3), name: text(at, 4), type: text(at, query ? 6 : 5), uniqueItems: at.has(query ? 20 : 19) ? true : undefined });
};

const operationOf = (bytes: Buffer): Json => {
  const at = fields(bytes);
  return {
    tags: buffers(at, 1).map(String), description: text(at, 3), operationId: text(at, 5), produces: buffers(at, 6).map(String), consumes: buffers(at, 7).map(String),
    parameters: buffers(at, 8).map((one) => parameterOf(one)), schemes: buffers(at, 10).map(String),
    responses: Object.fromEntries(named(buffers(at, 9)[0]!, 1).map(([code, value]) => {
      const response = fields(buffers(fields(value), 1)[0]!);
      return [code, { description: text(response, 1), schema: schemaOf(buffers(fields(buffers(response, 2)[0]!), 1)[0]!) }];
    })),
    ...extensions(at, 13),
  };
};

const documentOf = (bytes: Buffer): Json => {
  const at = fields(bytes);
  const info = fields(buffers(at, 2)[0]!);
  const methods = [[2, 'get'], [3, 'put'], [4, 'post'], [5, 'delete'], [8, 'patch']] as const;
  return {
    swagger: text(at, 1), info: { title: text(info, 1), version: text(info, 2) }, consumes: buffers(at, 6).map(String), produces: buffers(at, 7).map(String),
    paths: Object.fromEntries(named(buffers(at, 8)[0]!, 2).map(([path, item]) => {
      const parts = fields(item);
      return [path, Object.fromEntries(methods.flatMap(([number, method]) => (parts.has(number) ? [[method, operationOf(buffers(parts, number)[0]!)]] : [])))];
    })),
    definitions: Object.fromEntries(named(buffers(at, 9)[0]!, 1).map(([name, value]) => [name, schemaOf(value)])),
  };
};

test('the protobuf form says the same as the JSON form', (t) => {
  t.deepEqual(documentOf(openApiV2Protobuf(v2)), v2);
});
