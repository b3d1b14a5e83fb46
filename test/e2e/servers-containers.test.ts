/**
 * Three machines with engines, two of them servers on an etcd that speaks TLS only: the authority is replaced, servers are lost, a
 * worker becomes a server and a server a worker, and no container takes notice.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { createCa, issueCertificate } from '../../base/pki.ts';
import { bargeBin, isRoot, kubectls, within } from '../helpers/e2e.ts';
import { startLoadAt } from '../helpers/net-load.ts';
import { NodeLab } from '../helpers/node-lab.ts';

const machines = ['s1', 's2', 'w1'] as const;
type Machine = (typeof machines)[number];

const who = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: who}
spec:
  selector: {matchLabels: {app: who}}
  template:
    metadata: {labels: {app: who}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: who
        image: barge/hello:1
        command: [sh, -c, 'mkdir /tmp/www; echo $NODE > /tmp/www/index.html; echo here is $NODE; httpd -f -p 8080 -h /tmp/www']
        env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 10}
---
apiVersion: v1
kind: Service
metadata: {name: who}
spec:
  type: NodePort
  selector: {app: who}
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
`;

const own = `
apiVersion: v1
kind: Pod
metadata: {name: own, labels: {app: own}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "barge/hello:1", command: [sh, -c, "echo hello from a file; exec sleep 3600"]}]
`;

const isHere = spawnSync('etcd', ['--version']).error === undefined;

if (!isRoot || (!isHere && process.env['CI'] === undefined)) test.skip('servers with containers: needs root and etcd', (t) => t.pass());
else {
  let lab: NodeLab;
  let kubectl: string;
  let etcd: ChildProcess;
  let serverArgs: readonly string[];
  let clusterIp: string;

  /** kubectl on a server's machine. */
  const by = (server: Machine) => (...args: readonly string[]): Promise<string> => lab.on(server, kubectl, ...args);
  const barge = (server: Machine, ...args: readonly string[]): Promise<string> => lab.on(server, bargeBin, ...args);
  const podOn = async (machine: Machine, server: Machine): Promise<string> => (await by(server)('get', 'pods', '-l', 'app=who', '--field-selector', `spec.nodeName=${machine}`, '-o', 'jsonpath={.items[0].metadata.name}')).trim();
  /** Containers of pods with when they started and whose they are, by machine. */
  const containers = async (): Promise<readonly string[]> => (await Promise.all(machines.map(async (machine) => {
    const ids = (await lab.docker(machine, 'ps', '-q', '--filter', 'label=barge.dev/owner', '--filter', 'name=barge_who')).split('\n').filter((id) => id !== '').sort();
    assert.equal(ids.length, 1, machine);
    return lab.docker(machine, 'inspect', '--format', `${machine} {{.Id}} {{.State.StartedAt}} {{.RestartCount}} {{index .Config.Labels "barge.dev/owner"}}`, ...ids);
  })));
  /** The machine whose pod answers one there. */
  const asked = async (from: Machine, address: string, port: number): Promise<string> => (await lab.net.sh(from, `(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 0.2) | busybox nc -w 5 ${address} ${port} 2> /dev/null | tail -n 1`)).trim();
  const ready = (machine: Machine, server: Machine): Promise<string> => by(server)('get', 'node', machine, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].lastTransitionTime}');
  const managers = (server: Machine): Promise<string> => barge(server, 'node', 'ls');
  /** New pods come to each of these machines and run, and can be asked what they wrote and run programs. */
  const works = async (server: Machine, name: string, on: readonly Machine[] = machines): Promise<void> => {
    const k = by(server);
    for (const machine of on) {
      const pod = `${name}-${machine}`;
      await k('run', pod, '--image=barge/hello:1', `--overrides=${JSON.stringify({ spec: { nodeName: machine, terminationGracePeriodSeconds: 1, containers: [{ name: pod, image: 'barge/hello:1', command: ['sh', '-c', 'echo hello; exec sleep 3600'] }] } })}`);
      await k('wait', `pod/${pod}`, '--for=condition=Ready', '--timeout=120s');
      await within(60, async () => assert.equal(await k('logs', pod), 'hello\n'));
      assert.equal(await k('exec', pod, '--', 'echo', 'there'), 'there\n');
      await k('delete', 'pod', pod, '--wait=false');
    }
  };
  /** Calls to the Service from all machines, by its address and by each node's port. The function ends them, and throws where one failed. */
  const load = (from: readonly Machine[]): (() => Promise<void>) => {
    const urls = [`http://${clusterIp}/`, ...machines.map((machine) => `http://${lab.net.ip(machine)}:30080/`)];
    const loads = from.map((machine) => startLoadAt((command, args) => lab.net.at(machine, command, args), urls));
    return async () => {
      for (const [index, one] of loads.entries()) {
        for (const [place, { requests, failures }] of (await one.stop()).entries()) {
          assert.deepEqual(failures, [], `${from[index]} to ${urls[place]}`);
          assert.ok(requests > 0);
        }
      }
    };
  };
  /** A client on the second server's machine that goes on: what it said so far, and whether it has ended. */
  const follow = (kubeconfig: string, ...args: readonly string[]) => {
    const child = spawn(...lab.net.at('s2', kubectl, ['--kubeconfig', kubeconfig, ...args]), { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, HOME: lab.folder } });
    const said = { out: '', child, ended: (): boolean => child.exitCode !== null || child.signalCode !== null };
    child.stdout.setEncoding('utf8').on('data', (text: string) => { said.out += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { said.out += text; });
    return said;
  };

  test.before(async () => {
    kubectl = [...(await kubectls()).values()].at(-1)!;
    lab = await NodeLab.open({ label: 'containers', nodes: [{ name: 's1', link: 'a' }, { name: 's2', link: 'a' }, { name: 'w1', link: 'b' }], strangers: [{ name: 'etcd', link: 'a' }] });
    const nowMs = Date.now();
    const ca = await createCa({ commonName: 'etcd', lifetimeDays: 2, nowMs });
    const common = { ca, lifetimeDays: 1, nowMs } as const;
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(lab.folder, name), text, { mode: 0o600 });
      return join(lab.folder, name);
    };
    const server = await issueCertificate({ ...common, commonName: 'etcd', usages: ['server'], ipAddresses: [lab.net.ip('etcd')] });
    const client = await issueCertificate({ ...common, commonName: 'barge', usages: ['client'] });
    const cafile = await file('etcd-ca.crt', ca.cert);
    const url = `https://${lab.net.ip('etcd')}:2379`;
    etcd = spawn(...lab.net.at('etcd', 'etcd', [
      '--data-dir', join(lab.folder, 'etcd-data'), '--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', 'http://127.0.0.1:2380', '--initial-advertise-peer-urls', 'http://127.0.0.1:2380', '--initial-cluster', 'default=http://127.0.0.1:2380', '--log-level', 'error',
      '--cert-file', await file('etcd.crt', server.cert), '--key-file', await file('etcd.key', server.key), '--trusted-ca-file', cafile, '--client-cert-auth',
    ]), { stdio: 'ignore' });
    process.prependOnceListener('exit', () => void etcd.kill('SIGKILL'));
    serverArgs = ['--etcd-servers', url, '--etcd-cafile', cafile, '--etcd-certfile', await file('barge.crt', client.cert), '--etcd-keyfile', await file('barge.key', client.key)];
    await lab.up(...serverArgs);
    await lab.joinAsServer('s2');
    await mkdir(join(lab.folder, 'manifests'));
    await lab.join('w1', '--pod-manifest-path', join(lab.folder, 'manifests'));
    await lab.with(kubectl, ['apply', '-f', '-'], { input: who });
    await lab.with(kubectl, ['rollout', 'status', 'daemonset/who', '--timeout=120s']);
    clusterIp = await by('s1')('get', 'service', 'who', '-o', 'jsonpath={.spec.clusterIP}');
    // Each proxy hears of the last pod in its own time.
    for (const machine of machines) {
      for (const [address, port] of [[clusterIp, 80], ...machines.map((one) => [lab.net.ip(one), 30_080] as const)] as const) {
        await within(60, async () => { for (let n = 0; n < 6; n++) assert.match(await asked(machine, address, port), /^[sw][12]$/); });
      }
    }
  });
  test.after.always(async (t) => {
    if (lab === undefined) return;
    if (!t.passed) for (const machine of machines) t.log(`${machine}:\n${lab.log(machine).slice(-6_000)}`);
    await lab.close();
    if (etcd !== undefined && etcd.exitCode === null && etcd.signalCode === null) {
      const closed = once(etcd, 'close');
      etcd.kill('SIGKILL');
      await closed;
    }
  });

  test.serial('the authority is replaced: containers, Services, sessions, logs and watches go on', async (t) => {
    const before = await containers();
    const k = by('s2');
    t.regex(await managers('s2'), /^s1 +Ready +control-plane +Leader [^]*^s2 +Ready +control-plane +Reachable [^]*^w1 +Ready +<none> /m);
    const old = join(lab.folder, 'old.kubeconfig');
    await copyFile(lab.kubeconfigOf('s2'), old);
    const pods = await Promise.all(machines.map((machine) => podOn(machine, 's2')));
    const watch = follow(old, 'get', 'configmaps', '-w', '-o', 'name');
    const sessions = pods.map((pod) => follow(old, 'exec', '-i', pod, '--', 'cat'));
    const logs = pods.map((pod) => follow(old, 'logs', '-f', pod));
    const says = async (word: string): Promise<void> => {
      for (const { child } of sessions) child.stdin.write(`${word}\n`);
      await within(60, () => { for (const session of sessions) assert.match(session.out, new RegExp(`^${word}$`, 'm')); });
    };
    await says('first');
    await within(60, () => { for (const [index, log] of logs.entries()) assert.equal(log.out, `here is ${machines[index]}\n`); });
    const over = load(machines);

    t.regex(await barge('s1', 'ca', 'rotate'), /^All servers and nodes have certificates of the new authority/m);
    await says('second');
    await k('create', 'configmap', 'between');
    await within(60, () => assert.match(watch.out, /configmap\/between\b/));
    t.false([watch, ...sessions, ...logs].some((one) => one.ended()), 'nobody was cut off');
    await works('s1', 'between');
    await works('s2', 'between-too');
    // The pods' own accounts hear of it.
    const authorities = async (pod: string): Promise<number> => Number(await k('exec', pod, '--', 'grep', '-c', 'BEGIN CERTIFICATE', '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'));
    for (const pod of pods) await within(120, async () => assert.equal(await authorities(pod), 2));

    // Who came by the new one stays when the old one goes.
    const fresh = pods.map((pod) => follow(lab.kubeconfigOf('s2'), 'exec', '-i', pod, '--', 'cat'));
    for (const { child } of fresh) child.stdin.write('stays\n');
    await within(60, () => { for (const session of fresh) assert.equal(session.out, 'stays\n'); });
    t.regex(await barge('s1', 'ca', 'finish'), /is not trusted any more/);
    await works('s1', 'after');
    await works('s2', 'after-too');
    for (const { child } of fresh) child.stdin.write('still\n');
    await within(60, () => { for (const session of fresh) assert.equal(session.out, 'stays\nstill\n'); });
    for (const pod of pods) await within(120, async () => assert.equal(await authorities(pod), 1));
    await within(60, () => t.true(watch.ended(), 'a watch of before is cut'));
    for (const one of [watch, ...sessions, ...logs, ...fresh]) one.child.kill('SIGKILL');
    await over();
    t.deepEqual(await containers(), before);
  });

  test.serial('the first server is killed: its pods run on, nodes and clients go on at the other, and it takes its containers back', async (t) => {
    const before = await containers();
    const k = by('s2');
    const since = await ready('w1', 's2');
    t.regex(since, /^True /);
    const over = load(['s2', 'w1']);
    await lab.kill('s1');
    await works('s2', 'alone', ['s2', 'w1']);
    await within(60, async () => assert.match(await ready('s1', 's2'), /^Unknown /));
    await k('create', 'configmap', 'alone');
    await within(60, async () => assert.match(await managers('s2'), /^s1 +NotReady[^]*^s2 +Ready +control-plane +Leader /m));
    t.deepEqual(await containers(), before, 'no container ended or began');
    t.regex(await asked('s1', clusterIp, 80), /^[sw][12]$/, 'the proxy of the lost server serves');
    await lab.up(...serverArgs);
    await works('s1', 'back');
    t.is(await by('s1')('get', 'configmap', 'alone', '-o', 'name'), 'configmap/alone\n');
    await over();
    t.deepEqual(await containers(), before, 'and it has taken over what runs');
    t.is(await ready('w1', 's1'), since, 'the worker was Ready all the time');
  });

  test.serial('a node that starts without any server runs the pods of its folder, and keeps those that it had', async (t) => {
    const before = await containers();
    await lab.end('w1');
    await lab.kill('s1');
    await lab.kill('s2');
    await writeFile(join(lab.folder, 'manifests', 'own.yaml'), own);
    const running = (): Promise<string> => lab.docker('w1', 'ps', '--format', '{{.Names}}', '--filter', 'name=barge_main_own-w1_');
    await lab.again('w1', ['join', '--pod-manifest-path', join(lab.folder, 'manifests')], /^/);
    await within(120, async () => assert.match(await running(), /^barge_main_own-w1_/));
    t.deepEqual(await containers(), before);
    const ids = await lab.docker('w1', 'ps', '-q', '--filter', 'name=barge_main_own-w1_');
    await Promise.all([lab.up(...serverArgs), lab.again('s2', ['up'])]);
    await within(60, () => by('s2')('get', 'pod', 'own-w1'));
    await by('s2')('wait', 'pod/own-w1', '--for=condition=Ready', '--timeout=120s');
    await within(60, async () => assert.equal(await by('s1')('logs', 'own-w1'), 'hello from a file\n'));
    t.is(await lab.docker('w1', 'ps', '-q', '--filter', 'name=barge_main_own-w1_'), ids);
    await works('s2', 'again');
    t.deepEqual(await containers(), before);
  });

  test.serial('a worker becomes a server under load, also after an attempt that was killed in the middle', async (t) => {
    const before = await containers();
    const over = load(machines);
    // The command dies when the node is marked; the machine hears of it too late.
    lab.signal('w1', 'SIGSTOP');
    const attempt = spawn(...lab.net.at('s1', bargeBin, ['node', 'promote', 'w1', '--timeout', '2s']), { env: { ...process.env, KUBECONFIG: lab.kubeconfig }, stdio: 'ignore' });
    const mark = (): Promise<string> => by('s1')('get', 'node', 'w1', '-o', 'jsonpath={.metadata.annotations.barge\\.dev/promote}');
    try {
      await within(60, async () => assert.notEqual(await mark(), ''));
      const closed = once(attempt, 'close');
      attempt.kill('SIGKILL');
      await closed;
      await delay(Date.parse((await mark()).replace(/^.* until /, '')) - Date.now() + 1_000);
    } finally {
      lab.signal('w1', 'SIGCONT');
    }
    await within(60, async () => assert.match(await ready('w1', 's1'), /^True /));
    t.not(await mark(), '', 'the mark is still there');
    await within(60, () => assert.match(lab.log('w1'), /mark .* has run out/));
    t.notRegex(await managers('s1'), /^w1 .*(Reachable|Leader)/m);

    t.is(await barge('s1', 'node', 'promote', 'w1'), 'node w1 is a server now\n');
    await within(60, async () => assert.match(await barge('w1', 'node', 'ls'), /^w1 +Ready +control-plane +Reachable /m));
    t.is(await mark(), '');
    await works('w1', 'promoted');
    await over();
    t.deepEqual(await containers(), before);
    t.is(await by('w1')('get', 'pod', 'own-w1', '-o', 'jsonpath={.status.phase}'), 'Running');
    t.regex(await readFile(join(lab.dataDir('w1'), 'server', 'settings.json'), 'utf8'), /"etcd-keyfile"/);
  });
  test.serial('a server becomes a worker under load, and starts again as one', async (t) => {
    const before = await containers();
    const over = load(machines);
    t.is(await barge('w1', 'node', 'demote', 's2'), 'node s2 is a worker now\n');
    await within(120, async () => assert.match(await managers('w1'), /^s2 +Ready +<none> /m));
    await works('w1', 'demoted');
    await lab.end('s2');
    await lab.again('s2', ['join']);
    await works('s1', 'joined');
    await over();
    t.deepEqual(await containers(), before);
    t.deepEqual((await readdir(lab.dataDir('s2'))).filter((name) => !/^agent|pid$/.test(name)), ['node']);
  });
}
