import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { systemClock } from '../../../base/clock.ts';
import { LivePair } from '../../../base/live-pair.ts';
import { LiveValue } from '../../../base/live-value.ts';
import { silentLog } from '../../../base/log.ts';
import type { NewObject } from '../../../client/client.ts';
import { createAgentComponent } from '../../../kubelet-lite/component.ts';
import { DockerRuntime } from '../../../kubelet-lite/runtime/docker.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { Secret } from '../../../schemas/kinds/core/secret.ts';
import { testApi } from '../../helpers/api.ts';
import { eventually } from '../../helpers/eventually.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { agentPki, apiserverClient } from '../../kubelet-lite/agent-fixture.ts';

// The agent on a real engine: what only a kernel can show. Needs root, Docker and busybox-static. All it makes carries `mark`.

const run = promisify(execFile);
const mark = `barge-agent-${process.pid}`;
const nodeName = 'engine-node';
const abort = new AbortController();
let dataDir = '';
let done: Promise<void> | undefined;
let api: Awaited<ReturnType<typeof testApi>>;
/** The agent goes by the machine's clock; a server whose clock stands still would give pods a deadline that is long over. */
class RunningClock extends FakeClock {
  override now = systemClock.now;
  override after = systemClock.after;
}
const runtime = new DockerRuntime({ dockerHost: process.env['DOCKER_HOST'], owner: mark, network: mark, clock: systemClock });

test.before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'barge-agent-'));
  const image = join(dataDir, 'image');
  await mkdir(join(image, 'bin'), { recursive: true });
  await mkdir(join(image, 'etc'));
  await writeFile(join(image, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n');
  await cp('/bin/busybox', join(image, 'bin/busybox'));
  for (const applet of ['sh', 'sleep', 'cat', 'echo', 'id', 'ls', 'hostname', 'httpd', 'stat', 'touch', 'true']) await symlink('busybox', join(image, 'bin', applet));
  await run('sh', ['-c', `tar -C ${image} -c . | docker import - ${mark}:1`]);
  await run('docker', ['network', 'create', mark]);
  const { Gateway } = JSON.parse((await run('docker', ['network', 'inspect', mark, '-f', '{{json (index .IPAM.Config 0)}}'])).stdout) as { readonly Gateway: string };
  api = await testApi({ clock: new RunningClock() });
  await api.client.of(Node).create({ metadata: { name: nodeName }, spec: { podCIDR: '10.244.0.0/24' } });
  const { serving, ca } = await agentPki();
  const component = createAgentComponent({ transport: api.transport, clock: systemClock, log: silentLog, random: Math.random }, {
    nodeName, nodeIp: '127.0.0.1', runtime, dataDir: join(dataDir, 'data'), clusterDomain: 'cluster.local', serviceCidr: '10.96.0.0/16', clusterCidr: '10.244.0.0/16',
    overlay: { name: 'none', overheadBytes: 0, prepare: async () => ({ gatewayIp: Gateway }), apply: async () => undefined, isUndisturbed: async () => true, remove: async () => undefined },
    withdrawal: { withdrawn: async () => undefined }, tls: { serving: new LivePair(serving), trust: new LiveValue(ca.cert) }, apiserverClientName: apiserverClient, nodeLabels: {},
    // The disk of the machine that runs this may be full.
    eviction: { thresholds: [], transitionMs: 0 },
  });
  await new Promise<void>((resolve, reject) => {
    done = component.run(abort.signal, resolve);
    done.catch(reject);
  });
  await createWriters();
});

test.after.always(async () => {
  abort.abort();
  await done;
  for (const { id } of await runtime.list()) await runtime.removeSandbox(id);
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' ')[4] ?? '').filter((point) => dataDir !== '' && point.startsWith(dataDir));
  for (const point of mounts) await run('umount', [point]);
  await run('docker', ['network', 'rm', mark]).catch(() => undefined);
  await run('docker', ['rmi', `${mark}:1`]).catch(() => undefined);
  await api?.close();
  await rm(dataDir, { recursive: true, force: true });
});

type Spec = NonNullable<Pod['spec']>;
type Container = Spec['containers'][number];

const create = (name: string, container: Partial<Container>, spec: Partial<Spec> = {}, annotations: Record<string, string> = {}): Promise<Pod> => api.client.of(Pod).create({
  metadata: { name, namespace: 'default', labels: { app: name }, annotations },
  spec: { nodeName, terminationGracePeriodSeconds: 2, containers: [{ name: 'main', image: `${mark}:1`, imagePullPolicy: 'IfNotPresent', command: ['sleep', '1000'], ...container }], ...spec },
} as NewObject<Pod>);

