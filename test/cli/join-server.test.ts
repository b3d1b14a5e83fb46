/** A further server joins, as command lines: real etcd, pretended containers, each server a port of the loopback. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { asToken, introduce } from '../../cli/cluster/join/join-cluster.ts';
import { fetchMaterial } from '../../cli/cluster/servers/join-server.ts';
import { ServerFiles } from '../../cli/cluster/servers/server-files.ts';
import { serverMaterialPath } from '../../schemas/cluster-info.ts';
import { bargeProcesses } from '../helpers/barge-processes.ts';
import { etcdTest, sharedEtcd } from '../helpers/etcd.ts';
import { eventually } from '../helpers/eventually.ts';

const etcd = sharedEtcd();
let clusters = 0;

/** The first server of a cluster of its own. */
const firstServer = async (t: ExecutionContext, flags = '') => {
  const processes = await bargeProcesses(t);
  const store = `--etcd-servers ${(await etcd()).endpoints.join(',')} --etcd-prefix /join-server-${clusters++}`;
  const first = await processes.begin(`up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error ${store}${flags}`);
  return { ...processes, first };
};

const second = '--runtime simulated --data-dir @/s2 --listen 127.0.0.1:0 --log-level error --node-name s2';
/** As `barge token create` prints it, without the program. */
const lineOf = (printed: string): string => printed.trim().replace('barge ', '');

etcdTest('a further server joins with one line, has the keys and settings of the first, and starts again by barge up alone', async (t) => {
  // Many command lines: 6 s of one core.
  t.timeout(180_000);
  const { folder, begin, barge, first } = await firstServer(t, ' --cluster-cidr 10.20.0.0/16 --service-cidr 10.30.0.0/16 --external-ips --node-monitor-grace-period 17s');
  t.notRegex(first.out(), /to add a server/, 'nobody reaches it');
  const line = lineOf(await barge('token create --role server'));
  t.regex(await barge('token list'), /^\S{6} +server +(59m|60m|1h)\S* +extra/m, 'its end is near');
  const server = await begin(`${line} ${second}`);
  t.regex(server.out(), /^node s2 Ready: https:\/\/127\.0\.0\.1:\d+ {2}kubeconfig \S+s2\/admin\.kubeconfig/);
  for (const file of ['ca.crt', 'ca.key', 'service-account.key']) {
    t.is(await readFile(join(folder, 's2/pki', file), 'utf8'), await readFile(join(folder, 'data/pki', file), 'utf8'), file);
    t.is((await stat(join(folder, 's2/pki', file))).mode & 0o777, 0o600, file);
  }
  t.deepEqual(await readdir(join(folder, 's2/server')), ['settings.json']);
  t.is((await stat(join(folder, 's2/server'))).mode & 0o777, 0o700);
  t.is((await stat(join(folder, 's2/server/settings.json'))).mode & 0o777, 0o600);
  t.like(JSON.parse(await readFile(join(folder, 's2/server/settings.json'), 'utf8')), { 'cluster-cidr': '10.20.0.0/16', 'service-cidr': '10.30.0.0/16', 'external-ips': true, 'node-monitor-grace-period': '17s', 'node-name': 's2' });

  // It is a server like the first: what one does the other shows, and it lets others in.
  const on = (words: string): Promise<string> => barge(`${words} --kubeconfig @/s2/admin.kubeconfig`);
  await on('create configmap here');
  t.is(await barge('get configmap here -o name'), 'configmap/here\n');
  t.regex(await on('get nodes'), /^first +Ready +control-plane[^]*^s2 +Ready +control-plane/m);
  t.deepEqual((await barge('get lease -n kube-system -l apiserver.kubernetes.io/identity -o name')).trim().split('\n').map((name) => name.split('/')[1]), ['apiserver-first', 'apiserver-s2']);
  await begin(`${lineOf(await on('token create'))} --runtime simulated --data-dir @/n3 --log-level error --node-name n3 --node-ip 127.0.0.2`);

  t.is(await server.stop(), 0);
  const up = await begin('up --data-dir @/s2 --log-level error');
  t.regex(up.out(), /^node s2 Ready/);
  t.is(await up.stop(), 0);
  const again = await begin('join --data-dir @/s2 --log-level error');
  t.regex(again.out(), /^node s2 Ready/);
  t.is(await again.stop(), 0);
  t.regex(await barge('join --data-dir @/s2 --node-name s3', 1), /has joined as the server s2, not s3; 'barge reset' removes/);
  const good = line.split('-')[4]!;
  t.regex(await barge('join --data-dir @/s2 --token nonsense', 1), /--token: the token is not of the form/);
  t.regex(await barge(`${line.replace(good, 'a'.repeat(50))} --data-dir @/s2`, 1), /is a server of another cluster/);
  await barge('reset --yes --runtime simulated --data-dir @/s2');
  await t.throwsAsync(readdir(join(folder, 's2')), { code: 'ENOENT' });
});

