/**
 * Machines on two links with a router between them, each a network namespace of this machine. Root only. Those on one link
 * reach each other directly, those on different ones through the router.
 */
import { spawnSync } from 'node:child_process';
import { systemPath } from '../../base/commands.ts';
import { must, run, type Result, type RunOptions } from './e2e.ts';
import { inNamespace } from './engine.ts';

export interface LabMachine { readonly name: string; readonly link: 'a' | 'b' }

/** A package manager's programs share names with the system's. */
const systemEnv = { PATH: systemPath(process.env['PATH']) } as const;

const links = { a: '192.0.2', b: '198.51.100' } as const;

export class NetLab {
  readonly #label: string;
  readonly #machines: readonly LabMachine[];
  readonly #remove = (): void => {
    for (const name of this.#namespaces()) spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
  };

  private constructor(label: string, machines: readonly LabMachine[]) {
    this.#label = label;
    this.#machines = machines;
    // A test that dies leaves no namespace behind.
    process.once('exit', this.#remove);
  }

  /** The label tells labs of one machine apart. */
  static async open(label: string, machines: readonly LabMachine[]): Promise<NetLab> {
    const lab = new NetLab(`${label}${process.pid}`, machines);
    try {
      await lab.#build();
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  /** Name of a machine's network namespace. */
  space(machine: string): string {
    return `barge-${this.#label}-${machine}`;
  }

  /** A machine's address on its link. */
  ip(machine: string): string {
    const index = this.#machines.findIndex(({ name }) => name === machine);
    return `${links[this.#machines[index]!.link]}.${11 + index}`;
  }

  /** A program and its arguments, such that it runs on a machine. */
  at(machine: string, command: string, args: readonly string[] = []): readonly [string, readonly string[]] {
    return inNamespace(this.space(machine), command, args);
  }

  async run(machine: string, command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Result> {
    return run(...this.at(machine, command, args), { ...options, env: { ...systemEnv, ...options.env } });
  }

  /** Runs a shell script on a machine; throws where it fails. */
  async sh(machine: string, script: string): Promise<string> {
    return must(...this.at(machine, 'sh', ['-ec', script]), { env: systemEnv });
  }

  /** Gives this process, with all else in its own network namespace, a way to the machines. It goes with the lab. */
  async openToHere(): Promise<void> {
    await must('ip', ['-n', this.space('net'), 'link', 'add', 'to-here', 'type', 'veth', 'peer', 'name', 'barge-lab', 'netns', String(process.pid)]);
    await this.sh('net', 'ip addr add 203.0.113.1/24 dev to-here; ip link set to-here up');
    await must('sh', ['-ec', `ip addr add 203.0.113.2/24 dev barge-lab; ip link set barge-lab up; ${Object.values(links).map((prefix) => `ip route add ${prefix}.0/24 via 203.0.113.1`).join('; ')}`]);
  }

  /** Pulls a machine's cable: its own interface stays up, without a carrier. */
  async cut(machine: string): Promise<void> {
    await must('ip', ['-n', this.space('net'), 'link', 'set', `to-${machine}`, 'down']);
  }

  async mend(machine: string): Promise<void> {
    await must('ip', ['-n', this.space('net'), 'link', 'set', `to-${machine}`, 'up']);
  }

  async close(): Promise<void> {
    for (const name of this.#namespaces()) await run('ip', ['netns', 'delete', name]);
    process.off('exit', this.#remove);
  }

  #namespaces(): readonly string[] {
    return ['net', ...this.#machines.map(({ name }) => name)].map((name) => this.space(name));
  }

  async #build(): Promise<void> {
    for (const name of this.#namespaces()) {
      await must('ip', ['netns', 'add', name]);
      await must('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    }
    for (const [link, prefix] of Object.entries(links)) {
      await this.sh('net', `ip link add br-${link} type bridge; ip addr add ${prefix}.1/24 dev br-${link}; ip link set br-${link} up`);
    }
    await this.sh('net', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    for (const { name, link } of this.#machines) {
      await must('ip', ['-n', this.space('net'), 'link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.space(name)]);
      await must('ip', ['-n', this.space('net'), 'link', 'set', `to-${name}`, 'master', `br-${link}`, 'up']);
      await this.sh(name, `ip addr add ${this.ip(name)}/24 dev eth0; ip link set eth0 up; ip route add default via ${links[link]}.1`);
    }
  }
}
