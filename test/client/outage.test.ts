/** What the log says of a server that is stopped in the middle of what it answers, and answers again later. */
import test from 'ava';
import { systemClock } from '../../base/clock.ts';
import { createLog } from '../../base/log.ts';
import { createClient } from '../../client/client.ts';
import { createHttpTransport } from '../../client/http-transport.ts';
import { createInformers } from '../../client/informers.ts';
import { Outage, Unreachable, warnOfFailure } from '../../client/outage.ts';
import { ApiError } from '../../schemas/errors.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { cutConnection } from '../helpers/cut-connection.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { httpsApi } from '../helpers/https-api.ts';

type Line = Readonly<Record<string, unknown>>;

const logged = () => {
  const lines: Line[] = [];
  return { lines, log: createLog({ level: 'debug', format: 'json', write: (line) => void lines.push(JSON.parse(line) as Line), now: () => 0 }) };
};
const shown = (lines: readonly Line[]): readonly Line[] => lines.filter(({ level }) => level !== 'debug');

test('an outage of the server is one line for all informers when it begins, without a stack, and one when it is over', async (t) => {
  const api = await httpsApi();
  const { ca, admin } = api.certificates;
  const way = await cutConnection(api.port);
  const { lines, log } = logged();
  const transport = createHttpTransport({ server: `https://${way.address}`, outage: new Outage({ clock: systemClock, log }), ca: ca.cert, cert: admin.cert, key: admin.key });
  const informers = createInformers({ client: createClient(transport), clock: systemClock, log, random: Math.random });
  const configMaps = informers.informer(ConfigMap);
  informers.informer(Pod);
  informers.informer(Node);
  informers.informer(Service);
  const stop = new AbortController();
  const running = informers.run(stop.signal);
  await informers.whenSynced(stop.signal);
  t.deepEqual(lines, []);

  await way.close();
  await eventually(() => {
    for (const informer of ['configmaps', 'pods', 'nodes', 'services']) {
      if (!lines.some((line) => line['informer'] === informer && line['failures'] === 4)) throw new Error(`${informer} has not tried often yet`);
    }
  });
  const [began, ...more] = shown(lines);
  t.like(began, { level: 'warn', message: 'the API server does not answer; all that needs it tries again until it does', server: `https://${way.address}` });
  t.regex(String(began?.['why']), /ECONNREFUSED|disconnected/);
  t.deepEqual(more, []);
  t.notRegex(JSON.stringify(lines), /\\n +at /, 'no stack');

  const mended = await cutConnection(api.port, Number(way.address.split(':')[1]));
  await api.client.of(ConfigMap).create({ metadata: { namespace: 'default', name: 'a' } });
  await eventually(() => {
    if (configMaps.get({ namespace: 'default', name: 'a' }) === undefined) throw new Error('the informer has not gone on');
  });
  const over = shown(lines).slice(1);
  t.like(over, [{ level: 'info', message: 'the API server answers again', server: `https://${way.address}` }]);
  t.is(over.length, 1);
  t.true(Number(over[0]?.['awayMs']) > 1_000, 'four tries take longer');
  stop.abort();
  await running;
  transport.close();
  await mended.close();
  await api.close();
});

test('a request that is late is an outage only where no other was answered meanwhile', async (t) => {
  const { lines, log } = logged();
  const clock = new FakeClock(0);
  const outage = new Outage({ clock, log });
  outage.answered('one');
  t.false(outage.late('one', 'late', 1_000));
  t.deepEqual(lines, []);
  await clock.advance(1_000);
  t.true(outage.late('one', 'late', 1_000));
  t.is(lines.length, 1);
});

test('what no outage explains is warned of with its stack', (t) => {
  const { lines, log } = logged();
  warnOfFailure(log, 'failed', { error: new Unreachable('no answer', { cause: undefined, told: true }), key: 'a' });
  warnOfFailure(log, 'failed', { error: new Unreachable('no answer', { cause: undefined, told: false }) });
  warnOfFailure(log, 'failed', { error: new ApiError('ServiceUnavailable', 'the store is away') });
  t.deepEqual(lines.map(({ level }) => level), ['debug', 'warn', 'warn']);
  t.is(lines[0]?.['error'], 'no answer');
  for (const line of lines.slice(1)) t.regex(String(line['error']), /\n +at /);
});
