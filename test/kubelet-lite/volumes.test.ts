import { chmod, link, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { writeAtomically } from '../../kubelet-lite/volumes/atomic-dir.ts';
import { hostPath } from '../../kubelet-lite/volumes/host-path.ts';
import { mountsUnder, type Mounts } from '../../kubelet-lite/volumes/mounts.ts';
import { giveToGroup } from '../../kubelet-lite/volumes/ownership.ts';
import { payloadOf, referencesOf, type Payload, type PayloadInput } from '../../kubelet-lite/volumes/payload.ts';
import { PodVolumes } from '../../kubelet-lite/volumes/pod-volumes.ts';
import { bindSubPath } from '../../kubelet-lite/volumes/sub-path.ts';
import type { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import type { Secret } from '../../schemas/kinds/core/secret.ts';
import type { Volume } from '../../schemas/types/volume.ts';
import { podOf } from './views.ts';

const folder = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'barge-volumes-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
};

const files = (content: Readonly<Record<string, string>>, mode = 0o644): Payload => new Map(Object.entries(content).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

const shown = async (dir: string): Promise<Record<string, string>> => {
  const out: Record<string, string> = {};
  const walk = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(dir, path))) {
      if (entry.startsWith('..')) continue;
      const full = join(dir, path, entry);
      if ((await stat(full)).isDirectory()) await walk(join(path, entry));
      else out[join(path, entry)] = await readFile(full, 'utf8');
    }
  };
  await walk('');
  return out;
};

test('files appear through a link, and an update swaps the link', async (t) => {
  const dir = join(await folder(t), 'v');
  t.true(await writeAtomically(dir, files({ a: '1', 'sub/b': '2' }), undefined));
  t.deepEqual(await shown(dir), { a: '1', 'sub/b': '2' });
  const before = await readlink(join(dir, '..data'));
  t.false(await writeAtomically(dir, files({ a: '1', 'sub/b': '2' }), undefined), 'the same again changes nothing');
  t.is(await readlink(join(dir, '..data')), before);
  t.true(await writeAtomically(dir, files({ a: '3', c: '4' }), undefined));
  t.deepEqual(await shown(dir), { a: '3', c: '4' });
  t.deepEqual((await readdir(dir)).sort(), [await readlink(join(dir, '..data')), '..data', 'a', 'c'].sort());
  t.true(await writeAtomically(dir, files({ a: '3', c: '4' }, 0o600), undefined), 'another mode is a change');
  t.is((await stat(join(dir, 'a'))).mode & 0o777, 0o600);
});

test('what a write that was cut off left behind goes with the next', async (t) => {
  const dir = join(await folder(t), 'v');
  await writeAtomically(dir, files({ a: '1' }), undefined);
  await mkdir(join(dir, '..half'));
  await writeAtomically(dir, files({ a: '2' }), undefined);
  t.deepEqual((await readdir(dir)).filter((name) => name.startsWith('..')).length, 2);
});

const meta = (name: string) => ({ apiVersion: 'v1', kind: 'x', metadata: { name, namespace: 'default' } });
const sources = {
  configMap: (name: string) => (name === 'cm' ? { ...meta('cm'), data: { a: '1', b: '2' }, binaryData: { raw: 'AAE=' } } as ConfigMap : undefined),
  secret: (name: string) => (name === 's' ? { ...meta('s'), data: { key: 'aHVzaA==' } } as Secret : undefined),
};
const input = (pod = podOf({}, { metadata: { labels: { app: 'x' } } })) => ({
  pod, sources, facts: { nodeName: 'n', nodeIp: '192.0.2.1', podIp: undefined, allocatable: {} }, givesFiles: true, token: async ({ audience }: { readonly audience?: string | undefined }) => `token for ${audience ?? 'the API'}`,
});
const payload = async (volume: Omit<Volume, 'name'>): Promise<Record<string, string>> =>
  Object.fromEntries([...await payloadOf({ name: 'v', ...volume }, input())].map(([path, { data, mode }]) => [path, `${data.toString('latin1')} ${mode.toString(8)}`]));

