/** A worker becomes a server, as command lines: real etcd, pretended containers, each machine an address of the loopback. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { machineAddresses } from '../../cli/cluster/addresses.ts';
import { managerStatusOf } from '../../cli/nodes/manager-status.ts';
import { demotionAnnotation, printPromotionMark, promotionAnnotation, readPromotionMark } from '../../schemas/cluster-info.ts';
import type { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { bargeProcesses } from '../helpers/barge-processes.ts';
import { etcdTest, freePorts, sharedEtcd } from '../helpers/etcd.ts';
import { eventually } from '../helpers/eventually.ts';

const etcd = sharedEtcd();

const lease = (name: string, renewTime: string): Lease => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: `apiserver-${name}` }, spec: { renewTime, leaseDurationSeconds: 15 } });

test('a node is said to be a server as its lease, its label and the leader say', (t) => {
  const nowMs = Date.parse('2025-01-01T00:01:00Z');
  const leases = [lease('a', '2025-01-01T00:00:50.000000Z'), lease('b-1', '2025-01-01T00:00:58.000000Z'), lease('c', '2025-01-01T00:00:30.000000Z')];
  const labels = { 'node-role.kubernetes.io/control-plane': '' };
  const of = (name: string, own: Readonly<Record<string, string>> = labels, holder = 'b-1_0-0') => managerStatusOf({ name, labels: own }, { leases, holder, nowMs });
  t.deepEqual([of('a'), of('b-1'), of('c'), of('gone'), of('worker', {}), of('b', {})], ['Reachable', 'Leader', 'Unreachable', 'Unreachable', '', '']);
  t.is(of('a', {}, ''), 'Reachable');
  t.is(managerStatusOf({ name: 'only', labels }, { leases: [], holder: '', nowMs }), 'Leader');
});

test('a mark says where to listen and until when, and nothing else is one', (t) => {
  const mark = { listen: '[::1]:6443', untilMs: Date.parse('2025-01-01T00:01:00.500Z') };
  t.is(printPromotionMark(mark), '[::1]:6443 until 2025-01-01T00:01:00.500Z');
  t.deepEqual(readPromotionMark(printPromotionMark(mark)), mark);
  for (const text of [undefined, '', '0.0.0.0:6443', '0.0.0.0:6443 until', '0.0.0.0:6443 until 5', '0.0.0.0:6443 until 2025-13-01T00:00:00Z', 'until 2025-01-01T00:01:00Z']) t.is(readPromotionMark(text), undefined, text);
});

etcdTest('a worker is promoted: its process goes on as a server and a node, and comes up as one again', async (t) => {
  // Many command lines: 6 s of one core.
  t.timeout(240_000);
  const { folder, begin, barge } = await bargeProcesses(t);
  await begin(`up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error --etcd-servers ${(await etcd()).endpoints.join(',')} --etcd-prefix /promote --service-cidr 10.30.0.0/16`);
  const line = (await barge('token create')).trim().replace('barge ', '');
  const node = await begin(`${line} --runtime simulated --data-dir @/n2 --log-level info --node-name n2 --node-ip 127.0.0.2`);
  t.regex(await barge('node ls'), /^NAME +STATUS +ROLES +MANAGER STATUS +AGE +VERSION\nfirst +Ready +control-plane +Leader +\S+ +\S+\nn2 +Ready +<none> +\S+ +\S+\n$/);

  // What cannot be is said, and leaves no mark.
  t.regex(await barge('node promote nobody', 1), /nodes "nobody" not found/);
  t.regex(await barge('node promote first', 1), /node first is a server already/);
  t.regex(await barge('node promote n2 --listen here', 1), /--listen: "here" must be HOST:PORT/);
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  t.regex(await barge(`node promote n2 --listen 127.0.0.1:${(taken.address() as AddressInfo).port} --timeout 3s`, 1), /node n2 has not become a server; its log says why/);
  t.regex(node.err(), /this machine cannot become a server.*EADDRINUSE/);
  t.is(await barge("get node n2 -o jsonpath={.metadata.annotations.barge\\.dev/promote}"), '');
  t.false(existsSync(join(folder, 'n2/pki')));

  // A mark that a command left behind which was killed is worth nothing when its time is over, and in nobody's way.
  const left = printPromotionMark({ listen: '127.0.0.1:0', untilMs: Date.now() - 1_000 });
  await writeFile(join(folder, 'mark.json'), JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2', annotations: { [promotionAnnotation]: left } } }));
  await barge('apply --server-side -f @/mark.json');
  await eventually(() => assert.match(node.err(), /the mark by which this machine was to become a server has run out/), 60_000);
  t.false(existsSync(join(folder, 'n2/pki')));

  const [port] = await freePorts(1);
  t.is(await barge(`node promote n2 --listen 127.0.0.1:${port}`), 'node n2 is a server now\n');
  await eventually(() => assert.match(node.out(), new RegExp(`^node n2 Ready: https://127\\.0\\.0\\.1:${port} {2}kubeconfig`, 'm')), 60_000);
  const on = (words: string): Promise<string> => barge(`${words} --kubeconfig @/n2/admin.kubeconfig`);
  await eventually(async () => assert.match(await on('node ls'), /^first +Ready +control-plane +Leader [^]*^n2 +Ready +control-plane +Reachable /m), 60_000);
  t.is(await on("get node n2 -o jsonpath={.metadata.annotations.barge\\.dev/promote}"), '');
  t.is(await on('get service kubernetes -o jsonpath={.spec.clusterIP}'), '10.30.0.1');
  t.false(existsSync(join(folder, 'n2/node')), 'it is a worker no more');
  await on('cordon first');
  await on('run here --image=web:1');
  t.is(await on('wait pod/here --for=condition=Ready --timeout=60s'), 'pod/here condition met\n');
  t.is(await on('get pod here -o jsonpath={.spec.nodeName}'), 'n2');

  t.is(await node.stop(), 0);
  const again = await begin('up --data-dir @/n2 --log-level error');
  t.regex(again.out(), new RegExp(`^node n2 Ready: https://127\\.0\\.0\\.1:${port} `));
});

test('a node of a cluster whose objects are in a file is not promoted, and not marked', async (t) => {
  t.timeout(180_000);
  const { begin, barge } = await bargeProcesses(t);
  await begin('up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error');
  const line = (await barge('token create')).trim().replace('barge ', '');
  await begin(`${line} --runtime simulated --data-dir @/n2 --log-level error --node-name n2 --node-ip 127.0.0.2`);
  t.regex(await barge('node promote n2', 1), /the objects of this cluster are in a file of its only server, which no other can share/);
  t.is(await barge("get node n2 -o jsonpath={.metadata.annotations.barge\\.dev/promote}"), '');
  t.regex(await barge('node ls'), /^first +Ready +control-plane +Leader /m);
});

// Servers on loopback say to nobody where they are.
(machineAddresses()[0]!.startsWith('127.') ? test.skip : etcdTest)('a server is demoted: its process goes on as a worker without the keys of the cluster, and can be promoted again; the last server stays one', async (t) => {
  // Many command lines: 6 s of one core.
  t.timeout(300_000);
  const { folder, begin, barge } = await bargeProcesses(t);
  const store = `--etcd-servers ${(await etcd()).endpoints.join(',')} --etcd-prefix /demote`;
  await begin(`up --runtime simulated --data-dir @/data --listen 0.0.0.0:0 --node-name first --log-level error ${store}`);
  const server = (await barge('token create --role server')).trim().replace('barge ', '');
  t.regex(await barge('node demote nobody', 1), /nodes "nobody" not found/);
  t.regex(await barge('node demote first', 1), /node first is the only server of the cluster/);
  const [port] = await freePorts(1);
  const second = await begin(`${server} --runtime simulated --data-dir @/s2 --log-level info --node-name s2 --node-ip 127.0.0.2 --listen 127.0.0.2:${port}`);
  await barge('cordon first');
  await barge('run there --image=web:1');
  await barge('wait pod/there --for=condition=Ready --timeout=60s');
  t.regex(await barge('node ls'), /^s2 +Ready +control-plane +Reachable /m);

  // Of two that are to go none goes.
  const marked = (name: string, value: string | null): Promise<string> => barge(`patch node ${name} --type=merge -p ${JSON.stringify({ metadata: { annotations: { [demotionAnnotation]: value } } })}`);
  await marked('first', new Date(Date.now() + 3_600_000).toISOString());
  t.regex(await barge('node demote s2 --timeout 10s', 1), /node s2 is a server still/);
  t.regex(second.err(), /this machine stays a server/);
  await marked('first', null);

  t.is(await barge('node demote s2'), 'node s2 is a worker now\n');
  await eventually(() => assert.match(second.out(), /^node s2 Ready: https:\/\/\S+\n$/m), 60_000);
  await eventually(async () => assert.match(await barge('node ls'), /^first +Ready,SchedulingDisabled +control-plane +Leader [^]*^s2 +Ready +<none> +\S+ +\S+$/m), 60_000);
  t.regex(await barge('node demote s2', 1), /node s2 is no server/);
  t.is(await barge("get node s2 -o jsonpath={.metadata.annotations.barge\\.dev/demote}"), '');
  for (const gone of ['pki', 'server', 'store.json', 'admin.kubeconfig']) t.false(existsSync(join(folder, 's2', gone)), gone);
  await barge('wait pod/there --for=condition=Ready --timeout=60s');
  await barge('exec there -- true');
  await barge('run later --image=web:1');
  await barge('wait pod/later --for=condition=Ready --timeout=60s');

  // It starts again as what it is, also where it was killed before the keys were gone.
  t.is(await second.stop(), 0);
  await cp(join(folder, 'data/pki'), join(folder, 's2/pki'), { recursive: true });
  t.regex(await barge('up --runtime simulated --data-dir @/s2', 1), /is the data folder of a machine that has joined a cluster: 'barge join' runs its node/);
  t.false(existsSync(join(folder, 's2/pki')));
  await cp(join(folder, 'data/pki'), join(folder, 's2/pki'), { recursive: true });
  const again = await begin('join --runtime simulated --data-dir @/s2 --log-level info');
  t.false(existsSync(join(folder, 's2/pki')));
  await barge('run last --image=web:1');
  await barge('wait pod/last --for=condition=Ready --timeout=60s');

  t.is(await barge(`node promote s2 --listen 127.0.0.2:${port}`), 'node s2 is a server now\n');
  await eventually(() => assert.match(again.out(), new RegExp(`^node s2 Ready: https://127\\.0\\.0\\.2:${port} {2}kubeconfig`, 'm')), 60_000);
  t.true(existsSync(join(folder, 's2/pki/ca.key')));
});
