/** Certificates of seconds, in real time: two machines on pretended containers, each at an address of the loopback. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import test from 'ava';
import { readPairFile } from '../../base/pki-files.ts';
import { bargeProcesses } from '../helpers/barge-processes.ts';
import { eventually } from '../helpers/eventually.ts';

test('certificates of a minute are renewed on all sides while requests, watches and sessions go on', async (t) => {
  const { folder, begin, barge, start } = await bargeProcesses(t);
  // A machine that stands still for ten seconds must not lose its identity: the shortest time left at a renewal is twelve.
  await begin('up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error --cluster-signing-duration 60s');
  const line = (await barge('token create')).trim().replace('barge ', '');
  await begin(`${line} --runtime simulated --data-dir @/n2 --log-level error --node-name n2 --node-ip 127.0.0.2`);
  await barge('cordon first');
  await barge('run there --image=web:1');
  await barge('wait pod/there --for=condition=Ready --timeout=60s');
  const follow = start('logs -f there');
  let ended = false;
  void follow.ended.then(() => void (ended = true));

  const certificates = async (): Promise<readonly X509Certificate[]> => {
    const joined = await Promise.all(['client', 'serving'].map((name) => readPairFile(join(folder, `n2/node/${name}.pem`))));
    const local = await Promise.all(['apiserver', 'admin', 'apiserver-client', 'agent'].map((name) => readFile(join(folder, `data/pki/${name}.crt`), 'utf8')));
    return [...joined.map((pair) => pair!.cert), ...local].map((cert) => new X509Certificate(cert));
  };
  const first = await certificates();
  const serials = first.map(({ serialNumber }) => serialNumber);
  const lastEndMs = Math.max(...first.map(({ validTo }) => Date.parse(validTo)));
  t.true(lastEndMs - Date.now() <= 60_000);
  await eventually(async () => {
    await barge('get pod there');
    const now = (await certificates()).map(({ serialNumber }) => serialNumber);
    assert.ok(now.every((serial, index) => serial !== serials[index]), `${now.join()} of ${serials.join()}`);
    assert.ok(Date.now() > lastEndMs, 'the first ones are still good');
  }, 180_000);

  // All that there was at the beginning has run out, and nothing has stopped.
  await barge('logs there');
  t.regex(await barge('get nodes'), /^n2 +Ready/m, 'the agent is heard with its new certificate');
  t.false(ended, 'a stream from before goes on');
  await barge('run later --image=web:1');
  await barge('wait pod/later --for=condition=Ready --timeout=60s');
  const shown = (host: string, port: number): Promise<X509Certificate> => new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()!);
      socket.destroy();
    }).on('error', reject);
  });
  const port = Number(await barge('get node n2 -o jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}'));
  for (const [host, at] of [['127.0.0.2', port], ['127.0.0.1', Number(new URL(line.split(' ')[1]!).port)]] as const) {
    const { serialNumber, validTo } = await shown(host, at);
    t.false(serials.includes(serialNumber));
    t.true(Date.parse(validTo) > Date.now());
  }
});
