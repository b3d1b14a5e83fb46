import { ageColumn, column, nameColumn, workloadColumns } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { preparePodTemplateSpec } from '../../prepare/pod-spec.ts';
import { validateDependencies } from '../../rollout-annotations.ts';
import { as, int32, int64, intOrString, list, object, oneOf, string, time, type Static } from '../../schema.ts';
import { labelsText } from '../../table-cells.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { PodTemplateSpec } from '../../types/pod-spec.ts';
import { validateDaemonSetSpec } from '../../validation/daemon-set.ts';
import { validateCollisionCount } from '../../validation/workload.ts';
import { warnWorkload } from '../../warnings/pod.ts';

export const RollingUpdateDaemonSet = object('apps.v1.RollingUpdateDaemonSet', 'How the pods are replaced node by node.', {
  maxSurge: intOrString('On how many nodes the new pod may run beside the old one, as a number or a percentage rounded up.', { default: 0 }),
  maxUnavailable: intOrString('On how many nodes the pod may be missing meanwhile, as a number or a percentage rounded up.', { default: 1 }),
});
export type RollingUpdateDaemonSet = Static<typeof RollingUpdateDaemonSet>;

export const DaemonSetUpdateStrategy = object('apps.v1.DaemonSetUpdateStrategy', 'How old pods are replaced by new ones.', {
  rollingUpdate: as(RollingUpdateDaemonSet, 'Settings for type RollingUpdate.'),
  type: oneOf(['OnDelete', 'RollingUpdate'], 'OnDelete waits until somebody deletes an old pod, RollingUpdate replaces them node by node.', { default: 'RollingUpdate' }),
});
export type DaemonSetUpdateStrategy = Static<typeof DaemonSetUpdateStrategy>;

export const DaemonSetSpec = object('apps.v1.DaemonSetSpec', 'What a DaemonSet is to keep running.', {
  minReadySeconds: int32('Seconds that a pod must be ready before it counts as available.', { minimum: 0 }),
  revisionHistoryLimit: int32('How many old templates are kept for going back.', { default: 10, minimum: 0 }),
  selector: as(LabelSelector, 'Labels of the pods that belong to the DaemonSet; cannot be changed.'),
  template: as(PodTemplateSpec, 'The pod that runs on each node that it fits.', { 'x-barge-default-object': true }),
  updateStrategy: as(DaemonSetUpdateStrategy, 'How old pods are replaced by new ones.', { 'x-barge-default-object': true }),
}, ['selector', 'template']);
export type DaemonSetSpec = Static<typeof DaemonSetSpec>;

export const DaemonSetCondition = object('apps.v1.DaemonSetCondition', 'One aspect of the state of a DaemonSet.', {
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect.'),
}, ['status', 'type']);
export type DaemonSetCondition = Static<typeof DaemonSetCondition>;

export const DaemonSetStatus = object('apps.v1.DaemonSetStatus', 'How a DaemonSet is.', {
  collisionCount: int32('How often the hash of the template met the name of another ControllerRevision.', { minimum: 0 }),
  conditions: list(DaemonSetCondition, "Aspects of the DaemonSet's state.", { mapKeys: ['type'], mergeKey: 'type' }),
  currentNumberScheduled: int32('Nodes that run the pod and should.', { minimum: 0 }),
  desiredNumberScheduled: int32('Nodes that should run the pod.', { minimum: 0 }),
  numberAvailable: int32('Nodes on which the pod has been ready for minReadySeconds.', { minimum: 0 }),
  numberMisscheduled: int32('Nodes that run the pod and should not.', { minimum: 0 }),
  numberReady: int32('Nodes on which the pod is ready.', { minimum: 0 }),
  numberUnavailable: int32('Nodes that should run the pod and on which it is not available.', { minimum: 0 }),
  observedGeneration: int64('Generation of the DaemonSet that the controller has seen.', { minimum: 0 }),
  updatedNumberScheduled: int32('Nodes that run the pod of the present template.', { minimum: 0 }),
}, ['currentNumberScheduled', 'desiredNumberScheduled', 'numberMisscheduled', 'numberReady']);
export type DaemonSetStatus = Static<typeof DaemonSetStatus>;

const schema = topLevel('apps.v1.DaemonSet', 'Keeps one pod running on every node that it fits.', {
  spec: as(DaemonSetSpec, 'What is to run.', { 'x-barge-default-object': true }),
  status: as(DaemonSetStatus, 'How it is.'),
}, ['spec']);

export const DaemonSet = defineKind(schema, {
  group: 'apps', version: 'v1', kind: 'DaemonSet', plural: 'daemonsets', scope: 'Namespaced',
  shortNames: ['ds'],
  categories: ['all'],
  columns: [
    nameColumn,
    column('Desired', 'Nodes that should run the pod.', ({ status }) => status?.desiredNumberScheduled ?? 0, { type: 'integer' }),
    column('Current', 'Nodes that run the pod and should.', ({ status }) => status?.currentNumberScheduled ?? 0, { type: 'integer' }),
    column('Ready', 'Nodes on which the pod is ready.', ({ status }) => status?.numberReady ?? 0, { type: 'integer' }),
    column('Up-to-date', 'Nodes that run the pod of the present template.', ({ status }) => status?.updatedNumberScheduled ?? 0, { type: 'integer' }),
    column('Available', 'Nodes on which the pod has been ready for long enough.', ({ status }) => status?.numberAvailable ?? 0, { type: 'integer' }),
    column('Node Selector', 'Labels that a node must have.', ({ spec }) => labelsText(spec.template.spec.nodeSelector)),
    ageColumn,
    ...workloadColumns,
  ],
  subresources: { status: true },
  initialStatus: () => ({ currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }),
  prepare: ({ spec }) => {
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') spec.updateStrategy.rollingUpdate = { maxSurge: 0, maxUnavailable: 1, ...spec.updateStrategy.rollingUpdate };
    preparePodTemplateSpec(spec.template.spec);
  },
  validate: ({ metadata, spec }, old) => [...validateDependencies('DaemonSet', metadata), ...validateDaemonSetSpec(spec, old?.spec)],
  validateStatus: ({ status }, old) => validateCollisionCount(status?.collisionCount, old.status?.collisionCount),
  warn: warnWorkload,
});
export type DaemonSet = BodyOf<typeof DaemonSet>;
