import test from 'ava';
import * as fc from 'fast-check';
import { applyTo, newManagers, type Applied } from '../../../apiserver/patch/apply/apply.ts';
import { compare } from '../../../apiserver/patch/apply/compare.ts';
import { configurationErrors } from '../../../apiserver/patch/apply/configuration-errors.ts';
import { difference, intersection, pathsOf, readFieldSet, union, type FieldSet } from '../../../apiserver/patch/apply/field-set.ts';
import { appliedFields, newFields } from '../../../apiserver/patch/apply/fields-of.ts';
import { capUpdates, maxUpdateManagers, readManagers, writeManagers, type Identity, type Manager } from '../../../apiserver/patch/apply/managers.ts';
import { merge } from '../../../apiserver/patch/apply/merge.ts';
import { afterUpdate } from '../../../apiserver/patch/apply/ownership.ts';
import { shapeOf } from '../../../apiserver/patch/apply/shape.ts';
import { shared } from '../../../apiserver/patch/apply/shared-fields.ts';
import { textOf } from '../../../apiserver/shared-parts.ts';
import { compareStates } from '../../../apiserver/patch/apply/tracked.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { deepFreeze } from '../../../schemas/frozen.ts';
import { defineKind, topLevel, type ApiObject } from '../../../schemas/kind.ts';
import { Deployment } from '../../../schemas/kinds/apps/deployment.ts';
import { anything, int32, list, mapOf, object, string } from '../../../schemas/schema.ts';

// A small kind with every sort of value that can be owned.
const Item = object('test.Item', '', {
  name: string(''), protocol: string('', { default: 'TCP' }), value: int32(''), tags: list(string(''), '', { listType: 'set' }),
}, ['name']);
const Spec = object('test.Spec', '', {
  number: int32(''), word: string(''), whole: object('test.Whole', '', { a: int32(''), b: int32('') }, [], { 'x-kubernetes-map-type': 'atomic' }),
  part: object('test.Part', '', { a: int32(''), b: int32('') }), map: mapOf(string(''), ''), atoms: list(int32(''), ''), set: list(string(''), '', { listType: 'set' }),
  items: list(Item, '', { mapKeys: ['name'] }), pairs: list(Item, '', { mapKeys: ['name', 'protocol'] }), free: anything(''), maps: mapOf(mapOf(string(''), ''), ''),
});
const Thing = defineKind(topLevel('test.Thing', '', { spec: Spec }), { group: 'test', version: 'v1', kind: 'Thing', plural: 'things', scope: 'Namespaced', columns: [] });
const shape = shapeOf(Spec);

type Spec = Readonly<Record<string, unknown>>;
const thing = (spec: Spec, managers: readonly Manager[] = []): ApiObject => {
  const managedFields = writeManagers(managers);
  return deepFreeze({ kind: 'Thing', apiVersion: 'test/v1', metadata: { name: 'it', ...(managedFields === undefined ? {} : { managedFields }) }, spec }) as ApiObject;
};
const specOf = (object: ApiObject): Spec => (object as ApiObject & { readonly spec?: Spec }).spec ?? {};
const time = '2026-01-31T12:00:00Z';
const applier = (manager: string): Identity => ({ manager, operation: 'Apply', apiVersion: 'test/v1', subresource: '' });
const updater = (manager: string, apiVersion = 'test/v1'): Identity => ({ manager, operation: 'Update', apiVersion, subresource: '' });

/** One object and those who write it. */
class World {
  live: ApiObject | undefined;

  apply(manager: string, spec: Spec, force = false): Applied {
    const configuration = thing(spec);
    const applying = { kind: Thing, who: applier(manager), configuration: { object: configuration, said: {} }, force, time };
    const result = this.live === undefined ? { object: configuration, managers: newManagers(applying) } : applyTo(this.live, applying);
    this.live = thing(specOf(result.object), result.managers);
    return result;
  }

