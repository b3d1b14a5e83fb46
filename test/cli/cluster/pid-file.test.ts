import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { removePid, runningPid, writePid } from '../../../cli/cluster/pid-file.ts';
import { machineAddresses, machineAddressesFrom } from '../../../cli/cluster/addresses.ts';

const folder = async (t: { teardown(fn: () => Promise<void>): void }): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'barge-pid-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
};

test('the process that wrote the file is found, until it takes it away', async (t) => {
  const dir = await folder(t);
  t.is(await runningPid(dir), undefined);
  await writePid(dir);
  t.is(await runningPid(dir), process.pid);
  await removePid(dir);
  t.is(await runningPid(dir), undefined);
});

test('another process with the same id is not taken for it', async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, 'barge.pid'), `${process.pid} 1\n`);
  t.is(await runningPid(dir), undefined);
  const child = spawn('true');
  await once(child, 'close');
  await writeFile(join(dir, 'barge.pid'), `${child.pid} undefined\n`);
  t.is(await runningPid(dir), undefined);
  await writeFile(join(dir, 'barge.pid'), 'garbage');
  t.is(await runningPid(dir), undefined);
});

test('the machine is reached by its own interfaces, not by those of engines', (t) => {
  const at = (address: string, internal = false, family = 'IPv4') => ({ address, internal, family });
  t.deepEqual(machineAddresses({ lo: [at('127.0.0.1', true)], docker0: [at('172.17.0.1')], barge0: [at('10.244.0.1')], eth0: [at('192.0.2.2'), at('fe80::1', false, 'IPv6')] }), ['192.0.2.2']);
  t.deepEqual(machineAddresses({ lo: [at('127.0.0.1', true)] }), ['127.0.0.1']);
  const two = { eth0: [at('192.0.2.2')], eth1: [at('198.51.100.2')], docker0: [at('172.17.0.1')] };
  t.deepEqual(machineAddressesFrom('198.51.100.2', two), ['198.51.100.2', '192.0.2.2'], 'the one that was named comes first');
  t.deepEqual(machineAddressesFrom('172.17.0.1', two), ['172.17.0.1', '192.0.2.2', '198.51.100.2']);
  t.is(machineAddressesFrom('203.0.113.9', two), undefined);
});
