import test from 'ava';
import type { Component } from '../../base/component.ts';
import { silentLog } from '../../base/log.ts';
import { settle } from '../helpers/fake-clock.ts';
import { aborted, runComponents } from '../../cli/run-components.ts';

const recorder = () => {
  const lines: string[] = [];
  const component = (name: string, after: readonly string[], readyWhen?: Promise<void>): Component => ({
    name, after,
    run: async (signal, ready) => {
      lines.push(`start ${name}`);
      await readyWhen;
      ready();
      await aborted(signal);
      lines.push(`end ${name}`);
    },
  });
  return { lines, component };
};

test('each starts when those before it are ready', async (t) => {
  const { lines, component } = recorder();
  const first = Promise.withResolvers<void>();
  const stop = new AbortController();
  const done = runComponents([component('b', ['a', 'not here']), component('a', [], first.promise)], stop.signal, silentLog);
  await settle();
  t.deepEqual(lines, ['start a']);
  first.resolve();
  await settle();
  t.deepEqual(lines, ['start a', 'start b']);
  stop.abort();
  await done;
  t.deepEqual(lines.slice(2).sort(), ['end a', 'end b']);
});

test('when one fails the others are stopped, and its error comes out', async (t) => {
  const { lines, component } = recorder();
  const broken: Component = { name: 'broken', after: ['a'], run: () => Promise.reject(new Error('no disk')) };
  await t.throwsAsync(runComponents([component('a', []), broken], new AbortController().signal, silentLog), { message: 'no disk' });
  t.deepEqual(lines, ['start a', 'end a']);
});

test('one that ends by itself is a failure', async (t) => {
  const early: Component = { name: 'early', after: [], run: () => Promise.resolve() };
  await t.throwsAsync(runComponents([early], new AbortController().signal, silentLog), { message: 'early ended by itself' });
});

test('what waits for another never starts after the abort', async (t) => {
  const { lines, component } = recorder();
  const stop = new AbortController();
  const done = runComponents([component('a', [], new Promise<void>(() => undefined)), component('b', ['a'])], stop.signal, silentLog);
  await settle();
  stop.abort();
  await Promise.race([done, settle()]);
  t.deepEqual(lines, ['start a']);
});
