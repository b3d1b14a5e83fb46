/** Workloads, jobs, volumes, quotas, autoscalers and budgets: what is filled in, printed and refused. */
import test from 'ava';
import { parseCron, whyNotTimeZone } from '../../schemas/cron.ts';
import { apiVersionOf, type AnyKind, type ApiObject } from '../../schemas/kind.ts';
import { ControllerRevision } from '../../schemas/kinds/apps/controller-revision.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { HorizontalPodAutoscalerV1 } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler-v1.ts';
import { HorizontalPodAutoscaler } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { CronJob } from '../../schemas/kinds/batch/cron-job.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { ComponentStatus } from '../../schemas/kinds/core/component-status.ts';
import { LimitRange } from '../../schemas/kinds/core/limit-range.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { PodTemplate } from '../../schemas/kinds/core/pod-template.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { PodDisruptionBudget } from '../../schemas/kinds/policy/pod-disruption-budget.ts';
import { validateStatus } from '../../schemas/validate.ts';
import { whyNotIndexes } from '../../schemas/validation/job.ts';
import { testApi } from '../helpers/api.ts';
import { stored, testFaults, type Json } from '../helpers/object-faults.ts';

const nowMs = Date.parse('2026-01-31T12:00:00Z');
const ago = (seconds: number): string => `${new Date(nowMs - seconds * 1000).toISOString().slice(0, 19)}Z`;

const cells = (kind: AnyKind, body: Json): readonly unknown[] => {
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...body, metadata: { name: 'x', namespace: 'ns', creationTimestamp: ago(300), ...(body['metadata'] as object | undefined) } };
  return kind.columns.map((column) => column.cell(object, nowMs));
};

const members = (object: ApiObject): Json & { spec: Json; status: Json } => object as never;

const container = { name: 'a', image: 'a:1' };
const template = (more: Json = {}, labels: Json = { app: 'x' }): Json => ({ metadata: { labels }, spec: { containers: [container], ...more } });
const workload = (more: Json = {}): Json => ({ spec: { selector: { matchLabels: { app: 'x' } }, template: template(), ...more } });

test('columns are those of kubectl', (t) => {
  const headers = (kind: AnyKind): string => kind.columns.map((column) => `${column.name}${column.priority === 1 ? '*' : ''}${column.type === 'string' ? '' : `:${column.type}`}`).join(', ');
  t.is(headers(StatefulSet), 'Name, Ready, Age, Containers*, Images*');
  t.is(headers(DaemonSet), 'Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, Node Selector, Age, Containers*, Images*, Selector*');
  t.is(headers(ControllerRevision), 'Name, Controller, Revision, Age');
  t.is(headers(ReplicationController), 'Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*');
  t.is(headers(PodTemplate), 'Name, Containers, Images, Pod Labels');
  t.is(headers(Job), 'Name, Status, Completions, Duration, Age, Containers*, Images*, Selector*');
  t.is(headers(CronJob), 'Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, Containers*, Images*, Selector*');
  t.is(headers(PersistentVolume), 'Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age, VolumeMode*');
  t.is(headers(PersistentVolumeClaim), 'Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode*');
  t.is(headers(LimitRange), 'Name, Created At:date');
  t.is(headers(ResourceQuota), 'Name, Age, Request, Limit');
  t.is(headers(ComponentStatus), 'Name, Status, Message, Error');
  t.is(headers(PodDisruptionBudget), 'Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age');
  for (const kind of [HorizontalPodAutoscaler, HorizontalPodAutoscalerV1]) t.is(headers(kind), 'Name, Reference, Targets, MinPods, MaxPods, Replicas, Age');
});

test('cells', (t) => {
  t.deepEqual(cells(StatefulSet, { ...workload({ replicas: 3 }), status: { readyReplicas: 2 } }), ['x', '2/3', '5m', 'a', 'a:1']);
  t.deepEqual(cells(DaemonSet, { ...workload({ template: template({ nodeSelector: { b: '2', a: '1' } }) }), status: { desiredNumberScheduled: 5, currentNumberScheduled: 4, numberReady: 3, updatedNumberScheduled: 2, numberAvailable: 1 } }).slice(0, 7), ['x', 5, 4, 3, 2, 1, 'a=1,b=2']);
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u', controller: true };
  t.deepEqual(cells(ControllerRevision, { revision: 7, metadata: { ownerReferences: [owner] } }), ['x', 'statefulset.apps/web', '7', '5m']);
  t.is(cells(ControllerRevision, { revision: 7 })[1], '<none>');
  t.deepEqual(cells(ReplicationController, { spec: { replicas: 3, selector: { app: 'x' }, template: template() }, status: { replicas: 2, readyReplicas: 1 } }), ['x', 3, 2, 1, '5m', 'a', 'a:1', 'app=x']);
  t.deepEqual(cells(PodTemplate, { template: template() }), ['x', 'a', 'a:1', 'app=x']);
  const schedule = { schedule: '* * * * *', suspend: true, jobTemplate: { spec: { template: template() } } };
  t.deepEqual(cells(CronJob, { spec: schedule, status: { active: [{}], lastScheduleTime: ago(30) } }), ['x', '* * * * *', '<none>', 'True', 1, '30s', '5m', 'a', 'a:1', '<none>']);
  t.deepEqual(cells(PersistentVolume, { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Retain', claimRef: { namespace: 'ns', name: 'c' }, storageClassName: 'fast', volumeMode: 'Filesystem' }, status: { phase: 'Bound', reason: 'r' } }),
    ['x', '1Gi', 'RWO,RWX', 'Retain', 'Bound', 'ns/c', 'fast', '<unset>', 'r', '5m', 'Filesystem']);
  const bound = { spec: { volumeName: 'v', accessModes: ['ReadWriteOnce'] }, status: { phase: 'Bound', capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] } };
  t.deepEqual(cells(PersistentVolumeClaim, bound), ['x', 'Bound', 'v', '2Gi', 'ROX,RWOP', '', '<unset>', '5m', '<unset>']);
  t.deepEqual(cells(PersistentVolumeClaim, { metadata: { deletionTimestamp: ago(1) }, spec: {}, status: { phase: 'Pending' } }).slice(1, 5), ['Terminating', '', '', '']);
  t.deepEqual(cells(ResourceQuota, { status: { hard: { 'pods': '10', 'limits.cpu': '4', 'cpu': '2' }, used: { pods: '3' } } }), ['x', '5m', 'cpu: 0/2, pods: 3/10', 'limits.cpu: 0/4']);
  t.deepEqual(cells(LimitRange, {}), ['x', ago(300)]);
  t.deepEqual(cells(PodDisruptionBudget, { spec: { maxUnavailable: '50%' }, status: { disruptionsAllowed: 2 } }), ['x', 'N/A', '50%', 2, '5m']);
  t.deepEqual(cells(ComponentStatus, { conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] }), ['x', 'Healthy', 'ok', '']);
});

