/** CustomResourceDefinitions: what is wrong with bad ones, and what is filled in. */
import test from 'ava';
import { CustomResourceDefinition } from '../../schemas/kinds/apiextensions/custom-resource-definition.ts';
import { maxColumns, maxSelectableFields } from '../../schemas/validation/custom-version.ts';
import { maxPatternLength } from '../../schemas/custom/patterns.ts';
import { maxNames, maxVersions } from '../../schemas/validation/custom-resource-definition.ts';
import { maxSchemaDepth, maxSchemaNodes, maxSchemaRules } from '../../schemas/validation/structural-schema.ts';
import { decode, validate } from '../../schemas/validate.ts';
import { specSchema, widgetDefinition, type Json } from '../helpers/custom.ts';
import { stored, testFaults, type Fault } from '../helpers/object-faults.ts';

const body = (words: Parameters<typeof widgetDefinition>[0] = {}): Json => {
  const { metadata, spec } = widgetDefinition(words) as { readonly metadata: Json; readonly spec: Json };
  return { metadata, spec };
};
const at = 'spec.versions[0]';
const schemaAt = `${at}.schema.openAPIV3Schema`;
const ofSpec = `${schemaAt}.properties[spec]`;
const withSchema = (schema: Json): Json => body({ schema });
const withProperty = (property: Json): Json => withSchema(specSchema({ x: property }));
const here = `${ofSpec}.properties[x]`;
const v1 = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } };

