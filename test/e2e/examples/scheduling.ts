import assert from 'node:assert/strict';
import { within } from '../../helpers/e2e.ts';
import type { Example, Place } from '../../helpers/example.ts';

/** Waits until pods are where they should be; undefined is on no node. */
const lie = (at: Place, expected: Readonly<Record<string, string | undefined>>): Promise<void> => within(300, async () => {
  const places = await at.placement();
  for (const [pod, node] of Object.entries(expected)) assert.deepEqual([pod, places.has(pod), places.get(pod)], [pod, true, node]);
}, 1_000);

/** Waits until the pods of a workload are shared out over nodes so: how many are on each, the fewest first, and how many on none. */
const shared = (at: Place, app: string, { nodes, none = 0 }: { readonly nodes: readonly number[]; readonly none?: number }): Promise<void> => within(300, async () => {
  const places = [...(await at.placement(`app=${app}`)).values()];
  const counts = at.nodes.map((node) => places.filter((place) => place === node).length).sort();
  assert.deepEqual({ nodes: counts, none: places.filter((place) => place === undefined).length }, { nodes, none });
}, 1_000);

/** examples/scheduling: where pods land, and why they do not. */
export const scheduling: readonly Example[] = [
  {
    file: 'scheduling/node-affinity',
    nodes: 'several',
    before: (at) => at.kubectl(`label node ${at.nodes[1]!} garden=large`),
    shows: async (at) => {
      await lie(at, { gardener: at.nodes[1], stroller: at.nodes[1], picky: undefined });
      await at.seesByKubectl('describe pod picky', /FailedScheduling[^]*0\/3 nodes are available: 3 node\(s\) didn't match Pod's node affinity\/selector/);
      assert.match(await at.barge('explain-scheduling picky'), /garden/);
      await at.kubectl(`label node ${at.nodes[2]!} garden=hanging`);
      await lie(at, { picky: at.nodes[2] });
    },
    after: (at) => at.kubectl('label nodes --all garden-'),
  },
  {
    file: 'scheduling/pod-affinity',
    nodes: 'several',
    shows: async (at) => {
      await at.waits('Ready', 'pod/kettle pod/tea pod/dog pod/cat');
      const places = await at.placement();
      assert.equal(places.get('tea'), places.get('kettle'));
      assert.notEqual(places.get('cat'), places.get('dog'));
      await shared(at, 'rivals', { nodes: [0, 1, 1] });
      await at.kubectl('scale deployment/rivals --replicas=20');
      await shared(at, 'rivals', { nodes: [1, 1, 1], none: 17 });
      await at.sees('get events --field-selector=reason=FailedScheduling', /0\/3 nodes are available: 3 node\(s\) didn't match pod anti-affinity rules/);
    },
  },
  {
    file: 'scheduling/topology-spread',
    nodes: 'several',
    before: async (at) => {
      await at.kubectl(`label node ${at.nodes[0]!} topology.kubernetes.io/zone=north`);
      await at.kubectl(`label node ${at.nodes[1]!} topology.kubernetes.io/zone=south`);
    },
    shows: async (at) => {
      await at.rollsOut('deployment/stalls');
      await shared(at, 'stalls', { nodes: [0, 2, 2] });
      assert.ok(![...(await at.placement()).values()].includes(at.nodes[2]));
      // With a zone full of nothing the others must wait for it.
      await at.kubectl(`cordon ${at.nodes[1]!}`);
      await at.kubectl('scale deployment/stalls --replicas=6');
      await shared(at, 'stalls', { nodes: [0, 2, 3], none: 1 });
      await at.sees('get events --field-selector=reason=FailedScheduling', /node\(s\) didn't match pod topology spread constraints/);
      await at.kubectl(`uncordon ${at.nodes[1]!}`);
      await shared(at, 'stalls', { nodes: [0, 3, 3] });
    },
    after: (at) => at.kubectl('label nodes --all topology.kubernetes.io/zone-'),
  },
  {
    file: 'scheduling/scheduling-gate',
    nodes: 'several',
    shows: async (at) => {
      await at.sees('get pod bride', /^bride +0\/1 +SchedulingGated +0 /m);
      await at.kubectl(`patch pod bride --type=json --patch='[{"op":"remove","path":"/spec/schedulingGates"}]'`);
      await at.waits('Ready', 'pod/bride');
    },
  },
  {
    file: 'scheduling/taints',
    nodes: 'several',
    shows: async (at) => {
      await at.waits('Ready', 'pod/miner pod/tourist pod/painter');
      await at.kubectl('taint nodes --all light=none:NoExecute');
      await at.sees('get pods -o name', /^pod\/miner\n$/);
      await at.kubectl('run late --image=barge/hello:1');
      await at.seesByKubectl('describe pod late', /FailedScheduling[^]*3 node\(s\) had untolerated taint/);
      await at.sees('get pod late', /^late +0\/1 +Pending +0 /m);
      await at.kubectl('taint nodes --all light=none:NoExecute-');
      await at.waits('Ready', 'pod/late');
    },
  },
  {
    file: 'scheduling/swarm',
    nodes: 'several',
    before: (at) => at.kubectl(`label node ${at.nodes[2]!} storage=ssd`),
    shows: async (at) => {
      await at.waits('Ready', 'pod/ledger pod/clerk pod/dreamer');
      await lie(at, { ledger: at.nodes[2], clerk: at.nodes[2], stranger: undefined });
      assert.match(await at.barge('explain-scheduling stranger'), /storage==\/\^tape\[0-9\]\+\$\//);
      await at.rollsOut('deployment/cashiers');
      await shared(at, 'cashiers', { nodes: [0, 1, 1] });
      assert.ok([...(await at.placement('app=cashiers')).values()].includes(at.nodes[2]), 'one of each value of the label');
      await at.kubectl('scale deployment/cashiers --replicas=4');
      await shared(at, 'cashiers', { nodes: [1, 1, 1], none: 1 });
    },
    after: (at) => at.kubectl('label nodes --all storage-'),
  },
];
