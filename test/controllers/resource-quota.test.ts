import assert from 'node:assert/strict';
import test from 'ava';
import { silentLog } from '../../base/log.ts';
import { runControllers } from '../../client/controller.ts';
import { resourceQuotaController } from '../../controllers/resource-quota/controller.ts';
import { correction, nextOverdueInMs } from '../../controllers/resource-quota/plan.ts';
import type { ApiRequest, Transport } from '../../schemas/api.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { seededRandom, testApi } from '../helpers/api.ts';
import { settle } from '../helpers/fake-clock.ts';
import { at, pod, startMs } from '../helpers/workloads.ts';

const quota = (status: ResourceQuota['status']): ResourceQuota => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'default' }, spec: { hard: { pods: '3', 'count/leases.coordination.k8s.io': '1' } }, status });

test('a status is right when it has the limits of the spec and what is there', (t) => {
  const hard = { pods: '3', 'count/leases.coordination.k8s.io': '1' };
  const pods = [pod('a'), pod('b', { phase: 'Succeeded' })];
  const look = (status: ResourceQuota['status'], only?: (name: string) => boolean) => correction(quota(status), ({ plural }) => (plural === 'pods' ? pods : []), { nowMs: startMs, ...(only === undefined ? {} : { only }) });
  const right = { hard, used: { pods: '1', 'count/leases.coordination.k8s.io': '0' } };
  t.is(look(right), undefined);
  t.deepEqual(look(undefined), right);
  t.deepEqual(look({ ...right, hard: { pods: '4' } }), right);
  t.deepEqual(look({ ...right, used: { ...right.used, pods: '2' } }), right);
  t.is(look({ ...right, used: { pods: '1000m', 'count/leases.coordination.k8s.io': '7' } }, (name) => name === 'pods'), undefined, 'an amount may be written otherwise, and some names may be left out of the look');
  const leaving = (seconds: number) => pod('x', { metadata: { deletionTimestamp: at(seconds), deletionGracePeriodSeconds: 30 } });
  t.is(nextOverdueInMs([pod('a'), leaving(10), leaving(20)], startMs), 40_001);
  t.is(nextOverdueInMs([pod('a'), leaving(-60)], startMs), undefined);
});

test('what is used is counted again, and nothing is asked while it is right', async (t) => {
  const api = await testApi();
  const stop = new AbortController();
  const asked: ApiRequest[] = [];
  const transport: Transport = { ...api.transport, send: (request, signal) => {
    asked.push(request);
    return api.transport.send(request, signal);
  } };
  const running = runControllers([resourceQuotaController(api.registry)], { transport, clock: api.clock, random: seededRandom(2), log: silentLog }, stop.signal, () => undefined);
  t.teardown(async () => {
    stop.abort();
    await running;
    await api.close();
  });
  await settle();
  const key = (name: string) => ({ namespace: 'default', name });
  const quotas = api.client.of(ResourceQuota);
  const used = async (name: string) => (await quotas.get(key(name))).status?.used;
  const until = async (expected: Readonly<Record<string, string>>, name = 'q'): Promise<void> => {
    for (let looks = 0; looks < 40; looks++) {
      try {
        assert.deepEqual(await used(name), expected);
        return;
      } catch (error) {
        if (looks === 39) throw error;
        await api.clock.advance(500);
      }
    }
  };
  await quotas.create({ metadata: key('q'), spec: { hard: { configmaps: '9', pods: '9' } } });
  await quotas.create({ metadata: key('leases'), spec: { hard: { 'count/leases.coordination.k8s.io': '5' } } });
  for (let index = 0; index < 3; index++) await api.client.of(ConfigMap).create({ metadata: key(`m${index}`), data: {} });
  await api.clock.advance(2_000);
  asked.length = 0;
  for (let index = 3; index < 6; index++) await api.client.of(ConfigMap).create({ metadata: key(`m${index}`), data: {} });
  await api.clock.advance(250_000);
  t.deepEqual(asked, [], 'transactions count by themselves');
  t.deepEqual(await used('q'), { configmaps: '6', pods: '0' });

  await quotas.modifyStatus(key('q'), (draft) => { draft.status = { hard: { configmaps: '100' }, used: { configmaps: '0' } }; });
  await until({ configmaps: '6', pods: '0' });
  t.deepEqual((await quotas.get(key('q'))).status?.hard, { configmaps: '9', pods: '9' });

  // A kind without an informer is counted by the server from time to time.
  for (const name of ['a', 'b', 'c']) await api.client.of(Lease).create({ metadata: key(name), spec: {} });
  await quotas.modifyStatus(key('leases'), (draft) => { draft.status = { ...draft.status, used: { 'count/leases.coordination.k8s.io': '1' } }; });
  await api.clock.advance(310_000);
  await until({ 'count/leases.coordination.k8s.io': '3' }, 'leases');

  // A pod whose node is lost is not gone when it should be.
  await api.client.of(Pod).create({ metadata: key('stuck'), spec: { nodeName: 'lost', containers: [{ name: 'c', image: 'a' }] } });
  await api.client.of(Pod).delete(key('stuck'), { gracePeriodSeconds: 30 });
  await until({ configmaps: '6', pods: '1' });
  await api.clock.advance(63_000);
  await until({ configmaps: '6', pods: '0' });
  await api.client.of(Pod).delete(key('stuck'), { gracePeriodSeconds: 0 });
  await api.clock.advance(2_000);
  t.deepEqual(await used('q'), { configmaps: '6', pods: '0' }, 'it gives nothing back twice');
});
