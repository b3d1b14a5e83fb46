/** Rules in CEL: what definitions may say, and what becomes of objects. */
import test from 'ava';
import { ruleErrors } from '../../../apiserver/custom/rules/evaluate-rules.ts';
import { customSchema } from '../../../schemas/custom/custom-schema.ts';
import type { JsonSchemaProps } from '../../../schemas/types/json-schema-props.ts';
import { testApi } from '../../helpers/api.ts';
import { answerOf, causesOf, createWidget, define, definitions, specSchema, widgetDefinition, widgets, type Json } from '../../helpers/custom.ts';

const schemaOf = (properties: Json, more: Json = {}) => customSchema(specSchema(properties, more) as JsonSchemaProps);
const told = (schema: ReturnType<typeof customSchema>, spec: unknown, old?: unknown): readonly string[] =>
  ruleErrors(schema, { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec }, old === undefined ? undefined : { spec: old }).map(({ reason, field, message }) => `${reason.replace('FieldValue', '')} ${field}: ${message}`);
const rules = (...all: readonly Json[]): Json => ({ 'x-kubernetes-validations': all });

test('a rule holds at its place, whatever the place is', (t) => {
  const schema = schemaOf({
    min: { type: 'integer' }, max: { type: 'integer' }, name: { type: 'string', ...rules({ rule: 'self.startsWith("a")', message: 'must begin with a' }) },
    list: { type: 'array', ...rules({ rule: 'self.all(x, x > 0)', message: 'must be positive' }), items: { type: 'integer', ...rules({ rule: 'self < 10' }) } },
    map: { type: 'object', additionalProperties: { type: 'string', ...rules({ rule: 'self != ""', reason: 'FieldValueRequired', message: 'say something' }) } },
    when: { type: 'string', format: 'date-time', ...rules({ rule: 'self.getFullYear() >= 2020' }) }, either: { 'x-kubernetes-int-or-string': true, ...rules({ rule: 'type(self) == int ? self > 1 : self.endsWith("%")' }) },
    'with-dash': { type: 'integer' }, none: { type: 'string', nullable: true, ...rules({ rule: 'false' }) },
  }, rules({ rule: '!has(self.spec.min) || !has(self.spec.max) || self.spec.min <= self.spec.max', message: 'min must not pass max', fieldPath: '.spec.min', reason: 'FieldValueForbidden' },
    { rule: 'self.metadata.name.size() < 3', messageExpression: '"the name " + self.metadata.name + " is too long"' }, { rule: '!has(self.spec.with__dash__dash) || self.spec.with__dash__dash == 1' }));
  t.deepEqual(told(schema, { min: 1, max: 2, name: 'abc', list: [1], map: { a: 'b' }, when: '2026-01-01T00:00:00Z', either: '5%', 'with-dash': 1, none: null }), []);
  t.deepEqual(told(schema, { min: 3, max: 2, name: 'b', list: [0, 11], map: { a: '' }, when: '2019-01-01T00:00:00Z', either: 1, 'with-dash': 2 }), [
    'Forbidden spec.min: Forbidden: min must not pass max', 'Invalid : Invalid value: "object": failed rule: !has(self.spec.with__dash__dash) || self.spec.with__dash__dash == 1',
    'Invalid spec.name: Invalid value: "string": must begin with a', 'Invalid spec.list: Invalid value: "array": must be positive', 'Invalid spec.list[1]: Invalid value: "integer": failed rule: self < 10',
    'Required spec.map[a]: Required value: say something', 'Invalid spec.when: Invalid value: "string": failed rule: self.getFullYear() >= 2020', 'Invalid spec.either: Invalid value: "any": failed rule: type(self) == int ? self > 1 : self.endsWith("%")',
  ]);
});

