import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { planClaimMount, type ClaimView } from '../../kubelet-lite/volumes/claim-mount.ts';
import { LocalDirs } from '../../kubelet-lite/volumes/local-dirs.ts';
import { planReclaim } from '../../kubelet-lite/volumes/reclaim.ts';
import { removeTree } from '../../kubelet-lite/volumes/remove-tree.ts';
import type { ContainerSpec } from '../../kubelet-lite/runtime/runtime.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { eventually } from '../helpers/eventually.ts';
import { claim, onNode, refTo, volume, type ClaimWords, type VolumeWords } from '../helpers/storage-objects.ts';
import { agentFixture, agentPki, becomes, nodeName } from './agent-fixture.ts';
import { podOf } from './views.ts';

const pki = agentPki();

const folder = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'barge-claims-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
};

// What is mounted

const ours = { 'pv.kubernetes.io/provisioned-by': 'barge.dev/local-path', 'barge.dev/node': nodeName };
const pod = podOf({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] });
const held: ClaimWords = { spec: { volumeName: 'pv' }, status: { phase: 'Bound' } };
const view = (words: ClaimWords | undefined, its: VolumeWords | undefined, more: Partial<ClaimView> = {}): ClaimView => ({
  pod, podClaim: { volume: { name: 'v' }, claimName: 'c', isEphemeral: false }, node: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' } },
  claim: words === undefined ? undefined : claim('c', words),
  volume: its === undefined ? undefined : volume('pv', { ...its, spec: { claimRef: refTo(claim('c')), hostPath: undefined, ...its.spec } }), ...more,
});
const local = (path: string) => ({ local: { path }, ...onNode('n1') });

const mounts: Readonly<Record<string, readonly [ClaimView, string | object]>> = {
  'a folder of this node': [view(held, { spec: local('/mnt/x') }), { from: 'local', path: '/mnt/x' }],
  'a folder of the agent': [view(held, { spec: local('/data/volumes/x'), meta: { annotations: ours } }), { from: 'own', path: '/data/volumes/x' }],
  'a path of the node': [view(held, { spec: { hostPath: { path: '/srv', type: 'Directory' } } }), { from: 'hostPath', source: { path: '/srv', type: 'Directory' } }],
  'no claim': [view(undefined, undefined), 'error processing PVC default/c: persistentvolumeclaim "c" not found'],
  'a claim that waits': [view({}, undefined), 'error processing PVC default/c: PVC is not bound'],
  'a claim that names a volume and is not bound': [view({ spec: { volumeName: 'pv' } }, {}), 'error processing PVC default/c: PVC is not bound'],
  'a claim on its way out': [view({ ...held, meta: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, {}), "error processing PVC default/c: can't start pod because PVC is being deleted"],
  'a volume that is not there': [view(held, undefined), 'error processing PVC default/c: persistentvolume "pv" not found'],
  'another claim\'s volume': [view(held, { spec: { claimRef: refTo(claim('d')) } }), 'error processing PVC default/c: persistentvolume "pv" is not bound to this claim'],
  'another pod\'s claim': [view(held, {}, { podClaim: { volume: { name: 'v' }, claimName: 'c', isEphemeral: true } }), 'error processing PVC default/c: PVC "default/c" was not created for pod "default/p" (pod is not owner)'],
  'a volume of another node': [view(held, { spec: { local: { path: '/x' }, ...onNode('n2') } }), 'MountVolume.NodeAffinity check failed for volume "pv": no matching NodeSelectorTerms'],
  'a raw device': [view(held, { spec: { ...local('/x'), volumeMode: 'Block' } }), 'volume "pv": volumeMode Block is not supported by this node'],
  'mount options': [view(held, { spec: { ...local('/x'), mountOptions: ['ro'] } }), 'volume "pv": mountOptions is not supported by this node'],
  'a share': [view(held, { spec: { nfs: { server: 's', path: '/' } } }), 'volume "pv" of kind nfs is not supported by this node'],
};
for (const [what, [input, expected]] of Object.entries(mounts)) {
  test(`mounts: ${what}`, (t) => {
    if (typeof expected === 'string') t.throws(() => planClaimMount(input), { message: expected });
    else t.deepEqual(planClaimMount(input), expected as never);
  });
}

test('a folder goes when its volume is on its way out, unprotected, of this node, and to be deleted', (t) => {
  const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['barge.dev/local-path'], annotations: ours };
  const plan = (meta: object, policy: 'Delete' | 'Retain' = 'Delete') => planReclaim(volume('v', { meta: { ...leaving, ...meta }, spec: { persistentVolumeReclaimPolicy: policy } }), nodeName);
  t.is(plan({}), 'remove');
  t.is(plan({}, 'Retain'), 'forget');
  t.is(plan({ deletionTimestamp: undefined }), undefined);
  t.is(plan({ finalizers: ['kubernetes.io/pv-protection', 'barge.dev/local-path'] }), undefined);
  t.is(plan({ finalizers: ['example.com/other'] }), undefined);
  t.is(plan({ annotations: { ...ours, 'barge.dev/node': 'other' } }), undefined);
  t.is(plan({ annotations: { 'barge.dev/node': nodeName } }), undefined);
});

