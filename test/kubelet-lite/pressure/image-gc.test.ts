import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { silentLog } from '../../../base/log.ts';
import { ImageGc } from '../../../kubelet-lite/pressure/image-gc.ts';
import { bytesToFree, imageGcDefaults, unusedImages, type ImageGcLimits, type PulledImage } from '../../../kubelet-lite/pressure/image-gc-plan.ts';
import { PulledImages } from '../../../kubelet-lite/pressure/pulled-images.ts';
import { SimulatedRuntime } from '../../../kubelet-lite/runtime/simulated.ts';
import type { ImageState } from '../../../kubelet-lite/runtime/runtime.ts';
import { Event } from '../../../schemas/kinds/core/event.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { agentFixture, agentPki, becomes, nodeName } from '../agent-fixture.ts';

const nowMs = 10_000_000;
const minutes = (count: number): number => count * 60_000;
const image = (name: string, sizeBytes = 10, names: readonly string[] = [name]): ImageState => ({ id: `id-${name}`, names, sizeBytes });
const pulledAgo = (usedMinutes: number, pulledMinutes = usedMinutes, names: readonly string[] = []): PulledImage =>
  ({ names, pulledAtMs: nowMs - minutes(pulledMinutes), usedAtMs: nowMs - minutes(usedMinutes) });
const pulls = (all: Readonly<Record<string, PulledImage>>): ReadonlyMap<string, PulledImage> =>
  new Map(Object.entries(all).map(([name, one]) => [`id-${name}`, { ...one, names: one.names.length === 0 ? [name] : one.names }]));
const names = (images: readonly ImageState[]): readonly string[] => images.map(({ id }) => id.slice(3));

test('only images that the agent pulled, that nothing uses and that are not young may go, the longest unused first', (t) => {
  const images = ['new', 'old', 'oldest', 'tie', 'used', 'loaded', 'young', 'tagged'].map((name) => image(name));
  const node = {
    nowMs, inUse: new Set(['id-used']), images: [...images.slice(0, -1), image('tagged', 10, ['tagged', 'mine:1'])],
    pulled: pulls({ new: pulledAgo(5), old: pulledAgo(60, 90), oldest: pulledAgo(100), tie: pulledAgo(60, 80), used: pulledAgo(200), young: pulledAgo(1, 300), tagged: pulledAgo(70) }),
  };
  t.deepEqual(names(unusedImages(node, imageGcDefaults)), ['oldest', 'old', 'tie', 'new']);
  t.deepEqual(names(unusedImages(node, { youngestMs: 0 })), ['oldest', 'old', 'tie', 'new', 'young']);
});

const disk = (availableBytes: number, capacityBytes = 1_000) => ({ capacityBytes, availableBytes, inodes: 0, inodesFree: 0, device: 1 });

for (const [what, available, limits, wantedBytes] of [
  ['room', 160, {}, 0],
  ['as much in use as the high threshold', 150, {}, 50],
  ['a little less, for percent are whole', 159, {}, 41],
  ['nothing left', 0, {}, 200],
  ['nothing left, where collection is off', 0, { highPercent: 100 }, 0],
  ['a low threshold just under the high one', 150, { lowPercent: 84 }, 10],
] as const) {
  test(`what to free of a disk with ${what}`, (t) => t.is(bytesToFree(disk(available), { ...imageGcDefaults, ...limits }), wantedBytes));
}

test('a disk that tells nothing is not full', (t) => t.is(bytesToFree(disk(0, 0), imageGcDefaults), 0));

const notes = async (t: ExecutionContext): Promise<{ readonly file: string; readonly clock: FakeClock; readonly open: () => Promise<PulledImages> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-pulled-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'pulled.json');
  const clock = new FakeClock(nowMs);
  return { file, clock, open: async () => {
    const pulled = new PulledImages({ file, clock, log: silentLog });
    await pulled.load();
    return pulled;
  } };
};

test('what was pulled is known after a restart, with the names that came by pulls alone', async (t) => {
  const { clock, open } = await notes(t);
  const first = await open();
  await first.add(image('a', 1, ['a:1', 'a@sha256:1']), []);
  // The user's own image, which a pod's pull found here; and one of the agent's that the user has tagged since.
  await first.add(image('mine', 1, ['mine:1']), [image('mine', 1, ['mine:1'])]);
  await first.add(image('a', 1, ['a:1', 'a:2', 'a@sha256:1', 'mine:2']), [image('a', 1, ['a:1', 'a@sha256:1', 'mine:2'])]);
  await clock.advance(minutes(3));
  first.use(['id-a', 'id-unknown']);
  await first.keep(new Set(['id-a']));
  t.deepEqual([...(await open()).all], [['id-a', { names: ['a:1', 'a@sha256:1', 'a:2'], pulledAtMs: nowMs, usedAtMs: nowMs + minutes(3) }]]);
});

test('an image that has gone is forgotten, one that came a moment ago is not; a broken file is as none', async (t) => {
  const { file, clock, open } = await notes(t);
  const pulled = await open();
  await pulled.add(image('old'), []);
  await clock.advance(minutes(2));
  await pulled.add(image('new'), []);
  await pulled.keep(new Set());
  t.deepEqual([...(await open()).all.keys()], ['id-new']);
  await writeFile(file, '{"id-');
  const broken = await open();
  t.is(broken.all.size, 0);
  await broken.add(image('a'), []);
  t.deepEqual(Object.keys(JSON.parse(await readFile(file, 'utf8')) as object), ['id-a']);
});