test('rules about changes run where there was something before, and find items by their keys', (t) => {
  const schema = schemaOf({
    fixed: { type: 'string', ...rules({ rule: 'self == oldSelf', message: 'may not change' }) }, once: { type: 'integer', ...rules({ rule: '!oldSelf.hasValue() || self >= oldSelf.value()', optionalOldSelf: true, message: 'may only grow' }) },
    ports: {
      type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer', ...rules({ rule: 'self == oldSelf', messageExpression: '"was " + string(oldSelf)' }) } } },
    },
  });
  t.deepEqual(told(schema, { fixed: 'a', once: 1, ports: [{ name: 'a', port: 1 }] }), []);
  t.deepEqual(told(schema, { fixed: 'a', once: 1 }, {}), [], 'what was not there has not changed');
  t.deepEqual(told(schema, { fixed: 'b', once: 0, ports: [{ name: 'b', port: 2 }, { name: 'a', port: 3 }] }, { fixed: 'a', once: 1, ports: [{ name: 'a', port: 1 }, { name: 'b', port: 2 }] }), [
    'Invalid spec.fixed: Invalid value: "string": may not change', 'Invalid spec.once: Invalid value: "integer": may only grow', 'Invalid spec.ports[1].port: Invalid value: "integer": was 1',
  ]);
});

test('a value that was there before the rule may stay until it changes', (t) => {
  const schema = schemaOf({ size: { type: 'integer', ...rules({ rule: 'self > 5' }) }, color: { type: 'string' } });
  t.deepEqual(told(schema, { size: 1, color: 'red' }, { size: 1, color: 'blue' }), []);
  t.is(told(schema, { size: 2 }, { size: 1 }).length, 1);
});

test('a rule that fails or costs too much refuses the object and says so', (t) => {
  const schema = schemaOf({ list: { type: 'array', items: { type: 'integer' } }, map: { type: 'object', additionalProperties: { type: 'integer' } } }, rules({ rule: 'self.spec.list.all(a, self.spec.list.all(b, self.spec.list.all(c, a + b + c >= 0)))' }));
  t.deepEqual(told(schema, { list: [1] }), []);
  t.regex(told(schema, { list: Array.from({ length: 1_000 }, () => 1) })[0] ?? '', /could not be evaluated: it costs too much for the size of this value/);
  t.regex(told(schemaOf({ map: { type: 'object', additionalProperties: { type: 'integer' }, ...rules({ rule: 'self["a"] > 1' }) } }), { map: {} })[0] ?? '', /^Invalid spec.map: .*could not be evaluated: no such key/);
  const many = schemaOf({ list: { type: 'array', items: { type: 'integer', ...rules({ rule: '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all(a, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all(b, a + b + self >= 0))' }) } } });
  t.regex(told(many, { list: Array.from({ length: 20_000 }, () => 1) }).at(-1) ?? '', /could not be evaluated: the rules of the object together cost too much/);
});

const bad: Readonly<Record<string, readonly [property: Json, ...errors: readonly string[]]>> = {
  'no expression': [{ type: 'integer', ...rules({ rule: 'self >' }) }, 'Invalid x-kubernetes-validations[0].rule'],
  'a name that is not there': [{ type: 'object', properties: { a: { type: 'string' } }, ...rules({ rule: 'self.b == 1' }) }, 'Invalid x-kubernetes-validations[0].rule'],
  'types that do not fit': [{ type: 'integer', ...rules({ rule: 'self == "a"' }) }, 'Invalid x-kubernetes-validations[0].rule'], 'no bool': [{ type: 'integer', ...rules({ rule: 'self + 1' }) }, 'Invalid x-kubernetes-validations[0].rule'],
  'no rule': [{ type: 'integer', ...rules({ rule: ' ' }) }, 'Required x-kubernetes-validations[0].rule'], 'a message that is a number': [{ type: 'integer', ...rules({ rule: 'self > 1', messageExpression: 'self' }) }, 'Invalid x-kubernetes-validations[0].messageExpression'],
  'a reason that is none': [{ type: 'integer', ...rules({ rule: 'self > 1', reason: 'Because' }) }, 'NotSupported x-kubernetes-validations[0].reason'],
  'a path that is none': [{ type: 'object', properties: { a: { type: 'string' } }, ...rules({ rule: 'has(self.a)', fieldPath: '.b' }) }, 'Invalid x-kubernetes-validations[0].fieldPath'],
  'an old self that is optional for nothing': [{ type: 'integer', ...rules({ rule: 'self > 1', optionalOldSelf: true }) }, 'Invalid x-kubernetes-validations[0].optionalOldSelf'],
  'lines without a message': [{ type: 'integer', ...rules({ rule: 'self > 1 &&\nself < 5' }) }, 'Required x-kubernetes-validations[0].message'], 'an empty message': [{ type: 'integer', ...rules({ rule: 'self > 1', message: '' }) }, 'Invalid x-kubernetes-validations[0].message'],
  'the past of items without keys': [{ type: 'array', items: { type: 'integer', ...rules({ rule: 'self == oldSelf' }) } }, 'Invalid items.x-kubernetes-validations[0].rule'],
  'a value of no type': [{ 'x-kubernetes-preserve-unknown-fields': true, ...rules({ rule: 'true' }) }, 'Forbidden x-kubernetes-validations'],
};