// Folders

test('folders have safe names and are of the one folder only', async (t) => {
  const dirs = new LocalDirs(join(await folder(t), 'volumes'));
  t.is(dirs.nameAt(join(dirs.dir, 'pvc-1_ns_data.x')), 'pvc-1_ns_data.x');
  for (const path of ['', '/', dirs.dir, `${dirs.dir}/`, `${dirs.dir}/..`, `${dirs.dir}/.`, `${dirs.dir}/.hidden`, `${dirs.dir}/a/b`, `${dirs.dir}/a/../../x`, `${dirs.dir}//a`, `${dirs.dir}x/a`, `${dirs.dir}/a\0`, `${dirs.dir}/${'x'.repeat(256)}`, '/etc/passwd']) {
    t.is(dirs.nameAt(path), undefined, path);
  }
  for (const name of ['', '.', '..', 'a/b', '../x', '.x']) {
    await t.throwsAsync(dirs.make(name), { message: /is no name of a volume's folder/ }, name);
    await t.throwsAsync(dirs.remove(name), { message: /is no name of a volume's folder/ }, name);
  }
});

test('a folder is made for everybody once, and is then as it was left', async (t) => {
  const dirs = new LocalDirs(join(await folder(t), 'volumes'));
  const path = await dirs.make('a');
  t.is((await stat(path)).mode & 0o7777, 0o777);
  await chmod(path, 0o700);
  await writeFile(join(path, 'f'), 'kept');
  t.is(await dirs.make('a'), path);
  t.is((await stat(path)).mode & 0o7777, 0o700);
  t.is(await readFile(join(path, 'f'), 'utf8'), 'kept');
  t.deepEqual(await readdir(dirs.dir), ['a'], 'nothing is left beside it');
  await dirs.remove('a');
  await dirs.remove('a');
  t.deepEqual(await readdir(dirs.dir), []);
});

test('a link in the place of a folder is neither used nor followed', async (t) => {
  const dir = await folder(t);
  const dirs = new LocalDirs(join(dir, 'volumes'));
  await mkdir(join(dir, 'outside'));
  await writeFile(join(dir, 'outside/precious'), '');
  await mkdir(dirs.dir);
  await symlink('../outside', join(dirs.dir, 'a'));
  await t.throwsAsync(dirs.make('a'), { message: /is not a directory/ });
  await t.throwsAsync(dirs.remove('a'));
  t.deepEqual(await readdir(join(dir, 'outside')), ['precious']);
});

test('a folder goes with all that is in it: links without what they lead to, odd names, any depth', async (t) => {
  const dir = await folder(t);
  const victim = join(dir, 'victim');
  await mkdir(join(dir, 'outside'));
  await writeFile(join(dir, 'outside/precious'), '');
  await mkdir(join(victim, 'sub/sub'), { recursive: true });
  for (const name of ['f', 'sub/f', 'sub/sub/-rf', '.removing-0', 'sub/a\nb']) await writeFile(join(victim, name), 'x');
  await mkdir(join(victim, '.removing-1/.removing-2'), { recursive: true });
  await symlink('../outside', join(victim, 'link'));
  await symlink('../../../outside', join(victim, 'sub/sub/link'));
  await symlink('/', join(victim, 'root'));
  await symlink('nowhere', join(victim, 'sub/broken'));
  await chmod(join(victim, 'sub'), 0o700);
  // Deeper than any path may be long: built from the bottom up.
  let inner = join(dir, 'n');
  await mkdir(inner);
  for (let depth = 0; depth < 210; depth++) {
    const outer = join(dir, `o${depth % 2}`);
    await mkdir(outer);
    await rename(inner, join(outer, 'd'.repeat(20)));
    inner = outer;
  }
  await rename(inner, join(victim, 'deep'));
  await removeTree(victim);
  await t.throwsAsync(lstat(victim), { code: 'ENOENT' });
  t.deepEqual(await readdir(join(dir, 'outside')), ['precious']);
  await removeTree(victim);
});

test('any tree goes, and nothing beside it', async (t) => {
  const dir = await folder(t);
  const entry = fc.tuple(fc.array(fc.constantFrom('a', 'b', '.removing-0', '.removing-1'), { minLength: 1, maxLength: 4 }), fc.constantFrom('file', 'dir', 'link'));
  await fc.assert(fc.asyncProperty(fc.array(entry, { maxLength: 12 }), async (entries) => {
    const victim = join(dir, 'victim');
    await mkdir(join(dir, 'beside/kept'), { recursive: true });
    await mkdir(victim);
    for (const [parts, kind] of entries) {
      // What is in the way is in the way.
      const path = join(victim, ...parts);
      const made = mkdir(join(path, '..'), { recursive: true }).then(() => (kind === 'dir' ? mkdir(path) : kind === 'link' ? symlink(join(dir, 'beside'), path) : writeFile(path, '', { flag: 'wx' })));
      await made.catch(() => undefined);
    }
    const beside = async (): Promise<readonly string[]> => (await readdir(join(dir, 'beside'), { recursive: true })).sort();
    const before = await beside();
    await removeTree(victim);
    t.false((await readdir(dir)).includes('victim'));
    t.deepEqual(await beside(), before);
    await rm(join(dir, 'beside'), { recursive: true });
  }), { seed: 3, numRuns: 25 });
});

// The agent

const begun = async (t: ExecutionContext) => {
  const agent = await agentFixture(pki);
  t.teardown(agent.close);
  const specs: ContainerSpec[] = [];
  const start = agent.runtime.startContainer.bind(agent.runtime);
  agent.runtime.startContainer = (sandbox, spec) => {
    specs.push(spec);
    return start(sandbox, spec);
  };
  await agent.start();
  const dir = join(agent.dataDir, 'volumes');
  const { client } = agent.api;
  const claims = client.of(PersistentVolumeClaim);
  const volumes = client.of(PersistentVolume);
  const key = { namespace: 'default', name: 'data' };
  return {
    ...agent, specs, dir, claims, volumes, key,
    makeClaim: () => claims.create({ metadata: key, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }),
    /** The controllers' part: a volume for the claim, and the claim bound to it. */
    bind: async (spec: Partial<PersistentVolume['spec']> = {}) => {
      const { uid } = (await claims.get(key)).metadata;
      await volumes.create({
        metadata: { name: 'pv', annotations: ours, finalizers: ['kubernetes.io/pv-protection', 'barge.dev/local-path'] },
        spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, persistentVolumeReclaimPolicy: 'Delete', claimRef: { ...key, uid }, local: { path: join(dir, 'pvc-1') }, ...onNode(nodeName), ...spec },
      });
      await claims.modify(key, (draft) => void (draft.spec.volumeName = 'pv'));
      await claims.modifyStatus(key, (draft) => void (draft.status = { phase: 'Bound' }));
    },
    makePod: (name: string, source: object = {}, mount: object = {}, spec: object = {}) => agent.createPod({ name, spec: {
      containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/data', ...mount }] }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data', ...source } }], terminationGracePeriodSeconds: 0, ...spec,
    } }),
    waiting: (name: string, message: RegExp) => agent.until(name, (found) => {
      const state = found.status?.containerStatuses?.[0]?.state?.waiting;
      return state?.reason === 'ContainerCreating' && message.test(state.message ?? '') ? undefined : 'does not wait so';
    }),
    mountOf: (index = -1) => specs.at(index)?.mounts.find(({ containerPath }) => containerPath === '/data'),
    leave: () => volumes.delete({ name: 'pv' }).then(() => volumes.modify({ name: 'pv' }, (draft) => void (draft.metadata.finalizers = ['barge.dev/local-path']))),
  };
};