test('cells of jobs', (t) => {
  const job = (status: Json, spec: Json = { completions: 5 }, metadata: Json = {}): readonly unknown[] => cells(Job, { metadata, spec: { ...spec, template: template() }, status }).slice(1, 4);
  t.deepEqual(job({}), ['Running', '0/5', '']);
  t.deepEqual(job({ succeeded: 2, startTime: ago(90) }), ['Running', '2/5', '90s']);
  t.deepEqual(job({ succeeded: 5, startTime: ago(90), completionTime: ago(80), conditions: [{ type: 'Complete', status: 'True' }] }), ['Complete', '5/5', '10s']);
  t.is(job({ conditions: [{ type: 'Failed', status: 'True' }] })[0], 'Failed');
  t.is(job({ conditions: [{ type: 'Suspended', status: 'True' }] }, {}, { deletionTimestamp: ago(1) })[0], 'Terminating');
  t.is(job({ conditions: [{ type: 'Suspended', status: 'True' }] })[0], 'Suspended');
  t.is(job({ conditions: [{ type: 'Complete', status: 'False' }] })[0], 'Running');
  t.is(job({}, { parallelism: 3 })[1], '0/1 of 3');
  t.is(job({}, { parallelism: 1 })[1], '0/1');
});

test('cells of autoscalers, in both forms', (t) => {
  const scaleTargetRef = { kind: 'Deployment', name: 'web' };
  const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } };
  const memory = { type: 'ContainerResource', containerResource: { name: 'memory', container: 'c', target: { type: 'AverageValue', averageValue: '1Gi' } } };
  const external = { type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '3' } } };
  const hpa = (metrics: readonly object[], currentMetrics: readonly object[] = []): unknown => cells(HorizontalPodAutoscaler, { spec: { scaleTargetRef, maxReplicas: 5, metrics }, status: { currentMetrics, desiredReplicas: 0 } })[2];
  t.is(hpa([]), '<none>');
  t.is(hpa([cpu]), 'cpu: <unknown>/80%');
  t.is(hpa([cpu, memory], [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 12 } } }, { type: 'ContainerResource', containerResource: { name: 'memory', container: 'c', current: { averageValue: '5Mi' } } }]), 'cpu: 12%/80%, memory: 5Mi/1Gi');
  t.is(hpa([external, { type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '2' } } }, cpu]), '<unknown>/3, <unknown>/2 + 1 more...');
  t.is(hpa([{ type: 'Object', object: { metric: { name: 'm' }, describedObject: scaleTargetRef, target: { type: 'AverageValue', averageValue: '2' } } }]), '<unknown>/2 (avg)');
  t.deepEqual(cells(HorizontalPodAutoscalerV1, { spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 60 }, status: { currentReplicas: 3, desiredReplicas: 3, currentCPUUtilizationPercentage: 7 } }),
    ['x', 'Deployment/web', 'cpu: 7%/60%', '2', 5, 3, '5m']);
});