test('wrong rules are refused with their definition, with their path', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  for (const [name, [property, ...errors]] of Object.entries(bad)) {
    const causes = await causesOf(api.transport.send({ ...definitions, verb: 'create', body: widgetDefinition({ schema: specSchema({ x: property }) }) }));
    t.deepEqual(causes.map((cause) => cause.replace('spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[x].', '')), errors, name);
  }
});

test('the server holds objects and their status to the rules', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  await define(api, widgetDefinition({ version: { subresources: { status: {} } }, schema: {
    type: 'object', ...rules({ rule: '!has(self.status) || self.status.count <= self.spec.size', message: 'cannot be more than were asked for', fieldPath: '.status.count' }),
    properties: { spec: { type: 'object', properties: { size: { type: 'integer', ...rules({ rule: 'self >= oldSelf', message: 'may not shrink' }) } } }, status: { type: 'object', properties: { count: { type: 'integer' } } } },
  } }));
  await createWidget(api, { spec: { size: 3 } });
  const at = { ...widgets, name: 'w', verb: 'patch', patchType: 'merge' } as const;
  const refused = await answerOf(api, { ...at, body: { spec: { size: 2 } } });
  t.is(refused['message'], 'Widget.example.com "w" is invalid: spec.size: Invalid value: "integer": may not shrink');
  t.like(await answerOf(api, { ...at, subresource: 'status', body: { status: { count: 2 } } }), { status: { count: 2 } });
  t.deepEqual(await causesOf(api.transport.send({ ...at, subresource: 'status', body: { status: { count: 4 } } })), ['Invalid status.count']);
  t.like(await answerOf(api, { ...at, body: { spec: { size: 4 } } }), { spec: { size: 4 } });
});

test('what was wrong before the schema became stricter may stay until it changes', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  await define(api, widgetDefinition({ schema: specSchema({ size: { type: 'integer' }, color: { type: 'string' } }) }));
  await createWidget(api, { spec: { size: 1, color: 'red' } });
  await api.transport.send({ ...definitions, verb: 'patch', patchType: 'json', name: 'widgets.example.com', body: [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: specSchema({ size: { type: 'integer', minimum: 5 }, color: { type: 'string' } }) }] });
  const at = { ...widgets, name: 'w', verb: 'patch', patchType: 'merge' } as const;
  t.like(await answerOf(api, { ...at, body: { spec: { color: 'blue' } } }), { spec: { size: 1, color: 'blue' } });
  t.deepEqual(await causesOf(api.transport.send({ ...at, body: { spec: { size: 2 } } })), ['Invalid spec.size']);
  t.deepEqual(await causesOf(createWidget(api, { metadata: { name: 'v' }, spec: { size: 1 } })), ['Invalid spec.size']);
});
