import test from 'ava';
import { defineKind, topLevel } from '../../schemas/kind.ts';
import { createRegistry, GrowingRegistry } from '../../schemas/registry.ts';

const kind = (group: string, plural: string, name: string, version = 'v1') => defineKind(topLevel(`${group}.${version}.${name}`, 'A thing.', {}), {
  group, version, kind: name, plural, scope: 'Namespaced', columns: [],
});

const builtin = kind('', 'things', 'Thing');

test('a registry refuses two kinds of one address', (t) => {
  t.throws(() => createRegistry([builtin, kind('', 'things', 'Other')]), { message: /two kinds are called v1\/things/ });
});

test('a growing registry finds what is added, and loses it again', (t) => {
  const registry = new GrowingRegistry(createRegistry([builtin]));
  let changes = 0;
  const stop = registry.onChange(() => changes++);
  t.is(registry.all().length, 1);
  const before = registry.all();
  const widget = kind('example.com', 'widgets', 'Widget');
  const old = kind('example.com', 'widgets', 'Widget', 'v1beta1');
  registry.replace('widgets.example.com', [widget, old]);
  t.is(registry.resource('example.com', 'v1', 'widgets'), widget);
  t.is(registry.kind('example.com/v1beta1', 'Widget'), old);
  t.deepEqual(registry.all().map(({ group, version, kind: name }) => `${group}/${version} ${name}`), ['example.com/v1 Widget', 'example.com/v1beta1 Widget', '/v1 Thing']);
  t.not(registry.all(), before);
  t.is(registry.all(), registry.all());

  const newer = kind('example.com', 'widgets', 'Widget');
  registry.replace('widgets.example.com', [newer]);
  t.is(registry.resource('example.com', 'v1', 'widgets'), newer);
  t.is(registry.resource('example.com', 'v1beta1', 'widgets'), undefined);

  registry.replace('widgets.example.com', []);
  t.is(registry.resource('example.com', 'v1', 'widgets'), undefined);
  t.deepEqual(registry.all(), [builtin]);
  t.is(changes, 3);
  registry.replace('widgets.example.com', []);
  t.is(changes, 3, 'nothing has changed');
  stop();
  registry.replace('widgets.example.com', [widget]);
  t.is(changes, 3);
});

test('what was there first keeps its place', (t) => {
  const registry = new GrowingRegistry(createRegistry([builtin]));
  registry.replace('a', [kind('', 'things', 'Impostor'), kind('example.com', 'widgets', 'Widget')]);
  registry.replace('b', [kind('example.com', 'widgets', 'Gadget')]);
  t.is(registry.resource('', 'v1', 'things'), builtin);
  t.is(registry.resource('example.com', 'v1', 'widgets')?.kind, 'Widget');
  registry.replace('a', []);
  t.is(registry.resource('example.com', 'v1', 'widgets')?.kind, 'Gadget', 'the place is free now');
});
