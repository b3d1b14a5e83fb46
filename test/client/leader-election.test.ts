import assert from 'node:assert/strict';
import test from 'ava';
import { silentLog } from '../../base/log.ts';
import { electionTimes, leadWhile } from '../../client/leader-election.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { Transport } from '../../schemas/api.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { testApi } from '../helpers/api.ts';
import { until } from '../helpers/control-plane.ts';

const key = { namespace: 'kube-system', name: 'work' };

test('one works at a time; who is cut off stops before another takes over, and who ends gives the lease back', async (t) => {
  const api = await testApi();
  const working = new Set<string>();
  const history: string[] = [];
  const candidate = (identity: string) => {
    const stop = new AbortController();
    let cut = false;
    const transport: Transport = {
      send: (request, signal) => (cut ? Promise.reject(new ApiError('ServiceUnavailable', 'cut off')) : api.transport.send(request, signal)),
      watch: (request, signal) => api.transport.watch(request, signal),
    };
    const ended = leadWhile({ transport, clock: api.clock, log: silentLog, key, identity }, stop.signal, async (leading) => {
      working.add(identity);
      history.push(identity);
      t.is(working.size, 1, `${[...working].join(' and ')} work at once`);
      await new Promise((resolve) => leading.addEventListener('abort', resolve, { once: true }));
      working.delete(identity);
    });
    return { stop: () => { stop.abort(); return ended; }, cut: () => { cut = true; }, mend: () => { cut = false; } };
  };
  const one = candidate('one');
  await until(api.clock, () => assert.deepEqual(history, ['one']));
  const two = candidate('two');
  await api.clock.advance(electionTimes.leaseMs * 3);
  assert.deepEqual(history, ['one'], 'a lease that is renewed is not taken');

  one.cut();
  await api.clock.advance(electionTimes.renewDeadlineMs + electionTimes.retryMs);
  t.deepEqual([...working], [], 'cut off it has stopped, and nobody knows yet');
  await until(api.clock, () => assert.deepEqual(history, ['one', 'two']), electionTimes.leaseMs);
  one.mend();
  await api.clock.advance(electionTimes.leaseMs * 2);
  t.deepEqual([...working], ['two']);

  await two.stop();
  const { spec } = await api.client.of(Lease).get(key);
  t.is(spec?.holderIdentity ?? '', '');
  await until(api.clock, () => assert.deepEqual([...working], ['one']), electionTimes.retryMs * 2);
  t.is((await api.client.of(Lease).get(key)).spec?.leaseTransitions, 2);
  await one.stop();
  await api.close();
});

test('an answer to a renewal that is lost costs nothing, and what the work throws comes out', async (t) => {
  const api = await testApi();
  let lose = 0;
  const transport: Transport = {
    send: async (request, signal) => {
      const answer = await api.transport.send(request, signal);
      if (request.verb === 'update' && lose-- > 0) throw new ApiError('Timeout', 'the answer is lost');
      return answer;
    },
    watch: (request, signal) => api.transport.watch(request, signal),
  };
  let terms = 0;
  const fail = Promise.withResolvers<void>();
  const ended = leadWhile({ transport, clock: api.clock, log: silentLog, key, identity: 'one' }, new AbortController().signal, () => {
    terms++;
    return fail.promise;
  });
  await until(api.clock, () => assert.equal(terms, 1));
  lose = 2;
  await api.clock.advance(electionTimes.leaseMs * 2);
  t.is(terms, 1);
  t.is((await api.client.of(Lease).get(key)).spec?.leaseTransitions, 0);
  fail.reject(new Error('broken'));
  await t.throwsAsync(ended, { message: 'broken' });
  await api.close();
});
