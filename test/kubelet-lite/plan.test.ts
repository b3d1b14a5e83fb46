import test from 'ava';
import * as fc from 'fast-check';
import { planPod, type Step } from '../../kubelet-lite/plan.ts';
import type { PodView } from '../../kubelet-lite/pod-view.ts';
import { cgroupLimits } from '../../kubelet-lite/resources/cgroup-limits.ts';
import { raised, restartAtMs, restartDelays } from '../../kubelet-lite/restart-backoff.ts';
import type { ContainerState, SandboxState } from '../../kubelet-lite/runtime/runtime.ts';
import { ended, nowMs, podOf, runOf, sandboxOf, viewOf } from './views.ts';

const inits = (...names: readonly string[]) => names.map((name) => ({ name, image: 'i', ...(name.startsWith('side') ? { restartPolicy: 'Always' as const } : {}) }));
const shown = (step: Step): string => {
  switch (step.do) {
    case 'start': return `start ${step.container.name}#${step.attempt}${step.restarted ? ' again' : ''}`;
    case 'stop': return `stop ${step.container.name}: ${step.reason} ${step.graceSeconds}${step.again ? '' : ' for good'}`;
    case 'create-sandbox': return `create-sandbox ${step.attempt}`;
    case 'terminate': return `terminate ${step.graceSeconds}`;
    case 'clear':
    case 'finish': return step.do;
    default: return `${step.do} ${step.id}`;
  }
};

const at = (ms: number): string => new Date(ms).toISOString();
const two = { containers: [{ name: 'a', image: 'i' }, { name: 'b', image: 'i' }] };
const leaving = { metadata: { deletionTimestamp: at(nowMs + 7_000), deletionGracePeriodSeconds: 10 } };

const evicted = { reason: 'Evicted' as const, message: 'm', graceSeconds: 1, disruption: 'm' };

