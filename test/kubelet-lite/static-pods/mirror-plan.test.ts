import test from 'ava';
import { mirrorOf, mirrorStatus, planMirrors, type MirrorStep } from '../../../kubelet-lite/static-pods/mirror-plan.ts';
import type { Node } from '../../../schemas/kinds/core/node.ts';
import type { Pod } from '../../../schemas/kinds/core/pod.ts';
import { podOf } from '../views.ts';

const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'node-1' } } as Node;
const own = (hash: string, extra: Partial<Pod['metadata']> = {}): Pod => podOf({ nodeName: 'n1' }, { metadata: { name: 'web-n1', uid: hash, resourceVersion: '1', annotations: { 'kubernetes.io/config.hash': hash }, ...extra }, status: { phase: 'Running' } });
const shown = (pod: Pod, extra: Partial<Pod['metadata']> = {}, status: Pod['status'] = { phase: 'Running' }): Pod => {
  const made = mirrorOf(pod, node);
  return { ...made, metadata: { ...made.metadata, uid: 'mirror', ...extra }, status };
};
const brief = (step: MirrorStep): string => `${step.do} ${step.do === 'delete' ? step.mirror.metadata.uid : step.pod.metadata.uid}`;

const rows: readonly (readonly [name: string, statics: readonly Pod[], mirrors: readonly Pod[], steps: readonly string[], node?: Node | undefined])[] = [
  ['a pod that is not shown', [own('a')], [], ['create a'], node],
  ['nobody could own it', [own('a')], [], [], undefined],
  ['one that is shown as it is', [own('a')], [shown(own('a'))], [], node],
  ['one that has another status', [own('a')], [shown(own('a'), {}, { phase: 'Pending' })], ['tell a'], node],
  ['one whose mirror somebody deletes: the picture goes at once, and a new one comes when it has gone', [own('a')], [shown(own('a'), { deletionTimestamp: '2026-01-01T00:00:00Z' })], ['delete mirror'], node],
  ['one with another content', [own('b')], [shown(own('a'))], ['delete mirror'], node],
  ['one whose node was made anew', [own('a')], [shown(own('a'))], ['delete mirror'], { ...node, metadata: { ...node.metadata, uid: 'node-2' } }],
  ['while the node is not known, nothing is said of its owner', [own('a')], [shown(own('a'))], [], undefined],
  ['a mirror of nothing', [], [shown(own('a'))], ['delete mirror'], node],
  ['a forged one', [own('a')], [shown(own('a')), shown(own('x', { name: 'forged' }), { uid: 'forged', ownerReferences: [] })], ['delete forged'], node],
  ['a pod that leaves keeps its picture', [own('a', { deletionTimestamp: '2026-01-01T00:00:00Z' })], [shown(own('a'))], [], node],
  ['and gets no new one', [own('a', { deletionTimestamp: '2026-01-01T00:00:00Z' })], [], [], node],
];
for (const [name, statics, mirrors, steps, itself] of rows) test(name, (t) => t.deepEqual(planMirrors({ statics, mirrors, node: itself }).map(brief), steps));

test('a mirror is owned by its node, and has nothing that only the agent knows', (t) => {
  t.deepEqual(mirrorOf(own('a'), node).metadata, {
    name: 'web-n1', namespace: 'default', annotations: { 'kubernetes.io/config.hash': 'a', 'kubernetes.io/config.mirror': 'a' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'node-1', controller: true }],
  });
});

test('conditions that others wrote of a mirror stay', (t) => {
  const pod = { ...own('a'), status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } } as Pod;
  const mirror = shown(own('a'), {}, { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }, { type: 'example.com/seen', status: 'True' }] });
  t.deepEqual(mirrorStatus(pod, mirror).conditions, [{ type: 'Ready', status: 'True' }, { type: 'example.com/seen', status: 'True' }]);
  t.deepEqual(planMirrors({ statics: [pod], mirrors: [{ ...mirror, status: mirrorStatus(pod, mirror) }], node }), [], 'a second look has nothing to do');
});
