import test from 'ava';
import { expireEvents } from '../../apiserver/event-expiry.ts';
import { rfc3339 } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { testApi } from '../helpers/api.ts';

const minuteMs = 60_000;

test('an event goes an hour after its last write, whatever it says of the future', async (t) => {
  const { core, client, clock, transport, close } = await testApi();
  const events = client.of(Event);
  const names = async (): Promise<readonly (string | undefined)[]> => (await events.list()).items.map(({ metadata }) => metadata.name);
  const create = (name: string, times: Partial<Event> = {}): Promise<Event> =>
    events.create({ metadata: { name, namespace: 'default' }, involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, ...times } as never);
  const stop = new AbortController();
  const running = expireEvents({ transport, clock, log: silentLog }, stop.signal);

  await create('old', { lastTimestamp: rfc3339(clock.now() - 50 * minuteMs) });
  await create('early', { lastTimestamp: rfc3339(clock.now() + 1_000 * minuteMs) });
  await create('again', { count: 1 });
  await clock.advance(58 * minuteMs);
  t.deepEqual(await names(), ['again', 'early', 'old'], 'the server knows when they were created');
  await events.patch({ namespace: 'default', name: 'again' }, 'merge', { count: 2, lastTimestamp: rfc3339(clock.now()) });
  await clock.advance(6 * minuteMs);
  t.deepEqual(await names(), ['again']);
  await clock.advance(50 * minuteMs);
  t.deepEqual(await names(), ['again']);
  await clock.advance(6 * minuteMs);
  t.deepEqual(await names(), []);

  const quiet = core.revision;
  await clock.advance(300 * minuteMs);
  t.is(core.revision, quiet);
  stop.abort();
  await running;
  t.is(clock.pending, 0);
  await close();
});