const rows: readonly (readonly [name: string, view: PodView, steps: readonly string[], wakeAfterMs?: number])[] = [
  ['a new pod gets a sandbox', viewOf(podOf(), []), ['create-sandbox 0']],
  ['while the sandbox is made, nothing else', viewOf(podOf(), [], { busy: new Set(['sandbox']) }), []],
  ['a sandbox that failed waits', viewOf(podOf(), [], { blocked: new Map([['', { reason: 'x', message: '', sinceMs: nowMs, untilMs: nowMs + 500 }]]) }), [], 500],
  ['all containers start at once', viewOf(podOf(two), [sandboxOf()]), ['start a#0', 'start b#0']],
  ['one that is being started is left alone', viewOf(podOf(two), [sandboxOf()], { busy: new Set(['container/a']) }), ['start b#0']],
  ['a running pod needs nothing', viewOf(podOf(two), [sandboxOf([runOf('a'), runOf('b')])]), []],
  ['one that was made and not started is started', viewOf(podOf(), [sandboxOf([runOf('a', { status: 'created' })])]), ['start a#0']],
  ['attempts go on from what the API has', viewOf(podOf({}, { status: { containerStatuses: [{ name: 'a', image: '', imageID: '', ready: false, restartCount: 4, containerID: 'docker://x' }] } }), [sandboxOf()]), ['start a#5']],
  ['Always: ended is started again at once', viewOf(podOf(), [sandboxOf([ended('a', 0)])]), ['start a#1 again']],
  ['Always: with a backoff it waits', viewOf(podOf(), [sandboxOf([ended('a', 1)])], { backoffs: new Map([['a', { delayMs: 10_000, atMs: nowMs - 5_000 }]]) }), [], 9_000],
  ['Always: and then starts', viewOf(podOf(), [sandboxOf([ended('a', 1, { finishedAtMs: nowMs - 10_000 })])], { backoffs: new Map([['a', { delayMs: 10_000, atMs: nowMs - 15_000 }]]) }), ['start a#1 again']],
  ['OnFailure: a success stays', viewOf(podOf({ restartPolicy: 'OnFailure' }), [sandboxOf([ended('a', 0)])]), []],
  ['OnFailure: a failure starts again', viewOf(podOf({ restartPolicy: 'OnFailure' }), [sandboxOf([ended('a', 1)])]), ['start a#1 again']],
  ['OnFailure: a success that the agent brought about starts again', viewOf(podOf({ restartPolicy: 'OnFailure' }), [sandboxOf([ended('a', 0)])], { replaced: new Map([['a', 'a-0']]) }), ['start a#1 again']],
  ['OnFailure: one that came after it stays', viewOf(podOf({ restartPolicy: 'OnFailure' }), [sandboxOf([ended('a', 0), ended('a', 0, { attempt: 1 })])], { replaced: new Map([['a', 'a-0']]) }), []],
  ['OnFailure: the next agent knows it from the status', viewOf(podOf({ restartPolicy: 'OnFailure' }, { status: { containerStatuses: [{ name: 'a', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 0, containerID: 'docker://a-0' } } }] } }), [sandboxOf([ended('a', 0)])]), ['start a#1 again']],
  ['Never: stays', viewOf(podOf({ restartPolicy: 'Never' }), [sandboxOf([ended('a', 1)])]), []],
  ['a blocked start waits', viewOf(podOf(), [sandboxOf()], { blocked: new Map([['a', { reason: 'ErrImagePull', message: '', sinceMs: nowMs, untilMs: nowMs + 10_000 }]]) }), [], 10_000],
  ['init containers come one by one', viewOf(podOf({ initContainers: inits('x', 'y') }), [sandboxOf()]), ['start x#0']],
  ['the second after the first', viewOf(podOf({ initContainers: inits('x', 'y') }), [sandboxOf([ended('x', 0)])]), ['start y#0']],
  ['a running init holds back the rest', viewOf(podOf({ initContainers: inits('x', 'y') }), [sandboxOf([runOf('x')])]), []],
  ['a failed init is tried again', viewOf(podOf({ initContainers: inits('x') }), [sandboxOf([ended('x', 1)])]), ['start x#1 again']],
  ['a failed init under Never ends it', viewOf(podOf({ restartPolicy: 'Never', initContainers: inits('x') }), [sandboxOf([ended('x', 1)])]), []],
  ['after the inits the others', viewOf(podOf({ initContainers: inits('x', 'y') }), [sandboxOf([ended('x', 0), ended('y', 0)])]), ['start a#0']],
  ['inits do not run again beside running containers', viewOf(podOf({ initContainers: inits('x') }), [sandboxOf([runOf('a')])]), []],
  ['an ephemeral container is started beside what runs', viewOf(podOf({ ephemeralContainers: [{ name: 'e', image: 'i' }] }), [sandboxOf([runOf('a')])]), ['start e#0']],
  ['and also while an init container runs', viewOf(podOf({ initContainers: inits('x'), ephemeralContainers: [{ name: 'e', image: 'i' }] }), [sandboxOf([runOf('x')])]), ['start e#0']],
  ['it never runs again', viewOf(podOf({ ephemeralContainers: [{ name: 'e', image: 'i' }] }), [sandboxOf([runOf('a'), ended('e', 1)])]), []],
  ['nor in another sandbox', viewOf(podOf({ ephemeralContainers: [{ name: 'e', image: 'i' }] }, { status: { ephemeralContainerStatuses: [{ name: 'e', image: '', imageID: '', ready: false, restartCount: 0, containerID: 'docker://x' }] } }), [sandboxOf([runOf('a')])]), []],
  ['a sidecar that runs lets the next go', viewOf(podOf({ initContainers: inits('side', 'y') }), [sandboxOf([runOf('side')])]), ['start y#0']],
  ['a sidecar with a startup probe must have passed it', viewOf(podOf({ initContainers: [{ name: 'side', image: 'i', restartPolicy: 'Always', startupProbe: {} }] }), [sandboxOf([runOf('side')])]), []],
  ['a sidecar that ended is started again beside the others', viewOf(podOf({ initContainers: inits('side') }), [sandboxOf([ended('side', 0), runOf('a')])]), ['start side#1 again']],
  ['a failed liveness probe stops the container', viewOf(podOf({ terminationGracePeriodSeconds: 20 }), [sandboxOf([runOf('a')])], { probes: new Map([['a-0', { started: true, ready: false, failed: { probe: 'Liveness', graceSeconds: undefined } }]]) }), ['stop a: liveness 20']],
  ['a probe may have a grace of its own', viewOf(podOf(), [sandboxOf([runOf('a')])], { probes: new Map([['a-0', { started: false, ready: false, failed: { probe: 'Startup', graceSeconds: 3 } }]]) }), ['stop a: startup 3']],
  ['Never: a failed liveness probe stops the container for good', viewOf(podOf({ restartPolicy: 'Never' }), [sandboxOf([runOf('a')])], { probes: new Map([['a-0', { started: true, ready: false, failed: { probe: 'Liveness', graceSeconds: undefined } }]]) }), ['stop a: liveness 30 for good']],
  ['an init container ends with the image that it began with', viewOf(podOf({ initContainers: [{ name: 'x', image: 'new' }] }), [sandboxOf([runOf('x')])]), []],
  ['another image stops the container', viewOf(podOf({ containers: [{ name: 'a', image: 'new' }] }), [sandboxOf([runOf('a')])]), ['stop a: changed 30']],
  ['other resources change the run', viewOf(podOf({ containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: '1' } } }] }), [sandboxOf([runOf('a', { limits: cgroupLimits() })])]), ['resize a-0']],
  ['or end it where it asks for that', viewOf(podOf({ containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: '1' } }, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }] }), [sandboxOf([runOf('a', { limits: cgroupLimits() })])]), ['stop a: resized 30']],
  ['a policy for another resource does not count', viewOf(podOf({ containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: '1' } }, resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }] }), [sandboxOf([runOf('a', { limits: cgroupLimits() })])]), ['resize a-0']],
  ['a run that has what it is to have is left alone', viewOf(podOf({ containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: '1', memory: '1Gi' } } }] }), [sandboxOf([runOf('a', { limits: cgroupLimits({ requests: { cpu: '1' } }) })])]), []],
  ['old runs go, two stay', viewOf(podOf(), [sandboxOf([ended('a', 1), ended('a', 1, { attempt: 1 }), runOf('a', { attempt: 2 })])]), ['remove-container a-0']],
  ['a lost sandbox with running containers is removed first', viewOf(podOf(), [sandboxOf([runOf('a')], { ready: false })]), ['remove-sandbox s0']],
  ['and replaced then', viewOf(podOf(), [sandboxOf([ended('a', 137)], { ready: false })]), ['create-sandbox 1']],
  ['a replaced sandbox goes', viewOf(podOf(), [sandboxOf([], { ready: false }), sandboxOf([runOf('a', { attempt: 1 })], { attempt: 1 })]), ['remove-sandbox s0']],
  ['a finished job needs no new sandbox', viewOf(podOf({ restartPolicy: 'Never' }), [sandboxOf([ended('a', 0)], { ready: false })]), []],
  ['a pod that the API calls finished gives back its network', viewOf(podOf({}, { status: { phase: 'Succeeded' } }), [sandboxOf([ended('a', 0)])]), ['end-sandbox s0']],
  ['a deleted pod is terminated within what is left of its grace', viewOf(podOf({}, leaving), [sandboxOf([runOf('a')])]), ['terminate 7']],
  ['that is done once', viewOf(podOf({}, leaving), [sandboxOf([runOf('a')])], { busy: new Set(['terminate']) }), []],
  ['a start on its way is waited for', viewOf(podOf({}, leaving), [sandboxOf()], { busy: new Set(['container/a']) }), []],
  ['with nothing running it is finished', viewOf(podOf({}, leaving), [sandboxOf([ended('a', 0)])]), ['finish']],
  ['a deleted pod that never started is finished', viewOf(podOf({}, leaving), []), ['finish']],
  ['a pod past its deadline is terminated and stays', viewOf(podOf(), [sandboxOf([runOf('a')])], { verdict: { reason: 'DeadlineExceeded', message: '' } }), ['terminate 30']],
  ['an evicted pod has the grace of its eviction', viewOf(podOf(), [sandboxOf([runOf('a')])], { verdict: evicted }), ['terminate 1']],
  ['or less, where it was to leave sooner', viewOf(podOf({}, { metadata: { deletionTimestamp: at(nowMs), deletionGracePeriodSeconds: 0 } }), [sandboxOf([runOf('a')])], { verdict: evicted }), ['terminate 0']],
  ['when it has ended it is cleared away', viewOf(podOf(), [sandboxOf([ended('a', 137)])], { verdict: evicted }), ['clear']],
  ['once', viewOf(podOf(), [sandboxOf([ended('a', 137)])], { verdict: evicted, busy: new Set(['clear']) }), []],
  ['also by the next agent', viewOf(podOf({}, { status: { phase: 'Failed', reason: 'Evicted' } }), [sandboxOf([ended('a', 137)])]), ['clear']],
  ['and stays in the API', viewOf(podOf(), [], { verdict: evicted }), []],
  ['until somebody deletes it', viewOf(podOf({}, leaving), [], { verdict: evicted }), ['finish']],
  ['a deadline wakes', viewOf(podOf({ activeDeadlineSeconds: 100 }, { status: { startTime: at(nowMs - 60_000) } }), [sandboxOf([runOf('a')])]), [], 40_000],
];