test('defaults are those of Kubernetes', (t) => {
  t.like(members(stored(StatefulSet, workload({ volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: {} }] }))).spec, {
    replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    volumeClaimTemplates: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'd' }, spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
  });
  t.deepEqual(members(stored(StatefulSet, workload({ updateStrategy: { type: 'OnDelete' } }))).spec['updateStrategy'], { type: 'OnDelete' });
  t.like(members(stored(DaemonSet, workload())).spec, { revisionHistoryLimit: 10, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } });
  const job = members(stored(Job, { metadata: { uid: 'u' }, spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } } }));
  const labels = { 'job-name': 'x', 'batch.kubernetes.io/job-name': 'x', 'controller-uid': 'u', 'batch.kubernetes.io/controller-uid': 'u' };
  t.like(job.spec, {
    parallelism: 1, completions: 1, backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, manualSelector: false, podReplacementPolicy: 'TerminatingOrFailed',
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } }, template: { metadata: { labels } },
  });
  t.deepEqual((job['metadata'] as Json)['labels'], labels);
  const spec = (more: Json): Json => members(stored(Job, { metadata: { uid: 'u' }, spec: { template: template({ restartPolicy: 'Never' }), ...more } })).spec;
  t.like(spec({ parallelism: 3 }), { parallelism: 3, completions: undefined });
  t.is(spec({ backoffLimitPerIndex: 1 })['backoffLimit'], 2 ** 31 - 1);
  t.is(spec({ podFailurePolicy: { rules: [] } })['podReplacementPolicy'], 'Failed');
  t.deepEqual(spec({ manualSelector: true, selector: { matchLabels: { app: 'x' } } })['selector'], { matchLabels: { app: 'x' } });
  const cron = members(stored(CronJob, { spec: { schedule: '@daily', jobTemplate: { spec: { template: template() } } } })).spec;
  t.like(cron, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
  t.deepEqual(Object.keys((cron['jobTemplate'] as { spec: Json }).spec), ['template'], 'the Jobs get their defaults when they are made');
  t.like(members(stored(ReplicationController, { spec: { template: template() } })), { metadata: { labels: { app: 'x' } }, spec: { replicas: 1, selector: { app: 'x' } } });
  t.like(members(stored(PersistentVolume, { spec: {} })).spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
  const source = { kind: 'PersistentVolumeClaim', name: 'c' };
  t.like(members(stored(PersistentVolumeClaim, { spec: { dataSource: source } })).spec, { dataSourceRef: source });
  t.like(members(stored(PersistentVolumeClaim, { spec: { dataSourceRef: source } })).spec, { dataSource: source });
  t.is(members(stored(PersistentVolumeClaim, { spec: { dataSourceRef: { ...source, namespace: 'other' } } })).spec['dataSource'], undefined);
  t.like(members(stored(LimitRange, { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '1', memory: '1Mi' }, default: { memory: '2Mi' } }] } })).spec, {
    limits: [{ default: { cpu: '2', memory: '2Mi' }, defaultRequest: { cpu: '2', memory: '2Mi' } }],
  });
  const target = { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 3 };
  t.like(members(stored(HorizontalPodAutoscaler, { spec: target })).spec, { minReplicas: 1, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }], behavior: undefined });
  t.like(members(stored(HorizontalPodAutoscaler, { spec: { ...target, behavior: { scaleUp: { stabilizationWindowSeconds: 5 } } } })).spec, {
    behavior: { scaleUp: { stabilizationWindowSeconds: 5, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 4 }, { type: 'Percent', value: 100 }] }, scaleDown: { stabilizationWindowSeconds: undefined, selectPolicy: 'Max' } },
  });
});

testFaults(StatefulSet, {
  'a good one': [workload()],
  'nothing': [{}, 'required spec.selector', 'required spec.template.spec.containers'],
  'a selector that does not match': [workload({ selector: { matchLabels: { app: 'y' } } }), 'invalid spec.template.metadata.labels'],
  'amounts below zero': [workload({ replicas: -1, minReadySeconds: -1, revisionHistoryLimit: -1, ordinals: { start: -1 }, updateStrategy: { rollingUpdate: { partition: -1 } } }),
    'invalid spec.minReadySeconds', 'invalid spec.ordinals.start', 'invalid spec.replicas', 'invalid spec.revisionHistoryLimit', 'invalid spec.updateStrategy.rollingUpdate.partition'],
  'words that are none': [workload({ podManagementPolicy: 'a', updateStrategy: { type: 'b' }, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'c' } }),
    'unsupported spec.persistentVolumeClaimRetentionPolicy.whenDeleted', 'unsupported spec.podManagementPolicy', 'unsupported spec.updateStrategy.type'],
  'settings of another strategy': [workload({ updateStrategy: { type: 'OnDelete', rollingUpdate: {} } }), 'invalid spec.updateStrategy.rollingUpdate'],
  'claims that are mounted': [workload({ template: template({ containers: [{ ...container, volumeMounts: [{ name: 'd', mountPath: '/d' }] }] }), volumeClaimTemplates: [{ metadata: { name: 'd' } }] })],
  'claims without a good name': [workload({ volumeClaimTemplates: [{}, { metadata: { name: 'D' } }, { metadata: { name: 'd' } }, { metadata: { name: 'd' } }] }),
    'duplicate spec.volumeClaimTemplates[3].metadata.name', 'invalid spec.volumeClaimTemplates[1].metadata.name', 'required spec.volumeClaimTemplates[0].metadata.name'],
  'pods that end': [workload({ template: template({ restartPolicy: 'Never' }) }), 'unsupported spec.template.spec.restartPolicy'],
});

testFaults(StatefulSet, {
  'what may change': [workload({ replicas: 3, minReadySeconds: 5, ordinals: { start: 1 }, revisionHistoryLimit: 2, template: template({ hostNetwork: true }), updateStrategy: { type: 'OnDelete' }, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } })],
  'what may not': [workload({ serviceName: 'other', podManagementPolicy: 'Parallel' }), 'forbidden spec'],
}, workload());

