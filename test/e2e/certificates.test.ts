/** Certificates and authorities that are replaced, in real time: two machines on pretended containers, each at an address of the loopback. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import test from 'ava';
import { readPairFile } from '../../base/pki-files.ts';
import { bargeProcesses } from '../helpers/barge-processes.ts';
import { kubectls, run } from '../helpers/e2e.ts';
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

test('the authority is rotated under load, and kubectls that know the old one alone miss nothing until it is dropped', async (t) => {
  const { folder, begin, barge, start } = await bargeProcesses(t);
  await begin('up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error');
  const line = (await barge('token create')).trim().replace('barge ', '');
  await begin(`${line} --runtime simulated --data-dir @/n2 --log-level error --node-name n2 --node-ip 127.0.0.2`);
  await barge('cordon first');
  await barge('run there --image=web:1');
  await barge('wait pod/there --for=condition=Ready --timeout=60s');
  const [fresh, old] = [join(folder, 'data/admin.kubeconfig'), join(folder, 'old.kubeconfig')];
  await copyFile(fresh, old);
  // The oldest and the newest: each brings the checks of another Go.
  const known = [...await kubectls()].sort(([a], [b]) => a - b);
  const programs = new Map([known[0]!, known.at(-1)!]);
  const asks = [['get', 'nodes'], ['logs', 'there'], ['exec', 'there', '--', 'true']];
  const all = async (kubeconfig: string): Promise<void> => {
    for (const [minor, program] of programs) {
      for (const args of asks) {
        const { code, stderr } = await run(program, ['--kubeconfig', kubeconfig, ...args]);
        assert.equal(code, 0, `kubectl 1.${minor} ${args.join(' ')}: ${stderr}`);
      }
    }
  };
  const watch = start('get pods -w --kubeconfig @/old.kubeconfig');
  let ended = false;
  void watch.ended.then(() => void (ended = true));
  const failures: unknown[] = [];
  const rounds = { old: 0, fresh: 0 };
  const over = new AbortController();
  const load = async (name: 'old' | 'fresh', file: string): Promise<void> => {
    while (!over.signal.aborted) {
      await all(file).then(() => void rounds[name]++, (error: unknown) => void failures.push(error));
    }
  };
  const loads = [load('old', old), load('fresh', fresh)];
  const roundsMore = async (): Promise<void> => {
    const before = { ...rounds };
    await eventually(() => assert.ok(rounds.old >= before.old + 2 && rounds.fresh >= before.fresh + 2), 180_000);
  };
  try {
    await roundsMore();
    await barge('ca rotate');
    await roundsMore();
    await barge('label pod there seen=yes');
    await eventually(() => assert.equal(watch.out().match(/^there /mg)?.length, 2, watch.out()), 60_000);
  } finally {
    over.abort();
    await Promise.all(loads);
  }
  t.deepEqual(failures, [], 'nobody was refused, neither before nor during the rotation');

  await barge('ca finish');
  await eventually(() => all(fresh), 60_000);
  await eventually(() => assert.ok(ended, 'a watch of before goes on'), 60_000);
  for (const [minor, program] of programs) {
    const refused = async (...more: readonly string[]): Promise<string> => (await run(program, ['--kubeconfig', old, ...more, 'get', 'nodes'])).stderr;
    t.regex(await refused(), /x509|certificate/, `kubectl 1.${minor} does not know the server any more`);
    t.regex(await refused('--insecure-skip-tls-verify'), /nauthorized|must be logged in|specifying a root certificates file/, `kubectl 1.${minor} is not known to the server any more`);
  }
});
