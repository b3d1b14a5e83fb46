import { once } from 'node:events';
import { Duplex } from 'node:stream';
import test from 'ava';
import { joinSockets } from '../../../apiserver/http/join-sockets.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

/** A side that takes one piece at a time, when the test lets it. */
const slowSide = (): { readonly side: Duplex; readonly taken: string[]; take(): Promise<void> } => {
  const taken: string[] = [];
  const waiting: (() => void)[] = [];
  const side = new Duplex({ read: () => undefined, write: (chunk: Buffer, _encoding, done) => void waiting.push(() => { taken.push(chunk.toString()); done(); }) });
  return {
    side, taken,
    take: async () => {
      waiting.shift()?.();
      await new Promise((resolve) => { setImmediate(resolve); });
    },
  };
};
const talker = (): Duplex => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });

test('what was sent before a side went still arrives at a slow one, which then goes too', async (t) => {
  const { side, taken, take } = slowSide();
  const from = talker();
  joinSockets(side, from, { clock: new FakeClock(), drainMs: 1_000 });
  from.push('all but ');
  from.push('the end');
  from.push(null);
  from.end();
  await once(from, 'close');
  t.false(side.destroyed);
  await take();
  await take();
  t.is(taken.join(''), 'all but the end');
  t.true(side.destroyed);
});

test('a side that takes nothing is left after its time', async (t) => {
  const clock = new FakeClock();
  const { side } = slowSide();
  const from = talker();
  joinSockets(side, from, { clock, drainMs: 1_000 });
  from.push('never read');
  from.push(null);
  from.end();
  await once(from, 'close');
  t.false(side.destroyed);
  await clock.advance(1_000);
  t.true(side.destroyed);
});

test('a side that breaks takes the other one along at once', async (t) => {
  const { side } = slowSide();
  const from = talker();
  joinSockets(side, from, { clock: new FakeClock(), drainMs: 1_000 });
  const gone = once(side, 'close');
  from.destroy(new Error('reset'));
  await gone;
  t.true(side.destroyed);
});
