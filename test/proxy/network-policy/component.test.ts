import assert from 'node:assert/strict';
import test from 'ava';
import { silentLog } from '../../../base/log.ts';
import type { NewObject } from '../../../client/client.ts';
import { createNetworkPolicyComponent } from '../../../proxy/network-policy/component.ts';
import type { PolicyTable } from '../../../proxy/network-policy/policy-table.ts';
import { Namespace } from '../../../schemas/kinds/core/namespace.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { NetworkPolicy } from '../../../schemas/kinds/networking/network-policy.ts';
import { testApi } from '../../helpers/api.ts';
import { eventually } from '../../helpers/eventually.ts';
import { settle } from '../../helpers/fake-clock.ts';

test('a node is told what its pods are held to, from the first policy on and as pods and namespaces change', async (t) => {
  const api = await testApi();
  const tables: PolicyTable[] = [];
  const component = createNetworkPolicyComponent({ transport: api.core.as({ name: 'system:barge:proxy', groups: ['system:authenticated'] }), clock: api.clock, log: silentLog, random: () => 0.5 }, {
    nodeName: 'n1', enforcer: { name: 'noted', apply: async (table) => void tables.push(table), remove: async () => undefined },
  });
  const over = new AbortController();
  let isReady = false;
  const running = component.run(over.signal, () => void (isReady = true));
  t.teardown(async () => {
    over.abort();
    await running;
    await api.close();
  });
  await eventually(() => assert.ok(isReady));
  t.is(tables.at(-1)!.chains.size, 0);

  const pods = api.client.of(Pod);
  const key = { namespace: 'default', name: 'web' };
  await pods.create({ metadata: { ...key, labels: { app: 'web' } }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } } as NewObject<Pod>);
  await pods.modifyStatus(key, (draft) => void (draft.status = { ...draft.status, phase: 'Running', podIP: '10.0.0.7' }));
  await api.client.of(NetworkPolicy).create({ metadata: { name: 'p', namespace: 'default' }, spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }] } } as NewObject<NetworkPolicy>);
  const isolated = (): readonly string[] => [...tables.at(-1)!.pods.ingress.keys()];
  const allowed = (): readonly string[] => [...tables.at(-1)!.sets.values()].flatMap(({ elements }) => [...elements]);
  await eventually(() => assert.deepEqual(isolated(), ['10.0.0.7']));
  t.deepEqual(allowed(), []);
  await api.client.of(Namespace).modify({ name: 'default' }, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, team: 'a' }));
  await eventually(() => assert.deepEqual(allowed(), ['10.0.0.7']));

  const before = tables.length;
  await pods.modifyStatus(key, (draft) => void (draft.status = { ...draft.status, message: 'nothing that a policy asks for' }));
  await settle();
  t.is(tables.length, before);
  await pods.modify(key, (draft) => void (draft.metadata.labels = { app: 'other' }));
  await eventually(() => assert.deepEqual(isolated(), []));
  await pods.modify(key, (draft) => void (draft.metadata.labels = { app: 'web' }));
  await eventually(() => assert.deepEqual(isolated(), ['10.0.0.7']));
  await api.client.of(NetworkPolicy).delete({ namespace: 'default', name: 'p' });
  await eventually(() => assert.deepEqual(isolated(), []));
});