for (const [name, view, steps, wakeAfterMs] of rows) {
  test(name, (t) => {
    const plan = planPod(view);
    t.deepEqual(plan.steps.map(shown), steps);
    t.is(plan.wakeAtMs, wakeAfterMs === undefined ? undefined : nowMs + wakeAfterMs);
  });
}

test('the restart backoff doubles to five minutes and is forgotten after ten quiet ones', (t) => {
  let backoff = raised(undefined, nowMs);
  const delays = [backoff.delayMs];
  for (let i = 0; i < 6; i++) delays.push((backoff = raised(backoff, backoff.atMs + backoff.delayMs)).delayMs);
  t.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300].map((seconds) => seconds * 1000));
  t.is(restartAtMs(backoff, backoff.atMs + 1_000), backoff.atMs + 301_000);
  t.is(restartAtMs(backoff, backoff.atMs + restartDelays.forgetMs + 1), backoff.atMs + restartDelays.forgetMs + 1);
  t.is(restartAtMs(undefined, nowMs), nowMs);
});

/** The world after a plan was carried out by an engine in which everything works. */
const carriedOut = (view: PodView): PodView => {
  let { sandboxes } = view;
  const each = (change: (sandbox: SandboxState) => SandboxState): void => { sandboxes = sandboxes.map(change); };
  const stop = (run: ContainerState): ContainerState => (run.status === 'running' ? { ...run, status: 'exited', exitCode: 143, finishedAtMs: nowMs } : run);
  for (const step of planPod(view).steps) {
    if (step.do === 'create-sandbox') sandboxes = [...sandboxes, sandboxOf([], { attempt: step.attempt, id: `n${step.attempt}` })];
    if (step.do === 'remove-sandbox') sandboxes = sandboxes.filter(({ id }) => id !== step.id);
    if (step.do === 'end-sandbox') each((sandbox) => (sandbox.id === step.id ? { ...sandbox, ready: false } : sandbox));
    if (step.do === 'remove-container') each((sandbox) => ({ ...sandbox, containers: sandbox.containers.filter(({ id }) => id !== step.id) }));
    if (step.do === 'stop') each((sandbox) => ({ ...sandbox, containers: sandbox.containers.map((run) => (run.id === step.id ? stop(run) : run)) }));
    if (step.do === 'resize') each((sandbox) => ({ ...sandbox, containers: sandbox.containers.map((run) => (run.id === step.id ? { ...run, limits: step.limits } : run)) }));
    if (step.do === 'terminate') each((sandbox) => ({ ...sandbox, containers: sandbox.containers.map(stop) }));
    if (step.do === 'finish' || step.do === 'clear') sandboxes = [];
    if (step.do === 'start') {
      const isInit = view.pod.spec?.initContainers?.some(({ name, restartPolicy }) => name === step.container.name && restartPolicy !== 'Always') ?? false;
      const run = isInit ? ended(step.container.name, 0, { attempt: step.attempt }) : runOf(step.container.name, { attempt: step.attempt });
      each((sandbox) => (sandbox.id === step.sandbox.id ? { ...sandbox, containers: [...sandbox.containers.filter(({ id }) => id !== run.id), run] } : sandbox));
    }
  }
  return { ...view, sandboxes };
};

