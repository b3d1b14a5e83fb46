import type { ApiObject, BodyOf } from '../../schemas/kind.ts';
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { selectorOf } from '../pods-of.ts';
import { revisionAnnotation } from '../rollout-revisions.ts';
import { related, type Describer } from './describer.ts';
import { Page, shownAnnotations, shownTime } from './page.ts';
import { addPodTemplate } from './pod-template.ts';

const head = ({ metadata }: ApiObject): Page => new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace);

const conditionLines = (page: Page, conditions: readonly { readonly type: string; readonly status: string; readonly reason?: string | undefined }[] | undefined): void => {
  if (conditions === undefined || conditions.length === 0) return;
  page.line(0, 'Conditions:').line(1, 'Type\tStatus\tReason').line(1, '----\t------\t------');
  for (const { type, status, reason } of conditions) page.line(1, `${type} \t${status}\t${reason ?? ''}`);
};

export const deployment: Describer<BodyOf<typeof Deployment>> = async (object, context) => {
  const { metadata, spec, status } = object;
  const page = head(object).field(0, 'CreationTimestamp', shownTime(metadata.creationTimestamp))
    .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ')
    .field(0, 'Selector', selectorOf(object) ?? '<none>')
    .line(0, `Replicas:\t${spec?.replicas ?? 1} desired | ${status?.updatedReplicas ?? 0} updated | ${status?.replicas ?? 0} total | ${status?.availableReplicas ?? 0} available | ${status?.unavailableReplicas ?? 0} unavailable`)
    .field(0, 'StrategyType', spec?.strategy?.type).field(0, 'MinReadySeconds', spec?.minReadySeconds ?? 0);
  const rolling = spec?.strategy?.rollingUpdate;
  if (rolling !== undefined) page.field(0, 'RollingUpdateStrategy', `${rolling.maxUnavailable ?? '25%'} max unavailable, ${rolling.maxSurge ?? '25%'} max surge`);
  addPodTemplate(page, spec?.template);
  conditionLines(page, status?.conditions);
  const sets = (await related<BodyOf<typeof ReplicaSet>>(context, 'replicasets.apps', { namespace: metadata.namespace, labelSelector: selectorOf(object) }))
    .filter((one) => one.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid));
  const newest = metadata.annotations?.[revisionAnnotation];
  const line = (one: BodyOf<typeof ReplicaSet>): string => `${one.metadata.name} (${one.status?.replicas ?? 0}/${one.spec?.replicas ?? 0} replicas created)`;
  const isNew = (one: BodyOf<typeof ReplicaSet>): boolean => newest !== undefined && one.metadata.annotations?.[revisionAnnotation] === newest;
  if (sets.length === 0) return page;
  page.field(0, 'OldReplicaSets', sets.filter((one) => !isNew(one)).map(line).join(', ') || '<none>');
  page.field(0, 'NewReplicaSet', sets.filter(isNew).map(line).join(', ') || '<none>');
  return page;
};

export const replicaSet: Describer<BodyOf<typeof ReplicaSet>> = async (object, context) => {
  const { metadata, spec, status } = object;
  const page = head(object).field(0, 'Selector', selectorOf(object) ?? '<none>')
    .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ');
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller !== undefined) page.field(0, 'Controlled By', `${controller.kind}/${controller.name}`);
  page.field(0, 'Replicas', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired`);
  const pods = (await related<BodyOf<typeof Pod>>(context, 'pods', { namespace: metadata.namespace, labelSelector: selectorOf(object) }))
    .filter((pod) => pod.metadata.ownerReferences?.some(({ uid, controller: controls }) => uid === metadata.uid && controls === true));
  const count = (phase: string): number => pods.filter((pod) => (pod.status?.phase ?? 'Pending') === phase).length;
  page.field(0, 'Pods Status', `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`);
  addPodTemplate(page, spec?.template);
  conditionLines(page, status?.conditions);
  return page;
};
