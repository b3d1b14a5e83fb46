/**
 * A cluster of several machines as users run it: a real engine and the real program on each machine of a NetLab. The first
 * has the control plane and is a node like the others. Root only.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bargeBin, must, noDiskPressure, root, type Result, type RunOptions } from './e2e.ts';
import { Engine, engineOf } from './engine.ts';
import { NetLab, type LabMachine } from './net-lab.ts';

interface Running {
  readonly child: ChildProcess;
  out: string;
  log: string;
}

export interface NodeLabOptions {
  readonly label: string;
  /** The first one gets the control plane. */
  readonly nodes: readonly LabMachine[];
  /** Machines of the same links without engine and node. */
  readonly strangers?: readonly LabMachine[];
  readonly upArgs?: readonly string[];
  readonly agentArgs?: readonly string[];
  /** What is run as barge; the checkout's own where absent. */
  readonly program?: string;
}

/** Of the line that says how to join. */
const argumentsOf = (said: string): readonly string[] => /barge join (.*)\n/.exec(said)![1]!.split(' ');

export class NodeLab {
  readonly net: NetLab;
  readonly folder: string;
  readonly #nodes: readonly string[];
  readonly #upArgs: readonly string[];
  readonly #agentArgs: readonly string[];
  readonly #program: string;
  readonly #engines = new Map<string, Engine>();
  readonly #barges = new Map<string, Running>();
  readonly #atExit = (): void => {
    for (const { child } of this.#barges.values()) child.kill('SIGKILL');
    for (const name of this.#nodes) spawnSync(...this.#reset(name), { stdio: 'ignore', timeout: 60_000 });
    for (const engine of this.#engines.values()) engine.beginStopNow();
    for (const engine of this.#engines.values()) engine.seeOffNow();
    spawnSync('rm', ['-rf', this.folder]);
  };

  private constructor(net: NetLab, folder: string, { nodes, upArgs = [], agentArgs = [], program = bargeBin }: NodeLabOptions) {
    this.net = net;
    this.folder = folder;
    this.#nodes = nodes.map(({ name }) => name);
    this.#upArgs = upArgs;
    this.#agentArgs = agentArgs;
    this.#program = program;
    process.prependOnceListener('exit', this.#atExit);
  }

  /** Starts the machines and their engines, and gives each the example's image. */
  static async open(options: NodeLabOptions): Promise<NodeLab> {
    const net = await NetLab.open(options.label, [...options.nodes, ...options.strangers ?? []]);
    const folder = await mkdtemp(join(tmpdir(), 'barge-lab-'));
    const lab = new NodeLab(net, folder, options);
    try {
      await Promise.all(lab.#nodes.map((name, index) => lab.#startEngine(name, index)));
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  get kubeconfig(): string {
    return this.kubeconfigOf(this.#nodes[0]!);
  }

  /** Of a machine that is a server. */
  kubeconfigOf(name: string): string {
    return join(this.dataDir(name), 'admin.kubeconfig');
  }

  get server(): string {
    return `https://${this.net.ip(this.#nodes[0]!)}:6443`;
  }

  /** Where the engine of a machine is asked, as DOCKER_HOST has it. */
  engineAt(name: string): string {
    return engineOf(join(this.folder, name));
  }

  /** The process numbers of a machine's engine, and of its barge where one runs. */
  processes(name: string): { readonly engine: number; readonly barge: number | undefined } {
    return { engine: this.#engines.get(name)!.pid, barge: this.#barges.get(name)?.child.pid };
  }

  /** What a machine's barge wrote to standard error. */
  log(name: string): string {
    return this.#barges.get(name)?.log ?? '';
  }

  /** Runs a client on the first machine, as the cluster's admin; throws where it fails. */
  async with(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.try(program, args, options);
    if (result.code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  }

  async try(program: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return this.net.run(this.#nodes[0]!, program, args, { ...options, env: { KUBECONFIG: this.kubeconfig, HOME: this.folder, ...options.env } });
  }

  /** Runs a client on a machine that is a server, as the admin that it knows; throws where it fails. */
  async on(name: string, program: string, ...args: readonly string[]): Promise<string> {
    return must(...this.net.at(name, program, args), { env: { KUBECONFIG: this.kubeconfigOf(name), HOME: this.folder } });
  }

  /** The engine's own command line on a machine. */
  async docker(name: string, ...args: readonly string[]): Promise<string> {
    return (await must('docker', args, { env: { DOCKER_HOST: this.engineAt(name) } })).trim();
  }

  /** Starts the control plane with its node, and waits until it is Ready. */
  async up(...more: readonly string[]): Promise<void> {
    const [first] = this.#nodes as [string];
    await this.#start(first, ['up', '--node-name', first, '--listen', `${this.net.ip(first)}:6443`, ...noDiskPressure, ...this.#upArgs, ...more], /barge join .*\n/);
  }

  /** Makes a machine a node, with the line that the first one printed; starts the node again where it is one. */
  async join(name: string, ...more: readonly string[]): Promise<void> {
    await this.#start(name, ['join', ...this.#joining(), ...this.#own(name), ...more]);
  }

  /** Makes a machine a further server, with the line that the first one gives. */
  async joinAsServer(name: string): Promise<void> {
    const line = await this.with(this.#program, ['token', 'create', '--role', 'server']);
    await this.#start(name, ['join', ...argumentsOf(line), ...this.#own(name)]);
  }

  /** Starts a machine's barge on what it keeps, and waits for the words, if any. */
  async again(name: string, args: readonly string[], said?: RegExp): Promise<void> {
    await this.#start(name, args, said);
  }

  /** Sends a signal to a machine's barge. */
  signal(name: string, signal: NodeJS.Signals): void {
    this.#barges.get(name)!.child.kill(signal);
  }

  /** Ends a machine's barge; its pods go on. */
  async end(name: string): Promise<void> {
    const running = this.#barges.get(name);
    if (running === undefined) return;
    this.#barges.delete(name);
    if (running.child.exitCode !== null || running.child.signalCode !== null) return;
    const closed = once(running.child, 'close');
    running.child.kill('SIGCONT');
    running.child.kill('SIGTERM');
    await closed;
  }

  /** Kills a machine's barge as a crash does. */
  async kill(name: string): Promise<void> {
    const { child } = this.#barges.get(name)!;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  /** Takes away all that barge made on a machine; says what it did. */
  async reset(name: string): Promise<string> {
    const said = await must(...this.#reset(name));
    this.#barges.delete(name);
    return said;
  }

  async close(): Promise<void> {
    for (const name of this.#nodes) await this.end(name);
    for (const name of this.#nodes) spawnSync(...this.#reset(name), { stdio: 'ignore', timeout: 120_000 });
    await Promise.all([...this.#engines.values()].map((engine) => engine.stop()));
    process.off('exit', this.#atExit);
    await this.net.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Server and token, as `barge up` prints them. */
  #joining(): readonly string[] {
    return argumentsOf(this.#barges.get(this.#nodes[0]!)!.out);
  }

  #own(name: string): readonly string[] {
    return ['--node-name', name, '--node-ip', this.net.ip(name), ...noDiskPressure, ...this.#agentArgs];
  }

  /** Where a machine's barge keeps what it keeps. */
  dataDir(name: string): string {
    return join(this.folder, name, 'barge');
  }

  #reset(name: string): readonly [string, readonly string[]] {
    return this.net.at(name, this.#program, ['reset', '--yes', '--data-dir', this.dataDir(name), '--docker-host', this.engineAt(name)]);
  }

  async #startEngine(name: string, index: number): Promise<void> {
    const engine = new Engine(join(this.folder, name), this.net.space(name), ['--bip', `172.31.${index}.1/24`]);
    this.#engines.set(name, engine);
    await engine.answers();
    await must(join(root, 'examples/hello-image/build'), [], { env: { DOCKER_HOST: this.engineAt(name) } });
    await this.docker(name, 'tag', 'barge/hello:1', 'barge/hello:2');
  }

  /** Resolves when barge has printed what is waited for. */
  async #start(name: string, args: readonly string[], said = /Ready: .*\n/): Promise<void> {
    const child = spawn(...this.net.at(name, this.#program, [...args, '--data-dir', this.dataDir(name), '--docker-host', this.engineAt(name)]), { stdio: ['ignore', 'pipe', 'pipe'] });
    const running: Running = { child, out: '', log: this.#barges.get(name)?.log ?? '' };
    this.#barges.set(name, running);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => { running.out += text; });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => { running.log += text; });
    const deadlineMs = Date.now() + 120_000;
    while (!said.test(running.out)) {
      if (child.exitCode !== null || Date.now() > deadlineMs) throw new Error(`barge ${args[0]} on ${name} did not become Ready:\n${running.out}\n${running.log}`);
      await delay(50);
    }
  }
}