test('payloads of each kind of volume', async (t) => {
  t.deepEqual(await payload({ configMap: { name: 'cm' } }), { a: '1 644', b: '2 644', raw: '\0\u0001 644' });
  t.deepEqual(await payload({ configMap: { name: 'cm', defaultMode: 0o400, items: [{ key: 'a', path: 'x/y' }, { key: 'b', path: 'z', mode: 0o777 }] } }), { 'x/y': '1 400', z: '2 777' });
  t.deepEqual(await payload({ secret: { secretName: 's' } }), { key: 'hush 644' });
  t.deepEqual(await payload({ secret: { secretName: 'none', optional: true } }), {});
  t.deepEqual(await payload({ downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } }), { labels: 'app="x" 644' });
  t.deepEqual(await payload({ projected: { defaultMode: 0o440, sources: [{ configMap: { name: 'cm', items: [{ key: 'a', path: 'a' }] } }, { serviceAccountToken: { path: 'token', audience: 'me' } }] } }), { a: '1 440', token: 'token for me 440' });
  await t.throwsAsync(payload({ configMap: { name: 'none' } }), { message: 'configmap "none" not found' });
  await t.throwsAsync(payload({ configMap: { name: 'cm', items: [{ key: 'no', path: 'x' }] } }), { message: /non-existent config key: no/ });
  for (const path of ['../x', '/x', 'a/../b', '..x', '']) await t.throwsAsync(payload({ configMap: { name: 'cm', items: [{ key: 'a', path }] } }), { message: /must be relative/ }, path);
});

test('a token is for the one user of a pod, or for its group, and for nobody else', async (t) => {
  type Spec = NonNullable<Parameters<typeof podOf>[0]>;
  const volume = { name: 'v', projected: { defaultMode: 0o400, sources: [{ serviceAccountToken: { path: 'token' } }, { secret: { name: 's' } }] } };
  const access = async (spec: Spec, given: Partial<PayloadInput> = {}) => {
    const made = await payloadOf(volume, { ...input(podOf(spec)), ...given });
    t.like(made.get('key'), { mode: 0o400, owner: undefined }, 'a secret has the mode that the pod names');
    const { mode, owner } = made.get('token')!;
    return `${owner ?? 'the agent'} ${mode.toString(8)}`;
  };
  const as = (name: string, runAsUser?: number) => ({ name, image: 'i', securityContext: { runAsUser } });
  t.is(await access({}), 'the agent 400', 'nothing is known of its users');
  t.is(await access({ securityContext: { runAsUser: 1000 } }), '1000 600');
  t.is(await access({ securityContext: { runAsUser: 0 } }), '0 600');
  t.is(await access({ initContainers: [as('i', 1000)], containers: [as('a', 1000), as('b', 1000)] }), '1000 600');
  t.is(await access({ securityContext: { runAsUser: 1000 }, containers: [as('a'), as('b', 1001)] }), 'the agent 400', 'two users');
  t.is(await access({ initContainers: [as('i')], containers: [as('a', 1000)] }), 'the agent 400', 'the user of one is its image\'s');
  t.is(await access({ securityContext: { runAsUser: 1000 }, ephemeralContainers: [as('look', 0)] }), '1000 600');
  t.is(await access({ securityContext: { fsGroup: 2000 } }), 'the agent 600', 'to which the group is added when it is written');
  t.is(await access({ securityContext: { runAsUser: 1000 } }, { givesFiles: false }), 'the agent 400', 'without root it stays the agent\'s');
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('a file is written for its user and for the group of the pod, and is written anew for another user', async (t) => {
  const dir = join(await folder(t), 'v');
  const token = (owner: number): Payload => new Map([['token', { data: Buffer.from('secret'), mode: 0o600, owner }]]);
  const access = async () => {
    const { uid, gid, mode } = await stat(join(dir, 'token'));
    return [uid, gid, (mode & 0o777).toString(8)];
  };
  t.true(await writeAtomically(dir, token(1000), undefined));
  t.deepEqual(await access(), [1000, (await stat(dir)).gid, '600']);
  t.false(await writeAtomically(dir, token(1000), undefined), 'the same again changes nothing');
  t.true(await writeAtomically(dir, token(1001), 2000));
  t.deepEqual(await access(), [1001, 2000, '640']);
});

test('what a pod reads', (t) => {
  const read = referencesOf(podOf({
    imagePullSecrets: [{ name: 'pull' }], volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 's1' } }, { configMap: { name: 'c1' } }] } }, { name: 'w', secret: { secretName: 's2' } }],
    initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'c2' } }] }], containers: [{ name: 'a', env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 's3', key: 'k' } } }] }],
  }));
  t.deepEqual([...read.configMaps].sort(), ['c1', 'c2']);
  t.deepEqual([...read.secrets].sort(), ['pull', 's1', 's2', 's3']);
});

