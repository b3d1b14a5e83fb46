import test from 'ava';
import * as fc from 'fast-check';
import { PodHeap } from '../../scheduler/pod-heap.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { PodQueue } from '../../scheduler/pod-queue.ts';
import type { Wake } from '../../scheduler/framework.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { pod, podInfo } from './objects.ts';

const world = () => {
  const clock = new FakeClock();
  let woken = 0;
  const queue = new PodQueue(clock, () => woken++);
  const next = () => queue.next()?.info.pod.metadata.name;
  const refuse = (name: string, ...wokenBy: readonly Wake[]) => {
    queue.next();
    queue.park(`uid-${name}`, new Set(wokenBy));
  };
  return { clock, queue, next, refuse, woken: () => woken };
};
const yes = () => undefined;

test('pods come by priority, then in the order in which they came', (t) => {
  const { queue, next } = world();
  queue.put(podInfo('a'));
  queue.put(podInfo('b', {}, { priority: 10 }));
  queue.put(podInfo('c'));
  queue.put(podInfo('d', {}, { priority: 10 }));
  t.deepEqual([next(), next(), next(), next(), next()], ['b', 'd', 'a', 'c', undefined]);
});

test('a refused pod sleeps until an event that can help, and that makes it fit', async (t) => {
  const { clock, queue, next, refuse } = world();
  queue.put(podInfo('a'));
  refuse('a', 'podGone');
  t.is(next(), undefined);
  await clock.advance(2_000);
  queue.wake(['nodeTaints'], yes);
  t.is(next(), undefined);
  queue.wake(['podGone'], () => ['podGone']);
  t.is(next(), undefined);
  t.deepEqual(queue.sizes, { active: 0, backingOff: 0, parked: 1 });
  queue.wake(['podGone'], () => ['nodeTaints']);
  t.is(next(), 'a', 'it is refused for a new reason, which is to be told');
  queue.park('uid-a', new Set(['podGone']));
  await clock.advance(2_000);
  queue.wake(['podGone'], yes);
  t.is(next(), 'a');
});

test('one that is woken too soon backs off: 1 s, doubling to 10 s', async (t) => {
  const { clock, queue, next } = world();
  queue.put(podInfo('a'));
  for (const waitMs of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    t.is(next(), 'a');
    queue.park('uid-a', new Set(['podGone']));
    queue.wake(['podGone'], yes);
    t.is(queue.sizes.backingOff, 1);
    await clock.advance(waitMs - 1);
    t.is(next(), undefined, `before ${waitMs}`);
    await clock.advance(1);
  }
  t.is(next(), 'a');
  queue.park('uid-a', new Set(['podGone']));
  await clock.advance(10_000);
  queue.wake(['podGone'], yes);
  t.is(next(), 'a', 'after its backoff it is woken at once');
});

test('a parked pod is tried again after five minutes all the same, in its newest state', async (t) => {
  const { clock, queue, refuse, woken } = world();
  queue.put(podInfo('a'));
  refuse('a');
  const newer = podInfo('a');
  queue.replace(newer);
  await clock.advance(299_999);
  t.is(woken(), 1);
  await clock.advance(1);
  t.is(woken(), 2);
  t.is(queue.next()?.info, newer);
});

test('a pod that changes is tried at once, one that only looks different stays where it is', async (t) => {
  const { clock, queue, next, refuse } = world();
  queue.put(podInfo('a'));
  refuse('a', 'podGone');
  queue.replace(podInfo('a'));
  t.is(next(), undefined);
  queue.put(podInfo('a', { cpu: '1' }));
  const tried = queue.next();
  t.like(tried, { attempts: 1 });
  t.is(tried?.info.requests.cpuMilli, 1000);
  queue.fail('uid-a');
  const newest = podInfo('a', { cpu: '2' });
  queue.replace(newest);
  await clock.advance(2_000);
  t.is(queue.next()?.info, newest);
});

test('a pod that is gone leaves the queue from wherever it is', async (t) => {
  const { clock, queue, next } = world();
  for (const name of ['active', 'parked', 'backing', 'tried']) queue.put(podInfo(name));
  for (const name of ['active', 'parked', 'backing', 'tried']) t.is(next(), name);
  queue.park('uid-parked', new Set(['podGone']));
  queue.fail('uid-backing');
  queue.put(podInfo('active'));
  for (const name of ['active', 'parked', 'backing', 'tried']) queue.remove(`uid-${name}`);
  queue.park('uid-tried', new Set(['podGone']));
  queue.fail('uid-tried');
  queue.wake(['podGone'], yes);
  await clock.advance(1_000_000);
  t.deepEqual(queue.sizes, { active: 0, backingOff: 0, parked: 0 });
  t.is(clock.pending, 0);
});

test('property: the heap gives what a sorted list would', (t) => {
  const act = fc.record({ act: fc.constantFrom('push', 'push', 'remove', 'pop', 'replace'), n: fc.integer({ min: 0, max: 15 }), priority: fc.integer({ min: 0, max: 3 }) });
  fc.assert(fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
    const heap = new PodHeap();
    let model: { readonly uid: string; readonly priority: number; readonly order: number }[] = [];
    for (const [order, { act: what, n, priority }] of acts.entries()) {
      const info = new PodInfo(pod(`p${n}`, {}, { priority }));
      const held = model.find(({ uid }) => uid === info.uid);
      if (what === 'push' || (what === 'replace' && held !== undefined)) {
        model = [...model.filter(({ uid }) => uid !== info.uid), { uid: info.uid, priority, order: what === 'push' ? order : held!.order }];
        if (what === 'push') heap.push({ info, attempts: 0, order });
        else heap.replace(info);
      } else if (what === 'remove') {
        t.is(heap.remove(info.uid)?.info.uid, held?.uid);
        model = model.filter(({ uid }) => uid !== info.uid);
      } else if (what === 'pop') {
        const first = model.toSorted((a, b) => b.priority - a.priority || a.order - b.order)[0];
        t.is(heap.pop()?.info.uid, first?.uid);
        model = model.filter((one) => one !== first);
      }
      t.is(heap.size, model.length);
    }
  }), { numRuns: 100 });
});
