import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import { createClusterAuthorizer } from '../../../apiserver/authorization/cluster-authorizer.ts';
import type { Component } from '../../../base/component.ts';
import { silentLog } from '../../../base/log.ts';
import type { NewObject } from '../../../client/client.ts';
import { createNetworkPolicyComponent } from '../../../proxy/network-policy/component.ts';
import type { PolicyTable } from '../../../proxy/network-policy/policy-table.ts';
import { Namespace } from '../../../schemas/kinds/core/namespace.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { NetworkPolicy } from '../../../schemas/kinds/networking/network-policy.ts';
import { testApi, type TestApi } from '../../helpers/api.ts';
import { eventually } from '../../helpers/eventually.ts';
import { settle } from '../../helpers/fake-clock.ts';

/** Runs a component until the test ends; resolves when it is ready. */
const runUntilEnd = (t: ExecutionContext, component: Component, api: Pick<TestApi, 'close'>): Promise<void> => {
  const over = new AbortController();
  return new Promise((ready) => {
    const running = component.run(over.signal, ready);
    t.teardown(async () => {
      over.abort();
      await running;
      await api.close();
    });
  });
};

test('a node is told what its pods are held to, from the first policy on and as pods and namespaces change', async (t) => {
  const api = await testApi();
  const tables: PolicyTable[] = [];
  const component = createNetworkPolicyComponent({ transport: api.core.as({ name: 'system:barge:proxy', groups: ['system:authenticated'] }), clock: api.clock, log: silentLog, random: () => 0.5 }, {
    nodeName: 'n1', enforcer: { name: 'noted', apply: async (table) => void tables.push(table), remove: async () => undefined },
  });
  await runUntilEnd(t, component, api);
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

test('the pods of others are followed from the first policy to the last, as a node may', async (t) => {
  const api = await testApi({ authorizer: createClusterAuthorizer });
  const tables: PolicyTable[] = [];
  const component = createNetworkPolicyComponent({
    transport: api.core.as({ name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }), clock: api.clock, log: silentLog, random: () => 0.5,
  }, { nodeName: 'n1', enforcer: { name: 'noted', apply: async (table) => void tables.push(table), remove: async () => undefined } });
  runUntilEnd(t, component, api);
  const pods = api.client.of(Pod);
  await pods.create({ metadata: { namespace: 'default', name: 'web' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } } as NewObject<Pod>);
  await pods.modifyStatus({ namespace: 'default', name: 'web' }, (draft) => void (draft.status = { ...draft.status, phase: 'Running', podIP: '10.0.0.7' }));
  const isolated = (): readonly string[] => [...tables.at(-1)?.pods.ingress.keys() ?? []];
  for (let n = 0; n < 3; n++) {
    await api.client.of(NetworkPolicy).create({ metadata: { name: 'p', namespace: 'default' }, spec: { podSelector: {} } } as NewObject<NetworkPolicy>);
    await eventually(() => assert.deepEqual(isolated(), ['10.0.0.7']));
    await api.client.of(NetworkPolicy).delete({ namespace: 'default', name: 'p' });
    await eventually(() => assert.deepEqual(isolated(), []));
  }
  // One that is there for a moment only leaves nobody waiting for pods that are not given any more.
  await api.client.of(NetworkPolicy).create({ metadata: { name: 'short', namespace: 'default' }, spec: { podSelector: {} } } as NewObject<NetworkPolicy>);
  await api.client.of(NetworkPolicy).delete({ namespace: 'default', name: 'short' });
  await settle();
  await api.client.of(NetworkPolicy).create({ metadata: { name: 'p', namespace: 'default' }, spec: { podSelector: {} } } as NewObject<NetworkPolicy>);
  await eventually(() => assert.deepEqual(isolated(), ['10.0.0.7']));
  t.deepEqual(isolated(), ['10.0.0.7']);
});

test('a pod that starts is held before any status says its address, and waits for the rules', async (t) => {
  const api = await testApi();
  const tables: PolicyTable[] = [];
  let inTheWay: Promise<void> = Promise.resolve();
  const component = createNetworkPolicyComponent({ transport: api.core.as({ name: 'system:barge:proxy', groups: ['system:authenticated'] }), clock: api.clock, log: silentLog, random: () => 0.5 }, {
    nodeName: 'n1', enforcer: { name: 'noted', apply: (table) => inTheWay.then(() => void tables.push(table)), remove: async () => undefined },
  });
  runUntilEnd(t, component, api);
  const podOf = (name: string) => api.client.of(Pod).create({ metadata: { name, namespace: 'default', labels: { app: name } }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } } as NewObject<Pod>);
  const [web, free, gone] = [await podOf('web'), await podOf('free'), await podOf('gone')];
  const leaving = new AbortController();
  await component.held(free, '10.0.0.8', leaving.signal);
  t.deepEqual([...tables.at(-1)?.pods.ingress.keys() ?? []], [], 'without policies nobody waits');

  await api.client.of(NetworkPolicy).create({ metadata: { name: 'p', namespace: 'default' }, spec: { podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['free', 'web', 'gone'] }] } } } as NewObject<NetworkPolicy>);
  await api.client.of(Pod).modifyStatus({ namespace: 'default', name: 'free' }, (draft) => void (draft.status = { ...draft.status, phase: 'Running', podIP: '10.0.0.8' }));
  const isolated = (): readonly string[] => [...tables.at(-1)!.pods.ingress.keys()].toSorted();
  await eventually(() => assert.deepEqual(isolated(), ['10.0.0.8']));
  const rules = Promise.withResolvers<void>();
  inTheWay = rules.promise;
  let starts = false;
  const held = component.held(web, '10.0.0.7', leaving.signal).then(() => void (starts = true));
  const given = component.held(gone, '10.0.0.9', AbortSignal.any([leaving.signal]));
  await settle();
  t.false(starts, 'the rules are not there yet');
  rules.resolve();
  await Promise.all([held, given]);
  t.deepEqual(isolated(), ['10.0.0.7', '10.0.0.8', '10.0.0.9'], 'though no status says so');

  // A second container of it waits for nothing.
  const before = tables.length;
  await component.held(web, '10.0.0.7', leaving.signal);
  t.is(tables.length, before);
  // Its status says it, then nobody has to be told, and it holds on.
  await api.client.of(Pod).modifyStatus({ namespace: 'default', name: 'web' }, (draft) => void (draft.status = { ...draft.status, phase: 'Running', podIP: '10.0.0.7' }));
  leaving.abort();
  await component.held(await podOf('late'), '10.0.0.10', new AbortController().signal);
  t.deepEqual(isolated(), ['10.0.0.7', '10.0.0.8'], 'the address of one that went before its status said it is nobody\'s');
  await t.throwsAsync(component.held(gone, '10.0.0.9', leaving.signal));
});
