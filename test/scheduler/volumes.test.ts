import assert from 'node:assert/strict';
import test from 'ava';
import { explain } from '../../scheduler/explain.ts';
import { Cluster } from '../../scheduler/cluster.ts';
import { profileOf } from '../../scheduler/profile.ts';
import { Decider } from '../../scheduler/schedule.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { eventually } from '../helpers/eventually.ts';
import { settle } from '../helpers/fake-clock.ts';
import { claim, onNode, refTo, storageClass, volume } from '../helpers/storage-objects.ts';
import { node, podInfo } from './objects.ts';
import { start } from './start-scheduler.ts';

const using = (...names: readonly string[]): Partial<PodSpec> => ({ volumes: names.map((name, index) => ({ name: `v${index}`, persistentVolumeClaim: { claimName: name } })) });
const scratch: Partial<PodSpec> = { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: {} } } }] };
const done = { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } };
const late = storageClass('slow', { volumeBindingMode: 'WaitForFirstConsumer' });
const handMade = { ...late, provisioner: 'kubernetes.io/no-provisioner' };
const chosen = (name: string) => ({ annotations: { 'volume.kubernetes.io/selected-node': name } });

interface World {
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly volumes?: readonly PersistentVolume[];
  readonly classes?: readonly StorageClass[];
  readonly spec?: Partial<PodSpec>;
}

const clusterOf = ({ claims = [], volumes = [], classes = [] }: World): Cluster => {
  const cluster = new Cluster();
  for (const name of ['n1', 'n2', 'n3']) cluster.setNode(node(name, { labels: { zone: name } }));
  for (const one of classes) cluster.volumes.setClass(one);
  for (const one of volumes) cluster.volumes.setVolume(one);
  for (const one of claims) cluster.volumes.setClaim(one);
  return cluster;
};

/** The node that a pod gets, or why it gets none. */
const decided = (world: World, cluster = clusterOf(world)): string => {
  const decision = new Decider(profileOf('spread'), cluster, () => 0).decide(podInfo('p', {}, world.spec ?? using('c')));
  return 'node' in decision ? decision.node.name : 'refusal' in decision ? explain(decision.refusal) : decision.misread;
};

const cannot = (why: string): string => `0/3 nodes are available: ${why}.`;
const c = claim('c');

const decisions: Readonly<Record<string, readonly [World, string]>> = {
  'no claim': [{}, cannot('persistentvolumeclaim "c" not found')],
  'no claim yet of an ephemeral volume': [{ spec: scratch }, cannot('waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"')],
  'an ephemeral volume whose claim is another\'s': [{ spec: scratch, claims: [claim('p-scratch', { meta: done, spec: { volumeName: 'v' } })] }, cannot('PVC "default/p-scratch" was not created for pod "default/p" (pod is not owner)')],
  'a claim on its way out': [{ claims: [claim('c', { meta: { deletionTimestamp: '2026-01-01T00:00:00Z' } })] }, cannot('persistentvolumeclaim "c" is being deleted')],
  'a lost claim': [{ claims: [claim('c', { meta: done, spec: { volumeName: 'v' }, status: { phase: 'Lost' } })] }, cannot('persistentvolumeclaim "c" bound to non-existent persistentvolume "v"')],
  'a claim that is not bound at once': [{ claims: [c], classes: [storageClass('slow')] }, cannot('pod has unbound immediate PersistentVolumeClaims')],
  'a claim without a class': [{ claims: [claim('c', { spec: { storageClassName: '' } })] }, cannot('pod has unbound immediate PersistentVolumeClaims')],
  'a claim that names its volume and is not bound': [{ claims: [claim('c', { spec: { volumeName: 'v' } })], classes: [late] }, cannot('pod has unbound immediate PersistentVolumeClaims')],
  'a bound claim': [{ claims: [claim('c', { meta: done, spec: { volumeName: 'v' } })], volumes: [volume('v', { spec: onNode('n2') })] }, 'n2'],
  'a bound claim that nobody reaches': [{ claims: [claim('c', { meta: done, spec: { volumeName: 'v' } })], volumes: [volume('v', { spec: onNode('n9') })] }, cannot('3 node(s) had volume node affinity conflict')],
  'a bound claim without a volume': [{ claims: [claim('c', { meta: done, spec: { volumeName: 'v' } })] }, cannot('3 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')],
  'a volume by hand': [{ claims: [c], classes: [handMade], volumes: [volume('a', { size: '1Mi' }), volume('b', { spec: onNode('n3') })] }, 'n3'],
  'no volume by hand': [{ claims: [c], classes: [handMade], volumes: [volume('a', { size: '1Mi' })] }, cannot("3 node(s) didn't find available persistent volumes to bind")],
  'a volume that waits for the claim': [{ claims: [c], classes: [late], volumes: [volume('a', { spec: { ...onNode('n2'), claimRef: refTo(c) } })] }, 'n2'],
  'two claims, one node with room for both': [{ spec: using('c', 'd'), claims: [c, claim('d')], classes: [handMade], volumes: [volume('a', { spec: onNode('n1') }), volume('b', { spec: onNode('n2') }), volume('c', { spec: onNode('n2') })] }, 'n2'],
  'two claims, the small one does not take the big one\'s': [{ spec: using('big', 'c'), claims: [c, claim('big', { size: '5Gi' })], classes: [handMade], volumes: [volume('a', { size: '9Gi', spec: onNode('n2') }), volume('b', { spec: onNode('n2') })] }, 'n2'],
  'made where the class allows it': [{ claims: [c], classes: [{ ...late, allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['n2', 'n9'] }] }] }] }, 'n2'],
  'made nowhere': [{ claims: [c], classes: [{ ...late, allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['n9'] }] }] }] }, cannot("3 node(s) didn't find available persistent volumes to bind")],
  'made on the node that was chosen before': [{ claims: [claim('c', { meta: chosen('n3') })], classes: [late] }, 'n3'],
  'chosen a node that is gone': [{ claims: [claim('c', { meta: chosen('n9') })], classes: [late] }, cannot("3 node(s) didn't find available persistent volumes to bind")],
};
for (const [what, [world, expected]] of Object.entries(decisions)) test(`decided: ${what}`, (t) => t.is(decided(world), expected));

