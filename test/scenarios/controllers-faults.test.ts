// Controllers that are stopped between any two writes, and controllers whose connection loses, delays and doubles things.
import assert from 'node:assert/strict';
import test from 'ava';
import type { Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { seededRandom, testApi, type TestApi } from '../helpers/api.ts';
import { startControllers, until } from '../helpers/control-plane.ts';
import { faultyTransport } from '../helpers/faulty-transport.ts';
import { SimulatedNodes } from '../helpers/simulated-node.ts';
import { template } from '../helpers/workloads.ts';

const key = { namespace: 'shop', name: 'web' };
const replicas = 3;
/** With maxSurge 1. */
const most = replicas + 1;

/** A server, nodes, and an eye on the number of pods, which never may be more than asked for. */
const world = async () => {
  const api = await testApi({ namespaces: ['shop'] });
  const over = new AbortController();
  const nodes = new SimulatedNodes({ transport: api.transport, clock: api.clock, names: ['n1', 'n2'] }).run(over.signal);
  const active = new Set<string>();
  let highest = 0;
  const { metadata } = await api.client.of(Pod).list();
  const watching = (async () => {
    for await (const events of api.client.of(Pod).watch({ resourceVersion: metadata.resourceVersion }, over.signal)) {
      for (const { type, object } of events) {
        if (type === 'BOOKMARK') continue;
        if (type === 'DELETED' || object.metadata.deletionTimestamp !== undefined) active.delete(object.metadata.uid!);
        else active.add(object.metadata.uid!);
        highest = Math.max(highest, active.size);
      }
    }
  })();
  return {
    api, highest: () => highest,
    end: async () => {
      over.abort();
      await Promise.all([nodes, watching]);
      await api.close();
    },
  };
};

const begin = async ({ client }: TestApi): Promise<void> => {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } as const;
  await client.of(Service).create({ metadata: key, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } });
  await client.of(Deployment).create({ metadata: key, spec: { replicas, strategy, selector: { matchLabels: { app: 'web' } }, template: template('v1') } });
};

const update = ({ client }: TestApi): Promise<unknown> => client.of(Deployment).modify(key, (draft) => void (draft.spec.template = structuredClone(template('v2')) as typeof draft.spec.template));

const rolledOut = ({ client, clock }: TestApi, image: string, forMs = 60_000): Promise<void> => until(clock, async () => {
  const { status, metadata } = await client.of(Deployment).get(key);
  assert.partialDeepStrictEqual(status, { observedGeneration: metadata.generation, replicas, updatedReplicas: replicas, availableReplicas: replicas });
  const pods = (await client.of(Pod).list({ namespace: 'shop' })).items;
  assert.deepEqual(pods.map(({ spec }) => spec.containers[0]?.image), [image, image, image]);
  const slices = (await client.of(EndpointSlice).list({ namespace: 'shop' })).items;
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []).filter((one) => one.conditions?.ready === true);
  assert.deepEqual(endpoints.map((one) => one.targetRef?.uid).sort(), pods.map((pod) => pod.metadata.uid).sort());
}, forMs);

/** Breaks off at the write of this number, which is done, but nobody hears of it. */
const brokenOff = (transport: Transport, at: number, stop: () => void): Transport => {
  let writes = 0;
  return {
    watch: (request, signal) => transport.watch(request, signal),
    send: async (request, signal) => {
      // Events are notes for people; nothing depends on them.
      if (request.verb === 'get' || request.verb === 'list' || request.resource === 'events') return transport.send(request, signal);
      const isLast = ++writes === at;
      if (writes < at) return transport.send(request, signal);
      if (isLast) {
        await transport.send(request).catch(() => undefined);
        stop();
      }
      throw new ApiError('ServiceUnavailable', 'the process was killed');
    },
  };
};

test('killed after any write of a rollout and started again, the controllers finish it, with never a pod too many', async (t) => {
  let writes = 1;
  for (; ; writes++) {
    const { api, highest, end } = await world();
    await begin(api);
    const first = await startControllers(api);
    await rolledOut(api, 'v1');
    await first.stop();
    let isKilled = false;
    const second = await startControllers(api, { transport: brokenOff(api.transport, writes, () => void (isKilled = true)) });
    await update(api);
    await until(api.clock, async () => {
      if (!isKilled) await rolledOut(api, 'v2', 0);
    }, 60_000);
    await second.stop();
    const third = await startControllers(api, { seed: writes });
    await rolledOut(api, 'v2');
    t.true(highest() <= most, `${highest()} pods at once after a stop at write ${writes}`);
    t.is((await api.client.of(ReplicaSet).list({ namespace: 'shop' })).items.length, 2);
    await third.stop();
    await end();
    if (!isKilled) break;
  }
  t.true(writes > 15, 'a rollout has that many writes');
});

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`a bad connection (seed ${seed}): the rollout ends well, with never a pod too many, and the namespace goes`, async (t) => {
    const { api, highest, end } = await world();
    const faults = { refuse: 0.05, loseAnswer: 0.08, cutWatch: 0.08, expireWatch: 0.02, delay: 0.3, repeat: 0.2 };
    const transport = faultyTransport(api.transport, faults, seededRandom(seed));
    const controllers = await startControllers(api, { transport, seed });
    await begin(api);
    await rolledOut(api, 'v1', 600_000);
    await update(api);
    await rolledOut(api, 'v2', 600_000);
    t.true(highest() <= most, `${highest()} pods at once`);
    await api.client.of(Namespace).delete({ name: 'shop' });
    await until(api.clock, async () => assert.equal(await api.client.of(Namespace).find({ name: 'shop' }), undefined), 600_000);
    await controllers.stop();
    await end();
  });
}