  update(manager: string, spec: Spec): void {
    const managers = readManagers(this.live?.metadata.managedFields) ?? [];
    const before = this.live ?? thing({});
    this.live = thing(spec, afterUpdate(managers, updater(manager), compareStates(Thing, '', before, thing(spec)), time));
  }

  get spec(): Spec {
    return specOf(this.live!);
  }

  /** What a manager owns, as text without the `.spec` before it. */
  owns(manager: string): string {
    const found = (readManagers(this.live?.metadata.managedFields) ?? []).filter((one) => one.manager === manager);
    return found.flatMap(({ fields }) => pathsOf(fields)).map((path) => path.replace(/^\.spec/, '')).join(' ');
  }
}

const fieldTables: readonly (readonly [string, Spec, string, string])[] = [
  ['leaves, and structures that are nobody\'s', { number: 1, part: { a: 1 } }, '.number .part.a', '.number .part .part.a'],
  ['members of maps', { map: { x: '1', y: '2' } }, '.map.x .map.y', '.map .map.x .map.y'],
  ['maps in maps', { maps: { x: { y: '1' } } }, '.maps.x .maps.x.y', '.maps .maps.x .maps.x.y'],
  ['what is atomic as a whole', { whole: { a: 1 }, atoms: [1, 2] }, '.atoms .whole', '.atoms .whole'],
  ['items of a set', { set: ['b', 'a'] }, '.set[="a"] .set[="b"]', '.set .set[="a"] .set[="b"]'],
  ['items by their key', { items: [{ name: 'n', value: 1 }] }, '.items[name="n"] .items[name="n"].name .items[name="n"].value', '.items .items[name="n"] .items[name="n"].name .items[name="n"].value'],
  ['keys that have a default', { pairs: [{ name: 'n' }] }, '.pairs[name="n",protocol="TCP"] .pairs[name="n",protocol="TCP"].name', '.pairs .pairs[name="n",protocol="TCP"] .pairs[name="n",protocol="TCP"].name'],
  ['values without a schema, member by member', { free: { x: { y: 1 }, z: [1] } }, '.free.x .free.x.y .free.z', '.free .free.x .free.x.y .free.z'],
  ['what is empty', { map: {}, items: [], part: {} }, '.map .part', '.items .map .part'],
];
for (const [title, spec, applied, fresh] of fieldTables) {
  test(`fields: ${title}`, (t) => {
    t.is(pathsOf(appliedFields(shape, spec)).join(' '), applied);
    t.is(pathsOf(newFields(shape, spec)).join(' '), fresh);
    const set: FieldSet = { 'f:spec': newFields(shape, spec) };
    t.deepEqual(readFieldSet(JSON.parse(JSON.stringify(set))), set);
  });
}

