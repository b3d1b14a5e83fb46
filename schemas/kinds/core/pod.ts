import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { PodSpec } from '../../types/pod-spec.ts';
import { PodStatus } from '../../types/pod-status.ts';


const schema = topLevel('core.v1.Pod', '', {
  spec: PodSpec,
  status: PodStatus,
});

export const Pod = defineKind(schema, {
  group: '', version: 'v1', kind: 'Pod', plural: 'pods', scope: 'Namespaced',
  shortNames: ['po'],
  categories: ['all'],
  subresources: { status: true },
  columns: [],
});
export type Pod = BodyOf<typeof Pod>;
