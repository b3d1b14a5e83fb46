/**
 * Where files of end-to-end tests run side by side: at most one in each lane. The first lane is the machine itself, with
 * the engine that answers there; each other one is a network namespace with an engine of its own, so that no two files
 * share containers, ports, routes or a firewall. Root only.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { must, run } from '../helpers/e2e.ts';
import { Engine, engineOf, inNamespace } from '../helpers/engine.ts';

export interface Lane {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** A program and its arguments, such that it runs in the lane. */
  at(command: string, args: readonly string[]): readonly [string, readonly string[]];
  /** Whether a file may run here. */
  takes(file: string): boolean;
  /** Ends all that was started in it. */
  close(): Promise<void>;
}

/** Leaves an engine alone that answered before; where none did, the first test starts one. */
export const openHome = async (): Promise<Lane> => {
  const answered = (await run('docker', ['version'])).code === 0;
  const pidFile = '/var/run/docker.pid';
  return {
    name: 'home',
    env: {},
    at: (command, args) => [command, args],
    takes: () => true,
    close: async () => {
      if (answered || !existsSync(pidFile)) return;
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
      for (let attempt = 0; attempt < 300 && existsSync(pidFile); attempt++) await delay(200);
    },
  };
};

/** A namespace reaches nothing outside: files that do, are for the machine itself. */
export const openLane = async (number: number, takes: (file: string) => boolean): Promise<Lane> => {
  const namespace = `barge-lane${process.pid}-${number}`;
  const folder = await mkdtemp(join(tmpdir(), 'barge-lane-'));
  let engine: Engine | undefined;
  /** Takes the namespace away with what a test that died has left in it. */
  const clear = (): void => {
    spawnSync('sh', ['-c', `ip netns pids ${namespace} | xargs -r kill -9; ip netns delete ${namespace}`], { stdio: 'ignore' });
  };
  const atExit = (): void => {
    engine?.beginStopNow();
    engine?.seeOffNow();
    clear();
    spawnSync('rm', ['-rf', folder]);
  };
  process.once('exit', atExit);
  const close = async (): Promise<void> => {
    await engine?.stop();
    clear();
    await rm(folder, { recursive: true, force: true });
    process.off('exit', atExit);
  };
  try {
    await must('ip', ['netns', 'add', namespace]);
    // An address as a machine has one, by which its node is known; nothing is at the other end.
    await must(...inNamespace(namespace, 'sh', ['-ec', 'ip link set lo up; ip link add eth0 type veth peer name outside; ip addr add 198.18.0.1/24 dev eth0; ip link set eth0 up; ip link set outside up']));
    engine = new Engine(folder, namespace);
    await engine.answers();
  } catch (error) {
    await close();
    throw error;
  }
  return { name: `lane ${number}`, env: { DOCKER_HOST: engineOf(folder) }, at: (command, args) => inNamespace(namespace, command, args), takes, close };
};

/** Files wait in one row; whoever is free takes the first that it may. */
export const takeTurns = async <Place extends Pick<Lane, 'takes'>>(places: readonly Place[], files: readonly string[], work: (place: Place, file: string) => Promise<void>): Promise<void> => {
  const waiting = [...files];
  await Promise.all(places.map(async (place) => {
    for (;;) {
      const index = waiting.findIndex((file) => place.takes(file));
      if (index === -1) return;
      await work(place, waiting.splice(index, 1)[0]!);
    }
  }));
};