test('a field set is written as Kubernetes writes it', (t) => {
  const spec = { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', ports: [{ containerPort: 80 }] }] } } };
  t.deepEqual(appliedFields(shapeOf(Deployment.schema), { spec }), { 'f:spec': { 'f:template': {
    'f:metadata': { 'f:labels': { 'f:app': {} } },
    'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } } } } },
  } } } as unknown as FieldSet);
});

test('field sets from outside', (t) => {
  t.is(readFieldSet({}), undefined);
  for (const bad of [null, [], 'x', { spec: {} }, { 'f:a': 1 }, { 'f:a': { '__proto__x': {} } }, JSON.parse('{"f:a":{"__proto__":{}}}')]) t.is(readFieldSet(bad), false, JSON.stringify(bad));
  let deep: object = {};
  for (let level = 0; level < 1_000; level++) deep = { 'f:a': deep };
  t.is(readFieldSet(deep), false);
});

const comparisons: readonly (readonly [string, Spec, Spec, string, string, string])[] = [
  ['nothing', { map: { a: '1' }, items: [{ name: 'n' }] }, { items: [{ name: 'n' }], map: { a: '1' } }, '', '', ''],
  ['leaves', { number: 1, word: 'x' }, { number: 2, part: { a: 1 } }, '.part .part.a', '.number', '.word'],
  ['members', { map: { a: '1', b: '1' } }, { map: { a: '2', c: '1' } }, '.map.c', '.map.a', '.map.b'],
  ['items', { items: [{ name: 'a', value: 1 }, { name: 'b' }] }, { items: [{ name: 'c' }, { name: 'a', value: 2 }] },
    '.items[name="c"] .items[name="c"].name', '.items[name="a"].value', '.items[name="b"] .items[name="b"].name'],
  ['sets', { set: ['a', 'b'] }, { set: ['b', 'c'] }, '.set[="c"]', '', '.set[="a"]'],
  ['atoms', { atoms: [1], whole: { a: 1 } }, { atoms: [1, 2], whole: { a: 1, b: 2 } }, '', '.atoms .whole', ''],
  ['order alone', { items: [{ name: 'a' }, { name: 'b' }], set: ['a', 'b'] }, { items: [{ name: 'b' }, { name: 'a' }], set: ['b', 'a'] }, '', '', ''],
  ['doubled keys', { items: [{ name: 'a', value: 1 }] }, { items: [{ name: 'a', value: 1 }, { name: 'a', value: 2 }] }, '', '.items[name="a"]', ''],
];
for (const [title, before, after, added, modified, removed] of comparisons) {
  test(`comparison: ${title}`, (t) => {
    const found = compare(shape, before, after);
    t.is(pathsOf(found.added).join(' '), added);
    t.is(pathsOf(found.modified).join(' '), modified);
    t.is(pathsOf(found.removed).join(' '), removed);
  });
}

const merges: readonly (readonly [string, Spec, Spec, Spec])[] = [
  ['members stay and change', { map: { a: '1', b: '1' }, part: { a: 1 } }, { map: { b: '2' }, part: { b: 1 } }, { map: { a: '1', b: '2' }, part: { a: 1, b: 1 } }],
  ['what is atomic is replaced', { whole: { a: 1, b: 1 }, atoms: [1, 2] }, { whole: { a: 2 }, atoms: [3] }, { whole: { a: 2 }, atoms: [3] }],
  ['sets unite', { set: ['a', 'b'] }, { set: ['c', 'a'] }, { set: ['c', 'a', 'b'] }],
  ['items merge in the applied order', { items: [{ name: 'a', value: 1 }, { name: 'x' }, { name: 'b' }] }, { items: [{ name: 'b', value: 2 }, { name: 'a' }] },
    { items: [{ name: 'x' }, { name: 'b', value: 2 }, { name: 'a', value: 1 }] }],
  ['doubled items give way', { items: [{ name: 'a', value: 1 }, { name: 'a', value: 2 }] }, { items: [{ name: 'a', value: 3 }] }, { items: [{ name: 'a', value: 3 }] }],
  ['an empty list says nothing', { items: [{ name: 'a' }] }, { items: [] }, { items: [{ name: 'a' }] }],
];
for (const [title, live, applied, expected] of merges) {
  test(`merge: ${title}`, (t) => {
    const merged = merge(shape, deepFreeze(live), deepFreeze(applied)) as Spec;
    t.deepEqual(merged['items'] === undefined ? merged : { ...merged, items: (merged['items'] as { name: string }[]).toSorted((a, b) => title.startsWith('items') ? 0 : a.name < b.name ? -1 : 1) }, expected);
  });
}

test('what is applied is owned; what is given up goes', (t) => {
  const world = new World();
  world.apply('a', { number: 1, word: 'x', map: { k: '1', l: '1' }, set: ['p', 'q'], items: [{ name: 'n', value: 1 }, { name: 'm' }], part: { a: 1 } });
  t.is(world.owns('a'), '.items[name="m"] .items[name="m"].name .items[name="n"] .items[name="n"].name .items[name="n"].value .map.k .map.l .number .part.a .set[="p"] .set[="q"] .word');
  world.apply('a', { word: 'x', map: { l: '1' }, set: ['q'], items: [{ name: 'n' }] });
  t.deepEqual(world.spec, { word: 'x', map: { l: '1' }, set: ['q'], items: [{ name: 'n' }] });
  world.apply('a', {});
  t.deepEqual(world.spec, {});
});

test('a value on which managers agree has several owners, and goes with the last', (t) => {
  const world = new World();
  world.apply('a', { number: 1, map: { k: '1' }, items: [{ name: 'n', value: 1 }] });
  world.apply('b', { number: 1, map: { k: '1' }, items: [{ name: 'n' }] });
  t.is(world.owns('b'), '.items[name="n"] .items[name="n"].name .map.k .number');
  world.apply('a', {});
  t.deepEqual(world.spec, { number: 1, map: { k: '1' }, items: [{ name: 'n' }] }, 'only the value that was a\'s alone is gone');
  t.is(world.owns('a'), '');
  world.apply('b', {});
  t.deepEqual(world.spec, {});
});

test('a change of what another manager owns is a conflict that names all fields', (t) => {
  const world = new World();
  world.apply('a', { number: 1, items: [{ name: 'n', value: 1 }] });
  world.update('u', { ...world.spec, word: 'u' });
  t.is(world.owns('u'), '.word');
  const one = t.throws(() => world.apply('b', { number: 2 }), { instanceOf: ApiError, message: 'Apply failed with 1 conflict: conflict with "a": .spec.number' });
  t.is(one.reason, 'Conflict');
  t.deepEqual(one.details, { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "a"', field: '.spec.number' }] });
  const many = t.throws(() => world.apply('b', { number: 2, word: 'b', items: [{ name: 'n', value: 2 }] }), { instanceOf: ApiError });
  t.is(many.message, 'Apply failed with 3 conflicts: conflicts with "a":\n- .spec.items[name="n"].value\n- .spec.number\nconflicts with "u" using test/v1:\n- .spec.word');
  t.deepEqual(many.details?.causes?.at(-1), { reason: 'FieldManagerConflict', message: 'conflict with "u" using test/v1', field: '.spec.word' });

  world.apply('b', { number: 2, word: 'b' }, true);
  t.deepEqual([world.owns('a'), world.owns('b'), world.owns('u')], ['.items[name="n"] .items[name="n"].name .items[name="n"].value', '.number .word', '']);
  world.apply('a', { items: [{ name: 'n', value: 1 }] });
  t.is(world.spec['number'], 2, 'whoever lost a field does not take it away');
});

test('atomic values have one owner unless they are equal', (t) => {
  const world = new World();
  world.apply('a', { whole: { a: 1 }, atoms: [1] });
  world.apply('b', { whole: { a: 1 }, atoms: [1] });
  t.is(world.owns('b'), '.atoms .whole');
  t.throws(() => world.apply('b', { whole: { a: 1, b: 2 } }), { message: /conflict with "a": \.spec\.whole$/ });
});

test('an update takes what it changes, and what it removes belongs to nobody', (t) => {
  const world = new World();
  world.apply('a', { number: 1, word: 'x', map: { k: '1', l: '1' } });
  world.update('u', { number: 2, word: 'x', map: { l: '1', m: '1' } });
  t.deepEqual([world.owns('a'), world.owns('u')], ['.map.l .word', '.map.m .number']);
  world.apply('a', { word: 'x' });
  t.deepEqual(world.spec, { number: 2, word: 'x', map: { m: '1' } }, 'what the update set stays');
});

test('an item that its owner gives up goes with what others have set in it; one that others own stays', (t) => {
  const world = new World();
  world.apply('a', { items: [{ name: 'n', value: 1 }, { name: 'm' }] });
  world.update('u', { items: [{ name: 'n', value: 2 }, { name: 'm' }] });
  world.apply('b', { items: [{ name: 'm', value: 7 }] });
  world.apply('a', {});
  t.deepEqual(world.spec, { items: [{ name: 'm', value: 7 }] });
});

test('the first apply to an object that nobody has been known of', (t) => {
  const world = new World();
  world.live = thing({ number: 1, word: 'x' });
  t.throws(() => world.apply('a', { number: 2 }), { message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using test/v1: .spec.number' });
  world.apply('a', { number: 1 });
  t.deepEqual([world.owns('a'), world.owns('before-first-apply')], ['.number', '.number .word']);
});

test('what kubectl had applied in the client is taken over where it still stands', (t) => {
  const last = JSON.stringify({ apiVersion: 'test/v1', kind: 'Thing', metadata: { name: 'it' }, spec: { number: 1, word: 'x' } });
  const annotated = (spec: Spec, annotation: string): ApiObject => {
    const object = { ...thing(spec), metadata: { name: 'it', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': annotation } } } as ApiObject;
    const managers = afterUpdate([], updater('kubectl-client-side-apply'), compareStates(Thing, '', thing({}), object), time);
    return { ...object, metadata: { ...object.metadata, managedFields: writeManagers(managers)! } };
  };
  const apply = (live: ApiObject, manager: string): Applied =>
    applyTo(deepFreeze(live), { kind: Thing, who: applier(manager), configuration: { object: thing({ number: 2 }), said: { apiVersion: 'test/v1', spec: { number: 2 } } }, force: false, time });

  const { object } = apply(annotated({ number: 1, word: 'x' }, last), 'kubectl');
  t.is(specOf(object)['number'], 2);
  t.is(object.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'], '{"apiVersion":"test/v1","metadata":{"annotations":{}},"spec":{"number":2}}\n', 'the annotation goes on saying what was applied');
  t.throws(() => apply(annotated({ number: 1, word: 'x' }, last), 'argo'), { message: /conflict with "kubectl-client-side-apply"/ });
  t.throws(() => apply(annotated({ number: 5, word: 'x' }, last), 'kubectl'), { message: /conflict with "kubectl-client-side-apply"/ }, 'somebody else has changed it since');
  t.throws(() => apply(annotated({ number: 1 }, 'no JSON'), 'kubectl'), { message: /conflict with "kubectl-client-side-apply"/ });
});

test('what cannot be applied is named with its place', (t) => {
  const errors = (spec: Spec): readonly string[] => configurationErrors(shape, spec);
  t.deepEqual(errors({ number: 1, map: { any: '1' }, free: { any: { thing: 1 } } }), []);
  t.deepEqual(errors({ bogus: 1, part: { bogus: 1 }, whole: { bogus: 1 }, items: [{ name: 'n', bogus: 1 }] }), [
    '.bogus: field not declared in schema', '.part.bogus: field not declared in schema', '.whole.bogus: field not declared in schema', '.items[name="n"].bogus: field not declared in schema',
  ]);
  t.deepEqual(errors({ items: [{ name: 'n' }, { name: 'n' }, { value: 1 }], set: ['a', 'a'] }), [
    '.items: element 2: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
    '.items: duplicate entries for key [name="n"]', '.set: duplicate entries for key [="a"]',
  ]);
});

test('no more than ten updates are kept apart: the oldest share one entry a version', (t) => {
  const fields = (name: string): FieldSet => ({ 'f:spec': { [`f:${name}`]: {} } });
  const updates = Array.from({ length: 13 }, (_, index): Manager => ({ ...updater(`u${index}`, index === 1 ? 'test/v2' : 'test/v1'), time: `2026-01-31T12:00:${10 + index}Z`, fields: fields(`f${index}`) }));
  const capped = capUpdates([{ ...applier('a'), time, fields: fields('a') }, ...updates]);
  t.is(capped.filter(({ operation }) => operation === 'Update').length, maxUpdateManagers);
  const ancient = capped.find(({ manager }) => manager === 'ancient-changes');
  t.is(pathsOf(ancient?.fields).join(' '), '.spec.f0 .spec.f2 .spec.f3 .spec.f4');
  t.is(ancient?.time, '2026-01-31T12:00:14Z');
  t.true(capped.some(({ manager }) => manager === 'u1') && capped.some(({ manager }) => manager === 'a'));
});

test('entries: order, sharing of sets, and text that is not made twice', (t) => {
  const fields: FieldSet = { 'f:spec': { 'f:number': {} } };
  const entries = writeManagers([{ ...updater('u'), time: '2026-01-01T00:00:00Z', fields }, { ...applier('b'), time, fields: { ...fields } }, { ...applier('a'), time, fields }])!;
  t.deepEqual(entries.map(({ manager }) => manager), ['a', 'b', 'u']);
  t.is(entries[0]!.fieldsV1, entries[1]!.fieldsV1, 'equal sets are one');
  t.is(shared(JSON.parse(JSON.stringify(fields)) as FieldSet), entries[0]!.fieldsV1 as FieldSet);
  const object = { kind: 'Thing', apiVersion: 'test/v1', metadata: { name: '"metadata":{', managedFields: entries }, spec: {} } as ApiObject;
  t.deepEqual(JSON.parse(textOf(object)), JSON.parse(JSON.stringify(object)));
  t.is(readManagers([{ manager: 'x', operation: 'Guess' as 'Apply', fieldsType: 'FieldsV1', fieldsV1: fields }]), undefined);
  t.is(readManagers([{ manager: 'x', operation: 'Apply', fieldsType: 'FieldsV2', fieldsV1: fields }]), undefined);
});

// Properties over the small kind.
const word = fc.constantFrom('a', 'b', 'c');
const number = fc.integer({ min: 0, max: 3 });
const items = fc.uniqueArray(fc.record({ name: word, value: number, tags: fc.uniqueArray(word, { minLength: 1 }) }, { requiredKeys: ['name'] }), { selector: ({ name }) => name, minLength: 1, maxLength: 3 });
const specs: fc.Arbitrary<Spec> = fc.record({
  number, word, whole: fc.record({ a: number, b: number }, { requiredKeys: [] }), part: fc.record({ a: number, b: number }, { requiredKeys: [] }),
  map: fc.dictionary(word, word), atoms: fc.array(number, { maxLength: 3 }), set: fc.uniqueArray(word, { minLength: 1 }), items, free: fc.dictionary(word, fc.oneof(number, fc.dictionary(word, number))),
}, { requiredKeys: [] });
const writes = fc.array(fc.record({ by: fc.constantFrom('a', 'b', 'u'), spec: specs }), { maxLength: 6 });

const after = (steps: readonly { readonly by: string; readonly spec: Spec }[]): World => {
  const world = new World();
  world.update('u', { number: 0 });
  for (const { by, spec } of steps) {
    if (by === 'u') world.update(by, spec);
    else world.apply(by, spec, true);
  }
  return world;
};

test('property: applying the same again changes nothing', (t) => {
  fc.assert(fc.property(writes, specs, (steps, spec) => {
    const world = after(steps);
    world.apply('a', spec, true);
    const once = world.live;
    world.apply('a', spec);
    t.deepEqual(world.live, once);
  }), { numRuns: 300 });
});

test('property: nobody owns what is not there', (t) => {
  fc.assert(fc.property(writes, (steps) => {
    const { live } = after(steps);
    const there = newFields(shapeOf(Thing.schema), live);
    for (const { manager, fields } of readManagers(live?.metadata.managedFields) ?? []) t.deepEqual(pathsOf(difference(fields, there)), [], manager);
  }), { numRuns: 300 });
});

test('property: what a manager applied stands, and what it gives up leaves no trace', (t) => {
  fc.assert(fc.property(writes, specs, (steps, spec) => {
    const world = after(steps);
    world.apply('a', {}, true);
    const before = world.spec;
    world.apply('c', spec, true);
    const comparison = compare(shape, world.spec, merge(shape, world.spec, spec));
    t.deepEqual(pathsOf(union(comparison.added, comparison.modified)), []);
    const untouched = compare(shape, before, world.spec);
    if (untouched.modified === undefined) {
      world.apply('c', {}, true);
      const left = compare(shape, before, world.spec);
      t.deepEqual([pathsOf(left.added), pathsOf(left.modified)], [[], []]);
    }
  }), { numRuns: 300 });
});

test('property: a write takes from others only what it changes, and what somebody owned and still stands is somebody\'s', (t) => {
  const ownersOf = (world: World): ReadonlyMap<string, FieldSet> => new Map((readManagers(world.live?.metadata.managedFields) ?? []).map(({ manager, fields }) => [manager, fields]));
  fc.assert(fc.property(writes, fc.constantFrom('a', 'u'), specs, (steps, by, spec) => {
    const world = after(steps);
    const [before, owners] = [world.spec, ownersOf(world)];
    if (by === 'u') world.update(by, spec);
    else world.apply(by, spec, true);
    const now = ownersOf(world);
    const { added, modified, removed } = compare(shape, before, world.spec);
    const changed = union(union(added, modified), removed);
    const others = [...owners].filter(([manager]) => manager !== by);
    for (const [manager, fields] of others) {
      const lost = difference(fields, now.get(manager));
      t.deepEqual(pathsOf(difference(lost, changed === undefined ? undefined : { 'f:spec': changed })), [], manager);
    }
    // The writer may give its own fields up; what others owned never falls to nobody while it stands.
    const owned = [...now.values()].reduce<FieldSet | undefined>((all, fields) => union(all, fields), undefined);
    const standing = difference(others.reduce<FieldSet | undefined>((all, [, fields]) => union(all, fields), undefined), removed === undefined ? undefined : { 'f:spec': removed });
    const there = newFields(shapeOf(Thing.schema), world.live);
    t.deepEqual(pathsOf(difference(intersection(standing, there), owned)), []);
  }), { numRuns: 300 });
});

test('property: managers of different fields do not depend on who comes first', (t) => {
  const mine = fc.record({ number, part: fc.record({ a: number }), map: fc.record({ a: word }), items: fc.constant([{ name: 'a', value: 1 }]), set: fc.constant(['a']) }, { requiredKeys: [] });
  const yours = fc.record({ word, part: fc.record({ b: number }), map: fc.record({ b: word }), items: fc.constant([{ name: 'b', value: 2 }]), set: fc.constant(['b']) }, { requiredKeys: [] });
  const sorted = (world: World): unknown => {
    const { items = [], set = [], ...rest } = world.spec as { items?: { name: string }[]; set?: string[] };
    return { ...rest, items: items.toSorted((a, b) => (a.name < b.name ? -1 : 1)), set: set.toSorted(), owners: [world.owns('a'), world.owns('b')] };
  };
  fc.assert(fc.property(mine, yours, (a, b) => {
    const one = new World();
    one.apply('a', a);
    one.apply('b', b);
    const other = new World();
    other.apply('b', b);
    other.apply('a', a);
    t.deepEqual(sorted(one), sorted(other));
  }), { numRuns: 200 });
});

test('property: the algebra of sets', (t) => {
  fc.assert(fc.property(specs, specs, (left, right) => {
    const [a, b] = [newFields(shape, left), newFields(shape, right)];
    const paths = (set: FieldSet | undefined): readonly string[] => pathsOf(set).toSorted();
    const [x, y] = [paths(a), paths(b)];
    t.deepEqual(paths(union(a, b)), [...new Set([...x, ...y])].sort());
    t.deepEqual(paths(difference(a, b)), x.filter((path) => !y.includes(path)));
    t.deepEqual(paths(intersection(a, b)), x.filter((path) => y.includes(path)));
    t.deepEqual(JSON.stringify(union(a, b)), JSON.stringify(union(b, a)), 'equal sets have equal text');
  }), { numRuns: 300 });
});