test('hostPath types', async (t) => {
  const dir = await folder(t);
  t.is(await hostPath({ path: join(dir, 'made/here'), type: 'DirectoryOrCreate' }), join(dir, 'made/here'));
  await hostPath({ path: join(dir, 'file'), type: 'FileOrCreate' });
  t.true((await stat(join(dir, 'file'))).isFile());
  t.is(await hostPath({ path: join(dir, 'other') }), join(dir, 'other'));
  await t.throwsAsync(hostPath({ path: join(dir, 'none'), type: 'Directory' }), { message: /does not exist/ });
  await t.throwsAsync(hostPath({ path: join(dir, 'file'), type: 'Directory' }), { message: /is not a directory/ });
  await t.throwsAsync(hostPath({ path: join(dir, 'file'), type: 'Socket' }), { message: /is not a socket/ });
});

test('a volume is given to a group, links are left alone', async (t) => {
  const dir = await folder(t);
  await mkdir(join(dir, 'v/sub'), { recursive: true });
  await writeFile(join(dir, 'v/sub/f'), '', { mode: 0o600 });
  await writeFile(join(dir, 'outside'), '', { mode: 0o600 });
  await symlink('../outside', join(dir, 'v/link'));
  await chmod(join(dir, 'v'), 0o700);
  const own = (await stat(dir)).gid;
  await giveToGroup(join(dir, 'v'), own);
  t.is((await stat(join(dir, 'v/sub'))).mode & 0o7770, 0o2770);
  t.is((await stat(join(dir, 'v/sub/f'))).mode & 0o777, 0o660);
  t.is((await stat(join(dir, 'outside'))).mode & 0o777, 0o600);
});

/** Remembers mounts in place of making them. */
const noted = (allowed = true): Mounts & { readonly made: string[][] } => {
  const made: string[][] = [];
  return {
    made, allowed,
    tmpfs: async (dir, size) => { made.push(['tmpfs', dir, String(size)]); },
    bind: async (source, target) => { made.push(['bind', await readlink(source), target]); },
    under: async (dir) => made.map((entry) => (entry[0] === 'bind' ? entry[2]! : entry[1]!)).filter((point) => point === dir || point.startsWith(`${dir}/`)),
    unmount: async (target) => { made.splice(made.findIndex((entry) => entry.includes(target)), 1); },
  };
};

test('sub paths: made where missing, links inside are followed, links out are refused', async (t) => {
  const dir = await folder(t);
  const volume = join(dir, 'v');
  await mkdir(join(volume, 'real'), { recursive: true });
  await writeFile(join(volume, 'real/f'), 'x');
  await symlink('real', join(volume, 'inside'));
  await symlink('/etc', join(volume, 'out'));
  await symlink('../..', join(volume, 'up'));
  const mounts = noted();
  const bound = async (subPath: string): Promise<string> => {
    await bindSubPath(mounts, volume, subPath, join(dir, 'targets', subPath));
    return mounts.made.at(-1)![1]!;
  };
  t.is(await bound('real/f'), join(volume, 'real/f'));
  t.true((await lstat(join(dir, 'targets/real/f'))).isFile());
  t.is(await bound('inside/f'), join(volume, 'real/f'));
  t.is(await bound('new/deep'), join(volume, 'new/deep'));
  t.true((await lstat(join(volume, 'new/deep'))).isDirectory());
  await chmod(volume, 0o2777);
  await bound('shared/deep');
  for (const made of ['shared', 'shared/deep']) t.is((await lstat(join(volume, made))).mode & 0o7777, 0o2777, 'a folder that is made is open to whom the volume is');
  t.is((await lstat(join(volume, 'real'))).mode & 0o7777, 0o755, 'one that was there stays as it is');
  for (const bad of ['out', 'out/passwd', 'up', 'up/new', '../x', '/etc']) await t.throwsAsync(bound(bad), { message: /leads out of the volume|must be a relative path/ }, bad);
});

