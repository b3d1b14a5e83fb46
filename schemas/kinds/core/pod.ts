import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as } from '../../schema.ts';
import { PodSpec } from '../../types/pod-spec.ts';
import { PodStatus } from '../../types/pod-status.ts';

const schema = topLevel('core.v1.Pod', 'A group of containers that share a network and volumes and run on one node.', {
  spec: as(PodSpec, 'What the pod is to be.', { 'x-barge-default-object': true }),
  status: as(PodStatus, 'How the pod is.'),
}, ['spec']);

export const Pod = defineKind(schema, {
  group: '', version: 'v1', kind: 'Pod', plural: 'pods', scope: 'Namespaced',
  shortNames: ['po'],
  categories: ['all'],
  subresources: { status: true },
  columns: [],
});
export type Pod = BodyOf<typeof Pod>;