const until = (name: string, check: (pod: Pod) => unknown): Promise<Pod> => eventually(async () => {
  const pod = await api.client.of(Pod).get({ namespace: 'default', name });
  if (!check(pod)) throw new Error(JSON.stringify(pod.status));
  return pod;
}, 60_000);

const idOf = (pod: Pod, name = 'main'): string => pod.status!.containerStatuses!.find((one) => one.name === name)!.containerID!.replace('docker://', '');

const inside = async (pod: Pod, command: string): Promise<string> => (await run('docker', ['exec', idOf(pod), 'sh', '-c', command])).stdout.trim();

/** Pods that write more than they may, and one that does not. */
const createWriters = async (): Promise<void> => {
  const writes = (file: string): Partial<Container> => ({ command: ['sh', '-c', `busybox dd if=/dev/zero of=${file} bs=1M count=8; exec sleep 1000`], volumeMounts: [{ name: 'v', mountPath: '/v' }] });
  const spec = (sizeLimit: string): Partial<Spec> => ({ volumes: [{ name: 'v', emptyDir: { sizeLimit } }] });
  await create('volume-writer', writes('/v/file'), spec('4Mi'));
  await create('root-writer', { ...writes('/file'), resources: { limits: { 'ephemeral-storage': '4Mi' } } }, spec('4Mi'));
  await create('within', { ...writes('/v/file'), resources: { limits: { 'ephemeral-storage': '64Mi' } } }, spec('64Mi'));
};

const remove = async (name: string): Promise<void> => {
  await api.client.of(Pod).delete({ namespace: 'default', name });
  await eventually(async () => {
    if (await api.client.of(Pod).find({ namespace: 'default', name }) !== undefined) throw new Error('still there');
  }, 60_000);
};

test('files, names and environment of a pod are as its spec says', async (t) => {
  await api.client.of(ConfigMap).create({ metadata: { name: 'settings', namespace: 'default' }, data: { color: 'blue', 'other.conf': 'x' } });
  await api.client.of(Secret).create({ metadata: { name: 'keys', namespace: 'default' }, data: { token: Buffer.from('s3cret').toString('base64') } });
  await create('files', {
    env: [{ name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } }, { name: 'WHO', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }, { name: 'BOTH', value: '$(COLOR)-$$(COLOR)-$(NOPE)' }],
    resources: { limits: { memory: '64Mi', cpu: '500m' } },
    volumeMounts: [
      { name: 'config', mountPath: '/config' }, { name: 'secret', mountPath: '/secret' }, { name: 'scratch', mountPath: '/scratch' },
      { name: 'memory', mountPath: '/memory' }, { name: 'config', mountPath: '/one/color.txt', subPath: 'color' }, { name: 'scratch', mountPath: '/part', subPath: 'a/b' }, { name: 'self', mountPath: '/self' },
    ],
  }, {
    hostname: 'known', subdomain: 'sub', hostAliases: [{ ip: '10.9.8.7', hostnames: ['alias'] }], dnsConfig: { options: [{ name: 'timeout', value: '3' }] },
    securityContext: { fsGroup: 4321 },
    volumes: [
      { name: 'config', configMap: { name: 'settings' } }, { name: 'secret', secret: { secretName: 'keys', defaultMode: 0o400 } }, { name: 'scratch', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } }, { name: 'self', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    ],
  });
  const pod = await until('files', ({ status }) => status?.phase === 'Running');
  t.is(await inside(pod, 'cat /config/color /config/other.conf /secret/token /one/color.txt /self/labels'), 'bluexs3cretblueapp="files"');
  t.is(await inside(pod, 'echo $COLOR $WHO $BOTH'), `blue ${pod.status!.podIP} blue-$(COLOR)-$(NOPE)`);
  t.is(await inside(pod, 'hostname'), 'known');
  t.regex(await inside(pod, 'cat /etc/hosts'), new RegExp(`${pod.status!.podIP}\tknown.sub.default.svc.cluster.local\tknown\n[^]*10.9.8.7\talias`));
  t.regex(await inside(pod, 'cat /etc/resolv.conf'), /^nameserver \d+\.\d+\.\d+\.1\nsearch default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\noptions ndots:5 timeout:3$/);
  t.regex(await inside(pod, 'cat /proc/mounts'), /tmpfs \/memory tmpfs [^\n]*size=8192k/);
  t.is(await inside(pod, 'stat -c %g /scratch'), '4321');
  t.is(await inside(pod, 'touch /part/x && ls /scratch/a/b'), 'x');
  await t.throwsAsync(inside(pod, 'touch /config/y'), undefined, 'volumes of objects are read only');
  await api.client.of(ConfigMap).modify({ namespace: 'default', name: 'settings' }, (draft) => { draft.data = { color: 'red' }; });
  await eventually(async () => { if (await inside(pod, 'cat /config/color; ls /config') !== 'redcolor') throw new Error('is not updated'); });
  await remove('files');
  const left = (await readFile('/proc/self/mountinfo', 'utf8')).includes(pod.metadata.uid!);
  t.false(left, 'no mount of the pod is left');
});

