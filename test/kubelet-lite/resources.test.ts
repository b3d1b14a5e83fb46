import test from 'ava';
import { recordedAllocation, whyPending, withAllocation } from '../../kubelet-lite/resources/allocation.ts';
import { cgroupLimits, changedResources, resourcesInForce } from '../../kubelet-lite/resources/cgroup-limits.ts';
import type { CgroupLimits } from '../../kubelet-lite/runtime/runtime.ts';
import { readAmounts } from '../../schemas/resource-amounts.ts';
import type { ResourceRequirements } from '../../schemas/types/resources.ts';
import { podOf } from './views.ts';

const mebibytes = (count: number): number => count * 2 ** 20;

const translations: readonly (readonly [resources: ResourceRequirements | undefined, limits: CgroupLimits])[] = [
  [undefined, { cpuShares: 2, cpuQuotaMicros: 0, memoryBytes: 0 }],
  [{ requests: { cpu: '1', memory: '1Gi' } }, { cpuShares: 1024, cpuQuotaMicros: 0, memoryBytes: 0 }],
  [{ limits: { cpu: '250m', memory: '64Mi' } }, { cpuShares: 256, cpuQuotaMicros: 25_000, memoryBytes: mebibytes(64) }],
  [{ requests: { cpu: '1m' }, limits: { cpu: '1m' } }, { cpuShares: 2, cpuQuotaMicros: 1_000, memoryBytes: 0 }],
];

for (const [resources, limits] of translations) {
  test(`to the kernel: ${JSON.stringify(resources)}`, (t) => {
    t.deepEqual(cgroupLimits(resources), limits);
    t.deepEqual(resourcesInForce(resources ?? {}, limits), resources ?? {}, 'and what is in force is told in the words of the spec');
  });
}

test('what the kernel has otherwise is told as the kernel has it', (t) => {
  const allocated = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi', 'example.com/gpu': '1' } };
  t.deepEqual(resourcesInForce(allocated, { cpuShares: 512, cpuQuotaMicros: 100_000, memoryBytes: mebibytes(512) }), { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '512Mi', 'example.com/gpu': '1' } });
  t.deepEqual(resourcesInForce({ limits: { memory: '1Gi' } }, { cpuShares: 2, cpuQuotaMicros: 0, memoryBytes: 0 }), {});
  t.deepEqual(resourcesInForce(allocated, { cpuShares: 1024, cpuQuotaMicros: 0, memoryBytes: 0 }), { requests: { cpu: '1', memory: '1Gi' }, limits: { 'example.com/gpu': '1' } });
});

test('a limit that is not wanted any more is no change', (t) => {
  const has = { cpuShares: 100, cpuQuotaMicros: 5_000, memoryBytes: mebibytes(64) };
  t.deepEqual(changedResources({ cpuShares: 100, cpuQuotaMicros: 0, memoryBytes: 0 }, has), []);
  t.deepEqual(changedResources({ cpuShares: 100, cpuQuotaMicros: 6_000, memoryBytes: mebibytes(32) }, has), ['cpu', 'memory']);
  t.deepEqual(changedResources({ cpuShares: 101, cpuQuotaMicros: 0, memoryBytes: 0 }, has), ['cpu']);
});

const room = { allocatable: { cpu: '4', memory: '8Gi' }, others: readAmounts({ cpu: '3', memory: '9Gi' }), has: readAmounts({ cpu: '500m', memory: '1Gi' }) };
const pendings: readonly (readonly [wanted: Record<string, string>, pending: string | undefined])[] = [
  [{ cpu: '1', memory: '1Gi' }, undefined],
  [{ cpu: '100m', memory: '512Mi' }, undefined],
  [{ cpu: '1001m', memory: '1Gi' }, "Deferred: Node didn't have enough resource: cpu, requested: 1001, used: 3000, capacity: 4000"],
  [{ cpu: '500m', memory: '1025Mi' }, "Deferred: Node didn't have enough resource: memory, requested: 1074790400, used: 9663676416, capacity: 8589934592"],
  [{ cpu: '4001m', memory: '1025Mi' }, "Infeasible: Node didn't have enough capacity: cpu, requested: 4001, capacity: 4000"],
  [{ cpu: '500m', memory: '9Gi' }, "Infeasible: Node didn't have enough capacity: memory, requested: 9663676416, capacity: 8589934592"],
];

for (const [wanted, pending] of pendings) {
  test(`more of a full node: ${JSON.stringify(wanted)}`, (t) => {
    const why = whyPending(readAmounts(wanted), room);
    t.is(why === undefined ? undefined : `${why.reason}: ${why.message}`, pending);
  });
}

test('an agent goes on from what the status tells that a pod was given', (t) => {
  const containers = [{ name: 'a', image: 'i', resources: { requests: { cpu: '2', 'example.com/gpu': '1' }, limits: { memory: '1Gi', 'example.com/gpu': '1' } } }, { name: 'b', image: 'i' }];
  const status = (name: string, resources: ResourceRequirements) => ({ name, image: '', imageID: '', ready: true, restartCount: 0, resources });
  const pod = podOf({ containers }, { status: { containerStatuses: [status('a', { requests: { cpu: '1' } }), status('b', {})] } });
  const applied = withAllocation(pod, recordedAllocation(pod));
  t.deepEqual(applied.spec.containers[0]?.resources, { requests: { cpu: '1', 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } });
  t.is(applied.spec.containers[1], pod.spec.containers[1]);
  const fresh = podOf({ containers });
  t.is(withAllocation(fresh, recordedAllocation(fresh)), fresh, 'a pod that is new on the node has what it asks for');
});