test('the node says where it keeps volumes', async (t) => {
  const { api, dir } = await begun(t);
  t.is((await api.client.of(Node).get({ name: nodeName })).metadata.annotations?.['barge.dev/local-path-dir'], dir);
});

test('a pod waits for its claim, says why, and starts when the claim is bound', async (t) => {
  const { makePod, makeClaim, waiting, bind, phase, mountOf, dir, events, clock } = await begun(t);
  await makePod('p');
  await waiting('p', /error processing PVC default\/data: persistentvolumeclaim "data" not found/);
  await makeClaim();
  await eventually(async () => {
    await clock.advance(1_000);
    await waiting('p', /PVC is not bound/);
  });
  await bind();
  await phase('p', 'Running');
  t.like(mountOf(), { hostPath: join(dir, 'pvc-1'), readOnly: false });
  t.is((await stat(join(dir, 'pvc-1'))).mode & 0o777, 0o777);
  t.true((await events('p')).includes('FailedMount'));
});

test('what is in a volume outlives pods and the agent; read only means read only', async (t) => {
  const { makePod, makeClaim, bind, phase, mountOf, dir, api, gone, stop, start } = await begun(t);
  await makeClaim();
  await bind();
  await makePod('one');
  await phase('one', 'Running');
  await writeFile(join(dir, 'pvc-1/f'), 'kept');
  await stop();
  await start();
  await api.client.of(Pod).delete({ namespace: 'default', name: 'one' });
  await gone('one');
  await makePod('two', { readOnly: true });
  await phase('two', 'Running');
  t.like(mountOf(), { hostPath: join(dir, 'pvc-1'), readOnly: true });
  t.is(await readFile(join(dir, 'pvc-1/f'), 'utf8'), 'kept');
});