test('from any state, carrying out plans comes to rest', (t) => {
  const state = fc.constantFrom('none', 'created', 'running', 'failed', 'done');
  fc.assert(fc.property(fc.record({
    policy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const), sandbox: fc.constantFrom('none', 'ready', 'lost'), leaving: fc.boolean(), isEvicted: fc.boolean(),
    states: fc.record({ x: state, side: state, a: state, b: state }),
  }), ({ policy, sandbox, leaving: isLeaving, isEvicted, states }) => {
    const pod = podOf({ ...two, restartPolicy: policy, initContainers: inits('x', 'side') }, isLeaving ? leaving : {});
    const runs = Object.entries(states).flatMap(([name, is]) => (is === 'none' ? [] : is === 'failed' ? [ended(name, 1)] : is === 'done' ? [ended(name, 0)] : [runOf(name, { status: is as 'created' | 'running', limits: cgroupLimits({ requests: { cpu: name === 'a' ? '2' : '0' } }) })]));
    let view = viewOf(pod, sandbox === 'none' ? [] : [sandboxOf(runs, { ready: sandbox === 'ready' })], isEvicted ? { verdict: evicted } : {});
    for (let round = 0; round < 12; round++) {
      if (isLeaving && round > 0 && view.sandboxes.length === 0) return;
      const { steps } = planPod(view);
      if (steps.length === 0) {
        t.false(isLeaving, 'a pod that leaves does not rest before it is finished');
        if (isEvicted) t.deepEqual(view.sandboxes, [], 'nor one that is evicted before it is cleared away');
        return;
      }
      view = carriedOut(view);
    }
    throw new Error('no rest after twelve rounds');
  }));
});
