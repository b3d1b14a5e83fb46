/** Two servers that share an etcd and a worker, each a machine of its own: one server is lost, by its process and by its link, and no node with it. Then the worker becomes a server. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bargeBin, isRoot, kubectls, must, within } from '../helpers/e2e.ts';
import { NetLab } from '../helpers/net-lab.ts';

type Machine = 's1' | 's2' | 'w1';

/** Machines without engines: what is tested is who speaks to whom. */
class ServerLab {
  readonly net: NetLab;
  readonly folder: string;
  readonly #running = new Map<string, { readonly child: ChildProcess; out: string; log: string }>();

  private constructor(net: NetLab, folder: string) {
    this.net = net;
    this.folder = folder;
  }

  static async open(t: ExecutionContext): Promise<ServerLab> {
    const net = await NetLab.open('servers', (['etcd', 's1', 's2', 'w1'] as const).map((name) => ({ name, link: 'a' })));
    const lab = new ServerLab(net, await mkdtemp(join(tmpdir(), 'barge-servers-')));
    t.teardown(() => lab.#close());
    const url = lab.etcd;
    lab.#spawn('etcd', 'etcd', ['--data-dir', join(lab.folder, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', 'http://127.0.0.1:2380', '--initial-advertise-peer-urls', 'http://127.0.0.1:2380', '--initial-cluster', 'default=http://127.0.0.1:2380', '--log-level', 'error']);
    return lab;
  }

  get etcd(): string {
    return `http://${this.net.ip('etcd')}:2379`;
  }

  /** Runs `barge` on a machine until it says that it is Ready; gives what it said. */
  async begin(machine: Machine, ...words: readonly string[]): Promise<string> {
    const running = this.#spawn(machine, bargeBin, [...words, '--data-dir', join(this.folder, machine)]);
    await within(120, () => {
      assert.equal(running.child.exitCode, null, running.log);
      assert.match(running.out, /Ready.*\n/);
    });
    return running.out;
  }

  async end(machine: Machine, signal: NodeJS.Signals): Promise<void> {
    const { child } = this.#running.get(machine)!;
    this.#running.delete(machine);
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  /** A client on a machine, as the admin that the machine's server knows. */
  on(machine: 's1' | 's2' | 'w1', program: string, ...args: readonly string[]): Promise<string> {
    return must(...this.net.at(machine, program, args), { env: { KUBECONFIG: join(this.folder, machine, 'admin.kubeconfig'), HOME: this.folder } });
  }

  /** Takes a machine's link down, or up again. */
  async link(machine: Machine, state: 'up' | 'down'): Promise<void> {
    await must(...this.net.at(machine, 'ip', ['link', 'set', 'eth0', state]));
  }

  #spawn(name: string, program: string, args: readonly string[]) {
    const child = spawn(...this.net.at(name, program, args), { stdio: ['ignore', 'pipe', 'pipe'] });
    const running = { child, out: '', log: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => { running.out += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { running.log += text; });
    const kill = (): void => void child.kill('SIGKILL');
    process.prependOnceListener('exit', kill);
    child.once('close', () => process.off('exit', kill));
    this.#running.set(name, running);
    return running;
  }

  async #close(): Promise<void> {
    for (const { child } of this.#running.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    await this.net.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

const here = isRoot && spawnSync('etcd', ['--version']).error === undefined;

(here ? test : test.skip)('a server that is lost takes no node along', async (t) => {
  t.timeout(600_000);
  const [kubectl] = [...(await kubectls()).values()].slice(-1);
  assert(kubectl !== undefined, 'no kubectl: name one in BARGE_TEST_KUBECTLS');
  const lab = await ServerLab.open(t);
  const pretended = ['--runtime', 'simulated'];
  const said = await lab.begin('s1', 'up', '--node-name', 's1', '--listen', `${lab.net.ip('s1')}:6443`, '--node-ip', lab.net.ip('s1'), '--etcd-servers', lab.etcd, ...pretended);
  const worker = /barge (join .* --token \S+)/.exec(said)![1]!.split(' ');
  t.regex(said, /to add a server, 'barge token create --role server' prints the line/);
  const server = /barge (join .* --token \S+)/.exec(await lab.on('s1', bargeBin, 'token', 'create', '--role', 'server'))![1]!.split(' ');
  await lab.begin('s2', ...server, '--node-name', 's2', '--node-ip', lab.net.ip('s2'), ...pretended);
  await lab.begin('w1', ...worker, '--node-name', 'w1', '--node-ip', lab.net.ip('w1'), ...pretended);

  const on2 = (...args: readonly string[]): Promise<string> => lab.on('s2', kubectl, ...args);
  const readySince = (): Promise<string> => on2('get', 'node', 'w1', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].lastTransitionTime}');
  const renewed = async (): Promise<number> => Date.parse(await on2('get', 'lease', '-n', 'kube-node-lease', 'w1', '-o', 'jsonpath={.spec.renewTime}'));
  /** New pods get to the worker and run, and its lease goes on. */
  const works = async (name: string): Promise<void> => {
    const before = await renewed();
    await on2('run', name, '--image=web:1', `--overrides={"spec":{"nodeSelector":{"kubernetes.io/hostname":"w1"}}}`);
    await on2('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=120s');
    await within(60, async () => assert(await renewed() > before));
  };
  await within(60, async () => assert.equal(await on2('get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[*].addresses[*].ip}'), `${lab.net.ip('s1')} ${lab.net.ip('s2')}`));
  await within(60, () => must('grep', ['-q', lab.net.ip('s2'), join(lab.folder, 'w1/node/servers.json')]));
  const since = await readySince();
  t.regex(since, /^True /);

  // The process is killed: controllers, scheduler and the worker go on by the other server.
  await lab.end('s1', 'SIGKILL');
  await works('killed');
  await within(60, async () => assert.equal(await on2('get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[*].addresses[*].ip}'), lab.net.ip('s2')));
  await within(60, async () => assert.match(await on2('get', 'node', 's1', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'), /Unknown/));
  t.is(await readySince(), since, 'the worker was Ready all the time');

  // A worker that starts while the server by which it joined is gone.
  await lab.end('w1', 'SIGTERM');
  await lab.begin('w1', 'join', ...pretended);
  await works('started');

  // The server comes back with what it keeps; then the machine of the other falls silent, without a word to anybody's connection.
  await lab.begin('s1', 'up', '--node-name', 's1', '--listen', `${lab.net.ip('s1')}:6443`, '--node-ip', lab.net.ip('s1'), '--etcd-servers', lab.etcd, ...pretended);
  await within(60, () => must('grep', ['-q', lab.net.ip('s1'), join(lab.folder, 'w1/node/servers.json')]));
  const on1 = (...args: readonly string[]): Promise<string> => lab.on('s1', kubectl, ...args);
  const before = await on1('get', 'node', 'w1', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].lastTransitionTime}');
  await lab.link('s2', 'down');
  await on1('run', 'silent', '--image=web:1', `--overrides={"spec":{"nodeSelector":{"kubernetes.io/hostname":"w1"}}}`);
  await on1('wait', 'pod/silent', '--for=condition=Ready', '--timeout=120s');
  await within(60, async () => assert.match(await on1('get', 'node', 's2', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'), /Unknown/));
  t.is(await on1('get', 'node', 'w1', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].lastTransitionTime}'), before, 'the worker was Ready all the time');
  await lab.link('s2', 'up');
  await within(120, async () => assert.match(await on1('get', 'node', 's2', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'), /True/));

  // The worker becomes a server, and is enough when the others are lost.
  t.is(await lab.on('s1', bargeBin, 'node', 'promote', 'w1'), 'node w1 is a server now\n');
  await within(60, async () => assert.match(await lab.on('w1', bargeBin, 'node', 'ls'), /^s1 +Ready +control-plane +(Leader|Reachable) [^]*^w1 +Ready +control-plane +Reachable /m));
  await lab.end('s1', 'SIGKILL');
  await lab.end('s2', 'SIGKILL');
  await within(60, async () => assert.match(await lab.on('w1', bargeBin, 'node', 'ls'), /^s1 +\S+ +control-plane +Unreachable [^]*^w1 +Ready +control-plane +Leader /m));
  await lab.on('w1', kubectl, 'create', 'deployment', 'last', '--image=web:1', '--replicas=2');
  await lab.on('w1', kubectl, 'rollout', 'status', 'deployment/last', '--timeout=120s');
});
