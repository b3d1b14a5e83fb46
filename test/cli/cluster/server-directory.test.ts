import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { silentLog } from '../../../base/log.ts';
import { assertSameCluster } from '../../../cli/cluster/same-cluster.ts';
import { ServerDirectory } from '../../../cli/cluster/server-directory.ts';
import { EndpointSlice } from '../../../schemas/kinds/discovery/endpoint-slice.ts';
import { Endpoints } from '../../../schemas/kinds/core/endpoints.ts';
import { Lease } from '../../../schemas/kinds/coordination/lease.ts';
import { testApi, type TestApi } from '../../helpers/api.ts';
import { until } from '../../helpers/control-plane.ts';

const key = { namespace: 'default', name: 'kubernetes' };
const directory = ({ core, clock }: TestApi, name: string) => new ServerDirectory({ core, clock, log: silentLog, name });
const told = async ({ client }: TestApi): Promise<readonly string[]> =>
  ((await client.of(Endpoints).get(key)).subsets ?? []).flatMap(({ addresses = [], ports = [] }) => addresses.map(({ ip }) => `${ip}:${ports[0]?.port}`)).sort();

test('the endpoints of the API are those of the servers that are there', async (t) => {
  const api = await testApi();
  const [one, two, lost] = [directory(api, 'one'), directory(api, 'two'), directory(api, 'lost')];
  await one.enter({ address: '192.0.2.1', port: 6443 });
  t.deepEqual(await told(api), ['192.0.2.1:6443']);
  await two.enter({ address: '192.0.2.2', port: 6443 });
  await lost.enter({ address: '192.0.2.3', port: 7443 });
  t.deepEqual(await told(api), ['192.0.2.1:6443', '192.0.2.2:6443', '192.0.2.3:7443']);
  await until(api.clock, () => assert.deepEqual([...one.addresses].sort(), ['192.0.2.1', '192.0.2.2', '192.0.2.3']));
  const slices = async () => (await api.client.of(EndpointSlice).list({ namespace: 'default' })).items.map(({ metadata, ports, endpoints }) => [metadata.name, ports?.[0]?.port, (endpoints ?? []).flatMap(({ addresses }) => addresses)]);
  t.deepEqual(await slices(), [['kubernetes', 6443, ['192.0.2.1', '192.0.2.2']], ['kubernetes-2', 7443, ['192.0.2.3']]]);

  // As one that was killed: it renews no more, and its lease stays.
  const lease = await api.client.of(Lease).get({ namespace: 'kube-system', name: 'apiserver-lost' });
  await lost.leave();
  await api.client.of(Lease).create({ metadata: { namespace: 'kube-system', name: 'apiserver-lost', labels: lease.metadata.labels!, annotations: lease.metadata.annotations! }, spec: lease.spec! });
  await until(api.clock, async () => assert.deepEqual(await told(api), ['192.0.2.1:6443', '192.0.2.2:6443', '192.0.2.3:7443']), 6_000);
  await until(api.clock, async () => assert.deepEqual(await told(api), ['192.0.2.1:6443', '192.0.2.2:6443']), 21_000);
  t.deepEqual((await slices()).map(([name]) => name), ['kubernetes']);

  // Another process takes out what one has left that was killed.
  const name = { namespace: 'kube-system', name: 'apiserver-killed' };
  await api.client.of(Lease).create({ metadata: { ...name, labels: lease.metadata.labels!, annotations: lease.metadata.annotations! }, spec: lease.spec! });
  await directory(api, 'killed').takeOut();
  t.is(await api.client.of(Lease).find(name), undefined);
  t.deepEqual(await told(api), ['192.0.2.1:6443', '192.0.2.2:6443']);
  await directory(api, 'killed').takeOut();
  t.deepEqual(await directory(api, 'one').others(), ['two']);

  await one.leave();
  await until(api.clock, async () => assert.deepEqual(await told(api), ['192.0.2.2:6443']), 6_000);
  await two.leave();
  t.deepEqual(await told(api), []);
  t.deepEqual((await api.client.of(Lease).list()).items, []);
  await api.close();
});

test('a server that lives is told from one that was killed, and one with new certificates from one without', async (t) => {
  const api = await testApi();
  let authorities: readonly string[] = ['new', 'old'];
  const moved = new ServerDirectory({ core: api.core, clock: api.clock, log: silentLog, name: 'moved', authorities: () => authorities });
  const behind = new ServerDirectory({ core: api.core, clock: api.clock, log: silentLog, name: 'behind', authorities: () => ['old'] });
  await moved.enter(undefined);
  await behind.enter(undefined);
  const killed = { namespace: 'kube-system', name: 'apiserver-killed' };
  const { metadata: { labels }, spec } = await api.client.of(Lease).get({ namespace: 'kube-system', name: 'apiserver-moved' });
  await api.client.of(Lease).create({ metadata: { ...killed, labels: labels! }, spec: spec! });
  t.deepEqual(await moved.without('new'), ['behind', 'killed'], 'nobody knows yet that it was killed');

  // Somebody from outside looks before he ends the store under them.
  let others: readonly string[] | undefined;
  const looking = directory(api, 'behind').othersAlive().then((names) => { others = names; });
  await until(api.clock, () => assert.deepEqual(others, ['moved']), 21_000);
  await looking;
  await until(api.clock, async () => assert.deepEqual(await moved.without('new'), ['behind']), 6_000);
  t.deepEqual(await moved.without('old'), ['moved'], 'what signs comes first');
  authorities = [];
  await until(api.clock, async () => assert.deepEqual(await moved.without('new'), ['behind', 'moved']), 6_000);
  await behind.leave();
  t.deepEqual(await directory(api, 'moved').othersAlive(), []);
  await moved.leave();
  await api.close();
});

test('a server with other keys or other networks is none of the cluster', async (t) => {
  const api = await testApi();
  const newKey = (): string => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const [ours, theirs] = [newKey(), newKey()];
  const settings = { clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' };
  const where = 'http://etcd under /barge';
  await assertSameCluster(api.transport, { accountKey: ours, where, settings });
  await t.notThrowsAsync(assertSameCluster(api.transport, { accountKey: ours, where, settings }));
  await t.throwsAsync(assertSameCluster(api.transport, { accountKey: theirs, where, settings }), { message: /http:\/\/etcd under \/barge holds the objects of a cluster whose keys are not in this data folder: join them \('barge token create --role server'/ });
  await t.throwsAsync(assertSameCluster(api.transport, { accountKey: ours, where, settings: { ...settings, serviceCidr: '10.97.0.0/16' } }), { message: '--service-cidr: the other servers of the cluster have 10.96.0.0/16; this one has 10.97.0.0/16' });
  await api.close();
});
