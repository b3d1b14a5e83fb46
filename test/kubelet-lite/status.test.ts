import test from 'ava';
import { podStatus } from '../../kubelet-lite/status.ts';
import type { PodView } from '../../kubelet-lite/pod-view.ts';
import { qosClass } from '../../kubelet-lite/qos.ts';
import { ended, nowMs, podOf, runOf, sandboxOf, viewOf } from './views.ts';

const facts = { nodeIp: '192.0.2.1', runtimeName: 'docker', messages: new Map([['a-0', 'last words']]) };

const brief = (view: PodView): string => {
  const status = podStatus(view, facts);
  const of = (type: string): string => (status.conditions!.find((condition) => condition.type === type)?.status === 'True' ? 'y' : 'n');
  const states = [...(status.initContainerStatuses ?? []), ...status.containerStatuses!].map(({ name, state, ready, restartCount, lastState }) => {
    const what = state?.running !== undefined ? 'running' : state?.terminated !== undefined ? `${state.terminated.reason}:${state.terminated.exitCode}` : state?.waiting?.reason;
    return `${name}=${what}${ready ? '+' : '-'}${restartCount}${lastState?.terminated === undefined ? '' : `<${lastState.terminated.reason}`}`;
  });
  return `${status.phase} ${of('PodReadyToStartContainers')}${of('Initialized')}${of('ContainersReady')}${of('Ready')} ${states.join(' ')}`;
};

const never = { restartPolicy: 'Never' as const };
const init = { initContainers: [{ name: 'x', image: 'i' }] };
const probed = { containers: [{ name: 'a', image: 'i', readinessProbe: {} }] };
const gone = { metadata: { deletionTimestamp: new Date(nowMs + 5_000).toISOString() } };
const blocked = (reason: string, sinceMs = nowMs, name = 'a') => ({ blocked: new Map([[name, { reason, message: 'why', sinceMs, untilMs: nowMs + 9_000 }]]) });

const rows: readonly (readonly [name: string, view: PodView, expected: string])[] = [
  ['new', viewOf(podOf(), []), 'Pending nynn a=ContainerCreating-0'],
  ['with a sandbox', viewOf(podOf(), [sandboxOf()]), 'Pending yynn a=ContainerCreating-0'],
  ['with an init to come', viewOf(podOf(init), [sandboxOf()]), 'Pending ynnn x=PodInitializing-0 a=PodInitializing-0'],
  ['with an init whose volumes are not there', viewOf(podOf(init), [sandboxOf()], blocked('ContainerCreating', nowMs, 'x')), 'Pending ynnn x=PodInitializing-0 a=PodInitializing-0'],
  ['with an init whose image is not there', viewOf(podOf(init), [sandboxOf()], blocked('ErrImagePull', nowMs, 'x')), 'Pending ynnn x=ErrImagePull-0 a=PodInitializing-0'],
  ['with an init running', viewOf(podOf(init), [sandboxOf([runOf('x')])]), 'Pending ynnn x=running-0 a=PodInitializing-0'],
  ['with the init done', viewOf(podOf(init), [sandboxOf([ended('x', 0)])]), 'Pending yynn x=Completed:0+0 a=PodInitializing-0'],
  ['with the init failed', viewOf(podOf({ ...init, ...never }), [sandboxOf([ended('x', 2)])]), 'Failed ynnn x=Error:2-0 a=PodInitializing-0'],
  ['running', viewOf(podOf(), [sandboxOf([runOf('a')])]), 'Running yyyy a=running+0'],
  ['not ready', viewOf(podOf(probed), [sandboxOf([runOf('a')])]), 'Running yynn a=running-0'],
  ['ready by its probe', viewOf(podOf(probed), [sandboxOf([runOf('a')])], { probes: new Map([['a-0', { started: true, ready: true }]]) }), 'Running yyyy a=running+0'],
  ['an open readiness gate', viewOf(podOf({ readinessGates: [{ conditionType: 'g' }] }), [sandboxOf([runOf('a')])]), 'Running yyyn a=running+0'],
  ['restarted', viewOf(podOf(), [sandboxOf([ended('a', 1), runOf('a', { attempt: 1 })])]), 'Running yyyy a=running+1<Error'],
  ['backing off', viewOf(podOf(), [sandboxOf([ended('a', 1)])], { backoffs: new Map([['a', { delayMs: 10_000, atMs: nowMs }]]) }), 'Running yynn a=CrashLoopBackOff-0<Error'],
  ['killed for memory', viewOf(podOf(never), [sandboxOf([ended('a', 137, { oomKilled: true })])]), 'Failed yynn a=OOMKilled:137-0'],
  ['could not start', viewOf(podOf(never), [sandboxOf([ended('a', 127, { error: 'no such file' })])]), 'Failed yynn a=StartError:127-0'],
  ['succeeded', viewOf(podOf(never), [sandboxOf([ended('a', 0)])]), 'Succeeded yynn a=Completed:0-0'],
  ['succeeded, but another run follows', viewOf(podOf({ restartPolicy: 'OnFailure' }), [sandboxOf([ended('a', 0)])], { replaced: new Map([['a', 'a-0']]) }), 'Running yynn a=ContainerCreating-0<Completed'],
  ['a failed pull', viewOf(podOf(), [sandboxOf()], blocked('ErrImagePull')), 'Pending yynn a=ErrImagePull-0'],
  ['a failed pull, later', viewOf(podOf(), [sandboxOf()], blocked('ErrImagePull', nowMs - 3_000)), 'Pending yynn a=ImagePullBackOff-0'],
  ['a wrong configuration', viewOf(podOf(), [sandboxOf()], blocked('CreateContainerConfigError')), 'Pending yynn a=CreateContainerConfigError-0'],
  ['leaving, still running', viewOf(podOf({}, gone), [sandboxOf([runOf('a')])]), 'Running yyyy a=running+0'],
  ['left', viewOf(podOf({}, gone), [sandboxOf([ended('a', 143)])], { busy: new Set(['finish']) }), 'Failed yynn a=Error:143-0'],
  ['past its deadline', viewOf(podOf(), [sandboxOf([ended('a', 143)])], { verdict: { reason: 'DeadlineExceeded', message: 'late' } }), 'Failed yynn a=Error:143-0'],
  ['ended in the API, nothing left on the engine', viewOf(podOf({}, { status: { phase: 'Succeeded', containerStatuses: [{ name: 'a', image: 'i', imageID: '', ready: false, restartCount: 2, containerID: 'docker://z', state: { terminated: { exitCode: 0, reason: 'Completed' } } }] } }), []), 'Succeeded nynn a=Completed:0-2'],
];

