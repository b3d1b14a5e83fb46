import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import test from 'ava';
import { createCa, issueCertificate } from '../../../base/pki.ts';
import { httpsApi } from '../../helpers/https-api.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

test('clients of two authorities are let in, and when one is dropped its connections are cut and its sessions are worth nothing', async (t) => {
  const own = await httpsApi();
  t.teardown(() => own.close());
  const { ca, server, admin } = own.certificates;
  const nowMs = Date.now();
  const next = await createCa({ commonName: 'test-ca', lifetimeDays: 2, nowMs });
  const renewed = await issueCertificate({ ca: next, commonName: 'admin', organizations: ['system:masters'], usages: ['client'], lifetimeDays: 1, nowMs });
  const code = async (pair: typeof admin) => (await own.call(configMaps, { as: pair })).code;
  t.deepEqual([await code(admin), await code(renewed)], [200, 401]);

  own.server.useTls({ ...server, ca: `${next.cert}${ca.cert}` });
  t.deepEqual([await code(admin), await code(renewed)], [200, 200]);
  const [before, after, token] = [await own.raw(), await own.raw(renewed), await own.raw(null)];
  const ask = (socket: TLSSocket): void => void socket.write('GET /version HTTP/1.1\r\nHost: x\r\n\r\n');
  /** Connects as the admin that goes, and gives what the server answers; by a session of before where there is one. */
  let session: Buffer | undefined;
  const answer = (): Promise<string> => new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: own.port, ca: ca.cert, ...admin, ...(session === undefined ? {} : { session }) }, () => {
      socket.write(`GET ${configMaps} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    });
    let text = '';
    socket.on('session', (one) => { session = one; });
    socket.on('data', (bytes: Buffer) => { text += bytes.toString(); }).on('error', ({ message }) => resolve(message)).on('close', () => resolve(text));
  });
  t.regex(await answer(), /^HTTP\/1\.1 200 /);
  t.not(session, undefined);
  const cut = once(before, 'close');

  own.server.useTls({ ...server, ca: next.cert });
  await cut;
  t.deepEqual([await code(admin), await code(renewed)], [401, 200]);
  for (const socket of [after, token]) {
    ask(socket);
    t.regex(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /, 'the others go on');
    socket.destroy();
  }
  t.notRegex(await answer(), / 200 /, 'a session from before proves nothing');
});
