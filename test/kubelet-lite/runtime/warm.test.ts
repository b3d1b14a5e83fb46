import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type Docker from 'dockerode';
import * as fc from 'fast-check';
import { gatedRequest, gatePath, writeGate, type Gate } from '../../../kubelet-lite/runtime/docker-gate.ts';
import { labels, namesOf, podOf, sandboxName, sandboxStates } from '../../../kubelet-lite/runtime/docker-labels.ts';
import { gateProgram } from '../../../kubelet-lite/runtime/gate-program.ts';
import { setHostname } from '../../../kubelet-lite/runtime/host-names.ts';
import { planWarm, warmLimits, type WarmPlan, type WarmState } from '../../../kubelet-lite/runtime/warm-plan.ts';
import { canServe } from '../../../kubelet-lite/runtime/warm-sandboxes.ts';
import type { SandboxSpec } from '../../../kubelet-lite/runtime/runtime.ts';

const nowMs = 1_000_000;
const state = (extra: Partial<WarmState> = {}): WarmState => ({ nowMs, count: 2, most: 110, pods: 0, warm: [], spent: 0, starts: 0, quietSinceMs: 0, heldUntilMs: 0, ...extra });
const warm = (...ages: readonly number[]) => ages.map((ageMs, index) => ({ id: `w${index}`, createdAtMs: nowMs - ageMs }));
const { quietMs, restMs, longestMs } = warmLimits;
const plan = (extra: Partial<WarmPlan> = {}): WarmPlan => ({ make: false, remove: [], clear: false, wakeAtMs: undefined, ...extra });

test('sandboxes are made one after the other while nothing starts', (t) => {
  t.deepEqual(planWarm(state()), plan({ make: true }));
  t.deepEqual(planWarm(state({ warm: warm(5) })), plan({ make: true }));
  t.deepEqual(planWarm(state({ warm: warm(5, 4) })), plan({ wakeAtMs: nowMs - 5 + longestMs }));
  t.deepEqual(planWarm(state({ starts: 1 })), plan());
  t.deepEqual(planWarm(state({ quietSinceMs: 999_000 })), plan({ wakeAtMs: 999_000 + quietMs }));
  t.deepEqual(planWarm(state({ heldUntilMs: 1_030_000 })), plan({ wakeAtMs: 1_030_000 }));
});

test('the fewer wait for pods the sooner the next is made', (t) => {
  const next = (ready: number): number | undefined => planWarm(state({ count: 8, warm: warm(...Array.from({ length: ready }, () => 1)), quietSinceMs: nowMs })).wakeAtMs;
  t.deepEqual([0, 3, 4, 7].map(next), [quietMs, quietMs, restMs, restMs].map((afterMs) => nowMs + afterMs));
});

test('the sandbox of a pod that has gone is taken away when nothing starts, and sooner where there are many', (t) => {
  const full = warm(5, 4);
  t.deepEqual(planWarm(state({ warm: full, spent: 1 })), plan({ clear: true }));
  t.deepEqual(planWarm(state({ warm: full, spent: 2, quietSinceMs: nowMs })), plan({ wakeAtMs: nowMs + restMs }));
  t.deepEqual(planWarm(state({ warm: full, spent: 2, starts: 1 })), plan());
  t.deepEqual(planWarm(state({ warm: full, spent: 3, starts: 1 })), plan({ clear: true }), 'no more than are to wait');
  t.deepEqual(planWarm(state({ warm: full, spent: 1, pods: 108, starts: 1 })), plan({ clear: true }), 'addresses are for pods');
  t.deepEqual(planWarm(state({ spent: 1 })), plan({ make: true }), 'the next pod goes first');
});