for (const [name, view, expected] of rows) test(name, (t) => t.is(brief(view), expected));

test('addresses, start time, words and transition times', (t) => {
  const first = podStatus(viewOf(podOf(), [sandboxOf([ended('a', 1)])]), facts);
  t.like(first, { hostIP: '192.0.2.1', podIP: '10.0.0.2', startTime: '2026-01-01T12:00:00Z', qosClass: 'BestEffort' });
  t.like(first.containerStatuses![0]!.state!.terminated, { containerID: 'docker://a-0', message: 'last words', finishedAt: '2026-01-01T11:59:59Z' });
  const foreign = { type: 'example.com/other', status: 'True' };
  const later = podStatus(viewOf(podOf({}, { status: { ...first, conditions: [...first.conditions!, foreign] } }), [sandboxOf([runOf('a', { attempt: 1 })])], { nowMs: nowMs + 5_000 }), facts);
  const time = (type: string) => later.conditions!.find((condition) => condition.type === type)!.lastTransitionTime;
  t.is(time('PodScheduled'), '2026-01-01T12:00:00Z');
  t.is(time('Ready'), '2026-01-01T12:00:05Z');
  t.deepEqual(later.conditions!.at(-1), foreign);
  t.is(later.startTime, first.startTime);
  t.is(podStatus(viewOf(podOf({ hostNetwork: true }), [sandboxOf([], { ip: undefined })]), facts).podIP, '192.0.2.1');
});

test('an evicted pod says why, and that it was disrupted', (t) => {
  const verdict = { reason: 'Evicted' as const, message: 'low on memory', graceSeconds: 1, disruption: 'low on memory' };
  const status = podStatus(viewOf(podOf(), [sandboxOf([ended('a', 137)])], { verdict }), facts);
  t.like(status, { phase: 'Failed', reason: 'Evicted', message: 'low on memory' });
  const disrupted = status.conditions!.find(({ type }) => type === 'DisruptionTarget');
  t.like(disrupted, { status: 'True', reason: 'TerminationByKubelet', message: 'low on memory' });
  // The next agent knows of no verdict, and the engine has nothing left.
  const later = podStatus(viewOf(podOf({}, { status }), []), facts);
  t.like(later, { phase: 'Failed', reason: 'Evicted', message: 'low on memory' });
  t.deepEqual(later.conditions!.find(({ type }) => type === 'DisruptionTarget'), disrupted);
  t.is(later.containerStatuses![0]!.state!.terminated!.exitCode, 137);
});

test('a pod that was refused has no statuses of containers, also after a restart of the agent', (t) => {
  const status = podStatus(viewOf(podOf(init), [], { verdict: { reason: 'Evicted', message: 'no room' } }), facts);
  t.like(status, { phase: 'Failed', reason: 'Evicted', containerStatuses: undefined, initContainerStatuses: undefined });
  t.deepEqual(podStatus(viewOf(podOf(init, { status }), []), facts), status);
});

test('classes of service', (t) => {
  const of = (...resources: readonly object[]) => qosClass(podOf({ containers: resources.map((one, index) => ({ name: `c${index}`, resources: one })) }));
  const full = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1Gi' } };
  t.is(of({}), 'BestEffort');
  t.is(of({ requests: { cpu: '0' } }), 'BestEffort');
  t.is(of(full), 'Guaranteed');
  t.is(of({ limits: full.limits }), 'Guaranteed');
  t.is(of(full, {}), 'Burstable');
  t.is(of({ requests: { cpu: '1m' } }), 'Burstable');
});
