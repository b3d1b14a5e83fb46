/** Sandboxes made ahead of pods, on a real engine: who takes them, what a pod sees of it, and what a crash leaves. Root only. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../../base/clock.ts';
import { runCommand, type RunCommand } from '../../../base/commands.ts';
import { silentLog } from '../../../base/log.ts';
import { DockerRuntime } from '../../../kubelet-lite/runtime/docker.ts';
import type { ContainerSpec, SandboxSpec } from '../../../kubelet-lite/runtime/runtime.ts';
import { docker, E2eCluster, ensureEngine, ensureImages, must, within } from '../../helpers/e2e.ts';

const mark = `barge-warm-${process.pid}`;
const image = `${mark}:1`;
let dir = '';
const ending: (() => Promise<unknown>)[] = [];

test.before(async () => {
  await ensureEngine();
  dir = await mkdtemp(join(tmpdir(), 'barge-warm-'));
  const root = join(dir, 'root');
  await mkdir(join(root, 'bin'), { recursive: true });
  await cp('/bin/busybox', join(root, 'bin/busybox'));
  for (const applet of ['sh', 'sleep', 'cat', 'echo', 'hostname', 'id']) await symlink('busybox', join(root, 'bin', applet));
  await must('sh', ['-c', `tar -C ${root} -c . | docker import -c 'ENTRYPOINT ["sh", "-c"]' -c 'CMD ["hostname; sleep 1000"]' - ${image}`]);
  await docker('network', 'create', mark);
});

test.after.always(async () => {
  for (const end of ending.toReversed()) await end();
  const left = (await docker('ps', '-aq', '--filter', `label=barge.dev/owner=${mark}`)).split('\n').filter((id) => id !== '');
  if (left.length > 0) await docker('rm', '-f', ...left);
  await docker('network', 'rm', mark).catch(() => undefined);
  await docker('rmi', image).catch(() => undefined);
  await rm(dir, { recursive: true, force: true });
});

const open = (run: RunCommand = runCommand): DockerRuntime =>
  new DockerRuntime({ dockerHost: process.env['DOCKER_HOST'], owner: mark, network: mark, clock: systemClock, ahead: { dir: join(dir, 'programs'), run, log: silentLog } });

/** An agent's part in it, until it is ended. */
const kept = (runtime: DockerRuntime, count: number): () => Promise<void> => {
  const abort = new AbortController();
  const keeping = runtime.warm.keep({ count, most: 110, pods: () => 0 }, abort.signal);
  const listening = (async () => { for await (const uid of runtime.changes(abort.signal)) void runtime.inspect(uid).catch(() => undefined); })();
  const end = async (): Promise<void> => {
    abort.abort();
    await Promise.all([keeping, listening]);
  };
  ending.push(end);
  return end;
};

const waiting = async (): Promise<readonly string[]> => {
  const rows = await docker('ps', '-a', '--no-trunc', '--filter', `label=barge.dev/owner=${mark}`, '--filter', 'label=barge.dev/warm', '--filter', 'name=^barge_warm-', '--format', '{{.ID}}');
  return rows.split('\n').filter((id) => id !== '');
};

/** Sandboxes whose pods have gone. */
const spent = async (): Promise<readonly string[]> =>
  (await docker('ps', '-aq', '--no-trunc', '--filter', `label=barge.dev/owner=${mark}`, '--filter', 'name=^barge_spent-')).split('\n').filter((id) => id !== '');

const untilWaiting = ({ warm }: DockerRuntime, count: number): Promise<readonly string[]> => within(120, async () => {
  const ids = await waiting();
  assert.deepEqual([ids.length, warm.waiting], [count, count]);
  return ids;
});

const pod = (name: string, extra: Partial<SandboxSpec> = {}): SandboxSpec => ({
  podUid: `${name}-0000-${process.pid}`, podName: name, podNamespace: 'suite', attempt: 0, hostname: name, hostNetwork: false, hostPid: false, hostIpc: false, sharePid: false,
  sysctls: {}, portMappings: [], labels: {}, ...extra,
});

const container = (spec: SandboxSpec, extra: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'main', attempt: 0, image, hostname: spec.hostname, env: [], mounts: [], devices: [], supplementalGroups: [], privileged: false, readOnlyRootFilesystem: false, capabilitiesAdd: [],
  capabilitiesDrop: [], noNewPrivileges: false, limits: { cpuShares: 102, cpuQuotaMicros: 0, memoryBytes: 0 }, stdin: false, stdinOnce: false, tty: false, labels: {}, ...extra,
});