testFaults(DaemonSet, {
  'a good one': [workload()],
  'surge and missing pods at once': [workload({ updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } }), 'invalid spec.updateStrategy.rollingUpdate.maxSurge'],
  'neither': [workload({ updateStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } }), 'required spec.updateStrategy.rollingUpdate.maxUnavailable'],
  'too much': [workload({ updateStrategy: { rollingUpdate: { maxUnavailable: '101%' } } }), 'invalid spec.updateStrategy.rollingUpdate.maxUnavailable'],
});
testFaults(DaemonSet, { 'its selector': [workload({ selector: { matchLabels: { app: 'x', b: 'c' } }, template: template({}, { app: 'x', b: 'c' }) }), 'invalid spec.selector'] }, workload());

testFaults(ControllerRevision, { 'no data': [{ revision: 1 }, 'required data'], 'no revision': [{ data: {} }, 'required revision'], 'below zero': [{ data: {}, revision: -1 }, 'invalid revision'] });
testFaults(ControllerRevision, { 'other data': [{ data: { a: 2 }, revision: 1 }, 'invalid data'], 'another number': [{ data: { a: 1 }, revision: 2 }] }, { data: { a: 1 }, revision: 1 });

testFaults(ReplicationController, {
  'no labels': [{ spec: { template: template({}, {}) } }, 'required spec.selector'],
  'a selector that does not match': [{ spec: { selector: { a: 'b' }, template: template() } }, 'invalid spec.template.metadata.labels'],
  'a bad selector': [{ spec: { selector: { 'a b': 'c' }, template: template() } }, 'invalid spec.selector'],
});
testFaults(PodTemplate, { 'no containers': [{}, 'required template.spec.containers'], 'ephemeral containers': [{ template: template({ ephemeralContainers: [{ name: 'e', image: 'e' }] }) }, 'forbidden template.spec.ephemeralContainers'] });

const job = (more: Json = {}, pod: Json = {}): Json => ({ metadata: { uid: 'u' }, spec: { template: { metadata: {}, spec: { restartPolicy: 'Never', containers: [container], ...pod } }, ...more } });
const indexed = (more: Json): Json => job({ completionMode: 'Indexed', completions: 3, ...more });
const rules = (...list: readonly Json[]): Json => job({ podFailurePolicy: { rules: list } });
const rule = 'spec.podFailurePolicy.rules[0]';

testFaults(Job, {
  'a good one': [job()],
  'pods that never end': [job({}, { restartPolicy: 'Always' }), 'required spec.template.spec.restartPolicy'],
  'amounts below zero': [job({ parallelism: -1, completions: -1, backoffLimit: -1, activeDeadlineSeconds: -1, ttlSecondsAfterFinished: -1 }),
    'invalid spec.activeDeadlineSeconds', 'invalid spec.backoffLimit', 'invalid spec.completions', 'invalid spec.parallelism', 'invalid spec.ttlSecondsAfterFinished'],
  'labels of another job': [{ metadata: { uid: 'u' }, spec: { template: template({ restartPolicy: 'Never' }, { 'job-name': 'y', 'controller-uid': 'v' }) } },
    'invalid spec.template.metadata.labels[controller-uid]', 'invalid spec.template.metadata.labels[job-name]'],
  'a selector of its own that was not asked for': [job({ selector: { matchLabels: { app: 'x' } } }), 'invalid spec.selector'],
  'no selector where one was promised': [job({ manualSelector: true }), 'required spec.selector'],
  'a selector that does not match': [job({ manualSelector: true, selector: { matchLabels: { a: 'b' } } }), 'invalid spec.template.metadata.labels'],
  'indexes without a number of completions': [{ ...job({ completionMode: 'Indexed', parallelism: 2 }) }, 'required spec.completions'],
  'too many at once': [indexed({ parallelism: 100_001 }), 'invalid spec.parallelism'],
  'limits for indexes that there are not': [job({ backoffLimitPerIndex: 1, maxFailedIndexes: 1 }), 'invalid spec.backoffLimitPerIndex', 'invalid spec.maxFailedIndexes'],
  'more failed indexes than there are': [indexed({ backoffLimitPerIndex: 1, maxFailedIndexes: 4 }), 'invalid spec.maxFailedIndexes'],
  'success without indexes': [job({ successPolicy: { rules: [{ succeededCount: 1 }] } }), 'invalid spec.successPolicy'],
  'success that cannot be': [indexed({ successPolicy: { rules: [{}, { succeededCount: 4 }, { succeededIndexes: '1-9' }, { succeededIndexes: '0,2' }] } }),
    'invalid spec.successPolicy.rules[1].succeededCount', 'invalid spec.successPolicy.rules[2].succeededIndexes', 'required spec.successPolicy.rules[0]'],
  'a controller without a domain': [job({ managedBy: 'me' }), 'invalid spec.managedBy'],
  'a failure policy with restarts': [job({ podFailurePolicy: { rules: [] } }, { restartPolicy: 'OnFailure' }), 'invalid spec.template.spec.restartPolicy'],
  'a failure policy with another replacement': [job({ podFailurePolicy: { rules: [] }, podReplacementPolicy: 'TerminatingOrFailed' }), 'unsupported spec.podReplacementPolicy'],
  'a rule without a condition': [rules({ action: 'Ignore' }), `invalid ${rule}`],
  'a rule with two': [rules({ action: 'Ignore', onExitCodes: { operator: 'In', values: [1] }, onPodConditions: [{ type: 'a' }] }), `invalid ${rule}`],
  'exit codes': [rules({ action: 'FailIndex', onExitCodes: { operator: 'In', values: [3, 0, 1], containerName: 'z' } }),
    `invalid ${rule}.action`, `invalid ${rule}.onExitCodes.containerName`, `invalid ${rule}.onExitCodes.values`, `invalid ${rule}.onExitCodes.values[1]`],
  'conditions': [rules({ action: 'Count', onPodConditions: [{ type: 'a b' }, { type: 'c', status: 'Maybe' }] }), `invalid ${rule}.onPodConditions[0].type`, `unsupported ${rule}.onPodConditions[1].status`],
});

