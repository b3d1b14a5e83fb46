import { once } from 'node:events';
import test from 'ava';
import { httpsApi } from '../../helpers/https-api.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

/** Sends requests one after the other on one connection; each answer's code and reason. */
const inTurn = async (socket: Awaited<ReturnType<Awaited<ReturnType<typeof httpsApi>>['raw']>>, heads: readonly string[]): Promise<string[]> => {
  const answers: string[] = [];
  let text = '';
  socket.on('data', (part: Buffer) => { text += part.toString(); });
  for (const head of heads) {
    text = '';
    socket.write(`${head} HTTP/1.1\r\nHost: x\r\n\r\n`);
    while (!/\r\n\r\n[^]*\}\n?$/.test(text)) await once(socket, 'data');
    answers.push(`${text.slice(9, 12)} ${/^connection: (\S+)/im.exec(text)?.[1] ?? ''}`);
  }
  return answers;
};

test('requests without a body are answered at once, whatever their method, and their connection is used again', async (t) => {
  const api = await httpsApi();
  t.teardown(() => api.close());
  await api.call(configMaps, { body: { metadata: { name: 'a' } } });
  const admin = await api.raw();
  t.deepEqual(await inTurn(admin, [
    `GET ${configMaps}/a`, `POST ${configMaps}`, `PUT ${configMaps}/a`, `PATCH ${configMaps}/a`, `DELETE ${configMaps}/none`, `DELETE ${configMaps}/a`, 'POST /version', `GET ${configMaps}/a`,
  ]), ['200 keep-alive', '400 keep-alive', '400 keep-alive', '415 keep-alive', '404 keep-alive', '200 keep-alive', '405 keep-alive', '404 keep-alive']);
  admin.destroy();
  const bob = await api.raw('bob');
  t.deepEqual(await inTurn(bob, [`DELETE ${configMaps}/a`, `POST ${configMaps}`, `GET ${configMaps}`]), ['403 keep-alive', '403 keep-alive', '403 keep-alive']);
  bob.destroy();
});