test('their number, their addresses and their age are bounded', (t) => {
  t.deepEqual(planWarm(state({ count: 0, warm: warm(5, 9) })).remove.toSorted(), ['w0', 'w1']);
  t.deepEqual(planWarm(state({ count: 1, warm: warm(5, 9) })).remove, ['w1'], 'the oldest goes');
  t.deepEqual(planWarm(state({ pods: 109, warm: warm(5, 4) })).remove, ['w0']);
  t.false(planWarm(state({ pods: 110 })).make);
  t.deepEqual(planWarm(state({ pods: 200, warm: warm(1), starts: 3 })).remove, ['w0'], 'also while pods start');
  t.deepEqual(planWarm(state({ warm: warm(longestMs, longestMs + 1) })).remove, ['w1'], 'one old one at a time');
  t.deepEqual(planWarm(state({ warm: warm(longestMs, 1), quietSinceMs: 999_999 })), plan({ wakeAtMs: 999_999 + restMs }));
});

test('from any state, plans that are carried out come to rest at the wanted number', (t) => {
  const some = fc.integer({ min: 0, max: 8 });
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 2 * longestMs }), { maxLength: 6 }), fc.integer({ min: 0, max: 4 }), some, some, (ages, count, pods, spent) => {
    let now = state({ count, pods, most: 8, warm: warm(...ages), spent });
    for (let step = 0; ; step++) {
      const next = planWarm(now);
      if (!next.make && !next.clear && next.remove.length === 0) {
        t.deepEqual([now.warm.length, now.spent], [Math.min(count, 8 - pods), 0]);
        t.true(next.wakeAtMs === undefined || next.wakeAtMs > now.nowMs);
        return;
      }
      if (step > 50) t.fail('no end');
      now = {
        ...now, spent: now.spent - (next.clear ? 1 : 0),
        warm: [...now.warm.filter(({ id }) => !next.remove.includes(id)), ...(next.make ? [{ id: `n${step}`, createdAtMs: now.nowMs }] : [])],
      };
      t.true(now.warm.length <= Math.max(8 - pods, ages.length));
    }
  }));
});

const spec = (extra: Partial<SandboxSpec> = {}): SandboxSpec => ({
  podUid: 'abcdefgh-1', podName: 'web.x', podNamespace: 'shop', attempt: 3, hostname: 'web', hostNetwork: false, hostPid: false, hostIpc: false, sharePid: false, sysctls: {}, portMappings: [], labels: {}, ...extra,
});

test('only a pod that asks for nothing but a network takes one', (t) => {
  t.true(canServe(spec()));
  for (const extra of [{ hostNetwork: true }, { hostPid: true }, { hostIpc: true }, { sharePid: true }, { sysctls: { a: '1' } }, { labels: { a: 'b' } },
    { portMappings: [{ containerPort: 1, hostPort: 1, hostIp: '', protocol: 'TCP' as const }] }]) t.false(canServe(spec(extra)));
});

test('a sandbox is its pod\'s by its name alone', (t) => {
  const name = sandboxName(spec(), 3);
  t.deepEqual(podOf({ name: `/${name}`, labels: {} }), { podUid: 'abcdefgh-1', podName: 'web.x', podNamespace: 'shop', attempt: 3 });
  t.regex(name, new RegExp(namesOf('abcdefgh-1')));
  t.is(podOf({ name: '/barge_warm-12', labels: { [labels.warm]: 'x' } }), undefined);
  const row = (id: string, named: string): Docker.ContainerInfo => ({
    Id: id, Names: [named], Created: 10, State: 'running', NetworkSettings: { Networks: { barge: { IPAddress: '10.0.0.9' } } }, Labels: { [labels.type]: 'sandbox', [labels.warm]: 'x' },
  }) as unknown as Docker.ContainerInfo;
  const states = sandboxStates([row('waits', '/barge_warm-12'), row('taken', `/${name}`)], new Map());
  t.deepEqual(states.map(({ id, podName, attempt, ip }) => [id, podName, attempt, ip]), [['taken', 'web.x', 3, '10.0.0.9']]);
});

const gate: Gate = { file: '/node/start', givenHostname: 'warm-1', hostname: 'web', messagePath: '/dev/termination-log', image: { entrypoint: ['entry'], command: ['default'], env: ['PATH=/a:/b', 'X=1'] } };

