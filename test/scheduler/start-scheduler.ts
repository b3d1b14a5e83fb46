import assert from 'node:assert/strict';
import { createBuiltinAuthorizer } from '../../apiserver/authorization/builtin-grants.ts';
import { silentLog } from '../../base/log.ts';
import { createSchedulerComponent, type SchedulerComponentOptions } from '../../scheduler/component.ts';
import type { ApiRequest, Transport } from '../../schemas/api.ts';
import { conditionOf } from '../../schemas/conditions.ts';
import type { Draft } from '../../schemas/frozen.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { testApi, type TestApiOptions } from '../helpers/api.ts';
import { eventually } from '../helpers/eventually.ts';
import { node, pod, type NodeWords, type Requests } from './objects.ts';

/** A real API server and a scheduler. `before` meets every request of the scheduler, and may fail it. */
export const start = async (before: (request: ApiRequest) => void | Promise<void> = () => undefined, options: SchedulerComponentOptions = {}, on: Pick<TestApiOptions, 'storage' | 'clock'> = {}) => {
  const api = await testApi({ authorizer: createBuiltinAuthorizer(), ...on });
  const requests: ApiRequest[] = [];
  // With the rights that the scheduler has in a cluster, and no more.
  const own = api.core.as({ name: 'system:barge:scheduler', groups: ['system:authenticated'] });
  const transport: Transport = {
    send: async (request, signal) => {
      requests.push(request);
      await before(request);
      return own.send(request, signal);
    },
    watch: (request, signal) => own.watch(request, signal),
  };
  const stopping = new AbortController();
  let isReady = false;
  const running = createSchedulerComponent({ transport, clock: api.clock, random: () => 0, log: silentLog }, options).run(stopping.signal, () => (isReady = true));
  await eventually(() => assert.ok(isReady));
  const pods = api.client.of(Pod);
  const at = (name: string) => ({ namespace: 'default', name });
  return {
    ...api, requests, pods, at,
    addNode: async (name: string, words: NodeWords = {}) => {
      const { metadata, spec, status } = node(name, words);
      await api.client.of(Node).create({ metadata: { name, labels: metadata.labels }, spec });
      await api.client.of(Node).modifyStatus({ name }, (draft) => { draft.status = status as Draft<Node['status']>; });
    },
    addPod: async (name: string, requests: Requests = {}, spec: Partial<PodSpec> = {}) => {
      await pods.create({ metadata: { name, namespace: 'default' }, spec: pod(name, requests, spec).spec });
    },
    nodeOf: async (name: string) => (await pods.get(at(name))).spec.nodeName,
    bound: (name: string, nodeName?: string) => eventually(async () => {
      const found = (await pods.get(at(name))).spec.nodeName;
      if (nodeName === undefined) assert.ok(found);
      else assert.equal(found, nodeName);
    }),
    refused: (name: string, message: string, reason = 'Unschedulable') => eventually(async () => {
      const condition = conditionOf((await pods.get(at(name))).status?.conditions, 'PodScheduled');
      // What preemption says is tested where it matters; here it must only be there.
      const [said, preemption] = condition?.message?.split(' preemption: ') ?? [];
      assert.deepEqual([condition?.status, condition?.reason, said], ['False', reason, message]);
      if (reason === 'Unschedulable') assert.ok(preemption !== undefined || message === 'no nodes available to schedule pods');
    }),
    eventsAbout: async (name: string) => (await api.client.of(Event).list()).items.filter((event) => event.involvedObject.name === name),
    stop: async () => {
      stopping.abort();
      await running;
      await api.close();
    },
  };
};