const said = (id: string): Promise<string> => within(60, async () => {
  const text = await docker('logs', id);
  assert.notEqual(text, '');
  return text;
});

test('a pod takes a sandbox that waits, and is named as if it had been made for it', async (t) => {
  const runtime = open();
  const end = kept(runtime, 2);
  const ready = await untilWaiting(runtime, 2);
  t.deepEqual(await runtime.list(), [], 'what waits is no pod');

  const spec = pod('first');
  const sandbox = await runtime.createSandbox(spec);
  t.true(ready.includes(sandbox.id));
  t.regex(sandbox.ip ?? '', /^\d+\.\d+\.\d+\.\d+$/);
  t.is((await runtime.createSandbox(spec)).id, sandbox.id, 'the same pod gets no second one');
  // The first thing that the image's own program does is to ask for its host's name.
  const own = await runtime.startContainer(sandbox.id, container(spec));
  t.is(await said(own.id), 'first');
  const shell = container(spec, {
    name: 'shell', command: ['sh', '-c', 'echo $(hostname) $HOSTNAME $(id -u) $0 "$1" .; exec sleep 1000', 'zero', ''], user: '10001', readOnlyRootFilesystem: true, noNewPrivileges: true, capabilitiesDrop: ['ALL'],
  });
  t.is(await said((await runtime.startContainer(sandbox.id, shell)).id), 'first first 10001 zero  .');

  // Every container of the pod has the address that the sandbox was made with, and another agent sees the pod so.
  const [seen] = await open().inspect(spec.podUid);
  t.like(seen, { id: sandbox.id, podUid: spec.podUid, podName: 'first', podNamespace: 'suite', attempt: 0, ready: true, ip: sandbox.ip });
  t.deepEqual(seen?.containers.map(({ name, status }) => [name, status]), [['main', 'running'], ['shell', 'running']]);

  // What a sandbox made ahead cannot give is made anew.
  for (const extra of [{ sysctls: { 'net.ipv4.ip_default_ttl': '99' } }, { hostNetwork: true }, { sharePid: true }, { portMappings: [{ containerPort: 1, hostPort: 45_981, hostIp: '127.0.0.1', protocol: 'TCP' as const }] }]) {
    const special = await runtime.createSandbox(pod(`special-${Object.keys(extra)[0]!.toLowerCase()}`, extra));
    t.false(ready.includes(special.id));
    await runtime.removeSandbox(special.id);
  }
  const replaced = await untilWaiting(runtime, 2);
  t.false(replaced.includes(sandbox.id));

  // One that somebody removes is replaced.
  await docker('rm', '-f', replaced[0]!);
  await within(120, async () => assert.deepEqual((await waiting()).filter((id) => !replaced.includes(id)).length, 1));
  await runtime.removeSandbox(sandbox.id);
  t.deepEqual(await runtime.inspect(spec.podUid), []);
  await end();
});

test('a pod that has gone leaves nothing that another gets, and its sandbox goes when nothing starts', async (t) => {
  const runtime = open();
  const end = kept(runtime, 1);
  await untilWaiting(runtime, 1);
  const spec = pod('gone');
  const sandbox = await runtime.createSandbox(spec);
  await runtime.startContainer(sandbox.id, container(spec));
  // While something starts, of whatever pod, the engine is not kept from it.
  const { promise: start, resolve: started } = Promise.withResolvers<void>();
  const starting = runtime.warm.during(() => start);
  await runtime.removeSandbox(sandbox.id);
  t.deepEqual([await runtime.inspect(spec.podUid), await runtime.list()], [[], []]);
  t.deepEqual(await spent(), [sandbox.id]);
  t.is(await docker('ps', '-aq', '--filter', `label=barge.dev/sandbox=${sandbox.id}`), '', 'its containers are gone');
  const other = await runtime.createSandbox(pod('other'));
  t.not(other.id, sandbox.id);
  t.deepEqual(await spent(), [sandbox.id]);
  started();
  await starting;
  await within(120, async () => assert.deepEqual(await spent(), []));

  // What an agent had not come to is the next one's.
  const next = (await untilWaiting(runtime, 1))[0]!;
  const last = pod('last');
  t.is((await runtime.createSandbox(last)).id, next);
  void runtime.warm.during(() => new Promise(() => undefined));
  await runtime.removeSandbox(next);
  await end();
  t.deepEqual(await spent(), [next]);
  const heir = open();
  const endHeir = kept(heir, 1);
  await within(120, async () => assert.deepEqual(await spent(), []));
  await endHeir();
  await runtime.removeSandbox(other.id);
  await heir.warm.removeAll();
});

