/** A server that closes under load, and another that takes over: what was answered stays, and no answer is cut. */
import { once } from 'node:events';
import test from 'ava';
import { createClient } from '../../../client/client.ts';
import { createHttpTransport } from '../../../client/http-transport.ts';
import { ApiError, isReason } from '../../../schemas/errors.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import { httpsApi } from '../../helpers/https-api.ts';
import { RawConnection } from '../../helpers/raw-connection.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

test('readyz fails first; who is connected is answered and told to go', async (t) => {
  const api = await httpsApi();
  const socket = await api.raw();
  const connection = new RawConnection(() => Promise.resolve(socket));
  const get = (path: string) => connection.send(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`), { method: 'GET', stream: false });
  t.is((await get('/readyz'))?.code, 200);
  const closed = api.close();
  const unready = await get('/readyz');
  t.is(unready?.code, 500);
  t.regex(unready?.body.toString() ?? '', /shutdown failed: the server is closing/);
  t.regex(unready?.head ?? '', /connection: close/);
  await closed;
});

test('a load over a restart: no acknowledged write is lost and no answer is cut', async (t) => {
  let api = await httpsApi();
  const { storage, port, certificates: { ca, admin } } = api;
  const server = `https://127.0.0.1:${port}`;
  const acknowledged = new Set<string>();
  const errors: string[] = [];
  const reconnects: string[] = [];
  const stop = new AbortController();

  const writer = async (name: string): Promise<void> => {
    const transport = createHttpTransport({ server, ca: ca.cert, cert: admin.cert, key: admin.key });
    const client = createClient(transport).of(ConfigMap);
    for (let count = 0; !stop.signal.aborted; count++) {
      try {
        acknowledged.add((await client.create({ metadata: { namespace: 'default', name: `${name}-${count}` } })).metadata.name!);
      } catch (error) {
        // What a client sees of a restart is a server that is away for a moment; a write without an answer may have been done.
        if (!(error instanceof ApiError) || !isReason(error, 'ServiceUnavailable', 'AlreadyExists')) errors.push(String(error));
        else reconnects.push(error.message);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    transport.close();
  };
  // Reads by hand: every answer that begins must come to its end.
  const reader = async (): Promise<void> => {
    const { raw } = api;
    let connect = raw;
    const connection = new RawConnection(async () => {
      for (;;) {
        const socket = await connect('admin').catch(() => undefined);
        if (socket !== undefined) return socket;
        await new Promise((resolve) => setTimeout(resolve, 5));
        connect = api.raw;
      }
    });
    while (!stop.signal.aborted) {
      const reply = await connection.send(Buffer.from(`GET ${configMaps} HTTP/1.1\r\nHost: x\r\n\r\n`), { method: 'GET', stream: false });
      if (reply === undefined) {
        errors.push('a connection was closed under a request');
        connection.close();
      } else if (reply.code !== 200) errors.push(`answered with ${reply.code}`);
      else (JSON.parse(reply.body.toString()) as { items: unknown[] }).items.map(String);
    }
    connection.close();
  };
  const watch = await api.open(`${configMaps}?watch=true`);
  watch.resume();
  const ended = once(watch, 'end');
  const load = Promise.all([...['a', 'b', 'c', 'd'].map(writer), reader(), reader()]);
  const until = async (count: number): Promise<void> => {
    while (acknowledged.size < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  for (let round = 1; round <= 2; round++) {
    await until(round * 60);
    await api.close();
    api = await httpsApi({ storage, port });
  }
  await ended;
  await until(180);
  stop.abort();
  await load;
  t.deepEqual(errors, []);
  const { items } = (await api.call(configMaps)).json<{ items: { metadata: { name: string } }[] }>();
  const stored = new Set(items.map(({ metadata }) => metadata.name));
  t.deepEqual([...acknowledged].filter((name) => !stored.has(name)), []);
  t.log(`${acknowledged.size} writes, ${reconnects.length} times away`);
  await api.close();
});