test('the gate runs what the engine would have run', (t) => {
  const words = (request: Docker.ContainerCreateOptions): readonly string[] => {
    const all = gatedRequest(request, gate).Entrypoint as readonly string[];
    t.deepEqual(all.slice(0, 3), [gatePath, 'web', '/dev/termination-log']);
    return all.slice(4);
  };
  t.deepEqual(words({}), ['/a/entry', '/b/entry', '', 'entry', 'default']);
  t.deepEqual(words({ Cmd: ['own'] }), ['/a/entry', '/b/entry', '', 'entry', 'own']);
  t.deepEqual(words({ Entrypoint: ['/bin/x'] }), ['/bin/x', '', '/bin/x'], 'a command leaves the image\'s arguments out');
  t.deepEqual(words({ Entrypoint: ['x'], Cmd: ['', 'y'], Env: ['PATH=:/c'] }), ['./x', '/c/x', '', 'x', '', 'y']);
  const request = gatedRequest({ Entrypoint: ['x'], Env: ['A=1'], Labels: { kept: 'yes' }, HostConfig: { ReadonlyRootfs: true } }, gate);
  t.deepEqual(request.Env, ['HOSTNAME=web', 'A=1']);
  t.deepEqual(gatedRequest({ Entrypoint: ['x'], Env: ['HOSTNAME=mine'] }, gate).Env, ['HOSTNAME=mine']);
  t.deepEqual(request.Labels, { kept: 'yes', [labels.givenHostname]: 'warm-1', [labels.hostname]: 'web' });
  t.like(request.HostConfig, { ReadonlyRootfs: true, Mounts: [{ Source: '/node/start', Target: gatePath, ReadOnly: true }] });
  const nothing = { Labels: {} };
  t.is(gatedRequest(nothing, { ...gate, image: { entrypoint: [], command: [], env: [] } }), nothing, 'the engine says that there is no command');
});

test('the gate becomes the program when the host has the name, and not before', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'barge-gate-'));
  t.teardown(() => rm(dir, { recursive: true }));
  for (const architecture of ['amd64', 'arm64'] as const) t.is(gateProgram(architecture).toString('latin1', 1, 4), 'ELF');
  if (process.arch !== 'x64' && process.arch !== 'arm64') return;
  const file = await writeGate(dir, process.arch === 'x64' ? 'amd64' : 'arm64');
  const run = promisify(execFile);
  const message = join(dir, 'message');
  await writeFile(message, 'older words that are longer');
  const { stdout } = await run(file, [hostname(), message, 'no', '/no/such', '/bin/sh', '', 'sh', '-c', 'echo "$0 $1 $X"', 'zero', ''], { env: { X: 'kept' } });
  t.is(stdout, 'zero  kept\n');
  for (const [path, code] of [['/no/such', 127], ['/etc', 126]] as const) {
    const failed = await t.throwsAsync<Error & { readonly code: number; readonly stderr: string }>(run(file, [hostname(), message, `no ${path}\n`, path, '', 'x']));
    t.like(failed, { code, stderr: `no ${path}\n` });
    t.is(await readFile(message, 'utf8'), `no ${path}\n`);
  }
  const other = run(file, [`not-${hostname()}`, message, 'no', '/bin/true', '', 'true'], { timeout: 200 });
  t.like(await t.throwsAsync(other), { killed: true });
});

test('a host name that could not be set is an error with the tool\'s words', async (t) => {
  const heard: string[] = [];
  await setHostname(async (command, args) => {
    heard.push(command, ...args.slice(0, 2), ...args.slice(-2));
    return { code: 0, stdout: '', stderr: '' };
  }, { pid: 7, from: 'warm-1', to: 'web' });
  t.deepEqual(heard, ['nsenter', '--uts=/proc/7/ns/uts', '--', 'warm-1', 'web']);
  await t.throwsAsync(setHostname(async () => ({ code: 1, stdout: '', stderr: 'not permitted' }), { pid: 7, from: 'a', to: 'b' }), { message: 'nsenter (host name b) ended with 1: not permitted' });
});
