import test from 'ava';
import { defaultThresholds, heldConditions, lastMetAfter, metThresholds, parseThresholds, type LastMet, type Observation, type Signal } from '../../../kubelet-lite/pressure/thresholds.ts';

test('thresholds in the kubelet\'s words', (t) => {
  t.deepEqual(parseThresholds('memory.available<100Mi, nodefs.inodesFree<5%'), [{ signal: 'memory.available', least: { amount: 100 * 2 ** 20 } }, { signal: 'nodefs.inodesFree', least: { share: 0.05 } }]);
  t.deepEqual(parseThresholds('memory.available<0%,imagefs.available<100%'), [], 'neither is ever met');
  t.deepEqual(parseThresholds('imagefs.available<7.5%'), [{ signal: 'imagefs.available', least: { share: 0.075 } }]);
  t.is(parseThresholds(defaultThresholds).length, 4);
});

for (const [text, message] of [
  ['memory.available', /"memory.available" must be a signal, "<" and an amount/],
  ['', /must be a signal/],
  ['memory.available>1Gi', /must be a signal/],
  ['pid.available<10%', /"pid.available" is no signal that is watched; there are: memory.available, nodefs.available/],
  ['memory.available<-5%', /-5% must be from 0% to 100%/],
  ['memory.available<101%', /101% must be from 0% to 100%/],
  ['memory.available<much', /much must be a quantity above 0/],
  ['memory.available<0', /0 must be a quantity above 0/],
  ['memory.available<1Gi,memory.available<2Gi', /memory.available is there twice/],
] as const) test(`no thresholds: ${JSON.stringify(text)}`, (t) => { t.throws(() => parseThresholds(text), { message }); });

const seen = (all: Partial<Record<Signal, readonly [available: number, capacity: number]>>): ReadonlyMap<Signal, Observation> =>
  new Map(Object.entries(all).map(([signal, [available, capacity]]) => [signal as Signal, { available, capacity }]));

test('a threshold is met when less is left, memory before all others; what is not seen is not short', (t) => {
  const thresholds = parseThresholds('nodefs.available<10%,memory.available<100,imagefs.available<10%');
  t.deepEqual(metThresholds(thresholds, seen({ 'nodefs.available': [10, 100], 'memory.available': [100, 1_000] })), []);
  t.deepEqual(metThresholds(thresholds, seen({ 'nodefs.available': [9, 100], 'memory.available': [99, 1_000] })), [
    { signal: 'memory.available', least: 100, available: 99, capacity: 1_000 }, { signal: 'nodefs.available', least: 10, available: 9, capacity: 100 },
  ]);
});

test('a condition is kept for a while after it was last met', (t) => {
  const [met] = metThresholds(parseThresholds('imagefs.inodesFree<10'), seen({ 'imagefs.inodesFree': [1, 100] }));
  const none: LastMet = new Map();
  const at1000 = lastMetAfter(none, [met!], 1_000);
  t.deepEqual([...heldConditions(at1000, 1_000, 300)], ['DiskPressure']);
  t.deepEqual([...heldConditions(at1000, 1_000, 0)], ['DiskPressure'], 'while it is met, however short the time');
  t.deepEqual([...heldConditions(lastMetAfter(at1000, [], 1_299), 1_299, 300)], ['DiskPressure']);
  t.deepEqual([...heldConditions(lastMetAfter(at1000, [], 1_300), 1_300, 300)], []);
  t.deepEqual([...heldConditions(lastMetAfter(at1000, [met!], 1_300), 1_500, 300)], ['DiskPressure']);
});
