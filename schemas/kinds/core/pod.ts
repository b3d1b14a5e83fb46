import { podColumns } from '../../columns/pod-columns.ts';
import { graceSecondsOf } from '../../grace.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { generatePodAffinity } from '../../prepare/pod-affinity.ts';
import { preparePodSpec } from '../../prepare/pod-spec.ts';
import { qosClassOf } from '../../qos-class.ts';
import { as } from '../../schema.ts';
import { PodSpec } from '../../types/pod-spec.ts';
import { PodStatus } from '../../types/pod-status.ts';
import { validateNewPod, validatePodStatus, validatePodUpdate } from '../../validation/pod.ts';
import { warnPod } from '../../warnings/pod.ts';

const schema = topLevel('core.v1.Pod', 'A group of containers that share a network and volumes and run on one node.', {
  spec: as(PodSpec, 'What the pod is to be.', { 'x-barge-default-object': true }),
  status: as(PodStatus, 'How the pod is.'),
}, ['spec']);

export const Pod = defineKind(schema, {
  group: '', version: 'v1', kind: 'Pod', plural: 'pods', scope: 'Namespaced',
  statusKeeps: ['ownerReferences'],
  shortNames: ['po'],
  categories: ['all'],
  fields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIP ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  columns: podColumns,
  subresources: {
    status: true,
    special: {
      binding: { kind: 'Binding', verbs: ['create'] },
      eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
      ephemeralcontainers: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
      resize: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
      log: { kind: 'Pod', verbs: ['get'] },
      exec: { kind: 'PodExecOptions', verbs: ['create', 'get'] },
      attach: { kind: 'PodAttachOptions', verbs: ['create', 'get'] },
      portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
      proxy: { kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    },
  },
  initialStatus: ({ spec }) => ({ phase: 'Pending', qosClass: qosClassOf(spec) }),
  defaultGraceSeconds: ({ spec }) => graceSecondsOf(spec),
  moulded: true,
  prepare: ({ spec }) => preparePodSpec(spec),
  generate: generatePodAffinity,
  validate: (pod, old) => (old === undefined ? validateNewPod(pod) : validatePodUpdate(pod, old)),
  validateStatus: validatePodStatus,
  warn: warnPod,
});
export type Pod = BodyOf<typeof Pod>;
