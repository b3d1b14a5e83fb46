/** What holds for every schema and every value: pruning and defaults are done once, nothing crashes, and what is stored comes back. */
import * as fc from 'fast-check';
import test from 'ava';
import { customFindings } from '../../../schemas/custom/check.ts';
import { customSchema, type CustomSchema } from '../../../schemas/custom/custom-schema.ts';
import { pruneCustom } from '../../../schemas/custom/decode.ts';
import { applyCustomDefaults } from '../../../schemas/custom/defaults.ts';
import { isAsBefore } from '../../../schemas/custom/ratchet.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../../schemas/frozen.ts';
import type { JsonSchemaProps } from '../../../schemas/types/json-schema-props.ts';
import { validateStructural } from '../../../schemas/validation/structural-schema.ts';
import { testApi } from '../../helpers/api.ts';
import { answerOf, define, definitions, specSchema, widgetDefinition, widgets, type CustomObject } from '../../helpers/custom.ts';

const name = fc.constantFrom('a', 'b', 'c', 'toString', 'x-y');
const mark = (word: string): fc.Arbitrary<object> => fc.boolean().map((is) => (is ? { [word]: true } : {}));

const { structural } = fc.letrec<{ structural: JsonSchemaProps }>((tie) => ({
  structural: fc.oneof({ maxDepth: 3, depthIdentifier: 'schema' },
    fc.tuple(fc.constantFrom<JsonSchemaProps>({ type: 'string' }, { type: 'string', default: 'd' }, { type: 'string', minLength: 2 }, { type: 'integer', minimum: 0 }, { type: 'integer', default: 3 }, { type: 'boolean' }, { type: 'number' }, { 'x-kubernetes-int-or-string': true }), mark('nullable')).map(([one, null_]) => ({ ...one, ...null_ })),
    fc.constant<JsonSchemaProps>({ 'x-kubernetes-preserve-unknown-fields': true }),
    fc.tuple(fc.dictionary(name, tie('structural'), { maxKeys: 3 }), mark('x-kubernetes-preserve-unknown-fields'), mark('nullable'), fc.array(name, { maxLength: 1 })).map(([properties, keep, null_, required]) => ({ type: 'object', properties, required, ...keep, ...null_ })),
    tie('structural').map((items) => ({ type: 'array', items })),
    tie('structural').map((additionalProperties) => ({ type: 'object', additionalProperties })),
  ),
}));

const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, fc.constantFrom(null, true, 0, 3, -1, 1.5, '', 'ab', 'd'), fc.array(tie('any'), { maxLength: 3 }), fc.dictionary(name, tie('any'), { maxKeys: 3 })),
}))['any'];

const completed = (schema: CustomSchema, given: unknown): unknown => {
  const draft = { spec: pruneCustom(schema, given).value };
  applyCustomDefaults({ type: 'object', properties: { spec: schema } }, draft);
  return draft.spec;
};

test('pruning and defaults done twice are as done once, and never bring back what was pruned', (t) => {
  let runs = 0;
  fc.assert(fc.property(structural, value, (props, given) => {
    runs++;
    const schema = customSchema(props);
    const before = JSON.stringify(given);
    const once = completed(schema, given);
    // A null that is no value goes altogether.
    const twice = once === undefined ? undefined : completed(schema, draftOf(once));
    if (!deepEqual(once, twice)) throw new Error(`${JSON.stringify(once)} became ${JSON.stringify(twice)}`);
    const { value: pruned, unknown } = pruneCustom(schema, given);
    if (pruneCustom(schema, pruned).unknown.length > 0) throw new Error('pruned again');
    if (unknown.length === 0 && !deepEqual(pruned, given)) throw new Error('nothing was unknown, and yet something went');
    return JSON.stringify(given) === before;
  }), { numRuns: 1_500 });
  t.log(`${runs} schemas and values`);
  t.pass();
});

test('a check says the same each time, its findings point into the value, and nothing is wrong with what is as it was', (t) => {
  fc.assert(fc.property(structural, value, (props, given) => {
    const schema = customSchema({ type: 'object', properties: { spec: props } });
    const object = { spec: given };
    const found = customFindings(schema, object);
    if (!deepEqual(found, customFindings(schema, object))) throw new Error('another answer');
    return found.every(({ pointer, error }) => pointer.startsWith('/spec') === (error.field !== '' && (pointer !== '' || error.field === 'spec')) || pointer === '') && found.every(({ pointer }) => pointer === '' || isAsBefore(schema, object, draftOf(object), pointer));
  }), { numRuns: 150 });
  t.pass();
});

test('generated schemas are structural, and odd ones are refused and not crashed on', (t) => {
  fc.assert(fc.property(structural, (props) => validateStructural({ type: 'object', properties: { spec: props } }, 'schema').length === 0), { numRuns: 300 });
  const words = fc.constantFrom('type', 'items', 'properties', 'additionalProperties', 'default', 'enum', 'required', 'x-kubernetes-list-type', 'anyOf', 'not', 'pattern', 'x-kubernetes-validations');
  const odd = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, fc.constantFrom('object', 'array', 'string', 'map', null, 1, true, '(', '__proto'), fc.array(tie('any'), { maxLength: 2 }), fc.dictionary(fc.oneof(words, name), tie('any'), { maxKeys: 4 })),
  }))['any'];
  return testApi().then(async (api) => {
    t.teardown(() => api.close());
    let runs = 0;
    await fc.assert(fc.asyncProperty(odd, async (schema) => {
      runs++;
      try {
        await api.transport.send({ ...definitions, verb: 'create', body: widgetDefinition({ schema: schema as never }), options: { dryRun: true } });
      } catch (error) {
        if (!(error instanceof ApiError) || error.code >= 500) throw error;
      }
    }), { numRuns: 400 });
    t.log(`${runs} odd schemas`);
    t.pass();
  });
});

test('what is stored comes back: a body that was read once is written back without a change', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  await define(api, widgetDefinition({ schema: specSchema({ a: { type: 'string', default: 'd' }, b: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, c: { type: 'array', items: { type: 'object', properties: { a: { type: 'integer' } } } } }) }));
  let count = 0;
  await fc.assert(fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 4 }), async (spec) => {
    const made = await answerOf(api, { ...widgets, verb: 'create', body: { metadata: { name: `w${count++}` }, spec } });
    if (made['kind'] === 'Status') return made['code'] === 422;
    const at = { ...widgets, name: (made as CustomObject).metadata.name };
    const again = await answerOf(api, { ...at, verb: 'update', body: made });
    return deepEqual(again, made) && deepEqual(await answerOf(api, { ...at, verb: 'get' }), made);
  }), { numRuns: 200 });
  t.pass();
});
