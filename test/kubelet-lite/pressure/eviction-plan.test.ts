import test from 'ava';
import { diskUsage, evictedFor, evictionOrder, hasStorageLimit, isCritical, overStorageLimit, refusalUnder, type PodStorage, type PodUsage } from '../../../kubelet-lite/pressure/eviction-plan.ts';
import type { MetThreshold, PressureCondition, ShortResource } from '../../../kubelet-lite/pressure/thresholds.ts';
import type { Pod } from '../../../schemas/kinds/core/pod.ts';
import { podOf } from '../views.ts';

const mebi = 2 ** 20;
type Spec = NonNullable<Pod['spec']>;

const named = (name: string, spec: Partial<Spec> = {}, annotations: Readonly<Record<string, string>> = {}): Pod => podOf(spec, { metadata: { name, uid: name, annotations } });
const asking = (memory: string, extra: Partial<Spec> = {}): Partial<Spec> => ({ containers: [{ name: 'a', image: 'i', resources: { requests: { memory } } }], ...extra });
const using = (pod: Pod, usedMebi: number | undefined): PodUsage => ({ pod, used: usedMebi === undefined ? undefined : usedMebi * mebi, containers: new Map(usedMebi === undefined ? [] : [['a', usedMebi * mebi]]) });
const order = (usages: readonly PodUsage[], resource: ShortResource = 'memory'): readonly string[] => evictionOrder(usages, resource).map(({ pod }) => pod.metadata.name!);

test('pods that have more than they asked for go first, then those of less priority, then those that have most above it', (t) => {
  t.deepEqual(order([
    using(named('guaranteed', asking('500Mi')), 400),
    using(named('burstable', asking('100Mi')), 150),
    using(named('best-effort'), 60),
    using(named('small'), 10),
    using(named('important', { priority: 1_000 }), 900),
    using(named('nearly', asking('100Mi')), 99),
  ]), ['best-effort', 'burstable', 'small', 'important', 'nearly', 'guaranteed']);
});

test('a pod that cannot be measured may have anything; critical pods are not in the list', (t) => {
  t.deepEqual(order([
    using(named('big'), 900), using(named('unknown', asking('1Gi')), undefined),
    using(named('node-critical', { priority: 2_000_001_000 }), 900), using(named('cluster-critical', { priority: 2_000_000_000 }), 900),
    using(named('marked', {}, { 'kubernetes.io/config.mirror': 'x', 'kubernetes.io/config.source': 'file' }), 400),
  ]), ['unknown', 'big', 'marked'], 'no annotation makes a pod critical');
  t.true(isCritical(named('x', { priority: 2_000_000_000 })));
  t.false(isCritical(named('x', { priority: 1_999_999_999 })));
});

const memory: MetThreshold = { signal: 'memory.available', least: 100 * mebi, available: 91_244 * 1024, capacity: 1024 * mebi };

test('an evicted pod is told what was short and which of its containers had more than they asked for', (t) => {
  const pod = named('p', { containers: [{ name: 'a', image: 'i' }, { name: 'b', image: 'i', resources: { requests: { memory: '50Mi' } } }, { name: 'c', image: 'i', resources: { requests: { memory: '50Mi' } } }] });
  const verdict = evictedFor(memory, { pod, used: 0, containers: new Map([['a', 30 * mebi], ['b', 50 * mebi], ['c', 51 * mebi]]) });
  const message = 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 91244Ki. Container a was using 30Mi, request is 0, has larger consumption of memory. Container c was using 51Mi, request is 50Mi, has larger consumption of memory. ';
  t.deepEqual(verdict, { reason: 'Evicted', message, graceSeconds: 1, disruption: message });
  t.is(evictedFor({ signal: 'nodefs.inodesFree', least: 1_000, available: 12, capacity: 20_000 }, { pod, used: 5, containers: new Map() }).message, 'The node was low on resource: inodes. Threshold quantity: 1000, available: 12. ');
});

