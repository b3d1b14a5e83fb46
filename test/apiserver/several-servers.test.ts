import assert from 'node:assert/strict';
import type { ExecutionContext } from 'ava';
import { bootstrap } from '../../apiserver/bootstrap.ts';
import { Core } from '../../apiserver/core.ts';
import { EtcdStorage } from '../../apiserver/storage/etcd.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { createClient, type Client } from '../../client/client.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { isReason } from '../../schemas/errors.ts';
import { admin, testRegistry } from '../helpers/api.ts';
import { etcdTest, sharedEtcd, startTestEtcd } from '../helpers/etcd.ts';
import { eventually } from '../helpers/eventually.ts';

// Several API servers on one etcd answer as one.

const etcd = sharedEtcd();
let clusters = 0;

const servers = async (t: ExecutionContext, count: number, endpoints?: readonly string[]): Promise<readonly Client[]> => {
  const prefix = `/cluster${clusters++}`;
  const at = endpoints ?? (await etcd()).endpoints;
  const cores = await Promise.all(Array.from({ length: count }, async () => {
    const storage = await EtcdStorage.open({ endpoints: at, prefix, clock: systemClock, log: silentLog });
    const core = await Core.open({
      storage, registry: await testRegistry(), clock: systemClock, random: Math.random, log: silentLog,
      authorizer: { authorize: () => undefined }, serviceCidr: '10.96.0.0/24', nodePortRange: { from: 30_000, to: 30_063 },
    });
    t.teardown(async () => {
      await core.close();
      await storage.close();
    });
    return core;
  }));
  // As servers do which start at the same time.
  await Promise.all(cores.map((core) => bootstrap(core, {})));
  return cores.map((core) => createClient(core.as(admin)));
};

const configMap = (name: string, data: Record<string, string> = {}) => ({ metadata: { namespace: 'default', name }, data });
const service = (name: string) => ({ metadata: { namespace: 'default', name }, spec: { type: 'NodePort' as const, ports: [{ port: 80 }] } });

etcdTest('what one server has answered every other one shows', async (t) => {
  const [one, two] = await servers(t, 2) as [Client, Client];
  const [here, there] = [one.of(ConfigMap), two.of(ConfigMap)];
  for (let n = 0; n < 10; n++) {
    const name = `c${n}`;
    await here.create(configMap(name));
    t.is((await there.list({ namespace: 'default', labelSelector: '' })).items.length, n + 1);
    const updated = await there.modify({ namespace: 'default', name }, (draft) => { draft.data = { n: String(n) }; });
    t.deepEqual((await here.get({ namespace: 'default', name })).data, { n: String(n) });
    await t.throwsAsync(here.update({ ...updated, metadata: { ...updated.metadata, resourceVersion: '1' } }), { message: /modified/ });
    await here.update({ ...updated, data: {} });
    await t.throwsAsync(there.create(configMap(name)), { message: /already exists/ });
  }
  await one.of(Namespace).create({ metadata: { name: 'new' } });
  await two.of(ConfigMap).create({ metadata: { namespace: 'new', name: 'first' } });
  await here.delete({ namespace: 'default', name: 'c0' });
  await t.throwsAsync(there.get({ namespace: 'default', name: 'c0' }), { message: /not found/ });
  await there.create(configMap('c0'));
});

etcdTest('a watch on one server sees the writes of the other, from now and from the past', async (t) => {
  const [one, two] = await servers(t, 2) as [Client, Client];
  const { metadata } = await one.of(ConfigMap).create(configMap('first'));
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const seen: string[] = [];
  void (async () => {
    for await (const events of two.of(ConfigMap).watch({ namespace: 'default', resourceVersion: metadata.resourceVersion! }, stop.signal)) seen.push(...events.map(({ type, object }) => `${type} ${object.metadata.name}`));
  })();
  await one.of(ConfigMap).create(configMap('second'));
  await one.of(ConfigMap).delete({ namespace: 'default', name: 'first' });
  await eventually(() => assert.deepEqual(seen, ['ADDED second', 'DELETED first']));
  for await (const events of two.of(ConfigMap).watch({ namespace: 'default' }, stop.signal)) {
    t.deepEqual(events.map(({ type, object }) => `${type} ${object.metadata.name}`), ['ADDED second']);
    break;
  }
});

etcdTest('no name, address, port or place of a quota is given twice', async (t) => {
  const clients = await servers(t, 3);
  const services = clients.map((client) => client.of(Service));
  const made = await Promise.all(Array.from({ length: 45 }, (_, n) => services[n % 3]!.create(service(`s${n}`))));
  t.is(new Set(made.map(({ spec }) => spec.clusterIP)).size, 45);
  t.is(new Set(made.map(({ spec }) => spec.ports![0]!.nodePort)).size, 45);
  for (let n = 0; n < 10; n++) {
    const tries = await Promise.allSettled(clients.map((client) => client.of(ConfigMap).create(configMap(`unique${n}`))));
    t.is(tries.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const one of tries) if (one.status === 'rejected') t.true(isReason(one.reason, 'AlreadyExists'), String(one.reason));
  }
  await clients[0]!.of(Namespace).create({ metadata: { name: 'small' } });
  await clients[0]!.of(ResourceQuota).create({ metadata: { namespace: 'small', name: 'few' }, spec: { hard: { 'count/configmaps': '5' } } });
  const asked = await Promise.allSettled(Array.from({ length: 15 }, (_, n) => clients[n % 3]!.of(ConfigMap).create({ metadata: { namespace: 'small', name: `q${n}` } })));
  t.is(asked.filter(({ status }) => status === 'fulfilled').length, 5);
  for (const one of asked) if (one.status === 'rejected') t.true(isReason(one.reason, 'Forbidden'), String(one.reason));
});

etcdTest('while etcd is away writes and reads are refused with when to try again, a read of anything at hand is not, and all goes on when it is back', async (t) => {
  const own = await startTestEtcd();
  t.teardown(() => own.close());
  const [client] = await servers(t, 1, own.endpoints) as [Client];
  const configMaps = client.of(ConfigMap);
  await configMaps.create(configMap('before'));
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const seen: string[] = [];
  void (async () => {
    for await (const events of configMaps.watch({ namespace: 'default' }, stop.signal)) seen.push(...events.map(({ object }) => object.metadata.name!));
  })();
  await eventually(() => assert.deepEqual(seen, ['before']));
  await own.kill(0);
  for (const tried of [() => configMaps.create(configMap('during')), () => configMaps.list({ namespace: 'default' })]) {
    const error = await eventually(() => tried().then(() => assert.fail('etcd is away'), (refused: unknown) => {
      // What was under way when it went may have been done, and a client hears that.
      if (!isReason(refused, 'ServiceUnavailable')) throw refused;
      return refused;
    }));
    t.is(error.details?.retryAfterSeconds, 1);
  }
  t.is((await configMaps.list({ namespace: 'default', resourceVersion: '0' })).items.length, 1);
  await own.start(0);
  await eventually(() => configMaps.create(configMap('after')));
  await eventually(() => assert.deepEqual(seen, ['before', 'after']));
});