test('users, capabilities and a root file system that cannot be written', async (t) => {
  await create('locked', {
    securityContext: { runAsUser: 10001, runAsGroup: 20002, runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['all'], add: ['NET_BIND_SERVICE'] } },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  }, { securityContext: { supplementalGroups: [30003] }, volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory' } }] });
  const pod = await until('locked', ({ status }) => status?.phase === 'Running');
  t.is(await inside(pod, 'id -u; id -g; id -G'), '10001\n20002\n20002 30003');
  await t.throwsAsync(inside(pod, 'touch /x'));
  t.is(await inside(pod, 'touch /tmp/x && ls /tmp'), 'x');
  t.regex(await inside(pod, 'cat /proc/1/status'), /CapBnd:\s+0000000000000400\n/);
  t.regex(await inside(pod, 'cat /proc/1/status'), /NoNewPrivs:\s+1\n/);
  await create('rooted', { securityContext: { runAsNonRoot: true } });
  const rooted = await until('rooted', ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError');
  t.regex(rooted.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '', /image will run as root/);
  await Promise.all([remove('locked'), remove('rooted')]);
});

test('a profile of seccomp from the node, a stop signal and a host name in full', async (t) => {
  const profiles = join(dataDir, 'data/seccomp/team');
  await mkdir(profiles, { recursive: true });
  await writeFile(join(profiles, 'no-mkdir.json'), JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] }));
  const profile = (localhostProfile: string): Partial<Spec> => ({ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile } } });
  await create('told', {
    command: ['sh', '-c', 'trap "echo usr1 > /dev/termination-log; exit 7" USR1; while :; do sleep 0.1; done'],
    lifecycle: { stopSignal: 'SIGUSR1' }, securityContext: { appArmorProfile: { type: 'Unconfined' } },
    livenessProbe: { exec: { command: ['cat', '/well'] }, initialDelaySeconds: 4, periodSeconds: 1, failureThreshold: 1 },
  }, { ...profile('team/no-mkdir.json'), os: { name: 'linux' }, hostnameOverride: 'shop.example.com', restartPolicy: 'Never' });
  await create('unknown', {}, profile('team/none.json'));
  const pod = await until('told', ({ status }) => status?.phase === 'Running');
  t.is(await inside(pod, 'touch /made; ls /made; busybox mkdir /folder 2>/dev/null || echo forbidden'), '/made\nforbidden');
  t.is(await inside(pod, 'hostname; cat /etc/hostname; echo $HOSTNAME'), 'shop.example.com\nshop.example.com\nshop.example.com');
  t.regex(await inside(pod, 'cat /etc/hosts'), new RegExp(`${pod.status!.podIP}\tshop\\.example\\.com\\b`));
  t.is(pod.status?.containerStatuses?.[0]?.stopSignal, 'SIGUSR1');
  const stopped = await until('told', ({ status }) => status?.phase === 'Failed');
  t.like(stopped.status?.containerStatuses?.[0]?.state?.terminated, { exitCode: 7, message: 'usr1\n' });
  const unknown = await until('unknown', ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError');
  t.regex(unknown.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '', /seccomp profile .*none\.json cannot be read/);
  await Promise.all([remove('told'), remove('unknown')]);
});

test('probes reach the pod, a killed container comes back, and last words are kept', async (t) => {
  await create('served', {
    command: ['sh', '-c', 'echo last > /dev/termination-log; echo hello > /ok; exec httpd -f -p 8080 -h /'],
    readinessProbe: { httpGet: { path: '/ok', port: 'http' as unknown as number }, periodSeconds: 1 }, ports: [{ containerPort: 8080, name: 'http' }],
    livenessProbe: { exec: { command: ['cat', '/ok'] }, periodSeconds: 1 },
  });
  const pod = await until('served', ({ status }) => status?.containerStatuses?.[0]?.ready);
  await run('docker', ['kill', idOf(pod)]);
  const back = await until('served', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1 && status.containerStatuses[0].ready);
  t.like(back.status?.containerStatuses?.[0]?.lastState?.terminated, { exitCode: 137, reason: 'Error', message: 'last\n' });
  await remove('served');
});