etcdTest('what cannot become a server is told why, and keeps nothing', async (t) => {
  t.timeout(180_000);
  const { folder, begin, barge } = await firstServer(t);
  const [line, worker] = [lineOf(await barge('token create --role server')), lineOf(await barge('token create'))];
  const [, url = '', , token = ''] = line.split(' ');
  for (const [words, message] of [
    [`${line.replace(token, token.replace(token.split('-')[2]!, 'a'.repeat(50)))} ${second}`, /is not the server that the token is for, and was told nothing/],
    [`${line.slice(0, -16)}${'0'.repeat(16)} ${second}`, /the token is not good \(any more\)/],
    [`${line} ${second.replace('--node-name s2', '--node-name first')}`, /there is a node first already: choose another name with --node-name/],
    [`${line} ${second} --node-ip 203.0.113.9`, /--node-ip: this machine has no address 203\.0\.113\.9/],
    [`${line} --runtime simulated --data-dir @/data`, /is the data folder of a cluster's server/],
    [`${worker} ${second}`, /--listen: is for servers, and this machine is a worker: the token is one for workers/],
    ['token rotate --role server', /there is no standing token for servers/],
    ['token create --role boss', /--role: "boss" is neither worker nor server/],
  ] as const) t.regex(await barge(words, 1), message);
  t.is(await barge(`token delete ${token}`), `token ${token.split('-')[3]} ended\n`);
  t.regex(await barge(`${line} ${second}`, 1), /was deleted, rotated, or has ended/);
  await t.throwsAsync(readdir(join(folder, 's2')), { code: 'ENOENT' }, 'nothing is kept of what failed');

  const node = await begin(`${worker} --runtime simulated --data-dir @/n2 --log-level error --node-name n2 --node-ip 127.0.0.2`);
  await node.stop();
  t.regex(await barge(`join ${url} --runtime simulated --data-dir @/n2 --listen 127.0.0.1:0`, 1), /--listen: is for servers, and this machine is a worker/);
});

test('a cluster whose objects are in a file has one server', async (t) => {
  t.timeout(180_000);
  const { begin, barge } = await bargeProcesses(t);
  await begin('up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error');
  t.regex(await barge('token create --role server', 1), /--role: the objects of this cluster are in a file of its only server, which no other can share: a cluster of several servers begins with 'barge up --etcd-servers/);
  // Also for who makes the token by hand.
  await barge('create secret generic bootstrap-token-abcdef -n kube-system --type=bootstrap.kubernetes.io/token --from-literal=token-id=abcdef --from-literal=token-secret=0123456789abcdef --from-literal=usage-bootstrap-authentication=true --from-literal=auth-extra-groups=system:bootstrappers:barge:server');
  const line = lineOf(await barge('token create')).replace(/[a-z0-9]{6}-[a-z0-9]{16}$/, 'abcdef-0123456789abcdef');
  t.regex(await barge(`${line} ${second}`, 1), /the objects of this cluster are in a file of its only server/);
});

etcdTest('a join that was cut short is done at the next start', async (t) => {
  t.timeout(180_000);
  const { folder, barge, begin } = await firstServer(t);
  const [, server, , token] = lineOf(await barge('token create --role server')).split(' ');
  const { signal } = new AbortController();
  const introduction = await introduce({ server, token, nodeIp: '127.0.0.1' }, signal);
  const transport = asToken(introduction);
  t.teardown(() => transport.close());
  const material = await fetchMaterial(transport, { nodeName: 's2', ca: introduction.ca }, signal);
  const { headers } = await transport.raw({ method: 'POST', path: serverMaterialPath, contentType: 'application/json', body: '{"nodeName":"s2"}' });
  t.is(headers['cache-control'], 'no-store');
  const own = { listen: '127.0.0.1:0', runtime: 'simulated', 'node-name': 's2', 'node-ip': '127.0.0.1' };
  await new ServerFiles(join(folder, 's2')).commit({ material, own });
  t.deepEqual(await readdir(join(folder, 's2')), ['server'], 'it was killed here');
  const up = await begin('up --data-dir @/s2 --log-level error');
  t.regex(up.out(), /^node s2 Ready/);
  await eventually(async () => assert.match(await barge('get nodes'), /^s2 +Ready/m));
  t.deepEqual(await readdir(join(folder, 's2/server')), ['settings.json']);
});
