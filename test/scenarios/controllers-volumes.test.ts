// Claims and volumes under all controllers, against a real API server in this process. The test plays scheduler and agent.
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import type { Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { rest, until } from '../helpers/control-plane.ts';
import { controlledCluster } from '../helpers/controlled-cluster.ts';
import { template } from '../helpers/workloads.ts';

const key = (name: string) => ({ namespace: 'default', name });
const claimSpec = (more: Partial<PersistentVolumeClaim['spec']> = {}): PersistentVolumeClaim['spec'] => ({ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more });

const cluster = async (t: ExecutionContext, through?: (own: Transport) => Transport) => {
  const all = await controlledCluster(t, {}, through);
  const { client, clock } = all;
  const claims = client.of(PersistentVolumeClaim);
  const volumes = client.of(PersistentVolume);
  return {
    ...all, claims, volumes,
    makeClaim: (name: string, more?: Partial<PersistentVolumeClaim['spec']>) => claims.create({ metadata: key(name), spec: claimSpec(more) }),
    makeVolume: (name: string, more: Partial<PersistentVolume['spec']> = {}) => volumes.create({ metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/srv', type: '' }, ...more } }),
    /** What a claim and its volume say of each other. */
    bound: (name: string, volume?: string) => until(clock, async () => {
      const found = await claims.get(key(name));
      assert.equal(found.status?.phase, 'Bound');
      if (volume !== undefined) assert.equal(found.spec.volumeName, volume);
      const its = await volumes.get({ name: found.spec.volumeName! });
      assert.equal(its.status?.phase, 'Bound');
      assert.equal(its.spec.claimRef?.uid, found.metadata.uid);
      return { claim: found, volume: its };
    }),
    phase: (name: string, phase: string | undefined) => until(clock, async () => assert.equal((await volumes.find({ name }))?.status?.phase, phase)),
    told: (name: string, line: RegExp) => until(clock, async () => assert.match((await all.reasons(name)).join('\n'), line)),
    place: async () => {
      for (const name of ['n1', 'n2', 'n3']) await client.of(Node).modify({ name }, (draft) => void (draft.metadata = { ...draft.metadata, annotations: { 'barge.dev/local-path-dir': '/data/volumes' } }));
    },
    /** The scheduler's part. */
    select: (name: string, node: string) => claims.modify(key(name), (draft) => void (draft.metadata.annotations = { ...draft.metadata.annotations, 'volume.kubernetes.io/selected-node': node })),
    /** The agent's part: the folder is gone. */
    letGo: (name: string) => volumes.modify({ name }, (draft) => void (draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((one) => one !== 'barge.dev/local-path'))),
  };
};

test('a cluster begins with the class local-path, which is the default and stays as its users leave it', async (t) => {
  const { client, makeClaim, claims, clock, reasons } = await cluster(t);
  const found = await client.of(StorageClass).get({ name: 'local-path' });
  t.like(found, { provisioner: 'barge.dev/local-path', reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer', allowVolumeExpansion: true });
  await makeClaim('c');
  t.is((await claims.get(key('c'))).spec.storageClassName, 'local-path');
  await until(clock, async () => assert.deepEqual(await reasons('c'), ['WaitForFirstConsumer waiting for first consumer to be created before binding']));
});

test('claims get volumes by hand: the smallest that fits, once', async (t) => {
  const { makeClaim, makeVolume, bound, phase, claims, told } = await cluster(t);
  await makeVolume('big', { capacity: { storage: '9Gi' } });
  await makeVolume('fit', { capacity: { storage: '2Gi' } });
  await phase('fit', 'Available');
  await phase('big', 'Available');
  await makeClaim('one', { storageClassName: '' });
  const { claim, volume } = await bound('one', 'fit');
  t.deepEqual(claim.status, { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' } });
  t.like(claim.metadata.annotations, { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' });
  t.is(volume.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes');
  await makeClaim('two', { storageClassName: '', resources: { requests: { storage: '5Gi' } } });
  await bound('two', 'big');
  await makeClaim('three', { storageClassName: '' });
  await told('three', /FailedBinding no persistent volumes available for this claim and no storage class is set/);
  t.is((await claims.get(key('three'))).status?.phase, 'Pending');
  await makeVolume('later');
  await bound('three', 'later');
});

test('Retain keeps a released volume until it is given free by hand; a claim whose volume is deleted is lost', async (t) => {
  const { makeClaim, makeVolume, bound, phase, claims, volumes, clock } = await cluster(t);
  await makeVolume('v');
  await makeClaim('one', { storageClassName: '' });
  await bound('one', 'v');
  await claims.delete(key('one'));
  await phase('v', 'Released');
  await makeClaim('two', { storageClassName: '' });
  await rest();
  t.is((await claims.get(key('two'))).status?.phase, 'Pending');
  await volumes.modify({ name: 'v' }, (draft) => void delete draft.spec.claimRef);
  await bound('two', 'v');
  await volumes.delete({ name: 'v' });
  await rest();
  t.truthy((await volumes.get({ name: 'v' })).metadata.deletionTimestamp, 'protected while it is bound');
  t.is((await claims.get(key('two'))).status?.phase, 'Bound');
  await volumes.modify({ name: 'v' }, (draft) => void (draft.metadata.finalizers = []));
  await until(clock, async () => assert.equal((await claims.get(key('two'))).status?.phase, 'Lost'));
});

test('a volume is kept for a claim, and a claim names a volume', async (t) => {
  const { makeClaim, makeVolume, bound, phase, told, claims } = await cluster(t);
  await makeVolume('kept', { capacity: { storage: '9Gi' }, claimRef: { namespace: 'default', name: 'mine' } });
  await makeVolume('free');
  await phase('kept', 'Available');
  await phase('free', 'Available');
  await makeClaim('mine', { storageClassName: '' });
  const { volume } = await bound('mine', 'kept');
  t.is(volume.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], undefined, 'people chose');
  await makeClaim('other', { storageClassName: '', volumeName: 'kept' });
  await told('other', /FailedBinding volume "kept" already bound to a different claim/);
  await makeClaim('big', { storageClassName: '', volumeName: 'free', resources: { requests: { storage: '7Gi' } } });
  await told('big', /VolumeMismatch Cannot bind to requested volume "free": requested PV is too small/);
  await makeClaim('right', { storageClassName: '', volumeName: 'free' });
  await bound('right', 'free');
  t.is((await claims.get(key('right'))).metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], undefined);
});

test('a folder is made for a claim on the chosen node, grows, and goes with it', async (t) => {
  const { makeClaim, place, select, bound, claims, volumes, letGo, clock, told, phase } = await cluster(t);
  await place();
  await makeClaim('data');
  await select('data', 'n2');
  const { claim, volume } = await bound('data');
  t.is(volume.metadata.name, `pvc-${claim.metadata.uid}`);
  t.like(volume.metadata.annotations, { 'pv.kubernetes.io/provisioned-by': 'barge.dev/local-path', 'barge.dev/node': 'n2' });
  t.is(volume.spec.local?.path, `/data/volumes/pvc-${claim.metadata.uid}_default_data`);
  await told('data', /ProvisioningSucceeded Successfully provisioned volume pvc-/);
  await claims.modify(key('data'), (draft) => void (draft.spec.resources = { requests: { storage: '3Gi' } }));
  await until(clock, async () => assert.equal((await claims.get(key('data'))).status?.capacity?.['storage'], '3Gi'));
  t.is((await volumes.get({ name: volume.metadata.name! })).spec.capacity?.['storage'], '3Gi');
  await t.throwsAsync(claims.modify(key('data'), (draft) => void (draft.spec.resources = { requests: { storage: '2Gi' } })), { message: /field can not be less than status\.capacity/ });
  await claims.delete(key('data'));
  await until(clock, async () => {
    const left = await volumes.get({ name: volume.metadata.name! });
    assert.ok(left.metadata.deletionTimestamp);
    assert.deepEqual(left.metadata.finalizers, ['barge.dev/local-path'], 'only the agent is waited for');
  });
  await letGo(volume.metadata.name!);
  await phase(volume.metadata.name!, undefined);
});

test('the volumes of a node that is gone for good are given up, and it is said; those of a node that comes back are not', async (t) => {
  const { makeClaim, place, select, bound, claims, volumes, clock, told, phase, nodes, client } = await cluster(t);
  await place();
  const made: string[] = [];
  for (const name of ['early', 'late', 'kept']) {
    await makeClaim(name);
    await select(name, 'n2');
    made.push((await bound(name)).volume.metadata.name!);
  }
  const [early = '', late = '', kept = ''] = made;
  nodes.kill('n2');
  await claims.delete(key('early'));
  await clock.advance(60_000);
  t.truthy(await volumes.find({ name: early }), 'a node that is only lost may come back with its folder');

  await client.of(Node).delete({ name: 'n2' });
  await clock.advance(30_000);
  t.truthy(await volumes.find({ name: early }));
  await nodes.revive('n2');
  await clock.advance(60_000);
  t.truthy(await volumes.find({ name: early }), 'it is back, and its agent removes the folder');

  nodes.kill('n2');
  await client.of(Node).delete({ name: 'n2' });
  await until(clock, async () => assert.equal(await volumes.find({ name: early }), undefined), 60_000);
  await told(early, /VolumeGivenUp node "n2" no longer exists: the volume goes without anybody having removed its folder \/data\/volumes\/pvc-/);
  await phase(late, 'Bound');
  await claims.delete(key('late'));
  await until(clock, async () => assert.equal(await volumes.find({ name: late }), undefined), 60_000);
  await phase(kept, 'Bound');
});

test('a class that does not allow it keeps claims from growing; a pod keeps its claim from going', async (t) => {
  const { client, makeClaim, makeVolume, bound, claims, clock } = await cluster(t);
  await client.of(StorageClass).create({ metadata: { name: 'stiff' }, provisioner: 'kubernetes.io/no-provisioner' });
  await makeVolume('v', { storageClassName: 'stiff' });
  await makeClaim('c', { storageClassName: 'stiff' });
  await bound('c', 'v');
  await t.throwsAsync(claims.modify(key('c'), (draft) => void (draft.spec.resources = { requests: { storage: '3Gi' } })), { message: 'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize' });
  const spec = { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }], nodeName: 'n1', terminationGracePeriodSeconds: 0 };
  await client.of(Pod).create({ metadata: key('user'), spec });
  await claims.delete(key('c'));
  await clock.advance(30_000);
  await rest();
  t.truthy((await claims.get(key('c'))).metadata.deletionTimestamp);
  await client.of(Pod).delete(key('user'), { gracePeriodSeconds: 0 });
  await until(clock, async () => assert.equal(await claims.find(key('c')), undefined));
});

test('a node that is gone sends the claim back to the scheduler; what is refused is told', async (t) => {
  const { makeClaim, select, told, claims, clock, place, client } = await cluster(t);
  await place();
  await makeClaim('a');
  await select('a', 'n9');
  await told('a', /ProvisioningFailed failed to provision volume with StorageClass "local-path": node "n9" not found/);
  await until(clock, async () => assert.equal((await claims.get(key('a'))).metadata.annotations?.['volume.kubernetes.io/selected-node'], undefined));
  await makeClaim('b', { accessModes: ['ReadWriteMany'] });
  await select('b', 'n1');
  await told('b', /only the access modes ReadWriteOnce and ReadWriteOncePod are supported/);
  t.is((await client.of(PersistentVolume).list()).items.length, 0);
});

test('claims that leave their class open get the default that comes later', async (t) => {
  const { client, makeClaim, claims, clock, told } = await cluster(t);
  await client.of(StorageClass).delete({ name: 'local-path' });
  await makeClaim('early');
  await told('early', /FailedBinding no persistent volumes available for this claim and no storage class is set/);
  await client.of(StorageClass).create({ metadata: { name: 'new', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }, provisioner: 'example.com/x' });
  await until(clock, async () => assert.equal((await claims.get(key('early'))).spec.storageClassName, 'new'));
  await told('early', /ExternalProvisioning Waiting for a volume to be created either by the external provisioner 'example\.com\/x'/);
  t.is((await claims.get(key('early'))).metadata.annotations?.['volume.kubernetes.io/storage-provisioner'], 'example.com/x');
});

test('ephemeral volumes have claims that live as long as their pod', async (t) => {
  const { client, claims, clock } = await cluster(t);
  const scratch = { name: 'scratch', ephemeral: { volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec: claimSpec() } } };
  await client.of(Pod).create({ metadata: key('p'), spec: { containers: [{ name: 'c', image: 'i' }], volumes: [scratch], terminationGracePeriodSeconds: 0 } });
  await until(clock, async () => assert.ok(await claims.find(key('p-scratch'))));
  const made = await claims.get(key('p-scratch'));
  t.like(made.metadata.ownerReferences?.[0], { kind: 'Pod', name: 'p', controller: true });
  t.like(made.metadata.labels, { a: 'b' });
  await client.of(Pod).delete(key('p'), { gracePeriodSeconds: 0 });
  await until(clock, async () => assert.equal(await claims.find(key('p-scratch')), undefined), 60_000);
});

test('killed after any write, binding and reclaiming go on: one volume a claim, one claim a volume, nothing left', async (t) => {
  for (const at of [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]) {
    const process = { writes: 0, broken: false };
    const through = (own: Transport): Transport => ({
      watch: (request, signal) => own.watch(request, signal),
      send: async (request, signal) => {
        if (process.broken) throw new ApiError('ServiceUnavailable', 'the process was killed');
        const counts = request.verb !== 'get' && request.verb !== 'list' && (request.resource === 'persistentvolumes' || request.resource === 'persistentvolumeclaims');
        if (!counts || ++process.writes !== at) return own.send(request, signal);
        await own.send(request);
        process.broken = true;
        throw new ApiError('ServiceUnavailable', 'the process was killed');
      },
    });
    const { makeClaim, makeVolume, place, select, bound, claims, volumes, letGo, restart, clock } = await cluster(t, through);
    const work = async (): Promise<void> => {
      for (let turn = 0; turn < 40 && !process.broken; turn++) {
        await clock.advance(250);
        await rest(1);
      }
      if (!process.broken) return;
      Object.assign(process, { writes: 1_000, broken: false });
      await restart();
    };
    await place();
    await makeVolume('v');
    await makeClaim('static', { storageClassName: '' });
    await makeClaim('made');
    await select('made', 'n1');
    await work();
    await bound('static', 'v');
    const { volume } = await bound('made');
    t.deepEqual((await volumes.list()).items.map(({ metadata }) => metadata.name).sort(), [volume.metadata.name, 'v'].sort(), `killed after write ${at}`);
    for (const name of ['static', 'made']) await claims.delete(key(name));
    await work();
    await until(clock, async () => assert.deepEqual((await volumes.get({ name: volume.metadata.name! })).metadata.finalizers, ['barge.dev/local-path']));
    await letGo(volume.metadata.name!);
    await until(clock, async () => {
      assert.deepEqual((await claims.list()).items, []);
      assert.deepEqual((await volumes.list()).items.map(({ metadata, status }) => `${metadata.name} ${status?.phase}`), ['v Released']);
    });
  }
});

test('a settled cluster with claims asks the server for nothing', async (t) => {
  let requests = 0;
  const { makeClaim, makeVolume, place, select, bound, clock } = await cluster(t, (own) => ({
    watch: (request, signal) => own.watch(request, signal),
    send: (request, signal) => {
      if (request.resource.startsWith('persistentvolume')) requests++;
      return own.send(request, signal);
    },
  }));
  await place();
  await makeVolume('v');
  await makeClaim('static', { storageClassName: '' });
  await makeClaim('made');
  await select('made', 'n1');
  await bound('static', 'v');
  await bound('made');
  await rest();
  const before = requests;
  await clock.advance(120_000);
  await rest();
  t.is(requests, before);
});

test('the claims of a StatefulSet go with it or with its scaling, as its policy says, and their volumes with them', async (t) => {
  const { client, claims, volumes, place, select, clock, pods, letGo, bound } = await cluster(t);
  await place();
  const names = async (): Promise<readonly string[]> => (await claims.list()).items.map(({ metadata }) => metadata.name!).sort();
  await client.of(StatefulSet).create({
    metadata: key('db'),
    spec: {
      serviceName: 'db', replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('v1'), persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec() }] as unknown as NonNullable<StatefulSet['spec']['volumeClaimTemplates']>,
    },
  });
  await until(clock, async () => assert.deepEqual(await names(), ['data-db-0', 'data-db-1']));
  for (const name of await names()) await select(name, 'n1');
  const second = (await bound('data-db-1')).volume.metadata.name!;
  const first = (await bound('data-db-0')).volume.metadata.name!;
  await client.of(StatefulSet).modify(key('db'), (draft) => void (draft.spec.replicas = 1));
  await until(clock, async () => assert.deepEqual(await names(), ['data-db-0']), 120_000);
  await until(clock, async () => assert.deepEqual((await volumes.get({ name: second })).metadata.finalizers, ['barge.dev/local-path']));
  await letGo(second);
  await client.of(StatefulSet).delete(key('db'));
  await until(clock, async () => {
    assert.deepEqual(await pods(), []);
    assert.deepEqual(await names(), []);
  }, 120_000);
  await until(clock, async () => assert.ok((await volumes.get({ name: first })).metadata.deletionTimestamp));
  await letGo(first);
  await until(clock, async () => assert.deepEqual((await volumes.list()).items, []));
  t.true((await client.of(Event).list({ namespace: 'default' })).items.some(({ reason }) => reason === 'ProvisioningSucceeded'));
});

test('a pod that names its node gets its volume there; where its node has none, the provisioner is asked again each minute and no more', async (t) => {
  let writes = 0;
  const counted = (own: Transport): Transport => ({
    watch: (request, signal) => own.watch(request, signal),
    send: (request, signal) => {
      if (request.verb !== 'get' && request.verb !== 'list' && request.resource === 'persistentvolumeclaims') writes++;
      return own.send(request, signal);
    },
  });
  const { makeClaim, told, claims, bound, clock, client, place } = await cluster(t, counted);
  await makeClaim('a');
  await client.of(Pod).create({ metadata: key('p'), spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'a' } }] } });
  await told('a', /ProvisioningFailed failed to provision volume with StorageClass "local-path": node "n1" does not say where it keeps volumes/);
  // The clock stands: one who answers at once would do so for ever.
  await rest(20);
  const before = writes;
  await rest(20);
  t.is(writes, before);
  t.is((await claims.get(key('a'))).metadata.annotations?.['volume.kubernetes.io/selected-node'], undefined);
  await clock.advance(5 * 60_000);
  // The name comes and goes.
  const each = (writes - before) / 2;
  t.true(each >= 4 && each <= 6, `asked ${each} times in five minutes`);
  await place();
  await clock.advance(60_000);
  const { volume } = await bound('a');
  t.is(volume.metadata.annotations?.['barge.dev/node'], 'n1');
});

test('a claim that is deleted under a pod without a node is made anew', async (t) => {
  const { client, claims, clock, pods, nodes } = await cluster(t);
  for (const name of ['n1', 'n2', 'n3']) nodes.kill(name);
  await client.of(StatefulSet).create({
    metadata: key('db'),
    spec: {
      serviceName: 'db', replicas: 1, selector: { matchLabels: { app: 'web' } }, template: template('v1'),
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec() }] as unknown as NonNullable<StatefulSet['spec']['volumeClaimTemplates']>,
    },
  });
  const uid = () => until(clock, async () => {
    const found = await claims.find(key('data-db-0'));
    assert.ok(found !== undefined && found.metadata.deletionTimestamp === undefined);
    return found.metadata.uid;
  });
  const first = await uid();
  await until(clock, async () => assert.equal((await pods()).length, 1));
  const pod = (await pods())[0]!.metadata.uid;
  await claims.delete(key('data-db-0'));
  await until(clock, async () => assert.notEqual(await uid(), first));
  t.is((await pods())[0]!.metadata.uid, pod);
});