const bestEffort = named('p');
const burstable = named('p', asking('1Mi'));
const tolerant = named('p', { tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }] });
const critical = named('p', { priority: 2_000_001_000 });
for (const [conditions, pods] of [
  [[], { bestEffort: 'comes', burstable: 'comes', tolerant: 'comes', critical: 'comes' }],
  [['MemoryPressure'], { bestEffort: 'refused', burstable: 'comes', tolerant: 'comes', critical: 'comes' }],
  [['DiskPressure'], { bestEffort: 'refused', burstable: 'refused', tolerant: 'refused', critical: 'comes' }],
  [['DiskPressure', 'MemoryPressure'], { bestEffort: 'refused', burstable: 'refused', tolerant: 'refused', critical: 'comes' }],
] as const) {
  test(`who comes to a node with ${conditions.join(' and ') || 'no pressure'}`, (t) => {
    const refusal = (pod: Pod) => refusalUnder(new Set<PressureCondition>(conditions), pod);
    const verdicts = Object.entries({ bestEffort, burstable, tolerant, critical }).map(([name, pod]) => [name, refusal(pod) === undefined ? 'comes' : 'refused']);
    t.deepEqual(Object.fromEntries(verdicts), pods);
    if (conditions.length > 0) t.deepEqual(refusal(bestEffort), { reason: 'Evicted', message: `Pod was rejected: The node had condition: [${conditions.join(' ')}]. ` });
  });
}

const storage = (volumes: Readonly<Record<string, number>>, written: Readonly<Record<string, number>> = {}): PodStorage => ({
  volumes: new Map(Object.entries(volumes).map(([name, mebis]) => [name, { bytes: mebis * mebi, inodes: mebis }])), written: new Map(Object.entries(written).map(([name, mebis]) => [name, mebis * mebi])),
});

test('what a pod has on the disk that is short', (t) => {
  const used = storage({ v: 10, w: 1 }, { a: 5 });
  const of = (signal: MetThreshold['signal'], oneDisk: boolean): number | undefined => diskUsage(bestEffort, used, { signal, oneDisk }).used;
  t.is(of('nodefs.available', true), 16 * mebi);
  t.is(of('imagefs.available', true), 16 * mebi);
  t.is(of('nodefs.available', false), 11 * mebi);
  t.is(of('imagefs.available', false), 5 * mebi);
  t.is(of('nodefs.inodesFree', false), 11);
  t.is(of('imagefs.inodesFree', false), 0);
  t.is(diskUsage(bestEffort, undefined, { signal: 'nodefs.available', oneDisk: true }).used, undefined);
});

const limited = (limit: string | undefined, extra: Partial<Spec> = {}): Pod => named('p', { containers: [{ name: 'a', image: 'i', ...(limit === undefined ? {} : { resources: { limits: { 'ephemeral-storage': limit } } }) }], ...extra });
const volume = (sizeLimit: string, medium?: string): Partial<Spec> => ({ volumes: [{ name: 'v', emptyDir: { sizeLimit, ...(medium === undefined ? {} : { medium }) } }] });

for (const [what, pod, used, message] of [
  ['a volume of its limit', limited(undefined, volume('10Mi')), storage({ v: 10 }), undefined],
  ['a volume above its limit', limited(undefined, volume('10Mi')), storage({ v: 11 }), 'Usage of EmptyDir volume "v" exceeds the limit "10Mi". '],
  ['a volume with the limit 0, which is none', limited(undefined, volume('0')), storage({ v: 11 }), undefined],
  ['containers and volumes above the limit of the pod', limited('10Mi', { volumes: [{ name: 'v', emptyDir: {} }] }), storage({ v: 6 }, { a: 6 }), 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. '],
  ['all within it', limited('10Mi', { volumes: [{ name: 'v', emptyDir: {} }] }), storage({ v: 5 }, { a: 5 }), undefined],
  ['one container above its own', named('p', { containers: ['a', 'b'].map((name) => ({ name, image: 'i', resources: { limits: { 'ephemeral-storage': '10Mi' } } })) }), storage({}, { a: 1, b: 11 }), 'Container b exceeded its local ephemeral storage limit "10Mi". '],
  ['a critical pod above its limit', limited('1Mi', { priority: 2_000_000_000 }), storage({}, { a: 9 }), undefined],
] as const) test(`limits on storage: ${what}`, (t) => t.is(overStorageLimit(pod, used)?.message, message));

test('only pods that have a limit are measured', (t) => {
  t.deepEqual([limited('1Mi'), limited(undefined, volume('1Mi')), limited(undefined, volume('1Mi', 'Memory')), limited(undefined, volume('0')), limited(undefined)].map(hasStorageLimit), [true, true, false, false, false]);
});
