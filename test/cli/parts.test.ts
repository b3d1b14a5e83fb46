/** A cluster in parts: each as `barge PART` with a kubeconfig of its own, over HTTPS, on pretended containers. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import test from 'ava';
import { systemClock } from '../../base/clock.ts';
import type { InputStream, OutputStream } from '../../cli/command.ts';
import { runCommandLine } from '../../cli/run-command-line.ts';
import { connectionOf, loadKubeconfig } from '../../client/kubeconfig.ts';
import { eventually } from '../helpers/eventually.ts';

interface Running {
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number>;
  readonly stop: () => Promise<number>;
}

const sink = (): { readonly stream: OutputStream; readonly text: () => string } => {
  let text = '';
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => { text += chunk.toString(); done(); } });
  return { stream: stream as OutputStream, text: () => text };
};

const start = (folder: string, words: string): Running => {
  const [out, err, stop] = [sink(), sink(), new AbortController()];
  const ended = runCommandLine(words.split(' '), {
    stdin: new PassThrough() as InputStream, stdout: out.stream, stderr: err.stream,
    env: { HOME: folder, KUBECONFIG: join(folder, 'data/admin.kubeconfig') }, cwd: folder, clock: systemClock, random: Math.random, signal: stop.signal,
  });
  return { out: out.text, err: err.text, ended, stop: () => { stop.abort(); return ended; } };
};

test('each part runs alone against an API server over HTTPS', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-parts-'));
  const running: Running[] = [];
  t.teardown(async () => {
    for (const part of running.reverse()) await part.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const begin = async (words: string): Promise<Running> => {
    const part = start(folder, words);
    running.push(part);
    await Promise.race([eventually(() => assert.match(part.out(), /Ready: https:/), 60_000), part.ended.then((code) => assert.fail(`${words}: ended with ${code}: ${part.err()}`))]);
    return part;
  };
  const barge = async (words: string, wanted = 0): Promise<string> => {
    const ran = start(folder, words);
    assert.equal(await ran.ended, wanted, `${words}: ${ran.err()}`);
    return wanted === 0 ? ran.out() : ran.err();
  };

  await begin(`up --runtime simulated --components none --data-dir ${folder}/data --listen 127.0.0.1:0 --log-level error`);
  for (const words of ['up extra --data-dir data', 'reset extra --yes --data-dir data', 'scheduler extra']) assert.match(await barge(words, 1), /^error: unexpected argument "extra"\n/);
  assert.match(await barge(`up --no-agent --data-dir ${folder}/data --listen 127.0.0.1:0`, 1), /^error: \S+ is locked: another barge uses this data directory.*\n$/);
  const issue = '--data-dir data --out';
  for (const part of ['controllers', 'scheduler', 'proxy']) await barge(`issue ${part} ${issue} ${part}.kubeconfig`);
  await barge(`issue agent --node-name n7 ${issue} agent.kubeconfig`);
  await barge(`issue user/ann --group dev --days 2 ${issue} ann.kubeconfig`);
  t.is((await stat(join(folder, 'agent.kubeconfig'))).mode & 0o777, 0o600);
  const ann = new X509Certificate((await connectionOf(await loadKubeconfig({ named: join(folder, 'ann.kubeconfig'), env: {} }))).connection.cert!);
  t.is(ann.subject, 'O=dev\nCN=ann');
  t.true(Date.parse(ann.validTo) - Date.now() < 2 * 86_400_000 + 60_000);

  await barge('create deployment web --image=web:1 --replicas=2');
  t.is(await barge('get replicasets,pods -o name'), '', 'nobody is there to make any');
  const controllers = await begin('controllers --kubeconfig controllers.kubeconfig --log-level info');
  await eventually(async () => assert.match(await barge('get pods'), /(web-\S+ +0\/1 +Pending +0.*\n){2}/));
  t.is(await barge('get pods -o jsonpath={.items[*].spec.nodeName}'), '', 'nobody is there to place them');
  const scheduler = await begin('scheduler --kubeconfig scheduler.kubeconfig --log-level info');
  await begin(`agent --kubeconfig agent.kubeconfig --runtime simulated --no-proxy --data-dir ${folder}/node --log-level error`);
  const proxy = await begin('proxy --kubeconfig proxy.kubeconfig --runtime simulated --node-name n7 --log-level error');
  t.regex(await barge('rollout status deployment/web --timeout=20s'), /successfully rolled out/);
  t.is(await barge('get pods -o jsonpath={.items[*].spec.nodeName}'), 'n7 n7');
  t.regex(await barge('get nodes'), /^n7 +Ready/m);

  // A second set stands by as long as the first works, and goes on when that ends.
  const others = [await begin('controllers --kubeconfig controllers.kubeconfig --log-level info'), await begin('scheduler --kubeconfig scheduler.kubeconfig --log-level info')];
  for (const first of [controllers, scheduler]) t.regex(first.err(), /INFO +leads /);
  const holder = async (name: string): Promise<string> => barge(`get lease barge-${name} -n kube-system -o jsonpath={.spec.holderIdentity}`);
  const before = [await holder('controllers'), await holder('scheduler')];
  await barge('scale deployment web --replicas=4');
  t.regex(await barge('rollout status deployment/web --timeout=20s'), /successfully rolled out/);
  for (const other of others) t.notRegex(other.err(), / leads /);
  for (const first of [controllers, scheduler]) t.is(await first.stop(), 0);
  await barge('scale deployment web --replicas=6');
  t.regex(await barge('rollout status deployment/web --timeout=60s'), /successfully rolled out/);
  for (const other of others) t.regex(other.err(), /INFO +leads /);
  for (const [index, name] of ['controllers', 'scheduler'].entries()) t.not(await holder(name), before[index]);

  await barge('delete deployment web');
  await eventually(async () => assert.equal(await barge('get pods -o name'), ''), 20_000);
  t.is(await proxy.stop(), 0);

  // What is missing is said.
  await writeFile(join(folder, 'empty'), '{}');
  for (const [words, message] of [
    ['controllers', /--kubeconfig is needed.*barge issue controllers --out FILE/],
    ['scheduler --kubeconfig nothing', /nothing.*ENOENT/],
    ['proxy --kubeconfig empty', /no cluster is chosen/],
    ['agent --kubeconfig ann.kubeconfig', /the kubeconfig is ann's; an agent must be system:node:NAME.*barge issue agent/],
    ['issue', /say for whom/], ['issue agent --data-dir data', /an agent needs --node-name/], ['issue cook --data-dir data', /"cook" is none of/],
    ['issue proxy --data-dir nowhere', /nowhere has no cluster authority/], ['issue proxy --group g --data-dir data', /--group is for user/],
    ['issue proxy --days 9999 --data-dir data', /--days: must be 1 to 3650/],
  ] as const) t.regex(await barge(words, 1), message);
  await barge(`issue agent --node-name n8 --node-ip 203.0.113.9 ${issue} far.kubeconfig`);
  t.regex(await barge('agent --kubeconfig far.kubeconfig', 1), /names none of this machine's addresses .*203\.0\.113\.9/);
  t.notRegex(await readFile(join(folder, 'controllers.kubeconfig'), 'utf8'), /masters/);
});
