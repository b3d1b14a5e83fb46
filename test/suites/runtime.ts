import type { TestFn } from 'ava';
import type { Engine } from '../../kubelet-lite/agent-context.ts';
import { RuntimeError, type ContainerSpec, type ExecSession, type SandboxSpec, type SandboxState } from '../../kubelet-lite/runtime/runtime.ts';
import { eventually } from '../helpers/eventually.ts';

/** What a container of the suite does; each harness says it in its engine's words. */
export interface Program {
  readonly output?: readonly { readonly stream: 'stdout' | 'stderr'; readonly line: string }[];
  /** Ends by itself; runs until it is stopped where absent. */
  readonly exitCode?: number;
  readonly ignoresTerm?: boolean;
  readonly cannotStart?: boolean;
}

export interface RuntimeHarness {
  readonly runtime: Engine;
  /** A second client of the same engine, as a restarted agent would be. */
  readonly again: Engine;
  /** The image, command and args of a container that does this. */
  program(program: Program): Pick<ContainerSpec, 'image' | 'command' | 'args'>;
  /** A program in an image that no other test uses. */
  ownImage(): Promise<Pick<ContainerSpec, 'image' | 'command' | 'args'>>;
  /** An image that is not on the node and cannot be had. */
  readonly missingImage: string;
  close(): Promise<void>;
}

let count = 0;

const sandboxSpec = (extra: Partial<SandboxSpec> = {}): SandboxSpec => ({
  podUid: `suite-${process.pid}-${++count}`, podName: `pod-${count}`, podNamespace: 'suite', attempt: 0, hostname: `pod-${count}`,
  hostNetwork: false, hostPid: false, hostIpc: false, sharePid: false, sysctls: {}, portMappings: [], labels: { 'suite.example/kept': 'yes' }, ...extra,
});

const containerSpec = (program: Pick<ContainerSpec, 'image' | 'command' | 'args'>, extra: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'main', attempt: 0, hostname: `pod-${count}`, env: [], mounts: [], devices: [], supplementalGroups: [], privileged: false, readOnlyRootFilesystem: false, capabilitiesAdd: [],
  capabilitiesDrop: [], noNewPrivileges: false, limits: { cpuShares: 102, cpuQuotaMicros: 0, memoryBytes: 0 }, stdin: false, stdinOnce: false, tty: false, labels: {}, ...program, ...extra,
});

const text = async (output: AsyncIterable<{ readonly stream: string; readonly data: Uint8Array }>): Promise<Record<string, string>> => {
  const out: Record<string, string> = {};
  for await (const { stream, data } of output) out[stream] = (out[stream] ?? '') + Buffer.from(data).toString();
  return out;
};

const said = async (session: ExecSession): Promise<{ readonly out: Record<string, string>; readonly code: number }> => ({ out: await text(session.output), code: await session.exit });