/** A transport whose copy of one resource can be kept behind, and whose answers to writes of that resource can be lost. */
interface HeldBack {
  readonly transport: Transport;
  /** Keeps back what the watch delivers from now on, until `letThrough`. */
  hold(): void;
  letThrough(): void;
  /** The next so many writes are done, and their answers lost. */
  lose(count: number): void;
  /** Writes of objects themselves that were sent so far, those without an answer too. */
  readonly writes: number;
}

const heldBack = (transport: Transport, resource: string): HeldBack => {
  let gate = Promise.resolve();
  let open = (): void => undefined;
  let left = 0;
  let writes = 0;
  const changes = new Set(['create', 'update', 'patch', 'delete']);
  return {
    get writes() {
      return writes;
    },
    hold: () => {
      gate = new Promise((resolve) => (open = resolve));
    },
    letThrough: () => open(),
    lose: (count) => {
      left = count;
    },
    transport: {
      send: async (request, signal) => {
        const isWrite = request.resource === resource && request.subresource === undefined && changes.has(request.verb);
        if (isWrite) writes++;
        const answer = await transport.send(request, signal);
        if (isWrite && left-- > 0) throw new ApiError('Timeout', 'the answer was lost');
        return answer;
      },
      watch: async function* (request, signal) {
        for await (const batch of transport.watch(request, signal)) {
          if (request.resource === resource) await gate;
          yield batch;
        }
      },
    },
  };
};

for (const lost of [0, 2]) {
  test(`a copy of the pods that is half a minute behind, with ${lost} answers lost, makes and deletes none too many`, async (t) => {
    const { api, highest, end } = await world();
    const late = heldBack(api.transport, 'pods');
    late.lose(lost);
    const controllers = await startControllers(api, { transport: late.transport });
    const sets = api.client.of(ReplicaSet);
    const pods = async () => (await api.client.of(Pod).list({ namespace: 'shop' })).items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    late.hold();
    await sets.create({ metadata: key, spec: { replicas: 5, selector: { matchLabels: { app: 'web' } }, template: template('v1') } });
    await api.clock.advance(30_000);
    t.true((await pods()).length > 0);
    late.letThrough();
    await until(api.clock, async () => assert.equal((await sets.get(key)).status?.readyReplicas, 5), 60_000);
    t.is(highest(), 5);
    late.hold();
    await sets.modify(key, (draft) => void (draft.spec.replicas = 2));
    await api.clock.advance(30_000);
    t.true((await pods()).length >= 2);
    late.letThrough();
    await until(api.clock, async () => assert.deepEqual([(await pods()).length, (await sets.get(key)).status?.readyReplicas], [2, 2]), 60_000);
    t.is(highest(), 5);
    await controllers.stop();
    await end();
  });
}

test('a resize whose answer was lost is not tried again on a copy that does not show it', async (t) => {
  const { api, end } = await world();
  const late = heldBack(api.transport, 'replicasets');
  const controllers = await startControllers(api, { transport: late.transport });
  const deployments = api.client.of(Deployment);
  const settled = (image: string) => until(api.clock, async () => {
    const { metadata: { generation = 0 }, spec, status } = await deployments.get(key);
    assert.equal(spec.template.spec.containers[0]!.image, image);
    assert.partialDeepStrictEqual(status, { observedGeneration: generation, updatedReplicas: 4, availableReplicas: 4, replicas: 4 });
  }, 120_000);
  await deployments.create({ metadata: key, spec: { replicas: 4, selector: { matchLabels: { app: 'web' } }, template: template('v1'), strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } } });
  await settled('v1');
  const before = late.writes;
  late.hold();
  late.lose(1);
  await deployments.modify(key, (draft) => void (draft.spec.template.spec.containers[0]!.image = 'v2'));
  await api.clock.advance(30_000);
  t.is(late.writes - before, 1, 'half a minute with one write that nobody saw');
  late.letThrough();
  await settled('v2');
  await controllers.stop();
  await end();
});