const started = members(stored(Job, job()));
const again = (more: Json, pod: Json = {}): Json => {
  const copy = structuredClone(started) as unknown as Json & { spec: Json & { template: { spec: Json } } };
  Object.assign(copy.spec, more);
  Object.assign(copy.spec.template.spec, pod);
  return copy;
};
testFaults(Job, {
  'how many at once': [again({ parallelism: 7, suspend: true, backoffLimit: 1 })],
  'how many': [again({ completions: 4 }), 'invalid spec.completions'],
  'what it does': [again({ completionMode: 'Indexed', managedBy: 'example.com/me' }, { terminationGracePeriodSeconds: 1 }), 'invalid spec.completionMode', 'invalid spec.managedBy', 'invalid spec.template'],
  'its place while it runs': [again({}, { nodeSelector: { a: 'b' } }), 'invalid spec.template'],
}, started);
testFaults(Job, { 'its place while it is held back': [again({ suspend: true }, { nodeSelector: { a: 'b' } })] }, again({ suspend: true }));
testFaults(Job, { 'both numbers of an indexed job': [again({ completionMode: 'Indexed', completions: 4, parallelism: 4 })], 'one of them': [again({ completionMode: 'Indexed', completions: 4, parallelism: 3 }), 'invalid spec.completions'] },
  again({ completionMode: 'Indexed', completions: 3, parallelism: 3 }));

test('a job cannot have ended in two ways', (t) => {
  const old = stored(Job, job());
  const fields = (status: Json): readonly string[] => validateStatus(Job, { ...old, status } as unknown as ApiObject, old).map(({ field }) => field);
  t.deepEqual(fields({ conditions: [{ type: 'Complete', status: 'True' }, { type: 'Failed', status: 'True' }] }), ['status.conditions']);
  t.deepEqual(fields({ completionTime: ago(1) }), ['status.completionTime']);
  t.deepEqual(fields({ uncountedTerminatedPods: { failed: ['a'], succeeded: ['b', 'a'] } }), ['status.uncountedTerminatedPods.succeeded[1]']);
  t.deepEqual(fields({ active: 1, ready: 1, startTime: ago(5) }), []);
});

const cron = (more: Json = {}, jobSpec: Json = {}): Json => ({ spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: template({ restartPolicy: 'OnFailure' }), ...jobSpec } }, ...more } });
testFaults(CronJob, {
  'a good one': [cron({ timeZone: 'Europe/Paris' })],
  'nothing': [{}, 'required spec.jobTemplate.spec.template.spec.containers', 'required spec.jobTemplate.spec.template.spec.restartPolicy', 'required spec.schedule'],
  'a bad schedule': [cron({ schedule: '* * *' }), 'invalid spec.schedule'],
  'a zone in the schedule': [cron({ schedule: 'TZ=UTC 0 * * * *' }), 'invalid spec.schedule'],
  'zones': [cron({ timeZone: 'Mars/Base' }), 'invalid spec.timeZone'],
  'a long name': [{ ...cron(), metadata: { name: 'x'.repeat(53) } }, 'invalid metadata.name'],
  'a selector': [cron({}, { selector: {}, manualSelector: true }), 'invalid spec.jobTemplate.spec.selector', 'unsupported spec.jobTemplate.spec.manualSelector'],
  'amounts and words': [cron({ concurrencyPolicy: 'Maybe', startingDeadlineSeconds: -1, successfulJobsHistoryLimit: -1, failedJobsHistoryLimit: -1 }),
    'invalid spec.failedJobsHistoryLimit', 'invalid spec.startingDeadlineSeconds', 'invalid spec.successfulJobsHistoryLimit', 'unsupported spec.concurrencyPolicy'],
});

test('schedules', (t) => {
  const read = (text: string): unknown => {
    const schedule = parseCron(text);
    if (typeof schedule === 'string') return schedule;
    if ('everyMs' in schedule) return schedule.everyMs;
    const { minutes, hours, days, months, weekdays } = schedule;
    return [[...minutes], [...hours], days.size, months.size, [...weekdays]];
  };
  t.deepEqual(read('*/20 1-3 * * 1,sun'), [[0, 20, 40], [1, 2, 3], 31, 12, [1, 0]]);
  t.deepEqual(read('5/30 0 1 JAN-mar ?'), [[5, 35], [0], 1, 3, [0, 1, 2, 3, 4, 5, 6]]);
  t.deepEqual(read('@weekly'), [[0], [0], 31, 12, [0]]);
  t.is(read('@every 1h30m'), 5_400_000);
  t.is(read('@every 100ms'), 1_000);
  const either = (text: string): unknown => (parseCron(text) as { eitherDay?: boolean }).eitherDay;
  t.deepEqual(['0 0 1 * 1', '0 0 * * 1', '0 0 */2 * 1', '0 0 1 * ?'].map(either), [true, false, true, false]);
  for (const bad of ['', '* * * *', '* * * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 7', '*/0 * * * *', '5-1 * * * *', '*-3 * * * *', '1-2-3 * * * *', 'a * * * *', '@reboot', '@every', '@every 5', '* * * foo *']) t.is(typeof read(bad), 'string', bad);
});

