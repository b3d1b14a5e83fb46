import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import { silentLog } from '../../../base/log.ts';
import type { Informer, Listener } from '../../../client/informer.ts';
import { createInformers } from '../../../client/informers.ts';
import { followPeers, peerTimes } from '../../../kubelet-lite/network/follow-peers.ts';
import type { Overlay, Peer } from '../../../kubelet-lite/network/overlay.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { testApi } from '../../helpers/api.ts';
import { eventually } from '../../helpers/eventually.ts';
import { FakeClock, settle } from '../../helpers/fake-clock.ts';

const setup = async (t: ExecutionContext) => {
  const { client, clock, close } = await testApi();
  const told: string[] = [];
  const faults = { left: 0 };
  const look = { looks: 0, undisturbed: false };
  const overlay: Overlay = {
    name: 'recording', overheadBytes: 0, prepare: async () => ({ gatewayIp: '10.244.0.1' }), remove: async () => undefined,
    apply: async (peers: readonly Peer[]) => {
      told.push(peers.map(({ nodeName, nodeIp, podCidr }) => `${nodeName} ${nodeIp} ${podCidr}`).join(', '));
      if (faults.left > 0) {
        faults.left--;
        throw new Error('the kernel said no');
      }
    },
    isUndisturbed: async () => {
      look.looks++;
      return look.undisturbed;
    },
  };
  const add = async (name: string, nodeIp: string | undefined, podCIDR: string | undefined): Promise<void> => {
    await client.of(Node).create({ metadata: { name }, spec: podCIDR === undefined ? {} : { podCIDR } });
    if (nodeIp !== undefined) await client.of(Node).modifyStatus({ name }, (draft) => {
      draft.status = { ...draft.status, addresses: [{ type: 'InternalIP', address: nodeIp }] };
    });
  };
  await add('me', '192.0.2.1', '10.244.0.0/24');
  const informers = createInformers({ client, clock, log: silentLog, random: () => 0.5 });
  const nodes = informers.informer(Node);
  const stop = new AbortController();
  const running = informers.run(stop.signal);
  const following = followPeers(nodes, { overlay, nodeName: 'me', clock, log: silentLog, signal: stop.signal });
  t.teardown(async () => {
    stop.abort();
    await Promise.all([running, following]);
    await close();
  });
  const last = (expected: string): Promise<void> => eventually(() => assert.equal(told.at(-1), expected));
  return { client, clock, told, faults, look, add, last };
};

test('the overlay is told of all other nodes, of their going and of other addresses', async (t) => {
  const { client, told, add, last } = await setup(t);
  await eventually(() => assert.deepEqual(told, ['']));
  await add('b', '192.0.2.3', '10.244.2.0/24');
  await last('b 192.0.2.3 10.244.2.0/24');
  await add('a', '192.0.2.2', '10.244.1.0/24');
  await last('a 192.0.2.2 10.244.1.0/24, b 192.0.2.3 10.244.2.0/24');
  await add('no-address', undefined, '10.244.3.0/24');
  await add('no-pods', '192.0.2.9', undefined);
  await client.of(Node).modifyStatus({ name: 'b' }, (draft) => {
    draft.status = { ...draft.status, addresses: [{ type: 'InternalIP', address: '192.0.2.33' }] };
  });
  await last('a 192.0.2.2 10.244.1.0/24, b 192.0.2.33 10.244.2.0/24');
  await client.of(Node).delete({ name: 'b' });
  await last('a 192.0.2.2 10.244.1.0/24');
  t.false(told.some((words) => /me |no-/.test(words)), 'this node is no peer of its own, and half a node is none');
});

test('the same list comes again when what it made is disturbed, and after a failure', async (t) => {
  const { clock, told, faults, add } = await setup(t);
  await eventually(() => assert.deepEqual(told, ['']));
  await clock.advance(peerTimes.againMs);
  t.deepEqual(told, [''], 'a node alone has nothing to look after');
  await add('a', '192.0.2.2', '10.244.1.0/24');
  await eventually(() => assert.equal(told.length, 2));
  await clock.advance(peerTimes.lookMs);
  await eventually(() => assert.equal(told.length, 3));
  faults.left = 2;
  await clock.advance(peerTimes.lookMs);
  await eventually(() => assert.equal(told.length, 4));
  await clock.advance(peerTimes.retryMs);
  await eventually(() => assert.equal(told.length, 5));
  await clock.advance(peerTimes.retryMs);
  t.is(told.length, 5, 'a second failure waits longer');
  await clock.advance(peerTimes.retryMs);
  await eventually(() => assert.equal(told.length, 6));
  t.is(told.at(-1), 'a 192.0.2.2 10.244.1.0/24');
});

test('the same list comes again now and then, though nothing looks disturbed', async (t) => {
  const { clock, told, look, add } = await setup(t);
  look.undisturbed = true;
  await add('a', '192.0.2.2', '10.244.1.0/24');
  await eventually(() => assert.equal(told.length, 2));
  for (let looks = 1; looks < peerTimes.againMs / peerTimes.lookMs; looks++) {
    await clock.advance(peerTimes.lookMs);
    await eventually(() => assert.equal(look.looks, looks));
  }
  t.is(told.length, 2);
  await clock.advance(peerTimes.lookMs);
  await eventually(() => assert.equal(told.length, 3));
});

test('what a node says of itself makes no other node look at all of them', async (t) => {
  let looks = 0;
  let listener: Listener<Node> = {};
  const nodeOf = (n: number, ready: boolean): Node => ({
    apiVersion: 'v1', kind: 'Node', metadata: { name: `n${n}` }, spec: { podCIDR: `10.244.${n}.0/24` },
    get status() {
      looks++;
      return { addresses: [{ type: 'InternalIP', address: `192.0.2.${n}` }], conditions: [{ type: 'Ready', status: ready ? 'True' as const : 'False' as const }] };
    },
  });
  const all = Array.from({ length: 100 }, (_, n) => nodeOf(n, true));
  const nodes: Pick<Informer<Node>, 'on' | 'whenSynced' | 'list'> = {
    whenSynced: async () => undefined, list: () => all,
    on: (own) => {
      listener = own;
      for (const node of all) own.added?.(node);
      return () => undefined;
    },
  };
  const told: number[] = [];
  const overlay: Pick<Overlay, 'apply' | 'isUndisturbed'> = { apply: async (peers) => void told.push(peers.length), isUndisturbed: async () => true };
  const stop = new AbortController();
  const following = followPeers(nodes, { overlay, nodeName: 'n0', clock: new FakeClock(), log: silentLog, signal: stop.signal });
  await eventually(() => assert.deepEqual(told, [99]));
  looks = 0;
  for (let n = 0; n < 10; n++) {
    listener.updated?.(nodeOf(7, n % 2 === 0), nodeOf(7, n % 2 === 1));
    await settle();
  }
  t.true(looks <= 20, `${looks} looks at nodes for 10 changes of one`);
  t.deepEqual(told, [99]);
  stop.abort();
  await following;
});
