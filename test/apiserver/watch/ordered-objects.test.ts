import test from 'ava';
import * as fc from 'fast-check';
import { OrderedObjects } from '../../../apiserver/watch/ordered-objects.ts';
import type { ApiObject } from '../../../schemas/kind.ts';

const object = (name: string): ApiObject => ({ kind: 'Thing', apiVersion: 'v1', metadata: { name } });

test('agrees with a map that is sorted at each list, also over many chunks', (t) => {
  const step = fc.record({ from: fc.nat(3_000), count: fc.nat(900), stride: fc.constantFrom(1, 7, -3), gone: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const ordered = new OrderedObjects();
    const model = new Map<string, ApiObject>();
    for (const { from, count, stride, gone } of steps) {
      for (let n = 0; n < count; n++) {
        const number = from + n * stride;
        const key = `/things/${number % 3}/${String(number).padStart(5, '0')}`;
        if (gone) {
          ordered.delete(key);
          model.delete(key);
        } else {
          const made = object(key);
          ordered.set(key, made);
          model.set(key, made);
        }
      }
    }
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
    t.is(ordered.size, model.size);
    t.deepEqual(ordered.list(), sorted.map(([, one]) => one));
    for (const prefix of ['', '/things/1/', '/things/2/', '/things/2/01', '/x']) {
      const expected = sorted.filter(([key]) => key.startsWith(prefix));
      t.deepEqual(ordered.under(prefix), expected.map(([, one]) => one));
      t.deepEqual([...ordered.entries(prefix)], expected);
    }
  }), { numRuns: 40 });
});

test('a list stays as it was taken', (t) => {
  const ordered = new OrderedObjects();
  ordered.set('a', object('a'));
  const before = ordered.list();
  ordered.set('b', object('b'));
  t.is(before.length, 1);
  t.is(ordered.list().length, 2);
  t.is(ordered.list(), ordered.list());
});