test('time zones', (t) => {
  for (const name of ['UTC', 'Europe/Paris', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5']) t.is(whyNotTimeZone(name), undefined, name);
  for (const name of ['', 'Local', 'local', 'Mars/Base', '+01:00', '../etc/passwd']) t.is(typeof whyNotTimeZone(name), 'string', name);
});

test('indexes of a job', (t) => {
  for (const good of ['0', '0,2-4', '1-1,3']) t.is(whyNotIndexes(good, 5), undefined, good);
  for (const bad of ['', 'a', '1,', '3-1', '1,1', '2-3,3', '5', '1-2-3']) t.is(typeof whyNotIndexes(bad, 5), 'string', bad);
});

const volume = (more: Json = {}): Json => ({ spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' }, ...more } });
testFaults(PersistentVolume, {
  'a good one': [volume()],
  'nothing': [{}, 'required spec', 'required spec.accessModes', 'required spec.capacity'],
  'two sources': [volume({ nfs: { server: 's', path: '/p' } }), 'forbidden spec.nfs'],
  'modes and sizes': [volume({ accessModes: ['ReadWriteOncePod', 'Often'], capacity: { storage: '0', cpu: '1' } }), 'forbidden spec.accessModes', 'invalid spec.capacity[storage]', 'unsupported spec.accessModes', 'unsupported spec.capacity'],
  'recycling the root': [volume({ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }), 'forbidden spec.persistentVolumeReclaimPolicy'],
  'a local volume of no node': [volume({ hostPath: undefined, local: { path: '' } }), 'required spec.local.path', 'required spec.nodeAffinity'],
  'a driver': [volume({ hostPath: undefined, csi: { driver: '', volumeHandle: '', nodeStageSecretRef: { name: 's' } } }), 'required spec.csi.driver', 'required spec.csi.nodeStageSecretRef.namespace', 'required spec.csi.volumeHandle'],
  'nodes': [volume({ nodeAffinity: {} }), 'required spec.nodeAffinity.required'],
  'classes': [volume({ storageClassName: 'A', volumeAttributesClassName: 'b' }), 'invalid spec.storageClassName', 'required spec.csi'],
});
testFaults(PersistentVolume, {
  'its size and its claim': [volume({ capacity: { storage: '2Gi' }, claimRef: { name: 'c' } })],
  'its source': [volume({ hostPath: { path: '/b' } }), 'forbidden spec.persistentvolumesource'],
  'its mode': [volume({ volumeMode: 'Block' }), 'invalid spec.volumeMode'],
}, volume());

const claim = (more: Json = {}, status: Json = {}): Json => ({ spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } }, ...more }, status });
const sized = (storage: string): Json => ({ resources: { requests: { storage } } });
testFaults(PersistentVolumeClaim, {
  'a good one': [claim()],
  'nothing': [{}, 'required spec.accessModes', 'required spec.resources[storage]'],
  'no size': [claim(sized('0')), 'invalid spec.resources[storage]'],
  'sources': [claim({ dataSource: { kind: 'Snapshot', name: '' } }), 'invalid spec.dataSource', 'invalid spec.dataSourceRef', 'required spec.dataSource.name', 'required spec.dataSourceRef.name'],
  'sources that differ': [claim({ dataSource: { kind: 'PersistentVolumeClaim', name: 'a' }, dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' } }), 'invalid spec'],
  'classes': [claim({ storageClassName: 'A', volumeAttributesClassName: 'B' }), 'invalid spec.storageClassName', 'invalid spec.volumeAttributesClassName'],
});
testFaults(PersistentVolumeClaim, { 'the volume, once': [claim({ volumeName: 'v' })], 'a class, once': [claim({ storageClassName: 'other' })], 'the size before it is bound': [claim(sized('3Gi')), 'forbidden spec'] }, claim());
testFaults(PersistentVolumeClaim, { 'another class': [claim({ storageClassName: 'other' }), 'forbidden spec'], 'no class': [claim(), 'forbidden spec'] }, claim({ storageClassName: 'one' }));
testFaults(PersistentVolumeClaim, { 'a class after the choice of none': [claim({ storageClassName: 'other' }), 'forbidden spec'] }, claim({ storageClassName: '' }));
const held = { phase: 'Bound', capacity: { storage: '1Gi' } };
testFaults(PersistentVolumeClaim, {
  'more': [claim({ volumeName: 'v', ...sized('9Gi') }, held)],
  'less, but not less than there is': [claim({ volumeName: 'v', ...sized('1500Mi') }, held)],
  'less than there is': [claim({ volumeName: 'v', ...sized('512Mi') }, held), 'forbidden spec.resources.requests.storage'],
  'another volume': [claim({ volumeName: 'w' }, held), 'forbidden spec'],
}, claim({ volumeName: 'v' }, held));

const limits = (...items: readonly Json[]): Json => ({ spec: { limits: items } });
const l = 'spec.limits[0]';
testFaults(LimitRange, {
  'a good one': [limits({ type: 'Container', max: { cpu: '2' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '2' } }, { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } })],
  'nothing': [{}, 'required spec.limits'],
  'types': [limits({ type: 'Box' }, { type: 'Pod' }, { type: 'Pod' }), `duplicate spec.limits[2].type`, `invalid ${l}.type`],
  'the order of amounts': [limits({ type: 'Container', min: { cpu: '3' }, max: { cpu: '2' }, default: { cpu: '4' }, defaultRequest: { cpu: '1' } }), `invalid ${l}.default[cpu]`, `invalid ${l}.defaultRequest[cpu]`, `invalid ${l}.min[cpu]`],
  'defaults of pods': [limits({ type: 'Pod', default: { cpu: '1' }, defaultRequest: { cpu: '1' } }), `forbidden ${l}.default`, `forbidden ${l}.defaultRequest`],
  'ratios': [limits({ type: 'Pod', maxLimitRequestRatio: { cpu: '500m', memory: '5' }, min: { memory: '1Mi' }, max: { memory: '2Mi' } }), `invalid ${l}.maxLimitRequestRatio[cpu]`, `invalid ${l}.maxLimitRequestRatio[memory]`],
  'resources that are none': [limits({ type: 'Container', max: { wheels: '4' } }), `invalid ${l}.default[wheels]`, `invalid ${l}.defaultRequest[wheels]`, `invalid ${l}.max[wheels]`],
  'claims without a size': [limits({ type: 'PersistentVolumeClaim', max: { 'requests.storage': '1' } }), `required ${l}.limits`],
});

const quota = (hard: Json, more: Json = {}): Json => ({ spec: { hard, ...more } });
const expressions = 'spec.scopeSelector.matchExpressions';
const scoped = (hard: Json, ...matchExpressions: readonly Json[]): Json => quota(hard, { scopeSelector: { matchExpressions } });
testFaults(ResourceQuota, {
  'nothing': [{}],
  'a good one': [quota({ 'pods': '1', 'requests.cpu': '500m', 'count/jobs.batch': '1', 'requests.example.com/gpu': '1', 'fast.storageclass.storage.k8s.io/requests.storage': '1Gi', 'hugepages-2Mi': '1Gi' })],
  'resources that are none': [quota({ wheels: '4' }), 'invalid spec.hard[wheels]'],
  'amounts': [quota({ 'pods': '1500m', 'cpu': '-1', 'count/pods': '100m' }), 'invalid spec.hard[count/pods]', 'invalid spec.hard[cpu]', 'invalid spec.hard[pods]'],
  'scopes': [quota({ pods: '1' }, { scopes: ['Often'] }), 'invalid spec.scopes'],
  'scopes that do not fit': [quota({ cpu: '1' }, { scopes: ['BestEffort'] }), 'invalid spec.scopes'],
  'scopes that exclude each other': [quota({ pods: '1' }, { scopes: ['Terminating', 'NotTerminating'] }), 'invalid spec.scopes'],
  'a good selector': [scoped({ pods: '1' }, { scopeName: 'PriorityClass', operator: 'In', values: ['high'] }, { scopeName: 'BestEffort', operator: 'Exists' })],
  'bad selectors': [scoped({ services: '1' }, { scopeName: 'PriorityClass', operator: 'In' }, { scopeName: 'Often', operator: 'Like' }, { scopeName: 'BestEffort', operator: 'In', values: ['a'] }),
    `invalid ${expressions}[0]`, `invalid ${expressions}[1].operator`, `invalid ${expressions}[1].scopeName`, `invalid ${expressions}[2]`, `invalid ${expressions}[2].operator`, `required ${expressions}[0].values`],
});
testFaults(ResourceQuota, { 'its scopes': [quota({ pods: '2' }, { scopes: ['BestEffort'] }), 'invalid spec.scopes'], 'its amounts': [quota({ pods: '2' })] }, quota({ pods: '1' }));

const scaler = (more: Json = {}): Json => ({ spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 3, ...more } });
const metric = (one: Json): Json => scaler({ metrics: [one] });
const m = 'spec.metrics[0]';
testFaults(HorizontalPodAutoscaler, {
  'a good one': [scaler()],
  'nothing': [{}, 'required spec.maxReplicas', 'required spec.scaleTargetRef'],
  'numbers': [scaler({ minReplicas: 0, maxReplicas: 0 }), 'invalid spec.maxReplicas', 'invalid spec.minReplicas'],
  'their order': [scaler({ minReplicas: 4 }), 'invalid spec.maxReplicas'],
  'the target': [scaler({ scaleTargetRef: { kind: 'a/b', name: '' } }), 'invalid spec.scaleTargetRef.kind', 'required spec.scaleTargetRef.name'],
  'a metric without a source': [metric({ type: 'Pods' }), `required ${m}.pods`],
  'a metric with another source': [metric({ type: 'Resource', pods: { metric: { name: 'a' }, target: { type: 'AverageValue', averageValue: '1' } } }), `forbidden ${m}.pods`, `required ${m}.resource`],
  'a metric of no sort': [metric({ type: 'Luck' }), `unsupported ${m}.type`],
  'targets of resources': [metric({ type: 'Resource', resource: { name: '', target: { type: 'Share', averageUtilization: 0, averageValue: '0', value: '1' } } }),
    `forbidden ${m}.resource.target.averageValue`, `forbidden ${m}.resource.target.value`, `invalid ${m}.resource.target.averageUtilization`, `invalid ${m}.resource.target.averageValue`, `invalid ${m}.resource.target.type`, `required ${m}.resource.name`],
  'no target': [metric({ type: 'External', external: { metric: { name: 'a' }, target: { type: 'Value' } } }), `required ${m}.external.target.averageValue`],
  'behavior': [scaler({ behavior: { scaleUp: { policies: [], stabilizationWindowSeconds: 3601 }, scaleDown: { tolerance: '-1', policies: [{ type: 'Some', value: 0, periodSeconds: 1801 }] } } }),
    'invalid spec.behavior.scaleDown.policies[0].periodSeconds', 'invalid spec.behavior.scaleDown.policies[0].value', 'invalid spec.behavior.scaleDown.tolerance', 'invalid spec.behavior.scaleUp.stabilizationWindowSeconds',
    'required spec.behavior.scaleUp.policies', 'unsupported spec.behavior.scaleDown.policies[0].type'],
});

testFaults(PodDisruptionBudget, {
  'nothing': [{}],
  'a good one': [{ spec: { minAvailable: '50%', selector: {} } }],
  'both amounts': [{ spec: { minAvailable: 1, maxUnavailable: 1 } }, 'invalid spec'],
  'amounts': [{ spec: { maxUnavailable: -1 } }, 'invalid spec.maxUnavailable'],
  'percentages': [{ spec: { minAvailable: '101%' } }, 'invalid spec.minAvailable'],
  'words': [{ spec: { unhealthyPodEvictionPolicy: 'Maybe', selector: { matchLabels: { 'a b': 'c' } } } }, 'invalid spec.selector.matchLabels', 'unsupported spec.unhealthyPodEvictionPolicy'],
});

test('an autoscaler of either version is the same object', async (t) => {
  const { transport, close } = await testApi();
  const at = { group: 'autoscaling', resource: 'horizontalpodautoscalers', namespace: 'default' } as const;
  const send = async (request: object): Promise<Json> => (await transport.send({ ...at, ...request } as never)).body as unknown as Json;
  await send({ verb: 'create', version: 'v1', body: { metadata: { name: 'web', annotations: { a: 'b' } }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 5, targetCPUUtilizationPercentage: 60 } } });
  const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } };
  t.like(await send({ verb: 'get', version: 'v2', name: 'web' }), { apiVersion: 'autoscaling/v2', spec: { minReplicas: 1, metrics: [{ resource: { name: 'cpu', target: { averageUtilization: 60 } } }] } });
  await send({ verb: 'patch', version: 'v2', name: 'web', patchType: 'json', body: [{ op: 'add', path: '/spec/metrics/-', value: memory }, { op: 'add', path: '/spec/behavior', value: { scaleDown: { selectPolicy: 'Disabled' } } }] });
  const old = await send({ verb: 'get', version: 'v1', name: 'web' });
  t.like(old, { apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 60, maxReplicas: 5, metrics: undefined, behavior: undefined } });
  t.deepEqual(Object.keys((old['metadata'] as { annotations: Json }).annotations).sort(), ['a', 'autoscaling.alpha.kubernetes.io/behavior', 'autoscaling.alpha.kubernetes.io/metrics']);
  await send({ verb: 'update', version: 'v1', name: 'web', body: { ...old, spec: { ...(old['spec'] as Json), targetCPUUtilizationPercentage: 70 } } });
  const now = await send({ verb: 'get', version: 'v2', name: 'web' });
  t.like(now, { metadata: { annotations: { a: 'b' } }, spec: { behavior: { scaleDown: { selectPolicy: 'Disabled' } } } });
  t.deepEqual((now['spec'] as { metrics: readonly { resource: { name: string } }[] }).metrics.map(({ resource }) => resource.name), ['cpu', 'memory']);
  t.deepEqual(Object.keys((now['metadata'] as { annotations: Json }).annotations), ['a']);

  // People can write anything into annotations.
  const nonsense = { 'autoscaling.alpha.kubernetes.io/metrics': '[{"resource":5}]', 'autoscaling.alpha.kubernetes.io/behavior': '{' };
  await send({ verb: 'update', version: 'v1', name: 'web', body: { ...old, metadata: { name: 'web', annotations: nonsense } } });
  t.like(await send({ verb: 'get', version: 'v2', name: 'web' }), { metadata: { annotations: undefined }, spec: { metrics: [{ resource: { name: 'cpu' } }], behavior: undefined } });
  await close();
});

test('a new job selects its own pods, and nobody owns the selector', async (t) => {
  const { transport, close } = await testApi();
  const { body } = await transport.send({ verb: 'create', group: 'batch', version: 'v1', resource: 'jobs', namespace: 'default', body: { metadata: { name: 'a' }, spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } } } });
  const made = body as unknown as { metadata: { uid: string; managedFields: unknown }; spec: { selector: object; template: { metadata: object } } };
  t.deepEqual(made.spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': made.metadata.uid } });
  t.like(made.spec.template.metadata, { labels: { 'job-name': 'a', 'controller-uid': made.metadata.uid } });
  t.false(JSON.stringify(made.metadata.managedFields).includes('selector'));
  await close();
});
