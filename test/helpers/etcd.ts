import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type SerialFn } from 'ava';
import { tempDir } from './temp-dir.ts';

const isHere = spawnSync('etcd', ['--version']).error === undefined;

/** `test.serial` for tests that need an etcd; they are skipped where there is none, but in CI, where there must be. */
export const etcdTest: SerialFn = isHere || process.env['CI'] !== undefined ? test.serial : (test.skip as unknown as SerialFn);
if (!isHere) test('the tests that need etcd run', (t) => (process.env['CI'] === undefined ? t.pass('etcd is not installed (Debian: etcd-server): its tests are skipped') : t.fail('etcd is not installed (Debian: etcd-server)')));

export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
};

export interface TestEtcd {
  /** Of each member. */
  readonly endpoints: readonly string[];
  /** Kills a member as a power cut does. */
  kill(member: number): Promise<void>;
  /** Starts a member again on what it has, or for the first time. Resolves when it answers. */
  start(member: number): Promise<void>;
  /** Stops a member without its connections being closed, and lets it go on. */
  pause(member: number): void;
  resume(member: number): void;
  close(): Promise<void>;
}

export interface TestEtcdOptions {
  readonly members?: number;
  /** Files in PEM; with them members take clients over TLS only, with a certificate of this authority. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly flags?: readonly string[];
}

/** An etcd that is started when the first test of the file needs it, and ends with the file. */
export const sharedEtcd = (options?: TestEtcdOptions): (() => Promise<TestEtcd>) => {
  let started: Promise<TestEtcd> | undefined;
  test.after.always(async () => (await started)?.close());
  return () => (started ??= startTestEtcd(options));
};

/** An etcd on free ports of loopback, with its data in a folder that goes with it. */
export const startTestEtcd = async ({ members = 1, tls, flags = [] }: TestEtcdOptions = {}): Promise<TestEtcd> => {
  const folder = await tempDir();
  const ports = await freePorts(members * 2);
  const scheme = tls === undefined ? 'http' : 'https';
  const urlOf = (member: number): string => `${scheme}://127.0.0.1:${ports[member * 2]}`;
  const peerOf = (member: number): string => `http://127.0.0.1:${ports[member * 2 + 1]}`;
  const all = Array.from({ length: members }, (_, member) => member);
  const running = new Map<number, ChildProcess>();
  // A test that dies must not leave an etcd behind.
  const killAll = (): void => { for (const child of running.values()) child.kill('SIGKILL'); };
  process.once('exit', killAll);
  const run = (member: number): void => {
    running.set(member, spawn('etcd', [
      '--name', `m${member}`, '--data-dir', join(folder.path, `m${member}`), '--listen-client-urls', urlOf(member), '--advertise-client-urls', urlOf(member),
      '--listen-peer-urls', peerOf(member), '--initial-advertise-peer-urls', peerOf(member), '--initial-cluster', all.map((one) => `m${one}=${peerOf(one)}`).join(','), '--log-level', 'error',
      ...flags,
      ...(tls === undefined ? [] : ['--cert-file', tls.cert, '--key-file', tls.key, '--trusted-ca-file', tls.ca, '--client-cert-auth']),
    ], { stdio: 'ignore' }));
  };
  const stop = async (member: number, signal: NodeJS.Signals): Promise<void> => {
    const child = running.get(member);
    running.delete(member);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'close');
  };
  const close = async (): Promise<void> => {
    for (const member of all) running.get(member)?.kill('SIGCONT');
    await Promise.all(all.map((member) => stop(member, 'SIGKILL')));
    process.off('exit', killAll);
    await folder.remove();
  };
  all.forEach(run);
  try {
    for (const member of all) await answers(urlOf(member), running.get(member)!);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    endpoints: all.map(urlOf), close,
    kill: (member) => stop(member, 'SIGKILL'),
    start: async (member) => {
      run(member);
      await answers(urlOf(member), running.get(member)!);
    },
    pause: (member) => { running.get(member)!.kill('SIGSTOP'); },
    resume: (member) => { running.get(member)!.kill('SIGCONT'); },
  };
};

/** Resolves when something listens there; whether it serves already is for who connects to find out. */
const answers = async (url: string, child: ChildProcess): Promise<void> => {
  for (const deadlineMs = Date.now() + 60_000; ;) {
    if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
    const session = connect(url, { rejectUnauthorized: false });
    try {
      await once(session, 'connect');
      return;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      session.destroy();
    }
  }
};