testFaults(CustomResourceDefinition, {
  'good': [body()],
  'no spec': [{}, 'required spec'], 'nothing': [{ spec: {} }, 'required spec.group', 'required spec.names', 'required spec.scope', 'required spec.versions'],
  'a name that is not that of the resource': [body({ metadata: { name: 'gadgets.example.com' } }), 'invalid metadata.name'],
  'a group without a dot': [body({ metadata: { name: 'widgets.example' }, spec: { group: 'example' } }), 'invalid spec.group'],
  'a scope that is none': [body({ spec: { scope: 'Galaxy' } }), 'unsupported spec.scope'],
  'names': [body({ names: { kind: 'widget_', listKind: 'X.Y', singular: 'A', shortNames: ['w', 'W'], categories: ['a b'] } }),
    'invalid spec.names.categories[0]', 'invalid spec.names.kind', 'invalid spec.names.listKind', 'invalid spec.names.shortNames[1]', 'invalid spec.names.singular'],
  'a list that is called like its items': [body({ names: { listKind: 'Widget' } }), 'invalid spec.names.listKind'],
  'no versions': [body({ versions: [] }), 'required spec.versions'],
  'versions': [body({ versions: [v1, v1, { ...v1, name: 'V2', storage: false }] }), 'duplicate spec.versions[1].name', 'invalid spec.versions', 'invalid spec.versions[2].name'],
  'no stored version': [body({ version: { storage: false } }), 'invalid spec.versions'],
  'no schema': [body({ version: { schema: {} } }), `required ${schemaAt}`],
  'unknown fields everywhere': [body({ spec: { preserveUnknownFields: true } }), 'invalid spec.preserveUnknownFields'],
  'a group of Kubernetes': [body({ metadata: { name: 'widgets.example.k8s.io' }, spec: { group: 'example.k8s.io' } }), 'required metadata.annotations[api-approved.kubernetes.io]'],
  'no approval': [body({ metadata: { name: 'widgets.example.k8s.io', annotations: { 'api-approved.kubernetes.io': 'yes' } }, spec: { group: 'example.k8s.io' } }), 'invalid metadata.annotations[api-approved.kubernetes.io]'],
  'an approval': [body({ metadata: { name: 'widgets.example.k8s.io', annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/1' } }, spec: { group: 'example.k8s.io' } })],
  'a warning without deprecation': [body({ version: { deprecationWarning: 'old' } }), `invalid ${at}.deprecationWarning`],
  'too many versions': [body({ versions: Array.from({ length: maxVersions + 1 }, (_, index) => ({ ...v1, name: `v${index + 1}`, storage: index === 0 })) }), 'many spec.versions'],
});

testFaults(CustomResourceDefinition, {
  'columns': [body({ version: { additionalPrinterColumns: [{ name: '', type: 'text', format: 'big', jsonPath: 'spec', priority: -1 }, { name: 'a', type: 'string', jsonPath: '.a[?(@.b==' }] } }),
    `invalid ${at}.additionalPrinterColumns[0].jsonPath`, `invalid ${at}.additionalPrinterColumns[0].priority`, `invalid ${at}.additionalPrinterColumns[1].jsonPath`,
    `required ${at}.additionalPrinterColumns[0].name`, `unsupported ${at}.additionalPrinterColumns[0].format`, `unsupported ${at}.additionalPrinterColumns[0].type`],
  'too many columns': [body({ version: { additionalPrinterColumns: Array.from({ length: maxColumns + 1 }, () => ({ name: 'a', type: 'string', jsonPath: '.a' })) } }), `many ${at}.additionalPrinterColumns`],
  'too many names': [body({ names: { shortNames: Array.from({ length: maxNames + 1 }, (_, index) => `w${index}`), categories: Array.from({ length: maxNames }, (_, index) => `c${index}`) } }), 'many spec.names.shortNames'],
  'too many selectable fields': [body({ schema: specSchema(Object.fromEntries(Array.from({ length: maxSelectableFields + 1 }, (_, index) => [`f${index}`, { type: 'string' }]))), version: { selectableFields: Array.from({ length: maxSelectableFields + 1 }, (_, index) => ({ jsonPath: `.spec.f${index}` })) } }), `many ${at}.selectableFields`],
  'a scale': [body({ version: { subresources: { scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' } } } })],
  'a scale elsewhere': [body({ version: { subresources: { scale: { specReplicasPath: '.status.size', statusReplicasPath: '.spec.sizes[0]', labelSelectorPath: '.metadata.labels' } } } }),
    `invalid ${at}.subresources.scale.labelSelectorPath`, `invalid ${at}.subresources.scale.specReplicasPath`, `invalid ${at}.subresources.scale.statusReplicasPath`],
  'selectable fields': [body({ schema: specSchema({ size: { type: 'integer' }, list: { type: 'array', items: { type: 'string' } } }), version: { selectableFields: [{ jsonPath: '.spec.size' }, { jsonPath: '.spec.size' }, { jsonPath: '.spec.list' }, { jsonPath: '.spec.none' }, { jsonPath: '.metadata.name' }, { jsonPath: '.spec.list[0]' }] } }),
    `duplicate ${at}.selectableFields[1].jsonPath`, ...[2, 3, 4, 5].map((index): Fault => `invalid ${at}.selectableFields[${index}].jsonPath`)],
  'a conversion that is none': [body({ spec: { conversion: { strategy: 'Magic' } } }), 'unsupported spec.conversion.strategy'],
  'no webhook': [body({ spec: { conversion: { strategy: 'Webhook' } } }), 'required spec.conversion.webhook.clientConfig'],
  'a webhook for nothing': [body({ spec: { conversion: { strategy: 'None', webhook: { conversionReviewVersions: ['v1'] } } } }), 'forbidden spec.conversion.webhook'],
  'a webhook': [body({ spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://a.example/convert' }, conversionReviewVersions: ['v1'] } } } })],
  'a bad webhook': [body({ spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: { url: 'http://a.example/convert' }, conversionReviewVersions: ['v1beta1'] } } } }),
    'invalid spec.conversion.webhook.clientConfig.url', 'invalid spec.conversion.webhook.conversionReviewVersions'],
});

testFaults(CustomResourceDefinition, {
  'no type at the root': [withSchema({}), `required ${schemaAt}.type`],
  'another type at the root': [withSchema({ type: 'string' }), `invalid ${schemaAt}.type`],
  'no types': [withSchema({ type: 'object', properties: { spec: { properties: { a: {} } }, b: { type: 'array', items: {} }, c: { type: 'object', additionalProperties: {} }, d: { type: 'null' }, e: { type: 'text' } } }),
    `forbidden ${schemaAt}.properties[d].type`, `required ${ofSpec}.properties[a].type`, `required ${ofSpec}.type`, `required ${schemaAt}.properties[b].items.type`,
    `required ${schemaAt}.properties[c].additionalProperties.type`, `unsupported ${schemaAt}.properties[e].type`],
  'any type': [withProperty({ 'x-kubernetes-preserve-unknown-fields': true })],
  'an integer or a string': [withProperty({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] })],
  'an integer or a string, and more': [withProperty({ 'x-kubernetes-int-or-string': true, allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { maxLength: 3 }] })],
  'an integer or a string with a type': [withProperty({ 'x-kubernetes-int-or-string': true, type: 'string' }), `forbidden ${here}.type`],
  'words that no structural schema has': [withProperty({ type: 'object', $ref: '#/a', definitions: { a: {} }, dependencies: { a: ['b'] }, patternProperties: { a: {} }, id: 'a', uniqueItems: true, additionalProperties: false }),
    ...['$ref', 'additionalProperties', 'definitions', 'dependencies', 'id', 'patternProperties', 'uniqueItems'].map((word): Fault => `forbidden ${here}.${word}`)],
  'a tuple': [withProperty({ type: 'array', items: [{ type: 'string' }] }), `forbidden ${here}.items`],
  'a list of what': [withProperty({ type: 'array' }), `required ${here}.items`],
  'a map and an object': [withProperty({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } }), `forbidden ${here}.additionalProperties`],
  'null at the root': [withSchema({ type: 'object', nullable: true }), `forbidden ${schemaAt}.nullable`],
  'types in alternatives': [withProperty({ type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ type: 'object', description: 'x', default: {}, properties: { a: { minLength: 1 }, b: { minLength: 1 } } }] }),
    `forbidden ${here}.anyOf[0].default`, `forbidden ${here}.anyOf[0].description`, `forbidden ${here}.anyOf[0].type`, `required ${here}.properties[b]`],
  'alternatives': [withProperty({ type: 'object', properties: { a: { type: 'string' } }, oneOf: [{ required: ['a'] }, { not: { properties: { a: { enum: ['x'] } } } }] })],
  'a pattern that is none': [withProperty({ type: 'string', pattern: '(' }), `invalid ${here}.pattern`],
  'a pattern that is too long': [withProperty({ type: 'string', pattern: 'a'.repeat(maxPatternLength + 1) }), `invalid ${here}.pattern`], 'a long pattern': [withProperty({ type: 'string', pattern: 'a'.repeat(maxPatternLength) })],
  'a pattern that looks back': [withProperty({ type: 'string', pattern: '(?=a)b' }), `invalid ${here}.pattern`],
  'limits that are none': [withProperty({ type: 'string', minLength: -1, multipleOf: 0, exclusiveMinimum: true, enum: [] }), `invalid ${here}.minLength`, `invalid ${here}.multipleOf`, `required ${here}.enum`, `required ${here}.minimum`],
  'defaults that do not fit': [withSchema(specSchema({ a: { type: 'string', default: 1 }, b: { type: 'object', properties: { c: { type: 'string' } }, default: { d: 1 } }, e: { type: 'string', default: null }, f: { type: 'string', nullable: true, default: null } })),
    `invalid ${ofSpec}.properties[b].default.d`, `type ${ofSpec}.properties[a].default`],
  'a default of everything': [withSchema({ type: 'object', default: {} }), `forbidden ${schemaAt}.default`],
  'metadata': [withSchema({ type: 'object', properties: { metadata: { type: 'object', required: ['labels'], properties: { name: { type: 'string', pattern: '^a' }, labels: { type: 'object' } } } } }),
    `forbidden ${schemaAt}.properties[metadata].properties[labels]`, `forbidden ${schemaAt}.properties[metadata].required`],
  'an embedded object without members': [withProperty({ type: 'object', 'x-kubernetes-embedded-resource': true }), `required ${here}.properties`],
  'an embedded object': [withProperty({ type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true })],
  'lists': [withSchema(specSchema({
    a: { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' }, b: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
    c: { type: 'array', items: { type: 'object', properties: { k: { type: 'string' }, l: { type: 'object' } } }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k', 'k', 'l', 'm'] },
    d: { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' }, e: { type: 'string', 'x-kubernetes-list-type': 'bag' }, f: { type: 'string', 'x-kubernetes-map-type': 'atomic' },
    g: { type: 'array', items: { type: 'object', required: ['k'], properties: { k: { type: 'string' } } }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
  })),
  `duplicate ${ofSpec}.properties[c].x-kubernetes-list-map-keys[1]`, `invalid ${ofSpec}.properties[b].items.type`, `invalid ${ofSpec}.properties[c].items.properties[l].type`,
  `invalid ${ofSpec}.properties[c].x-kubernetes-list-map-keys[3]`, `invalid ${ofSpec}.properties[d].items.x-kubernetes-map-type`, `invalid ${ofSpec}.properties[f].type`,
  `required ${ofSpec}.properties[a].x-kubernetes-list-map-keys`, `required ${ofSpec}.properties[c].items.properties[k].default`, `required ${ofSpec}.properties[c].items.properties[l].default`,
  `unsupported ${ofSpec}.properties[e].x-kubernetes-list-type`],
});

const established = { conditions: [{ type: 'Established', status: 'True' }], storedVersions: ['v1'] };
testFaults(CustomResourceDefinition, {
  'other names': [{ ...body({ spec: { scope: 'Cluster' }, names: { kind: 'Gadget' } }), status: established }, 'invalid spec.names.kind', 'invalid spec.scope'],
  'another plural': [{ ...body({ names: { plural: 'gadgets' } }), status: established }, 'invalid metadata.name', 'invalid spec.names.plural'],
  'a version that is still in the store': [{ ...body({ version: { name: 'v2' } }), status: { ...established, storedVersions: ['v1', 'v2'] } }, 'invalid status.storedVersions[0]'],
  'the same': [{ ...body(), status: established }],
}, { ...body(), status: established });

const errorsOf = (words: Parameters<typeof widgetDefinition>[0]): readonly string[] => validate(CustomResourceDefinition, stored(CustomResourceDefinition, body(words))).map(({ message }) => message);

test('a schema has bounds', (t) => {
  const nested = (depth: number): Json => (depth === 0 ? { type: 'string' } : { type: 'object', properties: { a: nested(depth - 1) } });
  t.deepEqual(errorsOf({ schema: nested(maxSchemaDepth - 1) }), []);
  t.regex(errorsOf({ schema: nested(maxSchemaDepth) })[0] ?? '', /nested more than 45 levels/);
  const wide = (count: number): Json => ({ type: 'object', properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: 'string' }])) });
  t.deepEqual(errorsOf({ schema: wide(maxSchemaNodes - 1) }), []);
  t.regex(errorsOf({ schema: wide(maxSchemaNodes) })[0] ?? '', /more than 20000 places/);
  const ruled = (count: number): Json => ({ type: 'object', 'x-kubernetes-validations': Array.from({ length: count }, (_, index) => ({ rule: `${index} == ${index}` })) });
  t.deepEqual(errorsOf({ schema: ruled(maxSchemaRules) }), []);
  t.regex(errorsOf({ schema: ruled(maxSchemaRules + 1) })[0] ?? '', /more than 1000 rules/);
});

test('a schema is decoded to its depth: unknown words are found, and either form of a word is taken', (t) => {
  const { object, unknown } = decode(CustomResourceDefinition, widgetDefinition({ schema: {
    type: 'object', nonsense: 1, properties: { a: { type: 'array', items: { type: 'object', additionalProperties: { type: 'string', more: 1 } } }, b: { type: 'object', additionalProperties: true }, c: { default: null, enum: [null, 1] } },
  } }));
  t.deepEqual(unknown, [`${schemaAt}.nonsense`, `${schemaAt}.properties[a].items.additionalProperties.more`]);
  const properties = object.spec.versions[0]?.schema?.openAPIV3Schema?.properties;
  t.is(properties?.['b']?.additionalProperties, true);
  t.deepEqual(properties?.['c']?.enum, [null, 1]);
  t.throws(() => decode(CustomResourceDefinition, widgetDefinition({ schema: { type: 'object', properties: { a: { items: 'x' } } } })), { message: /cannot unmarshal string/ });
});