test('what was promised to one claim is not promised to another, and comes back', (t) => {
  const cluster = clusterOf({ claims: [c, claim('d')], classes: [handMade], volumes: [volume('a', { spec: onNode('n1') })] });
  const plan = cluster.volumes.plan(podInfo('p', {}, using('c')), { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' } });
  if (typeof plan === 'string') return t.fail(plan);
  t.deepEqual(plan.bind.map((one) => one.volume.metadata.name), ['a']);
  cluster.volumes.promise(plan);
  t.is(decided({ spec: using('d') }, cluster), cannot("3 node(s) didn't find available persistent volumes to bind"));
  t.is(decided({ spec: using('c') }, cluster), 'n1', 'another pod of the same claim goes to the same node');
  cluster.volumes.forget(plan);
  t.is(decided({ spec: using('d') }, cluster), 'n1');
});

test('a claim for one pod is not given to two', (t) => {
  const alone = claim('c', { meta: done, spec: { volumeName: 'v', accessModes: ['ReadWriteOncePod'] } });
  const cluster = clusterOf({ claims: [alone], volumes: [volume('v')] });
  cluster.place(podInfo('first', {}, using('c')), 'n1');
  t.is(decided({}, cluster), cannot('3 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'));
  cluster.unplace('uid-first');
  t.regex(decided({}, cluster), /^n\d$/);
});

// The loop

const key = (name: string) => ({ namespace: 'default', name });

const world = async () => {
  const all = await start();
  const claims = all.client.of(PersistentVolumeClaim);
  const volumes = all.client.of(PersistentVolume);
  for (const name of ['n1', 'n2']) await all.addNode(name, { allocatable: { cpu: '1' } });
  await all.client.of(StorageClass).create({ ...late, metadata: { name: 'slow' } });
  return {
    ...all, claims, volumes,
    makeClaim: (name: string, accessModes: readonly string[] = ['ReadWriteOnce']) => claims.create({ metadata: key(name), spec: { ...claim(name).spec, accessModes } }),
    chosen: (name: string) => eventually(async () => {
      const found = (await claims.get(key(name))).metadata.annotations?.['volume.kubernetes.io/selected-node'];
      assert.ok(found);
      return found;
    }),
    /** The binder's part. */
    bind: async (name: string, to: string, on: string) => {
      const its = await claims.get(key(name));
      await volumes.create({ metadata: { name: to }, spec: { ...volume(to).spec, claimRef: refTo(its), ...onNode(on) } });
      await claims.modify(key(name), (draft) => {
        draft.metadata.annotations = { ...draft.metadata.annotations, ...done.annotations };
        draft.spec.volumeName = to;
      });
    },
  };
};

test('a pod waits on its node for the volume that is made there, and keeps its room', async (t) => {
  const { makeClaim, addPod, chosen: chosenFor, bind, bound, nodeOf, refused, stop } = await world();
  await makeClaim('c');
  await addPod('p', { cpu: '1' }, using('c'));
  const on = await chosenFor('c');
  t.is(await nodeOf('p'), undefined, 'not bound before its claim');
  await addPod('other', { cpu: '1' });
  await bound('other', on === 'n1' ? 'n2' : 'n1');
  await addPod('third', { cpu: '1' });
  await refused('third', '0/2 nodes are available: 2 Insufficient cpu.');
  await bind('c', 'v', on);
  await bound('p', on);
  await stop();
});

test('a volume by hand is promised before the pod is bound', async (t) => {
  const { client, volumes, claims, makeClaim, addPod, bound, nodeOf, stop } = await world();
  await client.of(StorageClass).delete({ name: 'slow' });
  await client.of(StorageClass).create({ ...handMade, metadata: { name: 'slow' } });
  await volumes.create({ metadata: { name: 'v' }, spec: { ...volume('v').spec, ...onNode('n2') } });
  await volumes.modifyStatus({ name: 'v' }, (draft) => void (draft.status = { phase: 'Available' }));
  await makeClaim('c');
  await addPod('p', {}, using('c'));
  await eventually(async () => assert.equal((await volumes.get({ name: 'v' })).spec.claimRef?.uid, (await claims.get(key('c'))).metadata.uid));
  t.is((await volumes.get({ name: 'v' })).metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes');
  t.is(await nodeOf('p'), undefined);
  await claims.modify(key('c'), (draft) => {
    draft.metadata.annotations = { ...done.annotations };
    draft.spec.volumeName = 'v';
  });
  await bound('p', 'n2');
  await stop();
});

test('a choice that the provisioner takes back is made anew', async (t) => {
  const { makeClaim, addPod, chosen: chosenFor, claims, clock, eventsAbout, client, bind, bound, stop } = await world();
  await makeClaim('c');
  await addPod('p', {}, using('c'));
  await chosenFor('c');
  await claims.modify(key('c'), (draft) => void (draft.metadata.annotations = {}));
  await eventually(async () => assert.match((await eventsAbout('p')).map(({ message }) => message).join(), /binding volumes: no volume could be made for claim default\/c on node n\d/));
  await clock.advance(2_000);
  const on = await chosenFor('c');
  await bind('c', 'v', on);
  await bound('p', on);
  t.is((await client.of(PersistentVolumeClaim).get(key('c'))).spec.volumeName, 'v');
  await stop();
});

test('refused pods are woken by the claim, the class or the volume that they wait for, and by nothing else', async (t) => {
  const { makeClaim, addPod, refused, chosen: chosenFor, client, clock, requests, claims, stop } = await world();
  await addPod('p', {}, using('c'));
  await refused('p', '0/2 nodes are available: persistentvolumeclaim "c" not found.');
  await clock.advance(20_000);
  await settle();
  const before = requests.filter(({ resource }) => resource === 'pods').length;
  await makeClaim('other');
  await client.of(StorageClass).create({ ...late, metadata: { name: 'unrelated' } });
  await clock.advance(20_000);
  await settle();
  t.is(requests.filter(({ resource }) => resource === 'pods').length, before);
  await client.of(StorageClass).delete({ name: 'slow' });
  await makeClaim('c');
  await refused('p', '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.');
  await clock.advance(20_000);
  await client.of(StorageClass).create({ ...late, metadata: { name: 'slow' } });
  await chosenFor('c');
  t.is((await claims.get(key('other'))).metadata.annotations?.['volume.kubernetes.io/selected-node'], undefined);
  await stop();
});

test('a claim for one pod goes to the next when the first is gone, wherever that is', async (t) => {
  const { makeClaim, addPod, chosen: chosenFor, bind, bound, clock, pods, at, stop } = await world();
  await makeClaim('c', ['ReadWriteOncePod']);
  await addPod('first', {}, using('c'));
  const on = await chosenFor('c');
  await bind('c', 'v', on);
  await bound('first', on);
  await addPod('second', {}, using('c'));
  await eventually(async () => assert.match((await pods.get(at('second'))).status?.conditions?.[0]?.message ?? '', /ReadWriteOncePod access mode/));
  await clock.advance(20_000);
  await pods.delete(at('first'), { gracePeriodSeconds: 0 });
  await bound('second', on);
  t.pass();
  await stop();
});

test('a pod that is deleted while it waits gives its room back', async (t) => {
  const { makeClaim, addPod, chosen: chosenFor, pods, at, bound, stop } = await world();
  await makeClaim('c');
  await addPod('p', { cpu: '1' }, using('c'));
  const on = await chosenFor('c');
  await pods.delete(at('p'), { gracePeriodSeconds: 0 });
  await addPod('a', { cpu: '1' });
  await addPod('b', { cpu: '1' });
  await bound('a');
  await bound('b');
  t.truthy(on);
  await stop();
});
