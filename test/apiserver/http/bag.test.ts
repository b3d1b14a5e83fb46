import test from 'ava';
import * as fc from 'fast-check';
import { Bag, type InBag } from '../../../apiserver/http/bag.ts';

test('a bag holds what a set would hold', (t) => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(9), fc.boolean()), { maxLength: 60 }), (steps) => {
    const things: InBag[] = Array.from({ length: 10 }, () => ({ place: -1 }));
    const bag = new Bag<InBag>();
    const set = new Set<InBag>();
    for (const [index, adds] of steps) {
      const thing = things[index]!;
      if (adds && !set.has(thing)) {
        bag.add(thing);
        set.add(thing);
      } else if (!adds) {
        bag.delete(thing);
        set.delete(thing);
      }
      t.is(bag.size, set.size);
      t.deepEqual(things.map((one) => bag.has(one)), things.map((one) => set.has(one)));
      t.true(bag.all().length === set.size && bag.all().every((one) => set.has(one)));
    }
  }));
});
