import test from 'ava';
import * as fc from 'fast-check';
import { exposition } from '../../base/metrics/exposition.ts';
import { Metrics } from '../../base/metrics/metrics.ts';
import { countQueue } from '../../client/work-queue-metrics.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { parseExposition } from '../helpers/exposition.ts';
import { FakeClock } from '../helpers/fake-clock.ts';

const queueOn = (clock = new FakeClock()) => ({ clock, queue: new WorkQueue({ clock, random: () => 0 }) });

test('keys come out in the order they went in, each once', async (t) => {
  const { queue } = queueOn();
  for (const key of ['a', 'b', 'a', 'c']) queue.add(key);
  t.is(queue.size, 3);
  t.deepEqual([await queue.take(), await queue.take(), await queue.take()], ['a', 'b', 'c']);
});

test('a taker that waits gets the next key', async (t) => {
  const { queue } = queueOn();
  const first = queue.take();
  const second = queue.take();
  queue.add('a');
  queue.add('b');
  t.deepEqual(await Promise.all([first, second]), ['a', 'b']);
});

test('a key that becomes dirty while it is worked on comes again once it is done', async (t) => {
  const { queue } = queueOn();
  queue.add('a');
  await queue.take();
  queue.add('a');
  queue.add('a');
  t.is(queue.size, 0);
  queue.done('a');
  t.is(queue.size, 1);
  t.is(await queue.take(), 'a');
  queue.done('a');
  t.is(queue.size, 0);
});

test('the earliest delay wins, and an immediate add takes the place of all', async (t) => {
  const { clock, queue } = queueOn();
  queue.addAfter('a', 100);
  queue.addAfter('a', 500);
  queue.addAfter('b', 500);
  queue.addAfter('b', 100);
  queue.addAfter('c', 100);
  queue.add('c');
  t.is(queue.size, 1);
  await clock.advance(100);
  t.is(queue.size, 3);
  for (let n = 0; n < 3; n++) queue.done((await queue.take())!);
  await clock.advance(10_000);
  t.is(queue.size, 0);
  t.is(clock.pending, 0);
});

test('failures double the delay per key up to the longest; forget starts anew', (t) => {
  const { queue } = queueOn();
  const delays = Array.from({ length: 16 }, () => queue.retry('a'));
  t.deepEqual(delays.slice(0, 4), [5, 10, 20, 40]);
  t.deepEqual(delays.slice(-2), [60_000, 60_000]);
  t.is(queue.retry('b'), 5);
  t.is(queue.failures('a'), 16);
  queue.forget('a');
  t.is(queue.retry('a'), 5);
});

test('shutDown sends takers home, cancels timers and takes nothing more', async (t) => {
  const { clock, queue } = queueOn();
  const taker = queue.take();
  queue.addAfter('a', 100);
  queue.shutDown();
  t.is(await taker, undefined);
  queue.add('b');
  queue.addAfter('c', 1);
  t.is(queue.size, 0);
  t.is(clock.pending, 0);
  t.is(await queue.take(), undefined);
});

test('property: no key is worked on twice at once, and none that is dirty is forgotten', async (t) => {
  const step = fc.oneof(
    fc.record({ act: fc.constantFrom('add', 'retry'), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ act: fc.constant('later'), key: fc.constantFrom('a', 'b', 'c'), ms: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ act: fc.constantFrom('take', 'finish') }),
    fc.record({ act: fc.constant('pass'), ms: fc.integer({ min: 1, max: 60 }) }),
  );
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const { clock, queue } = queueOn();
    const working = new Set<string>();
    /** Keys that someone asked for after they were last given out. */
    const owed = new Set<string>();
    const taken = (key: string | undefined): void => {
      if (key === undefined) return;
      if (working.has(key)) throw new Error(`${key} was given out twice`);
      working.add(key);
      owed.delete(key);
    };
    for (const one of steps) {
      if (one.act === 'take' && queue.size > 0) taken(await queue.take());
      if (one.act === 'finish') for (const key of [...working].slice(0, 1)) {
        working.delete(key);
        queue.done(key);
      }
      if ('key' in one) {
        owed.add(one.key);
        if (one.act === 'add') queue.add(one.key);
        else if (one.act === 'retry') queue.retry(one.key);
        else if ('ms' in one) queue.addAfter(one.key, one.ms);
      }
      if (one.act === 'pass' && 'ms' in one) await clock.advance(one.ms);
    }
    await clock.advance(120_000);
    for (const key of working) queue.done(key);
    working.clear();
    while (queue.size > 0) taken(await queue.take());
    if (owed.size > 0) throw new Error(`forgotten: ${[...owed].join()}`);
  }), { numRuns: 60 });
  t.pass();
});

test('a queue shows what it holds and what went through it', async (t) => {
  const metrics = new Metrics();
  const queue = new WorkQueue({ clock: new FakeClock(), random: () => 0 });
  const took = countQueue(metrics, 'things', queue);
  queue.add('a');
  queue.add('b');
  const key = (await queue.take())!;
  took.observe(0.02);
  queue.retry(key);
  const families = parseExposition(exposition(metrics));
  const value = (name: string): number | undefined => families.get(name)?.samples[0]?.value;
  t.deepEqual([value('workqueue_depth'), value('workqueue_adds_total'), value('workqueue_retries_total')], [1, 2, 1]);
  t.is(families.get('workqueue_work_duration_seconds')?.samples.find(({ name }) => name.endsWith('_count'))?.value, 1);
});