test('a sub path whose file was replaced is bound anew for the next run', async (t) => {
  const dir = await folder(t);
  const [volume, target] = [join(dir, 'v'), join(dir, 'target')];
  await writeAtomically(volume, new Map([['f', { data: Buffer.from('old'), mode: 0o644 }]]), undefined);
  const mounts = noted();
  const bind = async (): Promise<readonly string[]> => {
    await bindSubPath(mounts, volume, 'f', target);
    // A bind mount shows the very file that it was made of.
    const bound = mounts.made.at(-1)![1]!;
    await rm(target, { force: true });
    await link(bound, target);
    return mounts.made.map(([, source = '']) => source);
  };
  const [first] = await bind();
  t.deepEqual(await bind(), [first]);
  await writeAtomically(volume, new Map([['f', { data: Buffer.from('new'), mode: 0o644 }]]), undefined);
  const after = await bind();
  t.is(after.length, 1);
  t.is(await readFile(after[0]!, 'utf8'), 'new');
});

/** For pods without claims. */
const noClaims = { mount: () => Promise.reject(new Error('no claims here')) };

test('the volumes of a pod are made, found again and taken away', async (t) => {
  const dir = join(await folder(t), 'pod');
  const mounts = noted();
  const pod = podOf({ volumes: [{ name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, { name: 'e', emptyDir: {} }, { name: 'c', configMap: { name: 'cm' } }] });
  for (const _ of [1, 2]) await new PodVolumes(dir, { mounts, claimed: noClaims, warn: () => undefined }).prepare(input(pod));
  t.deepEqual(mounts.made, [['tmpfs', join(dir, 'volumes/m'), '1048576']]);
  const volumes = new PodVolumes(dir, { mounts, claimed: noClaims, warn: () => undefined });
  await volumes.prepare(input(pod));
  t.is(await readFile(join(await volumes.pathOf('c', { container: 'a', index: 0, subPath: '' }), 'a'), 'utf8'), '1');
  await t.throwsAsync(volumes.pathOf('none', { container: 'a', index: 0, subPath: '' }), { message: /not one of the pod's volumes/ });
  await t.throwsAsync(volumes.prepare(input(podOf({ volumes: [{ name: 'p', nfs: { server: 'x', path: '/' } }] }))), { message: /volume "p": a volume of kind nfs is not supported/ });
  await volumes.remove();
  t.deepEqual(mounts.made, []);
  await t.throwsAsync(stat(dir));
});

test('without root a volume in memory is a folder, with a warning; sub paths are refused', async (t) => {
  const dir = join(await folder(t), 'pod');
  const warnings: string[] = [];
  const volumes = new PodVolumes(dir, { mounts: noted(false), claimed: noClaims, warn: (message) => { warnings.push(message); } });
  await volumes.prepare(input(podOf({ volumes: [{ name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }] })));
  const path = await volumes.pathOf('m', { container: 'a', index: 0, subPath: '' });
  t.is((await stat(path)).mode & 0o777, 0o777);
  t.deepEqual(warnings, ['volume "m" is on disk and without a size limit: a volume in memory needs root']);
  await t.throwsAsync(volumes.pathOf('m', { container: 'a', index: 0, subPath: 'x' }), { message: /needs a bind mount, and so root/ });
  await volumes.remove();
  await t.throwsAsync(stat(dir));
});

test('a mount table is read with its escapes', (t) => {
  const table = String.raw`36 35 98:0 / /a/pods/u\040x/v rw - tmpfs tmpfs rw
37 35 98:0 / /a/pods/u\040x rw - tmpfs tmpfs rw
38 35 98:0 / /a/pods/other rw - tmpfs tmpfs rw`;
  t.deepEqual(mountsUnder(table, '/a/pods/u x'), ['/a/pods/u x/v', '/a/pods/u x']);
});