test('what an agent that died had begun is brought to its end by the next', async (t) => {
  const before = open();
  const endBefore = kept(before, 1);
  await untilWaiting(before, 1);
  const spec = pod('orphan');
  const sandbox = await before.createSandbox(spec);
  const { id } = await before.startContainer(sandbox.id, container(spec, { command: ['sh', '-c', 'hostname; exec sleep 1000'] }));
  await untilWaiting(before, 1);
  await endBefore();
  // Started, and nobody there to name it: it waits at the gate, and its program has not begun.
  await docker('restart', '-t', '0', id);
  t.regex(await readFile(`/proc/${await docker('inspect', '-f', '{{.State.Pid}}', id)}/cmdline`, 'latin1'), /^\/\.barge-start\0orphan\0/);
  // An engine that was told to make one, and an agent that died before it was started.
  const half = await docker('create', '--name', 'barge_warm-half', '--label', `barge.dev/owner=${mark}`, '--label', 'barge.dev/type=sandbox', '--label', 'barge.dev/warm=other', 'barge/pause:1');

  const next = open();
  const [adopted] = await next.list();
  t.like(adopted, { id: sandbox.id, podUid: spec.podUid });
  await within(60, async () => assert.equal(await docker('logs', id), 'orphan\norphan'));
  const left = (await waiting()).find((one) => one !== half);
  const end = kept(next, 1);
  await within(120, async () => assert.deepEqual(await waiting(), [left]));
  t.like(await next.startContainer(sandbox.id, container(spec, { name: 'later', attempt: 1 })), { status: 'running' });

  // A container that somebody restarts is named again.
  await docker('restart', '-t', '0', id);
  await within(60, async () => assert.equal(await docker('logs', id), 'orphan\norphan\norphan'));
  await end();
  await next.removeSandbox(sandbox.id);
  t.is(await next.warm.removeAll(), 1);
  t.deepEqual(await waiting(), []);
});

test('a program that is not there ends as in a shell, with words', async (t) => {
  const runtime = open();
  const end = kept(runtime, 1);
  await untilWaiting(runtime, 1);
  const spec = pod('words');
  const sandbox = await runtime.createSandbox(spec);
  const message = join(dir, 'message');
  await must('sh', ['-c', `: >${message}; chmod 666 ${message}`]);
  for (const [program, code, words] of [['nothing', 127, 'exec: "nothing": executable file not found in $PATH'], ['/bin', 126, 'exec: "/bin": no such file, or not executable']] as const) {
    const { id } = await runtime.startContainer(sandbox.id, container(spec, { name: `c${code}`, command: [program], messagePath: '/message', mounts: [{ hostPath: message, containerPath: '/message', readOnly: false }] }));
    await within(60, async () => assert.equal((await runtime.inspect(spec.podUid))[0]!.containers.find((one) => one.id === id)?.exitCode, code));
    t.is((await readFile(message, 'utf8')).trim(), words);
  }
  await runtime.removeSandbox(sandbox.id);
  await end();
  await runtime.warm.removeAll();
});

test('where names cannot be set nothing is made ahead', async (t) => {
  const runtime = open(async (command, args, input) => (command === 'nsenter' ? { code: 1, stdout: '', stderr: 'nsenter: not permitted' } : runCommand(command, args, input)));
  await runtime.warm.keep({ count: 3, most: 110, pods: () => 0 }, new AbortController().signal);
  t.deepEqual(await waiting(), []);
});

test('barge keeps sandboxes ready, and a reset takes them away', async (t) => {
  await ensureImages();
  const names = async (): Promise<readonly string[]> => (await docker('ps', '--filter', 'name=^barge_', '--format', '{{.Names}}')).split('\n').filter((name) => name !== '').sort();
  const before = await names();
  const cluster = await E2eCluster.start({ args: ['--warm-sandboxes', '2'] });
  t.teardown(() => cluster.remove());
  await within(120, async () => assert.equal((await names()).filter((name) => name.startsWith('barge_warm-') && !before.includes(name)).length, 2));
  await cluster.barge('run', 'named', '--image=barge/hello:1', '--restart=Never', '--', 'sh', '-c', 'hostname; cat /etc/hostname; hostname -i; sleep 1000');
  await within(120, async () => assert.match(await cluster.barge('logs', 'named'), /^named\nnamed\n10\.244\.\d+\.\d+\n$/));
  await cluster.barge('delete', 'pod', 'named', '--now');
  await cluster.end();
  await must(join(import.meta.dirname, '../../../bin/barge'), ['reset', '--yes', '--data-dir', cluster.dataDir]);
  t.deepEqual(await names(), before);
});
