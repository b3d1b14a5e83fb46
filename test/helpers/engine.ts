/** A Docker Engine of a test's own in a network namespace: its folder has its data, its state and its socket. Root only. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { must, within } from './e2e.ts';

/** A program and its arguments, such that it runs in a network namespace; `ip netns exec` would hide the mounts of cgroups from an engine. */
export const inNamespace = (name: string, command: string, args: readonly string[]): readonly [string, readonly string[]] =>
  ['nsenter', [`--net=/run/netns/${name}`, command, ...args]];

/** Where the engine of a folder is asked, as DOCKER_HOST has it. */
export const engineOf = (folder: string): string => `unix://${join(folder, 'docker.sock')}`;

export class Engine {
  readonly #child: ChildProcess;
  readonly #folder: string;
  #log = '';

  /** Starts it; whoever does so stops it, also where it does not come to answer. */
  constructor(folder: string, namespace: string, args: readonly string[] = []) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#child = spawn(...inNamespace(namespace, 'dockerd', [
      '--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid'), '-H', engineOf(folder), ...args,
    ]), { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => { this.#log = (this.#log + text).slice(-20_000); });
  }

  async answers(): Promise<void> {
    await within(90, async () => {
      if (this.#ended) throw new Error(`the engine in ${this.#folder} ended:\n${this.#log}`);
      await must('docker', ['version'], { env: { DOCKER_HOST: engineOf(this.#folder) } });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** An engine that is killed leaves its containers and mounts behind; it has time to end. */
  async stop(): Promise<void> {
    if (!this.#ended) {
      const closed = once(this.#child, 'close');
      this.#child.kill('SIGTERM');
      await closed;
    }
    this.#unmount();
  }

  /** For the end of this process, where nothing can be waited for: asked to end at once, and then seen off with the others. */
  beginStopNow(): void {
    this.#child.kill('SIGTERM');
  }

  seeOffNow(): void {
    spawnSync('sh', ['-c', `while kill -0 ${this.pid} 2> /dev/null; do sleep 0.1; done`], { timeout: 20_000 });
    this.#unmount();
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** An engine that found no time to end its containers has left mounts. */
  #unmount(): void {
    spawnSync('sh', ['-c', `grep -o ' ${this.#folder}/[^ ]*' /proc/self/mounts | sort -r | xargs -r umount -l`]);
  }
}
