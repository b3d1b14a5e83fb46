/** Which files of unit tests share a thread when all of them run (together.ts says why), and which have one to themselves. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..');

/** With hooks or serial tests, which ava knows of a thread as a whole, or with a change of what all in a thread see. */
const ofAThread: readonly string[] = [
  'apiserver/core.test.ts', 'apiserver/http/proxy.test.ts', 'apiserver/http/server.test.ts', 'apiserver/several-servers.test.ts',
  'apiserver/storage/etcd.test.ts', 'apiserver/storage/sqlite.test.ts', 'apiserver/warnings.test.ts', 'base/commands.test.ts',
  'cli/commands.test.ts', 'cli/join-server.test.ts', 'cli/node-promote.test.ts', 'cli/several-servers.test.ts',
  'client/http-suite.test.ts', 'client/websocket-suite.test.ts', 'kubelet-lite/runtime/simulated.test.ts',
  'proxy/dns-server.test.ts', 'proxy/userspace.test.ts', 'scenarios/autoscaling.test.ts',
];

/** They take long by themselves. */
const long: readonly string[] = [
  'apiserver/fuzz/fuzz.test.ts', 'apiserver/fuzz/incomplete-objects.test.ts', 'cli/attacks.test.ts', 'cli/ca.test.ts',
  'scenarios/conformance.test.ts', 'scenarios/faults.test.ts',
];

export const alone: readonly string[] = [...ofAThread, ...long];

/** Files of unit tests, by their names in test/. */
export const unitFiles = async (): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.test.ts') && !file.startsWith('e2e/')).sort();

/** Each is a file in test/together/, which ava is given. */
export const groups = async (): Promise<readonly string[]> => (await readdir(join(folder, 'together'))).sort();

/** The files of a group. Neighbours are alike, so they go to different ones. */
export const groupOf = async (group: string): Promise<readonly string[]> => {
  const all = await groups();
  const index = all.indexOf(group);
  return (await unitFiles()).filter((file) => !alone.includes(file)).filter((_, at) => at % all.length === index);
};
