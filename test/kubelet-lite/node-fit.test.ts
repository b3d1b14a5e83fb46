import test from 'ava';
import { whyDoesNotFit } from '../../kubelet-lite/admission/node-fit.ts';
import { allocatableOf } from '../../kubelet-lite/node-status.ts';
import { parseThresholds } from '../../kubelet-lite/pressure/thresholds.ts';
import { parseReserved } from '../../kubelet-lite/resources/reserved.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { podRequests } from '../../schemas/pod-resources.ts';
import { noAmounts, plus } from '../../schemas/resource-amounts.ts';
import { podOf } from './views.ts';

const made = (uid: string, spec: object = {}, { at = '2026-01-01T00:00:00Z', status = {} }: { readonly at?: string; readonly status?: object } = {}): Pod =>
  podOf(spec as Partial<Pod['spec']>, { metadata: { uid, creationTimestamp: at }, status } as never);

const asking = (requests: object): object => ({ containers: [{ name: 'a', image: 'i', resources: { requests } }] });
const listening = (...ports: readonly object[]): object => ({ containers: [{ name: 'a', image: 'i', ports }] });

const judged = (pod: Pod, pods: readonly Pod[] = []) => whyDoesNotFit(pod, {
  node: { name: 'n', labels: { disk: 'ssd' } }, allocatable: { cpu: '2', memory: '1Gi', pods: '3' }, pods: [...pods, pod],
  given: (some) => some.reduce((sum, { spec }) => plus(sum, podRequests(spec)), noAmounts),
})?.reason;

const port = { containerPort: 80, hostPort: 80 };
for (const [what, pod, others, reason] of [
  ['room enough', made('b', asking({ cpu: '1' })), [made('a', asking({ cpu: '1' }))], undefined],
  ['more than is left', made('b', asking({ cpu: '1' })), [made('a', asking({ cpu: '1001m' }))], 'OutOfcpu'],
  ['more than there is', made('b', asking({ memory: '2Gi' })), [], 'OutOfmemory'],
  ['what the node has not', made('b', asking({ 'hugepages-2Mi': '2Mi' })), [], 'OutOfhugepages-2Mi'],
  ['a device, of which others tell', made('b', asking({ 'example.com/gpu': '1' })), [], undefined],
  ['as many pods as it takes', made('d'), [made('a'), made('b')], undefined],
  ['one pod more', made('d'), [made('a'), made('b'), made('c')], 'OutOfpods'],
  ['a label that the node has', made('a', { nodeSelector: { disk: 'ssd' } }), [], undefined],
  ['one that it has not', made('a', { nodeSelector: { disk: 'hdd' } }), [], 'NodeAffinity'],
  ['a port that is taken', made('b', listening(port)), [made('a', listening(port))], 'NodePorts'],
  ['the same of another protocol', made('b', listening({ ...port, protocol: 'UDP' })), [made('a', listening(port))], undefined],
  ['the same at another address', made('b', listening({ ...port, hostIP: '10.0.0.1' })), [made('a', listening({ ...port, hostIP: '10.0.0.2' }))], undefined],
  ['of two that come at once the first', made('a', listening(port)), [made('b', listening(port))], undefined],
  ['one that runs goes before an older one', made('a', listening(port)), [made('b', listening(port), { status: { startTime: '2026-01-01T00:00:00Z' } })], 'NodePorts'],
  ['what the scheduler has bound', made('b', { ...asking({ cpu: '9' }), nodeSelector: { disk: 'hdd' } }, { status: { conditions: [{ type: 'PodScheduled', status: 'True' }] } }), [], undefined],
] as const) test(`a pod that names its node: ${what}`, (t) => t.is(judged(pod, others), reason));

test('allocatable is the capacity less what is kept and what eviction keeps free', (t) => {
  const capacity = { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi', pods: '110' };
  t.deepEqual(allocatableOf(capacity, { reserved: [], thresholds: [] }), capacity);
  t.deepEqual(allocatableOf(capacity, { reserved: [parseReserved('cpu=500m,memory=1Gi'), parseReserved('ephemeral-storage=5Gi,cpu=0')], thresholds: parseThresholds('memory.available<100Mi,nodefs.available<5%,imagefs.available<50%') }),
    { cpu: '3500m', memory: '7068Mi', 'ephemeral-storage': '90Gi', pods: '110' });
  t.is(allocatableOf(capacity, { reserved: [{ cpu: '9' }], thresholds: [] })['cpu'], '0', 'never below nothing');
});

for (const [text, message] of [
  ['cpu', /"cpu" must be a resource, "=" and an amount/], ['pid=100', /"pid" is no resource that can be kept; there are: cpu, memory, ephemeral-storage/],
  ['cpu=much', /much must be a quantity/], ['cpu=-1', /-1 must be a quantity/], ['cpu=1,cpu=2', /cpu is there twice/],
] as const) test(`what is kept: ${text}`, (t) => { t.throws(() => parseReserved(text), { message }); });
