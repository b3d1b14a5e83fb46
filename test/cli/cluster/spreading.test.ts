import test from 'ava';
import { silentLog } from '../../../base/log.ts';
import { Spreading, spread } from '../../../cli/cluster/servers/spreading.ts';
import { ServerChoice, type ServerAddress } from '../../../client/server-choice.ts';
import { seededRandom } from '../../helpers/api.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const [a, b, c] = ['a', 'b', 'c'].map((name): ServerAddress => ({ url: `https://${name}:6443` })) as [ServerAddress, ServerAddress, ServerAddress];

test('of those that are new each client takes its chance, and what goes moves nobody', (t) => {
  const low = (): number => 0;
  t.is(spread(['a'], ['a', 'b'], 'a', low), 'b');
  t.is(spread(['a'], ['a', 'b'], 'a', () => 0.49), 'b');
  t.is(spread(['a'], ['a', 'b'], 'a', () => 0.5), undefined);
  t.is(spread(['a', 'b'], ['a', 'b', 'c'], 'b', () => 0.33), 'c');
  t.is(spread(['a', 'b'], ['a', 'b', 'c'], 'b', () => 0.34), undefined);
  t.is(spread(['a', 'b'], ['a', 'b'], 'b', low), undefined);
  t.is(spread(['a', 'b'], ['a'], 'a', low), undefined);
  t.is(spread(['a'], ['a', 'b'], 'b', low), undefined, 'it is there already');
});

const cluster = (count: number, { answers = true, servers = [a, b, c] }: { readonly answers?: boolean; readonly servers?: readonly ServerAddress[] } = {}) => {
  const [clock, random] = [new FakeClock(), seededRandom(5)];
  const stop = new AbortController();
  const state = { answers, probes: 0, moves: [] as number[] };
  const clients = Array.from({ length: count }, () => {
    const choice = new ServerChoice({ first: servers[0]!, others: servers, clock, random });
    const spreading = new Spreading({ clock, random, log: silentLog }, {
      servers: choice, probe: async () => {
        state.probes++;
        if (!state.answers) throw new Error('no');
        return true;
      },
    }, stop.signal);
    choice.onMoved((why, before) => {
      if (why === 'lost') spreading.left(before);
      else state.moves.push(clock.now());
    });
    return { choice, spreading };
  });
  const listed = (...now: readonly ServerAddress[]): void => {
    for (const { choice, spreading } of clients) {
      choice.know(now);
      spreading.listed(now);
    }
  };
  const counts = (): readonly number[] => servers.map(({ url }) => clients.filter(({ choice }) => choice.current.url === url).length);
  return { clock, clients, listed, counts, state, stop };
};

test('nodes that all joined by one server come to be with all of them, and not at one moment', async (t) => {
  const { clock, listed, counts, state } = cluster(300);
  listed(a, b, c);
  t.deepEqual(counts(), [300, 0, 0]);
  const startMs = clock.now();
  await clock.advance(29_000);
  t.is(state.moves.length, 0);
  await clock.advance(151_000);
  for (const count of counts()) t.true(count > 70 && count < 130, counts().join());
  for (const part of [1, 2, 3, 4, 5]) t.true(state.moves.filter((at) => Math.floor((at - startMs) / 30_000) === part).length > 20);
  t.is(state.probes, state.moves.length, 'only who goes has asked');
  await clock.advance(3_600_000);
  listed(a, b, c);
  await clock.advance(3_600_000);
  t.is(state.probes, state.moves.length, 'then it is quiet');
});

test('a server that was away for long gets its part again, one for a moment those that it had', async (t) => {
  const { clock, clients, listed, counts } = cluster(300);
  listed(a, b, c);
  await clock.advance(180_000);
  const [before = 0] = counts();
  const lose = (): void => { for (const { choice } of clients) if (choice.current.url === a.url) choice.failed(choice.current, 'unreachable'); };
  lose();
  t.is(counts()[0], 0);
  await clock.advance(180_000);
  t.is(counts()[0], before, 'it never left the list');

  lose();
  listed(b, c);
  await clock.advance(600_000);
  t.is(counts()[0], 0, 'nobody goes to a server that the cluster does not name');
  listed(a, b, c);
  await clock.advance(180_000);
  for (const count of counts()) t.true(count > 70 && count < 130, counts().join());
});

test('nobody goes to a server that does not answer, nor after the end', async (t) => {
  const { clock, listed, counts, state, stop } = cluster(50, { answers: false });
  listed(a, b, c);
  await clock.advance(180_000);
  t.true(state.probes > 20);
  t.deepEqual(counts(), [50, 0, 0]);
  state.answers = true;
  listed(a);
  listed(a, b, c);
  stop.abort();
  await clock.advance(180_000);
  t.deepEqual(counts(), [50, 0, 0]);
});