test('a volume is given to the group of its pod, all of it or by a look at its root', async (t) => {
  const { makePod, makeClaim, bind, phase, dir } = await begun(t);
  const groupId = process.getgid!();
  await makeClaim();
  await bind();
  await makePod('one', {}, {}, { securityContext: { fsGroup: groupId } });
  await phase('one', 'Running');
  t.is((await stat(join(dir, 'pvc-1'))).mode & 0o2070, 0o2070);
  await writeFile(join(dir, 'pvc-1/f'), '', { mode: 0o600 });
  await makePod('two', {}, {}, { securityContext: { fsGroup: groupId, fsGroupChangePolicy: 'OnRootMismatch' } });
  await phase('two', 'Running');
  t.is((await stat(join(dir, 'pvc-1/f'))).mode & 0o777, 0o600);
  await makePod('three', {}, {}, { securityContext: { fsGroup: groupId } });
  await phase('three', 'Running');
  t.is((await stat(join(dir, 'pvc-1/f'))).mode & 0o777, 0o660);
});

test('a folder goes when its volume does, once no pod uses it, and only if it is the agent\'s', async (t) => {
  const { makePod, makeClaim, bind, phase, dir, leave, volumes, api, gone, clock } = await begun(t);
  await makeClaim();
  await bind();
  await makePod('p');
  await phase('p', 'Running');
  await writeFile(join(dir, 'pvc-1/f'), '');
  await mkdir(join(dir, 'pvc-2'));
  await leave();
  await clock.advance(20_000);
  t.deepEqual((await readdir(dir)).sort(), ['pvc-1', 'pvc-2'], 'it is in use');
  await api.client.of(Pod).delete({ namespace: 'default', name: 'p' });
  await gone('p');
  await eventually(async () => {
    await clock.advance(5_000);
    assert.equal(await volumes.find({ name: 'pv' }), undefined);
  }, 3_000);
  t.deepEqual(await readdir(dir), ['pvc-2']);
});

test('a volume that points elsewhere is left alone, with a word to its owner; Retain keeps the folder', async (t) => {
  const { makeClaim, bind, dataDir, leave, volumes, api, dir } = await begun(t);
  await mkdir(join(dataDir, 'precious'));
  await makeClaim();
  await bind({ local: { path: join(dataDir, 'precious') } });
  await leave();
  await eventually(async () => assert.match((await api.client.of(Event).list()).items.find(({ reason }) => reason === 'VolumeFailedDelete')?.message ?? '', /is not in this node's folder of volumes/), 3_000);
  t.true((await stat(join(dataDir, 'precious'))).isDirectory());
  t.truthy(await volumes.find({ name: 'pv' }));
  await volumes.modify({ name: 'pv' }, (draft) => void (draft.metadata.finalizers = []));
  await mkdir(join(dir, 'pvc-1'), { recursive: true });
  await bind({ persistentVolumeReclaimPolicy: 'Retain' }).catch(() => undefined);
  await leave();
  await becomes(() => volumes.find({ name: 'pv' }), undefined);
  t.deepEqual(await readdir(dir), ['pvc-1']);
});
