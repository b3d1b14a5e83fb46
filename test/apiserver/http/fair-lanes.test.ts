import test from 'ava';
import * as fc from 'fast-check';
import { FairLane, type Place } from '../../../apiserver/http/fair-lanes.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const limits = { total: 4, perUser: 2, waitingPerUser: 100, waiting: 1_000, waitMs: 10_000 };
const never = new AbortController().signal;

test('a user has his share, and no more though there is room', (t) => {
  const lane = new FairLane(limits, new FakeClock());
  t.truthy(lane.enter('a'));
  t.truthy(lane.enter('a'));
  t.is(lane.enter('a'), undefined);
  t.truthy(lane.enter('b'));
  t.truthy(lane.enter('b'));
  t.is(lane.enter('c'), undefined, 'the lane is full');
  t.is(lane.running, 4);
});

test('one noisy user does not hold up another: lines take turns', async (t) => {
  const lane = new FairLane({ ...limits, total: 2 }, new FakeClock());
  const order: string[] = [];
  const running: Place[] = [];
  const send = async (user: string): Promise<void> => {
    const outcome = lane.enter(user) ?? await lane.wait(user, never);
    if (typeof outcome === 'string') return;
    order.push(user);
    running.push(outcome);
  };
  for (const user of [...Array.from({ length: 20 }, () => 'noisy'), 'quiet', 'quiet', 'third']) void send(user);
  t.is(lane.waiting, 21);
  t.is(lane.enter('fourth'), undefined, 'who comes now stands behind those who wait');
  while (running.length > 0) {
    lane.leave(running.shift()!);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.deepEqual(order.slice(0, 8), ['noisy', 'noisy', 'quiet', 'third', 'noisy', 'quiet', 'noisy', 'noisy']);
  t.is(order.length, 23);
});

test('who waits too long, finds the line full, or goes away, leaves nothing behind', async (t) => {
  const clock = new FakeClock();
  const lane = new FairLane({ total: 1, perUser: 1, waitingPerUser: 1, waiting: 2, waitMs: 5_000 }, clock);
  const place = lane.enter('a')!;
  t.is(lane.enter('a'), undefined);
  const late = lane.wait('a', never);
  t.is(await lane.wait('a', never), 'line full');
  lane.enter('b');
  const leaves = new AbortController();
  const gone = lane.wait('b', leaves.signal);
  lane.enter('c');
  t.is(await lane.wait('c', never), 'line full', 'the line of all');
  leaves.abort();
  t.is(await gone, 'gone');
  t.is(await lane.wait('b', AbortSignal.abort()), 'gone');
  await clock.advance(5_000);
  t.is(await late, 'waited too long');
  t.is(lane.waiting, 0);
  t.is(clock.pending, 0);
  lane.leave(place);
  t.is(lane.running, 0);
  t.truthy(lane.enter('c'));
});

test('property: limits hold, nobody is forgotten, and no user is passed over twice', async (t) => {
  const users = ['a', 'b', 'c', 'd'];
  const step = fc.oneof(fc.record({ do: fc.constant('send' as const), user: fc.constantFrom(...users) }), fc.record({ do: fc.constant('end' as const), which: fc.nat(50) }));
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), async (steps, total, perUser) => {
    const lane = new FairLane({ ...limits, total, perUser }, new FakeClock());
    const running: Place[] = [];
    const lines = new Map(users.map((user) => [user, 0]));
    const passed = new Map<string, number>();
    let sent = 0;
    const start = (place: Place, waited: boolean): void => {
      running.push(place);
      if (!waited) return;
      lines.set(place.user, lines.get(place.user)! - 1);
      passed.set(place.user, 0);
      for (const other of users) {
        const could = lines.get(other)! > 0 && other !== place.user && running.filter(({ user }) => user === other).length < perUser;
        if (could) passed.set(other, (passed.get(other) ?? 0) + 1);
        t.true((passed.get(other) ?? 0) <= users.length, `${other} was passed over ${passed.get(other)} times`);
      }
    };
    for (const one of steps) {
      if (one.do === 'send') {
        sent++;
        const place = lane.enter(one.user);
        if (place === undefined) {
          lines.set(one.user, lines.get(one.user)! + 1);
          void lane.wait(one.user, never).then((outcome) => start(outcome as Place, true));
        } else start(place, false);
      } else if (running.length > 0) {
        lane.leave(running.splice(one.which % running.length, 1)[0]!);
        await Promise.resolve();
        await Promise.resolve();
      }
      t.true(running.length <= total);
      for (const user of users) t.true(running.filter((place) => place.user === user).length <= perUser);
      t.is(lane.running, running.length);
    }
    let done = sent - lane.running - lane.waiting;
    while (running.length > 0) {
      lane.leave(running.shift()!);
      done++;
      await Promise.resolve();
      await Promise.resolve();
    }
    t.is(done, sent);
    t.is(lane.waiting, 0);
  }), { numRuns: 200 });
});