test('sidecars start in order before the others, each when the one before it has started, and end after them in reverse', async (t) => {
  const told = join(dataDir, 'told');
  const program = (name: string, before = ''): readonly string[] => ['sh', '-c', `trap 'echo ${name} ends >> /told/order; exit 0' TERM; ${before}echo ${name} starts >> /told/order; touch /up; while :; do sleep 0.1; done`];
  const volumeMounts = [{ name: 'told', mountPath: '/told' }];
  const one = (name: string, more: object): Container => ({ name, image: `${mark}:1`, imagePullPolicy: 'IfNotPresent', volumeMounts, ...more }) as Container;
  await create('ordered', { volumeMounts, command: program('main'), lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo main is told >> /told/order'] } } } }, {
    terminationGracePeriodSeconds: 60,
    volumes: [{ name: 'told', hostPath: { path: told, type: 'DirectoryOrCreate' } }],
    initContainers: [
      one('first', { command: ['sh', '-c', 'echo first runs >> /told/order'] }),
      one('slow', { restartPolicy: 'Always', command: program('slow', 'sleep 2; '), startupProbe: { exec: { command: ['cat', '/up'] }, periodSeconds: 1, failureThreshold: 60 } }),
      one('side', { restartPolicy: 'Always', command: program('side'), lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo side is told >> /told/order'] } } } }),
      one('last', { command: ['sh', '-c', 'echo last runs >> /told/order'] }),
    ],
  });
  const order = async (): Promise<readonly string[]> => (await readFile(join(told, 'order'), 'utf8')).trim().split('\n');
  const begun = ['first runs', 'slow starts', 'side starts', 'last runs', 'main starts'];
  await eventually(async () => assert.equal((await order()).length, begun.length), 60_000);
  await remove('ordered');
  const [sideStarts, lastRuns] = [(await order()).indexOf('side starts'), (await order()).indexOf('last runs')];
  // A sidecar without a probe has started when its container has; what it does first is its own matter.
  t.true(sideStarts > 1 && lastRuns > 1);
  t.deepEqual((await order()).filter((line) => line !== 'side starts'), [...begun.filter((line) => line !== 'side starts'), 'main is told', 'main ends', 'side is told', 'side ends', 'slow ends']);
});

test('host ports: at every address or at one, and free again when the pod has gone', async (t) => {
  const ports = [{ containerPort: 8080, hostPort: 45_311 }, { containerPort: 8080, hostPort: 45_312, hostIP: '127.0.0.1' }];
  await create('ported', { command: ['sh', '-c', 'echo here > /ok; exec httpd -f -p 8080 -h /'], ports, readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } });
  const pod = await until('ported', ({ status }) => status?.containerStatuses?.[0]?.ready);
  const { stdout } = await run('docker', ['network', 'inspect', mark, '-f', '{{(index .IPAM.Config 0).Gateway}}']);
  const answer = (host: string, port: number): Promise<string> => fetch(`http://${host}:${port}/ok`, { signal: AbortSignal.timeout(10_000) }).then((response) => response.text(), () => 'refused');
  t.deepEqual(await Promise.all([answer('127.0.0.1', 45_311), answer(stdout.trim(), 45_311), answer('127.0.0.1', 45_312), answer(stdout.trim(), 45_312)]), ['here\n', 'here\n', 'here\n', 'refused']);
  await create('second', { ports });
  const second = await until('second', ({ status }) => status?.phase === 'Failed');
  t.is(second.status?.reason, 'NodePorts');
  await Promise.all([remove('ported'), remove('second')]);
  await create('third', { ports });
  t.not((await until('third', ({ status }) => status?.phase === 'Running')).metadata.uid, pod.metadata.uid);
  await remove('third');
});

test('a container that takes more memory than its limit is shown as OOMKilled', async (t) => {
  await create('greedy', { command: ['sh', '-c', 'x=0123456789; while :; do x=$x$x; done'], resources: { limits: { memory: '16Mi' } } }, { restartPolicy: 'Never' });
  const pod = await until('greedy', ({ status }) => status?.phase === 'Failed');
  t.is(pod.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'OOMKilled');
  await remove('greedy');
});

test('a container gets the devices of its annotation, and may do with them what that says', async (t) => {
  await create('devices', {}, { containers: ['main', 'other'].map((name) => ({ name, image: `${mark}:1`, command: ['sleep', '1000'] })) }, { 'devices.barge.dev/main': '/dev/fuse:/dev/words:r' });
  const pod = await until('devices', ({ status }) => status?.phase === 'Running');
  t.is(await inside(pod, 'stat -c "%F %t:%T" /dev/words'), 'character special file a:e5');
  t.is(await inside(pod, ': < /dev/words && echo read; (: > /dev/words) 2>/dev/null || echo "not written"'), 'read\nnot written');
  const { stdout } = await run('docker', ['exec', idOf(pod, 'other'), 'sh', '-c', 'ls /dev']);
  t.false(stdout.split('\n').includes('words'), 'another container of the pod has it not');
  await remove('devices');
});

test('a user other than root writes to a subPath of its volumes, with a group and without', async (t) => {
  const mounts = [{ name: 'disk', mountPath: '/disk', subPath: 'a/b' }, { name: 'memory', mountPath: '/memory', subPath: 'c' }];
  for (const [name, securityContext] of [['part-plain', { runAsUser: 1000, runAsGroup: 1000 }], ['part-group', { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 }]] as const) {
    await create(name, { volumeMounts: mounts }, { securityContext, volumes: [{ name: 'disk', emptyDir: {} }, { name: 'memory', emptyDir: { medium: 'Memory' } }] });
    const pod = await until(name, ({ status }) => status?.phase === 'Running');
    t.is(await inside(pod, 'touch /disk/x /memory/y && ls /disk /memory && stat -c %g /disk/x'), `/disk:\nx\n\n/memory:\ny\n${name === 'part-group' ? 2000 : 1000}`);
    await remove(name);
  }
});

test('a subPath cannot lead out of its volume', async (t) => {
  await create('escape', { command: ['sleep', '1000'], volumeMounts: [{ name: 'v', mountPath: '/in', subPath: 'link' }] }, {
    initContainers: [{ name: 'plant', image: `${mark}:1`, imagePullPolicy: 'IfNotPresent', command: ['busybox', 'ln', '-s', '/etc', '/v/link'], volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    volumes: [{ name: 'v', emptyDir: {} }],
  });
  const pod = await until('escape', ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError');
  t.regex(pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '', /leads out of the volume/);
  await remove('escape');
});

test('the health check of an image makes its container ready, and unready again', async (t) => {
  const id = (await run('docker', ['create', `${mark}:1`, 'sleep', '1000'])).stdout.trim();
  const image = `${mark}:checked`;
  await run('docker', ['commit', '--change', 'HEALTHCHECK --interval=1s --timeout=20s --retries=2 CMD cat /well', id, image]);
  await run('docker', ['rm', id]);
  t.teardown(async () => void await run('docker', ['rmi', '-f', image]));
  await create('checked', { image });
  const pod = await until('checked', ({ status }) => status?.phase === 'Running' && status.containerStatuses?.[0]?.started);
  t.false(pod.status?.containerStatuses?.[0]?.ready);
  await inside(pod, 'echo yes > /well');
  await until('checked', ({ status }) => status?.containerStatuses?.[0]?.ready);
  await inside(pod, 'busybox rm /well');
  const after = await until('checked', ({ status }) => status?.containerStatuses?.[0]?.ready === false);
  t.is(after.status?.containerStatuses?.[0]?.restartCount, 0);
  await remove('checked');
});

test('pods that write more than they may are evicted, and nothing of them is left on the engine', async (t) => {
  // They were made before all others, for they are measured once a minute.
  const [first, second] = await eventually(async () => {
    const pods = await Promise.all(['volume-writer', 'root-writer'].map((name) => api.client.of(Pod).get({ namespace: 'default', name })));
    for (const { status } of pods) if (status?.phase !== 'Failed') throw new Error(JSON.stringify(status));
    return pods;
  }, 180_000);
  t.like(first?.status, { reason: 'Evicted', message: 'Usage of EmptyDir volume "v" exceeds the limit "4Mi". ' });
  t.like(second?.status, { reason: 'Evicted', message: 'Pod ephemeral local storage usage exceeds the total limit of containers 4Mi. ' });
  await eventually(async () => assert.deepEqual((await runtime.list()).filter(({ podName }) => podName.endsWith('-writer')), []), 60_000);
  t.is((await api.client.of(Pod).get({ namespace: 'default', name: 'within' })).status?.phase, 'Running');
  await Promise.all(['volume-writer', 'root-writer', 'within'].map(remove));
});
