import { once } from 'node:events';
import test from 'ava';
import { createClient } from '../../client/client.ts';
import { createHttpTransport } from '../../client/http-transport.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { httpsApi } from '../helpers/https-api.ts';

test('a client shows another certificate from the next request on, and what is open goes on as who it was', async (t) => {
  const api = await httpsApi();
  const { admin, bob, ca } = api.certificates;
  const transport = createHttpTransport({ server: `https://127.0.0.1:${api.port}`, ca: ca.cert, ...admin });
  const over = new AbortController();
  t.teardown(async () => {
    over.abort();
    transport.close();
    await api.close();
  });
  const maps = createClient(transport).of(ConfigMap);
  await maps.list({ namespace: 'default' });
  const seen = new EventTarget();
  const watching = (async () => {
    for await (const events of maps.watch({ namespace: 'default', resourceVersion: '0' }, over.signal)) for (const { type, object } of events) if (type === 'ADDED') seen.dispatchEvent(new Event(object.metadata.name ?? ''));
  })();
  const first = once(seen, 'first');
  await maps.create({ metadata: { name: 'first', namespace: 'default' } });
  await first;
  transport.useTls(bob);
  const second = once(seen, 'second');
  await t.throwsAsync(maps.list({ namespace: 'default' }), { message: /User "bob" cannot list/ });
  await t.throwsAsync(transport.send({ verb: 'get', group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace: 'default', name: 'x' }), { message: /User "bob" cannot get/ });
  await api.client.of(ConfigMap).create({ metadata: { name: 'second', namespace: 'default' } });
  await second;
  transport.useTls(admin);
  t.is((await maps.list({ namespace: 'default' })).items.length, 2);
  over.abort();
  await watching;
});