interface Collected { readonly runtime: SimulatedRuntime; readonly clock: FakeClock; readonly warnings: string[]; readonly here: () => Promise<readonly string[]> }

/** A collector on a disk of 1000 bytes, full up to the images' sizes and `other` bytes; it has pulled a, b and c of 100 bytes each. */
const collector = async (t: ExecutionContext, other: number, limits: Partial<ImageGcLimits> = {}): Promise<Collected> => {
  const { clock, open } = await notes(t);
  const pulled = await open();
  const runtime = new SimulatedRuntime({ clock });
  for (const name of ['a', 'b', 'c']) {
    runtime.script(name, { present: false, sizeBytes: 100 });
    await pulled.add(await runtime.pullImage(name, { auth: undefined }, new AbortController().signal), []);
    await clock.advance(minutes(5));
  }
  runtime.imageDisk = async () => disk(1_000 - other - (await runtime.images()).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const warnings: string[] = [];
  const abort = new AbortController();
  const running = new ImageGc({ runtime, pulled, limits: { ...imageGcDefaults, ...limits }, clock, log: silentLog, report: (reason, message) => void warnings.push(`${reason}: ${message}`) }).run(abort.signal);
  t.teardown(async () => {
    abort.abort();
    await running;
  });
  return { runtime, clock, warnings, here: async () => (await runtime.images()).flatMap((one) => one.names) };
};

test('a full disk is freed down to the low threshold, and looked at every five minutes', async (t) => {
  const { runtime, clock, warnings, here } = await collector(t, 600);
  await becomes(here, ['b', 'c']);
  runtime.imageDisk = async () => disk(0);
  await clock.advance(minutes(5) - 1);
  t.deepEqual(await here(), ['b', 'c']);
  await clock.advance(1);
  await becomes(here, []);
  t.deepEqual(warnings, []);
});

test('images that containers use stay, and what could not be freed is told', async (t) => {
  const { runtime, clock, warnings, here } = await collector(t, 400);
  await becomes(here, ['a', 'b', 'c']);
  const sandbox = await runtime.createSandbox({ podUid: 'u', podName: 'p', podNamespace: 'n', attempt: 0, hostname: 'p', hostNetwork: false, hostPid: false, hostIpc: false, sharePid: false, sysctls: {}, portMappings: [], labels: {} });
  const run = await runtime.startContainer(sandbox.id, { name: 'main', attempt: 0, image: 'a', hostname: 'p', env: [], mounts: [], devices: [], supplementalGroups: [], privileged: false, readOnlyRootFilesystem: false, capabilitiesAdd: [], capabilitiesDrop: [], noNewPrivileges: false, limits: { cpuShares: 102, cpuQuotaMicros: 0, memoryBytes: 0 }, stdin: false, stdinOnce: false, tty: false, labels: {} });
  // A container that has ended still needs its image.
  await runtime.stopContainer(run.id, 0);
  runtime.imageDisk = async () => disk(0, 10_000);
  await clock.advance(minutes(5));
  await becomes(here, ['a']);
  t.deepEqual(warnings, ['FreeDiskSpaceFailed: Failed to garbage collect required amount of images. Attempted to free 2000 bytes, but only found 200 bytes eligible to free.']);
});

test('an engine that fails again and again is told, not one that fails once; others are removed beside an image that cannot be', async (t) => {
  const { runtime, clock, warnings, here } = await collector(t, 400);
  await becomes(here, ['a', 'b', 'c']);
  const remove = runtime.removeImage.bind(runtime);
  runtime.removeImage = async (id) => {
    if (id === (await runtime.findImage('a'))) throw new Error('conflict');
    await remove(id);
  };
  runtime.imageDisk = async () => disk(0);
  await clock.advance(minutes(5));
  // a, b and then c: 200 bytes are to be free.
  await becomes(here, ['a']);
  t.deepEqual(warnings, []);
  await clock.advance(minutes(5));
  await becomes(() => warnings.filter((one) => one.startsWith('ImageGCFailed')), ['ImageGCFailed: wanted to free 200 bytes, but freed 0 bytes space with errors in image deletion: [conflict]']);
});

test('an agent removes what it pulled for a pod that is gone, also after a restart, and says on its node what it could not', async (t) => {
  const agent = await agentFixture(agentPki());
  t.teardown(agent.close);
  for (const name of ['gone:1', 'kept:1']) agent.runtime.script(name, { present: false, sizeBytes: 50 });
  agent.runtime.imageDisk = async () => disk(0);
  await agent.start({ eviction: { thresholds: [], transitionMs: 0 } });
  for (const name of ['gone', 'kept', 'loaded']) await agent.createPod({ name, spec: { containers: [{ name: 'main', image: `${name}:1` }] } });
  for (const name of ['gone', 'kept', 'loaded']) await agent.phase(name, 'Running');
  for (const name of ['gone', 'loaded']) {
    await agent.api.client.of(Pod).delete({ namespace: 'default', name }, { gracePeriodSeconds: 0 });
    await agent.gone(name);
  }
  await agent.stop();
  await agent.clock.advance(minutes(3));
  await agent.start({ eviction: { thresholds: [], transitionMs: 0 } });
  const here = async (): Promise<readonly string[]> => (await agent.runtime.images()).flatMap((one) => one.names).toSorted();
  await becomes(here, ['kept:1', 'loaded:1']);
  await becomes(async () => (await agent.api.client.of(Event).list({ namespace: 'default' })).items.some(({ involvedObject, reason }) => involvedObject.name === nodeName && reason === 'FreeDiskSpaceFailed'), true);
  t.pass();
});