/** Holds every implementation of the runtime to the contract of kubelet-lite/runtime/runtime.ts. */
export const runtimeSuite = (test: TestFn, open: () => Promise<RuntimeHarness>): void => {
  let harness: Promise<RuntimeHarness>;
  test.before(() => { harness = open(); return harness.then(() => undefined); });
  test.after.always(async () => { await (await harness).close(); });

  const begun = async (t: { teardown(fn: () => Promise<void>): void }, extra: Partial<SandboxSpec> = {}): Promise<RuntimeHarness & { readonly sandbox: SandboxState; readonly spec: SandboxSpec }> => {
    const opened = await harness;
    const spec = sandboxSpec(extra);
    const sandbox = await opened.runtime.createSandbox(spec);
    t.teardown(async () => {
      for (const { id } of await opened.runtime.inspect(spec.podUid)) await opened.runtime.removeSandbox(id);
    });
    return { ...opened, sandbox, spec };
  };
  const never = new AbortController().signal;

  test('the engine tells what it is', async (t) => {
    const info = await (await harness).runtime.info();
    t.true(info.cpuCount > 0);
    t.true(info.memoryBytes > 2 ** 20);
    t.truthy(info.version);
  });

  test('a sandbox is ready with an address, and a second call finds the same', async (t) => {
    const { runtime, again, sandbox, spec } = await begun(t);
    t.true(sandbox.ready);
    t.regex(sandbox.ip ?? '', /^\d+\.\d+\.\d+\.\d+$/);
    t.is((await runtime.createSandbox(spec)).id, sandbox.id);
    const [seen] = await again.inspect(spec.podUid);
    t.like(seen, { id: sandbox.id, podName: spec.podName, podNamespace: 'suite', attempt: 0, ready: true, ip: sandbox.ip });
    t.is(seen?.labels['suite.example/kept'], 'yes');
    t.true((await again.list()).some(({ id }) => id === sandbox.id));
  });

  test('a container starts once for a name and attempt, and is seen by a restarted agent', async (t) => {
    const { runtime, again, sandbox, spec, program } = await begun(t);
    const wanted = containerSpec(program({}));
    const run = await runtime.startContainer(sandbox.id, wanted);
    t.is(run.status, 'running');
    t.is((await runtime.startContainer(sandbox.id, wanted)).id, run.id);
    const seen = (await again.inspect(spec.podUid))[0]!.containers;
    t.like(seen[0], { id: run.id, name: 'main', attempt: 0, status: 'running', image: wanted.image, imageId: run.imageId });
    t.true(Math.abs((seen[0]?.startedAtMs ?? 0) - (run.startedAtMs ?? 0)) < 5_000);
    const next = await again.startContainer(sandbox.id, { ...wanted, name: 'other' });
    t.not(next.id, run.id, 'an adopted sandbox takes more containers');
  });

  test('the limits of a container change while it runs, and are seen by a restarted agent', async (t) => {
    const { runtime, again, sandbox, spec, program } = await begun(t);
    const run = await runtime.startContainer(sandbox.id, containerSpec(program({}), { limits: { cpuShares: 102, cpuQuotaMicros: 10_000, memoryBytes: 64 * 2 ** 20 } }));
    t.deepEqual(run.limits, { cpuShares: 102, cpuQuotaMicros: 10_000, memoryBytes: 64 * 2 ** 20 });
    const limitsSeenBy = async (one: Engine) => (await one.inspect(spec.podUid))[0]!.containers.map(({ id, status, limits }) => ({ id, status, limits }));
    t.deepEqual(await limitsSeenBy(again), [{ id: run.id, status: 'running', limits: run.limits }]);
    await runtime.updateContainer(run.id, { cpuShares: 204, cpuQuotaMicros: 0, memoryBytes: 128 * 2 ** 20 });
    t.deepEqual(await limitsSeenBy(runtime), [{ id: run.id, status: 'running', limits: { cpuShares: 204, cpuQuotaMicros: 10_000, memoryBytes: 128 * 2 ** 20 } }]);
    await runtime.removeContainer(run.id);
    await t.throwsAsync(runtime.updateContainer(run.id, { cpuShares: 102, cpuQuotaMicros: 0, memoryBytes: 0 }), { instanceOf: RuntimeError });
  });

  test('changes name the pod, and an exit is seen with its code and time', async (t) => {
    const { runtime, sandbox, spec, program } = await begun(t);
    const abort = new AbortController();
    const heard: string[] = [];
    const listening = (async () => { for await (const uid of runtime.changes(abort.signal)) heard.push(uid); })();
    await runtime.startContainer(sandbox.id, containerSpec(program({ exitCode: 7 })));
    const run = await eventually(async () => {
      const one = (await runtime.inspect(spec.podUid))[0]!.containers[0]!;
      if (one.status !== 'exited' || !heard.includes(spec.podUid)) throw new Error(`status is ${one.status}`);
      return one;
    });
    t.is(run.exitCode, 7);
    t.false(run.oomKilled);
    t.true((run.finishedAtMs ?? 0) >= (run.startedAtMs ?? Infinity));
    abort.abort();
    await listening;
  });

  test('runs of a name are kept in order until they are removed', async (t) => {
    const { runtime, sandbox, spec, program } = await begun(t);
    for (const attempt of [0, 1]) {
      const run = await runtime.startContainer(sandbox.id, containerSpec(program({}), { attempt }));
      await runtime.stopContainer(run.id, 0);
    }
    const runs = (await runtime.inspect(spec.podUid))[0]!.containers;
    t.deepEqual(runs.map(({ attempt, status }) => [attempt, status]), [[0, 'exited'], [1, 'exited']]);
    await runtime.removeContainer(runs[0]!.id);
    await runtime.removeContainer(runs[0]!.id);
    t.deepEqual((await runtime.inspect(spec.podUid))[0]!.containers.map(({ attempt }) => attempt), [1]);
  });

  test('stop sends TERM, and KILL after the grace', async (t) => {
    const { runtime, sandbox, spec, program } = await begun(t);
    const polite = await runtime.startContainer(sandbox.id, containerSpec(program({})));
    const deaf = await runtime.startContainer(sandbox.id, containerSpec(program({ ignoresTerm: true }), { name: 'deaf' }));
    await Promise.all([runtime.stopContainer(polite.id, 10), runtime.stopContainer(deaf.id, 1)]);
    const codes = new Map((await runtime.inspect(spec.podUid))[0]!.containers.map(({ name, exitCode }) => [name, exitCode]));
    t.is(codes.get('main'), 143);
    t.is(codes.get('deaf'), 137);
    await t.notThrowsAsync(runtime.stopContainer(polite.id, 1), 'a second stop does nothing');
  });

  test('what cannot start says why, and counts as a run that ended', async (t) => {
    const { runtime, sandbox, spec, program } = await begun(t);
    const error = await t.throwsAsync(runtime.startContainer(sandbox.id, containerSpec(program({ cannotStart: true }))), { instanceOf: RuntimeError });
    t.is(error?.reason, 'RunContainerError');
    const run = (await runtime.inspect(spec.podUid))[0]!.containers[0]!;
    t.is(run.status, 'exited');
    t.is(run.exitCode, 127);
    t.truthy(run.error);
  });

  test('an image that is not there is not found, cannot be pulled and starts nothing', async (t) => {
    const { runtime, sandbox, missingImage } = await begun(t);
    t.is(await runtime.findImage(missingImage), undefined);
    const pulled = await t.throwsAsync(runtime.pullImage(missingImage, { auth: undefined }, never), { instanceOf: RuntimeError });
    t.is(pulled?.reason, 'ErrImagePull');
    const started = await t.throwsAsync(runtime.startContainer(sandbox.id, containerSpec({ image: missingImage })), { instanceOf: RuntimeError });
    t.is(started?.reason, 'ErrImagePull');
  });

  test('images are told by name, and those that containers run are among them', async (t) => {
    const { runtime, sandbox, program } = await begun(t);
    const runs = program({});
    const { image } = runs;
    await runtime.startContainer(sandbox.id, containerSpec(runs));
    const images = await runtime.images();
    t.true(images.some(({ names }) => names.includes(image) || names.includes(`${image}:latest`)), JSON.stringify(images));
    t.true(images.every(({ names, sizeBytes }) => names.length > 0 && sizeBytes >= 0));
  });

  test('an image of a container is in use until the container is removed, and goes then', async (t) => {
    const { runtime, sandbox, ownImage } = await begun(t);
    const runs = await ownImage();
    const run = await runtime.startContainer(sandbox.id, containerSpec(runs));
    await runtime.stopContainer(run.id, 0);
    t.true((await runtime.imagesInUse()).has(run.imageId));
    const refused = await t.throwsAsync(runtime.removeImage(run.imageId), { instanceOf: RuntimeError });
    t.is(refused?.reason, 'RemoveImageError');
    t.is(await runtime.findImage(runs.image), run.imageId);
    await runtime.removeContainer(run.id);
    t.false((await runtime.imagesInUse()).has(run.imageId));
    await runtime.removeImage(run.imageId);
    t.is(await runtime.findImage(runs.image), undefined);
    t.false((await runtime.images()).some(({ id }) => id === run.imageId));
    await t.notThrowsAsync(runtime.removeImage(run.imageId), 'a second removal does nothing');
    const disk = await runtime.imageDisk();
    t.true(disk === undefined || (disk.availableBytes > 0 && disk.availableBytes < disk.capacityBytes));
  });

  test('logs have both streams, a tail, and times', async (t) => {
    const { runtime, sandbox, spec, program } = await begun(t);
    const output = [{ stream: 'stdout', line: 'one' }, { stream: 'stderr', line: 'two' }, { stream: 'stdout', line: 'three' }] as const;
    const run = await runtime.startContainer(sandbox.id, containerSpec(program({ output, exitCode: 0 })));
    const logs = (options: { readonly tailLines?: number; readonly timestamps?: boolean; readonly follow?: boolean; readonly sinceMs?: number }) =>
      text(runtime.logs(run.id, { follow: false, timestamps: false, ...options }, never));
    t.deepEqual(await logs({ follow: true }), { stdout: 'one\nthree\n', stderr: 'two\n' }, 'a log that follows ends with the container');
    await eventually(async () => { if ((await runtime.inspect(spec.podUid))[0]?.containers[0]?.status !== 'exited') throw new Error('runs'); });
    t.deepEqual(await logs({ tailLines: 1 }), { stdout: 'three\n' });
    t.regex((await logs({ tailLines: 1, timestamps: true }))['stdout'] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z three\n$/);
    t.deepEqual(await logs({ sinceMs: Date.now() + 60_000 }), {});
  });

  test('a log that follows ends when the reader goes', async (t) => {
    const { runtime, sandbox, program } = await begun(t);
    const run = await runtime.startContainer(sandbox.id, containerSpec(program({ output: [{ stream: 'stdout', line: 'hello' }] })));
    const abort = new AbortController();
    const seen: string[] = [];
    const reading = (async () => { for await (const { data } of runtime.logs(run.id, { follow: true, timestamps: false }, abort.signal)) seen.push(Buffer.from(data).toString()); })();
    await eventually(() => { if (seen.length === 0) throw new Error('nothing yet'); });
    abort.abort();
    await reading;
    t.deepEqual(seen, ['hello\n']);
  });

  test('a command runs in a container, with input and an exit code', async (t) => {
    const { runtime, sandbox, program } = await begun(t);
    const run = await runtime.startContainer(sandbox.id, containerSpec(program({})));
    const session = await runtime.exec(run.id, { command: ['cat'], stdin: true, tty: false });
    await session.write(Buffer.from('to and fro\n'));
    session.closeInput();
    t.deepEqual(await said(session), { out: { stdout: 'to and fro\n' }, code: 0 });
    t.deepEqual(await said(await runtime.exec(run.id, { command: ['echo', 'hello'], stdin: false, tty: false })), { out: { stdout: 'echo hello\n'.slice(5) }, code: 0 });
  });

  test('attaching ends with its input and leaves the container running', async (t) => {
    const { runtime, sandbox, spec, program } = await begun(t);
    const { id } = await runtime.startContainer(sandbox.id, containerSpec(program({}), { stdin: true }));
    const session = await runtime.attach(id, { stdin: true, tty: false });
    session.closeInput();
    t.is((await said(session)).code, 0);
    t.is((await runtime.inspect(spec.podUid))[0]?.containers[0]?.status, 'running');
    // Nobody waits for the next start of what has ended.
    await runtime.stopContainer(id, 0);
    await t.throwsAsync(runtime.attach(id, { stdin: true, tty: false }), { name: 'RuntimeError' });
  });

  test('statistics are taken of a running container', async (t) => {
    const { runtime, sandbox, program } = await begun(t);
    const run = await runtime.startContainer(sandbox.id, containerSpec(program({})));
    const sample = await runtime.stats(run.id);
    t.true(sample.memoryBytes > 0);
    t.true(sample.workingSetBytes <= sample.memoryBytes);
    t.true(sample.cpuNanoseconds >= 0);
    const machine = await runtime.machineStats();
    t.true(machine.memoryBytes >= machine.workingSetBytes && machine.workingSetBytes > 0);
    t.true(machine.cpuNanoseconds >= sample.cpuNanoseconds);
    await runtime.stopContainer(run.id, 0);
    await t.throwsAsync(runtime.stats(run.id), { name: 'RuntimeError' });
  });

  test('a stopped sandbox is no longer ready and its containers can be read; a removed one takes all with it', async (t) => {
    const { runtime, sandbox, spec, program } = await begun(t);
    const run = await runtime.startContainer(sandbox.id, containerSpec(program({ output: [{ stream: 'stdout', line: 'kept' }], exitCode: 0 })));
    await eventually(async () => { if ((await runtime.inspect(spec.podUid))[0]?.containers[0]?.status !== 'exited') throw new Error('runs'); });
    await runtime.stopContainer(sandbox.id, 0);
    const [stopped] = await runtime.inspect(spec.podUid);
    t.false(stopped?.ready);
    t.deepEqual(await text(runtime.logs(run.id, { follow: false, timestamps: false }, never)), { stdout: 'kept\n' });
    await runtime.removeSandbox(sandbox.id);
    await runtime.removeSandbox(sandbox.id);
    t.deepEqual(await runtime.inspect(spec.podUid), []);
  });
};
